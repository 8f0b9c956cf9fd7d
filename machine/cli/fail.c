/*
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/cli/fail.h"

#include <gio/gio.h>
#include <stdio.h>
#include <stdlib.h>

#include "hw/char/chardev.h"
#include "machine/user-object.h"

static bool timestamps; /* of the process's messages */

void cli_set_timestamps(bool on)
{
    timestamps = on;
}

void cli_warn(const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    if (timestamps) {
        g_autoptr(GDateTime) now = g_date_time_new_now_utc();
        g_autofree char *time = g_date_time_format(now, "%Y-%m-%dT%H:%M:%S.%fZ");

        fprintf(stderr, "%s ", time);
    }
    fprintf(stderr, "%s: %s\n", g_get_prgname(), text);
}

void G_GNUC_NORETURN cli_fail(GError *error)
{
    cli_warn("%s", error->message);
    user_objects_cleanup();
    chardev_cleanup();
    exit(1);
}

void G_GNUC_NORETURN cli_fail_with(GError *error, const char *option, const char *text)
{
    g_prefix_error(&error, "%s %s: ", option, text);
    cli_fail(error);
}

GError *cli_error(const char *format, ...)
{
    GError *error;
    va_list arguments;

    va_start(arguments, format);
    error =
        g_error_new_valist(G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, format, arguments);
    va_end(arguments);
    return error;
}
