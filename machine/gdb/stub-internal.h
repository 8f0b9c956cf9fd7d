/*
 * What the files of the GDB stub share.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_GDB_STUB_INTERNAL_H
#define MACHINE_GDB_STUB_INTERNAL_H

#include "hw/char/chardev.h"
#include "machine/accel/debug.h"
#include "machine/gdb/packet.h"
#include "machine/gdb/registers.h"
#include "machine/machine.h"

typedef struct GdbStub {
    Machine *machine;
    CharFrontend frontend;
    GdbReceiver receiver;
    GString *sent; /* the last packet, for a peer that got it broken; or NULL */

    bool connected;
    bool no_ack;    /* QStartNoAckMode */
    bool told_why;  /* the client wants swbreak and hwbreak in stop replies */
    bool physical;  /* memory addresses are physical (Qqemu.PhyMemMode) */
    bool ran;       /* the machine did when the client came */
    bool continued; /* the client waits for a stop reply */
    const GdbLayout *layout;
    X86CPU *cpu;         /* of register and memory packets (Hg) */
    X86CPU *run_cpu;     /* of steps (Hc) */
    AccelDebugStop stop; /* what a vCPU has met; cpu NULL: nothing */
    guint stop_source;
} GdbStub;

void gdb_reply(GdbStub *stub, const char *text);
void gdb_reply_bytes(GdbStub *stub, const char *body, size_t length);
void gdb_reply_stop(GdbStub *stub);
/* Lets the machine run until a stop reply; `step`: that CPU executes one instruction. */
void gdb_continue(GdbStub *stub, X86CPU *step);
void gdb_end_session(GdbStub *stub, bool run);

/* A packet of `length` bytes that a zero follows, answered with gdb_reply(). */
void gdb_run_packet(GdbStub *stub, const char *packet, size_t length);

#endif
