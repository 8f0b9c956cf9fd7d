/*
 * HPET. Section numbers are those of the IA-PC HPET specification 1.0a.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/timer/hpet.h"

#include <gio/gio.h>
#include <string.h>

#include "hw/core/vmstate.h"
#include "memory/access.h"

/* 2.3.1: the register map. */
enum {
    REG_CAPABILITIES = 0x000,
    REG_CONFIG = 0x010,
    REG_STATUS = 0x020,
    REG_COUNTER = 0x0f0,
    REG_TIMERS = 0x100,
    TIMER_SIZE = 0x20,
    TIMER_CONFIG = 0x00,
    TIMER_COMPARATOR = 0x08,
    TIMER_MESSAGE = 0x10,
};

#define TICK_NS 10
#define FEMTOSECONDS_PER_TICK (TICK_NS * UINT64_C(1000000))

#define CAPABILITIES_LEGACY (UINT64_C(1) << 15)
#define CAPABILITIES_64BIT (UINT64_C(1) << 13)
#define VENDOR_AND_REVISION (UINT64_C(0x8086) << 16 | 0x01)

#define CONFIG_ENABLE 1u
#define CONFIG_LEGACY 2u

/* 2.3.8 */
#define TIMER_LEVEL (1u << 1)
#define TIMER_ENABLE (1u << 2)
#define TIMER_PERIODIC (1u << 3)
#define TIMER_PERIODIC_CAPABLE (1u << 4)
#define TIMER_64BIT_CAPABLE (1u << 5)
#define TIMER_SET_VALUE (1u << 6)
#define TIMER_32BIT (1u << 8)
#define TIMER_ROUTE(config) ((unsigned)((config) >> 9 & 0x1f))
#define TIMER_FSB (1u << 14)
#define TIMER_FSB_CAPABLE (1u << 15)
#define TIMER_WRITABLE 0x3f0eu

/* No timer asks for the main loop more often; ticks are lost instead. */
#define SHORTEST_PERIOD_NS 1000
/* How far ahead a host timer is set: further matches are looked at again then. */
#define FURTHEST_TICKS (UINT64_C(3600) * NANOSECONDS_PER_SECOND / TICK_NS)

enum { LINE_PIT = 0, LINE_RTC = 8 };

/* -- The counter (2.3.7) --------------------------------------------------------- */

static bool is_running(const HPET *hpet)
{
    return hpet->config & CONFIG_ENABLE;
}

static uint64_t counter_at(const HPET *hpet, int64_t ns)
{
    return hpet->counter +
           (is_running(hpet) ? (uint64_t)(ns - hpet->counter_start_ns) / TICK_NS : 0);
}

static uint64_t counter_now(const HPET *hpet)
{
    return counter_at(hpet, clock_virtual_ns());
}

/* -- Interrupts (2.3.6, 2.3.8, 2.4.2) -------------------------------------------- */

static bool replaces_legacy(const HPET *hpet)
{
    return hpet->config & CONFIG_LEGACY;
}

static bool sends_messages(const HPETTimer *timer)
{
    return timer->hpet->msi && timer->config & TIMER_FSB;
}

static IRQ *line_of(const HPETTimer *timer)
{
    static const uint8_t legacy[2] = {LINE_PIT, LINE_RTC};
    unsigned n = TIMER_ROUTE(timer->config);

    if (replaces_legacy(timer->hpet) && timer->index < G_N_ELEMENTS(legacy)) {
        n = legacy[timer->index];
    }
    return n < HPET_LINES ? &timer->hpet->lines[n] : NULL;
}

static void set_status(HPETTimer *timer, bool set)
{
    uint64_t bit = UINT64_C(1) << timer->index;
    uint64_t *status = &timer->hpet->status;

    *status = set ? *status | bit : *status & ~bit;
}

static void interrupt(HPETTimer *timer)
{
    if (!(timer->config & TIMER_ENABLE)) {
        return;
    }
    if (sends_messages(timer)) {
        address_space_stl_le(timer->hpet->memory, timer->message >> 32,
                             (uint32_t)timer->message, MEMTXATTRS_UNSPECIFIED, NULL);
    } else if (timer->config & TIMER_LEVEL) {
        set_status(timer, true);
        irq_raise(line_of(timer));
    } else {
        irq_pulse(line_of(timer));
    }
}

/* Takes a level away that the timer holds: acknowledged, disabled or routed elsewhere. */
static void withdraw(HPETTimer *timer)
{
    if (timer->hpet->status >> timer->index & 1) {
        set_status(timer, false);
        irq_lower(line_of(timer));
    }
}

/* -- Timers (2.3.9) -------------------------------------------------------------- */

static uint64_t width_mask(const HPETTimer *timer)
{
    return timer->config & TIMER_32BIT ? UINT32_MAX : UINT64_MAX;
}

/* A match is equality, so a comparator that the counter has passed waits for the wrap. */
static uint64_t ticks_to_match(const HPETTimer *timer, uint64_t counter)
{
    return (timer->comparator - counter) & width_mask(timer);
}

/* Arms the timer for its next match after `counter` at ns. */
static void arm(HPETTimer *timer, int64_t ns)
{
    HPET *hpet = timer->hpet;
    uint64_t ticks;

    if (!is_running(hpet)) {
        timer_del(&timer->timer);
        return;
    }
    ticks = MIN(ticks_to_match(timer, counter_at(hpet, ns)), FURTHEST_TICKS);
    /* The instant that the counter takes the value, not somewhere within the tick. */
    ns -= (ns - hpet->counter_start_ns) % TICK_NS;
    timer_mod(&timer->timer, ns + (int64_t)ticks * TICK_NS);
}

static void rearm(HPETTimer *timer)
{
    arm(timer, clock_virtual_ns());
}

/* The match may lie behind already: the main loop was busy. */
static void expired(void *opaque)
{
    HPETTimer *timer = opaque;
    int64_t now = clock_virtual_ns();
    uint64_t mask = width_mask(timer);
    uint64_t late = (counter_at(timer->hpet, now) - timer->comparator) & mask;

    if (late > mask / 2) { /* woken on the way to a match far ahead */
        rearm(timer);
        return;
    }
    interrupt(timer);
    if (timer->config & TIMER_PERIODIC) {
        uint64_t period = timer->period & mask;
        uint64_t least = SHORTEST_PERIOD_NS / TICK_NS;

        if (period) {
            late += period < least ? least : 0;
            timer->comparator = (timer->comparator + (late / period + 1) * period) & mask;
            rearm(timer);
        }
    } else {
        arm(timer, now + TICK_NS); /* once more after the counter has wrapped */
    }
}

/* -- Registers ------------------------------------------------------------------- */

static uint64_t capabilities(const HPET *hpet)
{
    return FEMTOSECONDS_PER_TICK << 32 | VENDOR_AND_REVISION | CAPABILITIES_LEGACY |
           CAPABILITIES_64BIT | (uint64_t)(hpet->timer_count - 1) << 8;
}

static uint64_t timer_config(const HPETTimer *timer)
{
    return (uint64_t)timer->hpet->routes << 32 | timer->config | TIMER_PERIODIC_CAPABLE |
           TIMER_64BIT_CAPABLE | (timer->hpet->msi ? TIMER_FSB_CAPABLE : 0);
}

static uint64_t read_register(const HPET *hpet, hwaddr offset)
{
    const HPETTimer *timer =
        &hpet->timers[(offset - REG_TIMERS) / TIMER_SIZE % HPET_TIMERS_MAX];

    switch (offset) {
    case REG_CAPABILITIES:
        return capabilities(hpet);
    case REG_CONFIG:
        return hpet->config;
    case REG_STATUS:
        return hpet->status;
    case REG_COUNTER:
        return counter_now(hpet);
    }
    if (offset < REG_TIMERS || timer->index >= hpet->timer_count) {
        return 0;
    }
    switch (offset % TIMER_SIZE) {
    case TIMER_CONFIG:
        return timer_config(timer);
    case TIMER_COMPARATOR:
        return timer->comparator;
    case TIMER_MESSAGE:
        return timer->message;
    default:
        return 0;
    }
}

static void write_config(HPET *hpet, uint64_t value)
{
    uint64_t changed = (hpet->config ^ value) & (CONFIG_ENABLE | CONFIG_LEGACY);

    if (changed & CONFIG_LEGACY) {
        for (unsigned i = 0; i < 2 && i < hpet->timer_count; i++) {
            withdraw(&hpet->timers[i]);
        }
    }
    if (changed & CONFIG_ENABLE) {
        hpet->counter = counter_now(hpet);
        hpet->counter_start_ns = clock_virtual_ns();
    }
    hpet->config ^= changed;
    if (changed & CONFIG_LEGACY) {
        irq_set(hpet->pit_enable, !replaces_legacy(hpet));
        irq_set(&hpet->lines[LINE_RTC],
                !replaces_legacy(hpet) && hpet->inputs[HPET_INPUT_RTC]);
        if (replaces_legacy(hpet)) {
            irq_lower(&hpet->lines[LINE_PIT]);
        }
    }
    for (unsigned i = 0; changed & CONFIG_ENABLE && i < hpet->timer_count; i++) {
        rearm(&hpet->timers[i]);
    }
}

/* 2.3.6: ones clear the levels. */
static void write_status(HPET *hpet, uint64_t value)
{
    for (unsigned i = 0; i < hpet->timer_count; i++) {
        if (value >> i & 1) {
            withdraw(&hpet->timers[i]);
        }
    }
}

static void write_counter(HPET *hpet, uint64_t value)
{
    if (is_running(hpet)) { /* 2.3.7: only while it stands */
        return;
    }
    hpet->counter = value;
}

static void write_timer_config(HPETTimer *timer, uint64_t value)
{
    uint64_t config =
        value & (TIMER_WRITABLE | TIMER_SET_VALUE | (timer->hpet->msi ? TIMER_FSB : 0));

    if ((config ^ timer->config) & ~(uint64_t)TIMER_SET_VALUE) {
        withdraw(timer);
    }
    timer->config = config;
    timer->comparator &= width_mask(timer);
    timer->period &= width_mask(timer);
    rearm(timer);
}

/* 2.3.9.2.2: in periodic mode a write sets the period, and the comparator itself only the
 * first time after the "value set" bit. Both halves belong to one write of 64 bits, which
 * keeps the bit up until its upper half. */
static void write_comparator(HPETTimer *timer, uint64_t value, uint64_t written)
{
    uint64_t mask = width_mask(timer);
    bool periodic = timer->config & TIMER_PERIODIC;

    if (!periodic || timer->config & TIMER_SET_VALUE) {
        timer->comparator = ((timer->comparator & ~written) | (value & written)) & mask;
    }
    if (periodic) {
        timer->period = ((timer->period & ~written) | (value & written)) & mask;
    }
    if (written >> 32 || timer->config & TIMER_32BIT) {
        timer->config &= ~(uint64_t)TIMER_SET_VALUE;
    }
    rearm(timer);
}

static void write_timer(HPETTimer *timer, hwaddr offset, uint64_t value, uint64_t written)
{
    switch (offset % TIMER_SIZE) {
    case TIMER_CONFIG:
        write_timer_config(timer, (timer->config & ~written) | (value & written));
        break;
    case TIMER_COMPARATOR:
        write_comparator(timer, value, written);
        break;
    case TIMER_MESSAGE:
        timer->message = (timer->message & ~written) | (value & written);
        break;
    }
}

/* `written`: which bits of the 64 the access has. */
static void write_register(HPET *hpet, hwaddr offset, uint64_t value, uint64_t written)
{
    unsigned n = (unsigned)((offset - REG_TIMERS) / TIMER_SIZE);

    switch (offset) {
    case REG_CONFIG:
        write_config(hpet, (hpet->config & ~written) | (value & written));
        break;
    case REG_STATUS:
        write_status(hpet, value & written);
        break;
    case REG_COUNTER:
        write_counter(hpet, (hpet->counter & ~written) | (value & written));
        break;
    default:
        if (offset >= REG_TIMERS && n < hpet->timer_count) {
            write_timer(&hpet->timers[n], offset, value, written);
        }
        break;
    }
}

/* 2.3.2: registers are 64 bits; software uses whole ones or their halves. */
static uint64_t hpet_read(void *opaque, hwaddr offset, unsigned size)
{
    return read_register(opaque, offset & ~(hwaddr)7) >> (offset & 4) * 8;
}

static void hpet_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    unsigned shift = (unsigned)(offset & 4) * 8;

    write_register(opaque, offset & ~(hwaddr)7, value << shift,
                   (uint64_t)UINT32_MAX << shift);
}

static const MemoryRegionOps hpet_ops = {
    .read = hpet_read,
    .write = hpet_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = {.min_access_size = 4, .max_access_size = 8},
    .impl = {.min_access_size = 4, .max_access_size = 4},
};

/* -- The device ------------------------------------------------------------------ */

static void set_input(void *opaque, int n, int level)
{
    static const uint8_t lines[HPET_INPUTS] = {LINE_PIT, LINE_RTC};
    HPET *hpet = opaque;

    hpet->inputs[n] = level;
    if (!replaces_legacy(hpet)) {
        irq_set(&hpet->lines[lines[n]], level);
    }
}

static void hpet_reset(Device *dev)
{
    HPET *hpet = HPET(dev);

    for (unsigned i = 0; i < hpet->timer_count; i++) {
        HPETTimer *timer = &hpet->timers[i];

        withdraw(timer);
        timer_del(&timer->timer);
        timer->config = timer->period = timer->message = 0;
        timer->comparator = UINT64_MAX;
    }
    hpet->config = hpet->status = hpet->counter = 0;
    memset(hpet->inputs, 0, sizeof(hpet->inputs));
    irq_raise(hpet->pit_enable);
}

static bool hpet_realize(Device *dev, GError **error)
{
    HPET *hpet = HPET(dev);

    /* 2.3.4: at least three, and 32 fit the registers. */
    hpet->timer_count = CLAMP(hpet->timer_count, 3, HPET_TIMERS_MAX);
    for (unsigned i = 0; i < HPET_TIMERS_MAX; i++) {
        HPETTimer *timer = &hpet->timers[i];

        timer->hpet = hpet;
        timer->index = i;
        timer_init(&timer->timer, CLOCK_KIND_VIRTUAL, expired, timer);
    }
    device_init_gpio_in(dev, set_input, HPET_INPUTS);
    device_init_gpio_out(dev, &hpet->pit_enable, 1);
    memory_region_init_io(&hpet->io, G_OBJECT(dev), &hpet_ops, hpet, "hpet", 0x400);
    return true;
}

/* -- Its state in a stream ------------------------------------------------------- */

typedef struct WireTimer {
    uint8_t tn;
    uint64_t config, cmp, fsb, period;
    int64_t due; /* virtual ns; -1: not pending */
} WireTimer;

typedef struct WireHPET {
    uint64_t config, isr, hpet_counter;
    uint8_t num_timers;
    WireTimer timer[HPET_TIMERS_MAX];
    uint8_t rtc_irq_level;
    bool offset_saved;
    uint64_t hpet_offset; /* ns that the counter is ahead of the virtual clock */
} WireHPET;

/* When the comparator matches, were the clock to go on for long enough. */
static int64_t match_ns(const HPETTimer *timer, int64_t now)
{
    const HPET *hpet = timer->hpet;
    uint64_t ticks;

    if (!is_running(hpet) || !timer_pending(&timer->timer)) {
        return -1;
    }
    if (timer->timer.expires <= now) {
        return timer->timer.expires;
    }
    ticks = ticks_to_match(timer, counter_at(hpet, now));
    return ticks > (uint64_t)(INT64_MAX - now) / TICK_NS ? INT64_MAX
                                                         : now + (int64_t)ticks * TICK_NS;
}

static void hpet_to_wire(void *opaque, void *data)
{
    const HPET *hpet = opaque;
    WireHPET *wire = data;
    int64_t now = clock_virtual_ns();

    wire->config = hpet->config;
    wire->isr = hpet->status;
    wire->hpet_counter = counter_at(hpet, now);
    wire->num_timers = hpet->timer_count;
    wire->rtc_irq_level = hpet->inputs[HPET_INPUT_RTC];
    wire->offset_saved = hpet->offset_saved;
    wire->hpet_offset = hpet->counter * TICK_NS - (uint64_t)hpet->counter_start_ns;
    for (unsigned i = 0; i < hpet->timer_count; i++) {
        const HPETTimer *timer = &hpet->timers[i];

        wire->timer[i] = (WireTimer){
            .tn = (uint8_t)i,
            .config = timer_config(timer),
            .cmp = timer->comparator,
            .fsb = timer->message,
            .period = timer->period,
            .due = match_ns(timer, now),
        };
    }
}

/* Starts the counter where it stood, in the phase of its last tick where that
 * is known. */
static void counter_from_wire(HPET *hpet, const WireHPET *wire, int64_t now)
{
    uint64_t phase = wire->hpet_offset + (uint64_t)now - wire->hpet_counter * TICK_NS;

    hpet->counter = wire->hpet_counter;
    hpet->counter_start_ns = phase < TICK_NS ? now - (int64_t)phase : now;
}

static bool hpet_from_wire(void *opaque, void *data, int version_id, GError **error)
{
    HPET *hpet = opaque;
    const WireHPET *wire = data;
    int64_t now = clock_virtual_ns();

    if (wire->num_timers < 3 || wire->num_timers > HPET_TIMERS_MAX) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                    "an HPET has 3 to %d timers, not %u", HPET_TIMERS_MAX,
                    wire->num_timers);
        return false;
    }
    hpet->timer_count = wire->num_timers;
    hpet->config = wire->config & (CONFIG_ENABLE | CONFIG_LEGACY);
    hpet->status = wire->isr;
    hpet->inputs[HPET_INPUT_RTC] = wire->rtc_irq_level;
    counter_from_wire(hpet, wire, now);
    for (unsigned i = 0; i < hpet->timer_count; i++) {
        const WireTimer *from = &wire->timer[i];
        HPETTimer *timer = &hpet->timers[i];

        timer->config = from->config & (TIMER_WRITABLE | TIMER_SET_VALUE | TIMER_FSB);
        timer->comparator = from->cmp & width_mask(timer);
        timer->period = from->period & width_mask(timer);
        timer->message = from->fsb;
        arm(timer, now);
        if (is_running(hpet) && from->due >= 0 && from->due <= now) {
            timer_mod(&timer->timer, now); /* it was due and had not been served */
        }
    }
    return true;
}

static const VMStateDescription vmstate_hpet_timer = {
    .name = "hpet_timer",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields =
        (const VMStateField[]){
            VMSTATE_UINT8(tn, WireTimer),
            VMSTATE_UINT64(config, WireTimer),
            VMSTATE_UINT64(cmp, WireTimer),
            VMSTATE_UINT64(fsb, WireTimer),
            VMSTATE_UINT64(period, WireTimer),
            VMSTATE_CONSTANT("wrap_flag", uint8, 0), /* worked out from the comparator */
            VMSTATE_DEADLINE(due, WireTimer, "qemu_timer", 0),
            VMSTATE_END_OF_LIST(),
        },
};

static bool has_rtc_level(void *opaque)
{
    return ((WireHPET *)opaque)->rtc_irq_level;
}

static const VMStateDescription vmstate_hpet_rtc_irq_level = {
    .name = "hpet/rtc_irq_level",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = has_rtc_level,
    .fields =
        (const VMStateField[]){
            VMSTATE_UINT8(rtc_irq_level, WireHPET),
            VMSTATE_END_OF_LIST(),
        },
};

static bool has_offset(void *opaque)
{
    const WireHPET *wire = opaque;

    return wire->config & CONFIG_ENABLE && wire->offset_saved;
}

static const VMStateDescription vmstate_hpet_offset = {
    .name = "hpet/offset",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = has_offset,
    .fields =
        (const VMStateField[]){
            VMSTATE_UINT64(hpet_offset, WireHPET),
            VMSTATE_END_OF_LIST(),
        },
};

/* What is in a subsection has this value without it. */
static void hpet_pre_load(void *opaque)
{
    ((HPET *)opaque)->inputs[HPET_INPUT_RTC] = false;
}

static const VMStateDescription vmstate_hpet = {
    .name = "hpet",
    .version_id = 2,
    .minimum_version_id = 1,
    .pre_load = hpet_pre_load,
    .wire_size = sizeof(WireHPET),
    .to_wire = hpet_to_wire,
    .from_wire = hpet_from_wire,
    .fields =
        (const VMStateField[]){
            VMSTATE_UINT64(config, WireHPET),
            VMSTATE_UINT64(isr, WireHPET),
            VMSTATE_UINT64(hpet_counter, WireHPET),
            VMSTATE_UINT8_V(num_timers, WireHPET, 2),
            VMSTATE_STRUCT_VARRAY_UINT8(timer, WireHPET, num_timers, 0,
                                        vmstate_hpet_timer, WireTimer),
            VMSTATE_END_OF_LIST(),
        },
    .subsections = (const VMStateDescription *const[]){&vmstate_hpet_rtc_irq_level,
                                                       &vmstate_hpet_offset, NULL},
};

static const Property hpet_properties[] = {
    PROP_UINT8("timers", HPET, timer_count, 3, "comparators, 3 to 32"),
    PROP_BOOL("msi", HPET, msi, false, "timers can interrupt by messages"),
    PROP_BOOL("hpet-offset-saved", HPET, offset_saved, true,
              "the counter's phase goes into the migration stream"),
    PROP_UINT32("hpet-intcap", HPET, routes, 4,
                "interrupt lines to choose from, as a set"),
    PROP_END,
};

DEVICE_DEFINE_TYPE(HPET, hpet, "hpet", TYPE_DEVICE)

static void hpet_class_init(DeviceClass *klass)
{
    klass->desc = "high precision event timer";
    klass->vmsd = &vmstate_hpet;
    klass->realize = hpet_realize;
    klass->reset = hpet_reset;
    property_install_table(G_OBJECT_CLASS(klass), hpet_properties);
}

HPET *hpet_new(AddressSpace *memory, IRQ *lines, GError **error)
{
    Device *dev = device_create(TYPE_HPET, NULL, error);
    HPET *hpet;

    if (!dev) {
        return NULL;
    }
    hpet = HPET(dev);
    hpet->memory = memory;
    hpet->lines = lines;
    memory_region_add_subregion(memory->root, HPET_ADDRESS, &hpet->io);
    return hpet;
}
