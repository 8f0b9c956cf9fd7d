/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/gdb/packet.h"

#include <string.h>

#define INTERRUPT 0x03
#define ESCAPE '}'
#define ESCAPE_XOR 0x20

void gdb_receiver_init(GdbReceiver *receiver)
{
    *receiver = (GdbReceiver){.body = g_string_new(NULL)};
}

void gdb_receiver_reset(GdbReceiver *receiver)
{
    receiver->state = GDB_IDLE;
    g_string_truncate(receiver->body, 0);
}

static void start(GdbReceiver *receiver)
{
    g_string_truncate(receiver->body, 0);
    receiver->state = GDB_BODY;
    receiver->too_long = false;
    receiver->sum = 0;
}

static void add(GdbReceiver *receiver, char byte)
{
    if (receiver->body->len < GDB_PACKET_MAX) {
        g_string_append_c(receiver->body, byte);
    } else {
        receiver->too_long = true;
    }
}

static GdbInput idle_byte(GdbReceiver *receiver, uint8_t byte)
{
    switch (byte) {
    case '$':
        start(receiver);
        return GDB_INPUT_NONE;
    case '-':
        return GDB_INPUT_RESEND;
    case INTERRUPT:
        return GDB_INPUT_INTERRUPT;
    default: /* '+', and noise */
        return GDB_INPUT_NONE;
    }
}

static GdbInput body_byte(GdbReceiver *receiver, uint8_t byte)
{
    if (byte == '#') {
        receiver->state = GDB_SUM_HIGH;
    } else if (byte == '$') {
        start(receiver); /* the rest of the one before was lost */
    } else {
        receiver->sum += byte;
        if (byte == ESCAPE) {
            receiver->state = GDB_ESCAPED;
        } else {
            add(receiver, (char)byte);
        }
    }
    return GDB_INPUT_NONE;
}

GdbInput gdb_receiver_byte(GdbReceiver *receiver, uint8_t byte)
{
    int digit = g_ascii_xdigit_value((char)byte);

    switch (receiver->state) {
    case GDB_BODY:
        return body_byte(receiver, byte);
    case GDB_ESCAPED:
        receiver->sum += byte;
        add(receiver, (char)(byte ^ ESCAPE_XOR));
        receiver->state = GDB_BODY;
        return GDB_INPUT_NONE;
    case GDB_SUM_HIGH:
        receiver->given = digit < 0 ? -1 : digit << 4;
        receiver->state = GDB_SUM_LOW;
        return GDB_INPUT_NONE;
    case GDB_SUM_LOW:
        receiver->state = GDB_IDLE;
        if (digit < 0 || receiver->given < 0 ||
            (receiver->given | digit) != receiver->sum) {
            return GDB_INPUT_BROKEN;
        }
        return receiver->too_long ? GDB_INPUT_TOO_LONG : GDB_INPUT_PACKET;
    default:
        return idle_byte(receiver, byte);
    }
}

GString *gdb_packet_new(const char *body, size_t length)
{
    GString *packet = g_string_sized_new(length + 4);
    uint8_t sum = 0;

    g_string_append_c(packet, '$');
    for (size_t i = 0; i < length; i++) {
        /* '*' would start a run length. */
        if (strchr("#$}*", body[i]) && body[i]) {
            g_string_append_c(packet, ESCAPE);
            g_string_append_c(packet, (char)(body[i] ^ ESCAPE_XOR));
        } else {
            g_string_append_c(packet, body[i]);
        }
    }
    for (size_t i = 1; i < packet->len; i++) {
        sum += (uint8_t)packet->str[i];
    }
    g_string_append_printf(packet, "#%02x", sum);
    return packet;
}

void gdb_append_hex(GString *out, const void *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        g_string_append_printf(out, "%02x", ((const uint8_t *)bytes)[i]);
    }
}

bool gdb_parse_hex(const char *text, uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        int high = g_ascii_xdigit_value(text[2 * i]);
        int low = high < 0 ? -1 : g_ascii_xdigit_value(text[2 * i + 1]);

        if (low < 0) {
            return false;
        }
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

bool gdb_parse_number(const char **text, uint64_t *value)
{
    const char *start = *text;

    *value = 0;
    for (; g_ascii_isxdigit(**text) && *text - start < 16; (*text)++) {
        *value = *value << 4 | (uint64_t)g_ascii_xdigit_value(**text);
    }
    return *text > start;
}
