/*
 * The project's own guest programs, as they are built in: test firmware (`-bios` finds it
 * by name too) and boot sectors.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef FIRMWARE_GUEST_GUEST_H
#define FIRMWARE_GUEST_GUEST_H

#include "memory/types.h"

/* "reboot-sector.bin": the first sectors of a disk that boots; they read these bytes and a
 * word, all little-endian, from themselves. It writes "umbra: boot N", "umbra: reset"
 * (ctrl-alt-del: "umbra: waiting", and the keys are the user's to press), "umbra: no
 * reset" and "umbra: done" to the debug console at port 0x402. */
enum {
    REBOOT_SECTOR_MARK = 8, /* "UMBRAREB" */
    REBOOT_SECTOR_METHOD = 16, /* u8: enum RebootMethod */
    REBOOT_SECTOR_END = 17, /* u8: after the last boot 0: halt; 1: power off by ACPI, else
                               leave through the debug exit port 0x501 with value 0 */
    REBOOT_SECTOR_TIMES = 18, /* u16: boots wanted, the first one counted */
    REBOOT_SECTOR_HOLD = 20,  /* u8: 1: writes "umbra: ready" and waits, before it acts, until
                                 the byte is cleared in guest memory */
};

/* "reboot-kernel.elf" does the same for machines that start a kernel themselves, PVH's or
 * bhyve's: the numbers count from 8 bytes before its mark, wherever that is in the file. */
#define REBOOT_MARK "UMBRAREB"

#define REBOOT_SECTOR_ADDRESS 0x7c00 /* guest physical, where firmware loads it */

typedef enum RebootMethod {
    REBOOT_BY_BIOS, /* 0x1234 to 0x472, then a jump to f000:fff0, as Linux's reboot=bios
                     */
    REBOOT_BY_KBD,  /* 0xfe to the keyboard controller */
    REBOOT_BY_PCI,  /* 0xcf9 */
    REBOOT_BY_PORT92,
    REBOOT_BY_TRIPLE,
    REBOOT_BY_CTRL_ALT_DEL,
    REBOOT_BY_S3, /* no reboot: "umbra: suspend", sleeps in S3, and once woken "umbra:
                     resumed", or "umbra: memory changed" where RAM is not what it was */
} RebootMethod;

/* The image of that name ("pam-test.bin"), or NULL. Free with g_bytes_unref(). Any
 * thread. */
GBytes *firmware_guest_image(const char *name);

#endif
