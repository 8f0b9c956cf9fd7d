/*
 * Views as text, for tests of the memory room that say what they expect to see.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef QTESTS_MEMORY_VIEW_H
#define QTESTS_MEMORY_VIEW_H

#include <check.h>
#include <inttypes.h>

#include "memory/access.h"
#include "memory/address-space.h"

/* "first-last name@offset" in hex, with " ro", " nv" and " >name@offset" (a split's
 * writes); the offset is left out where it is 0. */
static inline void append_range_text(GString *text, const FlatRange *range)
{
    g_string_append_printf(text, "%" PRIx64 "-%" PRIx64 " %s", range->start, range->last,
                           memory_region_name(range->mr));
    if (range->offset_in_region) {
        g_string_append_printf(text, "@%" PRIx64, range->offset_in_region);
    }
    g_string_append(text, range->readonly ? " ro" : "");
    g_string_append(text, range->nonvolatile ? " nv" : "");
    if (range->write_mr) {
        g_string_append_printf(text, " >%s@%" PRIx64, memory_region_name(range->write_mr),
                               range->write_offset);
    }
    g_string_append_c(text, '\n');
}

static inline bool append_range(const FlatRange *range, void *opaque)
{
    append_range_text(opaque, range);
    return true;
}

static inline char *view_text(AddressSpace *as)
{
    GString *text = g_string_new(NULL);

    address_space_foreach_range(as, append_range, text);
    return g_string_free(text, false);
}

#define ck_assert_view(as, expected)                                                     \
    do {                                                                                 \
        char *seen_ = view_text(as);                                                     \
        ck_assert_str_eq(seen_, expected);                                               \
        g_free(seen_);                                                                   \
    } while (0)

#endif
