/*
 * Local APIC: Intel SDM volume 3, chapter 11, whose section numbers are used here.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/intc/apic.h"

#include <string.h>

#include "hw/intc/apic-wire.h"

/* Registers: offset / 16 (table 11-1). */
enum {
    REG_ID = 0x02,
    REG_VERSION = 0x03,
    REG_TPR = 0x08,
    REG_APR = 0x09,
    REG_PPR = 0x0a,
    REG_EOI = 0x0b,
    REG_REMOTE_READ = 0x0c,
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

#define BASE_BOOTSTRAP (UINT64_C(1) << 8)
#define BASE_ENABLE (UINT64_C(1) << 11)
#define BASE_ADDRESS UINT64_C(0xffffff000)

#define SVR_ENABLE 0x100u
#define SVR_WRITABLE 0x3ffu /* no suppression of EOI broadcasts in this version */
#define SVR_RESET 0xffu

#define LVT_VECTOR 0xffu
#define LVT_DELIVERY(entry) ((APICDelivery)((entry) >> 8 & 7))
#define LVT_REMOTE_IRR (1u << 14)
#define LVT_LEVEL (1u << 15)
#define LVT_MASKED (1u << 16)
#define LVT_PERIODIC (1u << 17)

/* 11.5.1, figure 11-8: what software may write. */
static const uint32_t lvt_writable[APIC_LVTS] = {
    [APIC_LVT_TIMER] = 0x300ff,       [APIC_LVT_THERMAL] = 0x107ff,
    [APIC_LVT_PERFORMANCE] = 0x107ff, [APIC_LVT_LINT0] = 0x1a7ff,
    [APIC_LVT_LINT1] = 0x1a7ff,       [APIC_LVT_ERROR] = 0x100ff,
};

#define ESR_SEND_ILLEGAL_VECTOR 0x20u
#define ESR_RECEIVED_ILLEGAL_VECTOR 0x40u
#define ESR_ILLEGAL_REGISTER 0x80u

#define ICR_WRITABLE 0xccfffu
#define FIRST_VECTOR 16
#define NO_VECTOR (-1)

/* The bus clock that the timer counts: QEMU's 1 GHz, so that a tick is a nanosecond. */
#define TICK_NS 1
/* No periodic timer asks for the main loop more often; it loses ticks instead. */
#define SHORTEST_PERIOD_NS 1000

/* -- Sets of vectors ------------------------------------------------------------- */

static void set_bit(uint32_t set[8], uint8_t vector, bool value)
{
    uint32_t bit = UINT32_C(1) << vector % 32;

    set[vector / 32] = value ? set[vector / 32] | bit : set[vector / 32] & ~bit;
}

static bool get_bit(const uint32_t set[8], uint8_t vector)
{
    return set[vector / 32] >> vector % 32 & 1;
}

static int highest(const uint32_t set[8])
{
    for (int i = 7; i >= 0; i--) {
        if (set[i]) {
            return i * 32 + 31 - __builtin_clz(set[i]);
        }
    }
    return NO_VECTOR;
}

/* -- What the processor sees (11.8.3) -------------------------------------------- */

bool apic_is_software_enabled(const APIC *apic)
{
    return apic_enabled(apic) && apic->spurious & SVR_ENABLE;
}

unsigned apic_processor_priority(const APIC *apic)
{
    unsigned serving = (unsigned)MAX(highest(apic->in_service), 0) & 0xf0;

    return (apic->task_priority & 0xf0u) >= serving ? apic->task_priority : serving;
}

/* The vector to present: of a higher class than what the processor is at. */
static int presented(const APIC *apic)
{
    int vector = highest(apic->requested);

    return apic_is_software_enabled(apic) && vector != NO_VECTOR &&
                   ((unsigned)vector & 0xf0) > (apic_processor_priority(apic) & 0xf0)
               ? vector
               : NO_VECTOR;
}

/* 11.5.1: the 8259As' request passes through LINT0 as ExtINT; with the APIC switched off
 * the pin is the processor's INTR itself (11.4.3). */
static bool external_pending(const APIC *apic)
{
    uint32_t entry = apic->lvt[APIC_LVT_LINT0];
    bool passes = !apic_enabled(apic) ||
                  (!(entry & LVT_MASKED) && LVT_DELIVERY(entry) == APIC_EXTINT);

    return apic->external_message || (passes && apic->lint[APIC_LINT0]);
}

static void update(APIC *apic)
{
    x86_cpu_set_intr(apic->cpu, presented(apic) != NO_VECTOR || external_pending(apic));
}

static int acknowledge(void *opaque)
{
    APIC *apic = opaque;
    int vector = presented(apic);

    if (vector != NO_VECTOR) {
        set_bit(apic->requested, (uint8_t)vector, false);
        set_bit(apic->in_service, (uint8_t)vector, true);
    } else if (external_pending(apic) && apic->bus->acknowledge) {
        apic->external_message = false;
        vector = apic->bus->acknowledge(apic->bus->acknowledge_opaque);
    }
    update(apic);
    return vector;
}

/* -- Receiving ------------------------------------------------------------------- */

static void note_error(APIC *apic, uint32_t error);

static void accept_vector(APIC *apic, uint8_t vector, bool level_triggered)
{
    if (!apic_is_software_enabled(apic)) {
        return;
    }
    if (vector < FIRST_VECTOR) {
        note_error(apic, ESR_RECEIVED_ILLEGAL_VECTOR);
        return;
    }
    set_bit(apic->requested, vector, true);
    set_bit(apic->level_triggered, vector, level_triggered);
    update(apic);
}

/* 11.5.3: errors collect until a write to ESR shows them; each kind interrupts once. */
static void note_error(APIC *apic, uint32_t error)
{
    uint32_t entry = apic->lvt[APIC_LVT_ERROR];
    bool news = !(apic->errors & error);

    apic->errors |= error;
    if (news && !(entry & LVT_MASKED) && (entry & LVT_VECTOR) >= FIRST_VECTOR) {
        accept_vector(apic, entry & LVT_VECTOR, false);
    }
}

/* 11.4.7.1 and 11.4.7.3: what RESET# and INIT have in common. */
static void reset_registers(APIC *apic)
{
    apic->task_priority = apic->logical_id = 0;
    apic->destination_format = UINT32_MAX;
    apic->spurious = SVR_RESET;
    for (unsigned i = 0; i < APIC_LVTS; i++) {
        apic->lvt[i] = LVT_MASKED;
    }
    apic->errors = apic->error_status = 0;
    memset(apic->icr, 0, sizeof(apic->icr));
    memset(apic->in_service, 0, sizeof(apic->in_service));
    memset(apic->requested, 0, sizeof(apic->requested));
    memset(apic->level_triggered, 0, sizeof(apic->level_triggered));
    apic->external_message = false;
    apic->initial_count = apic->divide = 0;
    timer_del(&apic->timer);
    update(apic);
}

void apic_receive(APIC *apic, const APICMessage *message)
{
    switch (message->delivery) {
    case APIC_FIXED:
    case APIC_LOWEST_PRIORITY:
        accept_vector(apic, message->vector, message->level_triggered);
        break;
    case APIC_NMI:
        x86_cpu_signal(apic->cpu, X86_SIGNAL_NMI);
        break;
    case APIC_INIT:
        reset_registers(apic);
        x86_cpu_signal(apic->cpu, X86_SIGNAL_INIT);
        break;
    case APIC_STARTUP:
        apic->cpu->startup_page = message->vector;
        x86_cpu_signal(apic->cpu, X86_SIGNAL_STARTUP);
        break;
    case APIC_EXTINT:
        apic->external_message = true;
        update(apic);
        break;
    case APIC_SMI: /* no system management mode here */
    default:
        break;
    }
}

/* -- The LINT pins (11.5.1) ------------------------------------------------------ */

/* A level-triggered pin that is high asks again after each EOI; remote IRR says that it
 * has been heard. */
static void serve_level(APIC *apic, unsigned pin)
{
    uint32_t *entry = &apic->lvt[APIC_LVT_LINT0 + pin];

    if (apic->lint[pin] && LVT_DELIVERY(*entry) == APIC_FIXED && *entry & LVT_LEVEL &&
        !(*entry & (LVT_MASKED | LVT_REMOTE_IRR)) && pin == APIC_LINT0) {
        *entry |= LVT_REMOTE_IRR;
        accept_vector(apic, *entry & LVT_VECTOR, true);
    }
}

static void set_pin(void *opaque, int pin, int level)
{
    APIC *apic = opaque;
    uint32_t entry = apic->lvt[APIC_LVT_LINT0 + pin];
    bool rises = level && !apic->lint[pin];

    apic->lint[pin] = level;
    if (rises && !(entry & LVT_MASKED) && apic_enabled(apic) &&
        LVT_DELIVERY(entry) != APIC_EXTINT && LVT_DELIVERY(entry) != APIC_STARTUP &&
        !(LVT_DELIVERY(entry) == APIC_FIXED && entry & LVT_LEVEL)) {
        apic_receive(apic, &(APICMessage){.delivery = LVT_DELIVERY(entry),
                                          .vector = entry & LVT_VECTOR});
    }
    serve_level(apic, (unsigned)pin);
    update(apic);
}

/* 11.8.5 */
static void end_of_interrupt(APIC *apic)
{
    int vector = highest(apic->in_service);
    uint32_t *lint0 = &apic->lvt[APIC_LVT_LINT0];

    if (vector == NO_VECTOR) {
        return;
    }
    set_bit(apic->in_service, (uint8_t)vector, false);
    if (get_bit(apic->level_triggered, (uint8_t)vector)) {
        if (*lint0 & LVT_REMOTE_IRR && (*lint0 & LVT_VECTOR) == (uint32_t)vector) {
            *lint0 &= ~LVT_REMOTE_IRR;
            serve_level(apic, APIC_LINT0);
        }
        if (apic->bus->end_of_interrupt) {
            apic->bus->end_of_interrupt(apic->bus->end_of_interrupt_opaque,
                                        (uint8_t)vector);
        }
    }
    update(apic);
}

/* -- Sending (11.6.1) ------------------------------------------------------------ */

static void send(APIC *apic)
{
    enum { TO_DESTINATION, TO_SELF, TO_ALL, TO_OTHERS };
    uint32_t low = apic->icr[0];
    unsigned shorthand = low >> 18 & 3;
    APICMessage message = {
        .destination = (uint8_t)(apic->icr[1] >> 24),
        .logical = low >> 11 & 1,
        .delivery = (APICDelivery)(low >> 8 & 7),
        .vector = (uint8_t)low,
    };

    /* The level-triggered de-assertion of INIT only set arbitration ids. */
    if (message.delivery == APIC_INIT && low >> 15 & 1 && !(low >> 14 & 1)) {
        return;
    }
    if (message.delivery <= APIC_LOWEST_PRIORITY && message.vector < FIRST_VECTOR) {
        note_error(apic, ESR_SEND_ILLEGAL_VECTOR);
        return;
    }
    if (message.delivery == APIC_EXTINT || message.delivery == APIC_SMI) {
        return;
    }
    if (shorthand == TO_DESTINATION) {
        apic_bus_deliver(apic->bus, &message);
    } else if (shorthand == TO_SELF) {
        if (message.delivery == APIC_FIXED) { /* table 11-3: the only valid one */
            apic_receive(apic, &message);
        }
    } else {
        for (guint i = 0; i < apic->bus->apics->len; i++) {
            if (shorthand == TO_ALL || apic->bus->apics->pdata[i] != apic) {
                apic_receive(apic->bus->apics->pdata[i], &message);
            }
        }
    }
}

/* -- The timer (11.5.4) ---------------------------------------------------------- */

/* Nanoseconds of one count: bits 0, 1 and 3 of the divide register are 2, 4,
 * ... 128, 1. */
static int64_t count_ns(const APIC *apic)
{
    unsigned value = (apic->divide & 3) | (apic->divide >> 1 & 4);

    return (int64_t)TICK_NS << ((value + 1) & 7);
}

static int64_t period_ns(const APIC *apic)
{
    return (int64_t)apic->initial_count * count_ns(apic);
}

static bool is_periodic(const APIC *apic)
{
    return apic->lvt[APIC_LVT_TIMER] & LVT_PERIODIC;
}

static uint32_t current_count(const APIC *apic)
{
    int64_t counted = (clock_virtual_ns() - apic->count_start_ns) / count_ns(apic);

    if (is_periodic(apic) && apic->initial_count) {
        counted %= apic->initial_count;
    }
    return counted >= apic->initial_count ? 0 : apic->initial_count - (uint32_t)counted;
}

/* Arms the timer for the next time that the count reaches 0, after `from_ns`. */
static void arm_timer(APIC *apic, int64_t from_ns)
{
    int64_t period = period_ns(apic);
    int64_t elapsed = from_ns - apic->count_start_ns;

    if (apic->initial_count == 0 || apic->lvt[APIC_LVT_TIMER] & LVT_MASKED ||
        (!is_periodic(apic) && elapsed >= period)) {
        timer_del(&apic->timer);
    } else {
        timer_mod(&apic->timer, apic->count_start_ns + (elapsed / period + 1) * period);
    }
}

static void timer_expired(void *opaque)
{
    APIC *apic = opaque;

    accept_vector(apic, apic->lvt[APIC_LVT_TIMER] & LVT_VECTOR, false);
    if (is_periodic(apic)) {
        arm_timer(apic,
                  clock_virtual_ns() + MAX(SHORTEST_PERIOD_NS - period_ns(apic), 0));
    }
}

/* -- Registers ------------------------------------------------------------------- */

uint32_t apic_read_register(APIC *apic, unsigned index)
{
    switch (index) {
    case REG_ID:
        return (uint32_t)apic->id << 24;
    case REG_VERSION:
        return apic->version | (APIC_LVTS - 1) << 16;
    case REG_TPR:
        return apic->task_priority;
    case REG_APR: /* arbitration: not on processors of this kind */
    case REG_REMOTE_READ:
    case REG_EOI:
        return 0;
    case REG_PPR:
        return apic_processor_priority(apic);
    case REG_LDR:
        return (uint32_t)apic->logical_id << 24;
    case REG_DFR:
        return apic->destination_format;
    case REG_SVR:
        return apic->spurious;
    case REG_ISR ... REG_ISR + 7:
        return apic->in_service[index - REG_ISR];
    case REG_TMR ... REG_TMR + 7:
        return apic->level_triggered[index - REG_TMR];
    case REG_IRR ... REG_IRR + 7:
        return apic->requested[index - REG_IRR];
    case REG_ESR:
        return apic->error_status;
    case REG_ICR_LOW:
    case REG_ICR_HIGH:
        return apic->icr[index - REG_ICR_LOW];
    case REG_LVT ... REG_LVT + APIC_LVTS - 1:
        return apic->lvt[index - REG_LVT];
    case REG_INITIAL_COUNT:
        return apic->initial_count;
    case REG_CURRENT_COUNT:
        return current_count(apic);
    case REG_DIVIDE:
        return apic->divide;
    default:
        note_error(apic, ESR_ILLEGAL_REGISTER);
        return 0;
    }
}

/* 11.4.7.2: while the APIC is disabled by software, its local vectors stay masked. */
static void write_lvt(APIC *apic, unsigned n, uint32_t value)
{
    uint32_t *entry = &apic->lvt[n];

    *entry = (value & lvt_writable[n]) | (*entry & LVT_REMOTE_IRR);
    if (!(apic->spurious & SVR_ENABLE)) {
        *entry |= LVT_MASKED;
    }
    if (!(*entry & LVT_LEVEL)) {
        *entry &= ~LVT_REMOTE_IRR;
    }
    if (n == APIC_LVT_TIMER) {
        arm_timer(apic, clock_virtual_ns());
    } else if (n == APIC_LVT_LINT0) {
        serve_level(apic, APIC_LINT0);
    }
}

static void write_spurious(APIC *apic, uint32_t value)
{
    apic->spurious = value & SVR_WRITABLE;
    if (!(value & SVR_ENABLE)) {
        for (unsigned i = 0; i < APIC_LVTS; i++) {
            apic->lvt[i] |= LVT_MASKED;
        }
        timer_del(&apic->timer);
    }
}

void apic_write_register(APIC *apic, unsigned index, uint32_t value)
{
    switch (index) {
    case REG_ID:
        apic->id = (uint8_t)(value >> 24);
        break;
    case REG_TPR:
        apic->task_priority = (uint8_t)value;
        break;
    case REG_EOI:
        end_of_interrupt(apic);
        break;
    case REG_LDR:
        apic->logical_id = (uint8_t)(value >> 24);
        break;
    case REG_DFR: /* 11.6.2.2: the model, and ones */
        apic->destination_format = value | 0x0fffffff;
        break;
    case REG_SVR:
        write_spurious(apic, value);
        break;
    case REG_ESR:
        apic->error_status = apic->errors;
        apic->errors = 0;
        break;
    case REG_ICR_LOW:
        apic->icr[0] = value & ICR_WRITABLE;
        send(apic);
        break;
    case REG_ICR_HIGH:
        apic->icr[1] = value & 0xff000000;
        break;
    case REG_LVT ... REG_LVT + APIC_LVTS - 1:
        write_lvt(apic, index - REG_LVT, value);
        break;
    case REG_INITIAL_COUNT:
        apic->initial_count = value;
        apic->count_start_ns = clock_virtual_ns();
        arm_timer(apic, apic->count_start_ns);
        break;
    case REG_DIVIDE:
        apic->divide = value & 0xb;
        arm_timer(apic, clock_virtual_ns());
        break;
    case REG_VERSION: /* read-only */
    case REG_APR:
    case REG_PPR:
    case REG_REMOTE_READ:
    case REG_ISR ... REG_IRR + 7:
    case REG_CURRENT_COUNT:
        break;
    default:
        note_error(apic, ESR_ILLEGAL_REGISTER);
        break;
    }
    update(apic);
}

/* -- The device ------------------------------------------------------------------ */

bool apic_enabled(const APIC *apic)
{
    return apic->base & BASE_ENABLE;
}

/* 11.4.3 and 11.4.4. The window itself does not move: it serves all processors. */
void apic_set_base(APIC *apic, uint64_t value)
{
    apic->base = (apic->base & BASE_BOOTSTRAP) | (value & (BASE_ADDRESS | BASE_ENABLE));
    if (!apic_enabled(apic)) {
        write_spurious(apic, apic->spurious & ~SVR_ENABLE);
    }
    update(apic);
}

/* -- Its state in a stream ---------------------------------------------------------- */

static void apic_to_wire(void *opaque, void *data)
{
    const APIC *apic = opaque;
    APICWire *wire = data;

    *wire = (APICWire){
        .apicbase = (uint32_t)apic->base,
        .id = apic->id,
        .tpr = apic->task_priority,
        .spurious_vec = apic->spurious,
        .log_dest = apic->logical_id,
        .dest_mode = apic->destination_format >> 28,
        .esr = apic->error_status | apic->errors,
        .icr = {apic->icr[0], apic->icr[1]},
        .divide_conf = apic->divide,
        .count_shift = (int32_t)apic_wire_shift(apic->divide),
        .initial_count = apic->initial_count,
        .initial_count_load_time = apic->count_start_ns,
        .next_time = timer_pending(&apic->timer) ? apic->timer.expires : 0,
        .timer_expiry = apic->timer.expires,
        .sipi_vector = apic->cpu->startup_page,
        .wait_for_sipi = apic->cpu->waits_for_startup,
    };
    memcpy(wire->isr, apic->in_service, sizeof(wire->isr));
    memcpy(wire->tmr, apic->level_triggered, sizeof(wire->tmr));
    memcpy(wire->irr, apic->requested, sizeof(wire->irr));
    memcpy(wire->lvt, apic->lvt, sizeof(wire->lvt));
}

static bool apic_from_wire(void *opaque, void *data, int version_id, GError **error)
{
    APIC *apic = opaque;
    const APICWire *wire = data;

    if (!apic_wire_check(wire, error)) {
        return false;
    }
    apic->base = wire->apicbase;
    apic->id = wire->id;
    apic->task_priority = wire->tpr;
    apic->spurious = wire->spurious_vec & SVR_WRITABLE;
    apic->logical_id = wire->log_dest;
    apic->destination_format = (uint32_t)wire->dest_mode << 28 | 0x0fffffff;
    apic->errors = apic->error_status = wire->esr;
    memcpy(apic->icr, wire->icr, sizeof(apic->icr));
    memcpy(apic->in_service, wire->isr, sizeof(apic->in_service));
    memcpy(apic->level_triggered, wire->tmr, sizeof(apic->level_triggered));
    memcpy(apic->requested, wire->irr, sizeof(apic->requested));
    for (unsigned i = 0; i < APIC_LVTS; i++) {
        apic->lvt[i] = wire->lvt[i] & (lvt_writable[i] | LVT_REMOTE_IRR);
    }
    apic->divide = wire->divide_conf & 0xb;
    apic->initial_count = wire->initial_count;
    apic->count_start_ns = wire->initial_count_load_time;
    if (wire->timer_expiry < 0) { /* KVM's does not say */
        arm_timer(apic, clock_virtual_ns());
    } else {
        timer_mod(&apic->timer, wire->timer_expiry);
    }
    apic->cpu->startup_page = (uint8_t)wire->sipi_vector;
    apic->cpu->waits_for_startup = wire->wait_for_sipi != 0;
    update(apic);
    return true;
}

static const VMStateDescription vmstate_apic = {
    .name = "apic",
    .version_id = 3,
    .minimum_version_id = 3,
    .wire_size = sizeof(APICWire),
    .to_wire = apic_to_wire,
    .from_wire = apic_from_wire,
    .fields = apic_wire_fields,
    .subsections = apic_wire_subsections,
};

/* -- The life of the device --------------------------------------------------------- */

static void apic_reset(Device *dev)
{
    APIC *apic = APIC(dev);

    apic->id = (uint8_t)apic->cpu->index;
    apic->base =
        APIC_WINDOW_ADDRESS | BASE_ENABLE | (apic->cpu->index == 0 ? BASE_BOOTSTRAP : 0);
    memset(apic->lint, 0, sizeof(apic->lint));
    reset_registers(apic);
}

static bool apic_realize(Device *dev, GError **error)
{
    APIC *apic = APIC(dev);

    device_init_gpio_in(dev, set_pin, APIC_LINTS);
    timer_init(&apic->timer, CLOCK_KIND_VIRTUAL, timer_expired, apic);
    apic->cpu->apic = apic;
    apic->cpu->acknowledge = acknowledge;
    apic->cpu->acknowledge_opaque = apic;
    vmstate_register(NULL, (int)apic->cpu->index, &vmstate_apic, apic);
    return true;
}

static const Property apic_properties[] = {
    PROP_UINT32("version", APIC, version, 0x14, "low byte of the version register"),
    PROP_END,
};

DEVICE_DEFINE_TYPE(APIC, apic, "apic", TYPE_DEVICE)

static void apic_class_init(DeviceClass *klass)
{
    klass->desc = "local APIC";
    klass->realize = apic_realize;
    klass->reset = apic_reset;
    property_install_table(G_OBJECT_CLASS(klass), apic_properties);
}
