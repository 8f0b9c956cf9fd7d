/*
 * The "Dispatch" part of `info mtree -f -d`.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MEMORY_MTREE_DISPATCH_H
#define MEMORY_MTREE_DISPATCH_H

#include "memory/address-space.h"

/* Appends the text for one view that is not empty. */
void mtree_print_dispatch(GString *out, const FlatView *view);

#endif
