/*
 * A stream is not to be trusted: every number in it is checked before it sizes or indexes
 * anything, and what does not fit ends the load with the byte at which it stands.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/migration/stream.h"

#include <inttypes.h>
#include <string.h>

#include "machine/migration/vmstate.h"
#include "memory/io-lock.h"

/* A live section goes by its number once it has started. */
typedef struct StreamLoad {
    Wire *wire;
    const StreamFormat *format;
    const char *machine_type;
    MigrationChannel *channel;
    RamLoad *ram;
    bool ram_started;
    uint32_t ram_number;
    bool return_path; /* the source listens for answers */
    GHashTable *loaded; /* a set of VMStateEntry */
} StreamLoad;

/* -- The beginning --------------------------------------------------------------- */

#define MACHINE_NAME_MAX 255

static char *uuid_text(const uint8_t uuid[16])
{
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < 16; i++) {
        g_string_append_printf(text, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x",
                               uuid[i]);
    }
    return g_string_free(text, FALSE);
}

/* Of a source that has validate-uuid; a machine without one takes any. */
static void check_uuid(StreamLoad *load)
{
    const uint8_t *own = load->format->uuid;
    uint8_t theirs[16];

    if (wire_get_buffer(load->wire, theirs, sizeof theirs) && own &&
        memcmp(theirs, own, sizeof theirs) != 0) {
        g_autofree char *received = uuid_text(theirs), *local = uuid_text(own);

        wire_fail(load->wire, "UUID received is %s and local is %s; start with -uuid %s",
                  received, local, received);
    }
}

/* A subsection of the configuration. Their contents are checks that the source was asked
 * to have made; their lengths are known by their names alone. */
static void load_configuration_subsection(StreamLoad *load)
{
    Wire *wire = load->wire;
    char name[256], capability[256];
    uint32_t count;

    wire_skip(wire, 1);
    wire_get_counted_string(wire, name);
    wire_skip(wire, 4); /* version */
    if (strcmp(name, "configuration/target-page-bits") == 0) {
        count = wire_get_be32(wire);
        if (count != MEMORY_PAGE_BITS) {
            wire_fail(wire, "the source's pages are of 2^%" PRIu32 " bytes, ours of 2^12",
                      count);
        }
    } else if (strcmp(name, "configuration/capabilities") == 0) {
        count = wire_get_be32(wire);
        for (uint32_t i = 0; i < count && wire_get_counted_string(wire, capability);
             i++) {
            wire_fail(wire, "the source demands the capability '%s', which Umbra lacks",
                      capability);
        }
    } else if (strcmp(name, "configuration/uuid") == 0) {
        check_uuid(load);
    } else {
        wire_fail(wire, "the configuration has a part '%s' that Umbra does not know",
                  name);
    }
}

static void load_configuration(StreamLoad *load)
{
    Wire *wire = load->wire;
    char name[MACHINE_NAME_MAX + 1] = "";
    const uint8_t *next;
    uint32_t length;

    wire_skip(wire, 1);
    length = wire_get_be32(wire);
    if (length > MACHINE_NAME_MAX) {
        wire_fail(wire, "the machine type's name is %" PRIu32 " bytes long", length);
        return;
    }
    if (wire_get_buffer(wire, name, length) && strcmp(name, load->machine_type) != 0) {
        g_autofree char *printable = g_str_to_ascii(name, "C");

        wire_fail(wire,
                  "Machine type received is '%s' and local is '%s'; start with -M %s",
                  printable, load->machine_type, printable);
    }
    while ((next = wire_peek(wire, 1)) && *next == STREAM_SUBSECTION) {
        load_configuration_subsection(load);
    }
}

static void load_header(StreamLoad *load)
{
    Wire *wire = load->wire;
    uint32_t magic = wire_get_be32(wire), version = wire_get_be32(wire);
    const uint8_t *next;

    if (wire_failed(wire)) {
        return;
    }
    if (magic != STREAM_MAGIC) {
        wire_fail(wire,
                  "Not a migration stream: it begins with 0x%08" PRIx32 ", not QEVM",
                  magic);
    } else if (version == STREAM_VERSION_COMPAT) {
        wire_fail(wire, "SaveVM v2 format is obsolete and no longer supported");
    } else if (version != STREAM_VERSION) {
        wire_fail(wire, "Unsupported migration stream version %" PRIu32, version);
    }
    next = wire_peek(wire, 1);
    if (next && *next == STREAM_CONFIGURATION) {
        load_configuration(load);
    } else if (next && load->format->configuration) {
        wire_fail(wire, "Configuration section missing");
    }
}

/* -- Sections -------------------------------------------------------------------- */

/* Footers are known by their first byte, so that streams with and without are read; where
 * the machine type sends them they must be there. */
static void check_footer(StreamLoad *load, uint32_t number, const char *name)
{
    const uint8_t *next = wire_peek(load->wire, 1);
    uint32_t found;

    if (!next || *next != STREAM_SECTION_FOOTER) {
        if (load->format->footers) {
            wire_fail(load->wire, "Missing section footer for %s", name);
        }
        return;
    }
    wire_skip(load->wire, 1);
    found = wire_get_be32(load->wire);
    if (!wire_failed(load->wire) && found != number) {
        wire_fail(load->wire,
                  "Mismatched section id in footer for %s - read 0x%" PRIx32
                  " expected 0x%" PRIx32,
                  name, found, number);
    }
}

static void load_device(StreamLoad *load, const char *name, uint32_t instance,
                        uint32_t version)
{
    VMStateEntry *entry;

    io_lock();
    entry = vmstate_find(name, instance, load->loaded);
    if (!entry) {
        wire_fail(
            load->wire,
            "Unknown savevm section or instance '%s' %" PRIu32 ". Make sure that your "
            "current VM setup matches your saved VM setup, including any hotplugged "
            "devices",
            name, instance);
    } else if (version > G_MAXINT || (int)version > entry->vmsd->version_id) {
        wire_fail(load->wire, "savevm: unsupported version %" PRIu32 " for '%s' v%d",
                  version, name, entry->vmsd->version_id);
    } else {
        g_hash_table_add(load->loaded, entry);
        vmstate_load(load->wire, entry->vmsd, entry->opaque, (int)version);
    }
    io_unlock();
}

static void load_section(StreamLoad *load, unsigned type)
{
    Wire *wire = load->wire;
    uint32_t number = wire_get_be32(wire), instance, version;
    char name[256];

    wire_get_counted_string(wire, name);
    instance = wire_get_be32(wire);
    version = wire_get_be32(wire);
    if (wire_failed(wire)) {
        return;
    }
    if (strcmp(name, RAM_SECTION_NAME) != 0) {
        load_device(load, name, instance, version);
    } else if (version != RAM_SECTION_VERSION) {
        wire_fail(wire, "savevm: unsupported version %" PRIu32 " for 'ram' v%d", version,
                  RAM_SECTION_VERSION);
    } else {
        load->ram_started = type == STREAM_SECTION_START;
        load->ram_number = number;
        ram_load_part(load->ram, wire);
    }
    check_footer(load, number, name);
    wire_prefix_error(
        wire, "error while loading state for instance 0x%" PRIx32 " of device '%s'",
        instance, name);
}

static void load_section_part(StreamLoad *load)
{
    Wire *wire = load->wire;
    uint32_t number = wire_get_be32(wire);

    if (wire_failed(wire)) {
        return;
    }
    if (!load->ram_started || number != load->ram_number) {
        wire_fail(wire, "Unknown savevm section %" PRIu32, number);
        return;
    }
    ram_load_part(load->ram, wire);
    check_footer(load, number, RAM_SECTION_NAME);
    wire_prefix_error(wire, "error while loading state section id %" PRIu32 "(ram)",
                      number);
}

/* -- Commands -------------------------------------------------------------------- */

static void answer(StreamLoad *load, uint16_t message, uint32_t value)
{
    uint16_t head[2] = {GUINT16_TO_BE(message), GUINT16_TO_BE(sizeof(value))};
    uint32_t body = GUINT32_TO_BE(value);
    struct iovec pieces[] = {{head, sizeof(head)}, {&body, sizeof(body)}};

    if (load->return_path) {
        /* A source that no longer listens has closed the stream as well. */
        migration_channel_writev(load->channel, pieces, G_N_ELEMENTS(pieces), NULL);
    }
}

static void load_command(StreamLoad *load)
{
    Wire *wire = load->wire;
    uint16_t command = wire_get_be16(wire), length = wire_get_be16(wire);

    if (wire_failed(wire)) {
        return;
    }
    if (command == STREAM_CMD_OPEN_RETURN_PATH && length == 0) {
        load->return_path = load->channel != NULL;
    } else if (command == STREAM_CMD_PING && length == 4) {
        answer(load, STREAM_RP_PONG, wire_get_be32(wire));
    } else {
        wire_fail(wire,
                  "MIG_CMD 0x%x len 0x%x: Umbra follows none but the opening of a return "
                  "path and pings; turn postcopy-ram and x-colo off at the source",
                  command, length);
    }
}

/* -- All of it ------------------------------------------------------------------- */

/* It is for people and for tools; the tables here say what the sections mean. */
static void load_description(StreamLoad *load)
{
    const uint8_t *next = load->format->description ? wire_peek(load->wire, 1) : NULL;

    if (next && *next == STREAM_VMDESCRIPTION) {
        wire_skip(load->wire, 1);
        wire_skip(load->wire, wire_get_be32(load->wire));
    }
}

static void load_sections(StreamLoad *load)
{
    Wire *wire = load->wire;

    while (!wire_failed(wire)) {
        uint8_t type = wire_get_u8(wire);

        if (wire_failed(wire)) {
            return;
        }
        switch (type) {
        case STREAM_SECTION_START:
        case STREAM_SECTION_FULL:
            load_section(load, type);
            break;
        case STREAM_SECTION_PART:
        case STREAM_SECTION_END:
            load_section_part(load);
            break;
        case STREAM_COMMAND:
            load_command(load);
            break;
        case STREAM_EOF:
            load_description(load);
            return;
        default:
            wire_fail(wire, "Unknown savevm section type %u", type);
        }
    }
}

bool stream_load(Wire *wire, const StreamFormat *format, const char *machine_type,
                 MigrationChannel *channel)
{
    g_autoptr(GHashTable) loaded = g_hash_table_new(NULL, NULL);
    StreamLoad load = {wire, format, machine_type, channel, .loaded = loaded};

    io_lock();
    load.ram = ram_load_new();
    io_unlock();
    load_header(&load);
    load_sections(&load);
    io_lock();
    ram_load_free(load.ram);
    io_unlock();
    answer(&load, STREAM_RP_SHUT, wire_failed(wire));
    return !wire_failed(wire);
}
