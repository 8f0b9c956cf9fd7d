/*
 * fw_cfg's DMA interface: the guest writes the address of a descriptor to a register, and
 * the device has carried it out when the write returns (fw_cfg specification, "DMA
 * Interface"). Register and descriptor are big-endian.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/nvram/fw-cfg-internal.h"

#include <string.h>

#include "memory/access.h"

/* What the register reads: "QEMU CFG". */
#define DMA_SIGNATURE UINT64_C(0x51454d5520434647)

enum {
    DMA_ERROR = 1 << 0,
    DMA_READ = 1 << 1,
    DMA_SKIP = 1 << 2,
    DMA_SELECT = 1 << 3, /* bits 31:16 are the key */
    DMA_WRITE = 1 << 4,
};

typedef struct DMADescriptor {
    uint32_t control;
    uint32_t length;
    uint64_t address;
} __attribute__((packed)) DMADescriptor;

G_STATIC_ASSERT(sizeof(DMADescriptor) == 16);

/* Beyond an item's end there are zeroes without end, up to 4 GiB of them in one transfer:
 * they are written by this many bytes, so that the first address without RAM ends it. */
#define ZERO_CHUNK MiB(1)

static const MemTxAttrs attrs = MEMTXATTRS_UNSPECIFIED;

/* By a copy, so that a transfer that fails midway leaves the item as it was. */
static bool write_item(FWCfg *cfg, FWCfgItem *item, uint32_t start, hwaddr address,
                       uint32_t length)
{
    g_autofree uint8_t *data = NULL;

    if (!item->writable) {
        return false;
    }
    data = g_malloc(length);
    if (address_space_read(cfg->dma, address, attrs, data, length) != MEMTX_OK) {
        return false;
    }
    memcpy(item->data + start, data, length);
    if (item->written) {
        item->written(item->opaque, start, length);
    }
    return true;
}

/* The part of a transfer that the item has bytes for. READ goes before WRITE, WRITE
 * before SKIP. False: the transfer fails. */
static bool transfer_item(FWCfg *cfg, FWCfgItem *item, uint32_t control, hwaddr address,
                          uint32_t length)
{
    uint32_t start = cfg->offset;

    cfg->offset += length;
    if (control & DMA_READ) {
        return address_space_write(cfg->dma, address, attrs, item->data + start,
                                   length) == MEMTX_OK;
    }
    return !(control & DMA_WRITE) || write_item(cfg, item, start, address, length);
}

/* The part past the item's end: reads as zeroes, takes no writes. */
static bool transfer_past_end(FWCfg *cfg, uint32_t control, hwaddr address,
                              uint32_t length)
{
    if (control & DMA_READ) {
        while (length) {
            uint32_t chunk = MIN(length, ZERO_CHUNK);

            if (address_space_set(cfg->dma, address, 0, chunk, attrs) != MEMTX_OK) {
                return false;
            }
            address += chunk;
            length -= chunk;
        }
        return true;
    }
    return !(control & DMA_WRITE);
}

static bool carry_out(FWCfg *cfg, uint32_t control, hwaddr address, uint32_t length)
{
    FWCfgItem *item;
    uint32_t from_item = 0;

    if (control & DMA_SELECT) {
        fw_cfg_select(cfg, control >> 16);
    }
    if (!(control & (DMA_READ | DMA_WRITE | DMA_SKIP)) || length == 0) {
        return true;
    }
    if ((control & (DMA_READ | DMA_WRITE)) && address + (length - 1) < address) {
        return false;
    }
    item = fw_cfg_current_item(cfg);
    if (item && cfg->offset < item->length) {
        from_item = MIN(length, item->length - cfg->offset);
        if (!transfer_item(cfg, item, control, address, from_item)) {
            return false;
        }
    }
    return from_item == length ||
           transfer_past_end(cfg, control, address + from_item, length - from_item);
}

static void run(FWCfg *cfg)
{
    hwaddr address = cfg->dma_address;
    DMADescriptor descriptor;
    bool ok;

    cfg->dma_address = 0;
    if (address > UINT64_MAX - sizeof(descriptor)) {
        return;
    }
    ok = address_space_read(cfg->dma, address, attrs, &descriptor, sizeof(descriptor)) ==
             MEMTX_OK &&
         carry_out(cfg, GUINT32_FROM_BE(descriptor.control),
                   GUINT64_FROM_BE(descriptor.address),
                   GUINT32_FROM_BE(descriptor.length));
    address_space_stl_be(cfg->dma, address + offsetof(DMADescriptor, control),
                         ok ? 0 : DMA_ERROR, attrs, NULL);
}

static uint64_t dma_read(void *opaque, hwaddr offset, unsigned size)
{
    uint64_t value = DMA_SIGNATURE >> ((8 - offset - size) * 8);

    return size == 8 ? value : value & ((UINT64_C(1) << size * 8) - 1);
}

static void dma_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    FWCfg *cfg = opaque;

    if (size == 4 && offset == 0) {
        cfg->dma_address = value << 32;
        return;
    }
    cfg->dma_address = size == 8 ? value : cfg->dma_address | value;
    run(cfg);
}

static bool dma_accepts(void *opaque, hwaddr offset, unsigned size, bool is_write,
                        MemTxAttrs a)
{
    return !is_write || (size == 4 && offset % 4 == 0) || (size == 8 && offset == 0);
}

static const MemoryRegionOps dma_ops = {
    .read = dma_read,
    .write = dma_write,
    .endianness = DEVICE_BIG_ENDIAN,
    .valid = {.min_access_size = 1, .max_access_size = 8, .accepts = dma_accepts},
    .impl = {.min_access_size = 1, .max_access_size = 8},
};

void fw_cfg_dma_init_region(FWCfg *cfg)
{
    memory_region_init_io(&cfg->dma_port, G_OBJECT(cfg), &dma_ops, cfg, "fwcfg.dma", 8);
}
