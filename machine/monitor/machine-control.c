/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/monitor/machine-control.h"

#include <gio/gio.h>
#include <unistd.h>

#include "hw/block/node.h"
#include "hw/core/option-string.h"
#include "hw/pci/pci.h"
#include "machine/device-add.h"
#include "machine/migration/migration.h"
#include "machine/run-state.h"

bool machine_control_cont(GError **error)
{
    if (run_state() != RUN_STATE_INMIGRATE && run_state() != RUN_STATE_FINISH_MIGRATE &&
        !block_images_take(error)) {
        return false;
    }
    if (run_state_cont()) {
        return true;
    }
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, "%s",
                run_state() == RUN_STATE_FINISH_MIGRATE
                    ? "Migration is not finalized yet"
                    : "Resetting the Virtual Machine is required");
    return false;
}

bool machine_control_wakeup(GError **error)
{
    if (run_state() != RUN_STATE_SUSPENDED) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                    "Unable to wake up: guest is not in suspended state");
        return false;
    }
    system_wakeup_request();
    return true;
}

/* PCI alone has slots that a device can be put into while the machine runs, and only
 * where the guest can be told. */
static bool bus_is_hotpluggable(Bus *bus, GError **error)
{
    if (bus && !bus->hotplug.unplug_request) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                    "Bus '%s' does not support hotplugging", bus->name);
        return false;
    }
    return true;
}

static bool type_is_hotpluggable(GTypeClass *klass, GError **error)
{
    if (G_TYPE_CHECK_CLASS_TYPE(klass, TYPE_PCI_DEVICE) &&
        !pci_class_is_hotpluggable(PCI_DEVICE_CLASS(klass))) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                    "Parameter 'driver' expects a pluggable device type; give this one with "
                    "-device");
        return false;
    }
    return true;
}

/* The stream that is under way says what devices and memory the machine has. */
static bool devices_may_change(const char *command, GError **error)
{
    if (migration_is_active() || migration_is_arriving()) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_BUSY, "%s not allowed while migrating",
                    command);
        return false;
    }
    return true;
}

bool machine_control_device_add(const char *text, GError **error)
{
    g_autoptr(OptionString) options = option_string_parse(text, "driver");
    const char *driver = option_string_get(options, "driver");
    GType type = driver ? device_type_by_name(driver, NULL) : G_TYPE_INVALID;
    Device *dev;

    if (!devices_may_change("device_add", error)) {
        return false;
    }
    if (type != G_TYPE_INVALID) {
        g_autoptr(GTypeClass) klass = g_type_class_ref(type);
        const char *name = option_string_get(options, "bus");
        const char *wanted = DEVICE_CLASS(klass)->bus_type;
        Bus *bus = name || wanted ? bus_find(name ? NULL : wanted, name) : NULL;

        if (!bus_is_hotpluggable(bus, error) || !type_is_hotpluggable(klass, error)) {
            return false;
        }
    }
    dev = device_add_from_text(text, error);
    if (!dev) {
        return false;
    }
    device_reset(dev);
    if (dev->bus && dev->bus->hotplug.plugged) {
        dev->bus->hotplug.plugged(dev, dev->bus->hotplug.opaque);
    }
    return true;
}

bool machine_control_device_del(const char *id, GError **error)
{
    Device *dev = *id == '/' ? device_find_by_path(id) : device_find_by_id(id);

    if (!dev) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "Device '%s' not found", id);
        return false;
    }
    if (!devices_may_change("device_del", error) ||
        !bus_is_hotpluggable(dev->bus, error)) {
        return false;
    }
    if (!dev->bus || !DEVICE_GET_CLASS(dev)->user_creatable) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                    "Device '%s' does not support hotplugging", G_OBJECT_TYPE_NAME(dev));
        return false;
    }
    return dev->bus->hotplug.unplug_request(dev, dev->bus->hotplug.opaque, error);
}

int machine_control_thread_id(unsigned cpu_index)
{
    Machine *machine = machine_current();
    int id = cpu_index < machine->cpus->len
                 ? accel_thread_id(machine->cpus->pdata[cpu_index])
                 : 0;

    return id ? id : getpid();
}
