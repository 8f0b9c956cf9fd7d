/*
 * Chardevs from text: -chardev's form, and the older one of -serial, -monitor and -qmp,
 * which is turned into the former's options.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/char/chardev-backend.h"

#include <gio/gio.h>
#include <string.h>

static const ChardevBackend *const backends[] = {
    &chardev_null_backend,   &chardev_vc_backend,   &chardev_stdio_backend,
    &chardev_file_backend,   &chardev_pipe_backend, &chardev_pty_backend,
    &chardev_socket_backend, &chardev_udp_backend,  &chardev_ringbuf_backend,
};

static const struct {
    const char *alias, *name;
} backend_aliases[] = {
    {"serial", "pipe"}, {"tty", "pipe"}, {"none", "null"}, {"memory", "ringbuf"}};

void chardev_foreach_backend(void (*func)(const char *name, void *opaque), void *opaque)
{
    for (size_t i = 0; i < G_N_ELEMENTS(backends); i++) {
        func(backends[i]->name, opaque);
    }
    func("mux", opaque);
    func("serial", opaque);
    func("memory", opaque);
}

static const ChardevBackend *find_backend(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(backend_aliases); i++) {
        if (strcmp(backend_aliases[i].alias, name) == 0) {
            name = backend_aliases[i].name;
        }
    }
    for (size_t i = 0; i < G_N_ELEMENTS(backends); i++) {
        if (strcmp(backends[i]->name, name) == 0) {
            return backends[i];
        }
    }
    return NULL;
}

static bool check_options(const ChardevBackend *backend, Options *options, GError **error)
{
    static const char *const common[] = {"backend", "id",        "mux",
                                         "logfile", "logappend", NULL};
    g_autoptr(GPtrArray) known = g_ptr_array_new();

    for (int i = 0; common[i]; i++) {
        g_ptr_array_add(known, (gpointer)common[i]);
    }
    for (int i = 0; backend->options && backend->options[i]; i++) {
        g_ptr_array_add(known, (gpointer)backend->options[i]);
    }
    g_ptr_array_add(known, NULL);
    return options_check(options, (const char *const *)known->pdata, error);
}

/* One that others share, over one that nobody has: chardev-add's way to mux=on. */
static Chardev *new_mux(const char *id, const Options *options, GError **error)
{
    const char *base_id = options_get(options, "chardev");
    Chardev *base = base_id ? chardev_find(base_id) : NULL;

    if (!base) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                    "mux: base chardev %s not found", base_id ? base_id : "");
    } else if (chardev_in_use(base)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_BUSY, "Chardev '%s' is busy", base_id);
    } else {
        return chardev_mux_new(id, base);
    }
    return NULL;
}

Chardev *chardev_new(const char *id, Options *options, GError **error)
{
    const char *name = options_get(options, "backend");
    const ChardevBackend *backend = name ? find_backend(name) : NULL;
    g_autofree char *base_id = NULL;
    bool mux = false;
    Chardev *chardev;

    if (g_strcmp0(name, "mux") == 0) {
        return new_mux(id, options, error);
    }
    if (!backend) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                    name
                        ? "'%s' is not a valid char driver name; -chardev help lists them"
                        : "chardev: \"%s\" missing backend",
                    name ? name : id);
        return NULL;
    }
    if (!check_options(backend, options, error) ||
        !options_get_bool(options, "mux", &mux, error)) {
        return NULL;
    }
    if (mux && chardev_find(id)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS, "Duplicate ID '%s' for chardev",
                    id);
        return NULL;
    }
    base_id = mux ? g_strconcat(id, "-base", NULL) : g_strdup(id);
    chardev = chardev_create(backend, base_id, options, error);
    return chardev && mux ? chardev_mux_new(id, chardev) : chardev;
}

bool chardev_change(const char *id, Options *options, GError **error)
{
    Chardev *old = chardev_find(id), *chardev;
    g_autofree char *other_id = g_strconcat(id, "-new", NULL);
    const char *wrong = NULL;

    if (!old) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                    "Chardev '%s' does not exist", id);
        return false;
    }
    if (chardev_is_shared(old)) {
        wrong = "Mux device hotswap not supported yet";
    } else if (old->frontend && !old->frontend->may_change) {
        wrong = "Chardev user does not support chardev hotswap";
    }
    if (wrong) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, wrong);
        return false;
    }
    chardev = chardev_new(other_id, options, error);
    if (!chardev) {
        return false;
    }
    chardev_replace(old, chardev);
    return true;
}

Chardev *chardev_new_from_options(const char *text, GError **error)
{
    g_autoptr(Options) options = options_new();
    const char *id;

    options_add(options, text, "backend");
    id = options_get(options, "id");
    if (!id) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "chardev: no id specified; add id=NAME");
        return NULL;
    }
    return options_check_id(id, error) ? chardev_new(id, options, error) : NULL;
}

/* "HOST:PORT[,options]" with a host that may be empty or an IPv6 address in brackets. */
static bool add_host_and_port(Options *options, const char *text, GError **error)
{
    const char *comma = strchr(text, ',');
    g_autofree char *place = comma ? g_strndup(text, comma - text) : g_strdup(text);
    char *colon = strrchr(place, ':');

    if (!colon || !colon[1]) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "'%s' is no address; write HOST:PORT", place);
        return false;
    }
    *colon = '\0';
    options_set(options, "host", place);
    options_set(options, "port", colon + 1);
    options_add(options, comma ? comma + 1 : NULL, NULL);
    return true;
}

/* "HOST:PORT[@LOCALHOST:LOCALPORT]" */
static bool add_udp_places(Options *options, const char *text, GError **error)
{
    g_auto(GStrv) places = g_strsplit(text, "@", 2);

    if (!places[0] || !add_host_and_port(options, places[0], error)) {
        return false;
    }
    if (places[1]) {
        char *colon = strrchr(places[1], ':');

        options_set(options, "localport", colon ? colon + 1 : places[1]);
        if (colon) {
            *colon = '\0';
            options_set(options, "localaddr", places[1]);
        }
    }
    return true;
}

static bool add_unix_path(Options *options, const char *text, GError **error)
{
    const char *comma = strchr(text, ',');
    g_autofree char *path = comma ? g_strndup(text, comma - text) : g_strdup(text);

    options_set(options, "path", path);
    options_add(options, comma ? comma + 1 : NULL, NULL);
    return true;
}

static bool add_path(Options *options, const char *text, GError **error)
{
    options_set(options, "path", text);
    return true;
}

static const struct {
    const char *prefix, *backend, *also;
    bool (*add)(Options *options, const char *text, GError **error);
} legacy_forms[] = {
    {"file:", "file", NULL, add_path},
    {"pipe:", "pipe", NULL, add_path},
    {"unix:", "socket", NULL, add_unix_path},
    {"tcp:", "socket", NULL, add_host_and_port},
    {"telnet:", "socket", "telnet", add_host_and_port},
    {"udp:", "udp", NULL, add_udp_places},
};

static Options *options_from_legacy(const char *text, GError **error)
{
    g_autoptr(Options) options = options_new();

    for (size_t i = 0; i < G_N_ELEMENTS(legacy_forms); i++) {
        if (g_str_has_prefix(text, legacy_forms[i].prefix)) {
            options_set(options, "backend", legacy_forms[i].backend);
            if (legacy_forms[i].also) {
                options_set(options, legacy_forms[i].also, "on");
            }
            return legacy_forms[i].add(options, text + strlen(legacy_forms[i].prefix),
                                       error)
                       ? g_steal_pointer(&options)
                       : NULL;
        }
    }
    if (g_str_has_prefix(text, "/dev/")) {
        options_set(options, "backend", "pipe");
        options_set(options, "path", text);
        return g_steal_pointer(&options);
    }
    if (g_str_has_prefix(text, "vc:")) {
        text = "vc"; /* its size in characters is of no use without a display */
    }
    options_add(options, text, "backend");
    if (!find_backend(options_get(options, "backend") ?: "") || strchr(text, ':')) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                    "'%s' is not a valid char driver; try stdio, file:PATH, "
                    "unix:PATH,server=on,wait=off or tcp:HOST:PORT",
                    text);
        return NULL;
    }
    return g_steal_pointer(&options);
}

Chardev *chardev_new_from_text(const char *id, const char *text, GError **error)
{
    g_autoptr(Options) options = NULL;
    bool shared = g_str_has_prefix(text, "mon:");

    if (strcmp(text, "none") == 0) {
        return NULL;
    }
    if (g_str_has_prefix(text, "chardev:")) {
        Chardev *chardev = chardev_find(text + strlen("chardev:"));

        if (!chardev) {
            g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                        "chardev \"%s\" not found; define it with -chardev "
                        "BACKEND,id=%s",
                        text + strlen("chardev:"), text + strlen("chardev:"));
        }
        return chardev;
    }
    options = options_from_legacy(shared ? text + strlen("mon:") : text, error);
    if (!options) {
        return NULL;
    }
    if (shared) {
        options_set(options, "mux", "on");
        if (strcmp(options_get(options, "backend"), "stdio") == 0) {
            options_set_default(options, "signal", "off");
        }
    }
    return chardev_new(id, options, error);
}
