/*
 * The guests' machine of OpenBSD's vmd(8), as it was in 7.0, from 7.1 on and is
 * since 7.6.
 *
 * A number here is vmd's, of usr.sbin/vmd or sys/arch/amd64/include/vmmvar.h of that
 * release; the file is named beside it. docs/machines.md says what this machine does
 * otherwise.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_TYPES_VMD_H
#define MACHINE_TYPES_VMD_H

#include "machine/machine.h"
#include "machine/types/pc.h"

/* loadfile.h: LOWMEM_KB. What is above it below 1 MiB is RAM too, for the firmware. */
#define VMD_LOW_RAM KiB(640)

/* vmmvar.h: VMM_PCI_MMIO_BAR_BASE; the hole's end is the release's own. */
#define VMD_HOLE_START UINT64_C(0xf0000000)

/* vmmvar.h: VMM_PCI_IO_BAR_BASE and _END, and the steps in which vmd gives out BARs:
 * VMM_PCI_IO_BAR_SIZE, VMM_PCI_MMIO_BAR_SIZE. */
#define VMD_IO_START 0x1000
#define VMD_IO_LAST 0xffff
#define VMD_IO_STEP 0x1000
#define VMD_MMIO_STEP 0x10000

/* What the releases differ in. */
typedef struct VMDRelease {
    const char *number; /* "7.0" */
    hwaddr hole_last;   /* vmmvar.h: VMM_PCI_MMIO_BAR_END, from 7.4 on in vmd.h */
    uint64_t bios_area; /* bytes of RAM that end at 4 GiB; 0: none */
    uint64_t bios_max;  /* bytes: the largest image that loadfile_bios() takes */
    uint64_t bios_low;  /* bytes: how much of the image's end is copied to below 1 MiB */
    uint64_t ram_max;   /* bytes: VMM_MAX_VM_MEM_SIZE */
} VMDRelease;

typedef enum VMDRangeKind {
    VMD_RANGE_RAM,
    VMD_RANGE_RESERVED,
    VMD_RANGE_MMIO
} VMDRangeKind;

/* One of vmd's memory ranges (struct vm_mem_range). */
typedef struct VMDRange {
    VMDRangeKind kind;
    const char *name;
    hwaddr start;
    uint64_t size;
} VMDRange;

#define VMD_RANGES 6

typedef struct VMDMachine {
    PCMachine pc;
    const VMDRelease *release;
    VMDRange ranges[VMD_RANGES];
    unsigned range_count;
    MemoryRegion windows[VMD_RANGES]; /* aliases of the RAM, or of PCI's memory */
    MemoryRegion bios;                /* "vmd.bios", the area below 4 GiB */
    GBytes *image;                    /* what each start copies into memory */
    bool apic_page;                   /* for a SeaBIOS that is not OpenBSD's */
    MemoryRegion no_apic;
    PCIHost *host;
} VMDMachine;

GType vmd_machine_get_type(void);
#define TYPE_VMD_MACHINE (vmd_machine_get_type())
#define VMD_MACHINE(object)                                                              \
    (G_TYPE_CHECK_INSTANCE_CAST((object), TYPE_VMD_MACHINE, VMDMachine))

/* -- vmd-memory.c -------------------------------------------------------------------- */

/* The ranges of a guest with `ram` bytes, ascending, as create_memory_map() makes them;
 * returns how many. */
unsigned vmd_memory_map(const VMDRelease *release, uint64_t ram,
                        VMDRange ranges[VMD_RANGES]);

/* RAM, its windows and the image. *error's kind is G_FILE_ERROR_IO (vmd: EIO) where the
 * image is the cause. */
bool vmd_memory_init(VMDMachine *vmd, GError **error);

/* What vmd's new process for a guest that has rebooted does: empty RAM, the
 * image anew. */
void vmd_memory_reset(VMDMachine *vmd);

/* An access that no range and no device answers ends the guest, as in vmd. */
void vmd_memory_stop_at_holes(VMDMachine *vmd);

/* The memory bytes of the CMOS, as mc146818_init() has them. */
void vmd_memory_write_cmos(VMDMachine *vmd);

/* -- vmd-pci.c ----------------------------------------------------------------------- */

GType vmd_host_bridge_get_type(void);

/* The bus and the host bridge in slot 0. */
bool vmd_pci_init(VMDMachine *vmd, GError **error);

/* Whether the BARs of all devices fit between VMD_HOLE_START and the hole's end. */
bool vmd_pci_check_bars(VMDMachine *vmd, GError **error);

/* Gives every BAR its address and every device its interrupt, and turns them on: vmd does
 * so when it makes a device, firmware has nothing to do. */
void vmd_pci_place_bars(VMDMachine *vmd);

#endif
