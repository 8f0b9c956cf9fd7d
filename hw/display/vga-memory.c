/*
 * The CPU's view of the planes, through the window at 0xa0000 (IBM, "Display memory" and
 * "Graphics controller").
 *
 * Four planes lie interleaved in vram: chain 4 then needs no computing at all, and one
 * 32-bit word is what a planar access works on.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <string.h>

#include "hw/display/vga.h"

/* Where the window is open, by bits 3-2 of the graphics controller's miscellaneous
 * register: bytes from 0xa0000, and how many. */
static const struct {
    uint32_t start, size;
} windows[4] = {{0, KiB(128)}, {0, KiB(64)}, {KiB(64), KiB(32)}, {KiB(96), KiB(32)}};

static unsigned window_of(const VGA *vga)
{
    return vga->graphics[GRAPHICS_MISCELLANEOUS] >> 2 & 3;
}

/* The offset in the window to a CPU address in display memory. The 64 KiB window is the
 * one that VBE moves. */
static bool window_address(const VGA *vga, hwaddr offset, uint32_t *address)
{
    unsigned window = window_of(vga);

    if (offset < windows[window].start ||
        offset - windows[window].start >= windows[window].size) {
        return false;
    }
    *address = (uint32_t)offset - windows[window].start;
    *address += window == 1 ? vga->bank_offset : 0;
    return true;
}

/* Bit n of `planes` to all bits of byte n. */
static uint32_t spread(unsigned planes)
{
    return ((planes & 1 ? 0x000000ffu : 0) | (planes & 2 ? 0x0000ff00u : 0) |
            (planes & 4 ? 0x00ff0000u : 0) | (planes & 8 ? 0xff000000u : 0));
}

static uint32_t load_le32(const uint8_t *bytes)
{
    uint32_t value;

    memcpy(&value, bytes, sizeof(value));
    return GUINT32_FROM_LE(value);
}

static void store_le32(uint8_t *bytes, uint32_t value)
{
    value = GUINT32_TO_LE(value);
    memcpy(bytes, &value, sizeof(value));
}

/* Odd/even: address bit 0 chooses between two planes. The hardware leaves the bit out of
 * the plane's address, and every second byte of a plane unused; as in QEMU, they are
 * packed, and the CRT controller's word mode needs no model. */
static uint32_t odd_even_address(const VGA *vga, uint32_t address, unsigned *plane)
{
    *plane = (vga->graphics[GRAPHICS_READ_MAP_SELECT] & 2) | (address & 1);
    return (address & ~1u) << 1 | *plane;
}

/* -- Reading ---------------------------------------------------------------------------
 */

/* Read mode 1: a bit is set where the planes that count have the compared colour. */
static uint8_t compare_colors(const VGA *vga, uint32_t latches)
{
    uint32_t differing = (latches ^ spread(vga->graphics[GRAPHICS_COLOR_COMPARE])) &
                         spread(vga->graphics[GRAPHICS_COLOR_DONT_CARE]);

    differing |= differing >> 16;
    differing |= differing >> 8;
    return (uint8_t)~differing;
}

static uint8_t read_planar(VGA *vga, uint32_t address)
{
    if (address >= vga->vram_size / 4) {
        return 0xff;
    }
    memcpy(vga->latches, vga->vram + 4 * address, 4);
    if (vga->graphics[GRAPHICS_MODE] & GRAPHICS_MODE_READ_COMPARE) {
        return compare_colors(vga, load_le32(vga->latches));
    }
    return vga->latches[vga->graphics[GRAPHICS_READ_MAP_SELECT]];
}

static uint64_t memory_read(void *opaque, hwaddr offset, unsigned size)
{
    VGA *vga = opaque;
    uint32_t address;
    unsigned plane;

    if (!window_address(vga, offset, &address)) {
        return 0xff;
    }
    if (vga_sequencer(vga, SEQUENCER_MEMORY_MODE) & MEMORY_MODE_CHAIN_4) {
        return address < vga->vram_size ? vga->vram[address] : 0xff;
    }
    if (vga->graphics[GRAPHICS_MODE] & GRAPHICS_MODE_ODD_EVEN) {
        address = odd_even_address(vga, address, &plane);
        return address < vga->vram_size ? vga->vram[address] : 0xff;
    }
    return read_planar(vga, address);
}

/* -- Writing ---------------------------------------------------------------------------
 */

static void write_byte(VGA *vga, uint32_t address, unsigned plane, uint8_t value)
{
    if (address < vga->vram_size &&
        vga_sequencer(vga, SEQUENCER_MAP_MASK) & 1u << plane) {
        vga->vram[address] = value;
        memory_region_set_dirty(&vga->vram_region, address, 1);
    }
}

static uint8_t rotate(const VGA *vga, uint8_t value)
{
    unsigned count = vga->graphics[GRAPHICS_DATA_ROTATE] & 7;

    return (uint8_t)(value >> count | value << (8 - count));
}

/* The ALU: bits 4-3 of the data rotate register combine data and latches. */
static uint32_t combine(const VGA *vga, uint32_t data, uint32_t latches)
{
    switch (vga->graphics[GRAPHICS_DATA_ROTATE] >> 3) {
    case 1:
        return data & latches;
    case 2:
        return data | latches;
    case 3:
        return data ^ latches;
    default:
        return data;
    }
}

/* What the four planes get, by write mode. */
static uint32_t planar_data(const VGA *vga, uint8_t value, uint32_t latches)
{
    uint32_t set_reset = spread(vga->graphics[GRAPHICS_SET_RESET]);
    uint32_t data, enabled;
    uint8_t bits = vga->graphics[GRAPHICS_BIT_MASK];

    switch (vga->graphics[GRAPHICS_MODE] & 3) {
    case 0:
        enabled = spread(vga->graphics[GRAPHICS_ENABLE_SET_RESET]);
        data = (rotate(vga, value) * 0x01010101u & ~enabled) | (set_reset & enabled);
        break;
    case 1:
        return latches;
    case 2:
        data = spread(value);
        break;
    default:
        data = set_reset;
        bits &= rotate(vga, value);
        break;
    }
    enabled = bits * 0x01010101u;
    return (combine(vga, data, latches) & enabled) | (latches & ~enabled);
}

static void write_planar(VGA *vga, uint32_t address, uint8_t value)
{
    uint32_t planes = spread(vga_sequencer(vga, SEQUENCER_MAP_MASK));
    uint8_t *bytes = vga->vram + 4 * (size_t)address;

    if (address < vga->vram_size / 4) {
        store_le32(bytes,
                   (load_le32(bytes) & ~planes) |
                       (planar_data(vga, value, load_le32(vga->latches)) & planes));
        memory_region_set_dirty(&vga->vram_region, 4 * (hwaddr)address, 4);
    }
}

static void memory_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    VGA *vga = opaque;
    uint32_t address;
    unsigned plane;

    if (!window_address(vga, offset, &address)) {
        return;
    }
    if (vga_sequencer(vga, SEQUENCER_MEMORY_MODE) & MEMORY_MODE_CHAIN_4) {
        write_byte(vga, address, address & 3, (uint8_t)value);
    } else if (vga->graphics[GRAPHICS_MODE] & GRAPHICS_MODE_ODD_EVEN) {
        address = odd_even_address(vga, address, &plane);
        write_byte(vga, address, plane, (uint8_t)value);
    } else {
        write_planar(vga, address, (uint8_t)value);
    }
}

const MemoryRegionOps vga_memory_ops = {
    .read = memory_read,
    .write = memory_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .impl = {.min_access_size = 1, .max_access_size = 1},
};

/* -- The window as plain RAM ------------------------------------------------------------
 */

void vga_memory_update(VGA *vga)
{
    MemoryRegion *alias = &vga->chain4;
    unsigned window = window_of(vga);
    hwaddr base = 0xa0000 + windows[window].start;
    uint32_t size = windows[window].size;
    uint32_t offset = window == 1 ? vga->bank_offset : 0;
    bool shown = memory_region_is_mapped(alias);
    bool plain = (vga_sequencer(vga, SEQUENCER_MAP_MASK) & 0x0f) == 0x0f &&
                 vga_sequencer(vga, SEQUENCER_MEMORY_MODE) & MEMORY_MODE_CHAIN_4 &&
                 offset < vga->vram_size && size <= vga->vram_size - offset;

    if (plain == shown && (!plain || (alias->addr == base && alias->size == size &&
                                      alias->alias_offset == offset))) {
        return;
    }
    memory_region_transaction_begin();
    if (shown) {
        memory_region_del_subregion(vga->legacy, alias);
    }
    if (plain) {
        memory_region_set_size(alias, size);
        memory_region_set_alias_offset(alias, offset);
        memory_region_add_subregion_overlap(vga->legacy, base, alias, 2);
    }
    memory_region_transaction_commit();
}
