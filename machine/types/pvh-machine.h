/*
 * PVHMachine: a PC without firmware, PCI or ISA cards, which starts a PVH kernel (-kernel)
 * at its 32-bit entry: what the tables of microvm and firecracker describe.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_TYPES_PVH_MACHINE_H
#define MACHINE_TYPES_PVH_MACHINE_H

#include "firmware/pvh.h"
#include "machine/types/pc.h"

/* MachineType.data of its types. */
typedef struct PVHTypeData {
    PCTypeData board;    /* .apics, .no_rtc */
    uint64_t gap_start;  /* guest physical: RAM that would lie from here to 4 GiB goes above */
    PVHLayout layout;    /* without .low_ram_end, which is the end of RAM below 4 GiB */
} PVHTypeData;

typedef struct PVHMachine {
    PCMachine pc;
    const PVHTypeData *data;
    uint32_t version; /* of hvm_start_info */
} PVHMachine;

/* How the reboots of its types end. */
extern const MachineReboot pvh_machine_reboots[];

GType pvh_machine_get_type(void);
#define TYPE_PVH_MACHINE (pvh_machine_get_type())
#define PVH_MACHINE(object)                                                                \
    (G_TYPE_CHECK_INSTANCE_CAST((object), TYPE_PVH_MACHINE, PVHMachine))

#endif
