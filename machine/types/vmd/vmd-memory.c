/*
 * Where vmd puts RAM, and the BIOS into it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/types/vmd/vmd.h"

#include <gio/gio.h>
#include <string.h>

#include "firmware/loader.h"
#include "hw/core/system.h"
#include "memory/access.h"
#include "memory/explain.h"

/* The last 16 bytes of a BIOS are where the processor starts: less cannot be one. */
#define IMAGE_MIN 16

/* -- The map ------------------------------------------------------------------------- */

static void add_range(VMDRange *ranges, unsigned *count, VMDRangeKind kind,
                      const char *name, hwaddr start, uint64_t size)
{
    if (size) {
        ranges[(*count)++] = (VMDRange){kind, name, start, size};
    }
}

/*
 * From x86_vm.c (vm.c before 7.4), create_memory_map(). With the area below 4 GiB came a
 * rule for small guests: what would be left above 1 MiB and is not more than the area is
 * not given to the guest at all, and there is no hole. vmd then puts the area at the
 * hole's last byte instead of behind it, where no page starts; here it ends at 4 GiB.
 */
unsigned vmd_memory_map(const VMDRelease *release, uint64_t ram,
                        VMDRange ranges[VMD_RANGES])
{
    uint64_t above_1m = ram - MiB(1), above_4g = 0;
    unsigned count = 0;
    bool small = release->bios_area && above_1m <= release->bios_area;

    if (above_1m > VMD_HOLE_START - MiB(1)) {
        above_4g = above_1m - (VMD_HOLE_START - MiB(1));
        above_1m = VMD_HOLE_START - MiB(1);
    }
    add_range(ranges, &count, VMD_RANGE_RAM, "vmd.low", 0, VMD_LOW_RAM);
    add_range(ranges, &count, VMD_RANGE_RESERVED, "vmd.bios-low", VMD_LOW_RAM,
              MiB(1) - VMD_LOW_RAM);
    if (!small) {
        add_range(ranges, &count, VMD_RANGE_RAM, "vmd.above-1m", MiB(1), above_1m);
        add_range(ranges, &count, VMD_RANGE_MMIO, "vmd.mmio", VMD_HOLE_START,
                  release->hole_last + 1 - VMD_HOLE_START);
    }
    add_range(ranges, &count, VMD_RANGE_RESERVED, "vmd.bios", GiB(4) - release->bios_area,
              release->bios_area);
    add_range(ranges, &count, VMD_RANGE_RAM, "vmd.above-4g", GiB(4), above_4g);
    return count;
}

/* -- The image ----------------------------------------------------------------------- */

static bool refuse_image(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool refuse_image(GError **error, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_IO, "%s: %s", g_strerror(EIO), text);
    return false;
}

/* vmm-firmware is a SeaBIOS of 256 KiB; the distributions' is the nearest. */
static bool load_image(VMDMachine *vmd, GError **error)
{
    const MachineConfig *config = &vmd->pc.parent.config;
    const char *name = config->firmware ? config->firmware : "bios-256k.bin";
    const FirmwareRules rules = {"BIOS image", 0, vmd->release->bios_max};
    GError *why = NULL;
    size_t size;

    vmd->image = firmware_load(name, config->data_dirs, &rules, &why);
    if (g_error_matches(why, FIRMWARE_ERROR, FIRMWARE_ERROR_NOT_FOUND)) {
        g_propagate_error(error, why);
        return false;
    }
    if (!vmd->image) {
        refuse_image(error, "%s", why->message);
        g_error_free(why);
        return false;
    }
    size = g_bytes_get_size(vmd->image);
    return size >= IMAGE_MIN ||
           refuse_image(error,
                        "BIOS image '%s' is too small: it has %zu bytes, and the %d that "
                        "the processor starts at are the least",
                        name, size, IMAGE_MIN);
}

/* x86_vm.c, loadfile_bios(): one copy that ends at 1 MiB, and where there is an area
 * below 4 GiB one that ends there. Both are RAM, which the guest may write. */
static void copy_image(VMDMachine *vmd)
{
    size_t size;
    const uint8_t *image = g_bytes_get_data(vmd->image, &size);
    uint8_t *ram = memory_region_get_ram_ptr(&vmd->pc.parent.ram);
    size_t low = MIN(size, vmd->release->bios_low);

    memcpy(ram + MiB(1) - low, image + size - low, low);
    memory_region_set_dirty(&vmd->pc.parent.ram, MiB(1) - low, low);
    if (vmd->release->bios_area) {
        uint64_t area = vmd->release->bios_area;
        uint8_t *high = memory_region_get_ram_ptr(&vmd->bios);

        memset(high, 0, area - size);
        memcpy(high + area - size, image, size);
        memory_region_set_dirty(&vmd->bios, 0, area);
    }
}

/* -- Making it ----------------------------------------------------------------------- */

/* RAM fills its ranges in their order, from the block's first byte. */
static void show_ranges(VMDMachine *vmd)
{
    MemoryRegion *system = &vmd->pc.parent.system_memory;
    uint64_t used = 0;

    for (unsigned i = 0; i < vmd->range_count; i++) {
        const VMDRange *range = &vmd->ranges[i];
        MemoryRegion *window = &vmd->windows[i];

        if (range->kind == VMD_RANGE_MMIO) {
            continue; /* PCI's memory shows there */
        }
        if (range->kind == VMD_RANGE_RESERVED && range->start > MiB(1)) {
            memory_region_add_subregion(system, range->start, &vmd->bios);
            continue;
        }
        memory_region_init_alias(window, NULL, range->name, &vmd->pc.parent.ram, used,
                                 range->size);
        memory_region_add_subregion(system, range->start, window);
        used += range->size;
    }
}

/* A SeaBIOS with tables for multiprocessors reads the local APIC's version whether there
 * is one or not. OpenBSD's is built without; others find a page of ones. */
#define APIC_BASE UINT64_C(0xfee00000)

static uint64_t no_apic_read(void *opaque, hwaddr offset, unsigned size)
{
    return UINT64_MAX;
}

static void no_apic_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
}

static const MemoryRegionOps no_apic_ops = {
    .read = no_apic_read,
    .write = no_apic_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
};

static void show_apic_page(VMDMachine *vmd)
{
    if (vmd->apic_page) {
        memory_region_init_io(&vmd->no_apic, NULL, &no_apic_ops, NULL, "vmd.no-apic",
                              MEMORY_PAGE_SIZE);
        memory_region_add_subregion(&vmd->pc.parent.system_memory, APIC_BASE,
                                    &vmd->no_apic);
    }
}

bool vmd_memory_init(VMDMachine *vmd, GError **error)
{
    Machine *machine = &vmd->pc.parent;
    const VMDRelease *release = vmd->release;

    if (machine->config.ram_size > release->ram_max) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "-m: vmd of OpenBSD %s gives a guest at most %u GiB", release->number,
                    (unsigned)(release->ram_max / GiB(1)));
        return false;
    }
    if (!machine_init_ram(machine, "vmd.ram", error) || !load_image(vmd, error) ||
        (release->bios_area && !memory_region_init_ram(&vmd->bios, NULL, "vmd.bios",
                                                       release->bios_area, error))) {
        return false;
    }
    vmd->range_count = vmd_memory_map(release, machine->config.ram_size, vmd->ranges);
    show_ranges(vmd);
    show_apic_page(vmd);
    copy_image(vmd);
    return true;
}

/* vmd answers a reset by ending the guest's process and starting a new one. */
void vmd_memory_reset(VMDMachine *vmd)
{
    if (vmd->pc.powered_on) {
        memory_region_clear_ram(&vmd->pc.parent.ram);
        copy_image(vmd);
    }
    vmd->pc.powered_on = true;
}

/* -- Where nobody answers ------------------------------------------------------------ */

static const VMDRange *find_range(const VMDMachine *vmd, hwaddr addr)
{
    for (unsigned i = 0; i < vmd->range_count; i++) {
        if (addr - vmd->ranges[i].start < vmd->ranges[i].size) {
            return &vmd->ranges[i];
        }
    }
    return NULL;
}

/* vmm(4) cannot give the guest a page there and vmd has no device there either: its
 * vcpu_exit_eptviolation() says "EPT Violation" with the address of the instruction, and
 * EFAULT ends the guest's process. */
static void stop_guest(AddressSpace *as, hwaddr addr, unsigned size, bool is_write,
                       void *opaque)
{
    VMDMachine *vmd = opaque;
    const VMDRange *hole = find_range(vmd, addr);
    X86CPU *cpu = x86_cpu_current();
    g_autofree char *where = NULL;

    if (!cpu) {
        return; /* a monitor that looks, or a device */
    }
    cpu->ops->get_registers(cpu);
    where = hole ? g_strdup_printf("in the PCI hole 0x%08" PRIx64 "-0x%08" PRIx64
                                   ", where no device answers",
                                   hole->start, hole->start + hole->size - 1)
                 : g_strdup("where the guest has neither memory nor a device");
    system_fatal("EPT Violation: gpa=0x%08" PRIx64 ", %u-byte %s at rip=0x%08" PRIx64
                 " %s; vmd ends the guest with EFAULT%s",
                 addr, size, is_write ? "write" : "read",
                 cpu->registers.segment[X86_CS].base + cpu->registers.rip, where,
                 hole && addr >= GiB(4) - MiB(1) && !vmd->release->bios_area
                     ? ". A BIOS that is asked to reboot looks there for its pristine "
                       "copy, which vmd provides since OpenBSD 7.1"
                     : "");
}

static void explain_hole(Explanation *explanation, void *opaque)
{
    VMDMachine *vmd = opaque;
    const VMDRange *hole = find_range(vmd, explanation->addr);

    if (explanation->as != &vmd->pc.parent.memory || explanation->range.mr) {
        return;
    }
    if (hole) {
        explain_note(explanation, "hole", NULL,
                     "vmd's hole for PCI, 0x%08" PRIx64 "-0x%08" PRIx64
                     ": a guest's access there is its end",
                     hole->start, hole->start + hole->size - 1);
    } else {
        explain_note(explanation, "hole", NULL,
                     "vmd gives the guest nothing here: an access is its end");
    }
}

void vmd_memory_stop_at_holes(VMDMachine *vmd)
{
    Machine *machine = &vmd->pc.parent;

    explain_add_hook(explain_hole, vmd);

    address_space_set_unassigned_policy(&machine->memory, MEMORY_UNASSIGNED_STOP,
                                        stop_guest, vmd);
    for (guint i = 0; i < machine->cpus->len; i++) {
        address_space_set_unassigned_policy(X86_CPU(machine->cpus->pdata[i])->memory,
                                            MEMORY_UNASSIGNED_STOP, stop_guest, vmd);
    }
}

/* -- What the firmware is told ------------------------------------------------------- */

/* mc146818.c: NVRAM_MEMSIZE_LO, and NVRAM_HIMEMSIZE_LO. */
enum { CMOS_ABOVE_16M_64KIB = 0x34, CMOS_ABOVE_4G_64KIB = 0x5b };

/* x86_vm.c, init_emulated_hw(), counts what is above 16 MiB as the range at 1 MiB less
 * 15 MiB, and as nothing where that is not more; mc146818_init() counts in 64 KiB. */
void vmd_memory_write_cmos(VMDMachine *vmd)
{
    const VMDRange *above_1m = find_range(vmd, MiB(1));
    const VMDRange *above_4g = find_range(vmd, GiB(4));
    uint64_t low = above_1m && above_1m->size > MiB(15) ? above_1m->size - MiB(15) : 0;
    uint64_t high = above_4g ? above_4g->size : 0;

    for (unsigned i = 0; i < 2; i++) {
        rtc_set_memory(vmd->pc.rtc, CMOS_ABOVE_16M_64KIB + i,
                       (uint8_t)(low / KiB(64) >> (8 * i)));
    }
    for (unsigned i = 0; i < 3; i++) {
        rtc_set_memory(vmd->pc.rtc, CMOS_ABOVE_4G_64KIB + i,
                       (uint8_t)(high / KiB(64) >> (8 * i)));
    }
}
