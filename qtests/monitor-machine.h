/*
 * A small machine for the monitors' tests: 1 MiB of RAM with 16 known bytes at 0xffff0, a
 * port that answers, one CPU that does not run; and a client in a thread of its own,
 * which talks to a monitor over a real socket while the machine's own main loop runs.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef QTESTS_MONITOR_MACHINE_H
#define QTESTS_MONITOR_MACHINE_H

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "machine/machine.h"
#include "machine/monitor/monitor.h"
#include "machine/run-state.h"
#include "memory/access.h"
#include "memory/io-lock.h"

/* The last 16 bytes of SeaBIOS 1.16.2 below 1 MiB: what QEMU shows of them is known. */
static const uint8_t known_bytes[16] = {0xea, 0x5b, 0xe0, 0x00, 0xf0, 0x30, 0x36, 0x2f,
                                        0x32, 0x33, 0x2f, 0x39, 0x39, 0x00, 0xfc, 0x00};

static MemoryRegion port_region;
static uint64_t port_written;

static G_GNUC_UNUSED uint64_t port_read(void *opaque, hwaddr offset, unsigned size)
{
    return 0x44332211 >> (offset * 8);
}

static G_GNUC_UNUSED void port_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    port_written = value;
}

static const MemoryRegionOps port_ops = {
    .read = port_read,
    .write = port_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
};

static G_GNUC_UNUSED bool small_build(Machine *machine, GError **error)
{
    if (!memory_region_init_ram(&machine->ram, NULL, "pc.ram", MiB(1), error)) {
        return false;
    }
    memory_region_add_subregion(&machine->system_memory, 0, &machine->ram);
    memory_region_init_io(&port_region, NULL, &port_ops, NULL, "port", 4);
    memory_region_add_subregion(&machine->system_io, 0x80, &port_region);
    return true;
}

static G_GNUC_UNUSED void small_class_init(MachineClass *klass, gpointer data)
{
    klass->build = small_build;
}

static G_GNUC_UNUSED GType small_get_type(void)
{
    return g_type_register_static_simple(
        TYPE_MACHINE, "small-machine", sizeof(MachineClass),
        (GClassInitFunc)(void *)small_class_init, sizeof(Machine), NULL, 0);
}

static const MachineType small_types[] = {
    {.name = "small",
     .alias = "tiny",
     .desc = "a test's",
     .is_default = true,
     .default_ram = MiB(1),
     .get_type = small_get_type},
    {.name = NULL},
};

static char *socket_path;
static Machine *machine;

/* The machine, stopped, and a monitor that listens at socket_path (or on `text`). */
static inline void make_machine(MonitorMode mode, const char *text)
{
    static const char *const accels[] = {"qtest", NULL};
    const RunStatePolicy policy = {false, true};
    g_autofree char *socket_text = NULL;
    GError *error = NULL;

    g_set_prgname("test");
    io_lock();
    socket_path = g_strdup_printf("%s/umbra-monitor-%d", g_get_tmp_dir(), (int)getpid());
    socket_text = g_strdup_printf("unix:%s,server=on,wait=off", socket_path);
    machine_types_add(small_types);
    machine =
        machine_new(machine_type_find(NULL, NULL), accel_select(accels, NULL, &error));
    machine->config.name = g_strdup("guest");
    run_state_init(machine, &policy);
    ck_assert(monitor_add(
        chardev_new_from_text("mon0", text ? text : socket_text, &error), mode, &error));
    ck_assert_msg(machine_build(machine, &error), "%s", error ? error->message : "");
    address_space_write(&machine->memory, 0xffff0, MEMTXATTRS_UNSPECIFIED, known_bytes,
                        16);
    run_state_reset(SYSTEM_CAUSE_NONE, "start");
}

/* Runs the main loop while `client` talks in its own thread; it must end with "quit". */
static inline void run_with_client(gpointer (*client)(gpointer data))
{
    GThread *thread = g_thread_new("client", client, NULL);

    ck_assert_int_eq(run_state_main_loop(), 0);
    monitor_cleanup();
    chardev_cleanup();
    io_unlock();
    g_thread_join(thread);
}

static G_GNUC_UNUSED int connect_client(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    g_strlcpy(address.sun_path, socket_path, sizeof(address.sun_path));
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

/* All that comes until the text ends in `end`; fails the test after a minute. */
static inline char *read_until(int fd, const char *end)
{
    GString *text = g_string_new(NULL);
    gint64 limit = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;

    while (!g_str_has_suffix(text->str, end)) {
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        char buffer[4096];
        ssize_t got = 0;

        if (poll(&poll_fd, 1, 100) > 0) {
            got = read(fd, buffer, strlen(end) == 1 ? 1 : sizeof(buffer));
        }
        ck_assert_msg(got >= 0 && g_get_monotonic_time() < limit,
                      "wanted '%s', have '%s'", end, text->str);
        if (got == 0 && (poll_fd.revents & POLLHUP)) {
            ck_abort_msg("closed while '%s' was wanted; have '%s'", end, text->str);
        }
        g_string_append_len(text, buffer, got);
    }
    return g_string_free(text, FALSE);
}

static G_GNUC_UNUSED void send_all(int fd, const char *text, size_t length)
{
    while (length) {
        ssize_t put = write(fd, text, length);

        ck_assert_int_gt(put, 0);
        text += put;
        length -= (size_t)put;
    }
}

static G_GNUC_UNUSED void send_text(int fd, const char *text)
{
    send_all(fd, text, strlen(text));
}

#endif
