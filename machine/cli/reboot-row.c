/*
 * One row of `umbra reboot`: a machine, booted from our boot sector until it has been
 * reset so many times, or until it is clear that it will not be.
 *
 * The machine may also leave for a file when the guest is ready, or come from one.
 *
 * Everything is watched from outside the guest: the sector's markers on the debug
 * console, PAM registers, resets with their source, and at each reset whether the E and F
 * segments equal the pristine copy below 4 GiB.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <glib-unix.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "firmware/shadow.h"
#include "hw/core/clock.h"
#include "hw/core/property.h"
#include "hw/input/keys.h"
#include "machine/cli/reboot.h"
#include "machine/cli/umbra-machine.h"
#include "machine/cli/umbra.h"
#include "machine/machine.h"
#include "machine/migration/migration.h"
#include "machine/run-state.h"
#include "memory/access.h"
#include "memory/io-lock.h"

#define PRISTINE_BASE UINT64_C(0xfffe0000)
#define DISK_SECTORS 2048
#define KERNELS_END MiB(4) /* guest physical: reboot-kernel is below */

/* A guest that gives no sign of life for so long (host time) counts as hung. Nested KVM
 * is slow in real mode, and slower with neighbours. */
#define SILENCE_SECONDS 20
#define SILENCE_SECONDS_KVM 60

/* However lively it is: host time for the machine, and for each of its boots. */
#define START_SECONDS 60
#define BOOT_SECONDS 60

typedef struct RowRun {
    RebootRow *row;
    Machine *machine;
    const char *save, *load; /* the stream to leave as, or to come from; or NULL */
    int debugcon;            /* where the guest writes to: a pipe, read without waiting */
    GString *line;           /* of it, so far */
    gint64 started;          /* monotonic, us */
    guint watchdog;
    guint patience;    /* seconds */
    bool has_firmware; /* whose copies are compared at a reset */
    bool done;
} RowRun;

static bool why_known(const RebootRow *row, const char *outcome, const char **why)
{
    return strcmp(outcome, reboot_expected(row->machine, row->method, why)) == 0 && *why;
}

/* Where it ends as the real machine is known to, the reason that is known for that. */
static void end_row(RowRun *run, const char *outcome, char *reason)
{
    const char *why = NULL;

    if (run->done) {
        g_free(reason);
        return;
    }
    run->done = true;
    run->row->outcome = outcome;
    run->row->reason = reason;
    if (reason && run->row->boots && why_known(run->row, outcome, &why)) {
        run->row->reason = g_strdup_printf("%s: %s", reason, why);
        g_free(reason);
    }
    run->row->seconds = (double)(g_get_monotonic_time() - run->started) / 1e6;
    run_state_quit(0, SYSTEM_CAUSE_NONE);
}

static double guest_seconds(void)
{
    return (double)clock_virtual_ns() / NANOSECONDS_PER_SECOND;
}

/* -- What is watched ---------------------------------------------------------------- */

static gboolean silent_too_long(gpointer data)
{
    RowRun *run = data;

    run->watchdog = 0;
    end_row(run, "hung",
            g_strdup_printf("%u boot%s seen, then no sign of life for %u s",
                            run->row->boots, umbra_plural(run->row->boots),
                            run->patience));
    return G_SOURCE_REMOVE;
}

static void sign_of_life(RowRun *run)
{
    if (run->watchdog) {
        g_source_remove(run->watchdog);
    }
    run->watchdog = g_timeout_add_seconds(run->patience, silent_too_long, run);
}

static gboolean alive_too_long(gpointer data)
{
    RowRun *run = data;

    end_row(run, "hung",
            g_strdup_printf("%u boot%s seen, and no end", run->row->boots,
                            umbra_plural(run->row->boots)));
    return G_SOURCE_REMOVE;
}

/* Where there is a copy below 4 GiB; -1 where not. */
static int shadow_is_pristine(Machine *machine)
{
    g_autofree uint8_t *shadow = g_malloc(SHADOW_SIZE);
    g_autofree uint8_t *pristine = g_malloc(SHADOW_SIZE);
    MemTxResult result =
        address_space_read(&machine->memory, SHADOW_E_SEGMENT, MEMTXATTRS_UNSPECIFIED,
                           shadow, SHADOW_SIZE) |
        address_space_read(&machine->memory, PRISTINE_BASE, MEMTXATTRS_UNSPECIFIED,
                           pristine, SHADOW_SIZE);

    return result != MEMTX_OK ? -1 : memcmp(shadow, pristine, SHADOW_SIZE) == 0;
}

static void on_pam(unsigned reg, uint8_t before, uint8_t after, void *opaque)
{
    RowRun *run = opaque;

    run->row->pam_writes++;
    reboot_row_add_event(run->row, (RebootEvent){.kind = REBOOT_EVENT_PAM,
                                                 .seconds = guest_seconds(),
                                                 .reg = reg,
                                                 .before = before,
                                                 .after = after});
}

static gboolean wake_up(gpointer data)
{
    system_wakeup_request();
    return G_SOURCE_REMOVE;
}

static gboolean press_ctrl_alt_del(gpointer data)
{
    input_send_key_combination("ctrl-alt-delete", 50, NULL);
    return G_SOURCE_REMOVE;
}

/* The guest holds where our sector does: the machine leaves, and this process with it. */
static gboolean leave(gpointer data)
{
    RowRun *run = data;
    g_autoptr(GError) error = NULL;

    run_state_stop();
    if (migration_snapshot_save(run->save, &error)) {
        end_row(run, "saved", NULL);
    } else {
        end_row(run, "fault", g_strdup(error->message));
    }
    return G_SOURCE_REMOVE;
}

static void on_line(RowRun *run, const char *line)
{
    static const char unsupported[] = "umbra: unsupported: ";

    sign_of_life(run);
    if (g_str_has_prefix(line, "umbra: boot ")) {
        run->row->boots++;
        reboot_row_add_event(run->row, (RebootEvent){.kind = REBOOT_EVENT_BOOT,
                                                     .seconds = guest_seconds(),
                                                     .text = g_strdup(line)});
    } else if (strcmp(line, "umbra: ready") == 0 && run->save) {
        g_idle_add(leave, run);
    } else if (strcmp(line, "umbra: waiting") == 0 && !input_has_keyboard()) {
        end_row(run, "unsupported", g_strdup("there is no keyboard"));
    } else if (strcmp(line, "umbra: waiting") == 0) {
        g_timeout_add(20, press_ctrl_alt_del, NULL);
    } else if (strcmp(line, "umbra: resumed") == 0) {
        end_row(run, "resumed", NULL);
    } else if (g_str_has_prefix(line, unsupported)) {
        end_row(run, "unsupported", g_strdup(line + strlen(unsupported)));
    } else if (strcmp(line, "umbra: image not fresh") == 0) {
        end_row(run, "fault", g_strdup("the kernel was not loaded anew"));
    } else if (strcmp(line, "umbra: memory changed") == 0) {
        end_row(run, "fault", g_strdup("it resumed, but memory had changed"));
    } else if (strcmp(line, "umbra: no reset") == 0) {
        end_row(run, "hung",
                g_strdup("the machine went on as if nothing had been asked"));
    } else if (strcmp(line, "umbra: done") == 0) {
        end_row(run, "rebooted", NULL);
    }
}

/* Some of what the guest has written; as read() returns. */
static ssize_t read_debugcon(RowRun *run)
{
    char buffer[512];
    ssize_t length = read(run->debugcon, buffer, sizeof(buffer));

    for (ssize_t i = 0; i < length; i++) {
        if (buffer[i] == '\n') {
            on_line(run, run->line->str);
            g_string_truncate(run->line, 0);
        } else if (run->line->len < 1024) {
            g_string_append_c(run->line, buffer[i]);
        }
    }
    return length;
}

static gboolean on_debugcon(gint fd, GIOCondition condition, gpointer data)
{
    ssize_t length = read_debugcon(data);

    return length > 0 || (length < 0 && (errno == EAGAIN || errno == EINTR));
}

static void on_run_event(RunEvent event, SystemCause cause, const char *text,
                         void *opaque)
{
    RowRun *run = opaque;

    /* What the guest wrote before the event counts before it. It adds nothing meanwhile:
     * the machine's lock is held. */
    while (read_debugcon(run) > 0) {
    }
    switch (event) {
    case RUN_EVENT_RESETTING:
        sign_of_life(run);
        run->row->pristine = run->has_firmware ? shadow_is_pristine(run->machine) : -1;
        reboot_row_add_event(run->row, (RebootEvent){.kind = REBOOT_EVENT_RESET,
                                                     .seconds = guest_seconds(),
                                                     .text = g_strdup(text),
                                                     .pristine = run->row->pristine > 0});
        break;
    case RUN_EVENT_SHUTDOWN:
        if (cause == SYSTEM_CAUSE_HOST_SIGNAL) {
            end_row(run, "hung", g_strdup("ended from outside"));
        } else if (cause == SYSTEM_CAUSE_GUEST_SHUTDOWN &&
                   run->row->boots > run->row->times) {
            end_row(run, "rebooted", NULL);
        } else {
            end_row(run, "shutdown",
                    g_strdup_printf("the machine went off (%s) after %u boot%s",
                                    system_cause_name(cause), run->row->boots,
                                    umbra_plural(run->row->boots)));
        }
        break;
    case RUN_EVENT_SUSPEND:
        g_timeout_add(20, wake_up, NULL);
        break;
    case RUN_EVENT_FATAL:
        end_row(run, "fault", g_strdup(text));
        break;
    default:
        break;
    }
}

/* -- Setting up --------------------------------------------------------------------- */

/* A file in memory, of at least `length` bytes, that holds a guest of ours, told what to
 * do. */
static int make_guest(const RebootRow *row, const char *name, off_t length, bool hold)
{
    g_autoptr(GBytes) image = firmware_guest_image(name);
    size_t size = g_bytes_get_size(image);
    g_autofree uint8_t *bytes = g_memdup2(g_bytes_get_data(image, NULL), size);
    uint8_t *mark = memmem(bytes, size, REBOOT_MARK, strlen(REBOOT_MARK));
    uint8_t *settings = mark - REBOOT_SECTOR_MARK;
    uint16_t times =
        GUINT16_TO_LE((uint16_t)(row->times + 1)); /* the first boot counts */
    int fd = memfd_create("umbra-reboot", MFD_CLOEXEC);

    settings[REBOOT_SECTOR_METHOD] = (uint8_t)row->method;
    settings[REBOOT_SECTOR_HOLD] = hold;
    memcpy(settings + REBOOT_SECTOR_TIMES, &times, sizeof(times));
    if (fd < 0 || ftruncate(fd, length) < 0 ||
        pwrite(fd, bytes, size, 0) != (ssize_t)size) {
        g_error("a file in memory: %s", g_strerror(errno));
    }
    return fd;
}

/* Where the type has no firmware that boots disks; else NULL. */
static const char *kernel_for(const RowRun *run)
{
    return run->row->firmware ? NULL : run->machine->type->reboot_kernel;
}

/* That kernel, or a disk with our sector. */
static bool make_boot_medium(RowRun *run, GError **error)
{
    const char *kernel = kernel_for(run);
    bool hold = run->save != NULL;
    g_autofree char *drive = NULL;

    run->has_firmware = !kernel;
    if (kernel) {
        run->machine->config.kernel =
            g_strdup_printf("/dev/fd/%d", make_guest(run->row, kernel, 0, hold));
        return true;
    }
    drive = g_strdup_printf("file=/dev/fd/%d,format=raw,if=ide,index=0",
                            make_guest(run->row, "reboot-sector.bin",
                                       DISK_SECTORS * BLOCK_SECTOR_SIZE, hold));
    return drive_new(drive, error) != NULL;
}

static Chardev *make_debugcon(RowRun *run)
{
    g_autofree char *text = NULL;
    int ends[2];

    if (!g_unix_open_pipe(ends, FD_CLOEXEC, NULL)) {
        g_error("a pipe: %s", g_strerror(errno));
    }
    g_unix_set_fd_nonblocking(ends[0], true, NULL);
    run->debugcon = ends[0];
    g_unix_fd_add(run->debugcon, G_IO_IN, on_debugcon, run);
    text = g_strdup_printf("file:/dev/fd/%d", ends[1]);
    return chardev_new_from_text("debugcon", text, NULL);
}

static bool build(RowRun *run, GError **error)
{
    static const RunStatePolicy policy = {.no_reboot = false};
    const RebootRow *row = run->row;
    Machine *machine = umbra_machine_new(row->machine, row->accel, error);

    if (!machine) {
        return false;
    }
    run->machine = machine;
    machine->config.firmware = g_strdup(row->firmware);
    machine->config.boot_order = g_strdup("c");
    machine->config.debugcon = make_debugcon(run);
    device_add_global("isa-debugcon", "iobase", "0x402", false);
    run_state_init(machine, &policy);
    return migration_init(machine, error) && make_boot_medium(run, error) &&
           machine_build(machine, error) && machine_complete(machine, error);
}

/* Guest physical: where a guest of ours that runs reads what to do. 0: nowhere. */
static hwaddr find_settings(const RowRun *run)
{
    const uint8_t *ram = memory_region_get_ram_ptr(&run->machine->ram);
    const uint8_t *mark;

    if (!kernel_for(run)) {
        return REBOOT_SECTOR_ADDRESS;
    }
    mark = memmem(ram, MIN(run->machine->config.ram_size, KERNELS_END), REBOOT_MARK,
                  strlen(REBOOT_MARK));
    return mark ? (hwaddr)(mark - ram) - REBOOT_SECTOR_MARK : 0;
}

/* The machine becomes that of the stream; the guest that holds there is told by which
 * method to go on. */
static bool arrive(RowRun *run, GError **error)
{
    const uint8_t method = (uint8_t)run->row->method, go = 0;
    AddressSpace *memory = &run->machine->memory;
    hwaddr settings;

    if (!migration_snapshot_load(run->load, error)) {
        return false;
    }
    settings = find_settings(run);
    if (!settings) {
        return refuse_argument(error, "the guest that came is none of ours");
    }
    run->row->boots = 1;
    address_space_write(memory, settings + REBOOT_SECTOR_METHOD, MEMTXATTRS_UNSPECIFIED,
                        &method, 1);
    address_space_write(memory, settings + REBOOT_SECTOR_HOLD, MEMTXATTRS_UNSPECIFIED,
                        &go, 1);
    return true;
}

static void run_row(RebootRow *row, const char *save, const char *load)
{
    RowRun run = {.row = row, .save = save, .load = load, .line = g_string_new(NULL)};
    g_autoptr(GError) error = NULL;

    run.patience = strcmp(row->accel, "kvm") == 0 ? SILENCE_SECONDS_KVM : SILENCE_SECONDS;
    io_lock();
    run.started = g_get_monotonic_time();
    if (!build(&run, &error)) {
        row->outcome = "unsupported";
        row->reason = g_strdup(error->message);
        return;
    }
    pam_set_trace(on_pam, &run);
    run_state_add_handler(on_run_event, &run);
    sign_of_life(&run);
    g_timeout_add_seconds(START_SECONDS + (row->times + 1) * BOOT_SECONDS, alive_too_long,
                          &run);
    /* Where our main loop hangs. */
    alarm(2 * (START_SECONDS + (row->times + 1) * BOOT_SECONDS));
    run_state_reset(SYSTEM_CAUSE_NONE, "start");
    if (load && !arrive(&run, &error)) {
        row->outcome = "refused";
        row->reason = g_strdup(error->message);
        return;
    }
    run_state_cont();
    run_state_main_loop();
    io_unlock();
}

int umbra_reboot_row(int argc, char **argv)
{
    g_autoptr(JsonNode) node = NULL;
    g_autofree char *text = NULL;
    RebootRow *row;

    bool saves = argc == 8 && strcmp(argv[6], "save") == 0;
    bool loads = argc == 8 && strcmp(argv[6], "load") == 0;

    if (argc != 6 && !saves && !loads) {
        fprintf(stderr, "usage: umbra reboot-row MACHINE ACCEL FIRMWARE METHOD TIMES "
                        "[save|load FILE]\n");
        return 1;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* nobody else wants the result */
    row = reboot_row_new(argv[1], argv[2], *argv[3] ? argv[3] : NULL,
                         (RebootMethod)atoi(argv[4]), (unsigned)atoi(argv[5]));
    run_row(row, saves ? argv[7] : NULL, loads ? argv[7] : NULL);
    node = reboot_row_to_json(row, true);
    text = json_to_string(node, false);
    puts(text);
    fflush(stdout);
    _exit(0); /* the machine is thrown away whole */
}
