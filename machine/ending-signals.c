/*
 * A handler notes the signal and wakes the main loop. GLib's own watches would start a
 * thread for it, which costs a twentieth of the emulator's start.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/ending-signals.h"

#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static struct {
    int wake; /* an eventfd */
    volatile sig_atomic_t number;
    volatile sig_atomic_t sender; /* its process; 0: the kernel, for a terminal */
    void (*func)(void);
} ending;

static void note(int number, siginfo_t *info, void *context)
{
    static const uint64_t one = 1;
    int code = errno;

    ending.number = number;
    ending.sender = info->si_code <= 0 ? info->si_pid : 0;
    if (write(ending.wake, &one, sizeof(one)) < 0) {
        /* the counter is full: the loop wakes all the same */
    }
    errno = code;
}

/* The sender's program, or NULL when it is gone. */
static char *name_of(int process)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/cmdline", process);
    char *name = NULL;

    g_file_get_contents(path, &name, NULL, NULL);
    return name;
}

static gboolean obey(gint fd, GIOCondition condition, gpointer unused)
{
    g_autofree char *name = ending.sender ? name_of(ending.sender) : NULL;
    uint64_t count;

    if (read(fd, &count, sizeof(count)) < 0) {
        return G_SOURCE_CONTINUE;
    }
    if (ending.sender) {
        g_printerr("%s: terminating on signal %d from pid %d (%s)\n", g_get_prgname(),
                   (int)ending.number, (int)ending.sender,
                   name ? name : "<unknown process>");
    } else {
        g_printerr("%s: terminating on signal %d\n", g_get_prgname(), (int)ending.number);
    }
    ending.func();
    return G_SOURCE_CONTINUE;
}

void ending_signals_watch(void (*func)(void))
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | SA_RESTART};

    ending.func = func;
    ending.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    g_unix_fd_add(ending.wake, G_IO_IN, obey, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(signals); i++) {
        sigaction(signals[i], &action, NULL);
    }
}
