/*
 * Kernels that are booted straight from the host (-kernel): how they are taken apart and
 * where their pieces go. An option ROM in the guest fetches the pieces through fw_cfg
 * items 0x07 to 0x18 and jumps; these files know nothing of it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef FIRMWARE_KERNEL_BOOT_H
#define FIRMWARE_KERNEL_BOOT_H

#include "memory/types.h"

/* An initial RAM disk, or a Multiboot module and the words it was named with. */
typedef struct KernelModule {
    char *text;
    GBytes *bytes;
} KernelModule;

/* What the user gives. Nothing is kept. */
typedef struct KernelSource {
    const char *name; /* the file's, for messages and Multiboot's command line */
    GBytes *image;
    const char *cmdline; /* -append, or "" */
    const KernelModule *modules;
    size_t module_count;
    uint64_t ram_end; /* bytes of RAM from guest address 0 on, below 4 GiB */
} KernelSource;

/* Bytes and the guest physical address to put them; absent while `bytes` is NULL. */
typedef struct KernelPiece {
    uint32_t address;
    GBytes *bytes;
} KernelPiece;

typedef struct KernelBoot {
    const char *rom; /* the option ROM without its ending: "linuxboot", "multiboot" */
    uint32_t entry;  /* Multiboot: where to jump, in 32-bit protected mode */
    KernelPiece kernel;
    KernelPiece initrd;  /* Multiboot: the information structure */
    KernelPiece cmdline; /* Linux; with its NUL */
    KernelPiece setup;   /* Linux; its boot sector and real-mode code */
} KernelBoot;

/* Whether the image has the mark of Linux' boot protocol, or a Multiboot 1 header. */
bool linux_boot_probe(GBytes *image);
bool multiboot_probe(GBytes *image);

/*
 * Checks the image against its format and the machine's RAM, and fills in *boot (clear it
 * afterwards, also on failure). False and *error, one sentence without the file's name,
 * where it is truncated or contradicts itself, or a piece has no room. Needs no lock.
 *
 * Linux: Documentation/arch/x86/boot.rst, protocols 2.00 to 2.15, bzImage and zImage.
 * Multiboot: the Multiboot Specification 0.6.96, with addresses or as 32-bit ELF.
 */
bool linux_boot_prepare(KernelBoot *boot, const KernelSource *source, GError **error);
bool multiboot_prepare(KernelBoot *boot, const KernelSource *source, GError **error);

void kernel_boot_clear(KernelBoot *boot);

/* For the loaders: sets *error (G_IO_ERROR_INVALID_DATA, printf style); returns false. */
bool kernel_fail(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* At the top of RAM lie the tables that the firmware makes; loaders keep below. */
#define KERNEL_BOOT_TABLES KiB(128)

static inline uint16_t kernel_get16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static inline uint32_t kernel_get32(const uint8_t *bytes)
{
    return kernel_get16(bytes) | (uint32_t)kernel_get16(bytes + 2) << 16;
}

static inline void kernel_put16(uint8_t *bytes, uint16_t value)
{
    bytes[0] = (uint8_t)value;
    bytes[1] = (uint8_t)(value >> 8);
}

static inline void kernel_put32(uint8_t *bytes, uint32_t value)
{
    kernel_put16(bytes, (uint16_t)value);
    kernel_put16(bytes + 2, (uint16_t)(value >> 16));
}

#endif
