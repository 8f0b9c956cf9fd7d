/*
 * A QMP session: greeting, capabilities negotiation, commands in their order, events.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <string.h>

#include "machine/monitor/json-stream.h"
#include "machine/monitor/monitor.h"
#include "machine/monitor/qmp-block.h"
#include "machine/monitor/qmp-types.h"
#include "machine/monitor/qmp.h"
#include "machine/run-state.h"

/* Commands wait while the peer has taken less than this of the answers. */
#define PENDING_MAX 262144

struct QmpSession {
    CharFrontend frontend;
    JsonStream stream;
    bool pretty;
    bool negotiated;
    bool out_of_band; /* the peer has asked for the capability "oob" */
};

static GPtrArray *sessions;

static void send_value(QmpSession *session, JsonNode *value)
{
    g_autoptr(GString) text = g_string_new(NULL);

    json_write(text, value, session->pretty);
    g_string_append(text, "\r\n");
    char_frontend_write(&session->frontend, text->str, text->len);
    json_node_unref(value);
}

static void send_greeting(QmpSession *session)
{
    JsonArray *capabilities = json_array_new();
    g_autoptr(GError) error = NULL;
    JsonObject *nothing = json_object_new();

    json_array_add_string_element(capabilities, "oob");
    send_value(session,
               qmp_object("QMP:n", qmp_object("version:n,capabilities:n",
                                              qmp_run("query-version", nothing, &error),
                                              qmp_array(capabilities))));
    json_object_unref(nothing);
}

static const char *error_class(const GError *error)
{
    static const char *const names[] = {
        [QMP_GENERIC_ERROR] = "GenericError",
        [QMP_COMMAND_NOT_FOUND] = "CommandNotFound",
        [QMP_DEVICE_NOT_ACTIVE] = "DeviceNotActive",
        [QMP_DEVICE_NOT_FOUND] = "DeviceNotFound",
        [QMP_KVM_MISSING_CAP] = "KVMMissingCap",
    };

    return names[error->domain == QMP_ERROR ? error->code : QMP_GENERIC_ERROR];
}

static void send_reply(QmpSession *session, JsonNode *value, GError *error, JsonNode *id)
{
    JsonNode *reply =
        error ? qmp_object("error:n", qmp_object("class:s,desc:s", error_class(error),
                                                 error->message))
              : qmp_object("return:n", value);

    if (id) {
        json_object_set_member(json_node_get_object(reply), "id", json_node_copy(id));
    }
    send_value(session, reply);
    g_clear_error(&error);
}

/* -- Requests -------------------------------------------------------------------- */

/* What the table knows of it: a session that may run commands has been through it. */
static JsonNode *run_capabilities(JsonObject *args, GError **error)
{
    g_set_error(error, QMP_ERROR, QMP_COMMAND_NOT_FOUND,
                "Capabilities negotiation is already complete, command ignored");
    return NULL;
}

const QmpCommand qmp_session_commands[] = {
    {"qmp_capabilities", "enable:[QMPCapability]?", run_capabilities},
    {NULL},
};

static JsonNode *negotiate(QmpSession *session, const char *name, JsonObject *args,
                           GError **error)
{
    const QmpCommand *capabilities = &qmp_session_commands[0];

    if (strcmp(name, capabilities->name) != 0) {
        g_set_error(error, QMP_ERROR, QMP_COMMAND_NOT_FOUND,
                    "Expecting capabilities negotiation with '%s'", capabilities->name);
        return NULL;
    }
    if (!qmp_check_members(capabilities->args, args, error)) {
        return NULL;
    }
    session->negotiated = true;
    session->out_of_band =
        json_object_has_member(args, "enable") &&
        json_array_get_length(json_object_get_array_member(args, "enable")) > 0;
    return qmp_object("");
}

static JsonNode *dispatch(QmpSession *session, const char *name, JsonObject *args,
                          GError **error)
{
    return session->negotiated ? qmp_run(name, args, error)
                               : negotiate(session, name, args, error);
}

static bool check_member(const QmpSession *session, const char *name, JsonNode *value,
                         GError **error)
{
    bool command = strcmp(name, "execute") == 0 ||
                   (session->out_of_band && strcmp(name, "exec-oob") == 0);
    const char *wanted = NULL;

    if (command && !(JSON_NODE_HOLDS_VALUE(value) &&
                     json_node_get_value_type(value) == G_TYPE_STRING)) {
        wanted = "a string";
    } else if (strcmp(name, "arguments") == 0 && !JSON_NODE_HOLDS_OBJECT(value)) {
        wanted = "an object";
    } else if (!command && strcmp(name, "arguments") != 0 && strcmp(name, "id") != 0) {
        g_set_error(error, QMP_ERROR, QMP_GENERIC_ERROR,
                    "QMP input member '%s' is unexpected", name);
        return false;
    }
    if (wanted) {
        g_set_error(error, QMP_ERROR, QMP_GENERIC_ERROR,
                    "QMP input member '%s' must be %s", name, wanted);
        return false;
    }
    return true;
}

static bool check_request(const QmpSession *session, JsonObject *request, GError **error)
{
    JsonObjectIter iter;
    const char *name;
    JsonNode *value;

    json_object_iter_init_ordered(&iter, request);
    while (json_object_iter_next_ordered(&iter, &name, &value)) {
        if (!check_member(session, name, value, error)) {
            return false;
        }
    }
    if (!json_object_has_member(request, "execute") &&
        !json_object_has_member(request, "exec-oob")) {
        g_set_error(error, QMP_ERROR, QMP_GENERIC_ERROR,
                    "QMP input lacks member 'execute'");
        return false;
    }
    if (json_object_has_member(request, "exec-oob")) {
        /* Those that QEMU runs so unblock a migration or a backend; there is
         * none here. */
        g_set_error(error, QMP_ERROR, QMP_GENERIC_ERROR,
                    "The command %s does not support OOB",
                    json_object_get_string_member(request, "exec-oob"));
        return false;
    }
    return true;
}

static void handle_value(JsonNode *value, const char *message, void *opaque)
{
    QmpSession *session = opaque;
    GError *error = NULL;
    JsonObject *request, *args;
    JsonNode *id, *result = NULL;
    CharFrontend *before;

    if (!value || !JSON_NODE_HOLDS_OBJECT(value)) {
        g_set_error_literal(&error, QMP_ERROR, QMP_GENERIC_ERROR,
                            value ? "QMP input must be a JSON object" : message);
        send_reply(session, NULL, error, NULL);
        return;
    }
    request = json_node_get_object(value);
    id = json_object_get_member(request, "id");
    if (check_request(session, request, &error)) {
        args = json_object_has_member(request, "arguments")
                   ? json_object_ref(json_object_get_object_member(request, "arguments"))
                   : json_object_new();
        before = monitor_enter(&session->frontend);
        result = dispatch(session, json_object_get_string_member(request, "execute"),
                          args, &error);
        monitor_enter(before);
        json_object_unref(args);
    }
    send_reply(session, result, error, id);
}

/* -- Events ---------------------------------------------------------------------- */

void qmp_event(const char *name, JsonNode *data)
{
    gint64 now = g_get_real_time();

    for (guint i = 0; sessions && i < sessions->len; i++) {
        QmpSession *session = sessions->pdata[i];
        JsonNode *event;

        if (!session->negotiated) {
            continue;
        }
        event = qmp_object("timestamp:n,event:s",
                           qmp_object("seconds:i,microseconds:i", now / G_USEC_PER_SEC,
                                      now % G_USEC_PER_SEC),
                           name);
        if (data) {
            json_object_set_member(json_node_get_object(event), "data",
                                   json_node_copy(data));
        }
        send_value(session, event);
    }
    g_clear_pointer(&data, json_node_unref);
}

static void run_event(RunEvent event, SystemCause cause, const char *text, void *opaque)
{
    bool guest = cause == SYSTEM_CAUSE_GUEST_SHUTDOWN ||
                 cause == SYSTEM_CAUSE_GUEST_RESET || cause == SYSTEM_CAUSE_GUEST_PANIC;
    static const char *const plain[] = {
        [RUN_EVENT_STOP] = "STOP",           [RUN_EVENT_RESUME] = "RESUME",
        [RUN_EVENT_SUSPEND] = "SUSPEND",     [RUN_EVENT_WAKEUP] = "WAKEUP",
        [RUN_EVENT_POWERDOWN] = "POWERDOWN",
    };

    static const char *const with_action[] = {
        [RUN_EVENT_GUEST_PANICKED] = "GUEST_PANICKED",
        [RUN_EVENT_GUEST_CRASHLOADED] = "GUEST_CRASHLOADED",
        [RUN_EVENT_WATCHDOG] = "WATCHDOG",
    };

    if (event == RUN_EVENT_RESET || event == RUN_EVENT_SHUTDOWN) {
        qmp_event(event == RUN_EVENT_RESET ? "RESET" : "SHUTDOWN",
                  qmp_object("guest:b,reason:s", guest, system_cause_name(cause)));
    } else if (event < G_N_ELEMENTS(plain) && plain[event]) {
        qmp_event(plain[event], NULL);
    } else if (event < G_N_ELEMENTS(with_action) && with_action[event]) {
        qmp_event(with_action[event], qmp_object("action:s", text));
    }
}

/* -- The chardev ----------------------------------------------------------------- */

static void session_receive(void *opaque, const uint8_t *buffer, size_t length)
{
    QmpSession *session = opaque;

    json_stream_feed(&session->stream, (const char *)buffer, length);
}

static int session_can_receive(void *opaque)
{
    QmpSession *session = opaque;

    return char_frontend_pending(&session->frontend) < PENDING_MAX ? 4096 : 0;
}

static void session_event(void *opaque, CharEvent event)
{
    QmpSession *session = opaque;

    if (event == CHAR_EVENT_OPENED) {
        session->negotiated = session->out_of_band = false;
        json_stream_reset(&session->stream);
        send_greeting(session);
    } else if (event == CHAR_EVENT_CLOSED) {
        session->negotiated = false;
    }
}

QmpSession *qmp_session_new(Chardev *chardev, bool pretty, GError **error)
{
    QmpSession *session = g_new0(QmpSession, 1);

    session->pretty = pretty;
    json_stream_init(&session->stream, handle_value, session);
    session->frontend = (CharFrontend){
        .can_receive = session_can_receive,
        .receive = session_receive,
        .event = session_event,
        .opaque = session,
        .yields_focus = true,
    };
    if (!sessions) {
        sessions = g_ptr_array_new();
        run_state_add_handler(run_event, NULL);
        device_set_unplug_handler(qmp_device_deleted);
        qmp_migration_init();
        qmp_block_listen();
    }
    g_ptr_array_add(sessions, session);
    if (!char_frontend_connect(&session->frontend, chardev, error)) {
        qmp_session_free(session);
        return NULL;
    }
    return session;
}

void qmp_session_free(QmpSession *session)
{
    g_ptr_array_remove(sessions, session);
    char_frontend_disconnect(&session->frontend);
    json_stream_destroy(&session->stream);
    g_free(session);
}
