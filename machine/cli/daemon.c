/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/cli/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static int ready_pipe = -1;
static char *pidfile;

void daemon_start(void)
{
    int ends[2];
    char byte;
    pid_t child;

    if (pipe(ends) < 0 || (child = fork()) < 0) {
        g_printerr("%s: cannot go into the background: %s\n", g_get_prgname(),
                   g_strerror(errno));
        exit(1);
    }
    if (child > 0) {
        ssize_t got;

        close(ends[1]);
        do {
            got = read(ends[0], &byte, 1);
        } while (got < 0 && errno == EINTR);
        _exit(got == 1 ? 0 : 1);
    }
    close(ends[0]);
    ready_pipe = ends[1];
    fcntl(ready_pipe, F_SETFD, FD_CLOEXEC);
    setsid();
}

void daemon_ready(void)
{
    int null;

    if (ready_pipe < 0) {
        return;
    }
    null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || chdir("/") < 0 || write(ready_pipe, "", 1) != 1) {
        g_printerr("%s: cannot go into the background: %s\n", g_get_prgname(),
                   g_strerror(errno));
        exit(1);
    }
    dup2(null, 0);
    dup2(null, 1);
    dup2(null, 2);
    close(null);
    close(ready_pipe);
    ready_pipe = -1;
}

static void remove_pidfile(void)
{
    unlink(pidfile);
}

bool daemon_write_pidfile(const char *path, GError **error)
{
    g_autofree char *text = g_strdup_printf("%ld\n", (long)getpid());

    if (!g_file_set_contents(path, text, -1, error)) {
        g_prefix_error(error, "-pidfile: ");
        return false;
    }
    pidfile = g_canonicalize_filename(path, NULL);
    atexit(remove_pidfile);
    return true;
}
