/*
 * AML, ACPI's machine language (ACPI 2.0, chapter 17), written piece by piece: what
 * depends on the machine and so cannot be compiled from ASL beforehand.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef FIRMWARE_ACPI_AML_H
#define FIRMWARE_ACPI_AML_H

#include "memory/types.h"

/* Opcodes; AML_EXT_* have the prefix 0x5b. */
enum {
    AML_NAME = 0x08,
    AML_STRING_PREFIX = 0x0d,
    AML_SCOPE = 0x10,
    AML_BUFFER = 0x11,
    AML_PACKAGE = 0x12,
    AML_METHOD = 0x14,
    AML_LOCAL0 = 0x60,
    AML_ARG0 = 0x68,
    AML_ARG1 = 0x69,
    AML_STORE = 0x70,
    AML_AND = 0x7b,
    AML_SHIFT_RIGHT = 0x7a,
    AML_NOTIFY = 0x86,
    AML_EQUAL = 0x93,
    AML_IF = 0xa0,
    AML_WHILE = 0xa2,
    AML_RETURN = 0xa4,
    AML_EXT_DEVICE = 0x5b82,
    AML_EXT_PROCESSOR = 0x5b83,
};

#define AML_SERIALIZED 8 /* a method's flag; bits 2-0 are its number of arguments */

void aml_byte(GByteArray *aml, uint8_t byte);
void aml_op(GByteArray *aml, unsigned opcode);

/* A path as in ASL ("\\_SB.PCI0", "KBD"); segments of one to four letters. */
void aml_path(GByteArray *aml, const char *path);
void aml_integer(GByteArray *aml, uint64_t value);
void aml_string(GByteArray *aml, const char *text);

/* An object with a length: its opcode now, the length when it is closed. What
 * aml_open() returns is what aml_close() wants. */
guint aml_open(GByteArray *aml, unsigned opcode);
void aml_close(GByteArray *aml, guint start);

/* The same for those that have a name. */
guint aml_open_named(GByteArray *aml, unsigned opcode, const char *path);
guint aml_open_method(GByteArray *aml, const char *path, uint8_t flags);

/* Name (path, value) */
void aml_name_integer(GByteArray *aml, const char *path, uint64_t value);
void aml_name_string(GByteArray *aml, const char *path, const char *text);
void aml_name_eisa_id(GByteArray *aml, const char *path, const char *id); /* "PNP0303" */
void aml_name_bytes(GByteArray *aml, const char *path, const uint8_t *data,
                    size_t length);
/* Name (path, Package () {...}) of small integers. */
void aml_name_package(GByteArray *aml, const char *path, const uint8_t *values,
                      uint8_t n);

/* -- Resource templates (section 6.4) --------------------------------------------- */

typedef enum AMLSpace {
    AML_SPACE_MEMORY,
    AML_SPACE_MEMORY_CACHEABLE,
    AML_SPACE_IO,
    AML_SPACE_BUS,
} AMLSpace;

/* `template` is a GByteArray of its own. Ports decode 16 bits. */
void aml_resource_io(GByteArray *template, uint16_t base, uint8_t alignment,
                     uint8_t length);
void aml_resource_irq(GByteArray *template, unsigned irq);
void aml_resource_dma(GByteArray *template, unsigned channel); /* 8 bits, compatible */
/* A range that a bridge passes on, [first, last], in a descriptor of 16, 32 or
 * 64 bits. */
void aml_resource_window(GByteArray *template, AMLSpace space, unsigned bits,
                         uint64_t first, uint64_t last);

/* Name (_CRS, template), with the end tag; takes the template over. */
void aml_name_resources(GByteArray *aml, GByteArray *template);

#endif
