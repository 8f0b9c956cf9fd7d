/*
 * 8237A DMA controller (Intel 8237A data sheet, order 231466) and the PC/AT's page
 * registers. QEMU calls the type "i8257".
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/dma/i8257.h"

#include <gio/gio.h>

#include "hw/core/vmstate.h"
#include "memory/access.h"

enum {
    COMMAND_DISABLE = 0x04,
    MODE_DIRECTION = 0x0c,
    MODE_VERIFY = 0x00,
    MODE_TO_MEMORY = 0x04,
    MODE_FROM_MEMORY = 0x08,
    MODE_AUTO_INITIALIZE = 0x10,
    MODE_DOWN = 0x20,
    MODE_KIND = 0xc0,
    MODE_CASCADE = 0xc0,
};

/* Which channel a page register is for, by port: 0x81-0x83 and 0x87, 0x89-0x8b
 * and 0x8f. */
static const int8_t page_channels[8] = {-1, 2, 3, 1, -1, -1, -1, 0};

static void run_ready(DMAController *dma)
{
    for (unsigned i = 0; i < DMA_CHANNELS; i++) {
        DMAChannel *channel = &dma->channels[i];

        if (channel->request && channel->ready && !(dma->mask & (1 << i)) &&
            !(dma->command & COMMAND_DISABLE)) {
            channel->ready(channel->opaque);
        }
    }
}

/* -- Channel registers --------------------------------------------------------------- */

static void set_byte(uint16_t *word, bool high, uint8_t value)
{
    *word = high ? (*word & 0x00ff) | value << 8 : (*word & 0xff00) | value;
}

static void channel_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    DMAController *dma = opaque;
    unsigned reg = offset >> dma->dshift;
    DMAChannel *channel = &dma->channels[reg >> 1 & 3];
    bool high = dma->high_byte_next;

    dma->high_byte_next = !high;
    if (reg & 1) {
        set_byte(&channel->base_count, high, value);
        channel->count = channel->base_count;
    } else {
        set_byte(&channel->base_address, high, value);
        channel->address = channel->base_address;
    }
}

static uint64_t channel_read(void *opaque, hwaddr offset, unsigned size)
{
    DMAController *dma = opaque;
    unsigned reg = offset >> dma->dshift;
    DMAChannel *channel = &dma->channels[reg >> 1 & 3];
    bool high = dma->high_byte_next;
    uint16_t word = reg & 1 ? channel->count : channel->address;

    dma->high_byte_next = !high;
    return high ? word >> 8 : word & 0xff;
}

static const MemoryRegionOps channel_ops = {
    .read = channel_read,
    .write = channel_write,
    .impl = {.min_access_size = 1, .max_access_size = 1},
};

/* -- Control registers --------------------------------------------------------------- */

static void master_clear(DMAController *dma)
{
    dma->command = dma->status = dma->soft_request = 0;
    dma->high_byte_next = false;
    dma->mask = 0x0f;
}

static void control_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    DMAController *dma = opaque;
    uint8_t bit = 1 << (value & 3);

    switch (offset >> dma->dshift) {
    case 0:
        dma->command = value;
        break;
    case 1: /* request by software */
        dma->soft_request =
            value & 4 ? dma->soft_request | bit : dma->soft_request & ~bit;
        dma->status &= ~bit;
        break;
    case 2: /* mask one */
        dma->mask = value & 4 ? dma->mask | bit : dma->mask & ~bit;
        break;
    case 3:
        dma->channels[value & 3].mode = value;
        break;
    case 4:
        dma->high_byte_next = false;
        break;
    case 5:
        master_clear(dma);
        break;
    case 6:
        dma->mask = 0;
        break;
    case 7:
        dma->mask = value & 0x0f;
        break;
    }
    run_ready(dma);
}

static uint64_t control_read(void *opaque, hwaddr offset, unsigned size)
{
    DMAController *dma = opaque;
    uint8_t value;

    switch (offset >> dma->dshift) {
    case 0: /* status: the upper half shows requests; reading clears the lower */
        value = dma->status | dma->soft_request << 4;
        for (unsigned i = 0; i < DMA_CHANNELS; i++) {
            value |= dma->channels[i].request << (4 + i);
        }
        dma->status = 0;
        return value;
    case 7: /* where the chip would leave the bus floating, PCs of the time show the mask
             */
        return dma->mask;
    default: /* the temporary register of memory-to-memory, which a PC cannot use */
        return 0;
    }
}

static const MemoryRegionOps control_ops = {
    .read = control_read,
    .write = control_write,
    .impl = {.min_access_size = 1, .max_access_size = 1},
};

/* -- Page registers ------------------------------------------------------------------ */

static uint8_t *page_register(DMAController *dma, unsigned port)
{
    int channel = page_channels[port & 7];

    return channel < 0 ? &dma->page_scratch[port & 7] : &dma->channels[channel].page;
}

/* Two regions, for ports 1-3 and port 7 of the block. */
static void page_write_low(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    *page_register(opaque, offset + 1) = value;
}

static uint64_t page_read_low(void *opaque, hwaddr offset, unsigned size)
{
    return *page_register(opaque, offset + 1);
}

static void page_write_high(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    *page_register(opaque, offset + 7) = value;
}

static uint64_t page_read_high(void *opaque, hwaddr offset, unsigned size)
{
    return *page_register(opaque, offset + 7);
}

static const MemoryRegionOps page_ops[2] = {
    {.read = page_read_low,
     .write = page_write_low,
     .impl = {.min_access_size = 1, .max_access_size = 1}},
    {.read = page_read_high,
     .write = page_write_high,
     .impl = {.min_access_size = 1, .max_access_size = 1}},
};

/* -- Transfers ----------------------------------------------------------------------- */

static DMAChannel *channel_of(ISABus *bus, unsigned n, DMAController **dma)
{
    *dma = n < 2 * DMA_CHANNELS ? bus->dma[n / DMA_CHANNELS] : NULL;
    return *dma ? &(*dma)->channels[n % DMA_CHANNELS] : NULL;
}

void isa_dma_connect(ISABus *bus, unsigned n, void (*ready)(void *opaque), void *opaque)
{
    DMAController *dma;
    DMAChannel *channel = channel_of(bus, n, &dma);

    if (channel) {
        channel->ready = ready;
        channel->opaque = opaque;
    }
}

void isa_dma_request(ISABus *bus, unsigned n, bool request)
{
    DMAController *dma;
    DMAChannel *channel = channel_of(bus, n, &dma);

    if (channel) {
        bool rises = request && !channel->request;

        channel->request = request;
        if (rises && channel->ready && isa_dma_is_ready(bus, n)) {
            channel->ready(channel->opaque);
        }
    }
}

bool isa_dma_is_ready(ISABus *bus, unsigned n)
{
    DMAController *dma;
    DMAChannel *channel = channel_of(bus, n, &dma);

    return channel && !(dma->mask & (1 << n % DMA_CHANNELS)) &&
           !(dma->command & COMMAND_DISABLE) &&
           (channel->mode & MODE_KIND) != MODE_CASCADE;
}

/* The page register gives A16-A23 (A17-A23 to a channel of words, whose address counts
 * words); the address register wraps within its page. */
static hwaddr guest_address(const DMAController *dma, const DMAChannel *channel)
{
    if (dma->dshift) {
        return (hwaddr)(channel->page & 0xfe) << 16 | (hwaddr)channel->address << 1;
    }
    return (hwaddr)channel->page << 16 | channel->address;
}

/* One transfer is over; true at the last one that was programmed (the terminal count). */
static bool count_down(DMAController *dma, DMAChannel *channel)
{
    unsigned bit = 1 << (channel - dma->channels);

    channel->address += channel->mode & MODE_DOWN ? -1 : 1;
    if (channel->count-- != 0) {
        return false;
    }
    dma->status |= bit;
    dma->soft_request &= ~bit;
    if (channel->mode & MODE_AUTO_INITIALIZE) {
        channel->address = channel->base_address;
        channel->count = channel->base_count;
    } else {
        dma->mask |= bit;
    }
    return true;
}

unsigned isa_dma_transfer(ISABus *bus, unsigned n, void *buffer, unsigned length,
                          bool to_memory, bool *terminal_count)
{
    DMAController *dma;
    DMAChannel *channel = channel_of(bus, n, &dma);
    unsigned width, moved = 0, direction;
    bool last = false;

    if (terminal_count) {
        *terminal_count = false;
    }
    if (!channel || !isa_dma_is_ready(bus, n)) {
        return 0;
    }
    direction = channel->mode & MODE_DIRECTION;
    if (direction != MODE_VERIFY &&
        direction != (to_memory ? MODE_TO_MEMORY : MODE_FROM_MEMORY)) {
        return 0;
    }
    width = 1u << dma->dshift;
    while (!last && length - moved >= width) {
        hwaddr address = guest_address(dma, channel);
        uint8_t *at = (uint8_t *)buffer + moved;

        if (direction == MODE_TO_MEMORY) {
            address_space_write(dma->memory, address, MEMTXATTRS_UNSPECIFIED, at, width);
        } else if (direction == MODE_FROM_MEMORY) {
            address_space_read(dma->memory, address, MEMTXATTRS_UNSPECIFIED, at, width);
        }
        moved += width;
        last = count_down(dma, channel);
    }
    if (terminal_count) {
        *terminal_count = last;
    }
    return moved;
}

/* -- Its state in a stream ---------------------------------------------------------- */

/* QEMU keeps where a transfer began and how many bytes it has moved, we where it is. */
typedef struct WireChannel {
    int32_t now[2]; /* bytes: the first address within the page, and moved since */
    uint16_t base[2];
    uint8_t mode, page;
} WireChannel;

typedef struct WireDMA {
    uint8_t command, mask, flip_flop;
    int32_t dshift;
    WireChannel regs[DMA_CHANNELS];
} WireDMA;

static void i8257_to_wire(void *opaque, void *data)
{
    const DMAController *dma = opaque;
    WireDMA *wire = data;

    wire->command = dma->command;
    wire->mask = dma->mask | 0xf0; /* QEMU's upper bits, which mean nothing, are 1 */
    wire->flip_flop = dma->high_byte_next;
    wire->dshift = dma->dshift;
    for (int i = 0; i < DMA_CHANNELS; i++) {
        const DMAChannel *channel = &dma->channels[i];
        uint16_t moved = channel->base_count - channel->count;
        uint16_t first = channel->address + (channel->mode & MODE_DOWN ? moved : -moved);

        wire->regs[i] = (WireChannel){
            .now = {first << dma->dshift, moved << dma->dshift},
            .base = {channel->base_address, channel->base_count},
            .mode = channel->mode,
            .page = channel->page,
        };
    }
}

static bool i8257_from_wire(void *opaque, void *data, int version_id, GError **error)
{
    DMAController *dma = opaque;
    const WireDMA *wire = data;

    if (wire->dshift != dma->dshift) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                    "the stream has the other one of the two DMA controllers here: it is "
                    "broken");
        return false;
    }
    dma->command = wire->command;
    dma->mask = wire->mask & 0x0f;
    dma->high_byte_next = wire->flip_flop & 1;
    for (int i = 0; i < DMA_CHANNELS; i++) {
        const WireChannel *from = &wire->regs[i];
        DMAChannel *channel = &dma->channels[i];
        uint16_t moved = from->now[1] >> dma->dshift;

        channel->base_address = from->base[0];
        channel->base_count = from->base[1];
        channel->mode = from->mode;
        channel->page = from->page;
        channel->address =
            (from->now[0] >> dma->dshift) + (channel->mode & MODE_DOWN ? -moved : moved);
        channel->count = channel->base_count - moved;
    }
    return true;
}

static const VMStateDescription vmstate_i8257_regs = {
    .name = "dma_regs",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields =
        (const VMStateField[]){
            VMSTATE_INT32_ARRAY(now, WireChannel, 2),
            VMSTATE_UINT16_ARRAY(base, WireChannel, 2),
            VMSTATE_UINT8(mode, WireChannel),
            VMSTATE_UINT8(page, WireChannel),
            VMSTATE_CONSTANT("pageh", uint8, 0), /* EISA's high page registers: none */
            VMSTATE_CONSTANT("dack", uint8, 0),
            VMSTATE_CONSTANT("eop", uint8, 0),
            VMSTATE_END_OF_LIST(),
        },
};

static const VMStateDescription vmstate_i8257 = {
    .name = "dma",
    .version_id = 1,
    .minimum_version_id = 1,
    .wire_size = sizeof(WireDMA),
    .to_wire = i8257_to_wire,
    .from_wire = i8257_from_wire,
    .fields =
        (const VMStateField[]){
            VMSTATE_UINT8(command, WireDMA),
            VMSTATE_UINT8(mask, WireDMA),
            VMSTATE_UINT8(flip_flop, WireDMA),
            VMSTATE_INT32(dshift, WireDMA),
            VMSTATE_STRUCT_ARRAY(regs, WireDMA, DMA_CHANNELS, 1, vmstate_i8257_regs,
                                 WireChannel),
            VMSTATE_END_OF_LIST(),
        },
};

/* -- The device ---------------------------------------------------------------------- */

static void i8257_reset(Device *dev)
{
    master_clear((DMAController *)dev);
}

static bool i8257_realize(Device *dev, GError **error)
{
    DMAController *dma = (DMAController *)dev;
    ISADevice *isa = ISA_DEVICE(dev);
    uint64_t size = 8u << dma->dshift;

    memory_region_init_io(&dma->channel_io, G_OBJECT(dev), &channel_ops, dma, "dma-chan",
                          size);
    memory_region_init_io(&dma->control_io, G_OBJECT(dev), &control_ops, dma, "dma-cont",
                          size);
    memory_region_init_io(&dma->page_io[0], G_OBJECT(dev), &page_ops[0], dma, "dma-page",
                          3);
    memory_region_init_io(&dma->page_io[1], G_OBJECT(dev), &page_ops[1], dma, "dma-page",
                          1);
    isa_register_ioport(isa, &dma->channel_io, dma->base);
    isa_register_ioport(isa, &dma->control_io, dma->base + size);
    isa_register_ioport(isa, &dma->page_io[0], dma->page_base + 1);
    isa_register_ioport(isa, &dma->page_io[1], dma->page_base + 7);
    return true;
}

static const Property i8257_properties[] = {
    PROP_INT32("base", DMAController, base, 0x00, "first port of its registers"),
    PROP_INT32("page-base", DMAController, page_base, 0x80, "first of its page ports"),
    PROP_INT32("pageh-base", DMAController, pageh_base, -1, "EISA high page ports: none"),
    PROP_INT32("dshift", DMAController, dshift, 0, "1: moves words"),
    PROP_END,
};

DEVICE_DEFINE_TYPE(DMAController, i8257, "i8257", TYPE_ISA_DEVICE)

static void i8257_class_init(DeviceClass *klass)
{
    klass->desc = "8237A DMA controller";
    klass->realize = i8257_realize;
    klass->reset = i8257_reset;
    klass->vmsd = &vmstate_i8257;
    property_install_table(G_OBJECT_CLASS(klass), i8257_properties);
}

bool i8257_new_pair(ISABus *bus, AddressSpace *memory, GError **error)
{
    for (int i = 0; i < 2; i++) {
        Device *dev = device_new(TYPE_I8257, error);
        DMAController *dma = (DMAController *)dev;

        if (!dev) {
            return false;
        }
        dma->base = i ? 0xc0 : 0x00;
        dma->page_base = i ? 0x88 : 0x80;
        dma->dshift = i;
        dma->memory = memory;
        if (!device_realize(dev, BUS(bus), error)) {
            return false;
        }
        bus->dma[i] = dma;
    }
    return true;
}
