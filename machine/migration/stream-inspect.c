/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/migration/stream-inspect.h"

#include <inttypes.h>
#include <string.h>

#include "machine/migration/ram.h"
#include "machine/migration/stream-inspect-parts.h"
#include "machine/migration/stream.h"

/* Far more than machines have: a stream that asks for more is broken. */
#define FIELDS_MAX (1u << 20)
#define FIELD_NAMES_MAX (64u << 20) /* characters */
#define MACHINE_NAME_MAX 255

char *stream_inspect_name(Wire *wire)
{
    char name[256];

    wire_get_counted_string(wire, name);
    for (const char *at = name; *at && !wire_failed(wire); at++) {
        if (!g_ascii_isprint(*at)) {
            wire_fail(wire, "a name with a character 0x%02x", (unsigned char)*at);
        }
    }
    return g_strdup(name);
}

/* -- The beginning --------------------------------------------------------------- */

static void add_configuration(StreamInspect *inspect, char *text)
{
    g_ptr_array_add(inspect->result->configuration, text);
}

static void read_capabilities(StreamInspect *inspect)
{
    uint32_t count = wire_get_be32(inspect->wire);

    for (uint32_t i = 0; i < count && !wire_failed(inspect->wire); i++) {
        g_autofree char *name = stream_inspect_name(inspect->wire);

        add_configuration(inspect, g_strdup_printf("capability %s", name));
    }
}

static void read_configuration_part(StreamInspect *inspect)
{
    Wire *wire = inspect->wire;
    g_autofree char *name = NULL;
    uint8_t uuid[16];

    wire_skip(wire, 1);
    name = stream_inspect_name(wire);
    wire_skip(wire, 4); /* version */
    if (wire_failed(wire)) {
        return;
    }
    if (strcmp(name, "configuration/target-page-bits") == 0) {
        add_configuration(inspect,
                          g_strdup_printf("page bits %" PRIu32, wire_get_be32(wire)));
    } else if (strcmp(name, "configuration/capabilities") == 0) {
        read_capabilities(inspect);
    } else if (strcmp(name, "configuration/uuid") == 0) {
        GString *text = g_string_new("uuid ");

        wire_get_buffer(wire, uuid, sizeof(uuid));
        for (size_t i = 0; i < sizeof(uuid); i++) {
            g_string_append_printf(text, "%02x", uuid[i]);
        }
        add_configuration(inspect, g_string_free(text, false));
    } else {
        wire_fail(wire, "a part '%s' of the configuration, which is not known", name);
    }
}

static void read_machine_type(StreamInspect *inspect)
{
    Wire *wire = inspect->wire;
    char name[MACHINE_NAME_MAX + 1] = "";
    uint32_t length = wire_get_be32(wire);

    if (length > MACHINE_NAME_MAX) {
        wire_fail(wire, "a machine type's name of %" PRIu32 " bytes", length);
        return;
    }
    wire_get_buffer(wire, name, length);
    for (uint32_t i = 0; i < length && !wire_failed(wire); i++) {
        if (!g_ascii_isprint(name[i])) {
            wire_fail(wire, "a machine type's name with a character 0x%02x",
                      (unsigned char)name[i]);
        }
    }
    inspect->result->machine_type = g_strdup(name);
}

static void read_head(StreamInspect *inspect)
{
    Wire *wire = inspect->wire;
    uint32_t magic = wire_get_be32(wire), version = wire_get_be32(wire);
    const uint8_t *next;

    if (wire_failed(wire)) {
        return;
    }
    if (magic != STREAM_MAGIC) {
        wire_fail(wire,
                  "not a migration stream: it begins with 0x%08" PRIx32 ", not QEVM",
                  magic);
    } else if (version != STREAM_VERSION) {
        wire_fail(wire, "a migration stream of version %" PRIu32 ", not %d", version,
                  STREAM_VERSION);
    }
    next = wire_peek(wire, 1);
    if (!next || *next != STREAM_CONFIGURATION) {
        return;
    }
    wire_skip(wire, 1);
    read_machine_type(inspect);
    while ((next = wire_peek(wire, 1)) && *next == STREAM_SUBSECTION) {
        read_configuration_part(inspect);
    }
}

/* -- Sections without a description ---------------------------------------------- */

static uint32_t be32_at(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Whether something can begin at `at`: the head of a device's section with another
 * number, or the stream's end. */
static bool may_begin(const StreamInspection *inspection, size_t at, uint32_t number)
{
    const uint8_t *data = inspection->data + at;
    size_t left = inspection->size - at;

    if (left && data[0] == STREAM_EOF) {
        /* A description, if it is cut; one that is whole would have been found. */
        return left == 1 ||
               (data[1] == STREAM_VMDESCRIPTION && (left <= 6 || data[6] == '{'));
    }
    if (left < 6 || data[0] != STREAM_SECTION_FULL || be32_at(data + 1) == number ||
        data[5] == 0 || left < 6u + data[5] + 8) {
        return false;
    }
    for (size_t i = 0; i < data[5]; i++) {
        if (!g_ascii_isprint(data[6 + i])) {
            return false;
        }
    }
    return true;
}

/* Goes where the section's contents end: at its footer, or at what follows. */
static void seek_end(StreamInspect *inspect, uint32_t number)
{
    const StreamInspection *inspection = inspect->result;
    size_t start = wire_offset(inspect->wire);

    for (size_t at = start; at < inspection->size; at++) {
        const uint8_t *data = inspection->data + at;
        bool found = !inspection->footers
                         ? may_begin(inspection, at, number)
                         : data[0] == STREAM_SECTION_FOOTER &&
                               inspection->size - at > 5 && be32_at(data + 1) == number &&
                               may_begin(inspection, at + 5, number);

        if (found) {
            wire_skip(inspect->wire, at - start);
            return;
        }
    }
    wire_fail_at(inspect->wire, inspection->size,
                 "the stream ends within a section, and "
                 "before its description");
}

/* -- Sections -------------------------------------------------------------------- */

static void section_free(gpointer data)
{
    StreamSection *section = data;

    for (guint i = 0; section->fields && i < section->fields->len; i++) {
        g_free(g_array_index(section->fields, StreamField, i).name);
    }
    g_clear_pointer(&section->fields, g_array_unref);
    g_free(section->name);
    g_free(section);
}

/* The section begins with the type that was just read. */
static StreamSection *section_new(StreamInspect *inspect, unsigned type)
{
    StreamSection *section = g_new0(StreamSection, 1);

    section->type = type;
    section->offset = wire_offset(inspect->wire) - 1;
    g_ptr_array_add(inspect->result->sections, section);
    return section;
}

static void read_footer(StreamInspect *inspect, const StreamSection *section)
{
    const uint8_t *next = wire_peek(inspect->wire, 1);
    bool footer = next && *next == STREAM_SECTION_FOOTER;
    uint32_t number;

    if (!inspect->begun) {
        inspect->begun = true;
        inspect->result->footers = footer;
    }
    if (footer != inspect->result->footers) {
        wire_fail(inspect->wire, "the section does not end here with a footer");
    }
    if (wire_failed(inspect->wire) || !footer) {
        return;
    }
    wire_skip(inspect->wire, 1);
    number = wire_get_be32(inspect->wire);
    if (!wire_failed(inspect->wire) && number != section->number) {
        wire_fail(inspect->wire, "a footer of section %" PRIu32 " ends section %" PRIu32,
                  number, section->number);
    }
}

static void read_section_head(StreamInspect *inspect, StreamSection *section)
{
    Wire *wire = inspect->wire;
    const StreamSection *start;

    section->number = wire_get_be32(wire);
    if (section->type == STREAM_SECTION_START || section->type == STREAM_SECTION_FULL) {
        section->name = stream_inspect_name(wire);
        section->instance = wire_get_be32(wire);
        section->version = wire_get_be32(wire);
        if (section->type == STREAM_SECTION_START) {
            g_hash_table_insert(inspect->live, GUINT_TO_POINTER(section->number),
                                section);
        }
        return;
    }
    start = g_hash_table_lookup(inspect->live, GUINT_TO_POINTER(section->number));
    section->name = g_strdup(start ? start->name : "");
    if (start) {
        section->instance = start->instance;
        section->version = start->version;
    } else {
        wire_fail(wire, "a part of section %" PRIu32 ", which has not begun",
                  section->number);
    }
}

static void read_section_contents(StreamInspect *inspect, StreamSection *section)
{
    Wire *wire = inspect->wire;

    if (strcmp(section->name, RAM_SECTION_NAME) == 0) {
        if (section->version != RAM_SECTION_VERSION) {
            wire_fail(wire, "'ram' of version %" PRIu32 ", not %d", section->version,
                      RAM_SECTION_VERSION);
        }
        stream_inspect_ram_part(inspect);
    } else if (section->type != STREAM_SECTION_FULL) {
        wire_fail(wire, "a live section '%s'; only 'ram' is known", section->name);
    } else if (inspect->devices) {
        stream_inspect_device(inspect, section);
    } else {
        seek_end(inspect, section->number);
    }
}

static void read_section(StreamInspect *inspect, unsigned type)
{
    Wire *wire = inspect->wire;
    StreamSection *section = section_new(inspect, type);

    read_section_head(inspect, section);
    section->contents = wire_offset(wire);
    if (!wire_failed(wire)) {
        read_section_contents(inspect, section);
    }
    section->contents_bytes = wire_offset(wire) - section->contents;
    if (!wire_failed(wire)) {
        read_footer(inspect, section);
    }
    section->bytes = wire_offset(wire) - section->offset;
    wire_prefix_error(wire, "section '%s'", section->name);
}

static void read_command(StreamInspect *inspect)
{
    Wire *wire = inspect->wire;
    StreamSection *section = section_new(inspect, STREAM_COMMAND);
    uint16_t length;

    section->number = wire_get_be16(wire);
    section->name = section->number == STREAM_CMD_OPEN_RETURN_PATH
                        ? g_strdup("open return path")
                    : section->number == STREAM_CMD_PING ? g_strdup("ping")
                                                         : g_strdup("command");
    length = wire_get_be16(wire);
    section->contents = wire_offset(wire);
    section->contents_bytes = length;
    wire_skip(wire, length);
    section->bytes = wire_offset(wire) - section->offset;
}

/* -- All of it ------------------------------------------------------------------- */

static void read_end(StreamInspect *inspect)
{
    Wire *wire = inspect->wire;
    const uint8_t *next = wire_peek(wire, 1);

    if (next && *next == STREAM_VMDESCRIPTION) {
        wire_skip(wire, 1);
        wire_skip(wire, wire_get_be32(wire));
    }
    inspect->result->trailing = inspect->result->size - wire_offset(wire);
}

static void read_sections(StreamInspect *inspect)
{
    Wire *wire = inspect->wire;

    while (!wire_failed(wire)) {
        uint8_t type = wire_get_u8(wire);

        if (wire_failed(wire)) {
            return;
        }
        switch (type) {
        case STREAM_SECTION_START:
        case STREAM_SECTION_FULL:
        case STREAM_SECTION_PART:
        case STREAM_SECTION_END:
            read_section(inspect, type);
            break;
        case STREAM_COMMAND:
            read_command(inspect);
            break;
        case STREAM_EOF:
            read_end(inspect);
            return;
        default:
            wire_fail(wire, "a section of type %u, which is not known", type);
        }
    }
}

static void block_free(gpointer data)
{
    StreamBlock *block = data;

    g_hash_table_destroy(block->pages);
    g_free(block->name);
    g_free(block);
}

StreamInspection *stream_inspect(const void *data, size_t size, GError **error)
{
    g_autoptr(StreamInspection) result = g_new0(StreamInspection, 1);
    g_autoptr(Wire) wire = wire_new_bytes(data, size);
    StreamInspect inspect = {.wire = wire,
                             .result = result,
                             .budget = FIELDS_MAX,
                             .name_budget = FIELD_NAMES_MAX};

    result->data = data;
    result->size = size;
    result->configuration = g_ptr_array_new_with_free_func(g_free);
    result->sections = g_ptr_array_new_with_free_func(section_free);
    result->blocks = g_ptr_array_new_with_free_func(block_free);
    result->page_records = stream_inspect_records_new();
    inspect.live = g_hash_table_new(NULL, NULL);
    inspect.blocks = g_hash_table_new(g_str_hash, g_str_equal);
    read_head(&inspect);
    if (!wire_failed(wire)) {
        stream_inspect_description(&inspect);
    }
    read_sections(&inspect);
    g_hash_table_destroy(inspect.live);
    g_hash_table_destroy(inspect.blocks);
    g_clear_pointer(&inspect.devices, g_hash_table_destroy);
    if (wire_failed(wire)) {
        g_propagate_error(error, g_error_copy(wire_error(wire)));
        return NULL;
    }
    return g_steal_pointer(&result);
}

void stream_inspection_free(StreamInspection *inspection)
{
    g_free(inspection->machine_type);
    g_ptr_array_free(inspection->configuration, true);
    g_ptr_array_free(inspection->sections, true);
    g_ptr_array_free(inspection->blocks, true);
    g_array_free(inspection->page_records, true);
    g_clear_object(&inspection->json);
    g_free(inspection);
}
