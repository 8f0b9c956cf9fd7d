/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "firmware/guest/guest.h"

#include <gio/gio.h>

#include "firmware/guest/guest-resources.h"

GBytes *firmware_guest_image(const char *name)
{
    g_autofree char *path = g_strconcat("/umbra/guest/", name, NULL);

    return g_resource_lookup_data(firmware_guest_get_resource(), path,
                                  G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
}
