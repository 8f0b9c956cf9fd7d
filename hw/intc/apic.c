/*
 * Local APIC (Intel SDM volume 3, chapter 11; section numbers below are its).
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/intc/apic.h"

#include <string.h>

#define APIC_ADDRESS UINT64_C(0xfee00000)
#define APIC_VERSION 0x00050014u /* an integrated APIC with six LVT entries */

#define LVT_MASKED (1u << 16)
#define LVT_PERIODIC (1u << 17)
#define LVT_WRITABLE 0x000317ffu
#define SVR_ENABLED 0x100u

enum { DELIVERY_FIXED = 0, DELIVERY_LOWEST = 1, DELIVERY_EXTINT = 7 };

/* Register numbers: offset / 16 (table 11-1). */
enum {
    REG_ID = 0x02,
    REG_VERSION = 0x03,
    REG_TPR = 0x08,
    REG_PPR = 0x0a,
    REG_EOI = 0x0b,
    REG_LDR = 0x0d,
    REG_DFR = 0x0e,
    REG_SVR = 0x0f,
    REG_ISR = 0x10,
    REG_TMR = 0x18,
    REG_IRR = 0x20,
    REG_ESR = 0x28,
    REG_ICR_LOW = 0x30,
    REG_ICR_HIGH = 0x31,
    REG_LVT = 0x32,
    REG_INITIAL_COUNT = 0x38,
    REG_CURRENT_COUNT = 0x39,
    REG_DIVIDE = 0x3e,
};

/* The processors' APICs, by index: the bus that connects them. */
static GPtrArray *apics;

/* -- Vectors ------------------------------------------------------------------------------ */

static void set_vector(APICVectors vectors, uint8_t vector, bool value)
{
    uint32_t bit = 1u << (vector & 31);

    vectors[vector >> 5] = value ? vectors[vector >> 5] | bit : vectors[vector >> 5] & ~bit;
}

static bool get_vector(const APICVectors vectors, uint8_t vector)
{
    return vectors[vector >> 5] >> (vector & 31) & 1;
}

static int highest_vector(const APICVectors vectors)
{
    for (int i = 7; i >= 0; i--) {
        if (vectors[i]) {
            return 32 * i + 31 - __builtin_clz(vectors[i]);
        }
    }
    return -1;
}

/* 11.8.3.1: what an interrupt must exceed. */
static unsigned processor_priority(const LocalAPIC *apic)
{
    int in_service = highest_vector(apic->isr);
    unsigned service_class = in_service < 0 ? 0 : (unsigned)in_service & 0xf0;

    return (apic->tpr & 0xf0) >= service_class ? apic->tpr & 0xff : service_class;
}

/* The vector that the processor should take, or -1. */
static int pending_vector(const LocalAPIC *apic)
{
    int vector = apic->svr & SVR_ENABLED ? highest_vector(apic->irr) : -1;

    return vector >= 0 && ((unsigned)vector & 0xf0) > (processor_priority(apic) & 0xf0)
               ? vector
               : -1;
}

/* LINT0 as the 8259A's wire: it passes unless it is masked. */
static bool pic_pending(const LocalAPIC *apic)
{
    return apic->lint0 && !(apic->lvt[LVT_LINT0] & LVT_MASKED) &&
           (apic->lvt[LVT_LINT0] >> 8 & 7) == DELIVERY_EXTINT;
}

static void update(LocalAPIC *apic)
{
    x86_cpu_set_intr(apic->cpu, pending_vector(apic) >= 0 || pic_pending(apic));
}

static void request(LocalAPIC *apic, uint8_t vector, bool level)
{
    if (vector < 16) {
        apic->esr |= 0x40; /* received illegal vector */
        return;
    }
    set_vector(apic->irr, vector, true);
    set_vector(apic->tmr, vector, level);
    update(apic);
}

static int acknowledge(void *opaque)
{
    LocalAPIC *apic = opaque;
    int vector = pending_vector(apic);

    if (vector >= 0) {
        set_vector(apic->irr, (uint8_t)vector, false);
        set_vector(apic->isr, (uint8_t)vector, true);
        update(apic);
        return vector;
    }
    if (pic_pending(apic) && apic->pic_acknowledge) {
        return apic->pic_acknowledge(apic->pic_opaque);
    }
    return (int)(apic->svr & 0xff); /* 11.9: the spurious vector */
}

static void end_of_interrupt(LocalAPIC *apic)
{
    int vector = highest_vector(apic->isr);

    if (vector < 0) {
        return;
    }
    set_vector(apic->isr, (uint8_t)vector, false);
    if (get_vector(apic->tmr, (uint8_t)vector)) {
        ioapic_end_of_interrupt((uint8_t)vector);
    }
    update(apic);
}

/* -- The bus ------------------------------------------------------------------------------ */

/* 11.6.2 */
static bool is_destination(const LocalAPIC *apic, const APICMessage *message)
{
    uint8_t logical_id = (uint8_t)(apic->ldr >> 24);

    if (!message->logical) {
        return message->destination == 0xff || message->destination == apic->id;
    }
    if (apic->dfr >> 28 == 0xf) {
        return message->destination & logical_id;
    }
    return (message->destination & 0xf0) == (logical_id & 0xf0) &&
           (message->destination & logical_id & 0x0f);
}

static bool accept(LocalAPIC *apic, const APICMessage *message)
{
    /* INIT and start-up messages wake other processors, of which there are none. */
    if (message->delivery_mode <= DELIVERY_LOWEST && apic->svr & SVR_ENABLED) {
        request(apic, message->vector, message->level);
        return true;
    }
    return false;
}

void apic_bus_send(const APICMessage *message)
{
    for (guint i = 0; apics && i < apics->len; i++) {
        LocalAPIC *apic = apics->pdata[i];

        if (is_destination(apic, message) && accept(apic, message) &&
            message->delivery_mode == DELIVERY_LOWEST) {
            break;
        }
    }
}

/* 11.6.1: the interrupt command register. */
static void send_command(LocalAPIC *apic)
{
    uint32_t low = apic->icr[0];
    APICMessage message = {
        .destination = (uint8_t)(apic->icr[1] >> 24),
        .logical = low >> 11 & 1,
        .delivery_mode = low >> 8 & 7,
        .vector = (uint8_t)low,
        .level = low >> 15 & 1,
    };
    unsigned shorthand = low >> 18 & 3;

    switch (shorthand) {
    case 0:
        apic_bus_send(&message);
        break;
    case 1:
        accept(apic, &message);
        break;
    default: /* all, with or without this one */
        for (guint i = 0; i < apics->len; i++) {
            if (apics->pdata[i] != apic || shorthand == 2) {
                accept(apics->pdata[i], &message);
            }
        }
        break;
    }
}

/* -- The timer ---------------------------------------------------------------------------- */

/* 11.5.4; the clock that is divided runs at 1 GHz, as QEMU's. */
static unsigned divisor_shift(const LocalAPIC *apic)
{
    unsigned code = (apic->divide & 3) | (apic->divide >> 1 & 4);

    return (code + 1) & 7;
}

static int64_t period_ns(const LocalAPIC *apic)
{
    return (int64_t)apic->initial_count << divisor_shift(apic);
}

static void start_timer(LocalAPIC *apic)
{
    apic->count_start_ns = clock_virtual_ns();
    if (apic->initial_count && !(apic->lvt[LVT_TIMER] & LVT_MASKED)) {
        timer_mod(&apic->timer, apic->count_start_ns + period_ns(apic));
    } else {
        timer_del(&apic->timer);
    }
}

static void timer_expired(void *opaque)
{
    LocalAPIC *apic = opaque;

    if (apic->lvt[LVT_TIMER] & LVT_PERIODIC && apic->initial_count) {
        apic->count_start_ns += period_ns(apic);
        timer_mod(&apic->timer, apic->count_start_ns + period_ns(apic));
    }
    if (!(apic->lvt[LVT_TIMER] & LVT_MASKED)) {
        request(apic, (uint8_t)apic->lvt[LVT_TIMER], false);
    }
}

static uint32_t current_count(const LocalAPIC *apic)
{
    uint64_t elapsed =
        (uint64_t)(clock_virtual_ns() - apic->count_start_ns) >> divisor_shift(apic);

    if (!apic->initial_count) {
        return 0;
    }
    if (apic->lvt[LVT_TIMER] & LVT_PERIODIC) {
        return apic->initial_count - (uint32_t)(elapsed % apic->initial_count);
    }
    return elapsed >= apic->initial_count ? 0 : apic->initial_count - (uint32_t)elapsed;
}

/* -- Registers ---------------------------------------------------------------------------- */

static LocalAPIC *accessed(void)
{
    /* The one processor that the software executes. */
    return apics->pdata[0];
}

static uint64_t apic_read(void *opaque, hwaddr offset, unsigned size)
{
    LocalAPIC *apic = accessed();
    unsigned n = (unsigned)(offset >> 4) & 0xff;

    if (offset > 0xfff) {
        return UINT32_MAX;
    }
    switch (n) {
    case REG_ID:
        return apic->id << 24;
    case REG_VERSION:
        return APIC_VERSION;
    case REG_TPR:
        return apic->tpr;
    case REG_PPR:
        return processor_priority(apic);
    case REG_LDR:
        return apic->ldr;
    case REG_DFR:
        return apic->dfr;
    case REG_SVR:
        return apic->svr;
    case REG_ISR ... REG_ISR + 7:
        return apic->isr[n & 7];
    case REG_TMR ... REG_TMR + 7:
        return apic->tmr[n & 7];
    case REG_IRR ... REG_IRR + 7:
        return apic->irr[n & 7];
    case REG_ESR:
        return apic->esr;
    case REG_ICR_LOW:
    case REG_ICR_HIGH:
        return apic->icr[n - REG_ICR_LOW];
    case REG_LVT ... REG_LVT + LVT_ENTRIES - 1:
        return apic->lvt[n - REG_LVT];
    case REG_INITIAL_COUNT:
        return apic->initial_count;
    case REG_CURRENT_COUNT:
        return current_count(apic);
    case REG_DIVIDE:
        return apic->divide;
    default:
        return 0;
    }
}

static void write_svr(LocalAPIC *apic, uint32_t value)
{
    apic->svr = value & 0x1ff;
    if (!(apic->svr & SVR_ENABLED)) {
        /* 11.4.7.2: a disabled APIC's local entries are masked. */
        for (unsigned i = 0; i < LVT_ENTRIES; i++) {
            apic->lvt[i] |= LVT_MASKED;
        }
    }
}

static void write_lvt(LocalAPIC *apic, unsigned n, uint32_t value)
{
    apic->lvt[n] = value & (n == LVT_TIMER ? LVT_WRITABLE | LVT_PERIODIC : LVT_WRITABLE | 0xa000);
    if (!(apic->svr & SVR_ENABLED)) {
        apic->lvt[n] |= LVT_MASKED;
    }
    if (n == LVT_TIMER && apic->initial_count) {
        start_timer(apic);
    }
}

/* 11.11: a write beyond the registers, or to the reserved first one, is a message. */
static void write_message(hwaddr offset, uint32_t value)
{
    APICMessage message = {
        .destination = (uint8_t)(offset >> 12),
        .logical = offset >> 2 & 1,
        .delivery_mode = value >> 8 & 7,
        .vector = (uint8_t)value,
        .level = value >> 15 & 1,
    };

    apic_bus_send(&message);
}

static void apic_write(void *opaque, hwaddr offset, uint64_t wide, unsigned size)
{
    LocalAPIC *apic = accessed();
    unsigned n = (unsigned)(offset >> 4) & 0xff;
    uint32_t value = (uint32_t)wide;

    if (offset > 0xfff || n == 0) {
        write_message(offset, value);
        return;
    }
    switch (n) {
    case REG_ID:
        apic->id = value >> 24;
        break;
    case REG_TPR:
        apic->tpr = value & 0xff;
        break;
    case REG_EOI:
        end_of_interrupt(apic);
        break;
    case REG_LDR:
        apic->ldr = value & 0xff000000;
        break;
    case REG_DFR:
        apic->dfr = value | 0x0fffffff;
        break;
    case REG_SVR:
        write_svr(apic, value);
        break;
    case REG_ESR:
        apic->esr = 0;
        break;
    case REG_ICR_LOW:
        apic->icr[0] = value & ~(1u << 12); /* sent at once: never pending */
        send_command(apic);
        break;
    case REG_ICR_HIGH:
        apic->icr[1] = value;
        break;
    case REG_LVT ... REG_LVT + LVT_ENTRIES - 1:
        write_lvt(apic, n - REG_LVT, value);
        break;
    case REG_INITIAL_COUNT:
        apic->initial_count = value;
        start_timer(apic);
        break;
    case REG_DIVIDE:
        apic->divide = value & 0xb;
        break;
    }
    update(apic);
}

static const MemoryRegionOps apic_ops = {
    .read = apic_read,
    .write = apic_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = {.min_access_size = 1, .max_access_size = 4},
    .impl = {.min_access_size = 4, .max_access_size = 4},
};

/* -- The device --------------------------------------------------------------------------- */

static void lint0_pin(void *opaque, int n, int level)
{
    LocalAPIC *apic = opaque;

    apic->lint0 = level;
    update(apic);
}

static bool apic_realize(Device *dev, GError **error)
{
    LocalAPIC *apic = LOCAL_APIC(dev);

    timer_init(&apic->timer, CLOCK_KIND_VIRTUAL, timer_expired, apic);
    device_init_gpio_in(dev, lint0_pin, 1);
    return true;
}

static void apic_reset(Device *dev)
{
    LocalAPIC *apic = LOCAL_APIC(dev);

    timer_del(&apic->timer);
    apic->id = apic->cpu->index;
    apic->tpr = apic->ldr = apic->esr = 0;
    apic->dfr = UINT32_MAX;
    apic->svr = 0xff;
    memset(apic->icr, 0, sizeof(apic->icr));
    memset(apic->isr, 0, sizeof(apic->isr));
    memset(apic->tmr, 0, sizeof(apic->tmr));
    memset(apic->irr, 0, sizeof(apic->irr));
    for (unsigned i = 0; i < LVT_ENTRIES; i++) {
        apic->lvt[i] = LVT_MASKED;
    }
    apic->initial_count = apic->divide = 0;
    x86_cpu_set_intr(apic->cpu, false);
}

DEVICE_DEFINE_TYPE(LocalAPIC, local_apic, "apic", TYPE_DEVICE)

static void local_apic_class_init(DeviceClass *klass)
{
    klass->desc = "local APIC";
    klass->realize = apic_realize;
    klass->reset = apic_reset;
}

LocalAPIC *local_apic_new(X86CPU *cpu, MemoryRegion *memory, GError **error)
{
    Device *dev = device_new(TYPE_LOCAL_APIC, error);
    LocalAPIC *apic;

    if (!dev) {
        return NULL;
    }
    apic = LOCAL_APIC(dev);
    apic->cpu = cpu;
    device_set_name(dev, DEVICE(cpu), "lapic");
    if (!device_realize(dev, NULL, error)) {
        return NULL;
    }
    if (!apics) {
        apics = g_ptr_array_new();
    }
    if (!apics->len) {
        memory_region_init_io(&apic->io, G_OBJECT(dev), &apic_ops, apic, "apic-msi", MiB(1));
        /* Above whatever the board has there: the page is inside the processor. */
        memory_region_add_subregion_overlap(memory, APIC_ADDRESS, &apic->io, 0x1000);
    }
    g_ptr_array_add(apics, apic);
    cpu->acknowledge = acknowledge;
    cpu->acknowledge_opaque = apic;
    return apic;
}

void local_apic_set_pic(LocalAPIC *apic, int (*pic_acknowledge)(void *opaque), void *opaque)
{
    apic->pic_acknowledge = pic_acknowledge;
    apic->pic_opaque = opaque;
}
