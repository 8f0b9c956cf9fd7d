/*
 * The stub's connection: when it stops the machine, and when it lets it go.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/gdb/stub.h"

#include <string.h>

#include "machine/gdb/stub-internal.h"
#include "machine/run-state.h"

/* Signals by GDB's numbers, which are its own ("Stop Reply Packets"). */
enum {
    SIGNAL_INT = 2,
    SIGNAL_QUIT = 3,
    SIGNAL_TRAP = 5,
    SIGNAL_ABRT = 6,
    SIGNAL_ALRM = 14,
    SIGNAL_IO = 23,
};

/* A client that takes no answers is asked for no more packets. */
#define PENDING_MAX (4 * GDB_PACKET_MAX)

static GdbStub *current;

/* -- Answers ------------------------------------------------------------------------- */

void gdb_reply_bytes(GdbStub *stub, const char *body, size_t length)
{
    if (stub->sent) {
        g_string_free(stub->sent, TRUE);
    }
    stub->sent = gdb_packet_new(body, length);
    char_frontend_write(&stub->frontend, stub->sent->str, stub->sent->len);
}

void gdb_reply(GdbStub *stub, const char *text)
{
    gdb_reply_bytes(stub, text, strlen(text));
}

static int signal_of_state(void)
{
    switch (run_state()) {
    case RUN_STATE_PAUSED:
        return SIGNAL_INT;
    case RUN_STATE_SHUTDOWN:
        return SIGNAL_QUIT;
    case RUN_STATE_IO_ERROR:
        return SIGNAL_IO;
    case RUN_STATE_WATCHDOG:
        return SIGNAL_ALRM;
    case RUN_STATE_INTERNAL_ERROR:
        return SIGNAL_ABRT;
    default:
        return SIGNAL_TRAP;
    }
}

static const char *watch_name(AccelBreakKind kind)
{
    static const char *const names[] = {
        [ACCEL_BREAK_WRITE] = "watch",
        [ACCEL_BREAK_READ] = "rwatch",
        [ACCEL_BREAK_ACCESS] = "awatch",
    };

    return names[kind];
}

void gdb_reply_stop(GdbStub *stub)
{
    const AccelBreakpoint *met = &stub->stop.breakpoint;
    g_autofree char *why = NULL;
    g_autofree char *reply = NULL;

    if (run_state() == RUN_STATE_DEBUG && stub->stop.cpu && !stub->stop.step) {
        if (met->kind != ACCEL_BREAK_EXECUTE) {
            why = g_strdup_printf("%s:%" G_GINT64_MODIFIER "x;", watch_name(met->kind),
                                  met->address);
        } else if (stub->told_why && met->address == stub->cpu->registers.rip) {
            /* Elsewhere (real mode) GDB would take it for a breakpoint of the past. */
            why = g_strdup(met->hardware ? "hwbreak:;" : "swbreak:;");
        }
    }
    reply = g_strdup_printf("T%02xthread:%02x;%s", signal_of_state(),
                            stub->cpu->index + 1, why ? why : "");
    gdb_reply(stub, reply);
}

/* -- Running and stopping ------------------------------------------------------------ */

void gdb_continue(GdbStub *stub, X86CPU *step)
{
    stub->stop.cpu = NULL;
    accel_prepare_to_continue(stub->machine->accel, step);
    stub->continued = true;
    if (!run_state_cont()) {
        gdb_reply_stop(stub);
        stub->continued = false;
    }
}

/* In the main loop: what a vCPU has met stops the machine. */
static gboolean carry_out_stop(gpointer opaque)
{
    GdbStub *stub = opaque;

    stub->stop_source = 0;
    if (run_state_running()) {
        run_state_stop_as(RUN_STATE_DEBUG);
    }
    return G_SOURCE_REMOVE;
}

static void note_stop(const AccelDebugStop *stop, void *opaque)
{
    GdbStub *stub = opaque;

    if (!stub->stop_source) {
        stub->stop = *stop;
        stub->stop_source = g_idle_add_full(G_PRIORITY_HIGH, carry_out_stop, stub, NULL);
    }
}

/* Whoever stopped the machine: a client that waits is told. */
static void note_event(RunEvent event, SystemCause cause, const char *text, void *opaque)
{
    GdbStub *stub = current;

    if (event == RUN_EVENT_STOP && stub && stub->connected && stub->continued) {
        accel_end_step(stub->machine->accel);
        if (stub->stop.cpu) {
            stub->cpu = stub->run_cpu = stub->stop.cpu;
        }
        stub->continued = false;
        gdb_reply_stop(stub);
    }
}

static void start_session(GdbStub *stub)
{
    stub->ran = run_state_running();
    run_state_stop();
    stub->connected = true;
    stub->no_ack = stub->told_why = stub->physical = stub->continued = false;
    stub->stop.cpu = NULL;
    stub->cpu = stub->run_cpu = stub->machine->cpus->pdata[0];
    accel_get_registers(stub->cpu);
    stub->layout = gdb_layout_for(stub->cpu);
    gdb_receiver_reset(&stub->receiver);
}

void gdb_end_session(GdbStub *stub, bool run)
{
    if (stub->connected) {
        stub->connected = stub->continued = false;
        if (run_state_running()) {
            run_state_stop();
            run = true;
        }
        accel_remove_all_breakpoints(stub->machine->accel);
        if (run && (run_state() == RUN_STATE_PAUSED || run_state() == RUN_STATE_DEBUG ||
                    run_state() == RUN_STATE_PRELAUNCH)) {
            run_state_cont();
        }
    }
}

/* -- The connection ------------------------------------------------------------------ */

static void handle_input(GdbStub *stub, GdbInput input)
{
    if (input == GDB_INPUT_RESEND) {
        if (stub->sent && !stub->no_ack) {
            char_frontend_write(&stub->frontend, stub->sent->str, stub->sent->len);
        }
        return;
    }
    if (input == GDB_INPUT_INTERRUPT) {
        run_state_stop();
        return;
    }
    if (!stub->no_ack) {
        char_frontend_write(&stub->frontend, input == GDB_INPUT_BROKEN ? "-" : "+", 1);
    }
    if (input == GDB_INPUT_BROKEN) {
        return;
    }
    /* Nothing can be answered of a machine that runs. */
    stub->continued = false;
    run_state_stop();
    if (input == GDB_INPUT_TOO_LONG) {
        gdb_reply(stub, "E22");
    } else {
        gdb_run_packet(stub, stub->receiver.body->str, stub->receiver.body->len);
    }
}

static void stub_receive(void *opaque, const uint8_t *buffer, size_t length)
{
    GdbStub *stub = opaque;

    for (size_t i = 0; i < length; i++) {
        GdbInput input;

        /* After a detach the same client may come back on the same connection. */
        if (!stub->connected) {
            if (buffer[i] != '$') {
                continue;
            }
            start_session(stub);
        }
        input = gdb_receiver_byte(&stub->receiver, buffer[i]);
        if (input != GDB_INPUT_NONE) {
            handle_input(stub, input);
        }
    }
}

static int stub_can_receive(void *opaque)
{
    GdbStub *stub = opaque;

    return char_frontend_pending(&stub->frontend) < PENDING_MAX ? 4096 : 0;
}

static void stub_event(void *opaque, CharEvent event)
{
    GdbStub *stub = opaque;

    if (event == CHAR_EVENT_OPENED) {
        start_session(stub);
    } else if (event == CHAR_EVENT_CLOSED) {
        gdb_end_session(stub, stub->ran);
    }
}

static void stop_listening(void)
{
    GdbStub *stub = g_steal_pointer(&current);

    if (!stub) {
        return;
    }
    gdb_end_session(stub, stub->ran);
    accel_set_debug_handler(stub->machine->accel, NULL, NULL);
    g_clear_handle_id(&stub->stop_source, g_source_remove);
    char_frontend_disconnect(&stub->frontend);
    if (stub->sent) {
        g_string_free(stub->sent, TRUE);
    }
    g_string_free(stub->receiver.body, TRUE);
    g_free(stub);
}

/* A TCP address alone means to listen there, as QEMU has it. */
static Chardev *make_chardev(const char *text, GError **error)
{
    g_autofree char *full =
        g_str_has_prefix(text, "tcp:")
            ? g_strconcat(text, ",server=on,wait=off,nodelay=on", NULL)
            : g_strdup(text);

    static unsigned count;
    g_autofree char *id = g_strdup_printf("gdb%u", count++);

    return chardev_new_from_text(id, full, error);
}

bool gdb_stub_start(const char *text, GError **error)
{
    static bool hears_events;
    GError *problem = NULL;
    Chardev *chardev = make_chardev(text, &problem);
    GdbStub *stub;

    if (problem) {
        g_propagate_error(error, problem);
        return false;
    }
    stop_listening();
    if (!chardev) {
        return true;
    }
    stub = current = g_new0(GdbStub, 1);
    stub->machine = machine_current();
    gdb_receiver_init(&stub->receiver);
    accel_set_debug_handler(stub->machine->accel, note_stop, stub);
    if (!hears_events) {
        run_state_add_handler(note_event, NULL);
        hears_events = true;
    }
    stub->frontend = (CharFrontend){
        .can_receive = stub_can_receive,
        .receive = stub_receive,
        .event = stub_event,
        .opaque = stub,
    };
    if (!char_frontend_connect(&stub->frontend, chardev, error)) {
        stop_listening();
        return false;
    }
    return true;
}

void gdb_stub_cleanup(int exit_status)
{
    if (current && current->connected) {
        g_autofree char *text = g_strdup_printf("W%02x", (unsigned)exit_status & 0xff);

        gdb_reply(current, text);
        current->connected = false;
    }
    stop_listening();
}
