/*
 * The picture has two columns. On the left the whole space is truly to scale, and small
 * ranges are hairlines. On the right every range is a box with a legible name: as many as
 * can be have one scale; a range too long for it is folded (a break mark), one too short
 * is drawn larger (a dashed outline). High addresses are at the top.
 *
 * All text has a fixed width, so what fits is known here and labels never overlap: each
 * box is at least a line high and has one address, that of its first byte, at its foot.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "memory/draw.h"

#include <string.h>

#include "memory/explain.h"
#include "memory/internal.h"
#include "memory/walk.h"

enum {
    TOP = 84,
    OVERVIEW_X = 84,
    OVERVIEW_WIDTH = 44,
    ADDRESS_RIGHT = 402, /* where addresses end */
    BOX_X = 412,
    BOX_WIDTH = 330,
    ARROW_X = BOX_X + BOX_WIDTH,
    WAY_X = ARROW_X + 66, /* where "by way of" begins */
    WIDTH = WAY_X + 390,
    FOOT = 116,
};

/* Heights of boxes. */
#define HEIGHT_MIN 21.0
#define HEIGHT_MAX 210.0
#define HEIGHT_MAX_CROWDED 84.0
#define HEIGHT_FOLDED 62.0
#define HOLE_MAX 36.0

/* From so many boxes on, long ones are kept short. */
#define CROWD 30

/* The advance of a character in the fixed font, by size; a little more than the truth. */
#define CHARACTER(font_size) ((font_size)*0.61)
#define MAX_ARROWS 6

typedef enum BoxShape { BOX_TO_SCALE, BOX_FOLDED, BOX_ENLARGED } BoxShape;

typedef struct Box {
    FlatRange range;
    bool empty; /* a hole, or what the root answers where nobody else does */
    BoxShape shape;
    double y, height;
} Box;

typedef struct Picture {
    GString *out;
    AddressSpace *as;
    GArray *boxes;  /* Box, ascending */
    double scale;   /* points a byte */
    double longest; /* the height from which on a box is folded */
    double height;  /* of the columns */
    uint64_t end;   /* the last address of the left column */
} Picture;

static const struct {
    const char *kind, *id, *colour, *text;
} kinds[] = {
    {"ram", "ram", "#a9c9ea", "RAM"},
    {"rom", "rom", "#f3cf86", "ROM: RAM that the guest only reads"},
    {"rom device", "romd", "#eaa27a", "ROM device (flash)"},
    {"i/o", "io", "#b9dca4", "I/O: a device answers"},
    {"ram device", "ramd", "#8fc6c4", "a device's memory"},
    {"reservation", "reserved", "#d5c6e6", "reservation"},
};

#define SPLIT_ID "split"
#define EMPTY_ID "empty"

static Box *box_at(const Picture *picture, guint i)
{
    return &g_array_index(picture->boxes, Box, i);
}

static double bytes_of(const FlatRange *range)
{
    return (double)(range->last - range->start) + 1;
}

static const char *style_of(const Box *box)
{
    const char *kind = flat_range_kind_name(&box->range);

    if (box->empty) {
        return EMPTY_ID;
    }
    if (box->range.write_mr) {
        return SPLIT_ID;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (strcmp(kinds[i].kind, kind) == 0) {
            return kinds[i].id;
        }
    }
    return EMPTY_ID;
}

/* -- Layout ---------------------------------------------------------------------- */

static void add_box(Picture *picture, const FlatRange *range)
{
    Box box = {.range = *range};

    box.empty = !range->mr || range->mr == picture->as->root;
    g_array_append_val(picture->boxes, box);
}

/* Adds the range, and before it the hole since the last one. */
static bool collect(const FlatRange *range, void *opaque)
{
    Picture *picture = opaque;
    guint count = picture->boxes->len;
    hwaddr next = count ? box_at(picture, count - 1)->range.last + 1 : 0;

    if (range->start > next) {
        add_box(picture, &(FlatRange){.start = next, .last = range->start - 1});
    }
    add_box(picture, range);
    return true;
}

static void collect_all(Picture *picture)
{
    hwaddr last = picture->as->root->size ? region_last(picture->as->root) : 0;
    guint count;

    address_space_foreach_range(picture->as, collect, picture);
    count = picture->boxes->len;
    if (!count) {
        add_box(picture, &(FlatRange){.last = last});
    } else if (box_at(picture, count - 1)->range.last < last) {
        hwaddr start = box_at(picture, count - 1)->range.last + 1;

        add_box(picture, &(FlatRange){.start = start, .last = last});
    }
    for (guint i = 0; i < picture->boxes->len; i++) {
        if (!box_at(picture, i)->empty || i == 0) {
            picture->end = box_at(picture, i)->range.last;
        }
    }
}

static unsigned fitting(const Picture *picture, double scale)
{
    unsigned count = 0;

    for (guint i = 0; i < picture->boxes->len; i++) {
        double height = bytes_of(&box_at(picture, i)->range) * scale;

        count += !box_at(picture, i)->empty && height > HEIGHT_MIN * 0.999 &&
                 height <= picture->longest;
    }
    return count;
}

/* The scale at which the most ranges are neither too long nor too short. In the best one,
 * some range has the least height. */
static void choose_scale(Picture *picture)
{
    unsigned best = 0;

    picture->scale = HEIGHT_MIN / 4096;
    for (guint i = 0; i < picture->boxes->len; i++) {
        const Box *box = box_at(picture, i);
        double scale = HEIGHT_MIN / bytes_of(&box->range);
        unsigned count = box->empty ? 0 : fitting(picture, scale);

        if (count > best || (count && count == best && scale < picture->scale)) {
            best = count;
            picture->scale = scale;
        }
    }
}

static void shape_box(const Picture *picture, Box *box)
{
    double height = bytes_of(&box->range) * picture->scale;

    if (height > (box->empty ? HOLE_MAX : picture->longest)) {
        box->shape = BOX_FOLDED;
        height = box->empty ? HOLE_MAX : HEIGHT_FOLDED;
    } else if (height < HEIGHT_MIN * 0.999) {
        box->shape = BOX_ENLARGED;
        height = HEIGHT_MIN;
    }
    box->height = height;
}

static void lay_out(Picture *picture)
{
    double y = TOP;

    picture->longest = picture->boxes->len < CROWD ? HEIGHT_MAX : HEIGHT_MAX_CROWDED;
    choose_scale(picture);
    for (guint i = picture->boxes->len; i-- > 0;) {
        Box *box = box_at(picture, i);

        shape_box(picture, box);
        box->y = y;
        y += box->height;
    }
    picture->height = y - TOP;
}

/* -- Text ------------------------------------------------------------------------ */

static bool is_whole(double value)
{
    return value == (double)(uint64_t)value;
}

/* In the largest unit that says it in at most two decimals exactly, or nearly. */
static char *size_text(double bytes)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB",
                                        "TiB",   "PiB", "EiB"};
    unsigned unit = 0;

    if (bytes == 1) {
        return g_strdup("1 byte");
    }
    if (bytes > 15.99 * (double)(UINT64_C(1) << 60)) {
        return g_strdup("to 2^64");
    }
    for (; bytes >= 1024 && unit < G_N_ELEMENTS(units) - 1; unit++) {
        if (bytes < 10240 && is_whole(bytes) && !is_whole(bytes * 4 / 1024)) {
            break;
        }
        bytes /= 1024;
    }
    return is_whole(bytes) ? g_strdup_printf("%.0f %s", bytes, units[unit])
                           : g_strdup_printf("%.2f %s", bytes, units[unit]);
}

static char *address_text(const Picture *picture, hwaddr address)
{
    return g_strdup_printf("0x%0*" PRIx64, picture->end > UINT16_MAX ? 8 : 4, address);
}

/* `text`, cut to what fits and escaped. */
static char *fit(const char *text, double width, double font_size)
{
    glong most = (glong)(width / CHARACTER(font_size));
    g_autofree char *cut = NULL;

    if (g_utf8_strlen(text, -1) <= most) {
        return g_markup_escape_text(text, -1);
    }
    cut = g_utf8_substring(text, 0, MAX(most - 1, 0));
    return g_markup_printf_escaped("%s\u2026", cut);
}

static char *box_name(const Box *box)
{
    const FlatRange *range = &box->range;

    if (!range->mr) {
        return g_strdup("nobody answers");
    }
    if (box->empty) {
        return g_strdup_printf("%s: no device", region_label(range->mr));
    }
    return range->offset_in_region
               ? g_strdup_printf("%s +0x%" PRIx64, region_label(range->mr),
                                 range->offset_in_region)
               : g_strdup(region_label(range->mr));
}

/* The regions between the root and the one that answers. */
static char *way_text(const Explanation *e)
{
    const ExplainClaim *answer = explain_answer(e);
    GString *text = g_string_new(NULL);

    for (guint i = 1; answer && i + 1 < answer->path->len; i++) {
        g_string_append_printf(
            text, "%s%s", i > 1 ? " \u203a " : "",
            region_label(g_array_index(answer->path, ExplainStep, i).mr));
    }
    return g_string_free(text, false);
}

/* What the pointer shows: all that is known of the range. */
static void draw_tooltip(Picture *picture, const Box *box, const Explanation *e)
{
    const FlatRange *range = &box->range;
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *name = box_name(box);
    g_autofree char *size = size_text(bytes_of(range));
    g_autofree char *escaped = NULL;

    g_string_append_printf(text, "0x%08" PRIx64 "-0x%08" PRIx64 " (%s)\n%s: %s",
                           range->start, range->last, size, flat_range_kind_name(range),
                           name);
    if (range->write_mr) {
        g_string_append_printf(text, "\nwrites go to %s +0x%" PRIx64,
                               region_label(range->write_mr), range->write_offset);
    }
    if (explain_answer(e)) {
        g_autofree char *path = explain_path_text(explain_answer(e));

        g_string_append_printf(text, "\n%s", path);
    }
    for (guint i = 0; i < e->notes->len; i++) {
        const ExplainNote *note = g_ptr_array_index(e->notes, i);

        g_string_append_printf(text, "\n%s: %s", note->kind, note->text);
    }
    escaped = g_markup_escape_text(text->str, -1);
    g_string_append_printf(picture->out, "<title>%s</title>", escaped);
}

static void draw_text(Picture *picture, double x, double y, const char *class,
                      const char *text, double width, double font_size)
{
    g_autofree char *fitted = fit(text, width, font_size);

    g_string_append_printf(picture->out,
                           "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\">%s</text>\n", x, y,
                           class, fitted);
}

/* -- The columns ----------------------------------------------------------------- */

static double overview_y(const Picture *picture, double address)
{
    return TOP + picture->height * (1 - address / ((double)picture->end + 1));
}

/* The range in the left column, and the band that leads to its box. */
static void draw_overview(Picture *picture, const Box *box)
{
    const FlatRange *range = &box->range;
    double low = overview_y(picture, (double)range->start);
    double high = overview_y(picture, (double)range->last + 1);
    const char *style = style_of(box);

    if (box->empty) {
        return;
    }
    g_string_append_printf(
        picture->out,
        "<path class=\"band %s\" d=\"M%d %.1f L%d %.1f V%.1f L%d %.1f Z\"/>\n", style,
        OVERVIEW_X + OVERVIEW_WIDTH, high, BOX_X - 2, box->y, box->y + box->height,
        OVERVIEW_X + OVERVIEW_WIDTH, low);
    g_string_append_printf(picture->out,
                           "<rect class=\"%s\" x=\"%d\" y=\"%.2f\" width=\"%d\" "
                           "height=\"%.2f\"/>\n",
                           style, OVERVIEW_X, MIN(high, low - 1), OVERVIEW_WIDTH,
                           MAX(low - high, 1));
}

static void draw_ticks(Picture *picture)
{
    double end = (double)picture->end + 1, step = 1;

    while (end / step > 8) {
        step *= 2;
    }
    g_string_append_printf(picture->out,
                           "<rect class=\"frame\" x=\"%d\" y=\"%d\" width=\"%d\" "
                           "height=\"%.1f\"/>\n",
                           OVERVIEW_X, TOP, OVERVIEW_WIDTH, picture->height);
    for (double at = 0; at <= end; at += step) {
        g_autofree char *text = at > 0 ? size_text(at) : g_strdup("0");
        double y = overview_y(picture, at);

        g_string_append_printf(
            picture->out, "<path class=\"tick\" d=\"M%d %.1f h-6\"/>\n", OVERVIEW_X, y);
        draw_text(picture, OVERVIEW_X - 9, y + 3.5, "small end", text, OVERVIEW_X, 10);
    }
}

/* Two zigzags with a gap of the paper between them. */
static void draw_break(Picture *picture, const Box *box)
{
    double y = box->empty ? box->y + 12 : box->y + box->height / 2 - 6;

    for (int line = 0; line < 2; line++) {
        g_string_append_printf(picture->out, "<path class=\"%s\" d=\"M%d %.1f",
                               line ? "break-edge" : "break", BOX_X - 4, y);
        for (int i = 0; i < (BOX_WIDTH + 8) / 13; i++) {
            g_string_append_printf(picture->out, " l6.5 %d l6.5 %d", i % 2 ? -5 : 5,
                                   i % 2 ? 5 : -5);
        }
        g_string_append(picture->out, "\"/>\n");
    }
}

static void draw_box(Picture *picture, const Box *box)
{
    const FlatRange *range = &box->range;
    g_autoptr(Explanation) e = explain(picture->as, range->start);
    g_autofree char *name = box_name(box);
    g_autofree char *size = size_text(bytes_of(range));
    g_autofree char *way = way_text(e);
    g_autofree char *address = address_text(picture, range->start);
    double foot = box->y + box->height - 6;
    double line = box->y + box->height / 2 + 4;
    double size_width = (double)strlen(size) * CHARACTER(10);

    g_string_append(picture->out, "<g>");
    draw_tooltip(picture, box, e);
    g_string_append_printf(picture->out,
                           "<rect class=\"box %s%s\" x=\"%d\" y=\"%.1f\" width=\"%d\" "
                           "height=\"%.1f\"/>\n",
                           style_of(box), box->shape == BOX_ENLARGED ? " enlarged" : "",
                           BOX_X, box->y, BOX_WIDTH, box->height);
    if (box->shape == BOX_FOLDED) {
        draw_break(picture, box);
        line = box->y + box->height - (box->empty ? 4 : 6);
    }
    draw_text(picture, BOX_X + 8, line, box->empty ? "quiet" : "name", name,
              BOX_WIDTH - 24 - size_width, 12);
    draw_text(picture, BOX_X + BOX_WIDTH - 8, line, "small end", size, BOX_WIDTH, 10);
    draw_text(picture, ADDRESS_RIGHT, foot + 2, "address end", address, 200, 11);
    if (!box->empty && *way) {
        g_autofree char *by = g_strconcat("by ", way, NULL);

        draw_text(picture, WAY_X, line, "small", by, WIDTH - WAY_X - 8, 10);
    }
    g_string_append(picture->out, "</g>\n");
}

/* -- Arrows from a window to the range that shows more of the same bytes --------- */

static bool shows_part_of(const Box *part, const Box *whole)
{
    const FlatRange *a = &part->range, *b = &whole->range;

    return !part->empty && a->mr && a->mr == b->mr && a->mr->ram_block && part != whole &&
           a->offset_in_region >= b->offset_in_region &&
           a->offset_in_region + (a->last - a->start) <=
               b->offset_in_region + (b->last - b->start) &&
           (a->last - a->start < b->last - b->start || part < whole);
}

static void draw_arrow(Picture *picture, const Box *part, const Box *whole, unsigned n)
{
    double from = part->y + part->height / 2, to = whole->y + whole->height / 2;
    double bow = ARROW_X + 24 + 7 * n;

    g_string_append_printf(picture->out,
                           "<g><title>the same bytes: 0x%08" PRIx64 " shows %s from "
                           "0x%" PRIx64 "</title><path class=\"arrow\" d=\"M%d %.1f "
                           "C%.1f %.1f %.1f %.1f %d %.1f\"/></g>\n",
                           part->range.start, region_label(part->range.mr),
                           part->range.offset_in_region, ARROW_X, from, bow + 18, from,
                           bow + 18, to, ARROW_X + 3, to);
}

static void draw_arrows(Picture *picture)
{
    unsigned count = 0;

    for (guint i = 0; i < picture->boxes->len; i++) {
        for (guint j = 0; j < picture->boxes->len && count < MAX_ARROWS; j++) {
            if (shows_part_of(box_at(picture, i), box_at(picture, j))) {
                draw_arrow(picture, box_at(picture, i), box_at(picture, j), count++);
                break;
            }
        }
    }
}

/* -- The whole ------------------------------------------------------------------- */

static void draw_key(Picture *picture, unsigned place, const char *class,
                     const char *text)
{
    double x = OVERVIEW_X + (place % 3) * 350;
    double y = TOP + picture->height + 28 + (place / 3) * 24;

    g_string_append_printf(picture->out,
                           "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"22\" "
                           "height=\"14\"/>\n",
                           class, x, y);
    draw_text(picture, x + 30, y + 11, "legend", text, 320, 11);
}

/* Only what the picture has. */
static void draw_legend(Picture *picture)
{
    bool split = false, empty = false, enlarged = false, folded = false;
    unsigned place = 0;
    g_autofree char *scale = size_text(HEIGHT_MIN / picture->scale);
    g_autofree char *text = NULL;

    for (size_t k = 0; k < G_N_ELEMENTS(kinds); k++) {
        for (guint i = 0; i < picture->boxes->len; i++) {
            if (strcmp(style_of(box_at(picture, i)), kinds[k].id) == 0) {
                g_autofree char *class = g_strconcat("box ", kinds[k].id, NULL);

                draw_key(picture, place++, class, kinds[k].text);
                break;
            }
        }
    }
    for (guint i = 0; i < picture->boxes->len; i++) {
        const Box *box = box_at(picture, i);

        split |= box->range.write_mr != NULL;
        empty |= box->empty;
        enlarged |= box->shape == BOX_ENLARGED;
        folded |= box->shape == BOX_FOLDED;
    }
    if (split) {
        draw_key(picture, place++, "box " SPLIT_ID, "reads from here, writes to RAM");
    }
    if (empty) {
        draw_key(picture, place++, "box " EMPTY_ID, "nobody answers");
    }
    if (enlarged) {
        draw_key(picture, place++, "box blank enlarged", "dashed: drawn larger than to scale");
    }
    text = g_strdup_printf(
        "Left: all of it to scale. Right: %s to a line%s. Point at a box for "
        "exact numbers.",
        scale, folded ? ", zigzag: folded" : "");
    draw_text(picture, OVERVIEW_X,
              TOP + picture->height + 28 + ((place + 2) / 3) * 24 + 16, "legend", text,
              WIDTH - OVERVIEW_X - 8, 11);
}

static void draw_head(Picture *picture, const char *title)
{
    int height = (int)(TOP + picture->height + FOOT);
    g_autofree char *escaped = g_markup_escape_text(title, -1);
    g_autofree char *space = g_markup_escape_text(picture->as->name, -1);

    g_string_append_printf(
        picture->out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
        "viewBox=\"0 0 %d %d\" font-family=\"'DejaVu Sans Mono', 'Liberation Mono', "
        "Menlo, "
        "Consolas, monospace\" font-size=\"12\">\n<style>\n",
        WIDTH, height, WIDTH, height);
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_string_append_printf(picture->out, ".%s{fill:%s}", kinds[i].id,
                               kinds[i].colour);
    }
    g_string_append_printf(
        picture->out,
        "." SPLIT_ID "{fill:url(#hatch)}." EMPTY_ID "{fill:#f6f6f6}\n"
        ".box{stroke:#555;stroke-width:1}.box." EMPTY_ID "{stroke:#bbb}"
        ".box.enlarged{stroke-dasharray:3 2}g:hover>.box{stroke:#000;stroke-width:2}\n"
        ".band{opacity:.28}.frame,.tick{fill:none;stroke:#555}"
        ".break{fill:none;stroke:#fff;stroke-width:6}"
        ".break-edge{fill:none;stroke:#555;stroke-width:1}\n"
        ".arrow{fill:none;stroke:#b5493a;stroke-width:1.4;marker-end:url(#head)}\n"
        ".end{text-anchor:end}.small{font-size:10px;fill:#444}.address{font-size:11px}"
        ".blank{fill:#fff}.quiet{fill:#888}.legend{font-size:11px;fill:#333}\n"
        "</style>\n<defs><pattern id=\"hatch\" width=\"10\" height=\"10\" "
        "patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">"
        "<rect width=\"10\" height=\"10\" fill=\"%s\"/>"
        "<rect width=\"4\" height=\"10\" fill=\"%s\"/></pattern>"
        "<marker id=\"head\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" "
        "markerHeight=\"7\" orient=\"auto\"><path d=\"M0 0 L8 4 L0 8 Z\" "
        "fill=\"#b5493a\"/></marker></defs>\n"
        "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n"
        "<text x=\"%d\" y=\"34\" font-size=\"17\" font-weight=\"bold\">%s</text>\n"
        "<text x=\"%d\" y=\"56\" fill=\"#444\">address space \"%s\"</text>\n",
        kinds[1].colour, kinds[0].colour, OVERVIEW_X, escaped, OVERVIEW_X, space);
}

char *draw_view(AddressSpace *as, const char *title)
{
    g_autoptr(GArray) boxes = g_array_new(false, false, sizeof(Box));
    Picture picture = {.out = g_string_new(NULL), .as = as, .boxes = boxes};
    const Box *top;
    g_autofree char *last = NULL;

    collect_all(&picture);
    lay_out(&picture);
    draw_head(&picture, title);
    for (guint i = 0; i < boxes->len; i++) {
        draw_overview(&picture, box_at(&picture, i));
    }
    draw_ticks(&picture);
    for (guint i = 0; i < boxes->len; i++) {
        draw_box(&picture, box_at(&picture, i));
    }
    top = box_at(&picture, boxes->len - 1);
    last = address_text(&picture, top->range.last);
    draw_text(&picture, ADDRESS_RIGHT, TOP - 6, "address end quiet", last, 200, 11);
    draw_arrows(&picture);
    draw_legend(&picture);
    g_string_append(picture.out, "</svg>\n");
    return g_string_free(picture.out, false);
}
