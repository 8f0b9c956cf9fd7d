/*
 * The VGA's ports and registers (IBM, "Registers").
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/display/vga.h"

#include <gio/gio.h>
#include <string.h>

/* Status register 1: bit 3 vertical retrace, bit 0 display not enabled. Programs wait for
 * an edge of either and would wait on a model that keeps no beam; they see one at every
 * second read. */
#define STATUS1_EDGES 0x09

/* The DAC's state as port 0x3c7 reads it: prepared to read, or to write. */
#define DAC_READING 3
#define DAC_WRITING 0

/* Which bits of a register are there. */
static const uint8_t sequencer_bits[SEQUENCER_REGISTERS] = {0x03, 0x3d, 0x0f, 0x3f,
                                                            0x0e, 0x00, 0x00, 0xff};
static const uint8_t graphics_bits[GRAPHICS_REGISTERS] = {
    0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff, 0, 0, 0, 0, 0, 0, 0};

static uint8_t attribute_bits(unsigned index)
{
    static const uint8_t bits[] = {
        [ATTRIBUTE_MODE - ATTRIBUTE_MODE] = 0xef,
        [ATTRIBUTE_OVERSCAN - ATTRIBUTE_MODE] = 0xff,
        [ATTRIBUTE_PLANE_ENABLE - ATTRIBUTE_MODE] = 0x3f,
        [ATTRIBUTE_PEL_PANNING - ATTRIBUTE_MODE] = 0x0f,
        [ATTRIBUTE_COLOR_SELECT - ATTRIBUTE_MODE] = 0x0f,
    };

    return index < ATTRIBUTE_MODE ? 0x3f : bits[index - ATTRIBUTE_MODE];
}

void vga_registers_loaded(VGA *vga)
{
    for (unsigned i = 0; i < SEQUENCER_REGISTERS; i++) {
        vga->sequencer[i] &= sequencer_bits[i];
    }
    for (unsigned i = 0; i < GRAPHICS_REGISTERS; i++) {
        vga->graphics[i] &= graphics_bits[i];
    }
    for (unsigned i = 0; i < ATTRIBUTE_REGISTERS; i++) {
        vga->attribute[i] &= attribute_bits(i);
    }
}

/* -- Attribute controller ------------------------------------------------------------ */

static void attribute_write(VGA *vga, uint8_t value)
{
    unsigned index = vga->attribute_index & 0x1f;

    if (!vga->attribute_data_next) {
        vga->attribute_index = value & 0x3f;
    } else if (index < ATTRIBUTE_REGISTERS) {
        vga->attribute[index] = value & attribute_bits(index);
    }
    vga->attribute_data_next = !vga->attribute_data_next;
}

static uint8_t attribute_read(const VGA *vga)
{
    unsigned index = vga->attribute_index & 0x1f;

    return index < ATTRIBUTE_REGISTERS ? vga->attribute[index] : 0;
}

/* -- Digital-to-analogue converter: red, green, blue of the next colour in turn ---------
 */

static uint8_t dac_read(VGA *vga)
{
    uint8_t value = vga->palette[3 * vga->dac_read_index + vga->dac_component];

    if (++vga->dac_component == 3) {
        vga->dac_component = 0;
        vga->dac_read_index++;
    }
    return value;
}

/* A colour changes when its third component arrives. */
static void dac_write(VGA *vga, uint8_t value)
{
    vga->dac_cache[vga->dac_component] = value;
    if (++vga->dac_component == 3) {
        memcpy(&vga->palette[3 * vga->dac_write_index], vga->dac_cache, 3);
        vga->dac_component = 0;
        vga->dac_write_index++;
    }
}

/* -- CRT controller ------------------------------------------------------------------ */

/* Bit 7 of the vertical retrace end register protects registers 0-7, of which 7 keeps bit
 * 4 of the line compare writable. */
static void crtc_write(VGA *vga, uint8_t value)
{
    uint8_t *reg = &vga->crtc[vga->crtc_index];

    if (!(vga->crtc[CRTC_VERTICAL_RETRACE_END] & 0x80) ||
        vga->crtc_index > CRTC_OVERFLOW) {
        *reg = value;
    } else if (vga->crtc_index == CRTC_OVERFLOW) {
        *reg = (uint8_t)((*reg & ~0x10) | (value & 0x10));
    }
}

/* -- Ports --------------------------------------------------------------------------- */

/* The CRT controller and status 1 answer at 0x3bX or at 0x3dX. */
static bool port_answers(const VGA *vga, uint16_t port)
{
    bool color = vga->misc_output & OUTPUT_COLOR_ADDRESSES;

    return (port >> 4 != 0x3b || !color) && (port >> 4 != 0x3d || color);
}

uint8_t vga_sequencer(const VGA *vga, unsigned index)
{
    uint8_t value = vga->sequencer[index];

    if (vga_vbe_enabled(vga)) {
        switch (index) {
        case SEQUENCER_CLOCKING_MODE:
            return value & (uint8_t)~CLOCKING_MODE_HALF_DOT_CLOCK;
        case SEQUENCER_MAP_MASK:
            return vga_vbe_depth(vga) == 4 ? value : value | 0x0f;
        case SEQUENCER_MEMORY_MODE:
            return vga_vbe_depth(vga) == 4 ? value : value | MEMORY_MODE_CHAIN_4;
        }
    }
    return value;
}

uint8_t vga_port_read(VGA *vga, uint16_t port)
{
    if (!port_answers(vga, port)) {
        return 0xff;
    }
    switch (port) {
    case 0x3c0:
        return vga->attribute_data_next ? 0 : vga->attribute_index;
    case 0x3c1:
        return attribute_read(vga);
    case 0x3c4:
        return vga->sequencer_index;
    case 0x3c5:
        return vga->sequencer[vga->sequencer_index];
    case 0x3c7:
        return vga->dac_state;
    case 0x3c8:
        return vga->dac_write_index;
    case 0x3c9:
        return dac_read(vga);
    case 0x3ca:
        return vga->feature_control;
    case 0x3cc:
        return vga->misc_output;
    case 0x3ce:
        return vga->graphics_index;
    case 0x3cf:
        return vga->graphics[vga->graphics_index];
    case 0x3b4:
    case 0x3d4:
        return vga->crtc_index;
    case 0x3b5:
    case 0x3d5:
        return vga->crtc[vga->crtc_index];
    case 0x3ba:
    case 0x3da:
        vga->attribute_data_next = false;
        vga->status1 ^= STATUS1_EDGES;
        return vga->status1;
    default:
        return 0;
    }
}

void vga_port_write(VGA *vga, uint16_t port, uint8_t value)
{
    if (!port_answers(vga, port)) {
        return;
    }
    switch (port) {
    case 0x3c0:
        attribute_write(vga, value);
        break;
    case 0x3c2:
        vga->misc_output = value & 0xef;
        break;
    case 0x3c4:
        vga->sequencer_index = value & (SEQUENCER_REGISTERS - 1);
        break;
    case 0x3c5:
        vga->sequencer[vga->sequencer_index] =
            value & sequencer_bits[vga->sequencer_index];
        vga_vbe_set_registers(vga);
        vga_memory_update(vga);
        break;
    case 0x3c7:
        vga->dac_read_index = value;
        vga->dac_component = 0;
        vga->dac_state = DAC_READING;
        break;
    case 0x3c8:
        vga->dac_write_index = value;
        vga->dac_component = 0;
        vga->dac_state = DAC_WRITING;
        break;
    case 0x3c9:
        dac_write(vga, value);
        break;
    case 0x3ce:
        vga->graphics_index = value & (GRAPHICS_REGISTERS - 1);
        break;
    case 0x3cf:
        vga->graphics[vga->graphics_index] = value & graphics_bits[vga->graphics_index];
        vga_vbe_set_registers(vga);
        vga_memory_update(vga);
        break;
    case 0x3b4:
    case 0x3d4:
        vga->crtc_index = value;
        break;
    case 0x3b5:
    case 0x3d5:
        crtc_write(vga, value);
        vga_vbe_set_registers(vga);
        break;
    case 0x3ba:
    case 0x3da:
        vga->feature_control = value & 0x10;
        break;
    }
}

static uint64_t range_read(void *opaque, hwaddr offset, unsigned size)
{
    const VGAPortRange *range = opaque;

    return vga_port_read(range->vga, (uint16_t)(range->base + offset));
}

static void range_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    const VGAPortRange *range = opaque;

    vga_port_write(range->vga, (uint16_t)(range->base + offset), (uint8_t)value);
}

static const MemoryRegionOps range_ops = {
    .read = range_read,
    .write = range_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = {.unaligned = true},
    .impl = {.min_access_size = 1, .max_access_size = 1},
};

/* -- Life ---------------------------------------------------------------------------- */

static void map_ports(VGA *vga, MemoryRegion *io)
{
    static const struct {
        uint16_t base, ports;
    } ranges[VGA_PORT_RANGES] = {
        {0x3c0, 16}, {0x3b4, 2}, {0x3ba, 1}, {0x3d4, 2}, {0x3da, 1}};
    GObject *owner = G_OBJECT(vga->owner);

    for (unsigned i = 0; i < VGA_PORT_RANGES; i++) {
        VGAPortRange *range = &vga->ports[i];

        range->vga = vga;
        range->base = ranges[i].base;
        memory_region_init_io(&range->region, owner, &range_ops, range, "vga",
                              ranges[i].ports);
        memory_region_set_flush_coalesced(&range->region);
        memory_region_add_subregion(io, range->base, &range->region);
    }
    memory_region_init_io(&vga->vbe_ports, owner, &vga_vbe_port_ops, vga, "vbe", 4);
    memory_region_set_flush_coalesced(&vga->vbe_ports);
    memory_region_add_subregion(io, 0x1ce, &vga->vbe_ports);
}

bool vga_init(VGA *vga, Device *owner, MemoryRegion *legacy, MemoryRegion *io,
              GError **error)
{
    uint32_t mib = vga->vram_mib;

    if (mib == 0 || mib > 512 || (mib & (mib - 1))) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "vgamem_mb=%u: video memory is a power of two from 1 to 512 MiB",
                    mib);
        return false;
    }
    vga->owner = owner;
    vga->legacy = legacy;
    vga->vram_size = (uint32_t)MiB(mib);
    if (!memory_region_init_ram(&vga->vram_region, G_OBJECT(owner), "vga.vram",
                                vga->vram_size, error)) {
        return false;
    }
    vga->vram = memory_region_get_ram_ptr(&vga->vram_region);
    memory_region_init_io(&vga->low_memory, G_OBJECT(owner), &vga_memory_ops, vga,
                          "vga-lowmem", KiB(128));
    memory_region_set_coalescing(&vga->low_memory);
    memory_region_add_subregion_overlap(legacy, 0xa0000, &vga->low_memory, 1);
    memory_region_init_alias(&vga->chain4, G_OBJECT(owner), "vga.chain4",
                             &vga->vram_region, 0, KiB(128));
    map_ports(vga, io);
    vga->console = display_console_new(owner, vga_draw, vga);
    return true;
}

void vga_reset(VGA *vga)
{
    vga->misc_output = vga->feature_control = vga->status1 = 0;
    vga->sequencer_index = vga->crtc_index = vga->graphics_index = 0;
    vga->attribute_index = 0;
    vga->attribute_data_next = false;
    memset(vga->sequencer, 0, sizeof(vga->sequencer));
    memset(vga->crtc, 0, sizeof(vga->crtc));
    memset(vga->graphics, 0, sizeof(vga->graphics));
    memset(vga->attribute, 0, sizeof(vga->attribute));
    vga->dac_state = vga->dac_component = 0;
    vga->dac_read_index = vga->dac_write_index = 0;
    memset(vga->dac_cache, 0, sizeof(vga->dac_cache));
    memset(vga->palette, 0, sizeof(vga->palette));
    memset(vga->latches, 0, sizeof(vga->latches));
    vga_vbe_reset(vga);
    vga->cursor_shown = false;
    vga->cursor_blink_ns = 0;
    vga_memory_update(vga);
}

void vga_destroy(VGA *vga)
{
    if (!vga->console) {
        return;
    }
    display_console_free(vga->console);
    vga->console = NULL;
    memory_region_transaction_begin();
    if (memory_region_is_mapped(&vga->chain4)) {
        memory_region_del_subregion(vga->legacy, &vga->chain4);
    }
    memory_region_destroy(&vga->chain4);
    memory_region_del_subregion(vga->legacy, &vga->low_memory);
    memory_region_destroy(&vga->low_memory);
    for (unsigned i = 0; i < VGA_PORT_RANGES; i++) {
        MemoryRegion *region = &vga->ports[i].region;

        memory_region_del_subregion(region->container, region);
        memory_region_destroy(region);
    }
    memory_region_del_subregion(vga->vbe_ports.container, &vga->vbe_ports);
    memory_region_destroy(&vga->vbe_ports);
    memory_region_destroy(&vga->vram_region);
    memory_region_transaction_commit();
}
