/*
 * What QMP's commands and events are made of: the types of arguments, replies and data,
 * their names and members as QEMU's clients know them. The same description checks what a
 * client sends and is what query-qmp-schema answers.
 *
 * Members are text, "NAME:TYPE,NAME:TYPE?,...", a ? after those that may be absent. A
 * TYPE is one of str, int, number, bool, null, any, the name of a row below, or [TYPE], a
 * list.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_MONITOR_QMP_TYPES_H
#define MACHINE_MONITOR_QMP_TYPES_H

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>

typedef enum QmpTypeKind {
    QMP_ENUM,      /* text: the values, "a|b|c" */
    QMP_OBJECT,    /* text: the members */
    QMP_UNION,     /* text: the members, the first of which says which variant it is */
    QMP_ALTERNATE, /* text: the types, "str|int" */
} QmpTypeKind;

typedef struct QmpType {
    QmpTypeKind kind;
    const char *name;
    const char *text;
    /* Of a union: "VALUE=OBJECT,...", an OBJECT being a type's name or {MEMBERS}; values
     * that it does not list add no members. */
    const char *variants;
    /* Of an enum whose values are another table's: the i-th, or NULL at the end. */
    const char *(*value)(int i);
} QmpType;

typedef struct QmpEvent {
    const char *name;
    const char *data; /* members */
} QmpEvent;

/* Ended by a row without a name. */
extern const QmpType qmp_types[];
extern const QmpEvent qmp_events[];

/* A piece of a description: it ends after `length`. */
typedef struct QmpText {
    const char *start;
    gsize length;
} QmpText;

/* One member of a list of them. */
typedef struct QmpMember {
    QmpText name, type;
    bool optional;
} QmpMember;

QmpText qmp_text(const char *text);
char *qmp_text_dup(QmpText text);

/* Takes the next part off the text, up to `separator` outside of brackets; false at its
 * end. */
bool qmp_next_part(QmpText *text, char separator, QmpText *part);
bool qmp_next_member(QmpText *text, QmpMember *member);

/* The type's row; NULL for one that is built in, or unknown. */
const QmpType *qmp_type_find(QmpText name);

/* A type that is built in. */
typedef struct QmpBuiltin {
    const char *name;
    const char *json_type; /* in the schema */
    const char *in_errors;
    GType holds; /* of the node; NONE: any, INVALID: null */
} QmpBuiltin;

/* NULL when it is none. */
const QmpBuiltin *qmp_builtin_find(QmpText name);

/* The i-th value of an enum; false after the last. */
bool qmp_enum_value(const QmpType *type, int i, QmpText *value);

/* The members that a union has for `value` of its first member: "" for none. */
QmpText qmp_variant_members(const QmpType *type, const char *value);

/* Whether the arguments have the members, and no others unless the text begins with "*".
 * *error is in QEMU's words. */
bool qmp_check_members(const char *members, JsonObject *object, GError **error);

/* Whether the value is of that type; `name` is what errors call it. */
bool qmp_check_value(QmpText type, JsonNode *value, const char *name, GError **error);

/* What query-qmp-schema answers. */
JsonNode *qmp_schema(void);

#endif
