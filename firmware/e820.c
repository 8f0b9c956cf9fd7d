/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "firmware/e820.h"

G_STATIC_ASSERT(sizeof(E820Entry) == 20);

GArray *e820_table_new(void)
{
    return g_array_new(FALSE, FALSE, sizeof(E820Entry));
}

void e820_table_add(GArray *table, uint64_t address, uint64_t length, E820Type type)
{
    E820Entry entry = {GUINT64_TO_LE(address), GUINT64_TO_LE(length),
                       GUINT32_TO_LE(type)};

    if (length) {
        g_array_append_val(table, entry);
    }
}
