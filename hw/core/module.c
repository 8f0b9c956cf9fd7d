/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/core/module.h"

#include <gio/gio.h>
#include <gmodule.h>

GPtrArray *module_search_path(const char *const *more)
{
    GPtrArray *path = g_ptr_array_new_with_free_func(g_free);
    const char *variable = g_getenv("UMBRA_MODULE_DIR");
    g_auto(GStrv) named = g_strsplit(variable ? variable : "", ":", -1);
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);

    for (char **each = named; *each; each++) {
        if (**each) {
            g_ptr_array_add(path, g_strdup(*each));
        }
    }
    for (; more && *more; more++) {
        g_ptr_array_add(path, g_strdup(*more));
    }
    if (program) {
        char *directory = g_path_get_dirname(program);

        g_ptr_array_add(path, directory);
        g_ptr_array_add(path,
                        g_canonicalize_filename(UMBRA_MODULE_DIR_FROM_BIN, directory));
    }
    g_ptr_array_add(path, g_strdup(UMBRA_MODULE_DIR));
    return path;
}

/* The first that is there, or where it should be installed. */
static char *find_module(const char *name)
{
    g_autoptr(GPtrArray) path = module_search_path(NULL);
    g_autofree char *file = g_strdup_printf("lib%s.so", name);
    char *found = NULL;

    for (guint i = 0; i < path->len; i++) {
        g_free(found);
        found = g_build_filename(path->pdata[i], file, NULL);
        if (g_file_test(found, G_FILE_TEST_EXISTS)) {
            break;
        }
    }
    return found;
}

gpointer module_symbol(const char *name, const char *symbol, const char *package,
                       GError **error)
{
    g_autofree char *path = find_module(name);
    GModule *module = g_module_open(path, G_MODULE_BIND_LOCAL);
    gpointer address;

    if (!module) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                    "the module %s cannot be loaded (%s); install %s and build again",
                    name, g_module_error(), package);
        return NULL;
    }
    g_module_make_resident(module);
    if (!g_module_symbol(module, symbol, &address)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s is not a module of Umbra's",
                    path);
        return NULL;
    }
    return address;
}
