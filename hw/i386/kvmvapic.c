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
#include <gio/gio.h>
#include <string.h>

#include "hw/core/vmstate.h"
#include "hw/i386/vmport.h"
#include "memory/access.h"

#define PORT 0x7e
#define ABOVE_PAM 1000
#define PAGE 0x1000u

/* Option ROMs: where they lie, and their header (BIOS Boot Specification 1.01, 3.2). */
#define ROMS_START 0xc0000u
#define ROMS_END 0x100000u
#define ROM_BLOCK 512u

enum { VAPIC_INACTIVE, VAPIC_ACTIVE, VAPIC_STANDBY };

typedef struct WireHandlers {
    uint32_t set_tpr, set_tpr_eax, get_tpr[8], get_tpr_stack;
} WireHandlers;

/* The ROM's own structure, as QEMU keeps a copy of it once a guest uses it. */
typedef struct WireROMState {
    uint32_t vaddr, fixup_start, fixup_end, vapic_vaddr, vapic_size, vcpu_shift;
    uint32_t real_tpr_addr;
    WireHandlers up, mp;
} WireROMState;

typedef struct KVMVAPIC {
    Device parent;
    MemoryRegion io;
    MemoryRegion rom; /* RAM under the ROM, once that has announced itself */
    MemoryRegion *system_memory, *ram;
    /* Where the ROM that has announced itself keeps its state: guest physical;
     * 0: none. */
    uint32_t state_address;
    WireROMState rom_state; /* as it came in a stream, for the way back */
    uint32_t came_with[3];  /* the same: addresses that only QEMU uses */
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

/* Whether a ROM begins there, in the RAM of its shadow. */
static bool make_writable(KVMVAPIC *vapic, uint32_t rom)
{
    const uint8_t *ram = memory_region_get_ram_ptr(vapic->ram);
    uint32_t end;

    if (rom < ROMS_START || rom >= ROMS_END ||
        memory_region_size(vapic->ram) < ROMS_END || ram[rom] != 0x55 ||
        ram[rom + 1] != 0xaa) {
        return false;
    }
    end = MIN(rom + ram[rom + 2] * ROM_BLOCK, ROMS_END);
    show_ram(vapic, rom & ~(PAGE - 1), (end + PAGE - 1) & ~(PAGE - 1));
    return true;
}

static void rom_announced(KVMVAPIC *vapic, uint16_t state_offset)
{
    X86CPU *cpu = x86_cpu_current();
    uint32_t rom = cpu && cpu->ops ? find_rom(cpu) : 0;

    if (rom && make_writable(vapic, rom)) {
        vapic->state_address = rom + state_offset;
    }
}

static uint64_t kvmvapic_read(void *opaque, hwaddr offset, unsigned size)
{
    return UINT64_MAX;
}

static void kvmvapic_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    if (size == 2) {
        rom_announced(opaque, (uint16_t)value);
    }
}

static const MemoryRegionOps kvmvapic_ops = {
    .read = kvmvapic_read,
    .write = kvmvapic_write,
};

static void kvmvapic_reset(Device *dev)
{
    KVMVAPIC *vapic = (KVMVAPIC *)dev;

    vapic->state_address = 0;
    memset(&vapic->rom_state, 0, sizeof(vapic->rom_state));
    memset(vapic->came_with, 0, sizeof(vapic->came_with));
}

/* -- Its state in a stream ---------------------------------------------------------- */

typedef struct WireVAPIC {
    WireROMState rom_state;
    uint32_t state, real_tpr_addr, rom_state_vaddr, vapic_paddr, rom_state_paddr;
} WireVAPIC;

static void kvmvapic_to_wire(void *opaque, void *data)
{
    const KVMVAPIC *vapic = opaque;
    WireVAPIC *wire = data;

    wire->rom_state = vapic->rom_state;
    wire->state = vapic->state_address ? VAPIC_STANDBY : VAPIC_INACTIVE;
    wire->rom_state_paddr = vapic->state_address;
    wire->real_tpr_addr = vapic->came_with[0];
    wire->rom_state_vaddr = vapic->came_with[1];
    wire->vapic_paddr = vapic->came_with[2];
}

/* All of RAM is there by now: it comes first. */
static bool kvmvapic_from_wire(void *opaque, void *data, int version_id, GError **error)
{
    KVMVAPIC *vapic = opaque;
    const WireVAPIC *wire = data;

    if (wire->state == VAPIC_ACTIVE) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                    "the guest's code was patched to use QEMU's virtual task priority "
                    "register: start the source with -global apic-common.vapic=off");
        return false;
    }
    vapic->rom_state = wire->rom_state;
    vapic->came_with[0] = wire->real_tpr_addr;
    vapic->came_with[1] = wire->rom_state_vaddr;
    vapic->came_with[2] = wire->vapic_paddr;
    vapic->state_address = 0;
    if (wire->rom_state_paddr &&
        !make_writable(vapic, wire->rom_state_paddr & ~(ROM_BLOCK - 1))) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                    "there is no option ROM at 0x%x, where the stream has QEMU's virtual "
                    "APIC",
                    wire->rom_state_paddr);
        return false;
    }
    vapic->state_address = wire->rom_state_paddr;
    return true;
}

static const VMStateDescription vmstate_handlers = {
    .name = "kvmvapic-handlers",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields =
        (const VMStateField[]){
            VMSTATE_UINT32(set_tpr, WireHandlers),
            VMSTATE_UINT32(set_tpr_eax, WireHandlers),
            VMSTATE_UINT32_ARRAY(get_tpr, WireHandlers, 8),
            VMSTATE_UINT32(get_tpr_stack, WireHandlers),
            VMSTATE_END_OF_LIST(),
        },
};

static const VMStateDescription vmstate_guest_rom = {
    .name = "kvmvapic-guest-rom",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields =
        (const VMStateField[]){
            VMSTATE_UNUSED(8),
            VMSTATE_UINT32(vaddr, WireROMState),
            VMSTATE_UINT32(fixup_start, WireROMState),
            VMSTATE_UINT32(fixup_end, WireROMState),
            VMSTATE_UINT32(vapic_vaddr, WireROMState),
            VMSTATE_UINT32(vapic_size, WireROMState),
            VMSTATE_UINT32(vcpu_shift, WireROMState),
            VMSTATE_UINT32(real_tpr_addr, WireROMState),
            VMSTATE_STRUCT(up, WireROMState, 0, vmstate_handlers, WireHandlers),
            VMSTATE_STRUCT(mp, WireROMState, 0, vmstate_handlers, WireHandlers),
            VMSTATE_END_OF_LIST(),
        },
};

static const VMStateDescription vmstate_kvmvapic = {
    .name = "kvm-tpr-opt",
    .version_id = 1,
    .minimum_version_id = 1,
    .wire_size = sizeof(WireVAPIC),
    .to_wire = kvmvapic_to_wire,
    .from_wire = kvmvapic_from_wire,
    .fields =
        (const VMStateField[]){
            VMSTATE_STRUCT(rom_state, WireVAPIC, 0, vmstate_guest_rom, WireROMState),
            VMSTATE_UINT32(state, WireVAPIC),
            VMSTATE_UINT32(real_tpr_addr, WireVAPIC),
            VMSTATE_UINT32(rom_state_vaddr, WireVAPIC),
            VMSTATE_UINT32(vapic_paddr, WireVAPIC),
            VMSTATE_UINT32(rom_state_paddr, WireVAPIC),
            VMSTATE_END_OF_LIST(),
        },
};

/* -- The device --------------------------------------------------------------------- */

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
    klass->reset = kvmvapic_reset;
    klass->vmsd = &vmstate_kvmvapic;
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
