/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/kernel-files.h"

#include <string.h>

GBytes *kernel_file_read(const char *option, const char *path, GError **error)
{
    char *data;
    gsize size;

    if (!g_file_get_contents(path, &data, &size, error)) {
        g_prefix_error(error, "%s %s: ", option, path);
        return NULL;
    }
    return g_bytes_new_take(data, size);
}

static void clear_module(gpointer data)
{
    KernelModule *module = data;

    g_free(module->text);
    g_clear_pointer(&module->bytes, g_bytes_unref);
}

GArray *kernel_modules_new(void)
{
    GArray *modules = g_array_new(FALSE, TRUE, sizeof(KernelModule));

    g_array_set_clear_func(modules, clear_module);
    return modules;
}

bool kernel_modules_read(const char *initrd, GArray *modules, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (const char *c = initrd; *c; c++) {
        if (c[0] == ',' && c[1] != ',') {
            g_string_append_c(text, '\n');
        } else {
            g_string_append_c(text, *c);
            c += c[0] == ',';
        }
    }
    g_auto(GStrv) parts = g_strsplit(text->str, "\n", -1);

    for (char **part = parts; *part; part++) {
        const char *words = *part + strspn(*part, " ");
        g_autofree char *path = g_strndup(words, strcspn(words, " "));
        KernelModule module = {.bytes = kernel_file_read("-initrd", path, error)};

        if (!module.bytes) {
            return false;
        }
        module.text = g_strdup(words);
        g_array_append_val(modules, module);
    }
    return true;
}
