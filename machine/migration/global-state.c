/*
 * The section "globalstate": the run state of the source at the moment of the switch, by
 * QMP's name for it, so that a machine that stood there stands here.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <gio/gio.h>
#include <string.h>

#include "hw/core/vmstate.h"
#include "machine/migration/migration.h"

#define NAME_SIZE 100 /* on the wire */

static struct GlobalState {
    uint32_t size; /* of the name, its NUL included */
    uint8_t runstate[NAME_SIZE];
    bool received;
    RunState state;
} global_state;

void migration_global_state_store(RunState state)
{
    const char *name = run_state_to_name(state);

    memset(global_state.runstate, 0, NAME_SIZE);
    g_strlcpy((char *)global_state.runstate, name, NAME_SIZE);
    global_state.size = (uint32_t)strlen(name) + 1;
}

bool migration_global_state_take(RunState *state)
{
    bool received = global_state.received;

    if (received) {
        *state = global_state.state;
        global_state.received = false;
    }
    return received;
}

/* Old machine types send it where it says more than "as usual". */
static bool is_needed(void *opaque)
{
    const struct GlobalState *state = opaque;

    return migration_stores_global_state() ||
           (strcmp((const char *)state->runstate, "running") != 0 &&
            strcmp((const char *)state->runstate, "paused") != 0);
}

static void pre_load(void *opaque)
{
    struct GlobalState *state = opaque;

    state->received = false;
}

static bool post_load(void *opaque, int version_id, GError **error)
{
    struct GlobalState *state = opaque;

    if (!memchr(state->runstate, 0, NAME_SIZE) ||
        !run_state_from_name((const char *)state->runstate, &state->state)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                    "the source's run state is none that Umbra knows");
        return false;
    }
    state->received = true;
    return true;
}

static const VMStateDescription vmstate_globalstate = {
    .name = "globalstate",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = is_needed,
    .pre_load = pre_load,
    .post_load = post_load,
    .fields = (const VMStateField[]){VMSTATE_UINT32(size, struct GlobalState),
                                     VMSTATE_BUFFER(runstate, struct GlobalState),
                                     VMSTATE_END_OF_LIST()},
};

void migration_global_state_init(void)
{
    vmstate_register(NULL, 0, &vmstate_globalstate, &global_state);
}
