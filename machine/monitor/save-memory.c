/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/monitor/save-memory.h"

#include <errno.h>
#include <gio/gio.h>
#include <inttypes.h>
#include <stdio.h>

#include "hw/i386/x86-paging.h"
#include "memory/access.h"

#define CHUNK 65536

bool monitor_read_memory(X86CPU *cpu, AddressSpace *as, uint64_t address, void *buffer,
                         uint64_t length)
{
    uint8_t *bytes = buffer;

    while (cpu && length) {
        hwaddr physical;
        uint64_t part;

        if (!x86_translate(cpu, address, &physical, &part)) {
            return false;
        }
        part = MIN(part, length);
        if (address_space_read(cpu->memory, physical, MEMTXATTRS_UNSPECIFIED, bytes,
                               part)) {
            return false;
        }
        address += part;
        bytes += part;
        length -= part;
    }
    return cpu ||
           (address + length - 1 >= address &&
            !address_space_read(as, address, MEMTXATTRS_UNSPECIFIED, buffer, length));
}

bool monitor_save_memory(X86CPU *cpu, AddressSpace *as, uint64_t address, uint64_t length,
                         const char *filename, GError **error)
{
    uint64_t start = address, size = length;
    g_autofree uint8_t *buffer = g_malloc(CHUNK);
    FILE *file = fopen(filename, "wbe");

    if (!file) {
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno),
                    "Could not open '%s': %s", filename, g_strerror(errno));
        return false;
    }
    while (length) {
        uint64_t part = MIN(length, CHUNK);

        if (!monitor_read_memory(cpu, as, address, buffer, part) && cpu) {
            g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                        "Invalid addr 0x%016" PRIx64 "/size %" PRIu64 " specified", start,
                        size);
            fclose(file);
            return false;
        }
        if (fwrite(buffer, 1, part, file) != part) {
            break;
        }
        address += part;
        length -= part;
    }
    if (length || fclose(file) != 0) {
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno),
                    "writing memory to '%s' failed: %s", filename, g_strerror(errno));
        if (length) {
            fclose(file);
        }
        return false;
    }
    return true;
}
