/*
 * -fw_cfg [name=]NAME,file=FILE and -fw_cfg [name=]NAME,string=TEXT: a file of the
 * user's.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/nvram/fw-cfg-internal.h"

#include <gio/gio.h>
#include <string.h>

#include "hw/core/option-string.h"

bool fw_cfg_add_from_text(FWCfg *cfg, const char *text, GError **error)
{
    g_autoptr(OptionString) options = option_string_parse(text, "name");
    const char *name = option_string_get(options, "name");
    const char *file = option_string_get(options, "file");
    const char *string = option_string_get(options, "string");
    g_autofree char *contents = NULL;
    gsize length;

    if (!name || !*name || !file == !string || options->count != 2) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "give name=NAME and one of file=FILE and string=TEXT");
        return false;
    }
    if (fw_cfg_find_file(cfg, name, &length)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS,
                    "there is a fw_cfg file '%s' already; name yours opt/...", name);
        return false;
    }
    if (file && !g_file_get_contents(file, &contents, &length, error)) {
        return false;
    }
    return file ? fw_cfg_add_users_file(cfg, name, contents, length, error)
                : fw_cfg_add_users_file(cfg, name, string, strlen(string), error);
}
