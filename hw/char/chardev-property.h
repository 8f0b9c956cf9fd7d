/*
 * A device's "chardev" property: the id of a chardev.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_CHAR_CHARDEV_PROPERTY_H
#define HW_CHAR_CHARDEV_PROPERTY_H

#include "hw/char/chardev.h"
#include "hw/core/device.h"

/* Connects `frontend` to `chardev`, or where that is NULL to the chardev of that id; both
 * NULL leave it unconnected. False and *error when there is no such chardev or it is in
 * use. */
bool chardev_property_connect(Device *dev, CharFrontend *frontend, const char *id,
                              Chardev *chardev, GError **error);

#endif
