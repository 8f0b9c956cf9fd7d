/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/migration/stream.h"

#include <string.h>

#include "machine/migration/vmstate.h"

/* Numbers are the stream's own, but QEMU takes 0 for a section that has not started. */
#define RAM_SECTION_ID 1

static void put_section(Wire *wire, unsigned type, uint32_t number, const char *name,
                        uint32_t instance, uint32_t version)
{
    wire_put_u8(wire, type);
    wire_put_be32(wire, number);
    if (name) {
        wire_put_counted_string(wire, name);
        wire_put_be32(wire, instance);
        wire_put_be32(wire, version);
    }
}

static void put_footer(Wire *wire, const StreamFormat *format, uint32_t number)
{
    if (format->footers) {
        wire_put_u8(wire, STREAM_SECTION_FOOTER);
        wire_put_be32(wire, number);
    }
}

/* A subsection of the configuration: the target is to compare it with its own. */
static void put_uuid(Wire *wire, const StreamFormat *format)
{
    if (format->uuid && format->send_uuid) {
        wire_put_u8(wire, STREAM_SUBSECTION);
        wire_put_counted_string(wire, "configuration/uuid");
        wire_put_be32(wire, 1);
        wire_put_buffer(wire, format->uuid, 16);
    }
}

void stream_save_header(Wire *wire, const StreamFormat *format, const char *machine_type)
{
    wire_put_be32(wire, STREAM_MAGIC);
    wire_put_be32(wire, STREAM_VERSION);
    if (format->configuration) {
        wire_put_u8(wire, STREAM_CONFIGURATION);
        wire_put_be32(wire, strlen(machine_type));
        wire_put_buffer(wire, machine_type, strlen(machine_type));
        put_uuid(wire, format);
    }
}

void stream_save_ram_start(Wire *wire, const StreamFormat *format, RamSave *ram)
{
    put_section(wire, STREAM_SECTION_START, RAM_SECTION_ID, RAM_SECTION_NAME, 0,
                RAM_SECTION_VERSION);
    ram_save_setup(ram);
    put_footer(wire, format, RAM_SECTION_ID);
}

bool stream_save_ram_part(Wire *wire, const StreamFormat *format, RamSave *ram,
                          uint64_t budget)
{
    bool over;

    put_section(wire, STREAM_SECTION_PART, RAM_SECTION_ID, NULL, 0, 0);
    over = ram_save_iterate(ram, budget);
    put_footer(wire, format, RAM_SECTION_ID);
    return over;
}

void stream_save_ram_end(Wire *wire, const StreamFormat *format, RamSave *ram)
{
    put_section(wire, STREAM_SECTION_END, RAM_SECTION_ID, NULL, 0, 0);
    ram_save_complete(ram);
    put_footer(wire, format, RAM_SECTION_ID);
}

/* -- Answers --------------------------------------------------------------------- */

static void put_command(Wire *wire, unsigned command, const uint32_t *value)
{
    wire_put_u8(wire, STREAM_COMMAND);
    wire_put_be16(wire, command);
    wire_put_be16(wire, value ? sizeof(*value) : 0);
    if (value) {
        wire_put_be32(wire, *value);
    }
}

void stream_save_open_return_path(Wire *wire)
{
    static const uint32_t number = 1; /* QEMU's, too; what comes back says it is alive */

    put_command(wire, STREAM_CMD_OPEN_RETURN_PATH, NULL);
    put_command(wire, STREAM_CMD_PING, &number);
}

bool stream_wait_for_arrival(MigrationChannel *channel, GError **error)
{
    g_autoptr(Wire) wire = wire_new_reader(migration_channel_read, channel);

    for (;;) {
        uint16_t message = wire_get_be16(wire), length = wire_get_be16(wire);
        uint32_t value = length == 4 ? wire_get_be32(wire) : 0;

        if (wire_failed(wire)) {
            g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                        "the target went away before it had the machine: %s",
                        wire_error(wire)->message);
            return false;
        }
        if (message == STREAM_RP_SHUT && length == 4) {
            if (value) {
                g_set_error(
                    error, G_IO_ERROR, G_IO_ERROR_FAILED,
                    "the target could not load the machine; its messages say why");
            }
            return value == 0;
        }
        if (message != STREAM_RP_PONG || length != 4) {
            g_set_error(
                error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                "the target says something that Umbra does not know: message %u of "
                "%u bytes",
                message, length);
            return false;
        }
    }
}

/* -- Devices --------------------------------------------------------------------- */

typedef struct DeviceSave {
    Wire *wire;
    const StreamFormat *format;
    JsonText *description;
    uint32_t number; /* of the next section */
} DeviceSave;

static bool save_entry(VMStateEntry *entry, void *opaque)
{
    DeviceSave *save = opaque;

    if (entry->vmsd->unmigratable) {
        wire_fail(save->wire, "State blocked by non-migratable device '%s'", entry->id);
        return false;
    }
    if (!vmstate_is_needed(entry->vmsd, entry->opaque)) {
        return true;
    }
    put_section(save->wire, STREAM_SECTION_FULL, save->number, entry->id,
                entry->instance_id, (uint32_t)entry->vmsd->version_id);
    json_text_begin_object(save->description, NULL);
    json_text_add_string(save->description, "name", entry->id);
    json_text_add_int(save->description, "instance_id", entry->instance_id);
    vmstate_save(save->wire, entry->vmsd, entry->opaque, save->description);
    json_text_end_object(save->description);
    put_footer(save->wire, save->format, save->number);
    save->number++;
    return !wire_failed(save->wire);
}

bool stream_save_devices(Wire *wire, const StreamFormat *format)
{
    g_autoptr(GString) description = g_string_new(NULL);
    DeviceSave save = {wire, format, description, RAM_SECTION_ID + 1};

    json_text_begin_object(description, NULL);
    json_text_add_int(description, "page_size", MEMORY_PAGE_SIZE);
    json_text_begin_array(description, "devices");
    vmstate_foreach(save_entry, &save);
    json_text_end_array(description);
    json_text_end_object(description);
    wire_put_u8(wire, STREAM_EOF);
    if (format->description) {
        wire_put_u8(wire, STREAM_VMDESCRIPTION);
        wire_put_be32(wire, description->len);
        wire_put_buffer(wire, description->str, description->len);
    }
    return wire_flush(wire);
}
