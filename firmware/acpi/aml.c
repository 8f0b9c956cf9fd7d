/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "firmware/acpi/aml.h"

#include <string.h>

enum {
    BYTE_PREFIX = 0x0a,
    WORD_PREFIX = 0x0b,
    DWORD_PREFIX = 0x0c,
    QWORD_PREFIX = 0x0e,
    DUAL_NAME_PREFIX = 0x2e,
    MULTI_NAME_PREFIX = 0x2f,
};

static void little_endian(GByteArray *aml, uint64_t value, unsigned bytes)
{
    value = GUINT64_TO_LE(value);
    g_byte_array_append(aml, (const uint8_t *)&value, bytes);
}

void aml_byte(GByteArray *aml, uint8_t byte)
{
    g_byte_array_append(aml, &byte, 1);
}

void aml_op(GByteArray *aml, unsigned opcode)
{
    if (opcode > 0xff) {
        aml_byte(aml, (uint8_t)(opcode >> 8));
    }
    aml_byte(aml, (uint8_t)opcode);
}

void aml_path(GByteArray *aml, const char *path)
{
    unsigned segments = 1;

    if (*path == '\\') {
        aml_byte(aml, (uint8_t)*path++);
    }
    for (const char *dot = path; (dot = strchr(dot, '.')); dot++) {
        segments++;
    }
    if (segments == 2) {
        aml_byte(aml, DUAL_NAME_PREFIX);
    } else if (segments > 2) {
        aml_byte(aml, MULTI_NAME_PREFIX);
        aml_byte(aml, (uint8_t)segments);
    }
    for (; segments; segments--) {
        uint8_t padded[] = {'_', '_', '_', '_'};
        size_t length = strcspn(path, ".");

        memcpy(padded, path, MIN(length, sizeof(padded)));
        g_byte_array_append(aml, padded, sizeof(padded));
        path += length + 1;
    }
}

void aml_integer(GByteArray *aml, uint64_t value)
{
    static const struct {
        uint64_t max;
        uint8_t prefix, bytes;
    } sizes[] = {
        {UINT8_MAX, BYTE_PREFIX, 1},
        {UINT16_MAX, WORD_PREFIX, 2},
        {UINT32_MAX, DWORD_PREFIX, 4},
        {UINT64_MAX, QWORD_PREFIX, 8},
    };
    unsigned i = 0;

    if (value <= 1) { /* ZeroOp, OneOp */
        aml_byte(aml, (uint8_t)value);
        return;
    }
    while (value > sizes[i].max) {
        i++;
    }
    aml_byte(aml, sizes[i].prefix);
    little_endian(aml, value, sizes[i].bytes);
}

void aml_string(GByteArray *aml, const char *text)
{
    aml_byte(aml, AML_STRING_PREFIX);
    g_byte_array_append(aml, (const uint8_t *)text, (guint)strlen(text) + 1);
}

guint aml_open(GByteArray *aml, unsigned opcode)
{
    aml_op(aml, opcode);
    return aml->len;
}

/* PkgLength (section 17.2.4) counts itself: bits 7-6 of its first byte say how many bytes
 * follow; alone it has six bits, else four and eight more with each byte. */
void aml_close(GByteArray *aml, guint start)
{
    guint body = aml->len - start;
    uint8_t encoded[4];
    unsigned bytes = 1;

    while (body + bytes >= (bytes == 1 ? 1u << 6 : 1u << (8 * bytes - 4))) {
        bytes++;
    }
    body += bytes;
    if (bytes == 1) {
        encoded[0] = (uint8_t)body;
    } else {
        encoded[0] = (uint8_t)((bytes - 1) << 6 | (body & 0xf));
        for (unsigned i = 1; i < bytes; i++) {
            encoded[i] = (uint8_t)(body >> (8 * i - 4));
        }
    }
    g_byte_array_set_size(aml, aml->len + bytes);
    memmove(aml->data + start + bytes, aml->data + start, body - bytes);
    memcpy(aml->data + start, encoded, bytes);
}

guint aml_open_named(GByteArray *aml, unsigned opcode, const char *path)
{
    guint start = aml_open(aml, opcode);

    aml_path(aml, path);
    return start;
}

guint aml_open_method(GByteArray *aml, const char *path, uint8_t flags)
{
    guint start = aml_open_named(aml, AML_METHOD, path);

    aml_byte(aml, flags);
    return start;
}

static void open_name(GByteArray *aml, const char *path)
{
    aml_op(aml, AML_NAME);
    aml_path(aml, path);
}

void aml_name_integer(GByteArray *aml, const char *path, uint64_t value)
{
    open_name(aml, path);
    aml_integer(aml, value);
}

void aml_name_string(GByteArray *aml, const char *path, const char *text)
{
    open_name(aml, path);
    aml_string(aml, text);
}

/* Three letters of five bits and four hexadecimal digits, big-endian (section 6.1.4). */
void aml_name_eisa_id(GByteArray *aml, const char *path, const char *id)
{
    uint32_t value = (uint32_t)strtoul(id + 3, NULL, 16);

    for (unsigned i = 0; i < 3; i++) {
        value |= (uint32_t)(id[i] - '@') << (26 - 5 * i);
    }
    aml_name_integer(aml, path, GUINT32_SWAP_LE_BE(value));
}

void aml_name_bytes(GByteArray *aml, const char *path, const uint8_t *data, size_t length)
{
    guint buffer;

    open_name(aml, path);
    buffer = aml_open(aml, AML_BUFFER);
    aml_integer(aml, length);
    g_byte_array_append(aml, data, (guint)length);
    aml_close(aml, buffer);
}

void aml_name_package(GByteArray *aml, const char *path, const uint8_t *values, uint8_t n)
{
    guint package;

    open_name(aml, path);
    package = aml_open(aml, AML_PACKAGE);
    aml_byte(aml, n);
    for (unsigned i = 0; i < n; i++) {
        aml_integer(aml, values[i]);
    }
    aml_close(aml, package);
}

/* -- Resource templates ----------------------------------------------------------- */

void aml_resource_io(GByteArray *template, uint16_t base, uint8_t alignment,
                     uint8_t length)
{
    const uint8_t descriptor[] = {
        0x47,          1,
        (uint8_t)base, (uint8_t)(base >> 8),
        (uint8_t)base, (uint8_t)(base >> 8),
        alignment,     length,
    };

    g_byte_array_append(template, descriptor, sizeof(descriptor));
}

void aml_resource_irq(GByteArray *template, unsigned irq)
{
    aml_byte(template, 0x22);
    little_endian(template, UINT64_C(1) << irq, 2);
}

void aml_resource_dma(GByteArray *template, unsigned channel)
{
    aml_byte(template, 0x2a);
    aml_byte(template, (uint8_t)(1u << channel));
    aml_byte(template, 0);
}

/* Word, DWord and QWord address space descriptors (section 6.4.3.5). */
void aml_resource_window(GByteArray *template, AMLSpace space, unsigned bits,
                         uint64_t first, uint64_t last)
{
    static const uint8_t types[] = {
        [AML_SPACE_MEMORY] = 0,
        [AML_SPACE_MEMORY_CACHEABLE] = 0,
        [AML_SPACE_IO] = 1,
        [AML_SPACE_BUS] = 2,
    };
    static const uint8_t type_flags[] = {
        [AML_SPACE_MEMORY] = 1,           /* read and write */
        [AML_SPACE_MEMORY_CACHEABLE] = 3, /* cacheable, read and write */
        [AML_SPACE_IO] = 3,               /* the entire range, not only ISA's part */
        [AML_SPACE_BUS] = 0,
    };
    uint8_t tag = bits == 16 ? 0x88 : bits == 32 ? 0x87 : 0x8a;
    unsigned bytes = bits / 8;

    aml_byte(template, tag);
    little_endian(template, 3 + 5 * bytes, 2);
    aml_byte(template, types[space]);
    aml_byte(template, 0x0c); /* produced, decoded positively, both ends are fixed */
    aml_byte(template, type_flags[space]);
    little_endian(template, 0, bytes); /* granularity */
    little_endian(template, first, bytes);
    little_endian(template, last, bytes);
    little_endian(template, 0, bytes); /* translation */
    little_endian(template, last - first + 1, bytes);
}

void aml_name_resources(GByteArray *aml, GByteArray *template)
{
    aml_byte(template, 0x79);
    aml_byte(template, 0); /* no checksum */
    aml_name_bytes(aml, "_CRS", template->data, template->len);
    g_byte_array_unref(template);
}
