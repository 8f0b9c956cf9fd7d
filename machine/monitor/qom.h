/*
 * The object tree as clients of QEMU see it: "/machine", "/machine/unattached/device[3]",
 * with properties of named types. Objects are devices and the machine; the steps between
 * them are containers.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_MONITOR_QOM_H
#define MACHINE_MONITOR_QOM_H

#include <json-glib/json-glib.h>

#include "hw/core/property.h"

/* QEMU's word for a property's type: "bool", "uint32", "str" ... */
const char *qom_property_type(const Property *property);

/* Calls func with the name and type of each property and child of what is at `path`.
 * False and *error (QMP_DEVICE_NOT_FOUND) when nothing is. Machine lock. */
bool qom_list(const char *path,
              void (*func)(const char *name, const char *type, void *opaque),
              void *opaque, GError **error);

/* The property's value, or NULL and *error. Machine lock. */
JsonNode *qom_get(const char *path, const char *property, GError **error);
bool qom_set(const char *path, const char *property, JsonNode *value, GError **error);

/* Calls func for the properties that every device has. */
void qom_foreach_device_property(void (*func)(const char *name, const char *type,
                                              void *opaque),
                                 void *opaque);

/* The device's or machine's ("pc-i440fx-7.2-machine") type of that name, or
 * G_TYPE_INVALID. */
GType qom_find_type(const char *name);

/* Calls func for each device and machine type that is a kind of `implements` (NULL: all),
 * and for their abstract ancestors where `abstract` says so. */
void qom_list_types(const char *implements, bool abstract,
                    void (*func)(const char *name, const char *parent, bool is_abstract,
                                 void *opaque),
                    void *opaque);

#endif
