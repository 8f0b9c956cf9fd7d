/*
 * The state of KVM's own interrupt controllers and PIT, in the forms in which streams
 * have those of hw/intc and hw/timer, so that a guest can move between the kernel's and
 * ours.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <errno.h>
#include <string.h>

#include <gio/gio.h>

#include "hw/core/clock.h"
#include "hw/intc/apic-wire.h"
#include "hw/intc/i8259.h"
#include "hw/intc/ioapic.h"
#include "hw/timer/i8254.h"
#include "machine/accel/kvm-internal.h"
#include "machine/accel/kvm-irqchip.h"

static bool put(int fd, unsigned long request, void *state, const char *what,
                GError **error)
{
    if (kvm_ioctl(fd, request, state) < 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                    "kvm: the kernel does not take the state of the %s: %s", what,
                    g_strerror(errno));
        return false;
    }
    return true;
}

/* -- Local APIC: the page of registers (Intel SDM volume 3, table 11-1) ------------- */

enum {
    REG_ID = 0x02,
    REG_VERSION = 0x03,
    REG_TPR = 0x08,
    REG_ARBITRATION = 0x09,
    REG_LDR = 0x0d,
    REG_DFR = 0x0e,
    REG_SVR = 0x0f,
    REG_ISR = 0x10,
    REG_TMR = 0x18,
    REG_IRR = 0x20,
    REG_ESR = 0x28,
    REG_ICR = 0x30,
    REG_LVT = 0x32,
    REG_INITIAL_COUNT = 0x38,
    REG_CURRENT_COUNT = 0x39,
    REG_DIVIDE = 0x3e,
};
#define LVT_MASKED (1u << 16)
#define LVT_PERIODIC (1u << 17)

/* Register i is the first of each 16 bytes. */
static void read_registers(const struct kvm_lapic_state *lapic, unsigned first,
                           uint32_t *values, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        memcpy(&values[i], lapic->regs + (first + i) * 16, 4);
    }
}

static void write_registers(struct kvm_lapic_state *lapic, unsigned first,
                            const uint32_t *values, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        memcpy(lapic->regs + (first + i) * 16, &values[i], 4);
    }
}

static uint32_t read_register(const struct kvm_lapic_state *lapic, unsigned n)
{
    uint32_t value;

    read_registers(lapic, n, &value, 1);
    return value;
}

static void write_register(struct kvm_lapic_state *lapic, unsigned n, uint32_t value)
{
    write_registers(lapic, n, &value, 1);
}

/* KVM's bus clock has QEMU's 1 GHz. */
static void timer_to_wire(const struct kvm_lapic_state *lapic, APICWire *wire)
{
    int64_t now = clock_virtual_ns();
    uint32_t current = read_register(lapic, REG_CURRENT_COUNT);
    int64_t elapsed;

    wire->divide_conf = read_register(lapic, REG_DIVIDE);
    wire->count_shift = (int32_t)apic_wire_shift(wire->divide_conf);
    wire->initial_count = read_register(lapic, REG_INITIAL_COUNT);
    elapsed = (int64_t)(wire->initial_count - current) << wire->count_shift;
    wire->initial_count_load_time = MAX(now - elapsed, 0);
    wire->timer_expiry = -1;
    if (wire->initial_count && current && !(wire->lvt[0] & LVT_MASKED)) {
        wire->timer_expiry = now + ((int64_t)current << wire->count_shift);
        wire->next_time = wire->timer_expiry;
    }
}

static void lapic_to_wire(void *opaque, void *data)
{
    X86CPU *cpu = opaque;
    struct kvm_lapic_state lapic = {0};
    struct kvm_sregs sregs = {0};
    struct kvm_mp_state mp_state = {0};
    APICWire *wire = data;

    kvm_ioctl(kvm_vcpu(cpu)->fd, KVM_GET_LAPIC, &lapic);
    kvm_ioctl(kvm_vcpu(cpu)->fd, KVM_GET_SREGS, &sregs);
    kvm_ioctl(kvm_vcpu(cpu)->fd, KVM_GET_MP_STATE, &mp_state);
    *wire = (APICWire){
        .apicbase = (uint32_t)sregs.apic_base,
        .id = (uint8_t)(read_register(&lapic, REG_ID) >> 24),
        .arb_id = (uint8_t)read_register(&lapic, REG_ARBITRATION),
        .tpr = (uint8_t)read_register(&lapic, REG_TPR),
        .spurious_vec = read_register(&lapic, REG_SVR),
        .log_dest = (uint8_t)(read_register(&lapic, REG_LDR) >> 24),
        .dest_mode = (uint8_t)(read_register(&lapic, REG_DFR) >> 28),
        .esr = read_register(&lapic, REG_ESR),
        .wait_for_sipi = mp_state.mp_state == KVM_MP_STATE_UNINITIALIZED ||
                         mp_state.mp_state == KVM_MP_STATE_INIT_RECEIVED,
    };
    read_registers(&lapic, REG_ISR, wire->isr, 8);
    read_registers(&lapic, REG_TMR, wire->tmr, 8);
    read_registers(&lapic, REG_IRR, wire->irr, 8);
    read_registers(&lapic, REG_ICR, wire->icr, 2);
    read_registers(&lapic, REG_LVT, wire->lvt, 6);
    timer_to_wire(&lapic, wire);
}

/* The kernel starts the timer from the current count. One that has run out and does not
 * repeat must not run out again, so it comes without a count. */
static void timer_from_wire(const APICWire *wire, struct kvm_lapic_state *lapic)
{
    unsigned shift = apic_wire_shift(wire->divide_conf);
    uint64_t counted =
        (uint64_t)MAX(clock_virtual_ns() - wire->initial_count_load_time, 0) >> shift;
    uint32_t initial = wire->initial_count;

    write_register(lapic, REG_DIVIDE, wire->divide_conf);
    if (!initial || (counted >= initial && !(wire->lvt[0] & LVT_PERIODIC))) {
        return;
    }
    write_register(lapic, REG_INITIAL_COUNT, initial);
    write_register(lapic, REG_CURRENT_COUNT, initial - (uint32_t)(counted % initial));
}

static bool lapic_from_wire(void *opaque, void *data, int version_id, GError **error)
{
    X86CPU *cpu = opaque;
    KVMVCPU *vcpu = kvm_vcpu(cpu);
    struct kvm_lapic_state lapic = {0}, here = {0};
    struct kvm_sregs sregs = {0};
    const APICWire *wire = data;

    if (!apic_wire_check(wire, error)) {
        return false;
    }
    kvm_ioctl(vcpu->fd, KVM_GET_LAPIC, &here);
    write_register(&lapic, REG_ID, (uint32_t)wire->id << 24);
    write_register(&lapic, REG_VERSION, read_register(&here, REG_VERSION));
    write_register(&lapic, REG_TPR, wire->tpr);
    write_register(&lapic, REG_ARBITRATION, wire->arb_id);
    write_register(&lapic, REG_LDR, (uint32_t)wire->log_dest << 24);
    write_register(&lapic, REG_DFR, (uint32_t)wire->dest_mode << 28 | 0x0fffffff);
    write_register(&lapic, REG_SVR, wire->spurious_vec);
    write_register(&lapic, REG_ESR, wire->esr);
    write_registers(&lapic, REG_ISR, wire->isr, 8);
    write_registers(&lapic, REG_TMR, wire->tmr, 8);
    write_registers(&lapic, REG_IRR, wire->irr, 8);
    write_registers(&lapic, REG_ICR, wire->icr, 2);
    write_registers(&lapic, REG_LVT, wire->lvt, 6);
    timer_from_wire(wire, &lapic);

    kvm_ioctl(vcpu->fd, KVM_GET_SREGS, &sregs);
    sregs.apic_base = wire->apicbase;
    if (!put(vcpu->fd, KVM_SET_SREGS, &sregs, "local APIC's base", error) ||
        !put(vcpu->fd, KVM_SET_LAPIC, &lapic, "local APIC", error)) {
        return false;
    }
    if (wire->wait_for_sipi && cpu->state.mp_state != X86_MP_INIT_RECEIVED) {
        cpu->state.mp_state = X86_MP_UNINITIALIZED;
    }
    kvm_set_late_state(cpu);
    return true;
}

static const VMStateDescription vmstate_lapic = {
    .name = "apic",
    .version_id = 3,
    .minimum_version_id = 3,
    .wire_size = sizeof(APICWire),
    .to_wire = lapic_to_wire,
    .from_wire = lapic_from_wire,
    .fields = apic_wire_fields,
    .subsections = apic_wire_subsections,
};

void kvm_register_lapics(void)
{
    GPtrArray *vcpus = accel_current()->vcpus;

    for (guint i = 0; i < vcpus->len; i++) {
        X86CPU *cpu = ((AccelVCPU *)vcpus->pdata[i])->cpu;

        vmstate_register(NULL, (int)cpu->index, &vmstate_lapic, cpu);
    }
}

/* -- 8259A: the kernel's fields are QEMU's ------------------------------------------ */

static void pic_to_wire(void *opaque, void *data)
{
    const KVMI8259 *pic = opaque;
    struct kvm_irqchip chip = {.chip_id = kvm_pic_id(pic)};
    const struct kvm_pic_state *state = &chip.chip.pic;

    kvm_ioctl(kvm_host.vm, KVM_GET_IRQCHIP, &chip);
    *(I8259Wire *)data = (I8259Wire){
        .last_irr = state->last_irr,
        .irr = state->irr,
        .imr = state->imr,
        .isr = state->isr,
        .priority_add = state->priority_add,
        .irq_base = state->irq_base,
        .read_reg_select = state->read_reg_select,
        .poll = state->poll,
        .special_mask = state->special_mask,
        .init_state = state->init_state,
        .auto_eoi = state->auto_eoi,
        .rotate_on_auto_eoi = state->rotate_on_auto_eoi,
        .special_fully_nested_mode = state->special_fully_nested_mode,
        .init4 = state->init4,
        .elcr = state->elcr,
    };
}

static bool pic_from_wire(void *opaque, void *data, int version_id, GError **error)
{
    const KVMI8259 *pic = opaque;
    const I8259Wire *wire = data;
    struct kvm_irqchip chip = {.chip_id = kvm_pic_id(pic)};

    if (wire->priority_add > 7 || wire->init_state > 3) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                    "the 8259A has no line %u and no initialization state %u: the stream "
                    "is broken",
                    wire->priority_add, wire->init_state);
        return false;
    }
    chip.chip.pic = (struct kvm_pic_state){
        /* The kernel's PIT pulses line 0, and waits for the end of each interrupt before
         * the next: one that the 8259A takes for no edge would be the last. */
        .last_irr = wire->last_irr & (pic->master ? 0xfe : 0xff),
        .irr = wire->irr,
        .imr = wire->imr,
        .isr = wire->isr,
        .priority_add = wire->priority_add,
        .irq_base = wire->irq_base,
        .read_reg_select = wire->read_reg_select,
        .poll = wire->poll,
        .special_mask = wire->special_mask,
        .init_state = wire->init_state,
        .auto_eoi = wire->auto_eoi,
        .rotate_on_auto_eoi = wire->rotate_on_auto_eoi,
        .special_fully_nested_mode = wire->special_fully_nested_mode,
        .init4 = wire->init4,
        .elcr = wire->elcr & pic->elcr_mask,
        .elcr_mask = pic->elcr_mask,
    };
    return put(kvm_host.vm, KVM_SET_IRQCHIP, &chip, "8259A", error);
}

const VMStateDescription vmstate_kvm_i8259 = {
    .name = "i8259",
    .version_id = 1,
    .minimum_version_id = 1,
    .wire_size = sizeof(I8259Wire),
    .to_wire = pic_to_wire,
    .from_wire = pic_from_wire,
    .fields = i8259_wire_fields,
};

/* -- I/O APIC ----------------------------------------------------------------------- */

static void ioapic_to_wire(void *opaque, void *data)
{
    struct kvm_irqchip chip = {.chip_id = KVM_IRQCHIP_IOAPIC};
    IOAPICWire *wire = data;

    kvm_ioctl(kvm_host.vm, KVM_GET_IRQCHIP, &chip);
    wire->id = (uint8_t)chip.chip.ioapic.id;
    wire->ioregsel = (uint8_t)chip.chip.ioapic.ioregsel;
    wire->irr = chip.chip.ioapic.irr;
    for (unsigned i = 0; i < IOAPIC_PINS; i++) {
        wire->ioredtbl[i] = chip.chip.ioapic.redirtbl[i].bits;
    }
}

static bool ioapic_from_wire(void *opaque, void *data, int version_id, GError **error)
{
    struct kvm_irqchip chip = {.chip_id = KVM_IRQCHIP_IOAPIC};
    const IOAPICWire *wire = data;

    G_STATIC_ASSERT(IOAPIC_PINS == KVM_IOAPIC_NUM_PINS);
    chip.chip.ioapic.base_address = IOAPIC_ADDRESS;
    chip.chip.ioapic.id = wire->id;
    chip.chip.ioapic.ioregsel = wire->ioregsel;
    chip.chip.ioapic.irr = wire->irr;
    for (unsigned i = 0; i < IOAPIC_PINS; i++) {
        chip.chip.ioapic.redirtbl[i].bits = wire->ioredtbl[i];
    }
    return put(kvm_host.vm, KVM_SET_IRQCHIP, &chip, "I/O APIC", error);
}

const VMStateDescription vmstate_kvm_ioapic = {
    .name = "ioapic",
    .version_id = 3,
    .minimum_version_id = 1,
    .wire_size = sizeof(IOAPICWire),
    .to_wire = ioapic_to_wire,
    .from_wire = ioapic_from_wire,
    .fields = ioapic_wire_fields,
};

/* -- 8254 --------------------------------------------------------------------------- */

/* The kernel's times are the host's monotonic ones. */
static int64_t host_to_guest_ns(void)
{
    return clock_virtual_ns() - clock_get_ns(CLOCK_KIND_REALTIME);
}

/* When a channel's output changes next: for whom it interrupts by a timer of its own. */
static int64_t next_transition(const I8254WireChannel *channel)
{
    int64_t period = clock_ticks_to_ns((uint64_t)channel->count, I8254_HZ);
    int64_t elapsed = clock_virtual_ns() - channel->count_load_time;
    bool periodic = channel->mode == 2 || channel->mode == 3;

    if (period <= 0 || (!periodic && elapsed >= period)) {
        return -1;
    }
    return channel->count_load_time + (MAX(elapsed, 0) / period + 1) * period;
}

static void pit_to_wire(void *opaque, void *data)
{
    struct kvm_pit_state2 state = {0};
    I8254Wire *wire = data;

    kvm_ioctl(kvm_host.vm, KVM_GET_PIT2, &state);
    wire->irq_disabled = state.flags & KVM_PIT_FLAGS_HPET_LEGACY ? 1 : 0;
    for (unsigned i = 0; i < I8254_COUNTERS; i++) {
        const struct kvm_pit_channel_state *from = &state.channels[i];

        wire->channels[i] = (I8254WireChannel){
            .count = (int32_t)from->count,
            .latched_count = from->latched_count,
            .count_latched = from->count_latched,
            .status_latched = from->status_latched,
            .status = from->status,
            .read_state = from->read_state,
            .write_state = from->write_state,
            .write_latch = from->write_latch,
            .rw_mode = from->rw_mode,
            .mode = from->mode,
            .bcd = from->bcd,
            .gate = from->gate,
            .count_load_time = from->count_load_time + host_to_guest_ns(),
        };
    }
    wire->channels[0].next_transition_time = next_transition(&wire->channels[0]);
}

static bool channel_is_sane(const I8254WireChannel *channel)
{
    return channel->count >= 0 && channel->count <= 0x10000 && channel->mode <= 5 &&
           channel->rw_mode <= 3 && channel->count_latched <= 3 &&
           channel->read_state <= 4 && channel->write_state <= 4 &&
           ABS(channel->count_load_time / 2) <= INT64_MAX / 4;
}

static bool pit_from_wire(void *opaque, void *data, int version_id, GError **error)
{
    struct kvm_pit_state2 state = {0};
    const I8254Wire *wire = data;

    kvm_ioctl(kvm_host.vm, KVM_GET_PIT2, &state);
    state.flags &= ~(__u32)KVM_PIT_FLAGS_HPET_LEGACY;
    state.flags |= wire->irq_disabled ? KVM_PIT_FLAGS_HPET_LEGACY : 0;
    for (unsigned i = 0; i < I8254_COUNTERS; i++) {
        const I8254WireChannel *from = &wire->channels[i];

        if (!channel_is_sane(from)) {
            g_set_error(
                error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                "counter %u of the 8254 has a state that there is not: the stream "
                "is broken",
                i);
            return false;
        }
        state.channels[i] = (struct kvm_pit_channel_state){
            .count = (__u32)from->count,
            .latched_count = from->latched_count,
            .count_latched = from->count_latched,
            .status_latched = from->status_latched,
            .status = from->status,
            .read_state = from->read_state,
            .write_state = from->write_state,
            .write_latch = from->write_latch,
            .rw_mode = from->rw_mode,
            .mode = from->mode,
            .bcd = from->bcd,
            .gate = from->gate,
            .count_load_time = from->count_load_time - host_to_guest_ns(),
        };
    }
    return put(kvm_host.vm, KVM_SET_PIT2, &state, "8254", error);
}

const VMStateDescription vmstate_kvm_pit = {
    .name = "i8254",
    .version_id = 3,
    .minimum_version_id = 2,
    .wire_size = sizeof(I8254Wire),
    .to_wire = pit_to_wire,
    .from_wire = pit_from_wire,
    .fields = i8254_wire_fields,
};
