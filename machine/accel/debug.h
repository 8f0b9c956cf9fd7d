/*
 * Breakpoints, watchpoints and single steps, for whoever debugs the guest.
 *
 * They are the machine's: set while it stands, they hold for all vCPUs. What a vCPU meets
 * is told to one handler, and all vCPUs stand until accel_resume_all(). Nothing of this
 * costs the guest anything while none is set. Machine lock, and paused.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_ACCEL_DEBUG_H
#define MACHINE_ACCEL_DEBUG_H

#include "machine/accel/accel.h"

struct AccelVCPU;

typedef enum AccelBreakKind {
    ACCEL_BREAK_EXECUTE,
    ACCEL_BREAK_WRITE,
    ACCEL_BREAK_READ,
    ACCEL_BREAK_ACCESS, /* either */
} AccelBreakKind;

typedef struct AccelBreakpoint {
    AccelBreakKind kind;
    uint64_t address; /* linear: segment base and offset, before paging */
    uint64_t length;  /* bytes that are watched; of no meaning to ACCEL_BREAK_EXECUTE */
    bool hardware;    /* never by an instruction that is put into the guest's memory */
} AccelBreakpoint;

typedef struct AccelDebugStop {
    X86CPU *cpu;
    bool step; /* it was a step; else `breakpoint` was met */
    AccelBreakpoint breakpoint;
} AccelDebugStop;

/* Called in the vCPU's thread with the machine lock held; must only note and wake. */
typedef void (*AccelDebugHandler)(const AccelDebugStop *stop, void *opaque);
void accel_set_debug_handler(Accel *accel, AccelDebugHandler handler, void *opaque);

/* False and *error: the accelerator has no means left for it. One that is there already
 * is not set twice. */
bool accel_insert_breakpoint(Accel *accel, const AccelBreakpoint *breakpoint,
                             GError **error);
/* False: there is none like it. */
bool accel_remove_breakpoint(Accel *accel, const AccelBreakpoint *breakpoint);
void accel_remove_all_breakpoints(Accel *accel);

/* To be called before the guest goes on: `step` stops after one instruction (and takes no
 * interrupt before it); NULL: none does. No CPU stops at the instruction that it stands
 * at. */
void accel_prepare_to_continue(Accel *accel, X86CPU *step);
/* No CPU steps any more, whether it has or not. */
void accel_end_step(Accel *accel);

/* Puts back into `buffer`, which is guest memory from linear `address` on, what
 * breakpoints cover. */
void accel_hide_breakpoints(Accel *accel, uint64_t address, uint8_t *buffer,
                            size_t length);

/* -- For the accelerators ------------------------------------------------------------ */

/* In the vCPU's thread, without the machine lock: tells the handler, and asks all vCPUs
 * to stop. */
void accel_debug_stop(struct AccelVCPU *vcpu, const AccelBreakpoint *breakpoint);

#endif
