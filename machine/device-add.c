/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/device-add.h"

#include <gio/gio.h>
#include <string.h>

#include "hw/core/bus.h"
#include "hw/core/option-string.h"

static bool set_properties(Device *dev, const OptionString *options, GError **error)
{
    for (guint i = 0; i < options->count; i++) {
        if (!property_set_string(G_OBJECT(dev), options->pairs[i].key,
                                 options->pairs[i].value, error)) {
            return false;
        }
    }
    return true;
}

static bool choose_bus(GType type, const char *name, Bus **bus, GError **error)
{
    g_autoptr(GTypeClass) klass = g_type_class_ref(type);
    const char *wanted = DEVICE_CLASS(klass)->bus_type;

    *bus = name ? bus_find(NULL, name) : wanted ? bus_find_free(wanted) : NULL;
    if (name && !*bus) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "Bus '%s' not found", name);
        return false;
    }
    return true;
}

Device *device_add_from_text(const char *text, GError **error)
{
    g_autoptr(OptionString) options = option_string_parse(text, "driver");
    g_autofree char *driver = option_string_take(options, "driver");
    g_autofree char *id = option_string_take(options, "id");
    g_autofree char *bus_name = option_string_take(options, "bus");
    g_autoptr(GTypeClass) klass = NULL;
    GType type;
    Device *dev;
    Bus *bus;

    if (!driver || !*driver) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "Parameter 'driver' is missing");
        return NULL;
    }
    type = device_type_by_name(driver, error);
    if (type == G_TYPE_INVALID) {
        return NULL;
    }
    klass = g_type_class_ref(type);
    if (!DEVICE_CLASS(klass)->user_creatable) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                    "'%s' is part of the board: -device cannot add it", driver);
        return NULL;
    }
    if (id && device_find_by_id(id)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS, "Duplicate ID '%s' for device",
                    id);
        return NULL;
    }
    if (!choose_bus(type, bus_name, &bus, error)) {
        return NULL;
    }
    dev = device_new(type, error);
    if (!dev) {
        return NULL;
    }
    dev->id = g_steal_pointer(&id);
    if (!set_properties(dev, options, error)) {
        g_object_unref(dev);
        return NULL;
    }
    return device_realize(dev, bus, error) ? dev : NULL;
}

static void list_type(const DeviceTypeEntry *entry, void *opaque)
{
    g_autoptr(GTypeClass) klass = g_type_class_ref(entry->get_type());
    DeviceClass *device = DEVICE_CLASS(klass);

    if (device->user_creatable) {
        g_string_append_printf(opaque, "name \"%s\"%s%s%s%s%s\n", entry->name,
                               device->bus_type ? ", bus " : "",
                               device->bus_type ? device->bus_type : "",
                               device->desc ? ", desc \"" : "",
                               device->desc ? device->desc : "", device->desc ? "\"" : "");
    }
}

static void list_property(const Property *property, void *opaque)
{
    static const char *const kinds[] = {
        [PROPERTY_BOOL] = "bool",     [PROPERTY_UINT8] = "uint8",
        [PROPERTY_UINT16] = "uint16", [PROPERTY_UINT32] = "uint32",
        [PROPERTY_UINT64] = "uint64", [PROPERTY_INT32] = "int32",
        [PROPERTY_SIZE] = "size",     [PROPERTY_STRING] = "str",
        [PROPERTY_ENUM] = "enum",
    };

    g_string_append_printf(opaque, "  %s=<%s>", property->name, kinds[property->kind]);
    if (property->help) {
        g_string_append_printf(opaque, "%*s - %s",
                               (int)MAX(0, 24 - (int)strlen(property->name)), "",
                               property->help);
    }
    g_string_append_c(opaque, '\n');
}

bool device_add_help(const char *text, GString *out)
{
    g_autoptr(OptionString) options = option_string_parse(text, "driver");
    const char *driver = option_string_get(options, "driver");
    g_autoptr(GError) error = NULL;
    GType type;

    if (g_strcmp0(driver, "help") == 0 || g_strcmp0(driver, "?") == 0) {
        device_types_foreach(list_type, out);
        return true;
    }
    if (!option_string_get(options, "help") || !driver) {
        return false;
    }
    type = device_type_by_name(driver, &error);
    if (type == G_TYPE_INVALID) {
        return false;
    }
    g_string_append_printf(out, "%s options:\n", driver);
    {
        g_autoptr(GTypeClass) klass = g_type_class_ref(type);

        property_foreach(G_OBJECT_CLASS(klass), list_property, out);
    }
    return true;
}
