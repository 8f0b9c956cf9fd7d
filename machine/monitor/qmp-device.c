/*
 * QMP: devices come, go and are described.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/core/device.h"
#include "machine/monitor/machine-control.h"
#include "machine/monitor/qmp.h"
#include "machine/monitor/qom.h"

static JsonNode *run_device_add(JsonObject *args, GError **error)
{
    g_autofree char *text = qmp_option_text(args, error);

    if (text) {
        machine_control_device_add(text, error);
    }
    return NULL;
}

static JsonNode *run_device_del(JsonObject *args, GError **error)
{
    const char *id = json_object_get_string_member(args, "id");

    if (!(*id == '/' ? device_find_by_path(id) : device_find_by_id(id))) {
        g_set_error(error, QMP_ERROR, QMP_DEVICE_NOT_FOUND, "Device '%s' not found", id);
    } else {
        machine_control_device_del(id, error);
    }
    return NULL;
}

void qmp_device_deleted(const char *id, const char *path)
{
    JsonNode *data = qmp_object("path:s", path);

    if (id) {
        json_object_set_string_member(json_node_get_object(data), "device", id);
    }
    qmp_event("DEVICE_DELETED", data);
}

static void add_property(const Property *property, void *opaque)
{
    JsonNode *node =
        qmp_object("name:s,type:s", property->name, qom_property_type(property));
    JsonObject *object = json_node_get_object(node);

    switch (property->kind) {
    case PROPERTY_STRING:
        break;
    case PROPERTY_BOOL:
        json_object_set_boolean_member(object, "default-value", property->initial != 0);
        break;
    case PROPERTY_ENUM:
        json_object_set_string_member(object, "default-value",
                                      property->names[property->initial]);
        break;
    default:
        json_object_set_int_member(object, "default-value", (gint64)property->initial);
    }
    if (property->help) {
        json_object_set_string_member(object, "description", property->help);
    }
    json_array_add_element(opaque, node);
}

static JsonNode *run_list_properties(JsonObject *args, GError **error)
{
    const char *name = json_object_get_string_member(args, "typename");
    GType type = device_type_by_name(name, NULL);
    g_autoptr(GTypeClass) klass = NULL;
    JsonArray *list;

    if (type == G_TYPE_INVALID) {
        g_set_error(error, QMP_ERROR, QMP_DEVICE_NOT_FOUND, "Device '%s' not found",
                    name);
        return NULL;
    }
    klass = g_type_class_ref(type);
    list = json_array_new();
    property_foreach(G_OBJECT_CLASS(klass), add_property, list);
    return qmp_array(list);
}

const QmpCommand qmp_device_commands[] = {
    {"device_add", "*driver:str,bus:str?,id:str?", run_device_add},
    {"device_del", "id:str", run_device_del},
    {"device-list-properties", "typename:str", run_list_properties,
     "[ObjectPropertyInfo]"},
    {NULL},
};
