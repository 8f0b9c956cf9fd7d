/*
 * PIIX4_PM: function 3 of the 82371AB, power management and SMBus.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_ACPI_PIIX4_PM_H
#define HW_ACPI_PIIX4_PM_H

#include "hw/acpi/acpi-pm.h"
#include "hw/acpi/hotplug.h"
#include "hw/acpi/smbus.h"
#include "hw/core/vmstate.h"
#include "hw/pci/pci.h"

#define PIIX4_SCI_ISA_IRQ 9

typedef struct PIIX4PM {
    PCIDevice parent;
    MemoryRegion block; /* "piix4-pm", 64 bytes of ports where PMBASE says */
    MemoryRegion apm_region;
    ACPIPM acpi;
    SMBusHost smbus;
    ACPICPUHotplug cpu_hotplug;
    ACPIPCIHotplug pci_hotplug;
    uint8_t apm_control, apm_status;
    IRQ *irq; /* output pin 0 of the unnamed group: SCI, and the SMBus's */
    IRQ *smi; /* output pin "smi-irq" */
    bool sci_level, smbus_level;
    bool resources_seen; /* DEVRES registers know of the serial and parallel ports */
    /* Properties, in QEMU's names. */
    uint32_t smb_io_base;
    uint8_t disable_s3, disable_s4, s4_val;
    bool pci_hotplug_bridges, pci_hotplug_root;
    bool smm_compat, smm_enabled, ports_survive_reset;
    bool migrate_smbus, not_migrate_acpi_index, memory_hotplug; /* in migration streams */
} PIIX4PM;

GType piix4_pm_get_type(void);
#define TYPE_PIIX4_PM (piix4_pm_get_type())
#define PIIX4_PM(object) (G_TYPE_CHECK_INSTANCE_CAST((object), TYPE_PIIX4_PM, PIIX4PM))

/* Realizes the function at 1.3 and its EEPROMs; `sci` is ISA IRQ 9's line or NULL.
 * `cpus`: how many processors the machine has. smm: the processors have SMM. */
PIIX4PM *piix4_pm_new(PCIBus *bus, IRQ *sci, unsigned cpus, bool smm, GError **error);

/* Its state in a stream: hw/acpi/piix4-pm-vmstate.c. */
extern const VMStateDescription vmstate_piix4_pm;

/* Puts the ports, the timer and the interrupt where the registers that were loaded say. */
void piix4_pm_state_loaded(PIIX4PM *pm);

/* The power button's press, for `system_powerdown`. */
void piix4_pm_power_button(PIIX4PM *pm);

/* What the fw_cfg file "etc/system-states" says: a byte for S0..S5, bit 7: supported,
 * bits 2-0: what SLP_TYP takes. */
void piix4_pm_system_states(const PIIX4PM *pm, uint8_t states[6]);

#endif
