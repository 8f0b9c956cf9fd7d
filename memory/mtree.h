/*
 * `info mtree`: the trees and views of all address spaces, in QEMU 7.2's text.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MEMORY_MTREE_H
#define MEMORY_MTREE_H

#include "memory/address-space.h"

typedef struct MtreeOptions {
    bool flat;     /* -f: FlatViews */
    bool dispatch; /* -d: the dispatch structure of each FlatView; with -f */
    bool owner;    /* -o: the owner of each region */
    bool disabled; /* -D: disabled regions too */
    const char *accel; /* with -f: the accelerator's name for ranges that it maps itself */
    bool (*accel_has)(const FlatRange *range);
} MtreeOptions;

/* Appends the text to `out`. Machine lock. */
void mtree_print(GString *out, const MtreeOptions *options);

/* How -o describes an owner: returns text such as "owner:{dev path=/machine/...}" for the
 * caller to free. Set once by the room that has the objects. */
typedef char *(*MtreeDescribeOwner)(GObject *owner);
void mtree_set_describe_owner(MtreeDescribeOwner describe);

#endif
