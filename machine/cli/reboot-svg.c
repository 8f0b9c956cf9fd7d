/*
 * The first row of `umbra reboot` as a picture: what each PAM window of
 * [0xc0000, 0x100000) shows, from power-on over every reset to the end.
 *
 * Firmware changes windows within microseconds and then leaves them alone for hundreds of
 * milliseconds, so the time axis is not to scale: the gap between two events is drawn in
 * proportion to its logarithm, and the ticks say the real times.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <math.h>

#include "machine/cli/reboot.h"

enum {
    LEFT = 150,
    TOP = 96,
    LANE = 26, /* height of a window's bar with its gap */
    BAR = 20,
    PLOT = 980,
    RIGHT = 30,
    BOTTOM = 96,
};

static const char *const mode_colours[PAM_MODES] = {
    [PAM_MODE_PCI] = "#e9c46a",
    [PAM_MODE_READ_ONLY] = "#2a9d8f",
    [PAM_MODE_WRITE_ONLY] = "#e76f51",
    [PAM_MODE_READ_WRITE] = "#4f83cc",
};

typedef struct Picture {
    GString *out;
    const RebootRow *row;
    double *x; /* of each event, and of the end */
    double end_seconds;
} Picture;

static void place_events(Picture *picture)
{
    GPtrArray *events = picture->row->events;
    double total = 0, last = 0;

    picture->x = g_new0(double, events->len + 1);
    for (guint i = 0; i <= events->len; i++) {
        const RebootEvent *event = i < events->len ? events->pdata[i] : NULL;
        double now = event ? event->seconds : picture->end_seconds;

        total += 0.15 + log10(1 + MAX(now - last, 0) * 1e6);
        picture->x[i] = total;
        last = now;
    }
    for (guint i = 0; i <= events->len; i++) {
        picture->x[i] = LEFT + picture->x[i] / total * PLOT;
    }
}

static double lane_y(unsigned window)
{
    return TOP + (double)(PAM_WINDOWS - 1 - window) * LANE; /* high addresses on top */
}

static void draw_bar(Picture *picture, unsigned window, double from, double to, PAMMode mode)
{
    if (to - from > 0.05) {
        g_string_append_printf(
            picture->out,
            "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" fill=\"%s\"><title>%05x: "
            "%s</title></rect>\n",
            from, lane_y(window), to - from, BAR, mode_colours[mode],
            0xc0000 + window * 0x4000, reboot_mode_text(mode));
    }
}

static void draw_window(Picture *picture, unsigned window)
{
    GPtrArray *events = picture->row->events;
    PAMMode mode = PAM_MODE_PCI;
    double from = LEFT;
    unsigned base = 0xc0000 + window * 0x4000;
    unsigned last = window == PAM_WINDOWS - 1 ? 0xfffff : base + 0x3fff;

    g_string_append_printf(picture->out,
                           "<text x=\"%d\" y=\"%.1f\" class=\"address\">%05x-%05x</text>\n",
                           LEFT - 10, lane_y(window) + 14, base, last);
    for (guint i = 0; i < events->len; i++) {
        const RebootEvent *event = events->pdata[i];
        PAMMode after;

        if (event->kind != REBOOT_EVENT_PAM || event->reg != pam_window_register(window)) {
            continue;
        }
        after = reboot_window_mode(window, event->after);
        if (after != mode) {
            draw_bar(picture, window, from, picture->x[i], mode);
            from = picture->x[i];
            mode = after;
        }
    }
    draw_bar(picture, window, from, picture->x[events->len], mode);
}

static void draw_mark(Picture *picture, double x, const char *class, const char *text,
                      double level)
{
    double bottom = TOP + PAM_WINDOWS * LANE;

    g_string_append_printf(picture->out,
                           "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" "
                           "class=\"%s\"/>\n"
                           "<text x=\"%.1f\" y=\"%.1f\" class=\"%s mark\">%s</text>\n",
                           x, TOP - 8 - level, x, bottom, class, x + 3, TOP - 10 - level,
                           class, text);
}

static void draw_marks(Picture *picture)
{
    GPtrArray *events = picture->row->events;
    double ticked = 0;
    unsigned boot = 0;

    for (guint i = 0; i < events->len; i++) {
        const RebootEvent *event = events->pdata[i];
        double x = picture->x[i];

        if (event->kind == REBOOT_EVENT_RESET) {
            g_autofree char *text = g_markup_printf_escaped(
                "reset by %s%s", event->text, event->pristine ? ", shadow pristine" : "");

            draw_mark(picture, x, "reset", text, 14);
        } else if (event->kind == REBOOT_EVENT_BOOT) {
            g_autofree char *text = g_strdup_printf("boot %u", ++boot);

            draw_mark(picture, x, "boot", text, 0);
        }
        if (x - ticked > 62) {
            g_string_append_printf(picture->out,
                                   "<text x=\"%.1f\" y=\"%d\" class=\"tick\">%.3f ms</text>\n",
                                   x, TOP + PAM_WINDOWS * LANE + 16, event->seconds * 1e3);
            ticked = x;
        }
    }
}

static void draw_legend(Picture *picture)
{
    double x = LEFT, y = TOP + PAM_WINDOWS * LANE + 40;

    for (int mode = 0; mode < PAM_MODES; mode++) {
        const char *text = reboot_mode_text((PAMMode)mode);

        g_string_append_printf(picture->out,
                               "<rect x=\"%.0f\" y=\"%.0f\" width=\"16\" height=\"16\" "
                               "fill=\"%s\"/><text x=\"%.0f\" y=\"%.0f\">%s</text>\n",
                               x, y, mode_colours[mode], x + 22, y + 13, text);
        x += 210;
    }
    g_string_append_printf(picture->out,
                           "<text x=\"%d\" y=\"%.0f\" class=\"note\">Guest time runs to the "
                           "right, gaps drawn by their logarithm; the labels are real "
                           "times since power-on.</text>\n",
                           LEFT, y + 38);
}

bool reboot_write_svg(const RebootRow *row, const char *path, GError **error)
{
    Picture picture = {.out = g_string_new(NULL), .row = row};
    const RebootEvent *last =
        row->events->len ? row->events->pdata[row->events->len - 1] : NULL;
    bool written;

    picture.end_seconds = last ? last->seconds * 1.02 : 1;
    place_events(&picture);
    g_string_append_printf(
        picture.out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
        "viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"12\">\n"
        "<style>.address{font-family:monospace;text-anchor:end}.tick{font-size:10px;"
        "fill:#666;text-anchor:middle}.reset{stroke:#c1121f;stroke-dasharray:4 3}"
        ".boot{stroke:#2b9348}.mark{stroke:none;font-size:11px}.reset.mark{fill:#c1121f}"
        ".boot.mark{fill:#2b9348}.note{fill:#666}</style>\n"
        "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n"
        "<text x=\"%d\" y=\"26\" font-size=\"17\" font-weight=\"bold\">What 0xc0000-0xfffff "
        "shows while %s reboots (%s, %s)</text>\n",
        LEFT + PLOT + RIGHT, TOP + PAM_WINDOWS * LANE + BOTTOM, LEFT + PLOT + RIGHT,
        TOP + PAM_WINDOWS * LANE + BOTTOM, LEFT, row->machine, row->accel,
        reboot_method_name(row->method));
    for (unsigned window = 0; window < PAM_WINDOWS; window++) {
        draw_window(&picture, window);
    }
    draw_marks(&picture);
    draw_legend(&picture);
    g_string_append(picture.out, "</svg>\n");
    /* g_file_set_contents() writes a temporary file and renames it. */
    written = g_file_set_contents(path, picture.out->str, (gssize)picture.out->len, error);
    g_string_free(picture.out, true);
    g_free(picture.x);
    return written;
}
