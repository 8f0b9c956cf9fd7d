/*
 * Interrupt lines that a harness listens to.
 *
 * An input pin tells through its IRQ's `intercept`. An output pin gets a line of ours in
 * place of the one it is connected to, which passes the level on; so a pin that is
 * connected to nothing is heard too.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/qtest-internal.h"

#include <string.h>

typedef struct Tap {
    IRQ line;    /* an output pin: what it is connected to meanwhile */
    IRQ *pin;    /* an input pin, or what the output pin was connected to (may be NULL) */
    IRQ **place; /* an output pin's connection; NULL: an input pin */
    int level;   /* that the harness has heard of last */
    int n;
} Tap;

/* As in QEMU, one device at a time, to the end. */
static struct {
    Device *device;
    Tap *taps;
    int count;
} listening;

static void heard(Tap *tap, int level)
{
    if (tap->level != level) {
        g_autofree char *line =
            g_strdup_printf("IRQ %s %d\n", level ? "raise" : "lower", tap->n);

        tap->level = level;
        qtest_server_tell(line);
    }
}

static void input_set(IRQ *irq, int level, void *opaque)
{
    Tap *tap = opaque;

    irq->handler(irq->opaque, irq->n, level);
    heard(tap, level);
}

static void output_set(void *opaque, int n, int level)
{
    Tap *tap = opaque;

    irq_set(tap->pin, level);
    heard(tap, level);
}

static void listen_to(Tap *tap, DevicePins *pins, int n)
{
    tap->n = n;
    if (pins->output) {
        tap->place = &pins->outputs[n];
        tap->pin = *tap->place;
        tap->line = (IRQ){.handler = output_set, .opaque = tap, .n = n};
        *tap->place = &tap->line;
    } else {
        tap->pin = &pins->inputs[n];
        tap->pin->intercept_opaque = tap;
        tap->pin->intercept_swallows = true; /* input_set() passes it on first */
        tap->pin->intercept = input_set;
    }
}

static DevicePins *unnamed_pins(Device *dev, bool output)
{
    for (guint i = 0; i < dev->pins->len; i++) {
        DevicePins *pins = dev->pins->pdata[i];

        if (!pins->name && pins->output == output) {
            return pins;
        }
    }
    return NULL;
}

/* -- Devices by path ------------------------------------------------------------- */

typedef struct PathSearch {
    const char *path;
    Device *found;
    unsigned count;
} PathSearch;

static bool match_end(Device *dev, void *opaque)
{
    PathSearch *search = opaque;
    size_t length = strlen(search->path), whole = dev->path ? strlen(dev->path) : 0;

    if (length && whole > length && dev->path[whole - length - 1] == '/' &&
        strcmp(dev->path + whole - length, search->path) == 0) {
        search->found = dev;
        search->count++;
    }
    return true;
}

/* A whole path, or the end of only one device's ("ioapic"). */
static Device *find_device(QtestCall *call, const char *path)
{
    PathSearch search = {path, NULL, 0};

    if (*path == '/') {
        search.found = device_find_by_path(path);
    } else {
        device_foreach(match_end, &search);
    }
    if (!search.found || search.count > 1) {
        g_string_assign(call->reply, "FAIL Unknown device");
        return NULL;
    }
    return search.found;
}

/* -- Commands -------------------------------------------------------------------- */

void qtest_irq_intercept(QtestCall *call, const char *path, bool output)
{
    Device *dev = find_device(call, path);
    DevicePins *pins = dev ? unnamed_pins(dev, output) : NULL;

    if (!dev) {
        return;
    }
    if (listening.device) {
        g_string_assign(call->reply, listening.device == dev
                                         ? "OK"
                                         : "FAIL IRQ intercept already enabled");
        return;
    }
    listening.device = g_object_ref(dev);
    listening.count = pins ? pins->count : 0;
    listening.taps = g_new0(Tap, listening.count);
    for (int i = 0; i < listening.count; i++) {
        listen_to(&listening.taps[i], pins, i);
    }
    g_string_assign(call->reply, "OK");
}

void qtest_irq_set(QtestCall *call, const char *path, const char *name, int64_t pin,
                   int64_t level)
{
    Device *dev = find_device(call, path);
    IRQ *irq;

    if (!dev) {
        return;
    }
    if (strcmp(name, "unnamed-gpio-in") == 0) {
        name = NULL;
    }
    irq = pin >= 0 && pin <= G_MAXINT ? device_get_gpio_in_named(dev, name, (int)pin)
                                      : NULL;
    if (!irq || level < G_MININT || level > G_MAXINT) {
        g_string_assign(call->reply, irq ? "FAIL Invalid level" : "FAIL Unknown pin");
        return;
    }
    irq_set(irq, (int)level);
    g_string_assign(call->reply, "OK");
}

void qtest_irq_forget_levels(void)
{
    for (int i = 0; i < listening.count; i++) {
        listening.taps[i].level = 0;
    }
}

void qtest_irq_stop(void)
{
    for (int i = 0; i < listening.count; i++) {
        Tap *tap = &listening.taps[i];

        if (tap->place) {
            *tap->place = tap->pin;
        } else {
            tap->pin->intercept = NULL;
            tap->pin->intercept_swallows = false;
        }
    }
    g_clear_object(&listening.device);
    g_clear_pointer(&listening.taps, g_free);
    listening.count = 0;
}
