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
    bool has_i8042;
    uint64_t gap_start;  /* guest physical: RAM that would lie from here to 4 GiB goes above */
    PVHLayout layout;    /* without .low_ram_end, which is the end of RAM below 4 GiB */
} PVHTypeData;

typedef struct PVHMachine {
    PCMachine pc;
    const PVHTypeData *data;
    uint32_t version; /* of hvm_start_info */
} PVHMachine;

/* How reboots end where there is no firmware, PCI, port 0x92 or ACPI; for its types' tables. */
#define PVH_MACHINE_REBOOTS                                                                \
    {"bios", "unsupported", "a kernel is started here without firmware"},                  \
        {"pci", "hung", "there is no PCI bridge, so nobody answers at port 0xcf9"},        \
        {"port92", "hung", "nobody answers at port 0x92"},                                 \
        {"ctrl-alt-del", "unsupported", "what the keys do is firmware's or a system's"},   \
    {                                                                                      \
        "s3", "unsupported", "there is nothing to sleep by"                                \
    }

GType pvh_machine_get_type(void);
#define TYPE_PVH_MACHINE (pvh_machine_get_type())
#define PVH_MACHINE(object)                                                                \
    (G_TYPE_CHECK_INSTANCE_CAST((object), TYPE_PVH_MACHINE, PVHMachine))

#endif
