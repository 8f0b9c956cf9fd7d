/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "firmware/boot-order.h"

#include <gio/gio.h>

typedef struct BootOrderLine {
    int32_t index;
    char *path;
} BootOrderLine;

struct BootOrder {
    GArray *lines; /* BootOrderLine, ascending by index */
};

static void line_clear(gpointer data)
{
    g_free(((BootOrderLine *)data)->path);
}

BootOrder *boot_order_new(void)
{
    BootOrder *order = g_new0(BootOrder, 1);

    order->lines = g_array_new(FALSE, FALSE, sizeof(BootOrderLine));
    g_array_set_clear_func(order->lines, line_clear);
    return order;
}

void boot_order_free(BootOrder *order)
{
    if (order) {
        g_array_unref(order->lines);
        g_free(order);
    }
}

bool boot_order_add(BootOrder *order, int32_t index, const char *path, const char *suffix,
                    GError **error)
{
    BootOrderLine line = {.index = index};
    guint place = 0;

    for (; place < order->lines->len; place++) {
        const BootOrderLine *other = &g_array_index(order->lines, BootOrderLine, place);

        if (other->index == index) {
            g_set_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS,
                        "bootindex %d is already taken by %s; give each device its own",
                        index, other->path);
            return false;
        }
        if (other->index > index) {
            break;
        }
    }
    line.path = g_strconcat(path, suffix, NULL);
    g_array_insert_val(order->lines, place, line);
    return true;
}

GBytes *boot_order_to_bytes(const BootOrder *order, bool strict)
{
    GString *text = g_string_new(NULL);
    gsize length;

    for (guint i = 0; i < order->lines->len; i++) {
        g_string_append_printf(text, "%s%s", i ? "\n" : "",
                               g_array_index(order->lines, BootOrderLine, i).path);
    }
    if (strict && text->len) {
        g_string_append(text, "\nHALT");
    }
    length = text->len ? text->len + 1 : 0;
    return g_bytes_new_take(g_string_free(text, FALSE), length);
}
