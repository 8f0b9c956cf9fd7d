/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/misc/debugexit.h"

#include <gio/gio.h>

#include "hw/core/system.h"

typedef struct ISADebugExit {
    ISADevice parent;
    uint32_t iobase, iosize;
    MemoryRegion io;
} ISADebugExit;

static uint64_t debug_exit_read(void *opaque, hwaddr offset, unsigned size)
{
    return 0;
}

static void debug_exit_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    /* Odd, so that no guest can claim the success that status 0 is. */
    system_exit_request((int)((uint32_t)value << 1 | 1));
}

static const MemoryRegionOps debug_exit_ops = {
    .read = debug_exit_read,
    .write = debug_exit_write,
    .valid = {.min_access_size = 1, .max_access_size = 4},
};

static bool isa_debug_exit_realize(Device *dev, GError **error)
{
    ISADebugExit *debug_exit = (ISADebugExit *)dev;

    if (debug_exit->iosize == 0 || debug_exit->iobase > UINT16_MAX ||
        debug_exit->iosize > UINT16_MAX + 1 - debug_exit->iobase) {
        g_set_error(
            error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
            "isa-debug-exit: iobase 0x%x and iosize 0x%x do not lie in the ports 0 to "
            "0xffff",
            debug_exit->iobase, debug_exit->iosize);
        return false;
    }
    memory_region_init_io(&debug_exit->io, G_OBJECT(dev), &debug_exit_ops, debug_exit,
                          "isa-debug-exit", debug_exit->iosize);
    isa_register_ioport(ISA_DEVICE(dev), &debug_exit->io, debug_exit->iobase);
    return true;
}

static const Property isa_debug_exit_properties[] = {
    PROP_UINT32("iobase", ISADebugExit, iobase, 0x501, "its port"),
    PROP_UINT32("iosize", ISADebugExit, iosize, 2, "how many ports it has"),
    PROP_END,
};

DEVICE_DEFINE_TYPE(ISADebugExit, isa_debug_exit, "isa-debug-exit", TYPE_ISA_DEVICE)

static void isa_debug_exit_class_init(DeviceClass *klass)
{
    klass->desc = "debug exit port";
    klass->user_creatable = true;
    klass->realize = isa_debug_exit_realize;
    property_install_table(G_OBJECT_CLASS(klass), isa_debug_exit_properties);
}
