/*
 * Inside of stream-inspect: what its parts know of each other.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_MIGRATION_STREAM_INSPECT_PARTS_H
#define MACHINE_MIGRATION_STREAM_INSPECT_PARTS_H

#include "hw/core/wire.h"
#include "machine/migration/stream-inspect.h"

typedef struct StreamInspect {
    Wire *wire;
    StreamInspection *result;
    bool begun;          /* a section has been read: whether there are footers is known */
    GHashTable *live;    /* number: StreamSection * of its start */
    GHashTable *blocks;  /* name: StreamBlock * */
    StreamBlock *block;  /* of the page before */
    bool listed;         /* the list of blocks has come */
    GHashTable *devices; /* "name/instance": JsonObject *; NULL: no description */
    uint64_t budget;     /* fields that may yet be decoded */
    uint64_t name_budget; /* characters of their names */
} StreamInspect;

/* A name of one length byte and printable ASCII. */
char *stream_inspect_name(Wire *wire);

/* What stream_block_page() finds pages by. */
GArray *stream_inspect_records_new(void);

/* One part of the section "ram". */
void stream_inspect_ram_part(StreamInspect *inspect);

/* Finds and reads the description, which ends where the file does. Without one, does
 * nothing; fails the wire where there is a broken one. */
void stream_inspect_description(StreamInspect *inspect);

/* The contents of a device's section, as the description has it. */
void stream_inspect_device(StreamInspect *inspect, StreamSection *section);

#endif
