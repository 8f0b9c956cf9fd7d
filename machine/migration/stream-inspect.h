/*
 * What is in a migration stream, without a machine to load it into.
 *
 * All numbers of a stream are hostile: whatever does not hold together ends the reading
 * with one error that names the byte. No memory is taken on the word of a stream: it
 * grows with the bytes that were really read (pages are remembered by where they stand).
 *
 * Devices say neither their lengths nor their fields on the wire; the description in JSON
 * at the stream's end does. Old machine types send none: there a device's section ends
 * where the next section's head is found, and has no fields.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_MIGRATION_STREAM_INSPECT_H
#define MACHINE_MIGRATION_STREAM_INSPECT_H

#include <glib-object.h>
#include <stdbool.h>
#include <stdint.h>

/* `count` values of `size` bytes each at `offset` of the stream, big-endian. */
typedef struct StreamField {
    char *name;       /* with those of the structures around it: "parent_obj.config[0]" */
    const char *type; /* "uint32", "buffer", "pci config": the description's word */
    uint64_t offset, size, count;
    bool is_array;
} StreamField;

typedef struct StreamSection {
    unsigned type; /* STREAM_SECTION_START .. _FULL, STREAM_COMMAND; see stream.h */
    uint32_t number, instance, version; /* parts and ends: as at the start */
    char *name;
    uint64_t offset, bytes; /* all of it, from its type byte to its footer's end */
    uint64_t contents, contents_bytes;
    bool described; /* by the stream, so that `fields` is all of it */
    GArray *fields; /* StreamField, in order; NULL: none */
} StreamSection;

typedef enum StreamPageKind {
    STREAM_PAGE_ZERO, /* one byte that fills it */
    STREAM_PAGE_PLAIN,
    STREAM_PAGE_XBZRLE,
    STREAM_PAGE_COMPRESSED,
    STREAM_PAGE_KINDS
} StreamPageKind;

typedef struct StreamBlock {
    char *name;
    uint64_t size;
    uint64_t sent[STREAM_PAGE_KINDS]; /* pages, each time that they were sent */
    GHashTable *pages;                /* of the page's number: where it was sent last */
} StreamBlock;

typedef struct StreamInspection {
    const uint8_t *data;
    size_t size;
    char *machine_type;       /* NULL: the stream does not say */
    GPtrArray *configuration; /* char *: what else its head says, "uuid 0123..." */
    bool footers, description;
    GPtrArray *sections; /* StreamSection *, in order */
    GPtrArray *blocks;   /* StreamBlock *, in the order of their list */
    GArray *page_records;
    GObject *json;     /* the description; StreamField.type points into it */
    uint64_t trailing; /* bytes after the stream's end */
} StreamInspection;

/* Reads the stream of `size` bytes at `data`, which must outlive what is returned. NULL
 * and *error where it is cut or broken. Any thread; takes no lock. */
StreamInspection *stream_inspect(const void *data, size_t size, GError **error);
void stream_inspection_free(StreamInspection *inspection);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StreamInspection, stream_inspection_free)

/* The name of a block or NULL. */
StreamBlock *stream_inspection_block(const StreamInspection *inspection,
                                     const char *name);

/* The page of that number as the target would have it, 4096 bytes; zeroes and false where
 * it was never sent. */
bool stream_block_page(const StreamInspection *inspection, const StreamBlock *block,
                       uint64_t number, uint8_t *page);

/* How 128 KiB of pc.ram look beside the ROM that is shadowed there. */
typedef enum StreamShadow {
    STREAM_SHADOW_NONE,      /* no pc.ram, or one too small */
    STREAM_SHADOW_EMPTY,     /* all zero: nothing was ever written there */
    STREAM_SHADOW_EQUAL,     /* the ROM's bytes */
    STREAM_SHADOW_DIFFERENT, /* other bytes, or no such ROM in the stream */
} StreamShadow;

enum {
    STREAM_SHADOW_SIZE = 128 << 10,
    STREAM_SHADOW_ROM = 0xc0000,  /* segments C and D, beside pc.rom */
    STREAM_SHADOW_BIOS = 0xe0000, /* segments E and F, beside pc.bios */
};

/* Compares pc.ram at `start` with the last 128 KiB of the block `rom`. *differing: bytes
 * that differ from the ROM. */
StreamShadow stream_inspection_shadow(const StreamInspection *inspection, uint64_t start,
                                      const char *rom, uint64_t *differing);

#endif
