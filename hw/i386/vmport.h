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

typedef struct VMPort VMPort;

/* What the port's own commands tell. */
typedef struct VMPortFacts {
    /* The CPU whose access is running, or NULL; the function NULL: all reads give all
     * ones. */
    X86CPU *(*current_cpu)(void);
    uint64_t ram_size; /* bytes */
    uint8_t uuid[16];  /* in RFC 4122 order */
} VMPortFacts;

VMPort *vmport_new(ISABus *bus, const VMPortFacts *facts, GError **error);

/* A command's function gets the general registers (index X86_RAX ...), which it may
 * change, and returns EAX. */
#define VMPORT_COMMANDS 0x2c
typedef uint32_t (*VMPortCommand)(void *opaque, uint64_t gpr[16]);
void vmport_register(VMPort *vmport, unsigned number, VMPortCommand run, void *opaque);

/* "kvmvapic" at ports 0x7e and 0x7f of `io`. When the option ROM of that name announces
 * itself, `ram` shows under it in system_memory, writable whatever PAM says. `ram` starts
 * at guest address 0 and may still be without memory here. */
Device *kvmvapic_new(MemoryRegion *io, MemoryRegion *system_memory, MemoryRegion *ram,
                     GError **error);

#endif
