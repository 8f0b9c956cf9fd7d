/*
 * KVM's own interrupt controllers and PIT as devices: they hold the place in the tree
 * where the kernel answers, carry lines to it, and reset it.
 *
 * The kernel answers a vCPU's accesses before they get here; what the regions' callbacks
 * see comes from monitors and bus masters, and reads as zero.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/accel/kvm-irqchip.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include <gio/gio.h>

#include "hw/core/clock.h"
#include "hw/isa/isa-bus.h"
#include "machine/accel/kvm-internal.h"

#define IOAPIC_ADDRESS UINT64_C(0xfec00000)
#define APIC_MSI_ADDRESS UINT64_C(0xfee00000)
#define IOAPIC_VERSION 0x11u
#define IOAPIC_MASKED (UINT64_C(1) << 16)

/* Which ISA IRQs may be level-triggered: not 0, 1, 2, 8 and 13 (82371SB, ELCR1/2). */
#define ELCR_MASK_MASTER 0xf8
#define ELCR_MASK_SLAVE 0xde

/* -- The kernel's side ----------------------------------------------------------- */

/* IRQ n reaches both 8259As' and the IOAPIC's input n, but the timer's IRQ 0 is wired to
 * the IOAPIC's input 2, as the ACPI tables say. */
static bool set_routing(void)
{
    struct {
        struct kvm_irq_routing head;
        struct kvm_irq_routing_entry entries[16 + KVM_GSI_LINES];
    } routing = {0};
    struct kvm_irq_routing_entry *entry = routing.entries;

    for (unsigned gsi = 0; gsi < 16; gsi++, entry++) {
        entry->gsi = gsi;
        entry->type = KVM_IRQ_ROUTING_IRQCHIP;
        entry->u.irqchip.irqchip =
            gsi < 8 ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE;
        entry->u.irqchip.pin = gsi % 8;
    }
    for (unsigned gsi = 0; gsi < KVM_GSI_LINES; gsi++) {
        if (gsi == 2) {
            continue;
        }
        entry->gsi = gsi;
        entry->type = KVM_IRQ_ROUTING_IRQCHIP;
        entry->u.irqchip.irqchip = KVM_IRQCHIP_IOAPIC;
        entry->u.irqchip.pin = gsi == 0 ? 2 : gsi;
        entry++;
    }
    routing.head.nr = (uint32_t)(entry - routing.entries);
    return kvm_ioctl(kvm_host.vm, KVM_SET_GSI_ROUTING, &routing) == 0;
}

bool kvm_irqchip_init(GError **error)
{
    if (kvm_ioctl(kvm_host.vm, KVM_CREATE_IRQCHIP, NULL) < 0 || !set_routing()) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                    "kvm: cannot make the kernel's interrupt controllers: %s (try "
                    "-accel kvm,kernel-irqchip=off)",
                    g_strerror(errno));
        return false;
    }
    kvm_host.irqchip = true;
    return true;
}

bool kvm_send_msi(Accel *accel, hwaddr address, uint32_t data)
{
    struct kvm_msi msi = {
        .address_lo = (uint32_t)address,
        .address_hi = (uint32_t)(address >> 32),
        .data = data,
    };

    return kvm_host.irqchip && kvm_ioctl(kvm_host.vm, KVM_SIGNAL_MSI, &msi) >= 0;
}

/* A process has one VM, which has one of each. */
static IRQCounts pic_counts, ioapic_counts;

static void set_line(void *opaque, int n, int level)
{
    struct kvm_irq_level line = {.irq = (uint32_t)n, .level = level != 0};

    if (n < ISA_IRQS) {
        irq_counts_note(&pic_counts, n, level);
    }
    irq_counts_note(&ioapic_counts, n, level);
    kvm_ioctl(kvm_host.vm, KVM_IRQ_LINE, &line);
}

static uint64_t nothing_read(void *opaque, hwaddr offset, unsigned size)
{
    return 0;
}

static void nothing_written(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
}

static const MemoryRegionOps kernel_ops = {
    .read = nothing_read,
    .write = nothing_written,
    .endianness = DEVICE_LITTLE_ENDIAN,
};

/* -- kvm-i8259 ------------------------------------------------------------------- */

__u32 kvm_pic_id(const KVMI8259 *pic)
{
    return pic->master ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE;
}

static void i8259_reset(Device *dev)
{
    KVMI8259 *pic = (KVMI8259 *)dev;
    struct kvm_irqchip chip = {.chip_id = kvm_pic_id(pic)};

    chip.chip.pic.elcr_mask = pic->elcr_mask;
    kvm_ioctl(kvm_host.vm, KVM_SET_IRQCHIP, &chip);
}

static bool i8259_realize(Device *dev, GError **error)
{
    KVMI8259 *pic = (KVMI8259 *)dev;

    memory_region_init_io(&pic->io, G_OBJECT(dev), &kernel_ops, pic, "kvm-pic", 2);
    memory_region_init_io(&pic->elcr_io, G_OBJECT(dev), &kernel_ops, pic, "kvm-elcr", 1);
    isa_register_ioport(ISA_DEVICE(dev), &pic->io, (uint16_t)pic->iobase);
    isa_register_ioport(ISA_DEVICE(dev), &pic->elcr_io, (uint16_t)pic->elcr_addr);
    return true;
}

static const Property i8259_properties[] = {
    PROP_UINT32("iobase", KVMI8259, iobase, -1, "I/O port"),
    PROP_UINT32("elcr_addr", KVMI8259, elcr_addr, -1,
                "I/O port of the edge/level register"),
    PROP_UINT8("elcr_mask", KVMI8259, elcr_mask, -1,
               "inputs that may be level-triggered"),
    PROP_BOOL("master", KVMI8259, master, false, "the one that reaches the CPU"),
    PROP_END,
};

DEVICE_DEFINE_TYPE(KVMI8259, kvm_i8259, "kvm-i8259", TYPE_ISA_DEVICE)

static void kvm_i8259_class_init(DeviceClass *klass)
{
    property_install_table(G_OBJECT_CLASS(klass), i8259_properties);
    klass->realize = i8259_realize;
    klass->reset = i8259_reset;
    klass->vmsd = &vmstate_kvm_i8259;
}

static bool create_pic(Bus *bus, bool master, GError **error)
{
    KVMI8259 *pic = (KVMI8259 *)device_new(kvm_i8259_get_type(), error);

    if (!pic) {
        return false;
    }
    pic->master = master;
    pic->iobase = master ? 0x20 : 0xa0;
    pic->elcr_addr = master ? 0x4d0 : 0x4d1;
    pic->elcr_mask = master ? ELCR_MASK_MASTER : ELCR_MASK_SLAVE;
    return device_realize(DEVICE(pic), bus, error);
}

/* -- kvm-ioapic ------------------------------------------------------------------ */

typedef struct KVMIOAPIC {
    Device parent;
    MemoryRegion io;
} KVMIOAPIC;

static void ioapic_reset(Device *dev)
{
    struct kvm_irqchip chip = {.chip_id = KVM_IRQCHIP_IOAPIC};

    chip.chip.ioapic.base_address = IOAPIC_ADDRESS;
    for (unsigned i = 0; i < KVM_IOAPIC_NUM_PINS; i++) {
        chip.chip.ioapic.redirtbl[i].bits = IOAPIC_MASKED;
    }
    kvm_ioctl(kvm_host.vm, KVM_SET_IRQCHIP, &chip);
}

static bool ioapic_realize(Device *dev, GError **error)
{
    KVMIOAPIC *ioapic = (KVMIOAPIC *)dev;

    memory_region_init_io(&ioapic->io, G_OBJECT(dev), &kernel_ops, ioapic, "kvm-ioapic",
                          0x1000);
    memory_region_add_subregion(accel_current()->memory->root, IOAPIC_ADDRESS,
                                &ioapic->io);
    return true;
}

DEVICE_DEFINE_TYPE(KVMIOAPIC, kvm_ioapic, "kvm-ioapic", TYPE_DEVICE)

static void kvm_ioapic_class_init(DeviceClass *klass)
{
    klass->realize = ioapic_realize;
    klass->reset = ioapic_reset;
    klass->vmsd = &vmstate_kvm_ioapic;
}

/* -- kvm-apic: where message-signalled interrupts are written -------------------- */

typedef struct KVMAPIC {
    Device parent;
    MemoryRegion io;
} KVMAPIC;

static void msi_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    kvm_send_msi(accel_current(), APIC_MSI_ADDRESS + offset, (uint32_t)value);
}

static const MemoryRegionOps msi_ops = {
    .read = nothing_read,
    .write = msi_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
};

static bool apic_realize(Device *dev, GError **error)
{
    KVMAPIC *apic = (KVMAPIC *)dev;

    memory_region_init_io(&apic->io, G_OBJECT(dev), &msi_ops, apic, "kvm-apic-msi",
                          MiB(1));
    /* Above everything: the CPU's own page wins over what the board maps there. */
    memory_region_add_subregion_overlap(accel_current()->memory->root, APIC_MSI_ADDRESS,
                                        &apic->io, 0x1000);
    return true;
}

DEVICE_DEFINE_TYPE(KVMAPIC, kvm_apic, "kvm-apic", TYPE_DEVICE)

static void kvm_apic_class_init(DeviceClass *klass)
{
    klass->realize = apic_realize;
}

/* -- kvm-pit --------------------------------------------------------------------- */

typedef struct KVMPIT {
    ISADevice parent;
    uint32_t iobase;
    MemoryRegion io;
} KVMPIT;

static void pit_reset(Device *dev)
{
    struct kvm_pit_state2 state = {0};

    for (unsigned i = 0; i < 3; i++) {
        state.channels[i].mode = 3;
        state.channels[i].gate = i != 2;
        state.channels[i].count = 0x10000;
        state.channels[i].count_load_time = clock_get_ns(CLOCK_KIND_REALTIME);
    }
    kvm_ioctl(kvm_host.vm, KVM_SET_PIT2, &state);
}

/* The HPET takes IRQ 0 over, or gives it back. */
static void pit_set_out_enabled(void *opaque, int n, int level)
{
    struct kvm_pit_state2 state;

    if (kvm_ioctl(kvm_host.vm, KVM_GET_PIT2, &state) == 0) {
        state.flags &= ~(__u32)KVM_PIT_FLAGS_HPET_LEGACY;
        state.flags |= level ? 0 : KVM_PIT_FLAGS_HPET_LEGACY;
        kvm_ioctl(kvm_host.vm, KVM_SET_PIT2, &state);
    }
}

static bool pit_realize(Device *dev, GError **error)
{
    KVMPIT *pit = (KVMPIT *)dev;
    struct kvm_pit_config config = {.flags = KVM_PIT_SPEAKER_DUMMY};

    if (kvm_ioctl(kvm_host.vm, KVM_CREATE_PIT2, &config) < 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                    "kvm: cannot make the kernel's PIT: %s (try -accel "
                    "kvm,kernel-irqchip=off)",
                    g_strerror(errno));
        return false;
    }
    device_init_gpio_in(dev, pit_set_out_enabled, 1);
    memory_region_init_io(&pit->io, G_OBJECT(dev), &kernel_ops, pit, "kvm-pit", 4);
    isa_register_ioport(ISA_DEVICE(dev), &pit->io, (uint16_t)pit->iobase);
    return true;
}

static const Property pit_properties[] = {
    PROP_UINT32("iobase", KVMPIT, iobase, 0x40, "I/O port"),
    PROP_END,
};

DEVICE_DEFINE_TYPE(KVMPIT, kvm_pit, "kvm-pit", TYPE_ISA_DEVICE)

static void kvm_pit_class_init(DeviceClass *klass)
{
    property_install_table(G_OBJECT_CLASS(klass), pit_properties);
    klass->realize = pit_realize;
    klass->reset = pit_reset;
    klass->vmsd = &vmstate_kvm_pit;
}

const IRQCounts *kvm_i8259_irq_counts(Device *dev)
{
    return ((KVMI8259 *)dev)->master ? &pic_counts : NULL;
}

const IRQCounts *kvm_ioapic_irq_counts(Device *dev)
{
    return &ioapic_counts;
}

/* -- For boards ------------------------------------------------------------------ */

IRQ *kvm_irqchip_create(Bus *isa_bus, bool apics, GError **error)
{
    if (!create_pic(isa_bus, true, error) || !create_pic(isa_bus, false, error) ||
        (apics && (!device_create(kvm_apic_get_type(), NULL, error) ||
                   !device_create(kvm_ioapic_get_type(), NULL, error)))) {
        return NULL;
    }
    if (apics) {
        kvm_register_lapics();
    }
    return irq_new_array(set_line, NULL, 0, KVM_GSI_LINES);
}

Device *kvm_pit_create(Bus *isa_bus, GError **error)
{
    return device_create(kvm_pit_get_type(), isa_bus, error);
}
