/*
 * QMP: reading the descriptions of types, and holding what a client sends against them.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <string.h>

#include "machine/monitor/qmp-types.h"
#include "machine/monitor/qmp.h"

/* -- Descriptions ---------------------------------------------------------------- */

QmpText qmp_text(const char *text)
{
    return (QmpText){text, strlen(text)};
}

char *qmp_text_dup(QmpText text)
{
    return g_strndup(text.start, text.length);
}

static bool is_text(QmpText text, const char *other)
{
    return strlen(other) == text.length && strncmp(text.start, other, text.length) == 0;
}

bool qmp_next_part(QmpText *text, char separator, QmpText *part)
{
    gsize length = 0;
    int depth = 0;

    if (text->length == 0) {
        return false;
    }
    while (length < text->length && (depth || text->start[length] != separator)) {
        char c = text->start[length++];

        depth += (c == '[' || c == '{') - (c == ']' || c == '}');
    }
    *part = (QmpText){text->start, length};
    length += length < text->length;
    text->start += length;
    text->length -= length;
    return true;
}

bool qmp_next_member(QmpText *text, QmpMember *member)
{
    QmpText part;

    if (!qmp_next_part(text, ',', &part)) {
        return false;
    }
    qmp_next_part(&part, ':', &member->name);
    member->type = part;
    member->optional = part.length && part.start[part.length - 1] == '?';
    member->type.length -= member->optional;
    return true;
}

const QmpType *qmp_type_find(QmpText name)
{
    for (const QmpType *type = qmp_types; type->name; type++) {
        if (is_text(name, type->name)) {
            return type;
        }
    }
    return NULL;
}

static const QmpBuiltin builtins[] = {
    {"str", "string", "string", G_TYPE_STRING},
    {"int", "int", "integer", G_TYPE_INT64},
    {"number", "number", "number", G_TYPE_DOUBLE},
    {"bool", "boolean", "boolean", G_TYPE_BOOLEAN},
    {"null", "null", "null", G_TYPE_INVALID},
    {"any", "value", "any", G_TYPE_NONE},
};

const QmpBuiltin *qmp_builtin_find(QmpText name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(builtins); i++) {
        /* One letter will do. */
        if (is_text(name, builtins[i].name) ||
            (name.length == 1 && *name.start == *builtins[i].name &&
             *name.start != 'n')) {
            return &builtins[i];
        }
    }
    return NULL;
}

bool qmp_enum_value(const QmpType *type, int i, QmpText *value)
{
    QmpText rest;

    if (type->value) {
        const char *name = type->value(i);

        *value = qmp_text(name ? name : "");
        return name != NULL;
    }
    rest = qmp_text(type->text);
    while (qmp_next_part(&rest, '|', value)) {
        if (i-- == 0) {
            return true;
        }
    }
    return false;
}

QmpText qmp_variant_members(const QmpType *type, const char *value)
{
    QmpText rest = qmp_text(type->variants), part, name;

    while (qmp_next_part(&rest, ',', &part)) {
        qmp_next_part(&part, '=', &name);
        if (!is_text(name, value)) {
            continue;
        }
        if (part.start[0] == '{') {
            return (QmpText){part.start + 1, part.length - 2};
        }
        return qmp_text(qmp_type_find(part)->text);
    }
    return qmp_text("");
}

/* -- Values ---------------------------------------------------------------------- */

static bool wrong_type(const char *name, const char *expected, GError **error)
{
    g_set_error(error, QMP_ERROR, QMP_GENERIC_ERROR,
                "Invalid parameter type for '%s', expected: %s", name, expected);
    return false;
}

static bool check_builtin(QmpText type, JsonNode *value, const char *name, GError **error)
{
    const QmpBuiltin *builtin = qmp_builtin_find(type);
    GType holds =
        JSON_NODE_HOLDS_VALUE(value) ? json_node_get_value_type(value) : G_TYPE_INVALID;

    if (!builtin || builtin->holds == G_TYPE_NONE ||
        (builtin->holds == holds &&
         (holds != G_TYPE_INVALID || JSON_NODE_HOLDS_NULL(value))) ||
        (builtin->holds == G_TYPE_DOUBLE && holds == G_TYPE_INT64)) {
        return true;
    }
    return wrong_type(name, builtin->in_errors, error);
}

static bool check_enum(const QmpType *type, JsonNode *value, const char *name,
                       GError **error)
{
    const char *text, *last = strrchr(name, '.');
    QmpText each, member;

    if (!check_builtin(qmp_text("str"), value, name, error)) {
        return false;
    }
    text = json_node_get_string(value);
    for (int i = 0; qmp_enum_value(type, i, &each); i++) {
        if (is_text(each, text)) {
            return true;
        }
    }
    /* QEMU names the member alone here, without the way to it. */
    member = qmp_text(last ? last + 1 : name);
    member.length = strcspn(member.start, "[");
    g_set_error(error, QMP_ERROR, QMP_GENERIC_ERROR,
                "Parameter '%.*s' does not accept value '%s'", (int)member.length,
                member.start, text);
    return false;
}

static char *member_path(const char *path, QmpText name)
{
    return g_strdup_printf("%s%s%.*s", path, *path ? "." : "", (int)name.length,
                           name.start);
}

static bool check_present(QmpText members, JsonObject *object, const char *path,
                          GError **error)
{
    QmpMember member;

    while (qmp_next_member(&members, &member)) {
        g_autofree char *name = qmp_text_dup(member.name);
        g_autofree char *full = member_path(path, member.name);
        JsonNode *value = json_object_get_member(object, name);

        if (!value && !member.optional) {
            g_set_error(error, QMP_ERROR, QMP_GENERIC_ERROR, "Parameter '%s' is missing",
                        full);
            return false;
        }
        if (value && !qmp_check_value(member.type, value, full, error)) {
            return false;
        }
    }
    return true;
}

static bool has_member(QmpText members, const char *name)
{
    QmpMember member;

    while (qmp_next_member(&members, &member)) {
        if (is_text(member.name, name)) {
            return true;
        }
    }
    return false;
}

/* An object of its own members and those of its variant. */
static bool check_object(QmpText own, QmpText variant, JsonObject *object,
                         const char *path, GError **error)
{
    JsonObjectIter iter;
    const char *name;

    if (!check_present(own, object, path, error) ||
        !check_present(variant, object, path, error)) {
        return false;
    }
    json_object_iter_init_ordered(&iter, object);
    while (json_object_iter_next_ordered(&iter, &name, NULL)) {
        if (!has_member(own, name) && !has_member(variant, name)) {
            g_autofree char *full = member_path(path, qmp_text(name));

            g_set_error(error, QMP_ERROR, QMP_GENERIC_ERROR,
                        "Parameter '%s' is unexpected", full);
            return false;
        }
    }
    return true;
}

static bool check_union(const QmpType *type, JsonObject *object, const char *name,
                        GError **error)
{
    QmpText rest = qmp_text(type->text), only = rest;
    g_autofree char *tag = NULL;
    QmpMember member;

    qmp_next_member(&rest, &member);
    only.length = (gsize)(member.type.start + member.type.length - only.start);
    tag = qmp_text_dup(member.name);
    return check_present(only, object, name, error) &&
           check_object(
               qmp_text(type->text),
               qmp_variant_members(type, json_object_get_string_member(object, tag)),
               object, name, error);
}

static bool check_described(const QmpType *type, JsonObject *object, const char *name,
                            GError **error)
{
    return type->kind == QMP_UNION
               ? check_union(type, object, name, error)
               : check_object(qmp_text(type->text), qmp_text(""), object, name, error);
}

static bool check_alternate(const QmpType *type, JsonNode *value, const char *name,
                            GError **error)
{
    QmpText rest = qmp_text(type->text), part;

    while (qmp_next_part(&rest, '|', &part)) {
        if (qmp_check_value(part, value, name, NULL)) {
            return true;
        }
    }
    return wrong_type(name, type->name, error);
}

static bool check_list(QmpText element, JsonNode *value, const char *name, GError **error)
{
    JsonArray *list;

    if (!JSON_NODE_HOLDS_ARRAY(value)) {
        return wrong_type(name, "array", error);
    }
    list = json_node_get_array(value);
    for (guint i = 0; i < json_array_get_length(list); i++) {
        g_autofree char *full = g_strdup_printf("%s[%u]", name, i);

        if (!qmp_check_value(element, json_array_get_element(list, i), full, error)) {
            return false;
        }
    }
    return true;
}

bool qmp_check_value(QmpText text, JsonNode *value, const char *name, GError **error)
{
    const QmpType *type;

    if (text.length && text.start[0] == '[') {
        return check_list((QmpText){text.start + 1, text.length - 2}, value, name, error);
    }
    type = qmp_type_find(text);
    if (!type) {
        return check_builtin(text, value, name, error);
    }
    if (type->kind == QMP_ENUM) {
        return check_enum(type, value, name, error);
    }
    if (type->kind == QMP_ALTERNATE) {
        return check_alternate(type, value, name, error);
    }
    return JSON_NODE_HOLDS_OBJECT(value)
               ? check_described(type, json_node_get_object(value), name, error)
               : wrong_type(name, "object", error);
}

bool qmp_check_members(const char *members, JsonObject *object, GError **error)
{
    bool open = *members == '*';
    const QmpType *type = qmp_type_find(qmp_text(members + open));

    if (open) {
        return check_present(qmp_text(type ? type->text : members + 1), object, "", error);
    }
    if (type) {
        return check_described(type, object, "", error);
    }
    return check_object(qmp_text(members), qmp_text(""), object, "", error);
}
