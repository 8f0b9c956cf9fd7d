/*
 * memsave and pmemsave: guest memory into a file of the host's.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_MONITOR_SAVE_MEMORY_H
#define MACHINE_MONITOR_SAVE_MEMORY_H

#include "hw/i386/x86-cpu.h"

/* Reads `length` bytes at a virtual address of `cpu`, whose registers are current, or at
 * a guest physical one of `as` when cpu is NULL. False: a part of it is not there. */
bool monitor_read_memory(X86CPU *cpu, AddressSpace *as, uint64_t address, void *buffer,
                         uint64_t length);

/* Writes it to `filename`, which is created or emptied. As QEMU, a physical address where
 * nothing answers reads as the bus does, and a virtual one is an error. */
bool monitor_save_memory(X86CPU *cpu, AddressSpace *as, uint64_t address, uint64_t length,
                         const char *filename, GError **error);

#endif
