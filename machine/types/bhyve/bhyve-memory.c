/*
 * Where bhyve puts memory: segments, what the guest sees of them, and what is between.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/types/bhyve/bhyve.h"

#include <errno.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "firmware/loader.h"
#include "hw/core/system.h"
#include "memory/access.h"
#include "memory/explain.h"
#include "memory/ram-block.h"

/* -- Segments and mappings ----------------------------------------------------------- */

/* Shows `size` bytes of a segment, from `offset` on, at guest address `gpa`. */
static void map_segment(BhyveMachine *bhyve, MemoryRegion *mapping, const char *name,
                        MemoryRegion *segment, hwaddr gpa, uint64_t offset, uint64_t size,
                        bool writable)
{
    memory_region_init_alias(mapping, NULL, name, segment, offset, size);
    memory_region_set_readonly(mapping, !writable);
    memory_region_add_subregion(&bhyve->pc.parent.system_memory, gpa, mapping);
}

/* vmmapi.c, vm_setup_memory(): what is beyond the limit is above 4 GiB. */
static bool init_sysmem(BhyveMachine *bhyve, GError **error)
{
    Machine *machine = &bhyve->pc.parent;
    uint64_t limit = bhyve->lowmem_limit;

    if (limit < MiB(1) || limit > BHYVE_HOLE_START || limit % MEMORY_PAGE_SIZE) {
        return refuse_argument(error,
                               "lowmem-limit=%" PRIu64
                               ": give whole pages of 4 KiB, from "
                               "1 MiB to 3 GiB, where the PCI hole starts",
                               limit);
    }
    if (!machine_init_ram(machine, "sysmem", error)) {
        return false;
    }
    bhyve->low = MIN(machine->config.ram_size, limit);
    bhyve->high = machine->config.ram_size - bhyve->low;
    map_segment(bhyve, &bhyve->low_mapping, "lowmem", &machine->ram, 0, 0, bhyve->low,
                true);
    if (bhyve->high) {
        map_segment(bhyve, &bhyve->high_mapping, "highmem", &machine->ram, GiB(4),
                    bhyve->low, bhyve->high, true);
    }
    return true;
}

/* -- The bootrom --------------------------------------------------------------------- */

static bool load_bootrom(BhyveMachine *bhyve, GError **error)
{
    static const FirmwareRules rules = {"bootrom", MEMORY_PAGE_SIZE, BHYVE_BOOTROM_SIZE};
    const MachineConfig *config = &bhyve->pc.parent.config;
    const char *name = bhyve->bootrom_name ? bhyve->bootrom_name : config->firmware;

    if (bhyve->bootrom_name && config->firmware) {
        return refuse_argument(error,
                               "-bios and the machine's bootrom= are the same; give "
                               "one of them");
    }
    if (name && config->kernel) {
        return refuse_argument(error, "-kernel: a guest is started from a kernel or from "
                                      "a bootrom (-bios); leave one of them out");
    }
    if (name) {
        bhyve->bootrom_image = firmware_load(name, config->data_dirs, &rules, error);
    }
    return !name || bhyve->bootrom_image;
}

static void copy_bootrom(BhyveMachine *bhyve)
{
    size_t size;
    const void *image = g_bytes_get_data(bhyve->bootrom_image, &size);
    uint8_t *segment = memory_region_get_ram_ptr(&bhyve->bootrom);

    memcpy(segment + BHYVE_BOOTROM_SIZE - size, image, size);
    memory_region_set_dirty(&bhyve->bootrom, BHYVE_BOOTROM_SIZE - size, size);
}

/* bootrom.c: the segment is there whether it is used or not. Parts of it are allocated
 * from the top and mapped for reading; below them is the hole. */
static bool init_bootrom(BhyveMachine *bhyve, GError **error)
{
    size_t size;

    if (!load_bootrom(bhyve, error) ||
        !memory_region_init_ram(&bhyve->bootrom, NULL, "bootrom", BHYVE_BOOTROM_SIZE,
                                error)) {
        return false;
    }
    if (bhyve->bootrom_image) {
        size = g_bytes_get_size(bhyve->bootrom_image);
        map_segment(bhyve, &bhyve->bootrom_mapping, "bootrom-image", &bhyve->bootrom,
                    GiB(4) - size, BHYVE_BOOTROM_SIZE - size, size, false);
        copy_bootrom(bhyve);
    }
    return true;
}

/* -- Where nobody answers ------------------------------------------------------------ */

/* pci_emul.c, pci_emul_fallback_handler(): from the end of low memory to 4 GiB. */
static uint64_t hole_read(void *opaque, hwaddr offset, unsigned size)
{
    return UINT64_MAX;
}

static void hole_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
}

static const MemoryRegionOps hole_ops = {
    .read = hole_read,
    .write = hole_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = {.min_access_size = 1, .max_access_size = 8, .unaligned = true},
    .impl = {.min_access_size = 1, .max_access_size = 8, .unaligned = true},
};

static void show_hole(BhyveMachine *bhyve, MemoryRegion *hole, const char *name,
                      hwaddr start, hwaddr end)
{
    if (start < end) {
        memory_region_init_io(hole, NULL, &hole_ops, NULL, name, end - start);
        memory_region_add_subregion_overlap(&bhyve->pc.parent.system_memory, start, hole,
                                            -2); /* below "pci" */
    }
}

/* Beyond memory and the BARs above it nothing is registered: vmexit.c,
 * vmexit_inst_emul() says so and bhyve ends. */
static void stop_guest(AddressSpace *as, hwaddr addr, unsigned size, bool is_write,
                       void *opaque)
{
    X86CPU *cpu = x86_cpu_current();

    if (!cpu) {
        return; /* a monitor that looks, or a device */
    }
    cpu->ops->get_registers(cpu);
    system_fatal("Unhandled memory access to 0x%" PRIx64 ", %u-byte %s at rip=0x%" PRIx64
                 ": the guest has neither memory nor a device there, and bhyve ends",
                 addr, size, is_write ? "write" : "read",
                 cpu->registers.segment[X86_CS].base + cpu->registers.rip);
}

static void stop_beyond_memory(BhyveMachine *bhyve)
{
    Machine *machine = &bhyve->pc.parent;

    address_space_set_unassigned_policy(&machine->memory, MEMORY_UNASSIGNED_STOP,
                                        stop_guest, bhyve);
    for (guint i = 0; i < machine->cpus->len; i++) {
        address_space_set_unassigned_policy(X86_CPU(machine->cpus->pdata[i])->memory,
                                            MEMORY_UNASSIGNED_STOP, stop_guest, bhyve);
    }
}

static void explain_hole(Explanation *explanation, void *opaque)
{
    BhyveMachine *bhyve = opaque;
    const MemoryRegion *mr = explanation->range.mr;

    if (explanation->as != &bhyve->pc.parent.memory) {
        return;
    }
    if (mr == &bhyve->memory_hole || mr == &bhyve->pci_hole) {
        explain_note(explanation, "hole", NULL,
                     "no memory and no device: reads give ones, writes are lost");
    } else if (!mr) {
        explain_note(explanation, "hole", NULL,
                     "bhyve gives the guest nothing here: an access is its end");
    }
}

bool bhyve_memory_init(BhyveMachine *bhyve, GError **error)
{
    if (!init_sysmem(bhyve, error) || !init_bootrom(bhyve, error)) {
        return false;
    }
    show_hole(bhyve, &bhyve->memory_hole, "memory-hole", bhyve->low, BHYVE_HOLE_START);
    show_hole(bhyve, &bhyve->pci_hole, "pci-hole", BHYVE_HOLE_START, GiB(4));
    stop_beyond_memory(bhyve);
    explain_add_hook(explain_hole, bhyve);
    return true;
}

void bhyve_memory_reset(BhyveMachine *bhyve)
{
    if (bhyve->pc.powered_on) {
        memory_region_clear_ram(&bhyve->pc.parent.ram);
        if (bhyve->bootrom_image) {
            copy_bootrom(bhyve);
        }
    }
    bhyve->pc.powered_on = true;
}

/* -- wired=on ------------------------------------------------------------------------ */

typedef struct Wiring {
    uint64_t bytes; /* pinned so far */
    GError **error;
} Wiring;

static bool refuse_wiring(const Wiring *wiring, const RAMBlock *block)
{
    g_autofree char *reason = g_strdup(g_strerror(errno));
    g_autofree char *allowed = NULL;
    struct rlimit limit;

    if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
        allowed = g_strdup_printf("%" PRIu64 " KiB", (uint64_t)limit.rlim_cur >> 10);
    }
    g_set_error(
        wiring->error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
        "wired=on: cannot pin segment '%s' of %" PRIu64 " KiB (%" PRIu64
        " KiB are pinned): %s; RLIMIT_MEMLOCK is %s, raise it (ulimit -l), or give "
        "the guest less memory (-m)",
        block->name, block->used_length >> 10, wiring->bytes >> 10, reason,
        allowed ? allowed : "unlimited");
    return false;
}

/* mlock() brings every page in before it returns. */
static bool wire_block(RAMBlock *block, void *opaque)
{
    Wiring *wiring = opaque;

    if (mlock(block->host, block->used_length) != 0) {
        return refuse_wiring(wiring, block);
    }
    wiring->bytes += block->used_length;
    return true;
}

bool bhyve_memory_wire(GError **error)
{
    GError *why = NULL;
    Wiring wiring = {.error = &why};

    ram_block_foreach(wire_block, &wiring);
    if (why) {
        g_propagate_error(error, why);
    }
    return !why;
}

/* -- What the guest is told ---------------------------------------------------------- */

/* usr.sbin/bhyve/amd64/rtc.c: RTC_LMEM_LSB and RTC_HMEM_LSB, in units of 64 KiB. Of
 * a guest of less than 16 MiB the first is 0 here; bhyve's becomes a negative number. */
enum { CMOS_ABOVE_16M_64KIB = 0x34, CMOS_ABOVE_4G_64KIB = 0x5b };

void bhyve_memory_write_cmos(BhyveMachine *bhyve)
{
    uint64_t low = bhyve->low > MiB(16) ? bhyve->low - MiB(16) : 0;

    for (unsigned i = 0; i < 2; i++) {
        rtc_set_memory(bhyve->pc.rtc, CMOS_ABOVE_16M_64KIB + i,
                       (uint8_t)(low / KiB(64) >> (8 * i)));
    }
    for (unsigned i = 0; i < 3; i++) {
        rtc_set_memory(bhyve->pc.rtc, CMOS_ABOVE_4G_64KIB + i,
                       (uint8_t)(bhyve->high / KiB(64) >> (8 * i)));
    }
}
