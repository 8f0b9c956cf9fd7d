/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/gdb/registers.h"

#include <string.h>

#include "machine/gdb/packet.h"

#define CR0_PE 1u
#define EFER_LMA (UINT64_C(1) << 10)
#define FLAGS_VM (UINT64_C(1) << 17)
#define SEGMENT_D (1u << 14) /* of X86Segment.attributes */

/* -- Layouts ------------------------------------------------------------------------- */

/* GDB's order of the general registers in each size, with theirs in instructions. */
#define GENERAL(name, index, type, bytes)                                                \
    {                                                                                    \
        name, type, GDB_GENERAL, index, bytes                                            \
    }

#define SELECTORS                                                                        \
    {"cs", "int32", GDB_SELECTOR, X86_CS, 4}, {"ss", "int32", GDB_SELECTOR, X86_SS, 4},  \
        {"ds", "int32", GDB_SELECTOR, X86_DS, 4},                                        \
        {"es", "int32", GDB_SELECTOR, X86_ES, 4},                                        \
        {"fs", "int32", GDB_SELECTOR, X86_FS, 4},                                        \
    {                                                                                    \
        "gs", "int32", GDB_SELECTOR, X86_GS, 4                                           \
    }

#define ST(n)                                                                            \
    {                                                                                    \
        "st" #n, "i387_ext", GDB_ST, n, 10                                               \
    }
#define CONTROL(name, n)                                                                 \
    {                                                                                    \
        name, "int", GDB_FPU_CONTROL, n, 4                                               \
    }
#define FPU                                                                              \
    ST(0), ST(1), ST(2), ST(3), ST(4), ST(5), ST(6), ST(7), CONTROL("fctrl", 0),         \
        CONTROL("fstat", 1), CONTROL("ftag", 2), CONTROL("fiseg", 3),                    \
        CONTROL("fioff", 4), CONTROL("foseg", 5), CONTROL("fooff", 6), CONTROL("fop", 7)

#define XMM(n)                                                                           \
    {                                                                                    \
        "xmm" #n, "vec128", GDB_XMM, n, 16                                               \
    }
#define XMM_LOW XMM(0), XMM(1), XMM(2), XMM(3), XMM(4), XMM(5), XMM(6), XMM(7)
#define XMM_HIGH XMM(8), XMM(9), XMM(10), XMM(11), XMM(12), XMM(13), XMM(14), XMM(15)
#define MXCSR                                                                            \
    {                                                                                    \
        "mxcsr", "i386_mxcsr", GDB_MXCSR, 0, 4                                           \
    }

#define BASE(name, index, bits)                                                          \
    {                                                                                    \
        name "_base", "int" #bits, GDB_BASE, index, bits / 8                             \
    }
#define SYSTEM(bits)                                                                     \
    BASE("cs", X86_CS, bits), BASE("ss", X86_SS, bits), BASE("ds", X86_DS, bits),        \
        BASE("es", X86_ES, bits), BASE("fs", X86_FS, bits), BASE("gs", X86_GS, bits),    \
        {"cr0", "int" #bits, GDB_CR, 0, bits / 8},                                       \
        {"cr2", "int" #bits, GDB_CR, 2, bits / 8},                                       \
        {"cr3", "int" #bits, GDB_CR, 3, bits / 8},                                       \
        {"cr4", "int" #bits, GDB_CR, 4, bits / 8},                                       \
    {                                                                                    \
        "efer", "int64", GDB_EFER, 0, 8                                                  \
    }
#define SYSTEM_COUNT 11

static const GdbRegister registers32[] = {
    GENERAL("eax", X86_RAX, "int32", 4),
    GENERAL("ecx", X86_RCX, "int32", 4),
    GENERAL("edx", X86_RDX, "int32", 4),
    GENERAL("ebx", X86_RBX, "int32", 4),
    GENERAL("esp", X86_RSP, "data_ptr", 4),
    GENERAL("ebp", X86_RBP, "data_ptr", 4),
    GENERAL("esi", X86_RSI, "int32", 4),
    GENERAL("edi", X86_RDI, "int32", 4),
    {"eip", "code_ptr", GDB_RIP, 0, 4},
    {"eflags", "i386_eflags", GDB_FLAGS, 0, 4},
    SELECTORS,
    FPU,
    XMM_LOW,
    MXCSR,
    SYSTEM(32),
};

static const GdbRegister registers64[] = {
    GENERAL("rax", X86_RAX, "int64", 8),
    GENERAL("rbx", X86_RBX, "int64", 8),
    GENERAL("rcx", X86_RCX, "int64", 8),
    GENERAL("rdx", X86_RDX, "int64", 8),
    GENERAL("rsi", X86_RSI, "int64", 8),
    GENERAL("rdi", X86_RDI, "int64", 8),
    GENERAL("rbp", X86_RBP, "data_ptr", 8),
    GENERAL("rsp", X86_RSP, "data_ptr", 8),
    GENERAL("r8", 8, "int64", 8),
    GENERAL("r9", 9, "int64", 8),
    GENERAL("r10", 10, "int64", 8),
    GENERAL("r11", 11, "int64", 8),
    GENERAL("r12", 12, "int64", 8),
    GENERAL("r13", 13, "int64", 8),
    GENERAL("r14", 14, "int64", 8),
    GENERAL("r15", 15, "int64", 8),
    {"rip", "code_ptr", GDB_RIP, 0, 8},
    {"eflags", "i386_eflags", GDB_FLAGS, 0, 4},
    SELECTORS,
    FPU,
    XMM_LOW,
    XMM_HIGH,
    MXCSR,
    SYSTEM(64),
};

/* Intel SDM volume 1, figure 3-8. */
static const char flag_types[] =
    "<flags id=\"i386_eflags\" size=\"4\">"
    "<field name=\"CF\" start=\"0\" end=\"0\"/><field name=\"\" start=\"1\" end=\"1\"/>"
    "<field name=\"PF\" start=\"2\" end=\"2\"/><field name=\"AF\" start=\"4\" end=\"4\"/>"
    "<field name=\"ZF\" start=\"6\" end=\"6\"/><field name=\"SF\" start=\"7\" end=\"7\"/>"
    "<field name=\"TF\" start=\"8\" end=\"8\"/><field name=\"IF\" start=\"9\" end=\"9\"/>"
    "<field name=\"DF\" start=\"10\" end=\"10\"/><field name=\"OF\" start=\"11\" "
    "end=\"11\"/>"
    "<field name=\"NT\" start=\"14\" end=\"14\"/><field name=\"RF\" start=\"16\" "
    "end=\"16\"/>"
    "<field name=\"VM\" start=\"17\" end=\"17\"/><field name=\"AC\" start=\"18\" "
    "end=\"18\"/>"
    "<field name=\"VIF\" start=\"19\" end=\"19\"/><field name=\"VIP\" start=\"20\" "
    "end=\"20\"/>"
    "<field name=\"ID\" start=\"21\" end=\"21\"/></flags>";

static const char vector_types[] =
    "<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/>"
    "<vector id=\"v2d\" type=\"ieee_double\" count=\"2\"/>"
    "<vector id=\"v16i8\" type=\"int8\" count=\"16\"/>"
    "<vector id=\"v8i16\" type=\"int16\" count=\"8\"/>"
    "<vector id=\"v4i32\" type=\"int32\" count=\"4\"/>"
    "<vector id=\"v2i64\" type=\"int64\" count=\"2\"/>"
    "<union id=\"vec128\"><field name=\"v4_float\" type=\"v4f\"/>"
    "<field name=\"v2_double\" type=\"v2d\"/><field name=\"v16_int8\" type=\"v16i8\"/>"
    "<field name=\"v8_int16\" type=\"v8i16\"/><field name=\"v4_int32\" type=\"v4i32\"/>"
    "<field name=\"v2_int64\" type=\"v2i64\"/><field name=\"uint128\" type=\"uint128\"/>"
    "</union>"
    /* Intel SDM volume 1, figure 10-3. */
    "<flags id=\"i386_mxcsr\" size=\"4\">"
    "<field name=\"IE\" start=\"0\" end=\"0\"/><field name=\"DE\" start=\"1\" end=\"1\"/>"
    "<field name=\"ZE\" start=\"2\" end=\"2\"/><field name=\"OE\" start=\"3\" end=\"3\"/>"
    "<field name=\"UE\" start=\"4\" end=\"4\"/><field name=\"PE\" start=\"5\" end=\"5\"/>"
    "<field name=\"DAZ\" start=\"6\" end=\"6\"/><field name=\"IM\" start=\"7\" "
    "end=\"7\"/>"
    "<field name=\"DM\" start=\"8\" end=\"8\"/><field name=\"ZM\" start=\"9\" end=\"9\"/>"
    "<field name=\"OM\" start=\"10\" end=\"10\"/><field name=\"UM\" start=\"11\" "
    "end=\"11\"/>"
    "<field name=\"PM\" start=\"12\" end=\"12\"/><field name=\"FZ\" start=\"15\" "
    "end=\"15\"/>"
    "</flags>";

static const GdbFeature features32[] = {
    {"org.gnu.gdb.i386.core", flag_types, 32},
    {"org.gnu.gdb.i386.sse", vector_types, 9},
    {"org.umbra.i386.system", NULL, SYSTEM_COUNT},
    {NULL},
};

static const GdbFeature features64[] = {
    {"org.gnu.gdb.i386.core", flag_types, 40},
    {"org.gnu.gdb.i386.sse", vector_types, 17},
    {"org.umbra.i386.system", NULL, SYSTEM_COUNT},
    {NULL},
};

#define LAYOUT(name, bits)                                                               \
    {                                                                                    \
        name, features##bits, registers##bits, G_N_ELEMENTS(registers##bits),            \
            G_N_ELEMENTS(registers##bits) - SYSTEM_COUNT                                 \
    }

const GdbLayout *gdb_layout_for(const X86CPU *cpu)
{
    static const GdbLayout code16 = LAYOUT("i8086", 32), code32 = LAYOUT("i386", 32),
                           code64 = LAYOUT("i386:x86-64", 64);

    if (cpu->registers.efer & EFER_LMA) {
        return &code64;
    }
    return cpu->registers.segment[X86_CS].attributes & SEGMENT_D ? &code32 : &code16;
}

/* -- Values -------------------------------------------------------------------------- */

/* The stack's top is in FSW bits 13:11; fpr[] goes by the stack, ftw by the register. */
static unsigned tag_of(const X86Registers *r, unsigned physical)
{
    const uint8_t *st = r->fpr[(physical - (r->fsw >> 11 & 7)) & 7];
    unsigned exponent = st[8] | (st[9] & 0x7f) << 8;
    uint64_t significand;

    memcpy(&significand, st, sizeof(significand));
    if (!(r->ftw >> physical & 1)) {
        return 3; /* empty */
    }
    if (exponent == 0 && significand == 0) {
        return 1;
    }
    return exponent == 0 || exponent == 0x7fff || !(significand >> 63) ? 2 : 0;
}

static uint64_t fpu_control(const X86Registers *r, unsigned index)
{
    unsigned tags = 0;

    switch (index) {
    case 0:
        return r->fcw;
    case 1:
        return r->fsw;
    case 2:
        for (unsigned i = 0; i < 8; i++) {
            tags |= tag_of(r, i) << 2 * i;
        }
        return tags;
    default:
        return 0;
    }
}

static void set_fpu_control(X86Registers *r, unsigned index, uint64_t value)
{
    if (index == 0) {
        r->fcw = (uint16_t)value;
    } else if (index == 1) {
        r->fsw = (uint16_t)value;
    } else if (index == 2) {
        r->ftw = 0;
        for (unsigned i = 0; i < 8; i++) {
            r->ftw |= (uint8_t)(((value >> 2 * i & 3) != 3) << i);
        }
    }
}

static uint64_t *control_register(X86Registers *r, unsigned n)
{
    return n == 0 ? &r->cr0 : n == 2 ? &r->cr2 : n == 3 ? &r->cr3 : &r->cr4;
}

/* Those of up to 64 bits. */
static uint64_t get(const X86Registers *r, const GdbRegister *reg)
{
    switch (reg->kind) {
    case GDB_GENERAL:
        return r->gpr[reg->index];
    case GDB_RIP:
        return r->rip;
    case GDB_FLAGS:
        return r->rflags;
    case GDB_SELECTOR:
        return r->segment[reg->index].selector;
    case GDB_FPU_CONTROL:
        return fpu_control(r, reg->index);
    case GDB_MXCSR:
        return r->mxcsr;
    case GDB_BASE:
        return r->segment[reg->index].base;
    case GDB_CR:
        return *control_register((X86Registers *)r, reg->index);
    default:
        return r->efer;
    }
}

static const void *wide(const X86Registers *r, const GdbRegister *reg)
{
    return reg->kind == GDB_ST    ? r->fpr[reg->index]
           : reg->kind == GDB_XMM ? r->xmm[reg->index]
                                  : NULL;
}

void gdb_register_read(const X86CPU *cpu, const GdbRegister *reg, GString *out)
{
    const void *bytes = wide(&cpu->registers, reg);
    uint64_t value;

    if (!bytes) {
        value = GUINT64_TO_LE(get(&cpu->registers, reg));
        bytes = &value;
    }
    gdb_append_hex(out, bytes, reg->bytes);
}

/* Where segments are addresses, the base follows; elsewhere it is a descriptor's, and the
 * guest alone knows which is meant. */
static bool set_selector(X86Registers *r, unsigned index, uint64_t selector)
{
    X86Segment *segment = &r->segment[index];

    if (selector == segment->selector) {
        return true;
    }
    if (selector > UINT16_MAX || ((r->cr0 & CR0_PE) && !(r->rflags & FLAGS_VM))) {
        return false;
    }
    segment->selector = (uint16_t)selector;
    segment->base = selector << 4;
    return true;
}

bool gdb_register_write(X86CPU *cpu, const GdbRegister *reg, const uint8_t *bytes)
{
    X86Registers *r = &cpu->registers;
    uint64_t value = 0;

    if (wide(r, reg)) {
        memcpy((void *)wide(r, reg), bytes, reg->bytes);
        return true;
    }
    memcpy(&value, bytes, reg->bytes);
    value = GUINT64_FROM_LE(value);
    switch (reg->kind) {
    case GDB_GENERAL:
        r->gpr[reg->index] = value;
        return true;
    case GDB_RIP:
        r->rip = value;
        return true;
    case GDB_FLAGS:
        r->rflags = value;
        return true;
    case GDB_SELECTOR:
        return set_selector(r, reg->index, value);
    case GDB_FPU_CONTROL:
        set_fpu_control(r, reg->index, value);
        return true;
    case GDB_MXCSR:
        r->mxcsr = (uint32_t)value;
        return true;
    case GDB_BASE:
        r->segment[reg->index].base = value;
        return true;
    case GDB_CR:
        *control_register(r, reg->index) = value;
        return true;
    default:
        r->efer = value;
        return true;
    }
}

/* -- The description ----------------------------------------------------------------- */

char *gdb_target_xml(const GdbLayout *layout)
{
    GString *xml = g_string_new("<?xml version=\"1.0\"?>"
                                "<!DOCTYPE target SYSTEM \"gdb-target.dtd\"><target>");
    const GdbRegister *reg = layout->registers;

    g_string_append_printf(xml, "<architecture>%s</architecture>", layout->architecture);
    for (const GdbFeature *feature = layout->features; feature->name; feature++) {
        g_string_append_printf(xml, "<feature name=\"%s\">%s", feature->name,
                               feature->types ? feature->types : "");
        for (unsigned i = 0; i < feature->count; i++, reg++) {
            g_string_append_printf(xml,
                                   "<reg name=\"%s\" bitsize=\"%u\" type=\"%s\" "
                                   "regnum=\"%u\"/>",
                                   reg->name, reg->bytes * 8u, reg->type,
                                   (unsigned)(reg - layout->registers));
        }
        g_string_append(xml, "</feature>");
    }
    g_string_append(xml, "</target>");
    return g_string_free(xml, FALSE);
}
