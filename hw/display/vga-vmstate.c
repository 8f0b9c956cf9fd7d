/*
 * The VGA in a migration stream. Its memory goes as a RAM block.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <gio/gio.h>
#include <string.h>

#include "hw/display/vga.h"

#define BANK_SIZE 0x10000u

typedef struct WireVGA {
    uint32_t latch; /* plane 0 is the low byte */
    uint8_t sr_index, sr[SEQUENCER_REGISTERS];
    uint8_t gr_index, gr[GRAPHICS_REGISTERS];
    uint8_t ar_index, ar[ATTRIBUTE_REGISTERS];
    int32_t ar_flip_flop;
    uint8_t cr_index, cr[CRTC_REGISTERS];
    uint8_t msr, fcr, st00, st01;
    uint8_t dac_state, dac_sub_index, dac_read_index, dac_write_index;
    uint8_t dac_cache[3], palette[3 * 256];
    int32_t bank_offset;
    uint8_t is_vbe;
    uint16_t vbe_index, vbe_regs[VBE_REGISTERS];
    uint32_t vbe_start_addr; /* words of four bytes */
    uint32_t vbe_line_offset, vbe_bank_mask;
    bool big_endian_fb;
} WireVGA;

static void vga_to_wire(void *opaque, void *data)
{
    const VGA *vga = opaque;
    WireVGA *wire = data;

    *wire = (WireVGA){
        .latch = vga->latches[0] | (uint32_t)vga->latches[1] << 8 |
                 (uint32_t)vga->latches[2] << 16 | (uint32_t)vga->latches[3] << 24,
        .sr_index = vga->sequencer_index,
        .gr_index = vga->graphics_index,
        .ar_index = vga->attribute_index,
        .ar_flip_flop = vga->attribute_data_next,
        .cr_index = vga->crtc_index,
        .msr = vga->misc_output,
        .fcr = vga->feature_control,
        .st01 = vga->status1,
        .dac_state = vga->dac_state,
        .dac_sub_index = vga->dac_component,
        .dac_read_index = vga->dac_read_index,
        .dac_write_index = vga->dac_write_index,
        .bank_offset = (int32_t)vga->bank_offset,
        .is_vbe = 1,
        .vbe_index = vga->vbe_index,
        .vbe_start_addr = vga->vbe_start / 4,
        .vbe_line_offset = vga->vbe_pitch,
        .vbe_bank_mask = vga->vram_size / BANK_SIZE - 1,
    };
    memcpy(wire->sr, vga->sequencer, sizeof(wire->sr));
    memcpy(wire->gr, vga->graphics, sizeof(wire->gr));
    memcpy(wire->ar, vga->attribute, sizeof(wire->ar));
    memcpy(wire->cr, vga->crtc, sizeof(wire->cr));
    memcpy(wire->dac_cache, vga->dac_cache, sizeof(wire->dac_cache));
    memcpy(wire->palette, vga->palette, sizeof(wire->palette));
    memcpy(wire->vbe_regs, vga->vbe, sizeof(wire->vbe_regs));
}

static bool is_sane(const VGA *vga, const WireVGA *wire)
{
    return wire->sr_index < SEQUENCER_REGISTERS && wire->gr_index < GRAPHICS_REGISTERS &&
           wire->ar_index < 0x40 && wire->dac_sub_index < 3 && wire->bank_offset >= 0 &&
           (uint32_t)wire->bank_offset < vga->vram_size &&
           wire->bank_offset % BANK_SIZE == 0;
}

static bool vga_from_wire(void *opaque, void *data, int version_id, GError **error)
{
    VGA *vga = opaque;
    const WireVGA *wire = data;

    if (!is_sane(vga, wire)) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                            "the stream's VGA has registers or memory that this one has "
                            "not: give both machines the same -vga and vgamem_mb, or the "
                            "stream is broken");
        return false;
    }
    for (unsigned plane = 0; plane < 4; plane++) {
        vga->latches[plane] = (uint8_t)(wire->latch >> (8 * plane));
    }
    vga->sequencer_index = wire->sr_index;
    vga->graphics_index = wire->gr_index;
    vga->attribute_index = wire->ar_index;
    vga->attribute_data_next = wire->ar_flip_flop;
    vga->crtc_index = wire->cr_index;
    vga->misc_output = wire->msr;
    vga->feature_control = wire->fcr;
    vga->status1 = wire->st01;
    vga->dac_state = wire->dac_state;
    vga->dac_component = wire->dac_sub_index;
    vga->dac_read_index = wire->dac_read_index;
    vga->dac_write_index = wire->dac_write_index;
    vga->bank_offset = (uint32_t)wire->bank_offset;
    vga->vbe_index = wire->vbe_index;
    vga->vbe_start = vga->vbe_pitch = 0;
    memcpy(vga->sequencer, wire->sr, sizeof(wire->sr));
    memcpy(vga->graphics, wire->gr, sizeof(wire->gr));
    memcpy(vga->attribute, wire->ar, sizeof(wire->ar));
    memcpy(vga->crtc, wire->cr, sizeof(wire->cr));
    memcpy(vga->dac_cache, wire->dac_cache, sizeof(wire->dac_cache));
    memcpy(vga->palette, wire->palette, sizeof(wire->palette));
    memcpy(vga->vbe, wire->vbe_regs, sizeof(wire->vbe_regs));
    vga_registers_loaded(vga);
    vga_vbe_loaded(vga);
    vga_memory_update(vga);
    return true;
}

/* A guest of the other byte order has told QEMU so; pictures here are little-endian. */
static bool is_big_endian(void *opaque)
{
    return ((WireVGA *)opaque)->big_endian_fb;
}

static const VMStateDescription vmstate_endian = {
    .name = "vga.endian",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = is_big_endian,
    .fields = (const VMStateField[]){VMSTATE_BOOL(big_endian_fb, WireVGA),
                                     VMSTATE_END_OF_LIST()},
};

const VMStateDescription vmstate_vga = {
    .name = "vga",
    .version_id = 2,
    .minimum_version_id = 2,
    .wire_size = sizeof(WireVGA),
    .to_wire = vga_to_wire,
    .from_wire = vga_from_wire,
    .fields =
        (const VMStateField[]){
            VMSTATE_UINT32(latch, WireVGA),
            VMSTATE_UINT8(sr_index, WireVGA),
            VMSTATE_BUFFER(sr, WireVGA),
            VMSTATE_UINT8(gr_index, WireVGA),
            VMSTATE_BUFFER(gr, WireVGA),
            VMSTATE_UINT8(ar_index, WireVGA),
            VMSTATE_BUFFER(ar, WireVGA),
            VMSTATE_INT32(ar_flip_flop, WireVGA),
            VMSTATE_UINT8(cr_index, WireVGA),
            VMSTATE_BUFFER(cr, WireVGA),
            VMSTATE_UINT8(msr, WireVGA),
            VMSTATE_UINT8(fcr, WireVGA),
            VMSTATE_UINT8(st00, WireVGA),
            VMSTATE_UINT8(st01, WireVGA),
            VMSTATE_UINT8(dac_state, WireVGA),
            VMSTATE_UINT8(dac_sub_index, WireVGA),
            VMSTATE_UINT8(dac_read_index, WireVGA),
            VMSTATE_UINT8(dac_write_index, WireVGA),
            VMSTATE_BUFFER(dac_cache, WireVGA),
            VMSTATE_BUFFER(palette, WireVGA),
            VMSTATE_INT32(bank_offset, WireVGA),
            VMSTATE_ROW("is_vbe_vmstate", 0, NULL, .flags = VMS_SINGLE,
                        .info = &vmstate_info_uint8_equal, .size = sizeof(uint8_t),
                        .offset = VMSTATE_AT(WireVGA, is_vbe, uint8_t)),
            VMSTATE_UINT16(vbe_index, WireVGA),
            VMSTATE_UINT16_ARRAY(vbe_regs, WireVGA, VBE_REGISTERS),
            VMSTATE_UINT32(vbe_start_addr, WireVGA),
            VMSTATE_UINT32(vbe_line_offset, WireVGA),
            VMSTATE_UINT32(vbe_bank_mask, WireVGA),
            VMSTATE_END_OF_LIST(),
        },
    .subsections = (const VMStateDescription *const[]){&vmstate_endian, NULL},
};
