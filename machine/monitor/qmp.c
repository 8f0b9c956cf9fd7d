/*
 * QMP: finding commands and running them.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/monitor/qmp.h"

#include <stdarg.h>
#include <string.h>

#include "machine/monitor/qmp-types.h"

/* clang-format off: one a line, so that additions do not collide. */
static const QmpCommand *const tables[] = {
    qmp_session_commands,
    qmp_run_commands,
    qmp_query_commands,
    qmp_block_commands,
    qmp_machine_commands,
    qmp_device_commands,
    qmp_chardev_commands,
    qmp_input_commands,
    qmp_descriptor_commands,
    qmp_qom_commands,
    qmp_explain_commands,
    qmp_trace_commands,
    qmp_object_commands,
    qmp_screendump_commands,
    qmp_migration_commands,
};
/* clang-format on */

G_DEFINE_QUARK(qmp - error - quark, qmp_error)

void qmp_foreach_command(void (*func)(const QmpCommand *command, void *opaque),
                         void *opaque)
{
    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++) {
        for (const QmpCommand *command = tables[i]; command->name; command++) {
            func(command, opaque);
        }
    }
}

static const QmpCommand *find(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++) {
        for (const QmpCommand *command = tables[i]; command->name; command++) {
            if (strcmp(command->name, name) == 0) {
                return command;
            }
        }
    }
    return NULL;
}

JsonNode *qmp_run(const char *name, JsonObject *args, GError **error)
{
    const QmpCommand *command = find(name);
    GError *failure = NULL;
    JsonNode *value;

    if (!command) {
        g_set_error(error, QMP_ERROR, QMP_COMMAND_NOT_FOUND,
                    "The command %s has not been found", name);
        return NULL;
    }
    if (!qmp_check_members(command->args, args, error)) {
        return NULL;
    }
    value = command->run(args, &failure);
    if (failure) {
        g_propagate_error(error, failure);
        g_clear_pointer(&value, json_node_unref);
        return NULL;
    }
    return value ? value : qmp_object("");
}

/* -- Arguments that are options --------------------------------------------------- */

/* A value as the command line spells it, its commas doubled. */
static char *value_text(JsonNode *value)
{
    g_autoptr(GString) text = NULL;

    switch (JSON_NODE_HOLDS_VALUE(value) ? json_node_get_value_type(value) : 0) {
    case G_TYPE_STRING:
        text = g_string_new(json_node_get_string(value));
        g_string_replace(text, ",", ",,", 0);
        return g_string_free(g_steal_pointer(&text), FALSE);
    case G_TYPE_BOOLEAN:
        return g_strdup(json_node_get_boolean(value) ? "on" : "off");
    case G_TYPE_INT64:
        return g_strdup_printf("%" G_GINT64_FORMAT, json_node_get_int(value));
    default:
        return NULL;
    }
}

char *qmp_option_text(JsonObject *args, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    JsonObjectIter iter;
    const char *name;
    JsonNode *value;

    json_object_iter_init_ordered(&iter, args);
    while (json_object_iter_next_ordered(&iter, &name, &value)) {
        g_autofree char *spelled = value_text(value);

        if (!spelled || strpbrk(name, ",=")) {
            g_set_error(error, QMP_ERROR, QMP_GENERIC_ERROR,
                        "Invalid parameter type for '%s', expected: string", name);
            return NULL;
        }
        g_string_append_printf(text, "%s%s=%s", text->len ? "," : "", name, spelled);
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

/* -- Values ------------------------------------------------------------------------- */

JsonNode *qmp_string(const char *text)
{
    return json_node_init_string(json_node_alloc(), text ? text : "");
}

JsonNode *qmp_array(JsonArray *array)
{
    JsonNode *node = json_node_new(JSON_NODE_ARRAY);

    json_node_take_array(node, array);
    return node;
}

JsonNode *qmp_object(const char *members, ...)
{
    JsonObject *object = json_object_new();
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);
    va_list values;

    va_start(values, members);
    for (const char *p = members; *p;) {
        size_t part = strcspn(p, ":");
        g_autofree char *name = g_strndup(p, part);

        switch (p[part + 1]) {
        case 's':
            json_object_set_string_member(object, name, va_arg(values, const char *));
            break;
        case 'i':
            json_object_set_int_member(object, name, va_arg(values, gint64));
            break;
        case 'b':
            json_object_set_boolean_member(object, name, va_arg(values, int));
            break;
        default:
            json_object_set_member(object, name, va_arg(values, JsonNode *));
        }
        p += part + 2;
        p += *p == ',';
    }
    va_end(values);
    json_node_take_object(node, object);
    return node;
}
