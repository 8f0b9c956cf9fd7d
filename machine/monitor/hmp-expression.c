/*
 * HMP: expressions of numbers, $registers and operators. From loosest to tightest: + -,
 * & | ^, * / %, then the signs + - ~ and parentheses.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <errno.h>
#include <string.h>

#include "machine/monitor/hmp.h"

#define NESTING 64 /* parentheses and signs, so that a line cannot exhaust the stack */

typedef struct Expression {
    Hmp *hmp;
    const char *at;
    int depth;
} Expression;

static bool parse_sum(Expression *e, uint64_t *value);

static void skip_blanks(Expression *e)
{
    e->at += strspn(e->at, " \t");
}

static bool fail(Expression *e, const char *message)
{
    hmp_printf(e->hmp, "%s\n", message);
    return false;
}

/* -- Registers ------------------------------------------------------------------- */

#define REGISTER(name, field)                                                            \
    {                                                                                    \
        name, offsetof(X86Registers, field), sizeof(uint64_t)                            \
    }
#define REGISTER32(name, field)                                                          \
    {                                                                                    \
        name, offsetof(X86Registers, field), sizeof(uint32_t)                            \
    }
#define SEGMENT(name, n)                                                                 \
    {name, offsetof(X86Registers, segment[n].selector), sizeof(uint16_t)},               \
        {name ".base", offsetof(X86Registers, segment[n].base), sizeof(uint64_t)},       \
    {                                                                                    \
        name ".limit", offsetof(X86Registers, segment[n].limit), sizeof(uint32_t)        \
    }

static const struct {
    const char *name;
    size_t offset, size;
} registers[] = {
    REGISTER32("eax", gpr[X86_RAX]),
    REGISTER32("ecx", gpr[X86_RCX]),
    REGISTER32("edx", gpr[X86_RDX]),
    REGISTER32("ebx", gpr[X86_RBX]),
    REGISTER32("esp", gpr[X86_RSP]),
    REGISTER32("sp", gpr[X86_RSP]),
    REGISTER32("ebp", gpr[X86_RBP]),
    REGISTER32("fp", gpr[X86_RBP]),
    REGISTER32("esi", gpr[X86_RSI]),
    REGISTER32("edi", gpr[X86_RDI]),
    REGISTER("rax", gpr[X86_RAX]),
    REGISTER("rcx", gpr[X86_RCX]),
    REGISTER("rdx", gpr[X86_RDX]),
    REGISTER("rbx", gpr[X86_RBX]),
    REGISTER("rsp", gpr[X86_RSP]),
    REGISTER("rbp", gpr[X86_RBP]),
    REGISTER("rsi", gpr[X86_RSI]),
    REGISTER("rdi", gpr[X86_RDI]),
    REGISTER("r8", gpr[8]),
    REGISTER("r9", gpr[9]),
    REGISTER("r10", gpr[10]),
    REGISTER("r11", gpr[11]),
    REGISTER("r12", gpr[12]),
    REGISTER("r13", gpr[13]),
    REGISTER("r14", gpr[14]),
    REGISTER("r15", gpr[15]),
    REGISTER("eip", rip),
    REGISTER("rip", rip),
    REGISTER32("eflags", rflags),
    REGISTER("cr0", cr0),
    REGISTER("cr2", cr2),
    REGISTER("cr3", cr3),
    REGISTER("cr4", cr4),
    REGISTER("efer", efer),
    SEGMENT("cs", X86_CS),
    SEGMENT("ds", X86_DS),
    SEGMENT("es", X86_ES),
    SEGMENT("ss", X86_SS),
    SEGMENT("fs", X86_FS),
    SEGMENT("gs", X86_GS),
};

static bool read_register(Expression *e, const char *name, uint64_t *value)
{
    X86CPU *cpu = hmp_cpu(e->hmp);

    if (!cpu) {
        return false;
    }
    if (strcmp(name, "pc") == 0) {
        *value = cpu->registers.rip + cpu->registers.segment[X86_CS].base;
        return true;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(registers); i++) {
        if (strcmp(registers[i].name, name) == 0) {
            *value = 0; /* x86 stores the low bytes first */
            memcpy(value, (const char *)&cpu->registers + registers[i].offset,
                   registers[i].size);
            return true;
        }
    }
    return fail(e, "unknown register");
}

static bool parse_register(Expression *e, uint64_t *value)
{
    size_t length = 0;
    g_autofree char *name = NULL;

    while (g_ascii_isalnum(e->at[length]) || e->at[length] == '_' ||
           e->at[length] == '.') {
        length++;
    }
    name = g_strndup(e->at, length);
    e->at += length;
    return read_register(e, name, value);
}

/* -- Operators ------------------------------------------------------------------- */

static bool parse_literal(Expression *e, uint64_t *value)
{
    char *end;

    if (!*e->at) {
        return fail(e, "unexpected end of expression");
    }
    if (!g_ascii_isdigit(*e->at)) {
        hmp_printf(e->hmp, "invalid char '%c' in expression\n", *e->at);
        return false;
    }
    errno = 0;
    *value = g_ascii_strtoull(e->at, &end, 0);
    if (errno == ERANGE) {
        return fail(e, "number too large");
    }
    e->at = end;
    return true;
}

static bool parse_unary(Expression *e, uint64_t *value)
{
    char sign = *e->at;

    switch (sign) {
    case '+':
    case '-':
    case '~':
    case '(':
        if (++e->depth > NESTING) {
            return fail(e, "expression nests too deeply");
        }
        e->at++;
        skip_blanks(e);
        if (!(sign == '(' ? parse_sum(e, value) : parse_unary(e, value))) {
            return false;
        }
        e->depth--;
        *value = sign == '-' ? -*value : sign == '~' ? ~*value : *value;
        if (sign == '(') {
            if (*e->at != ')') {
                return fail(e, "')' expected");
            }
            e->at++;
        }
        break;
    case '\'':
        if (!e->at[1]) {
            return fail(e, "character constant expected");
        }
        if (e->at[2] != '\'') {
            return fail(e, "missing terminating ' character");
        }
        *value = (uint8_t)e->at[1];
        e->at += 3;
        break;
    case '$':
        e->at++;
        if (!parse_register(e, value)) {
            return false;
        }
        break;
    default:
        if (!parse_literal(e, value)) {
            return false;
        }
    }
    skip_blanks(e);
    return true;
}

static bool parse_product(Expression *e, uint64_t *value)
{
    if (!parse_unary(e, value)) {
        return false;
    }
    while (*e->at && strchr("*/%", *e->at)) {
        char operation = *e->at++;
        uint64_t right;

        skip_blanks(e);
        if (!parse_unary(e, &right)) {
            return false;
        }
        if (operation != '*' && right == 0) {
            return fail(e, "division by zero");
        }
        *value = operation == '*'   ? *value * right
                 : operation == '/' ? *value / right
                                    : *value % right;
    }
    return true;
}

static bool parse_logic(Expression *e, uint64_t *value)
{
    if (!parse_product(e, value)) {
        return false;
    }
    while (*e->at && strchr("&|^", *e->at)) {
        char operation = *e->at++;
        uint64_t right;

        skip_blanks(e);
        if (!parse_product(e, &right)) {
            return false;
        }
        *value = operation == '&'   ? *value & right
                 : operation == '|' ? *value | right
                                    : *value ^ right;
    }
    return true;
}

static bool parse_sum(Expression *e, uint64_t *value)
{
    if (!parse_logic(e, value)) {
        return false;
    }
    while (*e->at == '+' || *e->at == '-') {
        char operation = *e->at++;
        uint64_t right;

        skip_blanks(e);
        if (!parse_logic(e, &right)) {
            return false;
        }
        *value = operation == '+' ? *value + right : *value - right;
    }
    return true;
}

bool hmp_expression(Hmp *hmp, const char **text, uint64_t *value)
{
    Expression e = {.hmp = hmp, .at = *text};

    skip_blanks(&e);
    if (!parse_sum(&e, value)) {
        return false;
    }
    *text = e.at;
    return true;
}
