/*
 * The boot order handed to the firmware as fw_cfg's "bootorder": one OpenFirmware device
 * path a line, the first to try first.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef FIRMWARE_BOOT_ORDER_H
#define FIRMWARE_BOOT_ORDER_H

#include "memory/types.h"

typedef struct BootOrder BootOrder;

BootOrder *boot_order_new(void);
void boot_order_free(BootOrder *order);

/* Puts a device at `index` (-device's bootindex: lower boots earlier). `suffix` is what
 * the firmware is to try on the device ("/disk@0"), or NULL. False and *error where two
 * devices claim one index. */
bool boot_order_add(BootOrder *order, int32_t index, const char *path, const char *suffix,
                    GError **error);

/* The file's bytes: lines joined by newlines and ended by a NUL; none where the order is
 * empty. strict: ends with HALT, so that the firmware tries nothing else. Free with
 * g_bytes_unref(). */
GBytes *boot_order_to_bytes(const BootOrder *order, bool strict);

#endif
