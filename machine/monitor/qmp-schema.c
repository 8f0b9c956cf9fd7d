/*
 * QMP: query-qmp-schema, what there is for a client to send and to expect. Each command
 * and event, and each type that one of them leads to, is an entry (QEMU's
 * qapi/introspect); names are ours to choose, and are those of the descriptions.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <string.h>

#include "machine/monitor/qmp-types.h"
#include "machine/monitor/qmp.h"

typedef struct Schema {
    JsonArray *entries;
    GHashTable *names; /* char *: those that have an entry */
} Schema;

static char *add_type(Schema *schema, QmpText text);

/* A new entry, unless it has been made. */
static JsonObject *add_entry(Schema *schema, const char *name, const char *meta_type)
{
    JsonObject *entry;

    if (!g_hash_table_add(schema->names, g_strdup(name))) {
        return NULL;
    }
    entry = json_object_new();
    json_object_set_string_member(entry, "name", name);
    json_object_set_string_member(entry, "meta-type", meta_type);
    json_array_add_object_element(schema->entries, entry);
    return entry;
}

static JsonArray *add_list(JsonObject *entry, const char *name)
{
    JsonArray *list = json_array_new();

    json_object_set_array_member(entry, name, list);
    return list;
}

static void add_members(Schema *schema, JsonObject *entry, QmpText text)
{
    JsonArray *list = add_list(entry, "members");
    QmpMember member;

    while (qmp_next_member(&text, &member)) {
        g_autofree char *name = qmp_text_dup(member.name);
        g_autofree char *type = add_type(schema, member.type);
        JsonNode *node = qmp_object("name:s,type:s", name, type);

        if (member.optional) {
            json_object_set_null_member(json_node_get_object(node), "default");
        }
        json_array_add_element(list, node);
    }
}

/* The object of these members, under that name; returns its name. */
static char *add_object(Schema *schema, const char *name, QmpText members)
{
    JsonObject *entry;

    name = members.length ? name : "q_empty";
    entry = add_entry(schema, name, "object");
    if (entry) {
        add_members(schema, entry, members);
    }
    return g_strdup(name);
}

static void add_variants(Schema *schema, JsonObject *entry, const QmpType *type)
{
    JsonArray *list = add_list(entry, "variants");
    QmpText text = qmp_text(type->text), value;
    g_autofree char *tag = NULL;
    const QmpType *values;
    QmpMember member;

    qmp_next_member(&text, &member);
    tag = qmp_text_dup(member.name);
    json_object_set_string_member(entry, "tag", tag);
    values = qmp_type_find(member.type);
    for (int i = 0; values && qmp_enum_value(values, i, &value); i++) {
        g_autofree char *name = qmp_text_dup(value);
        g_autofree char *variant = g_strdup_printf("%s-%s", type->name, name);
        g_autofree char *object =
            add_object(schema, variant, qmp_variant_members(type, name));

        json_array_add_element(list, qmp_object("case:s,type:s", name, object));
    }
}

static void add_enum_values(JsonObject *entry, const QmpType *type)
{
    JsonArray *members = add_list(entry, "members"), *values = add_list(entry, "values");
    QmpText value;

    for (int i = 0; qmp_enum_value(type, i, &value); i++) {
        g_autofree char *name = qmp_text_dup(value);

        json_array_add_element(members, qmp_object("name:s", name));
        json_array_add_string_element(values, name);
    }
}

static void add_alternatives(Schema *schema, JsonObject *entry, const QmpType *type)
{
    JsonArray *members = add_list(entry, "members");
    QmpText text = qmp_text(type->text), part;

    while (qmp_next_part(&text, '|', &part)) {
        g_autofree char *name = add_type(schema, part);

        json_array_add_element(members, qmp_object("type:s", name));
    }
}

static void add_described_type(Schema *schema, const QmpType *type)
{
    static const char *const meta_types[] = {[QMP_ENUM] = "enum",
                                             [QMP_OBJECT] = "object",
                                             [QMP_UNION] = "object",
                                             [QMP_ALTERNATE] = "alternate"};
    JsonObject *entry = add_entry(schema, type->name, meta_types[type->kind]);

    if (!entry) {
        return;
    }
    if (type->kind == QMP_ENUM) {
        add_enum_values(entry, type);
    } else if (type->kind == QMP_ALTERNATE) {
        add_alternatives(schema, entry, type);
    } else {
        add_members(schema, entry, qmp_text(type->text));
        if (type->kind == QMP_UNION) {
            add_variants(schema, entry, type);
        }
    }
}

/* Makes the type's entry and returns its name. */
static char *add_type(Schema *schema, QmpText text)
{
    char *name = qmp_text_dup(text);
    const QmpType *type = qmp_type_find(text);
    const QmpBuiltin *builtin = qmp_builtin_find(text);
    JsonObject *entry;

    if (*name == '[') {
        g_autofree char *element =
            add_type(schema, (QmpText){text.start + 1, text.length - 2});

        entry = add_entry(schema, name, "array");
        if (entry) {
            json_object_set_string_member(entry, "element-type", element);
        }
    } else if (type) {
        add_described_type(schema, type);
    } else if (builtin) {
        g_free(name);
        name = g_strdup(builtin->name);
        entry = add_entry(schema, name, "builtin");
        if (entry) {
            json_object_set_string_member(entry, "json-type", builtin->json_type);
        }
    } else {
        g_critical("QMP: no type '%s' is described", name);
    }
    return name;
}

static char *add_arguments(Schema *schema, const char *owner, const char *members)
{
    g_autofree char *name = g_strdup_printf("q_obj_%s-arg", owner);

    members += *members == '*';
    if (qmp_type_find(qmp_text(members))) {
        return add_type(schema, qmp_text(members));
    }
    return add_object(schema, name, qmp_text(members));
}

static void add_command(const QmpCommand *command, void *opaque)
{
    Schema *schema = opaque;
    JsonObject *entry = add_entry(schema, command->name, "command");
    g_autofree char *arguments = add_arguments(schema, command->name, command->args);
    g_autofree char *returns = command->returns
                                   ? add_type(schema, qmp_text(command->returns))
                                   : add_object(schema, NULL, qmp_text(""));

    json_object_set_string_member(entry, "arg-type", arguments);
    json_object_set_string_member(entry, "ret-type", returns);
}

JsonNode *qmp_schema(void)
{
    Schema schema = {json_array_new(),
                     g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)};

    qmp_foreach_command(add_command, &schema);
    for (const QmpEvent *event = qmp_events; event->name; event++) {
        JsonObject *entry = add_entry(&schema, event->name, "event");
        g_autofree char *data = add_arguments(&schema, event->name, event->data);

        json_object_set_string_member(entry, "arg-type", data);
    }
    g_hash_table_unref(schema.names);
    return qmp_array(schema.entries);
}
