/*
 * vmport: VMware's backdoor port 0x5658, and kvmvapic's port 0x7e.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_I386_VMPORT_H
#define HW_I386_VMPORT_H

#include "hw/i386/x86-cpu.h"
#include "hw/isa/isa-bus.h"

GType vmport_get_type(void);
GType kvmvapic_get_type(void);
#define TYPE_VMPORT (vmport_get_type())
#define TYPE_KVMVAPIC (kvmvapic_get_type())

/* The port on `bus`. `current_cpu` (may be NULL: every read gives all ones) returns the
 * CPU whose access is running, or NULL. */
Device *vmport_new(ISABus *bus, X86CPU *(*current_cpu)(void), GError **error);

/* "kvmvapic" at ports 0x7e and 0x7f of `io`. When the option ROM of that name announces
 * itself, `ram` shows under it in system_memory, writable whatever PAM says. `ram` starts
 * at guest address 0 and may still be without memory here. */
Device *kvmvapic_new(MemoryRegion *io, MemoryRegion *system_memory, MemoryRegion *ram,
                     GError **error);

#endif
