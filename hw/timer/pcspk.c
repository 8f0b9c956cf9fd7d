/*
 * Port 0x61: NMI status and control register of the PIIX (82371SB data sheet, order
 * 290550, section 2.5.5.1): speaker, counter 2 and the refresh toggle. Makes no sound.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/timer/pcspk.h"

#include "hw/core/vmstate.h"

enum {
    PORT61_GATE2 = 0x01,
    PORT61_SPEAKER = 0x02,
    PORT61_REFRESH = 0x10,
    PORT61_OUT2 = 0x20,
};

/* Counter 1 of the first PCs refreshed memory each 18 clocks; software times with it. */
#define REFRESH_CLOCKS 18

typedef struct PCSpeaker {
    ISADevice parent;
    uint32_t iobase;
    bool migrate;
    char *audiodev;
    MemoryRegion io;
    I8254 *pit;
    uint8_t control; /* PORT61_GATE2 and PORT61_SPEAKER, as written */
} PCSpeaker;

static uint64_t pcspk_read(void *opaque, hwaddr offset, unsigned size)
{
    PCSpeaker *speaker = opaque;
    uint64_t refreshes = clock_ns_to_ticks(clock_virtual_ns(), I8254_HZ) / REFRESH_CLOCKS;

    return speaker->control | (refreshes & 1 ? PORT61_REFRESH : 0) |
           (speaker->pit && i8254_output(speaker->pit, 2) ? PORT61_OUT2 : 0);
}

static void pcspk_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    PCSpeaker *speaker = opaque;

    speaker->control = value & (PORT61_GATE2 | PORT61_SPEAKER);
    if (speaker->pit) {
        i8254_set_gate(speaker->pit, 2, value & PORT61_GATE2);
    }
}

static const MemoryRegionOps pcspk_ops = {
    .read = pcspk_read,
    .write = pcspk_write,
    .impl = {.min_access_size = 1, .max_access_size = 1},
};

static void pcspk_reset(Device *dev)
{
    pcspk_write(dev, 0, 0, 1);
}

static bool pcspk_realize(Device *dev, GError **error)
{
    PCSpeaker *speaker = (PCSpeaker *)dev;

    memory_region_init_io(&speaker->io, G_OBJECT(dev), &pcspk_ops, speaker, "pcspk", 1);
    isa_register_ioport(ISA_DEVICE(dev), &speaker->io, speaker->iobase);
    return true;
}

/* -- Its state in a stream ----------------------------------------------------------- */

typedef struct WireSpeaker {
    uint8_t data_on;
} WireSpeaker;

static void pcspk_to_wire(void *opaque, void *data)
{
    const PCSpeaker *speaker = opaque;
    WireSpeaker *wire = data;

    wire->data_on = !!(speaker->control & PORT61_SPEAKER);
}

/* The gate is counter 2's, whose state comes before. */
static bool pcspk_from_wire(void *opaque, void *data, int version_id, GError **error)
{
    PCSpeaker *speaker = opaque;
    const WireSpeaker *wire = data;
    bool gate = speaker->pit && speaker->pit->counters[2].gate;

    speaker->control =
        (wire->data_on & 1 ? PORT61_SPEAKER : 0) | (gate ? PORT61_GATE2 : 0);
    return true;
}

static bool is_migrated(void *opaque)
{
    return ((PCSpeaker *)opaque)->migrate;
}

static const VMStateDescription vmstate_pcspk = {
    .name = "pcspk",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = is_migrated,
    .wire_size = sizeof(WireSpeaker),
    .to_wire = pcspk_to_wire,
    .from_wire = pcspk_from_wire,
    .fields =
        (const VMStateField[]){
            VMSTATE_UINT8(data_on, WireSpeaker),
            VMSTATE_CONSTANT("dummy_refresh_clock", uint8, 0),
            VMSTATE_END_OF_LIST(),
        },
};

static const Property pcspk_properties[] = {
    PROP_STRING("audiodev", PCSpeaker, audiodev, NULL, "accepted and unused: no sound"),
    PROP_UINT32("iobase", PCSpeaker, iobase, 0x61, "its port"),
    PROP_BOOL("migrate", PCSpeaker, migrate, true, "goes into the migration stream"),
    PROP_END,
};

DEVICE_DEFINE_TYPE(PCSpeaker, pcspk, "isa-pcspk", TYPE_ISA_DEVICE)

static void pcspk_class_init(DeviceClass *klass)
{
    klass->desc = "PC speaker";
    klass->vmsd = &vmstate_pcspk;
    klass->realize = pcspk_realize;
    klass->reset = pcspk_reset;
    property_install_table(G_OBJECT_CLASS(klass), pcspk_properties);
}

Device *pcspk_new(ISABus *bus, I8254 *pit, GError **error)
{
    Device *dev = device_new(TYPE_PCSPK, error);

    if (!dev) {
        return NULL;
    }
    ((PCSpeaker *)dev)->pit = pit;
    return device_realize(dev, BUS(bus), error) ? dev : NULL;
}
