/*
 * -readconfig: sections of options in a file, as
 *
 *     [chardev "serial0"]
 *       backend = "null"
 *
 * for -chardev null,id=serial0. A "#" begins a comment line.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <string.h>

#include "machine/cli/fail.h"
#include "machine/cli/system.h"

/* Sections whose option has another name. */
static const struct {
    const char *section, *option;
} renamed[] = {{"memory", "m"}, {"smp-opts", "smp"}, {"boot-opts", "boot"}};

/* What has come of a section. */
typedef struct Section {
    char *name, *id;
    GString *text; /* "key=value,..." */
} Section;

static char *escaped(const char *value)
{
    g_auto(GStrv) parts = g_strsplit(value, ",", -1);

    return g_strjoinv(",,", parts);
}

static void finish(SystemOptions *options, Section *section, const char *path)
{
    const char *option = section->name;
    GError *error = NULL;

    if (!option) {
        return;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(renamed); i++) {
        option = strcmp(option, renamed[i].section) == 0 ? renamed[i].option : option;
    }
    if (section->id) {
        g_string_append_printf(section->text, ",id=%s", section->id);
    }
    if (section->text->len &&
        !system_options_add(options, option, section->text->str + 1, &error)) {
        cli_fail_with(error, "-readconfig", path);
    }
    g_clear_pointer(&section->name, g_free);
    g_clear_pointer(&section->id, g_free);
    g_string_truncate(section->text, 0);
}

/* [name] or [name "id"] */
static bool begin(Section *section, char *line)
{
    char *end = strrchr(line, ']');
    char *quote = strchr(line, '"'), *closing = quote ? strchr(quote + 1, '"') : NULL;

    if (!end || (quote && !closing)) {
        return false;
    }
    *end = '\0';
    if (quote) {
        *quote = *closing = '\0';
        section->id = g_strdup(quote + 1);
    }
    section->name = g_strdup(g_strstrip(line + 1));
    return *section->name != '\0';
}

/* key = "value" */
static bool add_pair(Section *section, char *line)
{
    char *equals = strchr(line, '=');
    char *quote = equals ? strchr(equals, '"') : NULL;
    char *closing = quote ? strrchr(quote + 1, '"') : NULL;
    g_autofree char *value = NULL;

    if (!section->name || !closing) {
        return false;
    }
    *equals = *closing = '\0';
    value = escaped(quote + 1);
    if (strcmp(section->name, "global") == 0) {
        /* driver, property, value: the option has them as DRIVER.PROPERTY=VALUE. */
        g_string_append_printf(section->text, "%s%s",
                               section->text->len == 0              ? ","
                               : g_str_has_prefix(line, "property") ? "."
                                                                    : "=",
                               value);
    } else {
        g_string_append_printf(section->text, ",%s=%s", g_strstrip(line), value);
    }
    return true;
}

void system_read_config(SystemOptions *options, const char *path)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    Section section = {.text = g_string_new(NULL)};
    GError *error = NULL;

    if (!g_file_get_contents(path, &text, NULL, &error)) {
        cli_fail_with(error, "-readconfig", path);
    }
    lines = g_strsplit(text, "\n", -1);
    for (char **each = lines; *each; each++) {
        char *line = g_strstrip(*each);
        bool good = true;

        if (*line == '[') {
            finish(options, &section, path);
            good = begin(&section, line);
        } else if (*line && *line != '#') {
            good = add_pair(&section, line);
        }
        if (!good) {
            cli_fail(cli_error("%s:%d: parse error", path, (int)(each - lines) + 1));
        }
    }
    finish(options, &section, path);
    g_string_free(section.text, TRUE);
}
