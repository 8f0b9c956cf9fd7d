/*
 * The user's objects in the monitors: as -object makes them, and the memory backends
 * among them.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/machine.h"
#include "machine/memory-backend.h"
#include "machine/monitor/hmp.h"
#include "machine/monitor/qmp.h"
#include "memory/ram-block.h"

/* -- Memory backends --------------------------------------------------------------- */

typedef struct Memdev {
    const char *id;
    uint64_t size; /* bytes */
    bool prealloc;
    bool share;
} Memdev;

static void add_memdev(UserObject *object, void *opaque)
{
    const MemoryBackend *backend;
    Memdev memdev;

    if (!G_TYPE_CHECK_INSTANCE_TYPE(object, TYPE_MEMORY_BACKEND)) {
        return;
    }
    backend = MEMORY_BACKEND(object);
    memdev = (Memdev){object->id, backend->size, backend->prealloc, backend->share};
    g_array_append_val(opaque, memdev);
}

/* Memdevs: the user's, and the machine's own RAM where the user gave it no backend. */
static GArray *find_memdevs(void)
{
    const Machine *machine = machine_current();
    RAMBlock *block = memory_region_ram_block(&machine->ram);
    GArray *memdevs = g_array_new(FALSE, FALSE, sizeof(Memdev));

    user_object_foreach(add_memdev, memdevs);
    if (block && !machine->memory_backend) {
        Memdev own = {.id = block->name, .size = block->used_length};

        g_array_append_val(memdevs, own);
    }
    return memdevs;
}

static void run_memdev(Hmp *hmp, const HmpArgs *args)
{
    g_autoptr(GArray) memdevs = find_memdevs();

    for (guint i = 0; i < memdevs->len; i++) {
        const Memdev *memdev = &g_array_index(memdevs, Memdev, i);

        hmp_printf(hmp, "memory backend: %s\n", memdev->id);
        hmp_printf(hmp, "  size:  %" PRIu64 "\n", memdev->size);
        hmp_printf(hmp, "  merge: true\n  dump: true\n  prealloc: %s\n",
                   memdev->prealloc ? "true" : "false");
        hmp_printf(hmp,
                   "  share: %s\n  reserve: true\n  policy: default\n  host nodes: \n",
                   memdev->share ? "true" : "false");
    }
    hmp_printf(hmp, "\n");
}

static JsonNode *query_memdev(JsonObject *args, GError **error)
{
    g_autoptr(GArray) memdevs = find_memdevs();
    JsonArray *list = json_array_new();

    for (guint i = 0; i < memdevs->len; i++) {
        const Memdev *memdev = &g_array_index(memdevs, Memdev, i);

        json_array_add_element(
            list,
            qmp_object("share:b,reserve:b,prealloc:b,host-nodes:n,size:i,merge:b,dump:b,"
                       "policy:s,id:s",
                       memdev->share, true, memdev->prealloc, qmp_array(json_array_new()),
                       (gint64)memdev->size, true, true, "default", memdev->id));
    }
    return qmp_array(list);
}

/* -- Objects of all kinds ---------------------------------------------------------- */

static void run_object_add(Hmp *hmp, const HmpArgs *args)
{
    const char *text = hmp_arg_text(args, "object");
    GError *error = NULL;

    if (!user_object_help(text, hmp->out) && !user_object_add_from_text(text, &error)) {
        hmp_report(hmp, error);
    }
}

static void run_object_del(Hmp *hmp, const HmpArgs *args)
{
    GError *error = NULL;

    if (!user_object_del(hmp_arg_text(args, "id"), &error)) {
        hmp_report(hmp, error);
    }
}

static JsonNode *object_add(JsonObject *args, GError **error)
{
    g_autofree char *text = qmp_option_text(args, error);

    if (text) {
        user_object_add_from_text(text, error);
    }
    return NULL;
}

static JsonNode *object_del(JsonObject *args, GError **error)
{
    user_object_del(json_object_get_string_member(args, "id"), error);
    return NULL;
}

const HmpCommand hmp_object_commands[] = {
    {"info memdev", "", "", "show memory backends", run_memdev},
    {"object_add", "object:S", "[qom-type=]type,id=str[,prop=value][,...]",
     "create QOM object", run_object_add},
    {"object_del", "id:s", "id", "destroy QOM object", run_object_del},
    {NULL},
};

const QmpCommand qmp_object_commands[] = {
    {"object-add", "ObjectOptions", object_add},
    {"object-del", "id:str", object_del},
    {"query-memdev", "", query_memdev, "[Memdev]"},
    {NULL},
};
