/*
 * HMP: taking a line apart into a command's arguments.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <string.h>

#include "machine/monitor/hmp.h"

#define BLANKS " \t"

const HmpArg *hmp_arg(const HmpArgs *args, const char *name)
{
    for (unsigned i = 0; i < args->n; i++) {
        if (strcmp(args->args[i].name, name) == 0) {
            return &args->args[i];
        }
    }
    return NULL;
}

const char *hmp_arg_text(const HmpArgs *args, const char *name)
{
    const HmpArg *arg = hmp_arg(args, name);

    return arg ? arg->text : NULL;
}

uint64_t hmp_arg_number(const HmpArgs *args, const char *name)
{
    const HmpArg *arg = hmp_arg(args, name);

    return arg ? arg->number : 0;
}

bool hmp_arg_given(const HmpArgs *args, const char *name)
{
    const HmpArg *arg = hmp_arg(args, name);

    return arg && arg->given;
}

void hmp_free_args(HmpArgs *args)
{
    for (unsigned i = 0; i < args->n; i++) {
        g_free(args->args[i].text);
        g_free((char *)args->args[i].name);
    }
}

/* A word, or a string in double quotes with the escapes \n \r \\ \' \". */
static bool parse_string(Hmp *hmp, const char **text, HmpArg *arg)
{
    g_autoptr(GString) value = g_string_new(NULL);
    const char *p = *text;

    if (*p != '"') {
        size_t length = strcspn(p, BLANKS);

        arg->text = g_strndup(p, length);
        *text = p + length;
        return true;
    }
    for (p++; *p && *p != '"'; p++) {
        if (*p == '\\' && p[1]) {
            p++;
            if (!strchr("nr\\'\"", *p)) {
                hmp_printf(hmp, "unsupported escape code: '\\%c'\n", *p);
                return false;
            }
            g_string_append_c(value, *p == 'n' ? '\n' : *p == 'r' ? '\r' : *p);
        } else {
            g_string_append_c(value, *p);
        }
    }
    if (*p != '"') {
        hmp_printf(hmp, "unterminated string\n");
        return false;
    }
    arg->text = g_string_free(g_steal_pointer(&value), FALSE);
    *text = p + 1;
    return true;
}

/* "/8xw": a count, a form, a size, the letters in any order. What is left out is as the
 * last time. */
static bool parse_format(Hmp *hmp, const char **text, HmpArg *arg)
{
    const char *p = *text;

    arg->count = 1;
    arg->format = 0;
    arg->size = -1;
    if (*p == '/') {
        p++;
        if (g_ascii_isdigit(*p)) {
            uint64_t count = g_ascii_strtoull(p, (char **)&p, 10);

            arg->count = (int)MIN(count, UINT64_C(1) << 30);
        }
        for (; *p && !strchr(BLANKS, *p); p++) {
            static const char letters[] = "bhwg";
            const char *size = strchr(letters, *p);

            if (strchr("oduxic", *p)) {
                arg->format = *p;
            } else if (size) {
                arg->size = 1 << (size - letters);
            } else {
                hmp_printf(hmp, "invalid char in format: '%c'\n", *p);
                return false;
            }
        }
    }
    arg->format = arg->format ? arg->format : hmp->format;
    if (arg->format != 'i') {
        arg->size = arg->size > 0 ? arg->size : hmp->format_size;
        hmp->format_size = arg->size;
    }
    hmp->format = arg->format;
    arg->given = true;
    *text = p;
    return true;
}

static bool parse_number(Hmp *hmp, const char **text, HmpArg *arg)
{
    return hmp_expression(hmp, text, &arg->number);
}

static const HmpArg *find_switch(const HmpArgs *args, char letter)
{
    for (unsigned i = 0; i < args->n; i++) {
        if (args->args[i].kind == '-' && args->args[i].format == letter) {
            return &args->args[i];
        }
    }
    return NULL;
}

/* All switches that stand at this place, in any order. */
static bool parse_switches(Hmp *hmp, const char *command, const char **text,
                           HmpArgs *args)
{
    for (;;) {
        const char *p = *text + strspn(*text, BLANKS);
        HmpArg *arg;

        if (*p != '-' || !g_ascii_isalpha(p[1])) {
            return true;
        }
        arg = (HmpArg *)find_switch(args, p[1]);
        if (!arg) {
            hmp_printf(hmp, "%s: unsupported option -%c\n", command, p[1]);
            return false;
        }
        arg->given = true;
        *text = p + 2;
        if (arg->takes_text) {
            *text += strspn(*text, BLANKS);
            g_clear_pointer(&arg->text, g_free);
            if (!**text || !parse_string(hmp, text, arg)) {
                hmp_printf(hmp, "%s: string expected\n", command);
                return false;
            }
        }
    }
}

static bool parse_one(Hmp *hmp, const char *command, const char **text, HmpArg *arg,
                      bool optional)
{
    const char *p = *text + strspn(*text, BLANKS);

    if (arg->kind == '/') {
        return parse_format(hmp, &p, arg) && (*text = p);
    }
    if (arg->kind == '.') {
        if (*p != '.') {
            return true;
        }
        p++;
    } else if (!*p && (optional || arg->kind == 'S')) {
        if (!optional) {
            hmp_printf(hmp, "%s: string expected\n", command);
        }
        return optional;
    } else if (!*p && arg->kind == 's') {
        hmp_printf(hmp, "%s: string expected\n", command);
        return false;
    }
    arg->given = true;
    switch (arg->kind) {
    case 's':
        if (!parse_string(hmp, &p, arg)) {
            hmp_printf(hmp, "%s: string expected\n", command);
            return false;
        }
        break;
    case 'S':
        arg->text = g_strchomp(g_strdup(p));
        p += strlen(p);
        break;
    default:
        if (!parse_number(hmp, &p, arg)) {
            return false;
        }
        if (arg->kind == 'i' && arg->number > UINT32_MAX &&
            arg->number < (uint64_t)(int64_t)INT32_MIN) {
            hmp_printf(hmp, "integer is for 32-bit values\n");
            return false;
        }
    }
    *text = p;
    return true;
}

bool hmp_parse_args(Hmp *hmp, const char *command, const char *types, const char *line,
                    HmpArgs *args)
{
    g_auto(GStrv) kinds = g_strsplit(types, ",", HMP_MAX_ARGS);
    bool optional[HMP_MAX_ARGS] = {false};

    memset(args, 0, sizeof(*args));
    for (unsigned i = 0; kinds[i] && *kinds[i]; i++) {
        char *colon = strchr(kinds[i], ':');
        HmpArg *arg = &args->args[args->n];

        optional[args->n++] = g_str_has_suffix(kinds[i], "?");
        arg->name = g_strndup(kinds[i], (gsize)(colon - kinds[i]));
        arg->kind = colon[1];
        arg->format = arg->kind == '-' ? colon[2] : 0;
        arg->takes_text = arg->kind == '-' && colon[3] == 's';
    }
    for (unsigned i = 0; i < args->n; i++) {
        if (args->args[i].kind == '-'
                ? !parse_switches(hmp, command, &line, args)
                : !parse_one(hmp, command, &line, &args->args[i], optional[i])) {
            return false;
        }
    }
    if (line[strspn(line, BLANKS)]) {
        hmp_printf(hmp, "%s: extraneous characters at the end of line\n", command);
        return false;
    }
    return true;
}
