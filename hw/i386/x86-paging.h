/*
 * Page tables as a debugger reads them: from virtual to physical addresses without a
 * trace in the guest (no accessed bits, no faults).
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_I386_X86_PAGING_H
#define HW_I386_X86_PAGING_H

#include "hw/i386/x86-cpu.h"

/* The guest physical address behind `address` by the CPU's registers, which are current
 * (the CPU is paused), and in *page_left how many bytes of the page follow it. False:
 * nothing is mapped there. Machine lock. */
bool x86_translate(X86CPU *cpu, uint64_t address, hwaddr *physical, uint64_t *page_left);

#endif
