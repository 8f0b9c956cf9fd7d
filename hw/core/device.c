/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/core/device.h"

#include <dlfcn.h>
#include <gio/gio.h>

#include "hw/core/bus.h"
#include "hw/core/vmstate.h"

/* The machine's devices: a process runs one machine. */
static struct {
    GPtrArray *realized;   /* Device *, in order of realization, referenced */
    unsigned unnamed;      /* next N of /machine/unattached/device[N] */
} tree;

G_DEFINE_ABSTRACT_TYPE(Device, device, G_TYPE_OBJECT)

static void pins_free(gpointer data)
{
    DevicePins *pins = data;

    irq_free(pins->inputs);
    g_free(pins->name);
    g_free(pins);
}

static void device_init(Device *dev)
{
    dev->child_buses = g_ptr_array_new_with_free_func(g_object_unref);
    dev->pins = g_ptr_array_new_with_free_func(pins_free);
    dev->vmstate_alias_id = -1;
}

static void free_string(const Property *property, void *opaque)
{
    if (property->kind == PROPERTY_STRING) {
        g_clear_pointer((char **)((char *)opaque + property->offset), g_free);
    }
}

static void device_finalize(GObject *object)
{
    Device *dev = DEVICE(object);

    property_foreach(G_OBJECT_GET_CLASS(object), free_string, object);
    g_ptr_array_unref(dev->child_buses);
    g_ptr_array_unref(dev->pins);
    g_free(dev->id);
    g_free(dev->path);
    G_OBJECT_CLASS(device_parent_class)->finalize(object);
}

static void device_class_init(DeviceClass *klass)
{
    klass->parent.finalize = device_finalize;
}

static GTypeModule *type_module; /* the plugin that is being loaded, or NULL */
static const void *type_module_base;
static const char **type_problem;

/* Where the shared object (or program) that has this code begins. */
static const void *object_base(const void *code)
{
    Dl_info info;

    return dladdr(code, &info) ? info.dli_fbase : NULL;
}

void device_types_begin_module(GTypeModule *module, const void *code, const char **problem)
{
    type_module = module;
    type_module_base = object_base(code);
    type_problem = problem;
    *problem = NULL;
}

void device_types_end_module(void)
{
    type_module = NULL;
}

static GType refuse_type(const char *format, const char *name)
{
    g_autofree char *text = g_strdup_printf(format, name);

    if (type_module && !*type_problem) {
        *type_problem = g_intern_string(text);
    }
    return G_TYPE_NONE;
}

GType device_type_register(GType parent, const char *name, size_t instance_size,
                           GClassInitFunc class_init)
{
    GType taken = g_type_from_name(name);
    GTypeInfo info = {.class_init = class_init, .instance_size = (guint16)instance_size};
    /* A plugin's type may be the first to ask for a parent of the program's. */
    GTypeModule *module =
        type_module && object_base((const void *)class_init) == type_module_base ? type_module
                                                                                 : NULL;
    GTypeQuery query;

    g_type_query(parent, &query);
    if (!query.type || query.instance_size > instance_size) {
        return refuse_type(query.type ? "its type '%s' is smaller than the parent that it "
                                        "asks for"
                                      : "its type '%s' asks for a parent type that is not "
                                        "known here",
                           name);
    }
    if (taken && (!module || g_type_get_plugin(taken) != G_TYPE_PLUGIN(module))) {
        return refuse_type("its type '%s' is there already; rename it", name);
    }
    info.class_size = (guint16)query.class_size;
    return module ? g_type_module_register_type(module, parent, g_intern_string(name), &info,
                                                0)
                  : g_type_register_static(parent, g_intern_string(name), &info, 0);
}

/* -- -global --------------------------------------------------------------------------- */

typedef struct GlobalSetting {
    const char *driver, *property, *value;
    bool compat;
    bool used;
} GlobalSetting;

static GArray *globals;

void device_add_global(const char *driver, const char *property, const char *value,
                       bool compat)
{
    GlobalSetting setting = {driver, property, value, compat, false};

    if (!globals) {
        globals = g_array_new(false, false, sizeof(GlobalSetting));
    }
    g_array_append_val(globals, setting);
}

static bool global_applies(const GlobalSetting *setting, GType type)
{
    for (; type; type = g_type_parent(type)) {
        if (g_strcmp0(g_type_name(type), setting->driver) == 0) {
            return true;
        }
    }
    return false;
}

/* The machine type's compat settings come first, so that the user's win. */
static bool apply_globals(Device *dev, bool compat, GError **error)
{
    for (guint i = 0; globals && i < globals->len; i++) {
        GlobalSetting *setting = &g_array_index(globals, GlobalSetting, i);
        g_autoptr(GError) ignored = NULL;

        if (setting->compat != compat ||
            !global_applies(setting, G_OBJECT_TYPE(dev))) {
            continue;
        }
        setting->used = true;
        if (!property_set_string(G_OBJECT(dev), setting->property, setting->value,
                                 compat ? &ignored : error) &&
            !compat) {
            g_prefix_error(error, "can't apply global %s.%s=%s: ", setting->driver,
                           setting->property, setting->value);
            return false;
        }
    }
    return true;
}

void device_foreach_unused_global(void (*func)(const char *driver, const char *property,
                                               const char *value, void *opaque),
                                  void *opaque)
{
    for (guint i = 0; globals && i < globals->len; i++) {
        GlobalSetting *setting = &g_array_index(globals, GlobalSetting, i);

        if (!setting->used && !setting->compat) {
            func(setting->driver, setting->property, setting->value, opaque);
        }
    }
}

/* -- Life ------------------------------------------------------------------------------ */

Device *device_new(GType type, GError **error)
{
    Device *dev;

    if (!g_type_is_a(type, TYPE_DEVICE) || G_TYPE_IS_ABSTRACT(type)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                    "'%s' is no type of device that can be made", g_type_name(type));
        return NULL;
    }
    dev = g_object_new(type, NULL);
    property_init_defaults(G_OBJECT(dev));
    if (!apply_globals(dev, true, error) || !apply_globals(dev, false, error)) {
        g_object_unref(dev);
        return NULL;
    }
    return dev;
}

void device_set_name(Device *dev, Device *parent, const char *name)
{
    g_free(dev->path);
    dev->path = g_strdup_printf("%s/%s", parent && parent->path ? parent->path : "/machine",
                                name);
}

static bool plug(Device *dev, Bus *bus, GError **error)
{
    const char *wanted = DEVICE_GET_CLASS(dev)->bus_type;
    BusClass *klass = bus ? BUS_GET_CLASS(bus) : NULL;

    if (bus && g_strcmp0(wanted, klass->bus_type) != 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "Device '%s' can't go on %s bus", G_OBJECT_TYPE_NAME(dev),
                    klass->bus_type);
        return false;
    }
    if (!bus && wanted) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                    "No '%s' bus found for device '%s'", wanted, G_OBJECT_TYPE_NAME(dev));
        return false;
    }
    if (bus && klass->plug && !klass->plug(bus, dev, error)) {
        return false;
    }
    dev->bus = bus;
    if (bus) {
        g_ptr_array_add(bus->children, dev);
    }
    return true;
}

static void leave_bus(Device *dev)
{
    Bus *bus = dev->bus;

    if (!bus) {
        return;
    }
    if (BUS_GET_CLASS(bus)->unplug) {
        BUS_GET_CLASS(bus)->unplug(bus, dev);
    }
    g_ptr_array_remove(bus->children, dev);
    dev->bus = NULL;
}

static void give_path(Device *dev)
{
    if (dev->path) {
        return;
    }
    dev->path = dev->id ? g_strdup_printf("/machine/peripheral/%s", dev->id)
                        : g_strdup_printf("/machine/unattached/device[%u]", tree.unnamed++);
}

bool device_realize(Device *dev, Bus *bus, GError **error)
{
    DeviceClass *klass = DEVICE_GET_CLASS(dev);

    if (!tree.realized) {
        tree.realized = g_ptr_array_new_with_free_func(g_object_unref);
    }
    if (!plug(dev, bus, error)) {
        g_object_unref(dev);
        return false;
    }
    give_path(dev);
    g_ptr_array_add(tree.realized, dev);
    if (klass->realize && !klass->realize(dev, error)) {
        leave_bus(dev);
        g_ptr_array_remove(tree.realized, dev);
        return false;
    }
    if (klass->vmsd) {
        vmstate_register_with_alias_id(dev, VMSTATE_INSTANCE_ID_ANY, klass->vmsd, dev,
                                       dev->vmstate_alias_id);
    }
    dev->realized = true;
    return true;
}

Device *device_create(GType type, Bus *bus, GError **error)
{
    Device *dev = device_new(type, error);

    return dev && device_realize(dev, bus, error) ? dev : NULL;
}

static void (*unplug_handler)(const char *id, const char *path);

void device_set_unplug_handler(void (*handler)(const char *id, const char *path))
{
    unplug_handler = handler;
}

void device_unplug(Device *dev)
{
    DeviceClass *klass = DEVICE_GET_CLASS(dev);

    if (unplug_handler) {
        unplug_handler(dev->id, dev->path);
    }
    if (klass->unrealize) {
        klass->unrealize(dev);
    }
    if (klass->vmsd) {
        vmstate_unregister(dev, klass->vmsd, dev);
    }
    dev->realized = false;
    leave_bus(dev);
    g_ptr_array_remove(tree.realized, dev);
}

void device_reset(Device *dev)
{
    DeviceClass *klass = DEVICE_GET_CLASS(dev);

    if (klass->reset) {
        klass->reset(dev);
    }
}

void device_reset_all(void)
{
    for (guint i = 0; tree.realized && i < tree.realized->len; i++) {
        device_reset(tree.realized->pdata[i]);
    }
}

void device_foreach(bool (*func)(Device *dev, void *opaque), void *opaque)
{
    for (guint i = 0; tree.realized && i < tree.realized->len; i++) {
        if (!func(tree.realized->pdata[i], opaque)) {
            break;
        }
    }
}

static Device *find_by(const char *text, size_t field)
{
    for (guint i = 0; tree.realized && i < tree.realized->len; i++) {
        Device *dev = tree.realized->pdata[i];

        if (g_strcmp0(*(char **)((char *)dev + field), text) == 0) {
            return dev;
        }
    }
    return NULL;
}

Device *device_find_by_id(const char *id)
{
    return find_by(id, offsetof(Device, id));
}

Device *device_find_by_path(const char *path)
{
    return find_by(path, offsetof(Device, path));
}

/* -- Pins ------------------------------------------------------------------------------ */

static DevicePins *find_pins(Device *dev, const char *name, bool output)
{
    for (guint i = 0; i < dev->pins->len; i++) {
        DevicePins *pins = dev->pins->pdata[i];

        if (pins->output == output && g_strcmp0(pins->name, name) == 0) {
            return pins;
        }
    }
    return NULL;
}

static DevicePins *add_pins(Device *dev, const char *name, bool output, int count)
{
    DevicePins *pins = g_new0(DevicePins, 1);

    pins->name = g_strdup(name);
    pins->output = output;
    pins->count = count;
    g_ptr_array_add(dev->pins, pins);
    return pins;
}

void device_init_gpio_in_named(Device *dev, IRQHandler handler, const char *name, int n)
{
    add_pins(dev, name, false, n)->inputs = irq_new_array(handler, dev, 0, n);
}

void device_init_gpio_out_named(Device *dev, IRQ **pins, const char *name, int n)
{
    add_pins(dev, name, true, n)->outputs = pins;
}

IRQ *device_get_gpio_in_named(Device *dev, const char *name, int n)
{
    DevicePins *pins = find_pins(dev, name, false);

    return pins && n >= 0 && n < pins->count ? &pins->inputs[n] : NULL;
}

void device_connect_gpio_out_named(Device *dev, const char *name, int n, IRQ *input)
{
    DevicePins *pins = find_pins(dev, name, true);

    g_return_if_fail(pins && n >= 0 && n < pins->count);
    pins->outputs[n] = input;
}

IRQ *device_get_gpio_out_named(Device *dev, const char *name, int n)
{
    DevicePins *pins = find_pins(dev, name, true);

    return pins && n >= 0 && n < pins->count ? pins->outputs[n] : NULL;
}

/* -- Known types ------------------------------------------------------------------------ */

static GPtrArray *type_tables; /* const DeviceTypeEntry * */

void device_types_add(const DeviceTypeEntry *table)
{
    if (!type_tables) {
        type_tables = g_ptr_array_new();
    }
    g_ptr_array_add(type_tables, (gpointer)table);
}

void device_types_foreach(void (*func)(const DeviceTypeEntry *entry, void *opaque),
                          void *opaque)
{
    for (guint i = 0; type_tables && i < type_tables->len; i++) {
        for (const DeviceTypeEntry *entry = type_tables->pdata[i]; entry->name; entry++) {
            func(entry, opaque);
        }
    }
}

typedef struct TypeSearch {
    const char *name;
    const DeviceTypeEntry *found;
    GPtrArray *names;
} TypeSearch;

static void search_type(const DeviceTypeEntry *entry, void *opaque)
{
    TypeSearch *search = opaque;

    if (g_strcmp0(entry->name, search->name) == 0) {
        search->found = entry;
    }
    g_ptr_array_add(search->names, (gpointer)entry->name);
}

GType device_type_by_name(const char *name, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    TypeSearch search = {.name = name, .names = names};
    const char *nearest;

    device_types_foreach(search_type, &search);
    if (search.found) {
        return search.found->get_type();
    }
    g_ptr_array_add(names, NULL);
    nearest = nearest_name(name, (const char *const *)names->pdata);
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                "'%s' is not a valid device model name%s%s%s", name,
                nearest ? "; did you mean '" : " (-device help lists them)",
                nearest ? nearest : "", nearest ? "'?" : "");
    return G_TYPE_INVALID;
}
