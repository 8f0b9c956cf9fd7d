/*
 * The ACPI fixed hardware (ACPI 1.0b, section 4.7): the PM1 event and control blocks, the
 * power management timer, and general-purpose event block 0.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_ACPI_ACPI_PM_H
#define HW_ACPI_ACPI_PM_H

#include "hw/core/clock.h"
#include "hw/core/device.h"

/* Bits of PM1_STS and, but for WAK, PM1_EN. */
enum {
    ACPI_PM1_TIMER = 1 << 0,
    ACPI_PM1_GLOBAL_LOCK = 1 << 5,
    ACPI_PM1_POWER_BUTTON = 1 << 8,
    ACPI_PM1_RTC = 1 << 10,
    ACPI_PM1_WAKE = 1 << 15,
};

/* Bits of PM1_CNT. */
enum {
    ACPI_PM1_SCI_EN = 1 << 0,
    ACPI_PM1_SLP_TYP_SHIFT = 10, /* three bits */
    ACPI_PM1_SLP_EN = 1 << 13,
};

/* What the PIIX4 wants in SLP_TYP for each sleep; S4 is a property of the device. */
enum {
    ACPI_SLP_TYP_S5 = 0,
    ACPI_SLP_TYP_S3 = 1,
};

#define ACPI_PM_TIMER_HZ 3579545
#define ACPI_GPE0_BYTES 2 /* of status, and as many of enable */

typedef struct ACPIPM {
    MemoryRegion event_region;   /* "acpi-evt", 4 bytes: status, enable */
    MemoryRegion control_region; /* "acpi-cnt", 2 bytes */
    MemoryRegion timer_region;   /* "acpi-tmr", 4 bytes: 24 bits of count */
    MemoryRegion gpe_region;     /* "acpi-gpe0", 4 bytes: status, enable */
    uint16_t status, enable, control;
    uint8_t gpe_status[ACPI_GPE0_BYTES], gpe_enable[ACPI_GPE0_BYTES];
    int64_t overflow_ticks; /* when the timer's bit 23 changes next and sets TMR_STS */
    Timer overflow_timer;
    uint8_t s4_type;
    bool acpi_only; /* SCI_EN is always set: there is no SMM to switch it */
    void (*sci_changed)(void *opaque, bool level);
    void *opaque;
} ACPIPM;

/* Makes the regions and puts the PM1 blocks and the timer at 0, 4 and 8 of `block`. The
 * caller sets s4_type and acpi_only, and places gpe_region. sci_changed is called with
 * the level of the system control interrupt whenever it may have changed. */
void acpi_pm_init(ACPIPM *pm, GObject *owner, MemoryRegion *block,
                  void (*sci_changed)(void *opaque, bool level), void *opaque);
void acpi_pm_destroy(ACPIPM *pm);
void acpi_pm_reset(ACPIPM *pm);

/* After its members were loaded: the interrupt, and the timer's next overflow. */
void acpi_pm_state_loaded(ACPIPM *pm);

/* The APM port's ACPI_ENABLE and ACPI_DISABLE commands (section 4.7.2.5). */
void acpi_pm_set_sci_enabled(ACPIPM *pm, bool enabled);

/* Pressed: an event if the guest has enabled it, nothing otherwise. */
void acpi_pm_power_button(ACPIPM *pm);

/* The machine is back from S3, after its reset; `source`: an ACPI_PM1_* event, or 0. */
void acpi_pm_wake(ACPIPM *pm, uint16_t source);

/* A general-purpose event 0..15 has happened. */
void acpi_pm_raise_gpe(ACPIPM *pm, unsigned event);

#endif
