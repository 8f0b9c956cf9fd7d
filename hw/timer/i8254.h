/*
 * 8254 programmable interval timer of the PC: three counters at 1.193182 MHz.
 *
 * Counter 0 drives an IRQ, counter 2 the speaker; the gates of 0 and 1 are tied high.
 * Machine lock for all of it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_TIMER_I8254_H
#define HW_TIMER_I8254_H

#include "hw/core/clock.h"
#include "hw/core/vmstate.h"
#include "hw/isa/isa-bus.h"

#define I8254_HZ 1193182
#define I8254_COUNTERS 3

typedef struct I8254Counter {
    uint32_t reload; /* the count register, 1..0x10000 (0 stands for the greatest) */
    uint32_t count;  /* what the counter counts down from: reload, once taken over */
    uint8_t mode;    /* 0-5 */
    uint8_t access;  /* 1: low byte, 2: high byte, 3: low, then high; 0: as 1 */
    bool bcd;
    bool gate;
    bool loaded;    /* a count has been written since the mode */
    bool running;   /* it counts: gated on, and triggered in modes 1 and 5 */
    uint64_t start; /* clocks of the virtual time when the running counter held `count` */
    uint64_t held;  /* clocks counted when it was stopped by its gate */
    uint8_t low_byte;           /* of a two-byte load */
    bool write_high, read_high; /* the second byte of two is next */
    uint8_t latched;            /* what of latched_count is still to be read; as access */
    uint16_t latched_count;
    bool status_latched;
    uint8_t status;
} I8254Counter;

typedef struct I8254 I8254;

struct I8254 {
    ISADevice parent;
    uint32_t iobase;
    MemoryRegion io;
    I8254Counter counters[I8254_COUNTERS];
    IRQ *out;          /* counter 0's output */
    bool out_disabled; /* the HPET has taken IRQ 0 over */
    Timer timer;       /* counter 0's next change of output */
    int64_t next_change_ns;
};

/* What a migration stream has of the timer, our own or KVM's: QEMU's fields. */
typedef struct I8254WireChannel {
    int32_t count; /* 1..0x10000 */
    uint16_t latched_count;
    uint8_t count_latched, status_latched, status;
    uint8_t read_state, write_state; /* 1, 2: as access; 3, 4: low, high byte of two */
    uint8_t write_latch, rw_mode, mode, bcd, gate;
    int64_t count_load_time;      /* virtual ns */
    int64_t next_transition_time; /* -1: none */
} I8254WireChannel;

typedef struct I8254Wire {
    uint32_t irq_disabled;
    I8254WireChannel channels[I8254_COUNTERS];
} I8254Wire;

/* The fields of section "i8254", version 3. */
extern const VMStateField i8254_wire_fields[];

GType i8254_get_type(void);
#define TYPE_I8254 (i8254_get_type())
#define I8254(object) (G_TYPE_CHECK_INSTANCE_CAST((object), TYPE_I8254, struct I8254))

/* A PIT at 0x40 whose counter 0 drives `irq` (may be NULL). */
I8254 *i8254_new(ISABus *bus, IRQ *irq, GError **error);

/* The level of a counter's OUT pin now, and of its GATE pin. */
bool i8254_output(const I8254 *pit, unsigned counter);
void i8254_set_gate(I8254 *pit, unsigned counter, bool gate);

#endif
