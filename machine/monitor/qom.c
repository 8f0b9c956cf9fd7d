/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/monitor/qom.h"

#include <string.h>

#include "hw/core/bus.h"
#include "machine/machine.h"
#include "machine/monitor/qmp.h"
#include "machine/user-object.h"

/* What a path leads to. */
typedef struct Place {
    const char *path;
    Device *device;
    Machine *machine;
    bool exists;
} Place;

typedef struct Visit {
    const char *prefix; /* of children's paths, with the slash */
    GHashTable *seen;   /* char * */
    void (*func)(const char *name, const char *type, void *opaque);
    void *opaque;
    unsigned count;
} Visit;

const char *qom_property_type(const Property *property)
{
    static const char *const names[] = {
        [PROPERTY_BOOL] = "bool",     [PROPERTY_UINT8] = "uint8",
        [PROPERTY_UINT16] = "uint16", [PROPERTY_UINT32] = "uint32",
        [PROPERTY_UINT64] = "uint64", [PROPERTY_INT32] = "int32",
        [PROPERTY_SIZE] = "size",     [PROPERTY_STRING] = "str",
        [PROPERTY_ENUM] = "enum",
    };

    return names[property->kind];
}

static char *machine_type_name(void)
{
    return g_strdup_printf("%s-machine", machine_current()->type->name);
}

/* -- Children -------------------------------------------------------------------- */

static void visit_child(Visit *visit, const char *name, const char *type)
{
    if (!g_hash_table_add(visit->seen, g_strdup(name))) {
        return;
    }
    visit->count++;
    if (visit->func) {
        g_autofree char *child = g_strdup_printf("child<%s>", type);

        visit->func(name, child, visit->opaque);
    }
}

static bool visit_device(Device *dev, void *opaque)
{
    Visit *visit = opaque;
    const char *rest, *slash;
    g_autofree char *name = NULL;

    if (!dev->path || !g_str_has_prefix(dev->path, visit->prefix)) {
        return true;
    }
    rest = dev->path + strlen(visit->prefix);
    slash = strchr(rest, '/');
    name = slash ? g_strndup(rest, (gsize)(slash - rest)) : g_strdup(rest);
    if (slash) {
        g_autofree char *path = g_strconcat(visit->prefix, name, NULL);
        Device *parent = device_find_by_path(path);

        visit_child(visit, name, parent ? G_OBJECT_TYPE_NAME(parent) : "container");
    } else {
        visit_child(visit, name, G_OBJECT_TYPE_NAME(dev));
    }
    return true;
}

static void visit_chardev(Chardev *chardev, void *opaque)
{
    visit_child(opaque, chardev_id(chardev), "chardev");
}

/* Visits what is below `path`; returns how many there are. */
static unsigned visit_children(const char *path,
                               void (*func)(const char *name, const char *type,
                                            void *opaque),
                               void *opaque)
{
    g_autofree char *prefix =
        strcmp(path, "/") == 0 ? g_strdup("/") : g_strconcat(path, "/", NULL);
    g_autoptr(GHashTable) seen =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    Visit visit = {prefix, seen, func, opaque, 0};

    if (strcmp(path, "/") == 0) {
        g_autofree char *machine = machine_type_name();

        visit_child(&visit, "objects", "container");
        visit_child(&visit, "machine", machine);
        visit_child(&visit, "chardevs", "container");
    } else if (strcmp(path, "/machine") == 0) {
        visit_child(&visit, "peripheral", "container");
        visit_child(&visit, "peripheral-anon", "container");
        visit_child(&visit, "unattached", "container");
    } else if (strcmp(path, "/chardevs") == 0) {
        chardev_foreach(visit_chardev, &visit);
    }
    device_foreach(visit_device, &visit);
    return visit.count;
}

/* -- Finding --------------------------------------------------------------------- */

static bool is_container(const char *path)
{
    static const char *const containers[] = {
        "/",
        "/objects",
        "/chardevs",
        "/machine/peripheral",
        "/machine/peripheral-anon",
        "/machine/unattached",
        NULL,
    };

    return g_strv_contains(containers, path) || visit_children(path, NULL, NULL) > 0;
}

/* An absolute path, or as much of its end as is enough, or a device's id. */
static bool find(const char *path, Place *place, GError **error)
{
    *place = (Place){.path = path};
    if (strcmp(path, "/machine") == 0) {
        place->machine = machine_current();
    } else {
        place->device = device_find_by_path(path);
        if (!place->device && *path != '/') {
            place->device = device_find_by_id(path);
        }
    }
    place->exists = place->machine || place->device || is_container(path);
    if (!place->exists) {
        g_set_error(error, QMP_ERROR, QMP_DEVICE_NOT_FOUND, "Device '%s' not found",
                    path);
    }
    return place->exists;
}

static GObject *object_of(const Place *place)
{
    return place->device ? G_OBJECT(place->device) : (GObject *)place->machine;
}

static char *type_of(const Place *place)
{
    return place->machine  ? machine_type_name()
           : place->device ? g_strdup(G_OBJECT_TYPE_NAME(place->device))
                           : g_strdup("container");
}

/* -- Listing --------------------------------------------------------------------- */

typedef struct PropertyVisit {
    void (*func)(const char *name, const char *type, void *opaque);
    void *opaque;
} PropertyVisit;

static void visit_property(const Property *property, void *opaque)
{
    PropertyVisit *visit = opaque;

    visit->func(property->name, qom_property_type(property), visit->opaque);
}

static const struct {
    const char *name, *type;
} device_properties[] = {
    {"parent_bus", "link<bus>"},
    {"realized", "bool"},
    {"hotplugged", "bool"},
    {"hotpluggable", "bool"},
};

void qom_foreach_device_property(void (*func)(const char *name, const char *type,
                                              void *opaque),
                                 void *opaque)
{
    for (size_t i = 0; i < G_N_ELEMENTS(device_properties); i++) {
        func(device_properties[i].name, device_properties[i].type, opaque);
    }
}

bool qom_list(const char *path,
              void (*func)(const char *name, const char *type, void *opaque),
              void *opaque, GError **error)
{
    PropertyVisit visit = {func, opaque};
    Place place;

    if (!find(path, &place, error)) {
        return false;
    }
    func("type", "string", opaque);
    if (place.device) {
        qom_foreach_device_property(func, opaque);
    }
    if (object_of(&place)) {
        property_foreach(G_OBJECT_GET_CLASS(object_of(&place)), visit_property, &visit);
    }
    visit_children(place.device ? place.device->path : path, func, opaque);
    return true;
}

/* -- Values ---------------------------------------------------------------------- */

typedef struct PropertySearch {
    const char *name;
    const Property *found;
} PropertySearch;

static void search_property(const Property *property, void *opaque)
{
    PropertySearch *search = opaque;

    if (!search->found && strcmp(property->name, search->name) == 0) {
        search->found = property;
    }
}

static const Property *find_property(const Place *place, const char *name)
{
    PropertySearch search = {name, NULL};

    if (object_of(place)) {
        property_foreach(G_OBJECT_GET_CLASS(object_of(place)), search_property, &search);
    }
    return search.found;
}

static JsonNode *int_node(gint64 value)
{
    return json_node_init_int(json_node_alloc(), value);
}

static JsonNode *bool_node(bool value)
{
    return json_node_init_boolean(json_node_alloc(), value);
}

static JsonNode *property_value(GObject *object, const Property *property)
{
    const void *field = (const char *)object + property->offset;

    switch (property->kind) {
    case PROPERTY_BOOL:
        return bool_node(*(const bool *)field);
    case PROPERTY_UINT8:
        return int_node(*(const uint8_t *)field);
    case PROPERTY_UINT16:
        return int_node(*(const uint16_t *)field);
    case PROPERTY_UINT32:
        return int_node(*(const uint32_t *)field);
    case PROPERTY_INT32:
        return int_node(*(const int32_t *)field);
    case PROPERTY_STRING:
        return qmp_string(*(char *const *)field);
    case PROPERTY_ENUM:
        return qmp_string(property->names[*(const int *)field]);
    default:
        return int_node((gint64) * (const uint64_t *)field);
    }
}

static JsonNode *device_value(const Device *dev, const char *name)
{
    if (strcmp(name, "realized") == 0) {
        return bool_node(dev->realized);
    }
    if (strcmp(name, "hotplugged") == 0) {
        return bool_node(false);
    }
    if (strcmp(name, "hotpluggable") == 0) {
        return bool_node(dev->bus &&
                         g_strcmp0(BUS_GET_CLASS(dev->bus)->bus_type, "PCI") == 0);
    }
    if (strcmp(name, "parent_bus") == 0) {
        const Device *owner = dev->bus ? dev->bus->owner : NULL;
        g_autofree char *path =
            dev->bus
                ? g_strdup_printf(
                      "%s/%s", owner && owner->path ? owner->path : "/machine/unattached",
                      dev->bus->name)
                : g_strdup("");

        return qmp_string(path);
    }
    return NULL;
}

static void set_not_found(const Place *place, const char *name, GError **error)
{
    g_autofree char *type = type_of(place);

    g_set_error(error, QMP_ERROR, QMP_GENERIC_ERROR, "Property '%s.%s' not found", type,
                name);
}

JsonNode *qom_get(const char *path, const char *name, GError **error)
{
    const Property *property;
    JsonNode *value = NULL;
    Place place;

    if (!find(path, &place, error)) {
        return NULL;
    }
    if (strcmp(name, "type") == 0) {
        g_autofree char *type = type_of(&place);

        return qmp_string(type);
    }
    property = find_property(&place, name);
    if (property) {
        value = property_value(object_of(&place), property);
    } else if (place.device) {
        value = device_value(place.device, name);
    }
    if (!value) {
        set_not_found(&place, name, error);
    }
    return value;
}

bool qom_set(const char *path, const char *name, JsonNode *value, GError **error)
{
    const Property *property;
    Place place;

    if (!find(path, &place, error)) {
        return false;
    }
    property = find_property(&place, name);
    if (!property) {
        set_not_found(&place, name, error);
        return false;
    }
    if (place.device) {
        g_autofree char *which = place.device->id
                                     ? g_strdup_printf("device '%s'", place.device->id)
                                     : g_strdup("anonymous device");

        g_set_error(
            error, QMP_ERROR, QMP_GENERIC_ERROR,
            "Attempt to set property '%s' on %s (type '%s') after it was realized", name,
            which, G_OBJECT_TYPE_NAME(place.device));
    } else {
        g_set_error(error, QMP_ERROR, QMP_GENERIC_ERROR,
                    "Property '%s' of the machine can only be set on the command line: "
                    "-machine %s=...",
                    name, name);
    }
    return false;
}

/* -- Types ----------------------------------------------------------------------- */

typedef struct TypeVisit {
    const char *implements;
    bool abstract;
    GHashTable *seen;
    void (*func)(const char *name, const char *parent, bool is_abstract, void *opaque);
    void *opaque;
} TypeVisit;

static void visit_type(TypeVisit *visit, GType type)
{
    GType wanted = visit->implements ? g_type_from_name(visit->implements) : TYPE_DEVICE;
    bool is_abstract = G_TYPE_IS_ABSTRACT(type);

    if (type == TYPE_DEVICE || !wanted || !g_type_is_a(type, wanted) ||
        !g_hash_table_add(visit->seen, GSIZE_TO_POINTER(type))) {
        return;
    }
    if (!is_abstract || visit->abstract) {
        GType parent = g_type_parent(type);

        visit->func(g_type_name(type),
                    parent == TYPE_DEVICE ? "device" : g_type_name(parent), is_abstract,
                    visit->opaque);
    }
    visit_type(visit, g_type_parent(type));
}

static void visit_type_entry(const DeviceTypeEntry *entry, void *opaque)
{
    visit_type(opaque, entry->get_type());
}

/* The software CPU under QEMU's name for its own too: -accel takes both. */
static void visit_accels(TypeVisit *visit)
{
    for (const char *const *name = accel_names(); *name; name++) {
        g_autofree char *type = g_strdup_printf("%s-accel", *name);

        visit->func(type, "accel", false, visit->opaque);
    }
    visit->func("tcg-accel", "accel", false, visit->opaque);
}

GType qom_find_type(const char *name)
{
    g_autofree char *machine = NULL;
    const MachineType *type;

    if (user_object_type_by_name(name) != G_TYPE_INVALID) {
        return user_object_type_by_name(name);
    }
    if (!g_str_has_suffix(name, "-machine")) {
        return strcmp(name, "device") == 0 ? TYPE_DEVICE
                                           : device_type_by_name(name, NULL);
    }
    machine = g_strndup(name, strlen(name) - strlen("-machine"));
    type = machine_type_find(machine, NULL);
    return type && strcmp(type->name, machine) == 0 ? type->get_type() : G_TYPE_INVALID;
}

static void visit_machine_type(const MachineType *type, void *opaque)
{
    TypeVisit *visit = opaque;
    g_autofree char *name = g_strdup_printf("%s-machine", type->name);

    if (!visit->implements || strcmp(visit->implements, "machine") == 0) {
        visit->func(name, "machine", false, visit->opaque);
    }
}

void qom_list_types(const char *implements, bool abstract,
                    void (*func)(const char *name, const char *parent, bool is_abstract,
                                 void *opaque),
                    void *opaque)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    TypeVisit visit = {
        .implements = g_strcmp0(implements, "device") == 0 ? NULL : implements,
        .abstract = abstract,
        .seen = seen,
        .func = func,
        .opaque = opaque,
    };

    device_types_foreach(visit_type_entry, &visit);
    if (!implements || strcmp(implements, "accel") == 0) {
        visit_accels(&visit);
    }
    for (int i = 0; !implements && user_object_type_name(i); i++) {
        const char *name = user_object_type_name(i);

        func(name, g_type_name(g_type_parent(user_object_type_by_name(name))), false,
             opaque);
    }
    if (g_strcmp0(implements, "device") != 0) {
        machine_types_foreach(visit_machine_type, &visit);
    }
}
