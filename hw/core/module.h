/*
 * Modules of Umbra's own: parts that need a library which takes long to load, so that
 * only who uses them waits for it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_CORE_MODULE_H
#define HW_CORE_MODULE_H

#include <glib.h>

/* Where modules are looked for, in order: the environment's UMBRA_MODULE_DIR (a list with
 * colons), `more` (ended by NULL; may be NULL), beside the program while it is in its build
 * directory, and where it is installed. */
GPtrArray *module_search_path(const char *const *more);

/* The symbol of libNAME.so. NULL and *error, which names the Debian package to build it
 * with, where it is missing. The module stays until the process ends. */
gpointer module_symbol(const char *name, const char *symbol, const char *package,
                       GError **error);

#endif
