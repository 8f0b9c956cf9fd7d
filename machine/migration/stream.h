/*
 * The migration stream, in QEMU's form: a magic number and version, the name of the
 * machine type, sections, an end, and a description of the sections in JSON.
 *
 * Live sections (here "ram" alone) come as a start, parts and an end; the others once, in
 * full. A section is a type byte, its number in this stream, at its start its name,
 * instance and version, its contents, and a footer that repeats the number.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_MIGRATION_STREAM_H
#define MACHINE_MIGRATION_STREAM_H

#include "machine/migration/ram.h"

#define STREAM_MAGIC 0x5145564du /* "QEVM" */
#define STREAM_VERSION 3
#define STREAM_VERSION_COMPAT 2 /* QEMU before 0.12.0; read by nobody */

enum {
    STREAM_EOF = 0x00,
    STREAM_SECTION_START = 0x01,
    STREAM_SECTION_PART = 0x02,
    STREAM_SECTION_END = 0x03,
    STREAM_SECTION_FULL = 0x04,
    STREAM_SUBSECTION = 0x05,
    STREAM_VMDESCRIPTION = 0x06,
    STREAM_CONFIGURATION = 0x07,
    STREAM_COMMAND = 0x08,
    STREAM_SECTION_FOOTER = 0x7e,
};

/* Commands: be16 number, be16 length, contents. */
enum {
    STREAM_CMD_OPEN_RETURN_PATH = 1,
    STREAM_CMD_PING = 2, /* be32, to be answered with a pong */
};

/* What goes back to the source where it asked for it: be16 number, be16 length,
 * contents. */
enum {
    STREAM_RP_SHUT = 1, /* be32: 0: the machine has arrived */
    STREAM_RP_PONG = 2, /* be32 of the ping */
};

/* What old machine types do without. */
typedef struct StreamFormat {
    bool configuration; /* the machine type's name */
    bool footers;
    bool description; /* the JSON at the end */
    const uint8_t *uuid; /* 16 bytes: the machine's, which the other's must be; or NULL */
    bool send_uuid;
} StreamFormat;

/* -- Out ------------------------------------------------------------------------- */

void stream_save_header(Wire *wire, const StreamFormat *format, const char *machine_type);

/* Asks the target to answer, and at the end waits until it says that the machine has
 * arrived. */
void stream_save_open_return_path(Wire *wire);
bool stream_wait_for_arrival(MigrationChannel *channel, GError **error);

/* The "ram" section: its start with ram_save_setup(), a part, its end. */
void stream_save_ram_start(Wire *wire, const StreamFormat *format, RamSave *ram);
bool stream_save_ram_part(Wire *wire, const StreamFormat *format, RamSave *ram,
                          uint64_t budget);
void stream_save_ram_end(Wire *wire, const StreamFormat *format, RamSave *ram);

/* All other sections, the stream's end and the description. False where a device cannot
 * be moved. The guest stands; machine lock. */
bool stream_save_devices(Wire *wire, const StreamFormat *format);

/* -- In -------------------------------------------------------------------------- */

/* Reads a whole stream into the machine, of type `machine_type`, which stands. The
 * machine lock is held while devices load, and not while RAM does: the caller must not
 * have it. `channel`: where answers go, if the source wants any; or NULL. False: the
 * machine is neither the old nor the new one; wire_error() says why, and at which byte.
 */
bool stream_load(Wire *wire, const StreamFormat *format, const char *machine_type,
                 MigrationChannel *channel);

#endif
