/*
 * SMBIOS 2.8 tables, as fw_cfg hands them to the firmware: the structures in
 * "etc/smbios/smbios-tables" and the entry point in "etc/smbios/smbios-anchor". The
 * firmware chooses the address and writes address and checksums into the anchor.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef FIRMWARE_SMBIOS_H
#define FIRMWARE_SMBIOS_H

#include <stdbool.h>

#include "memory/types.h"

/* A connector (type 8), by the numbers of the specification's tables 7.9.2 and 7.9.3. */
typedef struct SMBIOSPort {
    const char *internal, *external; /* what is written on the board, and outside */
    uint8_t connector_type, port_type;
} SMBIOSPort;

/* What the tables say. Strings may be NULL: the structure then names none. */
typedef struct SMBIOSInfo {
    struct { /* type 0, only where present */
        bool present;
        const char *vendor, *version, *date;
        uint8_t release_major, release_minor;
        bool uefi;
    } bios;
    struct { /* type 1 */
        const char *manufacturer, *product, *version, *serial, *sku, *family;
        const uint8_t *uuid;  /* 16 bytes in RFC 4122 order, or NULL */
        bool uuid_big_endian; /* written in that order, as before the specification's 2.6
                               */
    } system;
    struct { /* type 2, only where present */
        bool present;
        const char *manufacturer, *product, *version, *serial, *asset, *location;
    } board;
    struct { /* type 3 */
        const char *manufacturer, *version, *serial, *asset, *sku;
    } chassis;
    struct { /* type 4, one a socket */
        const char *socket_prefix, *manufacturer, *version, *serial, *asset, *part;
        uint16_t max_speed, current_speed; /* MHz */
        uint32_t cpuid_eax, cpuid_edx;     /* of CPUID leaf 1 */
        unsigned sockets, cores, threads;  /* cores a socket, threads a core */
    } processor;
    const GArray *ports;               /* type 8: SMBIOSPort; or NULL */
    const char *const *oem_strings; /* type 11; NULL-terminated, or NULL */
    struct {                        /* type 17, one for each 16 GiB */
        const char *location_prefix, *bank, *manufacturer, *serial, *asset, *part;
        uint16_t speed; /* MT/s */
    } memory;
    GByteArray *extra;  /* whole structures of the user's, or NULL */
    uint64_t ram_size;  /* bytes */
    const GArray *e820; /* E820Entry; the RAM ranges become type 19 */
} SMBIOSInfo;

/* Fills in what QEMU says of a machine type for which the user says nothing: manufacturer
 * QEMU, `product`, and `version`, which is the machine type's name. The strings stay the
 * caller's. */
void smbios_info_init(SMBIOSInfo *info, const char *product, const char *version);

/* Whether the bytes are structures, whole, one after another. */
bool smbios_check_structures(const GByteArray *bytes);

/* Makes both; free with g_byte_array_unref(). */
void smbios_build(const SMBIOSInfo *info, GByteArray **tables, GByteArray **anchor);

#endif
