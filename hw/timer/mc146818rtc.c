/*
 * MC146818 real-time clock (Motorola MC146818A data sheet).
 *
 * The calendar is a function of the clock and is written into CMOS memory when the guest
 * looks; the flags of register C are worked out when they are read. A timer is armed only
 * for an event that register B lets interrupt.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/timer/mc146818rtc.h"

#include <gio/gio.h>
#include <string.h>
#include <time.h>

#include "hw/core/vmstate.h"

enum {
    RTC_SECONDS = 0,
    RTC_SECONDS_ALARM = 1,
    RTC_MINUTES = 2,
    RTC_MINUTES_ALARM = 3,
    RTC_HOURS = 4,
    RTC_HOURS_ALARM = 5,
    RTC_DAY_OF_WEEK = 6,
    RTC_DAY_OF_MONTH = 7,
    RTC_MONTH = 8,
    RTC_YEAR = 9,
    RTC_A = 10,
    RTC_B = 11,
    RTC_C = 12,
    RTC_D = 13,
    RTC_CENTURY = 0x32, /* the PC's byte, not the chip's */
    RTC_CENTURY_PS2 = 0x37,
};

enum {
    A_UPDATE_IN_PROGRESS = 0x80,
    A_DIVIDER_RESET = 0x60, /* both bits */
    A_RATE = 0x0f,
    B_SET = 0x80,
    B_PERIODIC = 0x40,
    B_ALARM = 0x20,
    B_UPDATE = 0x10,
    B_SQUARE_WAVE = 0x08,
    B_BINARY = 0x04,
    B_24_HOURS = 0x02,
    C_IRQ = 0x80, /* bits 6-4 are those of B_PERIODIC, B_ALARM, B_UPDATE */
    D_VALID_RAM = 0x80,
};

#define EVENTS (B_PERIODIC | B_ALARM | B_UPDATE)
#define CRYSTAL_HZ 32768
#define SECONDS_PER_DAY 86400
/* UIP rises 244 us before the update, eight ticks of the crystal. */
#define UPDATE_LEAD_NS INT64_C(244140)
#define DONT_CARE 0xc0

/* -- The calendar ----------------------------------------------------------------------
 */

static bool is_running(const MC146818RTC *rtc)
{
    return !(rtc->cmos[RTC_B] & B_SET) &&
           (rtc->cmos[RTC_A] & A_DIVIDER_RESET) != A_DIVIDER_RESET;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Nanoseconds since the calendar showed base_seconds exactly. */
static int64_t running_ns(const MC146818RTC *rtc, int64_t clock_ns)
{
    return clock_ns - rtc->base_clock_ns + rtc->base_fraction_ns;
}

static int64_t fraction_ns(const MC146818RTC *rtc, int64_t clock_ns)
{
    int64_t ns = running_ns(rtc, clock_ns);

    return ns - floor_div(ns, NANOSECONDS_PER_SECOND) * NANOSECONDS_PER_SECOND;
}

static int64_t seconds_at(const MC146818RTC *rtc, int64_t clock_ns)
{
    return rtc->base_seconds +
           floor_div(running_ns(rtc, clock_ns), NANOSECONDS_PER_SECOND);
}

static int64_t clock_at(const MC146818RTC *rtc, int64_t seconds)
{
    return rtc->base_clock_ns - rtc->base_fraction_ns +
           (seconds - rtc->base_seconds) * NANOSECONDS_PER_SECOND;
}

static uint8_t encode(const MC146818RTC *rtc, int value)
{
    return rtc->cmos[RTC_B] & B_BINARY ? value : (value / 10 % 10) << 4 | value % 10;
}

static int decode(const MC146818RTC *rtc, uint8_t value)
{
    return rtc->cmos[RTC_B] & B_BINARY ? value : (value >> 4) * 10 + (value & 15);
}

static uint8_t encode_hour(const MC146818RTC *rtc, int hour)
{
    if (rtc->cmos[RTC_B] & B_24_HOURS) {
        return encode(rtc, hour);
    }
    return encode(rtc, hour % 12 ? hour % 12 : 12) | (hour >= 12 ? 0x80 : 0);
}

static int decode_hour(const MC146818RTC *rtc, uint8_t value)
{
    if (rtc->cmos[RTC_B] & B_24_HOURS) {
        return decode(rtc, value);
    }
    return decode(rtc, value & 0x7f) % 12 + (value & 0x80 ? 12 : 0);
}

/* Shows the running calendar in CMOS memory. */
static void calendar_to_cmos(MC146818RTC *rtc)
{
    time_t seconds = seconds_at(rtc, clock_get_ns(rtc->clock));
    struct tm date;

    if (!is_running(rtc) || !gmtime_r(&seconds, &date)) {
        return;
    }

    int64_t year = (int64_t)date.tm_year + 1900 - rtc->base_year;

    rtc->cmos[RTC_SECONDS] = encode(rtc, date.tm_sec);
    rtc->cmos[RTC_MINUTES] = encode(rtc, date.tm_min);
    rtc->cmos[RTC_HOURS] = encode_hour(rtc, date.tm_hour);
    rtc->cmos[RTC_DAY_OF_WEEK] = encode(rtc, date.tm_wday + 1);
    rtc->cmos[RTC_DAY_OF_MONTH] = encode(rtc, date.tm_mday);
    rtc->cmos[RTC_MONTH] = encode(rtc, date.tm_mon + 1);
    rtc->cmos[RTC_YEAR] = encode(rtc, year % 100);
    rtc->cmos[RTC_CENTURY] = encode(rtc, year / 100 % 100);
    rtc->cmos[RTC_CENTURY_PS2] = rtc->cmos[RTC_CENTURY];
}

/* Starts the calendar from what CMOS memory shows, `fraction` ns into that second. */
static void calendar_from_cmos(MC146818RTC *rtc, int64_t fraction)
{
    struct tm date = {
        .tm_sec = decode(rtc, rtc->cmos[RTC_SECONDS]),
        .tm_min = decode(rtc, rtc->cmos[RTC_MINUTES]),
        .tm_hour = decode_hour(rtc, rtc->cmos[RTC_HOURS]),
        .tm_mday = decode(rtc, rtc->cmos[RTC_DAY_OF_MONTH]),
        .tm_mon = decode(rtc, rtc->cmos[RTC_MONTH]) - 1,
        .tm_year = decode(rtc, rtc->cmos[RTC_YEAR]) +
                   decode(rtc, rtc->cmos[RTC_CENTURY]) * 100 + rtc->base_year - 1900,
    };

    rtc->base_seconds = timegm(&date);
    rtc->base_fraction_ns = fraction;
    rtc->base_clock_ns = clock_get_ns(rtc->clock);
    rtc->flags_clock_ns = rtc->base_clock_ns;
}

/* -- Events ----------------------------------------------------------------------------
 */

static bool alarm_field_matches(uint8_t field, int wanted, int value)
{
    return (field & DONT_CARE) == DONT_CARE || wanted == value;
}

/* Seconds from `seconds` to the next alarm after it, at most a day; 0: there is none. */
static int64_t seconds_to_alarm(const MC146818RTC *rtc, int64_t seconds)
{
    const uint8_t *cmos = rtc->cmos;
    int now = seconds - floor_div(seconds, SECONDS_PER_DAY) * SECONDS_PER_DAY;
    int hour = decode_hour(rtc, cmos[RTC_HOURS_ALARM]);
    int minute = decode(rtc, cmos[RTC_MINUTES_ALARM]);
    int second = decode(rtc, cmos[RTC_SECONDS_ALARM]);
    int at = now + 1;

    while (at <= now + SECONDS_PER_DAY) {
        if (!alarm_field_matches(cmos[RTC_HOURS_ALARM], hour, at / 3600 % 24)) {
            at += 3600 - at % 3600;
        } else if (!alarm_field_matches(cmos[RTC_MINUTES_ALARM], minute, at / 60 % 60)) {
            at += 60 - at % 60;
        } else if (!alarm_field_matches(cmos[RTC_SECONDS_ALARM], second, at % 60)) {
            at++;
        } else {
            return at - now;
        }
    }
    return 0;
}

/* The periodic interrupt's period in ticks of the crystal, 0 when off (table 5). */
static uint32_t period_ticks(const MC146818RTC *rtc)
{
    unsigned rate = rtc->cmos[RTC_A] & A_RATE;

    if (rate == 0 || (rtc->cmos[RTC_A] & A_DIVIDER_RESET) == A_DIVIDER_RESET) {
        return 0;
    }
    /* Rates 1 and 2 repeat 8 and 9. */
    return 1u << (rate <= 2 ? rate + 6 : rate - 1);
}

/* Crystal ticks that the latest period had begun with at `clock_ns`. */
static int64_t period_start(const MC146818RTC *rtc, uint32_t period, int64_t clock_ns)
{
    int64_t ticks = (int64_t)clock_ns_to_ticks(clock_ns, CRYSTAL_HZ);

    return rtc->period_base + floor_div(ticks - rtc->period_base, period) * period;
}

/* Periods count from when the interrupt was enabled, and a new rate from the latest
 * interrupt at the old one, as in QEMU. (The chip's divider chain keeps its own phase,
 * which no guest can know.) */
static void set_period_base(MC146818RTC *rtc, uint32_t old_period)
{
    rtc->period_base = old_period
                           ? period_start(rtc, old_period, rtc->flags_clock_ns)
                           : (int64_t)clock_ns_to_ticks(rtc->flags_clock_ns, CRYSTAL_HZ);
}

/* Raises the flags of what has happened since they were last looked at. */
static void catch_up(MC146818RTC *rtc)
{
    int64_t now = clock_get_ns(rtc->clock), before = MIN(rtc->flags_clock_ns, now);
    uint32_t period = period_ticks(rtc);

    rtc->flags_clock_ns = now;
    if (period && period_start(rtc, period, now) != period_start(rtc, period, before)) {
        rtc->cmos[RTC_C] |= B_PERIODIC;
    }
    if (is_running(rtc)) {
        int64_t first = seconds_at(rtc, before), last = seconds_at(rtc, now);

        if (last > first) {
            int64_t alarm = seconds_to_alarm(rtc, first);

            rtc->cmos[RTC_C] |= B_UPDATE;
            if (alarm && first + alarm <= last) {
                rtc->cmos[RTC_C] |= B_ALARM;
            }
        }
    }
}

static void arm(MC146818RTC *rtc)
{
    uint8_t enabled = rtc->cmos[RTC_B];
    int64_t now = rtc->flags_clock_ns, due = INT64_MAX;
    uint32_t period = period_ticks(rtc);

    if (rtc->cmos[RTC_C] & C_IRQ) {
        timer_del(&rtc->timer); /* until the guest has seen it, nothing more can happen */
        return;
    }
    if (period && enabled & B_PERIODIC) {
        due = clock_ticks_to_ns((uint64_t)(period_start(rtc, period, now) + period),
                                CRYSTAL_HZ);
    }
    if (is_running(rtc)) {
        int64_t second = seconds_at(rtc, now);
        int64_t alarm = seconds_to_alarm(rtc, second);

        if (enabled & B_UPDATE) {
            due = MIN(due, clock_at(rtc, second + 1));
        }
        if (enabled & B_ALARM && alarm) {
            due = MIN(due, clock_at(rtc, second + alarm));
        }
    }
    if (due == INT64_MAX) {
        timer_del(&rtc->timer);
    } else {
        timer_mod(&rtc->timer, due);
    }
}

/* Sets IRQF and the interrupt line from the flags and their enables, and looks ahead. */
static void update_irq(MC146818RTC *rtc)
{
    bool active = rtc->cmos[RTC_C] & rtc->cmos[RTC_B] & EVENTS;

    rtc->cmos[RTC_C] = (rtc->cmos[RTC_C] & EVENTS) | (active ? C_IRQ : 0);
    irq_set(rtc->irq, active);
    arm(rtc);
}

static void timer_expired(void *opaque)
{
    catch_up(opaque);
    update_irq(opaque);
}

/* -- The registers ---------------------------------------------------------------------
 */

static void write_a(MC146818RTC *rtc, uint8_t value)
{
    bool was_running = is_running(rtc);
    uint32_t old_period = period_ticks(rtc);

    calendar_to_cmos(rtc);
    rtc->cmos[RTC_A] = value & ~A_UPDATE_IN_PROGRESS;
    if (period_ticks(rtc) != old_period) {
        set_period_base(rtc, old_period);
    }
    if (!was_running && is_running(rtc)) {
        /* "The first update cycle begins one-half second" after the divider is
         * released. */
        calendar_from_cmos(rtc, NANOSECONDS_PER_SECOND / 2);
    }
}

static void write_b(MC146818RTC *rtc, uint8_t value)
{
    bool was_running = is_running(rtc);
    int64_t fraction = fraction_ns(rtc, clock_get_ns(rtc->clock));

    calendar_to_cmos(rtc);
    if (value & B_SET) {
        value &= ~B_UPDATE;
    }
    if (value & ~rtc->cmos[RTC_B] & B_PERIODIC) {
        set_period_base(rtc, 0);
    }
    rtc->cmos[RTC_B] = value;
    if (!was_running && is_running(rtc)) {
        calendar_from_cmos(rtc, fraction);
    }
}

static void write_calendar(MC146818RTC *rtc, unsigned index, uint8_t value)
{
    int64_t fraction = fraction_ns(rtc, clock_get_ns(rtc->clock));

    calendar_to_cmos(rtc);
    rtc->cmos[index] = value;
    if (is_running(rtc)) {
        calendar_from_cmos(rtc, fraction);
    }
}

static void write_data(MC146818RTC *rtc, unsigned index, uint8_t value)
{
    catch_up(rtc);
    switch (index) {
    case RTC_SECONDS:
    case RTC_MINUTES:
    case RTC_HOURS:
    case RTC_DAY_OF_WEEK:
    case RTC_DAY_OF_MONTH:
    case RTC_MONTH:
    case RTC_YEAR:
    case RTC_CENTURY:
        write_calendar(rtc, index, value);
        break;
    case RTC_CENTURY_PS2:
        write_calendar(rtc, RTC_CENTURY, value);
        break;
    case RTC_A:
        write_a(rtc, value);
        break;
    case RTC_B:
        write_b(rtc, value);
        break;
    case RTC_C:
    case RTC_D:
        return; /* read-only */
    default:
        rtc->cmos[index] = value;
        break;
    }
    update_irq(rtc);
}

static uint8_t read_data(MC146818RTC *rtc, unsigned index)
{
    int64_t now = clock_get_ns(rtc->clock);
    uint8_t value;

    switch (index) {
    case RTC_A:
        if (is_running(rtc) &&
            fraction_ns(rtc, now) >= NANOSECONDS_PER_SECOND - UPDATE_LEAD_NS) {
            return rtc->cmos[RTC_A] | A_UPDATE_IN_PROGRESS;
        }
        break;
    case RTC_C:
        catch_up(rtc);
        update_irq(rtc);
        value = rtc->cmos[RTC_C];
        rtc->cmos[RTC_C] = 0;
        update_irq(rtc);
        return value;
    default:
        calendar_to_cmos(rtc);
        break;
    }
    return rtc->cmos[index];
}

/* Port 0 is the index (bit 7 is the board's NMI mask, not the chip's), port 1
 * the data. */
static void rtc_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    MC146818RTC *rtc = opaque;

    if (offset == 0) {
        rtc->index = value & (RTC_CMOS_SIZE - 1);
    } else {
        write_data(rtc, rtc->index, value);
    }
}

static uint64_t rtc_read(void *opaque, hwaddr offset, unsigned size)
{
    MC146818RTC *rtc = opaque;

    return offset == 0 ? 0xff : read_data(rtc, rtc->index);
}

static const MemoryRegionOps rtc_ops = {
    .read = rtc_read,
    .write = rtc_write,
    .impl = {.min_access_size = 1, .max_access_size = 1},
};

/* -- The board's side ---------------------------------------------------------------- */

void rtc_set_memory(MC146818RTC *rtc, unsigned address, uint8_t value)
{
    g_return_if_fail(address < RTC_CMOS_SIZE);
    rtc->cmos[address] = value;
}

uint8_t rtc_get_memory(const MC146818RTC *rtc, unsigned address)
{
    g_return_val_if_fail(address < RTC_CMOS_SIZE, 0);
    return rtc->cmos[address];
}

void rtc_set_date(MC146818RTC *rtc, int64_t seconds, ClockKind clock)
{
    if (rtc->clock != clock) {
        timer_del(&rtc->timer);
        timer_init(&rtc->timer, clock, timer_expired, rtc);
    }
    rtc->clock = clock;
    rtc->base_seconds = seconds;
    rtc->base_fraction_ns = 0;
    rtc->base_clock_ns = rtc->flags_clock_ns = clock_get_ns(clock);
    calendar_to_cmos(rtc);
    arm(rtc);
}

int64_t rtc_get_date(MC146818RTC *rtc)
{
    return seconds_at(rtc, clock_get_ns(rtc->clock));
}

/* -- The device ---------------------------------------------------------------------- */

/* RESET# leaves the calendar and the memory alone. */
static void mc146818_rtc_reset(Device *dev)
{
    MC146818RTC *rtc = MC146818_RTC(dev);

    catch_up(rtc);
    rtc->cmos[RTC_B] &= ~(EVENTS | B_SQUARE_WAVE);
    rtc->cmos[RTC_C] = 0;
    update_irq(rtc);
}

static bool mc146818_rtc_realize(Device *dev, GError **error)
{
    MC146818RTC *rtc = MC146818_RTC(dev);
    ISADevice *isa = ISA_DEVICE(dev);

    if (rtc->base_year < 0 || rtc->base_year > 9999) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "mc146818rtc: base_year %d is not a year from 0 to 9999",
                    rtc->base_year);
        return false;
    }
    device_init_gpio_out(dev, &rtc->irq, 1);
    rtc->irq = isa_device_irq(isa, rtc->isa_irq);

    rtc->cmos[RTC_A] = 0x26; /* 32768 Hz crystal, 1024 Hz periodic: what PC BIOSes set */
    rtc->cmos[RTC_B] = B_24_HOURS;
    rtc->cmos[RTC_D] = D_VALID_RAM;
    rtc->clock = CLOCK_KIND_HOST;
    timer_init(&rtc->timer, rtc->clock, timer_expired, rtc);
    rtc_set_date(rtc, clock_get_ns(CLOCK_KIND_HOST) / NANOSECONDS_PER_SECOND,
                 CLOCK_KIND_HOST);
    rtc->base_fraction_ns = rtc->base_clock_ns % NANOSECONDS_PER_SECOND;

    memory_region_init_io(&rtc->io, G_OBJECT(dev), &rtc_ops, rtc, "rtc", 2);
    memory_region_init_io(&rtc->index_io, G_OBJECT(dev), &rtc_ops, rtc, "rtc-index", 1);
    memory_region_add_subregion(&rtc->io, 0, &rtc->index_io);
    isa_register_ioport(isa, &rtc->io, rtc->iobase);
    return true;
}

/* -- Its state in a stream ----------------------------------------------------------- */

/* QEMU has the calendar as we do, and an absolute time for each event that it awaits. */
typedef struct WireRTC {
    uint8_t cmos_data[RTC_CMOS_SIZE], cmos_index;
    int64_t periodic_timer, next_periodic_time, update_timer; /* ns on the clock */
    uint32_t period;                                          /* crystal ticks; 0: off */
    uint64_t base_rtc, last_update;
    int64_t offset;
    uint64_t next_alarm_time;
    uint32_t unused; /* interrupts that QEMU owes its guest */
} WireRTC;

/* The next update of the calendar after register C's flags, or the alarm where nothing
 * but an alarm can change them; -1: nothing can. */
static int64_t next_update(const MC146818RTC *rtc, int64_t alarm)
{
    uint8_t flags = rtc->cmos[RTC_C];

    if ((rtc->cmos[RTC_A] & A_DIVIDER_RESET) == A_DIVIDER_RESET) {
        return -1;
    }
    if (!(flags & B_UPDATE)) {
        return clock_at(rtc, seconds_at(rtc, rtc->flags_clock_ns) + 1);
    }
    return rtc->cmos[RTC_B] & B_SET || flags & B_ALARM ? -1 : alarm;
}

static int64_t next_alarm(const MC146818RTC *rtc)
{
    int64_t second = seconds_at(rtc, rtc->flags_clock_ns);
    int64_t alarm = seconds_to_alarm(rtc, second);

    return clock_at(rtc, second + (alarm ? alarm : SECONDS_PER_DAY));
}

/* Flags that have not interrupted yet are left to the events that raise them. */
static void rtc_to_wire(void *opaque, void *data)
{
    MC146818RTC *rtc = opaque;
    WireRTC *wire = data;
    uint32_t period = rtc->cmos[RTC_B] & B_PERIODIC ? period_ticks(rtc) : 0;

    calendar_to_cmos(rtc);
    memcpy(wire->cmos_data, rtc->cmos, RTC_CMOS_SIZE);
    wire->cmos_index = rtc->index;
    wire->base_rtc = (uint64_t)rtc->base_seconds;
    wire->last_update = (uint64_t)rtc->base_clock_ns;
    wire->offset = rtc->base_fraction_ns;
    wire->next_alarm_time = (uint64_t)next_alarm(rtc);
    wire->update_timer = next_update(rtc, (int64_t)wire->next_alarm_time);
    wire->period = period;
    wire->periodic_timer = -1;
    if (period) {
        wire->next_periodic_time = wire->periodic_timer = clock_ticks_to_ns(
            (uint64_t)(period_start(rtc, period, rtc->flags_clock_ns) + period),
            CRYSTAL_HZ);
    }
}

/* Where flags are to be worked out from: before the first event that came due while the
 * machine was on its way, else now. */
static int64_t flags_from_wire(const WireRTC *wire, int64_t now)
{
    int64_t from = now;

    if (wire->update_timer > 0) {
        from = MIN(from, wire->update_timer - 1);
    }
    if (wire->period && wire->periodic_timer > 0) {
        from = MIN(from, wire->periodic_timer - 1);
    }
    return from;
}

static bool rtc_from_wire(void *opaque, void *data, int version_id, GError **error)
{
    static const int64_t centuries = INT64_C(1) << 62; /* ns */
    MC146818RTC *rtc = opaque;
    const WireRTC *wire = data;
    int64_t now = clock_get_ns(rtc->clock);

    if (wire->base_rtc > (uint64_t)centuries / NANOSECONDS_PER_SECOND ||
        wire->last_update > (uint64_t)centuries || wire->offset > centuries ||
        wire->offset < -centuries) {
        g_set_error_literal(
            error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
            "the real-time clock is centuries away: the stream is broken");
        return false;
    }
    memcpy(rtc->cmos, wire->cmos_data, RTC_CMOS_SIZE);
    rtc->cmos[RTC_A] &= ~A_UPDATE_IN_PROGRESS;
    rtc->cmos[RTC_D] = D_VALID_RAM;
    rtc->index = wire->cmos_index & (RTC_CMOS_SIZE - 1);
    if (version_id <= 2 || rtc->clock == CLOCK_KIND_REALTIME) {
        /* Only what the calendar shows has a meaning here. */
        calendar_from_cmos(rtc, 0);
    } else {
        rtc->base_seconds = (int64_t)wire->base_rtc;
        rtc->base_clock_ns = (int64_t)wire->last_update;
        rtc->base_fraction_ns = wire->offset;
        rtc->flags_clock_ns = flags_from_wire(wire, now);
    }
    rtc->period_base = (int64_t)clock_ns_to_ticks(
        wire->period && wire->next_periodic_time > 0 ? wire->next_periodic_time
                                                     : rtc->flags_clock_ns,
        CRYSTAL_HZ);
    arm(rtc);
    return true;
}

static bool never(void *opaque)
{
    return false;
}

/* Ticks that a lost_tick_policy=slew on QEMU still owes its guest: they stay lost. */
static const VMStateDescription vmstate_rtc_reinject = {
    .name = "mc146818rtc/irq_reinject_on_ack_count",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = never,
    .fields =
        (const VMStateField[]){
            VMSTATE_AS(unused, WireRTC, "irq_reinject_on_ack_count", uint16),
            VMSTATE_END_OF_LIST(),
        },
};

static const VMStateDescription vmstate_rtc = {
    .name = "mc146818rtc",
    .version_id = 3,
    .minimum_version_id = 1,
    .wire_size = sizeof(WireRTC),
    .to_wire = rtc_to_wire,
    .from_wire = rtc_from_wire,
    .fields =
        (const VMStateField[]){
            VMSTATE_BUFFER(cmos_data, WireRTC),
            VMSTATE_UINT8(cmos_index, WireRTC),
            VMSTATE_UNUSED(28), /* the calendar in seven numbers: old versions' */
            VMSTATE_DEADLINE(periodic_timer, WireRTC, "periodic_timer", 0),
            VMSTATE_INT64(next_periodic_time, WireRTC),
            VMSTATE_UNUSED(24), /* old versions' timers */
            VMSTATE_AS_V(unused, WireRTC, "irq_coalesced", uint32, 2),
            VMSTATE_UINT32_V(period, WireRTC, 2),
            VMSTATE_UINT64_V(base_rtc, WireRTC, 3),
            VMSTATE_UINT64_V(last_update, WireRTC, 3),
            VMSTATE_INT64_V(offset, WireRTC, 3),
            VMSTATE_DEADLINE(update_timer, WireRTC, "update_timer", 3),
            VMSTATE_UINT64_V(next_alarm_time, WireRTC, 3),
            VMSTATE_END_OF_LIST(),
        },
    .subsections = (const VMStateDescription *const[]){&vmstate_rtc_reinject, NULL},
};

static const char *const lost_tick_policies[] = {"discard", "delay", "slew", NULL};

static const Property mc146818_rtc_properties[] = {
    PROP_INT32("base_year", MC146818RTC, base_year, 0,
               "year that CMOS year 0 stands for"),
    PROP_UINT32("iobase", MC146818RTC, iobase, 0x70, "first of its two ports"),
    PROP_UINT8("irq", MC146818RTC, isa_irq, 8, "its ISA interrupt"),
    PROP_ENUM("lost_tick_policy", MC146818RTC, lost_tick_policy, 0, lost_tick_policies,
              "what becomes of periodic interrupts that the guest did not take in time"),
    PROP_END,
};

DEVICE_DEFINE_TYPE(MC146818RTC, mc146818_rtc, "mc146818rtc", TYPE_ISA_DEVICE)

static void mc146818_rtc_class_init(DeviceClass *klass)
{
    klass->desc = "MC146818 real-time clock";
    klass->vmsd = &vmstate_rtc;
    klass->realize = mc146818_rtc_realize;
    klass->reset = mc146818_rtc_reset;
    property_install_table(G_OBJECT_CLASS(klass), mc146818_rtc_properties);
}

MC146818RTC *mc146818_rtc_new(ISABus *bus, int base_year, IRQ *irq, GError **error)
{
    Device *dev = device_new(TYPE_MC146818_RTC, error);

    if (!dev) {
        return NULL;
    }
    if (base_year) {
        MC146818_RTC(dev)->base_year = base_year;
    }
    if (!device_realize(dev, BUS(bus), error)) {
        return NULL;
    }
    if (irq) {
        device_connect_gpio_out(dev, 0, irq);
    }
    return MC146818_RTC(dev);
}
