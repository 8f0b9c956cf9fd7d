/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/acpi/acpi-pm.h"

#include "hw/core/system.h"

/* -- The system control interrupt ---------------------------------------------------- */

#define SCI_EVENTS                                                                       \
    (ACPI_PM1_TIMER | ACPI_PM1_GLOBAL_LOCK | ACPI_PM1_POWER_BUTTON | ACPI_PM1_RTC)

static int64_t now_ticks(void)
{
    return (int64_t)clock_ns_to_ticks(clock_virtual_ns(), ACPI_PM_TIMER_HZ);
}

/* TMR_STS is set when bit 23 of the count changes (section 4.7.2.1): nobody counts along,
 * so it is looked up when somebody asks. */
static uint16_t current_status(ACPIPM *pm)
{
    if (now_ticks() >= pm->overflow_ticks) {
        pm->status |= ACPI_PM1_TIMER;
    }
    return pm->status;
}

static void await_overflow(ACPIPM *pm)
{
    const int64_t half_period = 1 << 23;

    pm->overflow_ticks = (now_ticks() + half_period) & ~(half_period - 1);
}

static void update_sci(ACPIPM *pm)
{
    uint16_t status = current_status(pm);
    bool level = status & pm->enable & SCI_EVENTS;

    for (unsigned i = 0; i < ACPI_GPE0_BYTES; i++) {
        level |= (pm->gpe_status[i] & pm->gpe_enable[i]) != 0;
    }
    pm->sci_changed(pm->opaque, level);

    if (pm->enable & ACPI_PM1_TIMER && !(status & ACPI_PM1_TIMER)) {
        /* One nanosecond late rather than one tick early. */
        timer_mod(&pm->overflow_timer,
                  clock_ticks_to_ns((uint64_t)pm->overflow_ticks, ACPI_PM_TIMER_HZ) + 1);
    } else {
        timer_del(&pm->overflow_timer);
    }
}

static void overflow(void *opaque)
{
    update_sci(opaque);
}

/* -- PM1 event block ----------------------------------------------------------------- */

static uint64_t event_read(void *opaque, hwaddr offset, unsigned size)
{
    ACPIPM *pm = opaque;
    uint32_t block = current_status(pm) | (uint32_t)pm->enable << 16;

    return block >> (8 * offset);
}

static void event_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    ACPIPM *pm = opaque;
    unsigned shift = 8 * (offset & 1);
    uint16_t mask = (uint16_t)((size == 2 ? 0xffff : 0xff) << shift);
    uint16_t bits = (uint16_t)(value << shift) & mask;

    if (offset >= 2) {
        pm->enable = (pm->enable & ~mask) | bits;
    } else {
        if (current_status(pm) & bits & ACPI_PM1_TIMER) {
            await_overflow(pm);
        }
        pm->status &= ~bits;
    }
    update_sci(pm);
}

static const MemoryRegionOps event_ops = {
    .read = event_read,
    .write = event_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = {.min_access_size = 1, .max_access_size = 2},
};

/* -- PM1 control block --------------------------------------------------------------- */

static uint64_t control_read(void *opaque, hwaddr offset, unsigned size)
{
    return ((ACPIPM *)opaque)->control >> (8 * offset);
}

static void enter_sleep(ACPIPM *pm, unsigned type)
{
    if (type == ACPI_SLP_TYP_S5 || type == pm->s4_type) {
        system_shutdown_request(SYSTEM_CAUSE_GUEST_SHUTDOWN);
    } else if (type == ACPI_SLP_TYP_S3) {
        system_suspend_request();
    }
}

static void control_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    ACPIPM *pm = opaque;
    unsigned shift = 8 * (offset & 1);
    uint16_t mask = (uint16_t)((size == 2 ? 0xffff : 0xff) << shift);
    uint16_t control = (pm->control & ~mask) | ((uint16_t)(value << shift) & mask);

    pm->control = control & ~ACPI_PM1_SLP_EN; /* write-only */
    if (pm->acpi_only) {
        pm->control |= ACPI_PM1_SCI_EN;
    }
    if (control & ACPI_PM1_SLP_EN) {
        enter_sleep(pm, control >> ACPI_PM1_SLP_TYP_SHIFT & 7);
    }
}

static const MemoryRegionOps control_ops = {
    .read = control_read,
    .write = control_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = {.min_access_size = 1, .max_access_size = 2},
};

void acpi_pm_set_sci_enabled(ACPIPM *pm, bool enabled)
{
    if (!pm->acpi_only) {
        pm->control =
            enabled ? pm->control | ACPI_PM1_SCI_EN : pm->control & ~ACPI_PM1_SCI_EN;
    }
}

/* -- PM timer ------------------------------------------------------------------------ */

static uint64_t timer_read(void *opaque, hwaddr offset, unsigned size)
{
    return now_ticks() & 0xffffff;
}

static void timer_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
}

static const MemoryRegionOps timer_ops = {
    .read = timer_read,
    .write = timer_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = {.min_access_size = 1, .max_access_size = 4},
    .impl = {.min_access_size = 4, .max_access_size = 4},
};

/* -- General-purpose events ---------------------------------------------------------- */

static uint64_t gpe_read(void *opaque, hwaddr offset, unsigned size)
{
    ACPIPM *pm = opaque;

    return offset < ACPI_GPE0_BYTES ? pm->gpe_status[offset]
                                    : pm->gpe_enable[offset - ACPI_GPE0_BYTES];
}

static void gpe_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    ACPIPM *pm = opaque;

    if (offset < ACPI_GPE0_BYTES) {
        pm->gpe_status[offset] &= ~(uint8_t)value;
    } else {
        pm->gpe_enable[offset - ACPI_GPE0_BYTES] = (uint8_t)value;
    }
    update_sci(pm);
}

static const MemoryRegionOps gpe_ops = {
    .read = gpe_read,
    .write = gpe_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = {.min_access_size = 1, .max_access_size = 4},
    .impl = {.min_access_size = 1, .max_access_size = 1},
};

void acpi_pm_raise_gpe(ACPIPM *pm, unsigned event)
{
    g_return_if_fail(event < 8 * ACPI_GPE0_BYTES);
    pm->gpe_status[event / 8] |= (uint8_t)(1 << event % 8);
    update_sci(pm);
}

/* -- What the machine does to it ----------------------------------------------------- */

void acpi_pm_power_button(ACPIPM *pm)
{
    if (pm->enable & ACPI_PM1_POWER_BUTTON) {
        pm->status |= ACPI_PM1_POWER_BUTTON;
        update_sci(pm);
    }
}

void acpi_pm_wake(ACPIPM *pm, uint16_t source)
{
    pm->status |= ACPI_PM1_WAKE | source;
    update_sci(pm);
}

void acpi_pm_reset(ACPIPM *pm)
{
    pm->status = pm->enable = 0;
    pm->control = pm->acpi_only ? ACPI_PM1_SCI_EN : 0;
    memset(pm->gpe_status, 0, sizeof(pm->gpe_status));
    memset(pm->gpe_enable, 0, sizeof(pm->gpe_enable));
    await_overflow(pm);
    update_sci(pm);
}

void acpi_pm_state_loaded(ACPIPM *pm)
{
    const int64_t period = 1 << 24;

    pm->control &= ~ACPI_PM1_SLP_EN;
    if (pm->overflow_ticks < 0 || pm->overflow_ticks > now_ticks() + period) {
        await_overflow(pm);
    }
    update_sci(pm);
}

void acpi_pm_init(ACPIPM *pm, GObject *owner, MemoryRegion *block,
                  void (*sci_changed)(void *opaque, bool level), void *opaque)
{
    pm->sci_changed = sci_changed;
    pm->opaque = opaque;
    timer_init(&pm->overflow_timer, CLOCK_KIND_VIRTUAL, overflow, pm);
    memory_region_init_io(&pm->event_region, owner, &event_ops, pm, "acpi-evt", 4);
    memory_region_init_io(&pm->control_region, owner, &control_ops, pm, "acpi-cnt", 2);
    memory_region_init_io(&pm->timer_region, owner, &timer_ops, pm, "acpi-tmr", 4);
    memory_region_init_io(&pm->gpe_region, owner, &gpe_ops, pm, "acpi-gpe0",
                          2 * ACPI_GPE0_BYTES);
    memory_region_add_subregion(block, 0, &pm->event_region);
    memory_region_add_subregion(block, 4, &pm->control_region);
    memory_region_add_subregion(block, 8, &pm->timer_region);
}

void acpi_pm_destroy(ACPIPM *pm)
{
    MemoryRegion *const regions[] = {&pm->event_region, &pm->control_region,
                                     &pm->timer_region, &pm->gpe_region};

    timer_del(&pm->overflow_timer);
    for (unsigned i = 0; i < G_N_ELEMENTS(regions); i++) {
        if (regions[i]->container) {
            memory_region_del_subregion(regions[i]->container, regions[i]);
        }
        memory_region_destroy(regions[i]);
    }
}
