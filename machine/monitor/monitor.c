/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/monitor/monitor.h"

#include <gio/gio.h>

#include "hw/core/option-string.h"
#include "hw/core/property.h"

static GPtrArray *hmp_sessions, *qmp_sessions;

static CharFrontend *current; /* whose command is running */

CharFrontend *monitor_enter(CharFrontend *frontend)
{
    CharFrontend *before = current;

    current = frontend;
    return before;
}

int monitor_take_fd(GError **error)
{
    int fd = current ? char_frontend_take_fd(current) : -1;

    if (fd < 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                    "No file descriptor supplied via SCM_RIGHTS");
    }
    return fd;
}

static void keep(GPtrArray **list, gpointer session)
{
    if (!*list) {
        *list = g_ptr_array_new();
    }
    g_ptr_array_add(*list, session);
}

bool monitor_add(Chardev *chardev, MonitorMode mode, GError **error)
{
    gpointer session;

    if (!chardev) {
        return true;
    }
    session = mode == MONITOR_HMP
                  ? (gpointer)hmp_session_new(chardev, error)
                  : (gpointer)qmp_session_new(chardev, mode == MONITOR_QMP_PRETTY, error);
    if (session) {
        keep(mode == MONITOR_HMP ? &hmp_sessions : &qmp_sessions, session);
    }
    return session != NULL;
}

bool monitor_add_from_text(const char *text, GError **error)
{
    g_autoptr(OptionString) options = option_string_parse(text, "chardev");
    g_autofree char *id = option_string_take(options, "chardev");
    g_autofree char *mode = option_string_take(options, "mode");
    g_autofree char *pretty_text = option_string_take(options, "pretty");
    bool control = g_strcmp0(mode, "control") == 0, pretty = false;
    Chardev *chardev = id ? chardev_find(id) : NULL;
    const char *wrong = NULL;

    if (options->count) {
        wrong = "-mon takes chardev=ID, mode=readline|control and pretty=on|off";
    } else if (!id) {
        wrong = "-mon needs a chardev; add chardev=ID";
    } else if (mode && !control && g_strcmp0(mode, "readline") != 0) {
        wrong = "-mon: the mode is 'readline' (HMP) or 'control' (QMP)";
    } else if (pretty_text && !parse_bool(pretty_text, &pretty)) {
        wrong = "Parameter 'pretty' expects 'on' or 'off'";
    } else if (pretty && !control) {
        wrong = "'pretty' is not compatible with HMP monitors";
    }
    if (wrong) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, wrong);
        return false;
    }
    if (!chardev) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                    "chardev \"%s\" not found; define it with -chardev BACKEND,id=%s", id,
                    id);
        return false;
    }
    return monitor_add(
        chardev, control ? (pretty ? MONITOR_QMP_PRETTY : MONITOR_QMP) : MONITOR_HMP,
        error);
}

void monitor_cleanup(void)
{
    for (guint i = 0; hmp_sessions && i < hmp_sessions->len; i++) {
        hmp_session_free(hmp_sessions->pdata[i]);
    }
    for (guint i = 0; qmp_sessions && i < qmp_sessions->len; i++) {
        qmp_session_free(qmp_sessions->pdata[i]);
    }
    g_clear_pointer(&hmp_sessions, g_ptr_array_unref);
    g_clear_pointer(&qmp_sessions, g_ptr_array_unref);
}
