/*
 * Whether a page holds nothing but zeroes, at the speed of memory.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_MIGRATION_ZERO_PAGE_H
#define MACHINE_MIGRATION_ZERO_PAGE_H

#include <stdbool.h>

/* `page`: MEMORY_PAGE_SIZE bytes, aligned to 64. Any thread; the guest may write to the
 * page meanwhile, and the answer is then that of some moment in between. */
bool zero_page_test(const void *page);

#endif
