/*
 * The processor's registers as GDB numbers and sizes them, and the target description
 * that tells it so ("Target Descriptions" of GDB's manual, appendix G).
 *
 * GDB cannot follow a processor from one word size to another, so a client gets the
 * layout of the mode in which it finds the CPU: i8086, i386 or i386:x86-64. The former
 * two differ in how GDB disassembles alone.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_GDB_REGISTERS_H
#define MACHINE_GDB_REGISTERS_H

#include "hw/i386/x86-cpu.h"

typedef enum GdbRegisterKind {
    GDB_GENERAL,
    GDB_RIP,
    GDB_FLAGS,
    GDB_SELECTOR,
    GDB_ST,          /* as the stack goes */
    GDB_FPU_CONTROL, /* fctrl fstat ftag, and five that are not kept */
    GDB_XMM,
    GDB_MXCSR,
    GDB_BASE, /* of a segment */
    GDB_CR,
    GDB_EFER,
} GdbRegisterKind;

typedef struct GdbRegister {
    const char *name;
    const char *type; /* in the target description */
    GdbRegisterKind kind;
    uint8_t index;
    uint8_t bytes;
} GdbRegister;

/* Registers that a description's <feature> has; its members follow each other. */
typedef struct GdbFeature {
    const char *name;
    const char *types; /* XML that defines those of its own; or NULL */
    unsigned count;
} GdbFeature;

typedef struct GdbLayout {
    const char *architecture;
    const GdbFeature *features; /* ended by a NULL name */
    const GdbRegister *registers;
    unsigned count;
    unsigned general; /* those of a `g` packet: the others are asked for one by one */
} GdbLayout;

/* By the CPU's present mode. */
const GdbLayout *gdb_layout_for(const X86CPU *cpu);

/* Appends a register's value, in guest byte order, as hexadecimal digits. */
void gdb_register_read(const X86CPU *cpu, const GdbRegister *reg, GString *out);

/* Sets cpu->registers from `bytes`; false: it cannot be set to that. The caller hands the
 * registers to the accelerator. */
bool gdb_register_write(X86CPU *cpu, const GdbRegister *reg, const uint8_t *bytes);

/* target.xml; free it. */
char *gdb_target_xml(const GdbLayout *layout);

#endif
