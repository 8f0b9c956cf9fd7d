/*
 * 8254 programmable interval timer (Intel 8254 data sheet, order 231164).
 *
 * Nothing ticks: a counter knows when it started, and what it shows follows from the
 * virtual clock. Only counter 0, whose output interrupts, arms a timer. A count written
 * over a running one takes effect at once in modes 2 and 3, not at the period's end.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/timer/i8254.h"

#include <gio/gio.h>

/* How far a late host catches up with missed changes of the output before dropping them,
 * and the shortest period for which it does: a guest cannot keep the main loop busy. */
#define CATCH_UP_NS (NANOSECONDS_PER_SECOND / 4)
#define SHORTEST_INTERVAL_NS INT64_C(20000)

#define NEVER UINT64_MAX

/* -- A counter as a function of time ------------------------------------------------- */

/* Counters load on the edges of one oscillator that never stops. */
static uint64_t oscillator(int64_t ns)
{
    return clock_ns_to_ticks(ns, I8254_HZ);
}

static uint64_t clocks_counted(const I8254Counter *counter, int64_t now)
{
    return counter->running ? oscillator(now) - counter->start : counter->held;
}

/* Mode 3 with an odd count is high for one clock more than it is low. */
static uint32_t high_half(const I8254Counter *counter)
{
    return (counter->count + 1) / 2;
}

static bool output_after(const I8254Counter *counter, uint64_t clocks)
{
    if (!counter->loaded) {
        return counter->mode != 0;
    }
    switch (counter->mode) {
    case 0:
        return clocks >= counter->count;
    case 1:
        return !counter->running || clocks >= counter->count;
    case 2:
        return !counter->running || clocks % counter->count != counter->count - 1;
    case 3:
        return !counter->running || clocks % counter->count < high_half(counter);
    default: /* 4 and 5: a strobe of one clock */
        return clocks != counter->count;
    }
}

/* The first clock after `clocks` at which the output of a running counter changes. */
static uint64_t next_change(const I8254Counter *counter, uint64_t clocks)
{
    uint64_t phase = clocks % counter->count, period_start = clocks - phase;
    uint32_t fall;

    if (!counter->running) {
        return NEVER;
    }
    switch (counter->mode) {
    case 0:
    case 1:
        return clocks < counter->count ? counter->count : NEVER;
    case 2:
    case 3:
        fall = counter->mode == 2 ? counter->count - 1 : high_half(counter);
        return period_start + (phase < fall ? fall : counter->count);
    default:
        return clocks < counter->count    ? counter->count
               : clocks == counter->count ? clocks + 1
                                          : NEVER;
    }
}

static uint16_t to_bcd(unsigned value)
{
    return (value / 1000 % 10) << 12 | (value / 100 % 10) << 8 | (value / 10 % 10) << 4 |
           value % 10;
}

static unsigned from_bcd(unsigned value)
{
    return (value >> 12 & 15) * 1000 + (value >> 8 & 15) * 100 + (value >> 4 & 15) * 10 +
           (value & 15);
}

static uint16_t value_now(const I8254Counter *counter)
{
    uint64_t clocks = clocks_counted(counter, clock_virtual_ns());
    uint32_t modulus = counter->bcd ? 10000 : 0x10000;
    uint32_t phase, value;

    switch (counter->mode) {
    case 2:
        value = counter->count - clocks % counter->count;
        break;
    case 3: /* counts by two, twice a period */
        phase = clocks % counter->count;
        if (phase >= high_half(counter)) {
            phase -= high_half(counter);
        }
        value = (counter->count & ~1u) - 2 * phase;
        break;
    default: /* runs on below zero */
        value = counter->count % modulus + modulus - clocks % modulus;
        break;
    }
    value %= modulus;
    return counter->bcd ? to_bcd(value) : value;
}

/* -- Counter 0's interrupt ----------------------------------------------------------- */

static void arm(I8254 *pit, int64_t from_ns)
{
    I8254Counter *counter = &pit->counters[0];
    uint64_t change = next_change(counter, clocks_counted(counter, from_ns));

    if (change == NEVER || pit->out_disabled) {
        timer_del(&pit->timer);
        return;
    }

    pit->next_change_ns = clock_ticks_to_ns(counter->start + change, I8254_HZ);
    timer_mod(&pit->timer, pit->next_change_ns);
}

static void set_output(I8254 *pit, int64_t at_ns)
{
    I8254Counter *counter = &pit->counters[0];

    if (!pit->out_disabled) {
        irq_set(pit->out, output_after(counter, clocks_counted(counter, at_ns)));
    }
}

static void timer_expired(void *opaque)
{
    I8254 *pit = opaque;
    int64_t at = pit->next_change_ns, now = clock_virtual_ns();

    set_output(pit, at);
    arm(pit, at);
    if (timer_pending(&pit->timer) && pit->next_change_ns <= now &&
        (now - at > CATCH_UP_NS || pit->next_change_ns - at < SHORTEST_INTERVAL_NS)) {
        /* Whatever was missed makes one interrupt. */
        irq_lower(pit->out);
        set_output(pit, now);
        arm(pit, now + SHORTEST_INTERVAL_NS);
    }
}

static void counter_changed(I8254 *pit, const I8254Counter *counter)
{
    if (counter == &pit->counters[0]) {
        int64_t now = clock_virtual_ns();

        set_output(pit, now);
        arm(pit, now);
    }
}

/* -- Loading, gates, reading --------------------------------------------------------- */

static void restart(I8254Counter *counter)
{
    counter->count = counter->reload;
    counter->held = 0;
    counter->start = oscillator(clock_virtual_ns());
    counter->running = true;
}

static bool is_triggered_by_gate(const I8254Counter *counter)
{
    return counter->mode == 1 || counter->mode == 5;
}

static void load(I8254 *pit, I8254Counter *counter, uint16_t value)
{
    counter->reload = counter->bcd ? from_bcd(value) : value;
    if (counter->reload == 0) {
        counter->reload = counter->bcd ? 10000 : 0x10000;
    }
    counter->loaded = true;
    if (!is_triggered_by_gate(counter)) {
        restart(counter);
        counter->running = counter->gate;
    } else if (!counter->running) {
        counter->count = counter->reload;
    }
    counter_changed(pit, counter);
}

void i8254_set_gate(I8254 *pit, unsigned n, bool gate)
{
    I8254Counter *counter = &pit->counters[n];
    bool was = counter->gate;
    int64_t now = clock_virtual_ns();

    counter->gate = gate;
    if (gate == was || !counter->loaded) {
        return;
    }
    if (!gate) {
        if (!is_triggered_by_gate(counter)) {
            counter->held = clocks_counted(counter, now);
            counter->running = false;
        }
    } else if (counter->mode == 0 || counter->mode == 4) {
        counter->start = oscillator(now) - counter->held;
        counter->running = true;
    } else {
        restart(counter);
    }
    counter_changed(pit, counter);
}

bool i8254_output(const I8254 *pit, unsigned n)
{
    const I8254Counter *counter = &pit->counters[n];

    return output_after(counter, clocks_counted(counter, clock_virtual_ns()));
}

static void latch_count(I8254Counter *counter)
{
    if (!counter->latched) {
        counter->latched_count = value_now(counter);
        counter->latched = counter->access ? counter->access : 1;
    }
}

static void latch_status(I8254 *pit, unsigned n)
{
    I8254Counter *counter = &pit->counters[n];

    if (!counter->status_latched) {
        counter->status = i8254_output(pit, n) << 7 | !counter->loaded << 6 |
                          counter->access << 4 | counter->mode << 1 | counter->bcd;
        counter->status_latched = true;
    }
}

static void write_control(I8254 *pit, uint8_t value)
{
    unsigned n = value >> 6, access = value >> 4 & 3;

    if (n == 3) { /* read-back: bits 5 and 4 low ask for count and status */
        for (unsigned i = 0; i < I8254_COUNTERS; i++) {
            if (!(value & (2 << i))) {
                continue;
            }
            if (!(value & 0x20)) {
                latch_count(&pit->counters[i]);
            }
            if (!(value & 0x10)) {
                latch_status(pit, i);
            }
        }
        return;
    }

    I8254Counter *counter = &pit->counters[n];

    if (access == 0) {
        latch_count(counter);
        return;
    }
    counter->held = clocks_counted(counter, clock_virtual_ns());
    counter->access = access;
    counter->mode = value >> 1 & 7;
    if (counter->mode > 5) {
        counter->mode -= 4; /* x10 and x11: bit 2 is "don't care" */
    }
    counter->bcd = value & 1;
    counter->write_high = counter->read_high = false;
    counter->latched = 0;
    counter->status_latched = false;
    counter->loaded = counter->running = false;
    counter_changed(pit, counter);
}

static void write_count(I8254 *pit, I8254Counter *counter, uint8_t value)
{
    switch (counter->access) {
    case 0:
    case 1:
        load(pit, counter, value);
        break;
    case 2:
        load(pit, counter, value << 8);
        break;
    case 3:
        counter->write_high = !counter->write_high;
        if (!counter->write_high) {
            load(pit, counter, value << 8 | counter->low_byte);
            break;
        }
        counter->low_byte = value;
        if (counter->mode == 0) {
            /* The first byte stops the count and pulls the output low. */
            counter->held = clocks_counted(counter, clock_virtual_ns());
            counter->loaded = counter->running = false;
            counter_changed(pit, counter);
        }
        break;
    }
}

static uint8_t read_count(I8254Counter *counter)
{
    bool high = counter->access == 2;
    uint16_t value;

    if (counter->latched) {
        high = !(counter->latched & 1);
        counter->latched &= high ? 0 : 2;
        value = counter->latched_count;
    } else {
        if (counter->access == 3) {
            high = counter->read_high;
            counter->read_high = !counter->read_high;
        }
        value = value_now(counter);
    }
    return high ? value >> 8 : value;
}

static void i8254_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    I8254 *pit = opaque;

    if (offset == 3) {
        write_control(pit, value);
    } else {
        write_count(pit, &pit->counters[offset], value);
    }
}

static uint64_t i8254_read(void *opaque, hwaddr offset, unsigned size)
{
    I8254 *pit = opaque;

    if (offset == 3) {
        return 0; /* the control word is write-only */
    }

    I8254Counter *counter = &pit->counters[offset];

    if (counter->status_latched) {
        counter->status_latched = false;
        return counter->status;
    }
    return read_count(counter);
}

static const MemoryRegionOps i8254_ops = {
    .read = i8254_read,
    .write = i8254_write,
    .impl = {.min_access_size = 1, .max_access_size = 1},
};

/* -- The device ---------------------------------------------------------------------- */

static void i8254_reset(Device *dev)
{
    I8254 *pit = I8254(dev);

    /* The chip wakes up undefined; a square wave of the longest period, as QEMU
     * has it. */
    for (unsigned i = 0; i < I8254_COUNTERS; i++) {
        pit->counters[i] = (I8254Counter){
            .mode = 3, .gate = i != 2, .count = 0x10000, .reload = 0x10000};
        load(pit, &pit->counters[i], 0);
    }
}

/* The HPET's legacy mode takes IRQ 0 away (level 0) and gives it back (1). */
static void set_out_enabled(void *opaque, int n, int level)
{
    I8254 *pit = opaque;

    pit->out_disabled = !level;
    counter_changed(pit, &pit->counters[0]);
}

static bool i8254_realize(Device *dev, GError **error)
{
    I8254 *pit = I8254(dev);

    device_init_gpio_in(dev, set_out_enabled, 1);
    device_init_gpio_out(dev, &pit->out, 1);
    timer_init(&pit->timer, CLOCK_KIND_VIRTUAL, timer_expired, pit);
    memory_region_init_io(&pit->io, G_OBJECT(dev), &i8254_ops, pit, "pit", 4);
    isa_register_ioport(ISA_DEVICE(dev), &pit->io, pit->iobase);
    i8254_reset(dev);
    return true;
}

/* -- Its state in a stream ----------------------------------------------------------- */

/* QEMU's counters run from the time of their load on whatever their gate says. */
static void counter_to_wire(const I8254Counter *counter, I8254WireChannel *wire)
{
    int64_t now = clock_virtual_ns();
    uint64_t clocks = counter->loaded || counter->mode ? clocks_counted(counter, now) : 0;
    bool waits = counter->loaded && is_triggered_by_gate(counter) && !counter->running;

    if (waits) { /* for its trigger, the output high: as one that has run out */
        clocks = counter->count;
    }
    *wire = (I8254WireChannel){
        .count = (int32_t)counter->count,
        .latched_count = counter->latched_count,
        .count_latched = counter->latched,
        .status_latched = counter->status_latched,
        .status = counter->status,
        .read_state = counter->access == 3 ? 3 + counter->read_high : counter->access,
        .write_state = counter->access == 3 ? 3 + counter->write_high : counter->access,
        .write_latch = counter->low_byte,
        .rw_mode = counter->access,
        .mode = counter->mode,
        .bcd = counter->bcd,
        .gate = counter->gate,
        .count_load_time = clock_ticks_to_ns(oscillator(now) - clocks, I8254_HZ),
    };
}

static void i8254_to_wire(void *opaque, void *data)
{
    const I8254 *pit = opaque;
    I8254Wire *wire = data;

    for (unsigned i = 0; i < I8254_COUNTERS; i++) {
        counter_to_wire(&pit->counters[i], &wire->channels[i]);
    }
    wire->irq_disabled = pit->out_disabled;
    wire->channels[0].next_transition_time =
        timer_pending(&pit->timer) ? pit->next_change_ns : -1;
}

/* KVM's PIT may have begun to count before the guest's time did. */
static bool counter_is_sane(const I8254WireChannel *wire)
{
    return wire->count >= 0 && wire->count <= 0x10000 && wire->mode <= 5 &&
           wire->rw_mode <= 3 && wire->count_latched <= 3 && wire->read_state <= 4 &&
           wire->write_state <= 4 && wire->count_load_time > INT64_MIN / 2;
}

static void counter_from_wire(I8254Counter *counter, const I8254WireChannel *wire)
{
    uint64_t now = oscillator(clock_virtual_ns());

    *counter = (I8254Counter){
        .reload = wire->count ? (uint32_t)wire->count : 0x10000,
        .mode = wire->mode,
        .access = wire->rw_mode,
        .bcd = wire->bcd,
        .gate = wire->gate,
        .loaded = true,
        .start = MIN(oscillator(MAX(wire->count_load_time, 0)), now),
        .low_byte = wire->write_latch,
        .write_high = wire->write_state == 4,
        .read_high = wire->read_state == 4,
        .latched = wire->count_latched,
        .latched_count = wire->latched_count,
        .status_latched = wire->status_latched,
        .status = wire->status,
    };
    counter->count = counter->reload;
    counter->running = counter->gate || is_triggered_by_gate(counter);
    counter->held = now - counter->start;
}

/* Sets no line: the interrupt controllers know how high counter 0's output is. */
static bool i8254_from_wire(void *opaque, void *data, int version_id, GError **error)
{
    I8254 *pit = opaque;
    const I8254Wire *wire = data;
    int64_t now = clock_virtual_ns();
    int64_t due = wire->channels[0].next_transition_time;

    for (unsigned i = 0; i < I8254_COUNTERS; i++) {
        if (!counter_is_sane(&wire->channels[i])) {
            g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                        "no 8254 has a counter as counter %u is: the stream is broken",
                        i);
            return false;
        }
        counter_from_wire(&pit->counters[i], &wire->channels[i]);
    }
    pit->out_disabled = wire->irq_disabled;
    arm(pit, now);
    /* A change that is overdue has not happened yet. */
    if (timer_pending(&pit->timer) && due >= 0 && due < pit->next_change_ns &&
        now - due < CATCH_UP_NS) {
        pit->next_change_ns = due;
        timer_mod(&pit->timer, due);
    }
    return true;
}

static const VMStateDescription vmstate_channel = {
    .name = "pit channel",
    .version_id = 2,
    .minimum_version_id = 2,
    .fields =
        (const VMStateField[]){
            VMSTATE_INT32(count, I8254WireChannel),
            VMSTATE_UINT16(latched_count, I8254WireChannel),
            VMSTATE_UINT8(count_latched, I8254WireChannel),
            VMSTATE_UINT8(status_latched, I8254WireChannel),
            VMSTATE_UINT8(status, I8254WireChannel),
            VMSTATE_UINT8(read_state, I8254WireChannel),
            VMSTATE_UINT8(write_state, I8254WireChannel),
            VMSTATE_UINT8(write_latch, I8254WireChannel),
            VMSTATE_UINT8(rw_mode, I8254WireChannel),
            VMSTATE_UINT8(mode, I8254WireChannel),
            VMSTATE_UINT8(bcd, I8254WireChannel),
            VMSTATE_UINT8(gate, I8254WireChannel),
            VMSTATE_INT64(count_load_time, I8254WireChannel),
            VMSTATE_INT64(next_transition_time, I8254WireChannel),
            VMSTATE_END_OF_LIST(),
        },
};

const VMStateField i8254_wire_fields[] = {
    VMSTATE_AS_V(irq_disabled, I8254Wire, "channels[0].irq_disabled", uint32, 3),
    VMSTATE_STRUCT_ARRAY(channels, I8254Wire, I8254_COUNTERS, 2, vmstate_channel,
                         I8254WireChannel),
    VMSTATE_INT64(channels[0].next_transition_time, I8254Wire),
    VMSTATE_END_OF_LIST(),
};

static const VMStateDescription vmstate_i8254 = {
    .name = "i8254",
    .version_id = 3,
    .minimum_version_id = 2,
    .wire_size = sizeof(I8254Wire),
    .to_wire = i8254_to_wire,
    .from_wire = i8254_from_wire,
    .fields = i8254_wire_fields,
};

static const Property i8254_properties[] = {
    PROP_UINT32("iobase", I8254, iobase, 0x40, "first of its four ports"),
    PROP_END,
};

DEVICE_DEFINE_TYPE(I8254, i8254, "isa-pit", TYPE_ISA_DEVICE)

static void i8254_class_init(DeviceClass *klass)
{
    klass->desc = "8254 programmable interval timer";
    klass->vmsd = &vmstate_i8254;
    klass->realize = i8254_realize;
    klass->reset = i8254_reset;
    property_install_table(G_OBJECT_CLASS(klass), i8254_properties);
}

I8254 *i8254_new(ISABus *bus, IRQ *irq, GError **error)
{
    Device *dev = device_create(TYPE_I8254, BUS(bus), error);

    if (!dev) {
        return NULL;
    }
    device_connect_gpio_out(dev, 0, irq);
    return I8254(dev);
}
