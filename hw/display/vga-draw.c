/*
 * From vram and registers to a picture: text and graphics modes.
 *
 * A line of the screen is drawn at an address in vram that wraps around at its end, so
 * that no register leads out of it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <string.h>

#include "hw/core/clock.h"
#include "hw/display/vga.h"

/* The cursor changes its phase every 16 frames of 60 Hz. */
#define CURSOR_PHASE_NS (16 * NANOSECONDS_PER_SECOND / 60)

/* More characters than this are a mode that is only half set. */
#define TEXT_CELLS_MAX (160 * 100)

/* Where the CRT controller starts and goes on. */
typedef struct Scan {
    uint32_t start, pitch; /* bytes of vram */
    unsigned split;        /* the line behind which it starts again at 0 */
} Scan;

static uint8_t vram_byte(const VGA *vga, uint32_t address)
{
    return vga->vram[address & (vga->vram_size - 1)];
}

static uint32_t vram_le16(const VGA *vga, uint32_t address)
{
    return vram_byte(vga, address) | (uint32_t)vram_byte(vga, address + 1) << 8;
}

static Scan scan_of(const VGA *vga)
{
    const uint8_t *crtc = vga->crtc;

    if (vga_vbe_enabled(vga)) {
        return (Scan){vga->vbe_start, vga->vbe_pitch, 0xffff};
    }
    return (Scan){
        .start = 4u * (crtc[CRTC_START_LOW] | (uint32_t)crtc[CRTC_START_HIGH] << 8),
        .pitch = (uint32_t)crtc[CRTC_OFFSET] << 3,
        .split = crtc[CRTC_LINE_COMPARE] | (crtc[CRTC_OVERFLOW] & 0x10u) << 4 |
                 (crtc[CRTC_MAXIMUM_SCAN_LINE] & 0x40u) << 3,
    };
}

static unsigned scan_lines(const VGA *vga)
{
    return (vga->crtc[CRTC_VERTICAL_DISPLAY_END] |
            (vga->crtc[CRTC_OVERFLOW] & 0x02u) << 7 |
            (vga->crtc[CRTC_OVERFLOW] & 0x40u) << 3) +
           1;
}

/* -- Colours ---------------------------------------------------------------------------
 */

static uint32_t rgb(unsigned red, unsigned green, unsigned blue)
{
    return red << 16 | green << 8 | blue;
}

/* Six bits of a DAC's to eight. */
static unsigned widen_6(uint8_t value)
{
    return (value & 0x3fu) << 2 | (value & 1 ? 3 : 0);
}

static uint32_t dac_color(const VGA *vga, unsigned index, bool eight_bits)
{
    const uint8_t *color = &vga->palette[3 * index];

    return eight_bits ? rgb(color[0], color[1], color[2])
                      : rgb(widen_6(color[0]), widen_6(color[1]), widen_6(color[2]));
}

/* Sixteen colours go through the attribute controller's palette first; its colour select
 * register gives the upper two bits, or four, of the DAC's index. */
static void sixteen_colors(const VGA *vga, uint32_t colors[16])
{
    unsigned select = vga->attribute[ATTRIBUTE_COLOR_SELECT];
    bool four = vga->attribute[ATTRIBUTE_MODE] & ATTRIBUTE_MODE_P5_P4_SELECT;

    for (unsigned i = 0; i < 16; i++) {
        unsigned index = vga->attribute[i];

        index = four ? (select & 0x0f) << 4 | (index & 0x0f)
                     : (select & 0x0c) << 4 | (index & 0x3f);
        colors[i] = dac_color(vga, index, false);
    }
}

static void all_colors(const VGA *vga, uint32_t colors[256])
{
    bool eight_bits = vga->vbe[VBE_ENABLE] & VBE_8_BIT_DAC;

    for (unsigned i = 0; i < 256; i++) {
        colors[i] = dac_color(vga, i, eight_bits);
    }
}

/* -- Text ------------------------------------------------------------------------------
 */

typedef struct Text {
    unsigned columns, rows;
    unsigned cell_width, cell_height; /* pixels */
    unsigned dot_width;               /* pixels a bit of the font */
    uint32_t fonts[2]; /* of characters whose attribute has bit 3 clear, set */
    uint32_t colors[16];
    uint32_t cursor;                    /* its cell's address */
    unsigned cursor_first, cursor_last; /* its scan lines, none when last < first */
} Text;

/* A font is 256 characters of 32 lines in plane 2. */
static uint32_t font_address(unsigned number)
{
    return number * 8192 * 4 + 2;
}

/* The phase changes when somebody looks, and not more often than on a screen. */
static bool cursor_blinks_on(VGA *vga)
{
    int64_t now = clock_virtual_ns();

    if (now >= vga->cursor_blink_ns) {
        vga->cursor_blink_ns = now + CURSOR_PHASE_NS;
        vga->cursor_shown = !vga->cursor_shown;
    }
    return vga->cursor_shown;
}

static void text_cursor(VGA *vga, Text *text)
{
    const uint8_t *crtc = vga->crtc;
    bool on = cursor_blinks_on(vga) && !(crtc[CRTC_CURSOR_START] & CURSOR_OFF);

    text->cursor = 4u * (crtc[CRTC_CURSOR_LOW] | (uint32_t)crtc[CRTC_CURSOR_HIGH] << 8);
    text->cursor_first = crtc[CRTC_CURSOR_START] & 0x1f;
    text->cursor_last = MIN(crtc[CRTC_CURSOR_END] & 0x1fu, text->cell_height - 1);
    if (!on || text->cursor_first > text->cursor_last) {
        text->cursor_first = 32;
        text->cursor_last = 0;
    }
}

/* A height of 100 lines is the trick that makes 160x100 graphics of half characters. */
static bool text_of(VGA *vga, Text *text)
{
    uint8_t clocking = vga_sequencer(vga, SEQUENCER_CLOCKING_MODE);
    uint8_t maps = vga_sequencer(vga, SEQUENCER_CHARACTER_MAP);

    text->cell_height = (vga->crtc[CRTC_MAXIMUM_SCAN_LINE] & 0x1fu) + 1;
    text->dot_width = clocking & CLOCKING_MODE_HALF_DOT_CLOCK ? 2 : 1;
    text->cell_width = text->dot_width == 2              ? 16
                       : clocking & CLOCKING_MODE_8_DOTS ? 8
                                                         : 9;
    text->columns = vga->crtc[CRTC_HORIZONTAL_DISPLAY_END] + 1u;
    text->rows =
        vga->crtc[CRTC_VERTICAL_TOTAL] == 100 ? 100 : scan_lines(vga) / text->cell_height;
    if (text->columns * text->rows <= 1 || text->columns * text->rows > TEXT_CELLS_MAX) {
        return false;
    }
    text->fonts[0] = font_address((maps >> 4 & 1u) | (maps << 1 & 6u));
    text->fonts[1] = font_address((maps >> 5 & 1u) | (maps >> 1 & 6u));
    sixteen_colors(vga, text->colors);
    text_cursor(vga, text);
    return true;
}

/* One cell. A ninth dot is background, but for the line drawing characters, which repeat
 * their eighth. */
static void draw_cell(const VGA *vga, const Text *text, uint32_t address,
                      uint32_t *pixels, unsigned stride)
{
    uint8_t character = vram_byte(vga, address);
    uint8_t attribute = vram_byte(vga, address + 1);
    uint32_t font = text->fonts[attribute >> 3 & 1] + 32u * 4 * character;
    uint32_t foreground = text->colors[attribute & 15];
    uint32_t background = text->colors[attribute >> 4];
    bool joined = (character & 0xe0) == 0xc0 || (character & 0xf0) == 0xb0;
    bool repeat = joined && vga->attribute[ATTRIBUTE_MODE] & ATTRIBUTE_MODE_LINE_GRAPHICS;

    for (unsigned y = 0; y < text->cell_height; y++, pixels += stride) {
        unsigned bits = vram_byte(vga, font + 4 * y);
        bool cursor =
            address == text->cursor && y >= text->cursor_first && y <= text->cursor_last;

        bits = cursor ? 0x1ff : bits << 1 | (repeat ? bits & 1 : 0);
        for (unsigned x = 0; x < text->cell_width; x++) {
            unsigned dot = x / text->dot_width;

            pixels[x] = bits & 0x100u >> dot ? foreground : background;
        }
    }
}

static void draw_text(VGA *vga, pixman_image_t **image)
{
    Scan scan = scan_of(vga);
    uint32_t address = scan.start, *pixels;
    unsigned stride, line = 0;
    Text text;

    if (!text_of(vga, &text) ||
        !display_image_resize(image, PIXMAN_x8r8g8b8,
                              (int)(text.columns * text.cell_width),
                              (int)(text.rows * text.cell_height))) {
        return;
    }
    stride = (unsigned)pixman_image_get_stride(*image) / 4;
    pixels = pixman_image_get_data(*image);
    for (unsigned row = 0; row < text.rows; row++) {
        for (unsigned column = 0; column < text.columns; column++) {
            draw_cell(vga, &text, address + 4 * column, pixels + column * text.cell_width,
                      stride);
        }
        pixels += text.cell_height * stride;
        address += scan.pitch;
        if (line < scan.split && line + text.cell_height >= scan.split) {
            address = 0;
        }
        line += text.cell_height;
    }
}

/* -- Graphics: `count` pixels from an address -------------------------------------------
 */

typedef void (*LineFunction)(const VGA *vga, const uint32_t *colors, uint32_t address,
                             uint32_t *pixels, unsigned count);

/* The planes of eight pixels, those that the plane enable register shuts out cleared. */
static void fetch_planes(const VGA *vga, uint32_t address, uint8_t planes[4])
{
    for (unsigned plane = 0; plane < 4; plane++) {
        planes[plane] = vga->attribute[ATTRIBUTE_PLANE_ENABLE] >> plane & 1
                            ? vram_byte(vga, address + plane)
                            : 0;
    }
}

/* Each plane has a bit of the pixel. */
static void line_planar(const VGA *vga, const uint32_t *colors, uint32_t address,
                        uint32_t *pixels, unsigned count)
{
    uint8_t planes[4];

    for (unsigned x = 0; x < count; x++) {
        unsigned bit = 7 - x % 8, color = 0;

        if (x % 8 == 0) {
            fetch_planes(vga, address + x / 8 * 4, planes);
        }
        for (unsigned plane = 0; plane < 4; plane++) {
            color |= (planes[plane] >> bit & 1u) << plane;
        }
        pixels[x] = colors[color];
    }
}

/* CGA's four colours: plane 0 has the first four pixels, two bits each, and plane 1 the
 * second; planes 2 and 3 add two more bits. */
static void line_interleaved(const VGA *vga, const uint32_t *colors, uint32_t address,
                             uint32_t *pixels, unsigned count)
{
    uint8_t planes[4];

    for (unsigned x = 0; x < count; x++) {
        unsigned plane = x / 4 % 2, shift = 6 - x % 4 * 2;

        if (x % 8 == 0) {
            fetch_planes(vga, address + x / 8 * 4, planes);
        }
        pixels[x] = colors[(planes[plane] >> shift & 3u) |
                           (planes[plane + 2] >> shift & 3u) << 2];
    }
}

static void line_8(const VGA *vga, const uint32_t *colors, uint32_t address,
                   uint32_t *pixels, unsigned count)
{
    for (unsigned x = 0; x < count; x++) {
        pixels[x] = colors[vram_byte(vga, address + x)];
    }
}

/* QEMU widens this format with zeroes, and the next as pixman does. */
static void line_15(const VGA *vga, const uint32_t *colors, uint32_t address,
                    uint32_t *pixels, unsigned count)
{
    for (unsigned x = 0; x < count; x++) {
        uint32_t value = vram_le16(vga, address + 2 * x);

        pixels[x] = rgb(value >> 7 & 0xf8, value >> 2 & 0xf8, value << 3 & 0xf8);
    }
}

static void line_16(const VGA *vga, const uint32_t *colors, uint32_t address,
                    uint32_t *pixels, unsigned count)
{
    for (unsigned x = 0; x < count; x++) {
        uint32_t value = vram_le16(vga, address + 2 * x);

        pixels[x] = rgb((value >> 8 & 0xf8) | value >> 13,
                        (value >> 3 & 0xfc) | (value >> 9 & 0x03),
                        (value << 3 & 0xf8) | (value >> 2 & 0x07));
    }
}

static void line_24(const VGA *vga, const uint32_t *colors, uint32_t address,
                    uint32_t *pixels, unsigned count)
{
    for (unsigned x = 0; x < count; x++, address += 3) {
        pixels[x] = vram_le16(vga, address) | (uint32_t)vram_byte(vga, address + 2) << 16;
    }
}

static void line_32(const VGA *vga, const uint32_t *colors, uint32_t address,
                    uint32_t *pixels, unsigned count)
{
    for (unsigned x = 0; x < count; x++, address += 4) {
        pixels[x] = vram_le16(vga, address) | (uint32_t)vram_byte(vga, address + 2) << 16;
    }
}

/* -- Graphics: the modes ----------------------------------------------------------------
 */

typedef struct Graphics {
    LineFunction line;
    unsigned width, height;
    unsigned dot_width; /* screen pixels a pixel of the line function's */
    unsigned repeats;   /* how often a line is shown again */
    uint32_t colors[256];
} Graphics;

static LineFunction packed_line(const VGA *vga, Graphics *graphics)
{
    switch (vga_vbe_depth(vga)) {
    case 0:
        graphics->dot_width = 2;
        return line_8;
    case 15:
        return line_15;
    case 16:
        return line_16;
    case 24:
        return line_24;
    case 32:
        return line_32;
    default:
        return line_8;
    }
}

static void graphics_of(const VGA *vga, Graphics *graphics)
{
    uint8_t lines = vga->crtc[CRTC_MAXIMUM_SCAN_LINE];
    unsigned doubled = lines >> 7;
    unsigned shift_mode = vga->graphics[GRAPHICS_MODE] >> 5 & 3;
    bool half_clock =
        vga_sequencer(vga, SEQUENCER_CLOCKING_MODE) & CLOCKING_MODE_HALF_DOT_CLOCK;

    if (vga_vbe_enabled(vga)) {
        graphics->width = vga->vbe[VBE_XRES];
        graphics->height = vga->vbe[VBE_YRES];
    } else {
        graphics->width = (vga->crtc[CRTC_HORIZONTAL_DISPLAY_END] + 1u) * 8;
        graphics->height = scan_lines(vga);
    }
    graphics->dot_width = 1;
    /* Where the row scan counter is an address bit, it does not repeat lines as well. */
    graphics->repeats = vga->crtc[CRTC_MODE_CONTROL] & 1
                            ? (((lines & 0x1fu) + 1) << doubled) - 1
                            : doubled;
    if (shift_mode < 2) {
        graphics->line = shift_mode == 0 ? line_planar : line_interleaved;
        sixteen_colors(vga, graphics->colors);
        if (half_clock) {
            graphics->dot_width = 2;
            graphics->width *= 2;
        }
    } else {
        graphics->line = packed_line(vga, graphics);
        all_colors(vga, graphics->colors);
    }
}

static void double_dots(uint32_t *pixels, unsigned width)
{
    for (unsigned x = width; x-- > 0;) {
        pixels[x] = pixels[x / 2];
    }
}

/* The CGA and Hercules line layouts: the row scan counter's lowest bits stand in for an
 * address bit each. */
static uint32_t row_scan_address(const VGA *vga, uint32_t address, unsigned row)
{
    uint8_t mode = vga->crtc[CRTC_MODE_CONTROL];

    if (!(mode & 1)) {
        unsigned shift = 14 + (mode >> 6 & 1);

        address = (address & ~(1u << shift)) | (row & 1u) << shift;
    }
    if (!(mode & 2)) {
        address = (address & ~0x8000u) | (row & 2u) << 14;
    }
    return address;
}

static void draw_graphics(const VGA *vga, pixman_image_t **image)
{
    Scan scan = scan_of(vga);
    unsigned row = 0, row_scan = (vga->crtc[CRTC_MODE_CONTROL] & 3u) ^ 3;
    unsigned left, stride;
    uint32_t address = scan.start, *pixels;
    Graphics graphics;

    graphics_of(vga, &graphics);
    if (!display_image_resize(image, PIXMAN_x8r8g8b8, (int)graphics.width,
                              (int)graphics.height)) {
        return;
    }
    stride = (unsigned)pixman_image_get_stride(*image) / 4;
    pixels = pixman_image_get_data(*image);
    left = graphics.repeats;
    for (unsigned y = 0; y < graphics.height; y++, pixels += stride) {
        graphics.line(vga, graphics.colors, row_scan_address(vga, address, row), pixels,
                      graphics.width / graphics.dot_width);
        if (graphics.dot_width == 2) {
            double_dots(pixels, graphics.width);
        }
        if (left > 0) {
            left--;
        } else {
            address += (row & row_scan) == row_scan ? scan.pitch : 0;
            row++;
            left = graphics.repeats;
        }
        if (y == scan.split) {
            address = 0;
        }
    }
}

void vga_draw(void *opaque, pixman_image_t **image)
{
    VGA *vga = opaque;

    memory_flush_coalesced(); /* what the guest wrote to the window before */
    if (!(vga->attribute_index & ATTRIBUTE_PALETTE_SOURCE)) {
        memset(pixman_image_get_data(*image), 0,
               (size_t)pixman_image_get_stride(*image) *
                   (size_t)pixman_image_get_height(*image));
    } else if (vga->graphics[GRAPHICS_MISCELLANEOUS] & MISCELLANEOUS_GRAPHICS) {
        draw_graphics(vga, image);
    } else {
        draw_text(vga, image);
    }
}
