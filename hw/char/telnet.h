/*
 * The part of the telnet protocol (RFC 854, 857, 858) that a serial line over telnet
 * needs: ask the client for single characters without its own echo, and take its commands
 * out of the stream.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_CHAR_TELNET_H
#define HW_CHAR_TELNET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TELNET_IAC 255
#define TELNET_OFFER_LENGTH 12

/* IAC WILL ECHO, IAC WILL SUPPRESS-GO-AHEAD, IAC WILL BINARY, IAC DO BINARY. */
extern const char telnet_offer[TELNET_OFFER_LENGTH];

typedef enum TelnetState {
    TELNET_DATA,
    TELNET_COMMAND,        /* after IAC */
    TELNET_OPTION,         /* after IAC WILL, WONT, DO or DONT */
    TELNET_SUBNEGOTIATION, /* until IAC SE */
    TELNET_SUBNEGOTIATION_COMMAND,
} TelnetState;

void telnet_start(TelnetState *state);

/* Takes commands out of the buffer, in place; returns how many bytes of data are left.
 * *breaks becomes true when BREAK was among them. Commands may span calls. */
size_t telnet_decode(TelnetState *state, uint8_t *buffer, size_t length, bool *breaks);

#endif
