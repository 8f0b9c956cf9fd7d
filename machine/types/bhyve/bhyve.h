/*
 * The guests' machine of FreeBSD's bhyve(8), loaded by bhyveload(8) or started from a
 * bootrom.
 *
 * Memory is segments: RAM regions with a name and a size of their own, in no container.
 * What the guest sees of one is a mapping, an alias that is read-only or writable and
 * that comes, moves and goes without the segment noticing, like vm_alloc_memseg() and
 * vm_mmap_memseg() of lib/libvmmapi/vmmapi.c.
 *
 * A number here is bhyve's; the file of FreeBSD's src is named beside it.
 * docs/machines.md says what this machine does otherwise.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_TYPES_BHYVE_H
#define MACHINE_TYPES_BHYVE_H

#include "firmware/bsd-boot.h"
#include "hw/pci/pci-host.h"
#include "machine/machine.h"
#include "machine/types/pc.h"

/* usr.sbin/bhyve/pci_emul.c: PCI_EMUL_MEMBASE32, PCI_EMUL_MEMLIMIT32, PCI_EMUL_ECFG_BASE,
 * PCI_EMUL_MEMSIZE64, PCI_EMUL_IOBASE and PCI_EMUL_IOLIMIT. Low memory ends at the hole's
 * start at the latest. */
#define BHYVE_HOLE_START UINT64_C(0xc0000000)
#define BHYVE_BAR_LIMIT UINT64_C(0xe0000000)
#define BHYVE_ECFG_BASE UINT64_C(0xe0000000)
#define BHYVE_ECFG_SIZE MiB(256)
#define BHYVE_BAR64_SIZE GiB(32)
#define BHYVE_IO_START 0x2000
#define BHYVE_IO_LIMIT 0x10000

/* usr.sbin/bhyve/bootrom.c: BOOTROM_SIZE. The area ends at 4 GiB. */
#define BHYVE_BOOTROM_SIZE MiB(16)

typedef struct BhyveMachine {
    PCMachine pc;
    uint64_t lowmem_limit;
    bool wired;
    char *bootrom_name; /* the property; NULL: -bios, or none */

    uint64_t low, high; /* bytes of sysmem below the hole, and from 4 GiB on */
    MemoryRegion low_mapping, high_mapping;
    MemoryRegion memory_hole, pci_hole, ecfg;
    MemoryRegion bootrom;         /* the segment, BHYVE_BOOTROM_SIZE bytes */
    MemoryRegion bootrom_mapping; /* the part of it that holds the image */
    GBytes *bootrom_image;        /* NULL: none */
    PCIHost *host;
    BSDBoot boot; /* what -kernel starts; no pieces: none was given */
} BhyveMachine;

GType bhyve_machine_get_type(void);
#define TYPE_BHYVE_MACHINE (bhyve_machine_get_type())
#define BHYVE_MACHINE(object)                                                            \
    (G_TYPE_CHECK_INSTANCE_CAST((object), TYPE_BHYVE_MACHINE, BhyveMachine))

/* -- bhyve-memory.c ------------------------------------------------------------------ */

/* The segments sysmem and bootrom, the image in the latter, the holes. */
bool bhyve_memory_init(BhyveMachine *bhyve, GError **error);

/* wired=on: every page of every segment is in the host's memory and stays there. False
 * and *error that says what forbids it. */
bool bhyve_memory_wire(GError **error);

/* What a new bhyve process for a guest that has rebooted starts with: empty memory, the
 * bootrom as its file. */
void bhyve_memory_reset(BhyveMachine *bhyve);

/* The memory bytes of the CMOS, as rtc_init() has them. */
void bhyve_memory_write_cmos(BhyveMachine *bhyve);

/* -- bhyve-pci.c --------------------------------------------------------------------- */

GType bhyve_host_bridge_get_type(void);
GType bhyve_lpc_get_type(void);

/* The bus, its configuration space in memory (PCI ECFG), the host bridge in slot 0 and
 * the LPC bridge in slot 31. */
bool bhyve_pci_init(BhyveMachine *bhyve, GError **error);

/* Whether the BARs of all devices find a place. */
bool bhyve_pci_check_bars(BhyveMachine *bhyve, GError **error);

/* Gives every BAR its address, and where no bootrom is there to do it turns them on. */
void bhyve_pci_place_bars(BhyveMachine *bhyve);

/* -- bhyve-fbuf.c: the frame buffer, with the segment "framebuffer". ----------------- */

GType bhyve_fbuf_get_type(void);

/* -- bhyve-kernel.c: bhyveload's work. ----------------------------------------------- */

/* Takes -kernel apart and lays out what the kernel is told. */
bool bhyve_kernel_init(BhyveMachine *bhyve, GError **error);

/* Writes it into memory, and the processor's registers. */
void bhyve_kernel_start(BhyveMachine *bhyve);

#endif
