/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/cli/sandbox.h"

#include <errno.h>
#include <gio/gio.h>
#include <seccomp.h>
#include <string.h>
#include <sys/prctl.h>

#include "hw/core/option-string.h"

static const int obsolete[] = {
    SCMP_SYS(readdir), SCMP_SYS(_sysctl),   SCMP_SYS(bdflush),   SCMP_SYS(create_module),
    SCMP_SYS(uselib),  SCMP_SYS(swapon),    SCMP_SYS(swapoff),   SCMP_SYS(get_kernel_syms),
    SCMP_SYS(mount),   SCMP_SYS(umount),    SCMP_SYS(umount2),   SCMP_SYS(syslog),
    SCMP_SYS(stime),   SCMP_SYS(sysfs),     SCMP_SYS(ustat),     SCMP_SYS(query_module),
    SCMP_SYS(reboot),  SCMP_SYS(lookup_dcookie),
};
static const int elevateprivileges[] = {
    SCMP_SYS(setuid),   SCMP_SYS(setgid),    SCMP_SYS(setpgid),   SCMP_SYS(setsid),
    SCMP_SYS(setreuid), SCMP_SYS(setregid),  SCMP_SYS(setresuid), SCMP_SYS(setresgid),
    SCMP_SYS(setfsuid), SCMP_SYS(setfsgid),
};
static const int spawn[] = {SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(execve),
                            SCMP_SYS(execveat)};
static const int resourcecontrol[] = {
    SCMP_SYS(setpriority),  SCMP_SYS(sched_setparam),    SCMP_SYS(sched_setscheduler),
    SCMP_SYS(sched_setattr), SCMP_SYS(sched_setaffinity), SCMP_SYS(ioprio_set),
};

static const struct SandboxSet {
    const char *name;
    const int *calls;
    size_t count;
    bool denied; /* unless the text says otherwise */
} sets[] = {
    {"obsolete", obsolete, G_N_ELEMENTS(obsolete), true},
    {"elevateprivileges", elevateprivileges, G_N_ELEMENTS(elevateprivileges), false},
    {"spawn", spawn, G_N_ELEMENTS(spawn), false},
    {"resourcecontrol", resourcecontrol, G_N_ELEMENTS(resourcecontrol), false},
};

static bool wants_denied(const struct SandboxSet *set, const char *value, bool *denied,
                         GError **error)
{
    *denied = set->denied;
    if (!value || strcmp(value, "deny") == 0) {
        *denied = value ? true : set->denied;
    } else if (strcmp(value, "allow") == 0) {
        *denied = false;
    } else if (strcmp(value, "children") == 0 && set->calls == elevateprivileges) {
        *denied = false;
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    } else {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "-sandbox: %s takes allow or deny, not '%s'", set->name, value);
        return false;
    }
    return true;
}

static bool add_rules(scmp_filter_ctx filter, OptionString *options, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(sets); i++) {
        g_autofree char *value = option_string_take(options, sets[i].name);
        bool denied;

        if (!wants_denied(&sets[i], value, &denied, error)) {
            return false;
        }
        for (size_t n = 0; denied && n < sets[i].count; n++) {
            /* A call that this architecture never had needs no rule. */
            seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, sets[i].calls[n], 0);
        }
    }
    if (options->count) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "-sandbox: '%s' is not known; it takes obsolete, elevateprivileges, "
                    "spawn and resourcecontrol",
                    options->pairs[0].key);
        return false;
    }
    return true;
}

bool sandbox_enable(const char *text, GError **error)
{
    g_autoptr(OptionString) options = option_string_parse(text, "enable");
    g_autofree char *enable = option_string_take(options, "enable");
    scmp_filter_ctx filter;
    bool done;
    int failure;

    if (g_strcmp0(enable, "off") == 0) {
        return true;
    }
    if (g_strcmp0(enable, "on") != 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "-sandbox %s: write on or off", text);
        return false;
    }
    filter = seccomp_init(SCMP_ACT_ALLOW);
    done = filter && add_rules(filter, options, error);
    if (done) {
        seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
        failure = seccomp_load(filter);
        if (failure < 0) {
            g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                        "-sandbox: the kernel refuses the filter: %s",
                        g_strerror(-failure));
            done = false;
        }
    }
    seccomp_release(filter);
    return done;
}
