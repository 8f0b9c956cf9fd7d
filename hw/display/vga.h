/*
 * The VGA: IBM's registers and planes, and Bochs' extensions (VBE DISPI) over them.
 *
 * Sources: IBM PS/2 Hardware Interface Technical Reference, "Video Subsystem" (1992),
 * cited as "IBM"; "FreeVGA", the hardware level VGA reference; Bochs' "VBE Display API"
 * for the DISPI registers. Where the hardware has choices, they are QEMU 7.2's: no
 * blinking of characters, no pel panning, no split in 256-colour modes' panning; the
 * pictures are meant to be equal.
 *
 * One VGA is part of an adapter (VGA on PCI, isa-vga), which says where it answers.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_DISPLAY_VGA_H
#define HW_DISPLAY_VGA_H

#include "hw/core/vmstate.h"
#include "hw/display/console.h"
#include "memory/zones.h"

/* Registers by index, IBM's names. */
enum {
    SEQUENCER_CLOCKING_MODE = 1,
    SEQUENCER_MAP_MASK = 2,
    SEQUENCER_CHARACTER_MAP = 3,
    SEQUENCER_MEMORY_MODE = 4,
    SEQUENCER_REGISTERS = 8,

    CRTC_VERTICAL_TOTAL = 0x06,
    CRTC_HORIZONTAL_DISPLAY_END = 0x01,
    CRTC_OVERFLOW = 0x07,
    CRTC_MAXIMUM_SCAN_LINE = 0x09,
    CRTC_CURSOR_START = 0x0a,
    CRTC_CURSOR_END = 0x0b,
    CRTC_START_HIGH = 0x0c,
    CRTC_START_LOW = 0x0d,
    CRTC_CURSOR_HIGH = 0x0e,
    CRTC_CURSOR_LOW = 0x0f,
    CRTC_VERTICAL_RETRACE_END = 0x11,
    CRTC_VERTICAL_DISPLAY_END = 0x12,
    CRTC_OFFSET = 0x13,
    CRTC_MODE_CONTROL = 0x17,
    CRTC_LINE_COMPARE = 0x18,
    CRTC_REGISTERS = 256,

    GRAPHICS_SET_RESET = 0,
    GRAPHICS_ENABLE_SET_RESET = 1,
    GRAPHICS_COLOR_COMPARE = 2,
    GRAPHICS_DATA_ROTATE = 3,
    GRAPHICS_READ_MAP_SELECT = 4,
    GRAPHICS_MODE = 5,
    GRAPHICS_MISCELLANEOUS = 6,
    GRAPHICS_COLOR_DONT_CARE = 7,
    GRAPHICS_BIT_MASK = 8,
    GRAPHICS_REGISTERS = 16,

    ATTRIBUTE_MODE = 0x10,
    ATTRIBUTE_OVERSCAN = 0x11,
    ATTRIBUTE_PLANE_ENABLE = 0x12,
    ATTRIBUTE_PEL_PANNING = 0x13,
    ATTRIBUTE_COLOR_SELECT = 0x14,
    ATTRIBUTE_REGISTERS = 0x15,
};

#define CLOCKING_MODE_8_DOTS 0x01
#define CLOCKING_MODE_HALF_DOT_CLOCK 0x08
#define MEMORY_MODE_CHAIN_4 0x08
#define GRAPHICS_MODE_ODD_EVEN 0x10
#define GRAPHICS_MODE_READ_COMPARE 0x08
#define MISCELLANEOUS_GRAPHICS 0x01
#define OUTPUT_COLOR_ADDRESSES 0x01 /* CRTC and status at 0x3dX, not 0x3bX */
#define CURSOR_OFF 0x20
#define ATTRIBUTE_PALETTE_SOURCE 0x20 /* in the index: the screen is on */
#define ATTRIBUTE_MODE_LINE_GRAPHICS 0x04
#define ATTRIBUTE_MODE_P5_P4_SELECT 0x80

/* DISPI registers by index. */
enum {
    VBE_ID,
    VBE_XRES,
    VBE_YRES,
    VBE_BPP,
    VBE_ENABLE,
    VBE_BANK,
    VBE_VIRT_WIDTH,
    VBE_VIRT_HEIGHT,
    VBE_X_OFFSET,
    VBE_Y_OFFSET,
    VBE_REGISTERS,
    VBE_VIDEO_MEMORY_64K = VBE_REGISTERS, /* not kept: computed */
};

#define VBE_ENABLED 0x01
#define VBE_GET_CAPABILITIES 0x02
#define VBE_8_BIT_DAC 0x20
#define VBE_KEEP_MEMORY 0x80

#define VGA_PORT_RANGES 5

typedef struct VGA VGA;

typedef struct VGAPortRange {
    VGA *vga;
    uint16_t base;
    MemoryRegion region;
} VGAPortRange;

struct VGA {
    Device *owner;
    uint32_t vram_mib;  /* the property "vgamem_mb" */
    uint32_t vram_size; /* bytes, a power of two */
    uint8_t *vram;      /* plane p of the byte at address a is vram[4 * a + p] */
    MemoryRegion vram_region, low_memory, chain4, vbe_ports;
    MemoryRegion *legacy; /* where low_memory and chain4 are shown */
    VGAPortRange ports[VGA_PORT_RANGES];
    DisplayConsole *console;

    uint8_t misc_output, feature_control, status1;
    uint8_t sequencer_index, sequencer[SEQUENCER_REGISTERS];
    uint8_t crtc_index, crtc[CRTC_REGISTERS];
    uint8_t graphics_index, graphics[GRAPHICS_REGISTERS];
    uint8_t attribute_index, attribute[ATTRIBUTE_REGISTERS];
    bool attribute_data_next; /* the flip-flop of port 0x3c0 */
    uint8_t dac_state, dac_component, dac_read_index, dac_write_index;
    uint8_t dac_cache[3], palette[3 * 256];
    uint8_t latches[4]; /* of the last planar read */

    uint16_t vbe_index, vbe[VBE_REGISTERS];
    uint32_t vbe_start;   /* bytes from the start of vram to the picture */
    uint32_t vbe_pitch;   /* bytes from line to line */
    uint32_t bank_offset; /* bytes: where the 64 KiB window at 0xa0000 looks */

    bool cursor_shown;       /* the phase of its blinking */
    int64_t cursor_blink_ns; /* virtual time of the next phase */
};

/* Makes the memory (named "vga.vram"), ports and console; the adapter's properties are
 * set. `legacy` is the memory space for 0xa0000-0xbffff, `io` that of the ports. */
bool vga_init(VGA *vga, Device *owner, MemoryRegion *legacy, MemoryRegion *io,
              GError **error);
void vga_reset(VGA *vga);
void vga_destroy(VGA *vga);

/* Its state in a stream: hw/display/vga-vmstate.c. */
extern const VMStateDescription vmstate_vga;

/* -- vga-registers.c -- */
uint8_t vga_port_read(VGA *vga, uint16_t port);
void vga_port_write(VGA *vga, uint16_t port, uint8_t value);

/* Takes bits that are not there out of registers that were loaded. */
void vga_registers_loaded(VGA *vga);

/* The sequencer's register as it acts: a VBE mode overrides some. */
uint8_t vga_sequencer(const VGA *vga, unsigned index);

/* -- vga-memory.c: the window of 128 KiB at 0xa0000 -- */
extern const MemoryRegionOps vga_memory_ops;

/* Shows or hides "vga.chain4": the part of the window behind which a plain piece of vram
 * lies needs no callbacks. After each change of registers that matter. */
void vga_memory_update(VGA *vga);

/* -- vga-draw.c -- */
void vga_draw(void *opaque, pixman_image_t **image);

/* -- vbe.c -- */
static inline bool vga_vbe_enabled(const VGA *vga)
{
    return vga->vbe[VBE_ENABLE] & VBE_ENABLED;
}
uint16_t vga_vbe_read(const VGA *vga, unsigned index);
void vga_vbe_write(VGA *vga, unsigned index, uint16_t value);
void vga_vbe_reset(VGA *vga);
/* After its registers were loaded: fits the mode to the memory. */
void vga_vbe_loaded(VGA *vga);

/* While a VBE mode is on, keeps the VGA's own registers as they would be for it, whatever
 * the guest writes to them: a graphics mode without CGA's ways, doubling and splits. */
void vga_vbe_set_registers(VGA *vga);

/* Bits of a pixel in the VBE mode that is on: 4, 8, 15, 16, 24 or 32; 0: none is on. */
unsigned vga_vbe_depth(const VGA *vga);

/* The index and data words at ports 0x1ce and 0x1d0 (and, as PCs allow, at 0x1cf). */
extern const MemoryRegionOps vga_vbe_port_ops;

#endif
