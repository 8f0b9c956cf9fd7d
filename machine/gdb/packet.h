/*
 * Packets of the GDB remote protocol ("Overview" and "Packet Acknowledgment" of GDB's
 * manual, appendix E): $BODY#SUM, where a byte of the body after '}' is xored with 0x20.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_GDB_PACKET_H
#define MACHINE_GDB_PACKET_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Bytes of a body; what the stub says of itself as PacketSize. */
#define GDB_PACKET_MAX 0x4000

typedef enum GdbInput {
    GDB_INPUT_NONE,      /* nothing yet */
    GDB_INPUT_PACKET,    /* receiver->body is one */
    GDB_INPUT_TOO_LONG,  /* it was one of more than GDB_PACKET_MAX */
    GDB_INPUT_BROKEN,    /* its sum is wrong: wants to be sent again */
    GDB_INPUT_RESEND,    /* the peer got ours broken */
    GDB_INPUT_INTERRUPT, /* Ctrl-C */
} GdbInput;

typedef struct GdbReceiver {
    enum { GDB_IDLE, GDB_BODY, GDB_ESCAPED, GDB_SUM_HIGH, GDB_SUM_LOW } state;
    GString *body; /* may hold zero bytes */
    bool too_long;
    uint8_t sum;
    int given; /* the sum that the packet gives; -1: it is no number */
} GdbReceiver;

void gdb_receiver_init(GdbReceiver *receiver);
void gdb_receiver_reset(GdbReceiver *receiver); /* for the next peer */
GdbInput gdb_receiver_byte(GdbReceiver *receiver, uint8_t byte);

/* A body as a packet; free it. */
GString *gdb_packet_new(const char *body, size_t length);

/* Bytes as hexadecimal digits, appended, and back: false where `text` has too few. */
void gdb_append_hex(GString *out, const void *bytes, size_t length);
bool gdb_parse_hex(const char *text, uint8_t *bytes, size_t length);

/* A hexadecimal number at *text, which moves behind it. False: there is none. */
bool gdb_parse_number(const char **text, uint64_t *value);

#endif
