/*
 * kvmvapic: the port by which QEMU's option ROM of that name speaks to the hypervisor.
 *
 * The ROM keeps a copy of the task priority register for 32-bit systems that write it
 * often, and announces itself by a 16-bit write, the offset of its state, when firmware
 * starts it. The state must stay writable after firmware has locked the ROM's shadow:
 * from then on RAM shows there, above PAM. There is no patcher here that would make a
 * guest use the copy, so that is all.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/i386/vmport.h"

#define PORT 0x7e
#define ABOVE_PAM 1000
#define PAGE 0x1000u

/* Option ROMs: where they lie, and their header (BIOS Boot Specification 1.01, 3.2). */
#define ROMS_START 0xc0000u
#define ROMS_END 0x100000u
#define ROM_BLOCK 512u

typedef struct KVMVAPIC {
    Device parent;
    MemoryRegion io;
    MemoryRegion rom; /* RAM under the ROM, once that has announced itself */
    MemoryRegion *system_memory, *ram;
} KVMVAPIC;

/* Where the ROM lies whose code the CPU executes; 0: it does not execute one. */
static uint32_t find_rom(X86CPU *cpu)
{
    uint64_t at;

    cpu->ops->get_registers(cpu);
    at = cpu->registers.segment[X86_CS].base + cpu->registers.rip;
    return at >= ROMS_START && at < ROMS_END ? (uint32_t)at & ~(ROM_BLOCK - 1) : 0;
}

static void show_ram(KVMVAPIC *vapic, uint32_t start, uint32_t end)
{
    memory_region_transaction_begin();
    if (memory_region_is_mapped(&vapic->rom)) {
        memory_region_del_subregion(vapic->system_memory, &vapic->rom);
        memory_region_destroy(&vapic->rom);
    }
    memory_region_init_alias(&vapic->rom, G_OBJECT(vapic), "kvmvapic-rom", vapic->ram,
                             start, end - start);
    memory_region_add_subregion_overlap(vapic->system_memory, start, &vapic->rom,
                                        ABOVE_PAM);
    memory_region_transaction_commit();
}

static void rom_announced(KVMVAPIC *vapic)
{
    X86CPU *cpu = x86_cpu_current();
    uint32_t rom = cpu && cpu->ops ? find_rom(cpu) : 0;
    const uint8_t *ram = memory_region_get_ram_ptr(vapic->ram);
    uint32_t end;

    if (!rom || memory_region_size(vapic->ram) < ROMS_END || ram[rom] != 0x55 ||
        ram[rom + 1] != 0xaa) {
        return;
    }
    end = MIN(rom + ram[rom + 2] * ROM_BLOCK, ROMS_END);
    show_ram(vapic, rom & ~(PAGE - 1), (end + PAGE - 1) & ~(PAGE - 1));
}

static uint64_t kvmvapic_read(void *opaque, hwaddr offset, unsigned size)
{
    return UINT64_MAX;
}

static void kvmvapic_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    if (size == 2) {
        rom_announced(opaque);
    }
}

static const MemoryRegionOps kvmvapic_ops = {
    .read = kvmvapic_read,
    .write = kvmvapic_write,
};

static bool kvmvapic_realize(Device *dev, GError **error)
{
    KVMVAPIC *vapic = (KVMVAPIC *)dev;

    memory_region_init_io(&vapic->io, G_OBJECT(dev), &kvmvapic_ops, vapic, "kvmvapic", 2);
    return true;
}

DEVICE_DEFINE_TYPE(KVMVAPIC, kvmvapic, "kvmvapic", TYPE_DEVICE)

static void kvmvapic_class_init(DeviceClass *klass)
{
    klass->desc = "virtual APIC port";
    klass->realize = kvmvapic_realize;
}

Device *kvmvapic_new(MemoryRegion *io, MemoryRegion *system_memory, MemoryRegion *ram,
                     GError **error)
{
    Device *dev = device_create(TYPE_KVMVAPIC, NULL, error);
    KVMVAPIC *vapic = (KVMVAPIC *)dev;

    if (dev) {
        vapic->system_memory = system_memory;
        vapic->ram = ram;
        memory_region_add_subregion(io, PORT, &vapic->io);
    }
    return dev;
}
