/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/char/chardev-property.h"

#include <gio/gio.h>

bool chardev_property_connect(Device *dev, CharFrontend *frontend, const char *id,
                              Chardev *chardev, GError **error)
{
    if (!chardev && id && *id) {
        chardev = chardev_find(id);
        if (!chardev) {
            g_set_error(
                error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                "Property '%s.chardev' can't find value '%s'; make it with -chardev "
                "...,id=%s",
                G_OBJECT_TYPE_NAME(dev), id, id);
            return false;
        }
    }
    return !chardev || char_frontend_connect(frontend, chardev, error);
}
