/*
 * The user's own ACPI tables, -acpitable.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef FIRMWARE_ACPI_USER_TABLE_H
#define FIRMWARE_ACPI_USER_TABLE_H

#include <glib.h>
#include <stdbool.h>

/* Adds a table to the list, which is in the form of QEMU's fw_cfg item: a count, then each
 * table with its length before it, numbers of 16 bits, little-endian. An empty array is an
 * empty list. `option`: "sig=,rev=,oem_id=,oem_table_id=,oem_rev=,asl_compiler_id=,
 * asl_compiler_rev=" and "file=" (a table with its header) or "data=" (what is behind one),
 * several files separated by colons. False and *error: an unknown key, a value that does not
 * fit, a file that cannot be read or is no table. */
bool acpi_user_table_add(GByteArray *list, const char *option, GError **error);

/* The table at *position of such a list, which is moved on; NULL: there are no more. */
const guint8 *acpi_user_table_next(const GByteArray *list, guint *position, guint *length);

#endif
