/*
 * How two memory maps differ: snapshots (machine/memory-json.h) compared range by range.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_CLI_DIFF_H
#define MACHINE_CLI_DIFF_H

#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stdint.h>

/* A range of a view, as a snapshot has it. */
typedef struct DiffRange {
    uint64_t start, last;
    char *region; /* NULL: a hole */
    char *kind;
    uint64_t offset;
    char *writes; /* "pc.ram+0xf0000" of a split, or NULL */
    bool moved;   /* is a part of a DIFF_MOVED */
} DiffRange;

typedef enum DiffChange {
    DIFF_SAME,
    DIFF_NEW,    /* only B answers */
    DIFF_GONE,   /* only A does */
    DIFF_KIND,   /* the same bytes of the same region, of another kind */
    DIFF_PART,   /* the same region, but other bytes of it */
    DIFF_REGION, /* another region */
    DIFF_MOVED,  /* the whole range, somewhere else */
    DIFF_CHANGES
} DiffChange;

typedef struct DiffPiece {
    uint64_t start, last;
    DiffChange change;
    DiffRange a, b; /* cut to the piece (MOVED: whole); strings are the ranges' */
} DiffPiece;

/* One address space of both. */
typedef struct DiffSpace {
    char *name;
    GArray *a, *b;  /* DiffRange, ascending */
    GArray *pieces; /* DiffPiece, ascending, without DIFF_SAME */
    unsigned counts[DIFF_CHANGES];
} DiffSpace;

/* Compares the space `name` of two snapshots; where one has none, its ranges are new or
 * gone. NULL and *error where a snapshot is none or neither has such a space. */
DiffSpace *diff_space(JsonNode *a, JsonNode *b, const char *name, GError **error);
void diff_space_free(DiffSpace *space);

const char *diff_change_name(DiffChange change); /* "new", "gone", "kind", ... */

/* The names of the snapshot's address spaces, each once; NULL and *error where it is
 * none. */
GPtrArray *diff_space_names(JsonNode *snapshot, GError **error);

#endif
