/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <inttypes.h>
#include <string.h>
#include <zlib.h>

#include "machine/migration/ram.h"
#include "machine/migration/stream-inspect-parts.h"
#include "machine/migration/xbzrle.h"

#define PAGE MEMORY_PAGE_SIZE
#define NO_RECORD SIZE_MAX

/* A page as it was sent, and what it changes if it is XBZRLE's. */
typedef struct PageRecord {
    uint64_t offset; /* of its contents in the stream */
    size_t before;   /* record of the same page; NO_RECORD: none */
    uint16_t length;
    uint16_t kind;
} PageRecord;

GArray *stream_inspect_records_new(void)
{
    return g_array_new(false, false, sizeof(PageRecord));
}

/* -- Reading --------------------------------------------------------------------- */

static void read_list(StreamInspect *inspect, uint64_t total)
{
    Wire *wire = inspect->wire;

    if (inspect->listed) {
        wire_fail(wire, "a second list of RAM blocks");
    }
    inspect->listed = true;
    while (total && !wire_failed(wire)) {
        g_autofree char *name = stream_inspect_name(wire);
        uint64_t size = wire_get_be64(wire);
        StreamBlock *block;

        if (wire_failed(wire)) {
            return;
        }
        if (size > total) {
            wire_fail(wire, "RAM block '%s' is larger than all blocks together", name);
            return;
        }
        if (g_hash_table_contains(inspect->blocks, name)) {
            wire_fail(wire, "RAM block '%s' is listed twice", name);
            return;
        }
        block = g_new0(StreamBlock, 1);
        block->name = g_steal_pointer(&name);
        block->size = size;
        block->pages = g_hash_table_new(NULL, NULL);
        g_ptr_array_add(inspect->result->blocks, block);
        g_hash_table_insert(inspect->blocks, block->name, block);
        total -= size;
    }
}

static void find_block(StreamInspect *inspect, unsigned flags, uint64_t offset)
{
    Wire *wire = inspect->wire;

    if (!(flags & RAM_FLAG_CONTINUE)) {
        g_autofree char *name = stream_inspect_name(wire);

        if (wire_failed(wire)) {
            return;
        }
        inspect->block = g_hash_table_lookup(inspect->blocks, name);
        if (!inspect->block) {
            wire_fail(wire, "a page of RAM block '%s', which is not in the list", name);
            return;
        }
    }
    if (!inspect->block) {
        wire_fail(wire, "a page that continues no RAM block");
    } else if (offset >= inspect->block->size) {
        wire_fail(wire,
                  "a page at 0x%" PRIx64 " of RAM block '%s', which has 0x%" PRIx64
                  " bytes",
                  offset, inspect->block->name, inspect->block->size);
    }
}

static void check_compressed(Wire *wire, const uint8_t *packed, uint32_t length)
{
    uint8_t page[PAGE];
    uLongf size = PAGE;

    if (uncompress(page, &size, packed, length) != Z_OK || size != PAGE) {
        wire_fail(wire, "a compressed page does not unpack to 4096 bytes");
    }
}

/* What a page's contents are in the stream, checked, so that they can be taken later. */
static PageRecord read_contents(StreamInspect *inspect, unsigned flags, size_t before)
{
    Wire *wire = inspect->wire;
    PageRecord record = {.before = NO_RECORD, .length = PAGE, .kind = STREAM_PAGE_PLAIN};
    uint8_t packed[RAM_COMPRESSED_MAX], page[PAGE] = {0};
    uint32_t length = PAGE, encoding;

    if (flags & RAM_FLAG_ZERO) {
        record.kind = STREAM_PAGE_ZERO;
        length = 1;
    } else if (flags & RAM_FLAG_COMPRESS_PAGE) {
        record.kind = STREAM_PAGE_COMPRESSED;
        length = wire_get_be32(wire);
    } else if (flags & RAM_FLAG_XBZRLE) {
        record.kind = STREAM_PAGE_XBZRLE;
        record.before = before;
        encoding = wire_get_u8(wire);
        length = wire_get_be16(wire);
        if (!wire_failed(wire) && (encoding != RAM_XBZRLE_ENCODING || length > PAGE)) {
            wire_fail(wire,
                      "changes to a page of encoding %" PRIu32 ", %" PRIu32 " bytes",
                      encoding, length);
        } else if (before == NO_RECORD) {
            wire_fail(wire, "changes to a page that has not been sent before");
        }
    }
    if (length > RAM_COMPRESSED_MAX) {
        wire_fail(wire, "a compressed page of %" PRIu32 " bytes", length);
        length = 0;
    }
    record.offset = wire_offset(wire);
    record.length = (uint16_t)length;
    if (!wire_get_buffer(wire, packed, length)) {
        return record;
    }
    if (record.kind == STREAM_PAGE_COMPRESSED) {
        check_compressed(wire, packed, length);
    } else if (record.kind == STREAM_PAGE_XBZRLE &&
               !xbzrle_decode(packed, length, page)) {
        wire_fail(wire, "changes to a page that leave the page");
    }
    return record;
}

static size_t last_record(const StreamBlock *block, uint64_t number)
{
    gpointer value = g_hash_table_lookup(block->pages, GSIZE_TO_POINTER(number));

    return value ? GPOINTER_TO_SIZE(value) - 1 : NO_RECORD;
}

static void read_page(StreamInspect *inspect, unsigned flags, uint64_t offset)
{
    GArray *records = inspect->result->page_records;
    uint64_t number = offset / PAGE;
    PageRecord record;

    find_block(inspect, flags, offset);
    if (wire_failed(inspect->wire)) {
        return;
    }
    record = read_contents(inspect, flags, last_record(inspect->block, number));
    if (wire_failed(inspect->wire)) {
        return;
    }
    if (records->len == G_MAXUINT - 1) {
        wire_fail(inspect->wire, "more pages than this program can count");
        return;
    }
    inspect->block->sent[record.kind]++;
    g_array_append_val(records, record);
    g_hash_table_insert(inspect->block->pages, GSIZE_TO_POINTER(number),
                        GSIZE_TO_POINTER((size_t)records->len));
}

void stream_inspect_ram_part(StreamInspect *inspect)
{
    Wire *wire = inspect->wire;

    inspect->block = NULL;
    while (!wire_failed(wire)) {
        uint64_t header = wire_get_be64(wire);
        unsigned flags = header & RAM_FLAGS;

        if (wire_failed(wire)) {
            return;
        }
        switch (flags & ~RAM_FLAG_CONTINUE) {
        case RAM_FLAG_EOS:
            return;
        case RAM_FLAG_MEM_SIZE:
            read_list(inspect, header - flags);
            break;
        case RAM_FLAG_ZERO:
        case RAM_FLAG_PAGE:
        case RAM_FLAG_COMPRESS_PAGE:
        case RAM_FLAG_XBZRLE:
            read_page(inspect, flags, header - flags);
            break;
        default:
            wire_fail(wire, "a page with flags 0x%x, which mean nothing together", flags);
        }
    }
}

/* -- Contents -------------------------------------------------------------------- */

StreamBlock *stream_inspection_block(const StreamInspection *inspection, const char *name)
{
    for (guint i = 0; i < inspection->blocks->len; i++) {
        StreamBlock *block = g_ptr_array_index(inspection->blocks, i);

        if (strcmp(block->name, name) == 0) {
            return block;
        }
    }
    return NULL;
}

static void put_record(const StreamInspection *inspection, const PageRecord *record,
                       uint8_t *page)
{
    const uint8_t *contents = inspection->data + record->offset;
    uLongf size = PAGE;

    switch (record->kind) {
    case STREAM_PAGE_ZERO:
        memset(page, contents[0], PAGE);
        break;
    case STREAM_PAGE_PLAIN:
        memcpy(page, contents, PAGE);
        break;
    case STREAM_PAGE_COMPRESSED:
        uncompress(page, &size, contents, record->length);
        break;
    default:
        xbzrle_decode(contents, record->length, page);
    }
}

/* Changes are made to what was sent before: the oldest first. */
bool stream_block_page(const StreamInspection *inspection, const StreamBlock *block,
                       uint64_t number, uint8_t *page)
{
    size_t at = last_record(block, number);
    g_autoptr(GArray) chain = NULL;

    memset(page, 0, PAGE);
    if (at == NO_RECORD) {
        return false;
    }
    chain = g_array_new(false, false, sizeof(size_t));
    while (at != NO_RECORD) {
        g_array_append_val(chain, at);
        at = g_array_index(inspection->page_records, PageRecord, at).before;
    }
    for (guint i = chain->len; i-- > 0;) {
        at = g_array_index(chain, size_t, i);
        put_record(inspection, &g_array_index(inspection->page_records, PageRecord, at),
                   page);
    }
    return true;
}

/* -- Shadowed ROMs --------------------------------------------------------------- */

StreamShadow stream_inspection_shadow(const StreamInspection *inspection, uint64_t start,
                                      const char *rom, uint64_t *differing)
{
    const StreamBlock *ram = stream_inspection_block(inspection, "pc.ram");
    const StreamBlock *beside = stream_inspection_block(inspection, rom);
    uint8_t page[PAGE], other[PAGE] = {0};
    bool empty = true;

    *differing = 0;
    if (!ram || ram->size < start + STREAM_SHADOW_SIZE) {
        return STREAM_SHADOW_NONE;
    }
    if (beside && beside->size < STREAM_SHADOW_SIZE) {
        beside = NULL;
    }
    for (uint64_t at = 0; at < STREAM_SHADOW_SIZE; at += PAGE) {
        stream_block_page(inspection, ram, (start + at) / PAGE, page);
        if (beside) {
            stream_block_page(inspection, beside,
                              (beside->size - STREAM_SHADOW_SIZE + at) / PAGE, other);
        }
        for (size_t i = 0; i < PAGE; i++) {
            empty = empty && page[i] == 0;
            *differing += page[i] != other[i];
        }
    }
    return empty                   ? STREAM_SHADOW_EMPTY
           : beside && !*differing ? STREAM_SHADOW_EQUAL
                                   : STREAM_SHADOW_DIFFERENT;
}
