/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/char/telnet.h"

/* RFC 854: commands; RFC 856, 857, 858: options. */
enum {
    SE = 240,
    BREAK = 243,
    SB = 250,
    WILL = 251,
    DO = 253,
    DONT = 254,
    OPTION_BINARY = 0,
    OPTION_ECHO = 1,
    OPTION_SUPPRESS_GO_AHEAD = 3,
};

const char telnet_offer[TELNET_OFFER_LENGTH] = {
    (char)TELNET_IAC, (char)WILL, OPTION_ECHO,
    (char)TELNET_IAC, (char)WILL, OPTION_SUPPRESS_GO_AHEAD,
    (char)TELNET_IAC, (char)WILL, OPTION_BINARY,
    (char)TELNET_IAC, (char)DO,   OPTION_BINARY,
};

void telnet_start(TelnetState *state)
{
    *state = TELNET_DATA;
}

size_t telnet_decode(TelnetState *state, uint8_t *buffer, size_t length, bool *breaks)
{
    size_t kept = 0;

    for (size_t i = 0; i < length; i++) {
        uint8_t byte = buffer[i];

        switch (*state) {
        case TELNET_DATA:
            if (byte == TELNET_IAC) {
                *state = TELNET_COMMAND;
            } else {
                buffer[kept++] = byte;
            }
            break;
        case TELNET_COMMAND:
            *state = byte >= WILL && byte <= DONT ? TELNET_OPTION
                     : byte == SB                 ? TELNET_SUBNEGOTIATION
                                                  : TELNET_DATA;
            if (byte == TELNET_IAC) {
                buffer[kept++] = byte;
            } else if (byte == BREAK) {
                *breaks = true;
            }
            break;
        case TELNET_OPTION:
            *state = TELNET_DATA;
            break;
        case TELNET_SUBNEGOTIATION:
            *state = byte == TELNET_IAC ? TELNET_SUBNEGOTIATION_COMMAND : *state;
            break;
        case TELNET_SUBNEGOTIATION_COMMAND:
            *state = byte == SE ? TELNET_DATA : TELNET_SUBNEGOTIATION;
            break;
        }
    }
    return kept;
}
