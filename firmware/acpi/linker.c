/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "firmware/acpi/linker.h"

/* The commands are QEMU's: SeaBIOS (romfile_loader.h) and OVMF carry them out. */
enum {
    COMMAND_ALLOCATE = 1,
    COMMAND_ADD_POINTER = 2,
    COMMAND_ADD_CHECKSUM = 3,
    COMMAND_WRITE_POINTER = 4,
};

#define FILE_NAME_SIZE 56

typedef struct LinkerCommand {
    uint32_t command;
    union {
        struct {
            char file[FILE_NAME_SIZE];
            uint32_t alignment;
            uint8_t zone;
        } __attribute__((packed)) allocate;
        struct {
            char file[FILE_NAME_SIZE];
            char target[FILE_NAME_SIZE];
            uint32_t offset;
            uint8_t size;
        } __attribute__((packed)) pointer;
        struct {
            char file[FILE_NAME_SIZE];
            uint32_t offset, start, length;
        } __attribute__((packed)) checksum;
        struct {
            char file[FILE_NAME_SIZE];
            char target[FILE_NAME_SIZE];
            uint32_t offset, target_offset;
            uint8_t size;
        } __attribute__((packed)) written;
        uint8_t size_of_all[124];
    };
} __attribute__((packed)) LinkerCommand;

G_STATIC_ASSERT(sizeof(LinkerCommand) == 128);

static void append(GByteArray *script, uint32_t kind, LinkerCommand *command)
{
    command->command = GUINT32_TO_LE(kind);
    g_byte_array_append(script, (const uint8_t *)command, sizeof(*command));
}

void linker_allocate(GByteArray *script, const char *file, uint32_t alignment,
                     LinkerZone zone)
{
    LinkerCommand command = {0};

    g_strlcpy(command.allocate.file, file, FILE_NAME_SIZE);
    command.allocate.alignment = GUINT32_TO_LE(alignment);
    command.allocate.zone = (uint8_t)zone;
    append(script, COMMAND_ALLOCATE, &command);
}

void linker_add_pointer(GByteArray *script, const char *file, const char *target,
                        uint32_t offset, uint8_t size)
{
    LinkerCommand command = {0};

    g_strlcpy(command.pointer.file, file, FILE_NAME_SIZE);
    g_strlcpy(command.pointer.target, target, FILE_NAME_SIZE);
    command.pointer.offset = GUINT32_TO_LE(offset);
    command.pointer.size = size;
    append(script, COMMAND_ADD_POINTER, &command);
}

void linker_add_checksum(GByteArray *script, const char *file, uint32_t offset,
                         uint32_t start, uint32_t length)
{
    LinkerCommand command = {0};

    g_strlcpy(command.checksum.file, file, FILE_NAME_SIZE);
    command.checksum.offset = GUINT32_TO_LE(offset);
    command.checksum.start = GUINT32_TO_LE(start);
    command.checksum.length = GUINT32_TO_LE(length);
    append(script, COMMAND_ADD_CHECKSUM, &command);
}

void linker_write_pointer(GByteArray *script, const char *file, const char *target,
                          uint32_t offset, uint32_t target_offset, uint8_t size)
{
    LinkerCommand command = {0};

    g_strlcpy(command.written.file, file, FILE_NAME_SIZE);
    g_strlcpy(command.written.target, target, FILE_NAME_SIZE);
    command.written.offset = GUINT32_TO_LE(offset);
    command.written.target_offset = GUINT32_TO_LE(target_offset);
    command.written.size = size;
    append(script, COMMAND_WRITE_POINTER, &command);
}
