/*
 * PAM: the Programmable Attribute Map of the 82441FX (data sheet section 3.2.18).
 *
 * Thirteen windows of the first megabyte say each for itself whether reads and whether
 * writes go to DRAM or to PCI. Shadowing a BIOS is a walk through their four modes.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_PCI_PAM_H
#define HW_PCI_PAM_H

#include "memory/region.h"

#define PAM_WINDOWS 13
#define PAM_REGISTERS 7
#define PAM_REGISTER_FIRST 0x59
#define PAM_REGISTER_LAST (PAM_REGISTER_FIRST + PAM_REGISTERS - 1)

/* The two attribute bits of a window: bit 0 reads DRAM, bit 1 writes DRAM. */
typedef enum PAMMode {
    PAM_MODE_PCI = 0,
    PAM_MODE_READ_ONLY = 1,
    PAM_MODE_WRITE_ONLY =
        2, /* reads from PCI, writes to DRAM: how a BIOS shadows itself */
    PAM_MODE_READ_WRITE = 3,
    PAM_MODES
} PAMMode;

typedef struct PAMWindow {
    hwaddr base;   /* guest physical */
    uint64_t size; /* bytes */
    PAMMode mode;
    MemoryRegion regions[PAM_MODES]; /* one is enabled */
} PAMWindow;

/* Windows in ascending order of address: 0 is 0xc0000, 12 is 0xf0000. */
typedef struct PAM {
    PAMWindow windows[PAM_WINDOWS];
    uint8_t registers[PAM_REGISTERS];
} PAM;

/* Puts the windows at priority 1 into `system`, all in mode 0. exact: mode 2 is as the
 * data sheet says; otherwise reads and writes both go to DRAM in mode 2, as QEMU has it.
 */
void pam_init(PAM *pam, GObject *owner, MemoryRegion *ram, MemoryRegion *system,
              MemoryRegion *pci, bool exact);
void pam_destroy(PAM *pam, MemoryRegion *system);

/* Takes new values of all seven registers, in one transaction that touches only the
 * windows whose mode changes. */
void pam_set_registers(PAM *pam, const uint8_t registers[PAM_REGISTERS]);

/* Which register (0x59-0x5f) and which shift in it a window's attributes have. */
unsigned pam_window_register(unsigned window);
unsigned pam_window_shift(unsigned window);

static inline PAMMode pam_window_mode(const PAM *pam, unsigned window)
{
    return pam->windows[window].mode;
}

/* Called for each register that changes, after the guest sees it; NULL: nobody watches.
 * One watcher per process. */
typedef void (*PAMTrace)(unsigned reg, uint8_t old_value, uint8_t new_value,
                         void *opaque);
void pam_set_trace(PAMTrace trace, void *opaque);

#endif
