/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/acpi/hotplug.h"

#define LEGACY_BYTES 32
#define MODERN_BYTES 12

/* -- Legacy: a bit for each CPU's APIC id -------------------------------------------- */

static uint64_t legacy_read(void *opaque, hwaddr offset, unsigned size)
{
    const ACPICPUHotplug *state = opaque;
    uint8_t present = 0;

    for (unsigned bit = 0; bit < 8; bit++) {
        present |= (uint8_t)((8 * offset + bit < state->cpus) << bit);
    }
    return present;
}

/* Firmware never had a reason to write the bitmap, so the interface's second version took
 * that as the sign to switch to it. */
static void legacy_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    ACPICPUHotplug *state = opaque;

    if (offset == 0 && value == 0) {
        acpi_cpu_hotplug_set_modern(state, true);
    }
}

static const MemoryRegionOps legacy_ops = {
    .read = legacy_read,
    .write = legacy_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = {.min_access_size = 1, .max_access_size = 1},
};

/* -- Modern: a CPU is selected, then asked and told ---------------------------------- */

enum {
    CPU_SELECTOR = 0, /* write, 4 bytes; read: the data's upper half */
    CPU_FLAGS = 4,    /* 1 byte */
    CPU_COMMAND = 5,  /* 1 byte */
    CPU_DATA = 8,     /* 4 bytes */
};

enum {
    COMMAND_NEXT_WITH_EVENT = 0,
    COMMAND_GET_ARCH_ID = 3,
};

#define FLAG_ENABLED 1

static uint64_t modern_read(void *opaque, hwaddr offset, unsigned size)
{
    const ACPICPUHotplug *state = opaque;
    bool valid = state->selector < state->cpus;

    switch (offset) {
    case CPU_FLAGS:
        return valid ? FLAG_ENABLED : 0;
    case CPU_DATA: /* APIC ids count as indices do */
        return valid && (state->command == COMMAND_NEXT_WITH_EVENT ||
                         state->command == COMMAND_GET_ARCH_ID)
                   ? state->selector
                   : 0;
    default:
        return 0;
    }
}

static void modern_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    ACPICPUHotplug *state = opaque;

    if (offset == CPU_SELECTOR) {
        state->selector = (uint32_t)value;
    } else if (offset == CPU_COMMAND && value <= COMMAND_GET_ARCH_ID) {
        state->command = (uint8_t)value;
    }
}

static const MemoryRegionOps modern_ops = {
    .read = modern_read,
    .write = modern_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = {.min_access_size = 1, .max_access_size = 4},
};

bool acpi_cpu_hotplug_is_modern(const ACPICPUHotplug *state)
{
    return memory_region_is_mapped(&state->modern);
}

void acpi_cpu_hotplug_set_modern(ACPICPUHotplug *state, bool modern)
{
    if (modern == acpi_cpu_hotplug_is_modern(state)) {
        return;
    }
    memory_region_transaction_begin();
    memory_region_del_subregion(state->io, modern ? &state->legacy : &state->modern);
    memory_region_add_subregion(state->io, state->base,
                                modern ? &state->modern : &state->legacy);
    memory_region_transaction_commit();
}

/* -- Life ---------------------------------------------------------------------------- */

void acpi_cpu_hotplug_init(ACPICPUHotplug *state, GObject *owner, MemoryRegion *io,
                           hwaddr base)
{
    *state = (ACPICPUHotplug){.io = io, .base = base, .cpus = 1};
    memory_region_init_io(&state->legacy, owner, &legacy_ops, state, "acpi-cpu-hotplug",
                          LEGACY_BYTES);
    memory_region_init_io(&state->modern, owner, &modern_ops, state, "acpi-cpu-hotplug",
                          MODERN_BYTES);
    memory_region_add_subregion(io, base, &state->legacy);
}

void acpi_cpu_hotplug_destroy(ACPICPUHotplug *state)
{
    memory_region_del_subregion(state->io, memory_region_is_mapped(&state->modern)
                                               ? &state->modern
                                               : &state->legacy);
    memory_region_destroy(&state->legacy);
    memory_region_destroy(&state->modern);
}
