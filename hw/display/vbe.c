/*
 * Bochs' VBE DISPI registers: linear modes over the VGA ("VBE Display API", Bochs).
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <string.h>

#include "hw/display/vga.h"

#define VBE_ID_OLDEST 0xb0c0
#define VBE_ID_NEWEST 0xb0c5
#define VBE_MAX_XRES 16000
#define VBE_MAX_YRES 12000
#define VBE_MAX_BPP 32

/* Bits that a pixel takes in memory. Depths that do not exist are 8. */
static unsigned bits_per_pixel(uint16_t depth)
{
    switch (depth) {
    case 4:
    case 16:
    case 24:
    case 32:
        return depth;
    case 15:
        return 16;
    default:
        return 8;
    }
}

unsigned vga_vbe_depth(const VGA *vga)
{
    return vga_vbe_enabled(vga) ? vga->vbe[VBE_BPP] : 0;
}

/* Makes a mode of whatever the guest has written: whole bytes wide, not larger than the
 * memory, and with its start inside. */
static void fix_mode(VGA *vga)
{
    uint16_t *vbe = vga->vbe;
    unsigned bits = bits_per_pixel(vbe[VBE_BPP]);
    uint32_t lines, x_offset, start;

    if (!vga_vbe_enabled(vga)) {
        return; /* the registers may be in the middle of a change */
    }
    vbe[VBE_BPP] = vbe[VBE_BPP] == 15 ? 15 : (uint16_t)bits;
    vbe[VBE_XRES] = CLAMP(vbe[VBE_XRES] & ~7u, 8, VBE_MAX_XRES);
    vbe[VBE_VIRT_WIDTH] = CLAMP(vbe[VBE_VIRT_WIDTH] & ~7u, vbe[VBE_XRES], VBE_MAX_XRES);
    vga->vbe_pitch = vbe[VBE_VIRT_WIDTH] * bits / 8;
    lines = vga->vram_size / vga->vbe_pitch;
    vbe[VBE_VIRT_HEIGHT] = (uint16_t)lines;
    vbe[VBE_YRES] = (uint16_t)MIN(CLAMP(vbe[VBE_YRES], 1, VBE_MAX_YRES), lines);
    vbe[VBE_X_OFFSET] = MIN(vbe[VBE_X_OFFSET], VBE_MAX_XRES);
    vbe[VBE_Y_OFFSET] = MIN(vbe[VBE_Y_OFFSET], VBE_MAX_YRES);

    x_offset = vbe[VBE_X_OFFSET] * bits / 8;
    start = x_offset + vbe[VBE_Y_OFFSET] * vga->vbe_pitch;
    if (start + vbe[VBE_YRES] * vga->vbe_pitch > vga->vram_size) {
        vbe[VBE_Y_OFFSET] = 0;
        start = x_offset;
    }
    if (start + vbe[VBE_YRES] * vga->vbe_pitch > vga->vram_size) {
        vbe[VBE_X_OFFSET] = 0;
        start = 0;
    }
    vga->vbe_start = start & ~3u;
}

void vga_vbe_set_registers(VGA *vga)
{
    uint8_t *crtc = vga->crtc, *graphics = vga->graphics;
    unsigned last_line = vga->vbe[VBE_YRES] - 1u;
    unsigned shift_mode = vga_vbe_depth(vga) == 4 ? 0 : 2;

    if (!vga_vbe_enabled(vga)) {
        return;
    }
    graphics[GRAPHICS_MISCELLANEOUS] =
        (uint8_t)((graphics[GRAPHICS_MISCELLANEOUS] & ~0x0c) | 0x04 |
                  MISCELLANEOUS_GRAPHICS);
    graphics[GRAPHICS_MODE] =
        (uint8_t)((graphics[GRAPHICS_MODE] & ~0x60) | shift_mode << 5);
    crtc[CRTC_MODE_CONTROL] |= 3;
    crtc[CRTC_OFFSET] = (uint8_t)(vga->vbe_pitch >> 3);
    crtc[CRTC_HORIZONTAL_DISPLAY_END] = (uint8_t)((vga->vbe[VBE_XRES] >> 3) - 1);
    crtc[CRTC_VERTICAL_DISPLAY_END] = (uint8_t)last_line;
    crtc[CRTC_LINE_COMPARE] = 0xff;
    crtc[CRTC_OVERFLOW] =
        (uint8_t)((crtc[CRTC_OVERFLOW] & ~0x42) | (last_line >> 7 & 0x02) |
                  (last_line >> 3 & 0x40) | 0x10);
    crtc[CRTC_MAXIMUM_SCAN_LINE] =
        (uint8_t)((crtc[CRTC_MAXIMUM_SCAN_LINE] & ~0x9f) | 0x40);
}

static void set_bank(VGA *vga, uint16_t bank)
{
    bank &= (uint16_t)((vga->vram_size >> 16) - 1);
    vga->vbe[VBE_BANK] = bank;
    vga->bank_offset = (uint32_t)bank << 16;
    vga_memory_update(vga);
}

static void enable(VGA *vga, uint16_t value)
{
    if (value & VBE_ENABLED && !vga_vbe_enabled(vga)) {
        vga->vbe[VBE_VIRT_WIDTH] = 0;
        vga->vbe[VBE_X_OFFSET] = vga->vbe[VBE_Y_OFFSET] = 0;
        vga->vbe[VBE_ENABLE] |= VBE_ENABLED;
        fix_mode(vga);
        vga_vbe_set_registers(vga);
        if (!(value & VBE_KEEP_MEMORY)) {
            uint32_t length = vga->vbe[VBE_YRES] * vga->vbe_pitch;

            memset(vga->vram, 0, length);
            memory_region_set_dirty(&vga->vram_region, 0, length);
        }
    } else {
        vga->bank_offset = 0;
    }
    vga->vbe[VBE_ENABLE] = value;
    vga_memory_update(vga);
}

void vga_vbe_write(VGA *vga, unsigned index, uint16_t value)
{
    switch (index) {
    case VBE_ID:
        if (value >= VBE_ID_OLDEST && value <= VBE_ID_NEWEST) {
            vga->vbe[VBE_ID] = value;
        }
        break;
    case VBE_ENABLE:
        enable(vga, value);
        break;
    case VBE_BANK:
        set_bank(vga, value);
        break;
    case VBE_XRES:
    case VBE_YRES:
    case VBE_BPP:
    case VBE_VIRT_WIDTH:
    case VBE_X_OFFSET:
    case VBE_Y_OFFSET:
        vga->vbe[index] = value;
        fix_mode(vga);
        vga_vbe_set_registers(vga);
        break;
    }
}

uint16_t vga_vbe_read(const VGA *vga, unsigned index)
{
    bool capabilities = vga->vbe[VBE_ENABLE] & VBE_GET_CAPABILITIES;

    if (index == VBE_VIDEO_MEMORY_64K) {
        return (uint16_t)(vga->vram_size / KiB(64));
    }
    if (index > VBE_REGISTERS) {
        return 0;
    }
    switch (capabilities ? index : VBE_ID) {
    case VBE_XRES:
        return VBE_MAX_XRES;
    case VBE_YRES:
        return VBE_MAX_YRES;
    case VBE_BPP:
        return VBE_MAX_BPP;
    default:
        return vga->vbe[index];
    }
}

void vga_vbe_loaded(VGA *vga)
{
    vga->vbe[VBE_ID] = CLAMP(vga->vbe[VBE_ID], VBE_ID_OLDEST, VBE_ID_NEWEST);
    vga->vbe[VBE_BANK] &= (uint16_t)((vga->vram_size >> 16) - 1);
    fix_mode(vga);
}

void vga_vbe_reset(VGA *vga)
{
    memset(vga->vbe, 0, sizeof(vga->vbe));
    vga->vbe[VBE_ID] = VBE_ID_NEWEST;
    vga->vbe_index = 0;
    vga->vbe_start = vga->vbe_pitch = vga->bank_offset = 0;
}

/* -- Ports -----------------------------------------------------------------------------
 */

static uint64_t port_read(void *opaque, hwaddr offset, unsigned size)
{
    const VGA *vga = opaque;

    if (size != 2) {
        return UINT64_MAX;
    }
    return offset == 0 ? vga->vbe_index : vga_vbe_read(vga, vga->vbe_index);
}

static void port_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    VGA *vga = opaque;

    if (size != 2) {
        return;
    }
    if (offset == 0) {
        vga->vbe_index = (uint16_t)value;
    } else {
        vga_vbe_write(vga, vga->vbe_index, (uint16_t)value);
    }
}

const MemoryRegionOps vga_vbe_port_ops = {
    .read = port_read,
    .write = port_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = {.unaligned = true},
    .impl = {.unaligned = true},
};
