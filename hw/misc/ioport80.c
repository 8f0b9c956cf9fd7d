/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/misc/ioport80.h"

typedef struct FerrPort {
    MemoryRegion io;
    void (*clear)(void *opaque);
    void *opaque;
} FerrPort;

static uint64_t read_ones(void *opaque, hwaddr offset, unsigned size)
{
    return UINT64_MAX;
}

static void ignore_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
}

static void ferr_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    FerrPort *port = opaque;

    if (port->clear) {
        port->clear(port->opaque);
    }
}

static const MemoryRegionOps ioport80_ops = {
    .read = read_ones,
    .write = ignore_write,
    .impl = {.min_access_size = 1, .max_access_size = 1},
};

static const MemoryRegionOps ferr_ops = {
    .read = read_ones,
    .write = ferr_write,
    .impl = {.min_access_size = 1, .max_access_size = 1},
};

/* Both live as long as the machine. */

void ioport80_map(MemoryRegion *io)
{
    MemoryRegion *region = g_new0(MemoryRegion, 1);

    memory_region_init_io(region, NULL, &ioport80_ops, NULL, "ioport80", 1);
    memory_region_add_subregion(io, 0x80, region);
}

void ioport_f0_map(MemoryRegion *io, void (*clear)(void *opaque), void *opaque)
{
    FerrPort *port = g_new0(FerrPort, 1);

    port->clear = clear;
    port->opaque = opaque;
    memory_region_init_io(&port->io, NULL, &ferr_ops, port, "ioportF0", 1);
    memory_region_add_subregion(io, 0xf0, &port->io);
}
