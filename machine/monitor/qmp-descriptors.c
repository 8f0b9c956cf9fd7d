/*
 * QMP: file descriptors that the client hands over.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/core/descriptors.h"
#include "machine/monitor/monitor.h"
#include "machine/monitor/qmp.h"

static JsonNode *run_getfd(JsonObject *args, GError **error)
{
    int fd = monitor_take_fd(error);

    if (fd >= 0) {
        descriptor_name(json_object_get_string_member(args, "fdname"), fd, error);
    }
    return NULL;
}

static JsonNode *run_closefd(JsonObject *args, GError **error)
{
    descriptor_close(json_object_get_string_member(args, "fdname"), error);
    return NULL;
}

static JsonNode *run_add_fd(JsonObject *args, GError **error)
{
    gint64 set = json_object_get_int_member_with_default(args, "fdset-id",
                                                         descriptor_set_free_number());
    const char *note = json_object_get_string_member_with_default(args, "opaque", NULL);
    int fd = monitor_take_fd(error);

    if (fd < 0 || !descriptor_set_add(set, fd, note, error)) {
        return NULL;
    }
    return qmp_object("fd:i,fdset-id:i", (gint64)fd, set);
}

static JsonNode *run_remove_fd(JsonObject *args, GError **error)
{
    descriptor_set_remove(json_object_get_int_member(args, "fdset-id"),
                          (int)json_object_get_int_member_with_default(args, "fd", -1),
                          error);
    return NULL;
}

typedef struct SetList {
    JsonArray *sets, *fds; /* fds: of the set that is last */
    int64_t set;
} SetList;

static void add_member(int64_t set, int fd, const char *note, void *opaque)
{
    SetList *list = opaque;
    JsonNode *node = qmp_object("fd:i", (gint64)fd);

    if (note) {
        json_object_set_string_member(json_node_get_object(node), "opaque", note);
    }
    if (!list->fds || list->set != set) {
        list->set = set;
        list->fds = json_array_new();
        json_array_add_element(list->sets, qmp_object("fds:n,fdset-id:i",
                                                      qmp_array(list->fds), (gint64)set));
    }
    json_array_add_element(list->fds, node);
}

static JsonNode *query_fdsets(JsonObject *args, GError **error)
{
    SetList list = {.sets = json_array_new()};

    descriptor_set_foreach(add_member, &list);
    return qmp_array(list.sets);
}

const QmpCommand qmp_descriptor_commands[] = {
    {"getfd", "fdname:str", run_getfd},
    {"closefd", "fdname:str", run_closefd},
    {"add-fd", "fdset-id:int?,opaque:str?", run_add_fd, "AddfdInfo"},
    {"remove-fd", "fdset-id:int,fd:int?", run_remove_fd},
    {"query-fdsets", "", query_fdsets, "[FdsetInfo]"},
    {NULL},
};
