/*
 * PIIX4_PM in a migration stream: the function, ACPI's registers, the SMBus host and the
 * hotplug registers.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <gio/gio.h>

#include "hw/acpi/piix4-pm.h"
#include "hw/pci/pci-vmstate.h"

/* A row whose structure's members are the device's own. */
#define VMSTATE_OWN_STRUCT(name_, version, Struct, vmsd_)                                \
    VMSTATE_ROW(name_, version, NULL, .flags = VMS_STRUCT, .vmsd = &vmsd_,               \
                .size = sizeof(Struct))

/* -- APM ----------------------------------------------------------------------------- */

static const VMStateDescription vmstate_apm = {
    .name = "APM State",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields =
        (const VMStateField[]){
            VMSTATE_AS(apm_control, PIIX4PM, "apmc", uint8),
            VMSTATE_AS(apm_status, PIIX4PM, "apms", uint8),
            VMSTATE_END_OF_LIST(),
        },
};

/* -- SMBus --------------------------------------------------------------------------- */

static bool smbus_post_load(void *opaque, int version_id, GError **error)
{
    SMBusHost *host = opaque;

    if (host->block_index >= SMBUS_BLOCK_MAX) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                    "the SMBus host has no byte %u in its block: the stream is broken",
                    host->block_index);
        return false;
    }
    return true;
}

/* The auxiliary control register says that the block buffer is there, as it always is;
 * reads of blocks by the I2C protocol are not done here. */
static const VMStateDescription vmstate_smbus = {
    .name = "pmsmb",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = smbus_post_load,
    .fields =
        (const VMStateField[]){
            VMSTATE_AS(status, SMBusHost, "smb_stat", uint8),
            VMSTATE_AS(control, SMBusHost, "smb_ctl", uint8),
            VMSTATE_AS(command, SMBusHost, "smb_cmd", uint8),
            VMSTATE_AS(address, SMBusHost, "smb_addr", uint8),
            VMSTATE_AS(data[0], SMBusHost, "smb_data0", uint8),
            VMSTATE_AS(data[1], SMBusHost, "smb_data1", uint8),
            VMSTATE_AS(block_index, SMBusHost, "smb_index", uint32),
            VMSTATE_ARRAY_AS(block, SMBusHost, "smb_data", uint8),
            VMSTATE_CONSTANT("smb_auxctl", uint8, 2),
            VMSTATE_CONSTANT("smb_blkdata", uint8, 0),
            VMSTATE_CONSTANT("i2c_enable", bool, 0),
            VMSTATE_CONSTANT("op_done", bool, 1),
            VMSTATE_CONSTANT("in_i2c_block_read", bool, 0),
            VMSTATE_ROW("start_transaction_on_status_read", 0, NULL, .flags = VMS_SINGLE,
                        .info = &vmstate_info_bool, .size = sizeof(bool),
                        .offset = VMSTATE_AT(SMBusHost, pending, bool)),
            VMSTATE_END_OF_LIST(),
        },
};

static bool migrates_smbus(void *opaque, int version_id)
{
    return ((PIIX4PM *)opaque)->migrate_smbus;
}

/* -- General-purpose events ---------------------------------------------------------- */

typedef struct WireGPE {
    uint16_t sts, en; /* the first register is the low byte */
} WireGPE;

static void gpe_to_wire(void *opaque, void *data)
{
    const ACPIPM *pm = opaque;

    *(WireGPE *)data = (WireGPE){
        .sts = (uint16_t)(pm->gpe_status[0] | pm->gpe_status[1] << 8),
        .en = (uint16_t)(pm->gpe_enable[0] | pm->gpe_enable[1] << 8),
    };
}

static bool gpe_from_wire(void *opaque, void *data, int version_id, GError **error)
{
    ACPIPM *pm = opaque;
    const WireGPE *wire = data;

    for (unsigned i = 0; i < ACPI_GPE0_BYTES; i++) {
        pm->gpe_status[i] = (uint8_t)(wire->sts >> (8 * i));
        pm->gpe_enable[i] = (uint8_t)(wire->en >> (8 * i));
    }
    return true;
}

static const VMStateDescription vmstate_gpe = {
    .name = "gpe",
    .version_id = 1,
    .minimum_version_id = 1,
    .wire_size = sizeof(WireGPE),
    .to_wire = gpe_to_wire,
    .from_wire = gpe_from_wire,
    .fields =
        (const VMStateField[]){
            VMSTATE_UINT16(sts, WireGPE),
            VMSTATE_UINT16(en, WireGPE),
            VMSTATE_END_OF_LIST(),
        },
};

/* -- PCI hotplug --------------------------------------------------------------------- */

/* A bus's slots that were plugged or are to go. */
#define SLOT_FIELDS                                                                      \
    (const VMStateField[])                                                               \
    {                                                                                    \
        VMSTATE_UINT32(up, ACPIPCISlots), VMSTATE_UINT32(down, ACPIPCISlots),            \
            VMSTATE_END_OF_LIST(),                                                       \
    }

static const VMStateDescription vmstate_pci_status = {
    .name = "pci_status",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = SLOT_FIELDS,
};

static const VMStateDescription vmstate_pcihp_pci_status = {
    .name = "acpi_pcihp_pci_status",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = SLOT_FIELDS,
};

static bool has_bridges(void *opaque, int version_id)
{
    return ((PIIX4PM *)opaque)->pci_hotplug_bridges;
}

static bool has_no_bridges(void *opaque, int version_id)
{
    return !has_bridges(opaque, version_id);
}

static bool has_acpi_index(void *opaque, int version_id)
{
    const PIIX4PM *pm = opaque;

    return pm->pci_hotplug_bridges && !pm->not_migrate_acpi_index;
}

/* -- CPU and memory hotplug ---------------------------------------------------------- */

/* As many CPUs as APIC ids of a byte can name. */
#define CPUS_MAX 255

typedef struct WireCPUHotplug {
    uint32_t selector;
    uint8_t command;
    uint32_t dev_count;
    uint8_t devs[CPUS_MAX]; /* without contents: each CPU is there for good */
} WireCPUHotplug;

static void cpu_hotplug_to_wire(void *opaque, void *data)
{
    const PIIX4PM *pm = opaque;
    WireCPUHotplug *wire = data;

    wire->selector = pm->cpu_hotplug.selector;
    wire->command = pm->cpu_hotplug.command;
    wire->dev_count = MIN(pm->cpu_hotplug.cpus, CPUS_MAX);
}

static bool cpu_hotplug_from_wire(void *opaque, void *data, int version_id,
                                  GError **error)
{
    PIIX4PM *pm = opaque;
    const WireCPUHotplug *wire = data;

    pm->cpu_hotplug.selector = wire->selector;
    pm->cpu_hotplug.command = wire->command;
    acpi_cpu_hotplug_set_modern(&pm->cpu_hotplug, true);
    return true;
}

static const VMStateDescription vmstate_cpu_status = {
    .name = "CPU hotplug device state",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields =
        (const VMStateField[]){
            VMSTATE_CONSTANT("is_inserting", bool, 0),
            VMSTATE_CONSTANT("is_removing", bool, 0),
            VMSTATE_CONSTANT("ost_event", uint32, 0),
            VMSTATE_CONSTANT("ost_status", uint32, 0),
            VMSTATE_END_OF_LIST(),
        },
};

static const VMStateDescription vmstate_cpu_hotplug = {
    .name = "CPU hotplug state",
    .version_id = 1,
    .minimum_version_id = 1,
    .wire_size = sizeof(WireCPUHotplug),
    .to_wire = cpu_hotplug_to_wire,
    .from_wire = cpu_hotplug_from_wire,
    .fields =
        (const VMStateField[]){
            VMSTATE_UINT32(selector, WireCPUHotplug),
            VMSTATE_UINT8(command, WireCPUHotplug),
            VMSTATE_STRUCT_VARRAY_UINT32(devs, WireCPUHotplug, dev_count, 0,
                                         vmstate_cpu_status, uint8_t),
            VMSTATE_END_OF_LIST(),
        },
};

static bool cpu_hotplug_is_modern(void *opaque)
{
    return acpi_cpu_hotplug_is_modern(&((PIIX4PM *)opaque)->cpu_hotplug);
}

static const VMStateDescription vmstate_cpuhp = {
    .name = "piix4_pm/cpuhp",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = cpu_hotplug_is_modern,
    .fields =
        (const VMStateField[]){
            VMSTATE_OWN_STRUCT("cpuhp_state", 1, PIIX4PM, vmstate_cpu_hotplug),
            VMSTATE_END_OF_LIST(),
        },
};

static const VMStateDescription vmstate_memory_slot = {
    .name = "memory hotplug device state",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields =
        (const VMStateField[]){
            VMSTATE_CONSTANT("is_enabled", bool, false),
            VMSTATE_CONSTANT("is_inserting", bool, false),
            VMSTATE_CONSTANT("ost_event", uint32, 0),
            VMSTATE_CONSTANT("ost_status", uint32, 0),
            VMSTATE_END_OF_LIST(),
        },
};

/* There are no memory slots. */
static const VMStateDescription vmstate_memory_hotplug = {
    .name = "memory hotplug state",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields =
        (const VMStateField[]){
            VMSTATE_CONSTANT("selector", uint32, 0),
            VMSTATE_ROW("devs", 0, NULL, .flags = VMS_STRUCT | VMS_ARRAY, .num = 0,
                        .vmsd = &vmstate_memory_slot),
            VMSTATE_END_OF_LIST(),
        },
};

static bool has_memory_hotplug(void *opaque)
{
    return ((PIIX4PM *)opaque)->memory_hotplug;
}

static const VMStateDescription vmstate_memhp = {
    .name = "piix4_pm/memhp",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = has_memory_hotplug,
    .fields =
        (const VMStateField[]){
            VMSTATE_OWN_STRUCT("acpi_memory_hotplug", 1, PIIX4PM, vmstate_memory_hotplug),
            VMSTATE_END_OF_LIST(),
        },
};

/* -- The function -------------------------------------------------------------------- */

/* The guest is one that has not switched, unless the stream says so. */
static void piix4_pm_pre_load(void *opaque)
{
    acpi_cpu_hotplug_set_modern(&((PIIX4PM *)opaque)->cpu_hotplug, false);
}

static bool piix4_pm_post_load(void *opaque, int version_id, GError **error)
{
    piix4_pm_state_loaded(opaque);
    return true;
}

const VMStateDescription vmstate_piix4_pm = {
    .name = "piix4_pm",
    .version_id = 3,
    .minimum_version_id = 3,
    .pre_load = piix4_pm_pre_load,
    .post_load = piix4_pm_post_load,
    .fields =
        (const VMStateField[]){
            VMSTATE_PCI_DEVICE(parent, PIIX4PM, "parent_obj"),
            VMSTATE_AS(acpi.status, PIIX4PM, "ar.pm1.evt.sts", uint16),
            VMSTATE_AS(acpi.enable, PIIX4PM, "ar.pm1.evt.en", uint16),
            VMSTATE_AS(acpi.control, PIIX4PM, "ar.pm1.cnt.cnt", uint16),
            VMSTATE_OWN_STRUCT("apm", 0, PIIX4PM, vmstate_apm),
            VMSTATE_ROW("smb", 3, migrates_smbus, .flags = VMS_STRUCT,
                        .vmsd = &vmstate_smbus, .size = sizeof(SMBusHost),
                        .offset = offsetof(PIIX4PM, smbus)),
            VMSTATE_TIMER_AS(acpi.overflow_timer, PIIX4PM, "ar.tmr.timer", 0),
            VMSTATE_AS(acpi.overflow_ticks, PIIX4PM, "ar.tmr.overflow_time", int64),
            VMSTATE_STRUCT_AS(acpi, PIIX4PM, "ar.gpe", 2, vmstate_gpe, ACPIPM),
            VMSTATE_ROW("acpi_pci_hotplug.acpi_pcihp_pci_status[0x0]", 2, has_no_bridges,
                        .flags = VMS_STRUCT, .vmsd = &vmstate_pci_status,
                        .size = sizeof(ACPIPCISlots),
                        .offset = offsetof(PIIX4PM, pci_hotplug.slots)),
            VMSTATE_AS_TEST(pci_hotplug.select, PIIX4PM,
                            "acpi_pci_hotplug.hotplug_select", uint32, has_bridges),
            VMSTATE_ROW("acpi_pci_hotplug.acpi_pcihp_pci_status", 1, has_bridges,
                        .flags = VMS_STRUCT | VMS_ARRAY, .num = ACPI_PCI_BUSES,
                        .vmsd = &vmstate_pcihp_pci_status, .size = sizeof(ACPIPCISlots),
                        .offset = offsetof(PIIX4PM, pci_hotplug.slots)),
            VMSTATE_ROW("acpi_pci_hotplug.acpi_index", 0, has_acpi_index,
                        .flags = VMS_SINGLE, .info = &vmstate_info_uint32,
                        .size = sizeof(uint32_t), .host = VMSTATE_HOST_CONSTANT),
            VMSTATE_END_OF_LIST(),
        },
    .subsections =
        (const VMStateDescription *const[]){&vmstate_memhp, &vmstate_cpuhp, NULL},
};
