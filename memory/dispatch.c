/*
 * One access to a device: what is valid, and how the sizes that the guest uses become
 * the sizes that the device implements.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "memory/internal.h"
#include "memory/zones.h"

/* Zeroes in MemoryRegionOps stand for these. */
#define DEFAULT_MIN_SIZE 1
#define DEFAULT_MAX_SIZE 4

static unsigned or_default(unsigned size, unsigned otherwise)
{
    return size ? size : otherwise;
}

unsigned dispatch_access_size(const MemoryRegion *mr, hwaddr offset, uint64_t length)
{
    unsigned size = or_default(mr->ops->valid.max_access_size, DEFAULT_MAX_SIZE);

    while (size > length || (!mr->ops->impl.unaligned && (offset & (size - 1)))) {
        size /= 2;
    }
    return size;
}

static bool is_valid(const MemoryRegion *mr, hwaddr offset, unsigned size, bool is_write,
                     MemTxAttrs attrs)
{
    const MemoryRegionOps *ops = mr->ops;

    if (!ops->valid.unaligned && (offset & (size - 1))) {
        return false;
    }
    if (size > or_default(ops->valid.max_access_size, DEFAULT_MAX_SIZE) ||
        size < or_default(ops->valid.min_access_size, DEFAULT_MIN_SIZE)) {
        return false;
    }
    return !ops->valid.accepts ||
           ops->valid.accepts(mr->opaque, offset, size, is_write, attrs);
}

/* The sizes that bridge one access: `count` units of `size` bytes from `start` on. */
typedef struct Units {
    hwaddr start;
    unsigned size;
    unsigned count;
} Units;

static Units cover(const MemoryRegion *mr, hwaddr offset, unsigned size)
{
    unsigned min = or_default(mr->ops->impl.min_access_size, DEFAULT_MIN_SIZE);
    unsigned max = or_default(mr->ops->impl.max_access_size, DEFAULT_MAX_SIZE);
    Units units = {.start = offset, .size = CLAMP(size, min, MAX(min, max)), .count = 1};

    if (size == units.size && (mr->ops->impl.unaligned || !(offset & (size - 1)))) {
        return units; /* as the device likes it: by far the most */
    }
    if (!mr->ops->impl.unaligned || size < units.size) {
        units.start &= ~(hwaddr)(units.size - 1);
    }
    units.count = (offset - units.start + size + units.size - 1) / units.size;
    return units;
}

static uint64_t mask_of(unsigned size)
{
    return size >= 8 ? UINT64_MAX : ((uint64_t)1 << (size * 8)) - 1;
}

/* To and from the order in which a device has its bytes. */
static uint64_t swap_for(const MemoryRegion *mr, uint64_t value, unsigned size)
{
    if (mr->ops->endianness != DEVICE_BIG_ENDIAN) {
        return value;
    }
    return GUINT64_SWAP_LE_BE(value) >> (64 - size * 8);
}

static MemTxResult read_unit(MemoryRegion *mr, hwaddr offset, unsigned size,
                             uint64_t *value, MemTxAttrs attrs)
{
    MemTxResult result = MEMTX_OK;

    *value = 0;
    if (mr->ops->read) {
        *value = mr->ops->read(mr->opaque, offset, size);
    } else if (mr->ops->read_with_attrs) {
        result = mr->ops->read_with_attrs(mr->opaque, offset, value, size, attrs);
    } else {
        result = MEMTX_ERROR;
    }
    *value = swap_for(mr, *value & mask_of(size), size);
    return result;
}

static MemTxResult write_unit(MemoryRegion *mr, hwaddr offset, unsigned size,
                              uint64_t value, MemTxAttrs attrs)
{
    value = swap_for(mr, value & mask_of(size), size);
    if (mr->ops->write) {
        mr->ops->write(mr->opaque, offset, value, size);
        return MEMTX_OK;
    }
    if (mr->ops->write_with_attrs) {
        return mr->ops->write_with_attrs(mr->opaque, offset, value, size, attrs);
    }
    return MEMTX_ERROR;
}

/* `value` moved by `bytes` towards higher (positive) or lower addresses. */
static uint64_t moved(uint64_t value, int bytes)
{
    if (bytes <= -8 || bytes >= 8) {
        return 0;
    }
    return bytes >= 0 ? value << (bytes * 8) : value >> (-bytes * 8);
}

MemTxResult dispatch_read(MemoryRegion *mr, hwaddr offset, unsigned size, uint64_t *value,
                          MemTxAttrs attrs)
{
    MemTxResult result = MEMTX_OK;
    Units units;

    *value = 0;
    if (!is_valid(mr, offset, size, false, attrs)) {
        return MEMTX_ERROR;
    }
    if (G_UNLIKELY(mr->flush_coalesced)) {
        memory_flush_coalesced();
    }
    units = cover(mr, offset, size);
    for (unsigned i = 0; i < units.count; i++) {
        hwaddr at = units.start + i * units.size;
        uint64_t unit;

        result |= read_unit(mr, at, units.size, &unit, attrs);
        *value |= moved(unit, (int)(at - offset));
    }
    *value &= mask_of(size);
    return result;
}

unsigned dispatch_direct_sizes(const MemoryRegion *mr)
{
    const MemoryRegionOps *ops = mr->ops;
    unsigned min = MAX(or_default(ops->valid.min_access_size, DEFAULT_MIN_SIZE),
                       or_default(ops->impl.min_access_size, DEFAULT_MIN_SIZE));
    unsigned max = MIN(or_default(ops->valid.max_access_size, DEFAULT_MAX_SIZE),
                       or_default(ops->impl.max_access_size, DEFAULT_MAX_SIZE));
    unsigned sizes = 0;

    if (!ops->read || ops->valid.accepts) {
        return 0;
    }
    for (unsigned size = 1; size <= 8; size *= 2) {
        sizes |= size >= min && size <= max ? size : 0;
    }
    return sizes;
}

uint64_t dispatch_read_direct(MemoryRegion *mr, hwaddr offset, unsigned size)
{
    if (G_UNLIKELY(mr->flush_coalesced)) {
        memory_flush_coalesced();
    }
    return swap_for(mr, mr->ops->read(mr->opaque, offset, size) & mask_of(size), size);
}

MemTxResult dispatch_write(MemoryRegion *mr, hwaddr offset, unsigned size, uint64_t value,
                           MemTxAttrs attrs)
{
    MemTxResult result = MEMTX_OK;
    Units units;

    if (!is_valid(mr, offset, size, true, attrs)) {
        return MEMTX_ERROR;
    }
    if (G_UNLIKELY(mr->flush_coalesced)) {
        memory_flush_coalesced();
    }
    units = cover(mr, offset, size);
    for (unsigned i = 0; i < units.count; i++) {
        hwaddr at = units.start + i * units.size;
        int shift = (int)(offset - at);
        uint64_t unit = moved(value & mask_of(size), shift);
        uint64_t ours = moved(mask_of(size), shift) & mask_of(units.size);

        if (ours != mask_of(units.size)) {
            /* Narrower than the device can be written: its other bytes stay. */
            uint64_t old;

            result |= read_unit(mr, at, units.size, &old, attrs);
            unit = (unit & ours) | (old & ~ours);
        }
        result |= write_unit(mr, at, units.size, unit, attrs);
    }
    return result;
}
