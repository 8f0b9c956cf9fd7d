/*
 * The memory map handed to the firmware as fw_cfg's "etc/e820".
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef FIRMWARE_E820_H
#define FIRMWARE_E820_H

#include "memory/types.h"

/* Types of ACPI 6.4, table 15.3. */
typedef enum E820Type {
    E820_RAM = 1,
    E820_RESERVED = 2,
    E820_ACPI = 3,
    E820_NVS = 4,
    E820_UNUSABLE = 5,
} E820Type;

/* As it lies in the file: little-endian, packed, 20 bytes. */
typedef struct E820Entry {
    uint64_t address;
    uint64_t length;
    uint32_t type;
} __attribute__((packed)) E820Entry;

/* Adds a range in bytes; an empty one adds nothing. `table` is a GArray of E820Entry
 * (e820_table_new()); the firmware gets its data as it is, in order of adding. */
GArray *e820_table_new(void);
void e820_table_add(GArray *table, uint64_t address, uint64_t length, E820Type type);

#endif
