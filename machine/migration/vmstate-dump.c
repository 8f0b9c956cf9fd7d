/*
 * `-dump-vmstate`: the tables themselves, for a comparison with another version's.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/migration/vmstate.h"

#include <json-glib/json-glib.h>

static void add_integer(JsonBuilder *json, const char *member, int64_t value)
{
    json_builder_set_member_name(json, member);
    json_builder_add_int_value(json, value);
}

static void add_string(JsonBuilder *json, const char *member, const char *value)
{
    json_builder_set_member_name(json, member);
    json_builder_add_string_value(json, value);
}

static void dump_table(JsonBuilder *json, const VMStateDescription *vmsd);

static void dump_field(JsonBuilder *json, const VMStateField *field)
{
    json_builder_begin_object(json);
    add_string(json, "field", field->name);
    add_integer(json, "version_id", field->version_id);
    json_builder_set_member_name(json, "field_exists");
    json_builder_add_boolean_value(json, field->field_exists != NULL);
    add_integer(json, "size", (int64_t)field->size);
    if (field->vmsd) {
        json_builder_set_member_name(json, "Description");
        dump_table(json, field->vmsd);
    }
    json_builder_end_object(json);
}

static bool has_subsections(const VMStateDescription *vmsd)
{
    const VMStateDescription *const *sub = vmsd->subsections;

    while (sub && *sub && (*sub)->extension) {
        sub++;
    }
    return sub && *sub;
}

static void dump_table(JsonBuilder *json, const VMStateDescription *vmsd)
{
    const VMStateDescription *const *sub = vmsd->subsections;

    json_builder_begin_object(json);
    add_string(json, "name", vmsd->name);
    add_integer(json, "version_id", vmsd->version_id);
    add_integer(json, "minimum_version_id", vmsd->minimum_version_id);
    if (vmsd->fields && vmsd->fields->name) {
        json_builder_set_member_name(json, "Fields");
        json_builder_begin_array(json);
        for (const VMStateField *field = vmsd->fields; field->name; field++) {
            if (!(field->flags & VMS_MUST_EXIST)) {
                dump_field(json, field);
            }
        }
        json_builder_end_array(json);
    }
    if (has_subsections(vmsd)) {
        json_builder_set_member_name(json, "Subsections");
        json_builder_begin_array(json);
        for (; *sub; sub++) {
            if (!(*sub)->extension) {
                dump_table(json, *sub);
            }
        }
        json_builder_end_array(json);
    }
    json_builder_end_object(json);
}

static void dump_type(const DeviceTypeEntry *entry, void *opaque)
{
    JsonBuilder *json = opaque;
    DeviceClass *klass = g_type_class_ref(entry->get_type());

    if (klass->vmsd) {
        json_builder_set_member_name(json, entry->name);
        json_builder_begin_object(json);
        add_string(json, "Name", entry->name);
        add_integer(json, "version_id", klass->vmsd->version_id);
        add_integer(json, "minimum_version_id", klass->vmsd->minimum_version_id);
        json_builder_set_member_name(json, "Description");
        dump_table(json, klass->vmsd);
        json_builder_end_object(json);
    }
    g_type_class_unref(klass);
}

bool vmstate_dump(const char *filename, const char *machine_type, GError **error)
{
    g_autoptr(JsonBuilder) json = json_builder_new();
    g_autoptr(JsonGenerator) generator = json_generator_new();
    g_autoptr(JsonNode) root = NULL;

    json_builder_begin_object(json);
    json_builder_set_member_name(json, "vmschkmachine");
    json_builder_begin_object(json);
    add_string(json, "Name", machine_type);
    json_builder_end_object(json);
    device_types_foreach(dump_type, json);
    json_builder_end_object(json);
    root = json_builder_get_root(json);
    json_generator_set_root(generator, root);
    json_generator_set_pretty(generator, true);
    return json_generator_to_file(generator, filename, error);
}
