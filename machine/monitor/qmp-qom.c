/*
 * QMP: the object tree.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/core/device.h"
#include "machine/monitor/qmp.h"
#include "machine/monitor/qom.h"

static void add_property(const char *name, const char *type, void *opaque)
{
    json_array_add_element(opaque, qmp_object("name:s,type:s", name, type));
}

static JsonNode *run_list(JsonObject *args, GError **error)
{
    JsonArray *list = json_array_new();

    if (!qom_list(json_object_get_string_member(args, "path"), add_property, list,
                  error)) {
        json_array_unref(list);
        return NULL;
    }
    return qmp_array(list);
}

static JsonNode *run_get(JsonObject *args, GError **error)
{
    return qom_get(json_object_get_string_member(args, "path"),
                   json_object_get_string_member(args, "property"), error);
}

static JsonNode *run_set(JsonObject *args, GError **error)
{
    qom_set(json_object_get_string_member(args, "path"),
            json_object_get_string_member(args, "property"),
            json_object_get_member(args, "value"), error);
    return NULL;
}

static void add_type(const char *name, const char *parent, bool is_abstract, void *opaque)
{
    JsonNode *node = qmp_object("name:s,parent:s", name, parent);

    if (is_abstract) {
        json_object_set_boolean_member(json_node_get_object(node), "abstract", true);
    }
    json_array_add_element(opaque, node);
}

static JsonNode *run_list_types(JsonObject *args, GError **error)
{
    JsonArray *list = json_array_new();

    qom_list_types(json_object_get_string_member_with_default(args, "implements", NULL),
                   json_object_get_boolean_member_with_default(args, "abstract", false),
                   add_type, list);
    return qmp_array(list);
}

static void add_class_property(const Property *property, void *opaque)
{
    add_property(property->name, qom_property_type(property), opaque);
}

static JsonNode *run_list_properties(JsonObject *args, GError **error)
{
    const char *name = json_object_get_string_member(args, "typename");
    GType type = qom_find_type(name);
    g_autoptr(GTypeClass) klass = NULL;
    JsonArray *list;

    if (type == G_TYPE_INVALID) {
        g_set_error(error, QMP_ERROR, QMP_DEVICE_NOT_FOUND, "Class '%s' not found", name);
        return NULL;
    }
    klass = g_type_class_ref(type);
    list = json_array_new();
    add_property("type", "string", list);
    if (g_type_is_a(type, TYPE_DEVICE)) {
        qom_foreach_device_property(add_property, list);
    }
    property_foreach(G_OBJECT_CLASS(klass), add_class_property, list);
    return qmp_array(list);
}

const QmpCommand qmp_qom_commands[] = {
    {"qom-list", "path:str", run_list, "[ObjectPropertyInfo]"},
    {"qom-get", "path:str,property:str", run_get, "any"},
    {"qom-set", "path:str,property:str,value:any", run_set},
    {"qom-list-types", "implements:str?,abstract:bool?", run_list_types,
     "[ObjectTypeInfo]"},
    {"qom-list-properties", "typename:str", run_list_properties, "[ObjectPropertyInfo]"},
    {NULL},
};
