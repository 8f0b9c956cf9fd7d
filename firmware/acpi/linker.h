/*
 * The loader script ("etc/table-loader"): what the firmware is to do with the other
 * fw_cfg files: allocate memory for them, add their addresses to the pointers in them,
 * and fill their checksums in.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef FIRMWARE_ACPI_LINKER_H
#define FIRMWARE_ACPI_LINKER_H

#include "memory/types.h"

#define ACPI_FILE_TABLES "etc/acpi/tables"
#define ACPI_FILE_RSDP "etc/acpi/rsdp"
#define ACPI_FILE_LOADER "etc/table-loader"

typedef enum LinkerZone {
    LINKER_ZONE_HIGH = 1,      /* anywhere below 4 GiB */
    LINKER_ZONE_F_SEGMENT = 2, /* where an RSDP is looked for */
} LinkerZone;

/* Each appends one command to the script. Offsets and lengths are bytes in the file. */
void linker_allocate(GByteArray *script, const char *file, uint32_t alignment,
                     LinkerZone zone);
/* The `size` bytes at `offset` of `file` hold an offset in `target`: make it an
 * address. */
void linker_add_pointer(GByteArray *script, const char *file, const char *target,
                        uint32_t offset, uint8_t size);
/* Sets the byte at `offset` so that the `length` bytes from `start` sum up to zero. */
void linker_add_checksum(GByteArray *script, const char *file, uint32_t offset,
                         uint32_t start, uint32_t length);

/* Once `target` has its place: writes the address of its byte `target_offset` into the
 * `size` bytes at `offset` of `file`, which is not loaded but stays the machine's. */
void linker_write_pointer(GByteArray *script, const char *file, const char *target,
                          uint32_t offset, uint32_t target_offset, uint8_t size);

#endif
