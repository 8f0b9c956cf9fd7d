/*
 * QMP: what asks and changes nothing.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/acpi/vmgenid.h"
#include "hw/pci/pci-regs.h"
#include "machine/machine.h"
#include "machine/monitor/qmp-types.h"
#include "machine/monitor/qmp.h"
#include "machine/run-state.h"

static JsonNode *query_status(JsonObject *args, GError **error)
{
    return qmp_object("status:s,singlestep:b,running:b", run_state_name(), false,
                      run_state_running());
}

/* The version of QEMU whose behaviour this is: clients choose what they do by it. */
static JsonNode *query_version(JsonObject *args, GError **error)
{
    return qmp_object(
        "qemu:n,package:s",
        qmp_object("micro:i,minor:i,major:i", (gint64)22, (gint64)2, (gint64)7),
        "Umbra 0.1.0");
}

static void add_command(const QmpCommand *command, void *opaque)
{
    json_array_add_element(opaque, qmp_object("name:s", command->name));
}

static JsonNode *query_commands(JsonObject *args, GError **error)
{
    JsonArray *list = json_array_new();

    qmp_foreach_command(add_command, list);
    return qmp_array(list);
}

static JsonNode *query_schema(JsonObject *args, GError **error)
{
    return qmp_schema();
}

static JsonNode *query_name(JsonObject *args, GError **error)
{
    const char *name = machine_current()->config.name;

    return name ? qmp_object("name:s", name) : NULL;
}

static JsonNode *query_uuid(JsonObject *args, GError **error)
{
    const char *uuid = machine_current()->config.uuid;

    return qmp_object("UUID:s", uuid ? uuid : "00000000-0000-0000-0000-000000000000");
}

static JsonNode *query_generation_id(JsonObject *args, GError **error)
{
    const VMGenID *vmgenid = vmgenid_find();
    g_autofree char *text = vmgenid ? vmgenid_text(vmgenid) : NULL;

    if (!text) {
        g_set_error(error, QMP_ERROR, QMP_GENERIC_ERROR,
                    "VM Generation ID device not found");
        return NULL;
    }
    return qmp_object("guid:s", text);
}

static JsonNode *query_kvm(JsonObject *args, GError **error)
{
    return qmp_object("enabled:b,present:b",
                      g_strcmp0(accel_name(machine_current()->accel), "kvm") == 0, true);
}

/* -- PCI ------------------------------------------------------------------------- */

static JsonNode *pci_regions(const PCIDevice *dev)
{
    JsonArray *list = json_array_new();

    for (int i = 0; i < PCI_BARS; i++) {
        const PCIBar *bar = &dev->bars[i];
        JsonNode *node;

        if (!bar->region) {
            continue;
        }
        node = qmp_object("bar:i,size:i,address:i", (gint64)i, (gint64)bar->size,
                          (gint64)bar->address);
        if (!(bar->type & 1)) {
            JsonObject *object = json_node_get_object(node);

            json_object_set_boolean_member(object, "prefetch", bar->type & 8);
            json_object_set_boolean_member(object, "mem_type_64", bar->type & 4);
        }
        json_object_set_string_member(json_node_get_object(node), "type",
                                      bar->type & 1 ? "io" : "memory");
        json_array_add_element(list, node);
    }
    return qmp_array(list);
}

static JsonNode *pci_class_info(uint16_t class_id)
{
    JsonNode *node = qmp_object("class:i", (gint64)class_id);
    const char *name = pci_class_name(class_id);

    if (name) {
        json_object_set_string_member(json_node_get_object(node), "desc", name);
    }
    return node;
}

static JsonNode *pci_device(const PCIDevice *dev)
{
    const uint8_t *config = dev->config;
    uint8_t pin = config[PCI_INTERRUPT_PIN];
    JsonNode *node = qmp_object(
        "irq_pin:i,bus:i,qdev_id:s,slot:i,class_info:n,id:n,function:i,regions:n",
        (gint64)pin, (gint64)0, dev->parent.id ? dev->parent.id : "",
        (gint64)PCI_SLOT(dev->devfn),
        pci_class_info(pci_get_word(config + PCI_CLASS_DEVICE)),
        qmp_object("device:i,subsystem-vendor:i,vendor:i,subsystem:i",
                   (gint64)pci_get_word(config + PCI_DEVICE_ID),
                   (gint64)pci_get_word(config + PCI_SUBSYSTEM_VENDOR_ID),
                   (gint64)pci_get_word(config + PCI_VENDOR_ID),
                   (gint64)pci_get_word(config + PCI_SUBSYSTEM_ID)),
        (gint64)PCI_FUNCTION(dev->devfn), pci_regions(dev));

    if (pin) {
        json_object_set_int_member(json_node_get_object(node), "irq",
                                   config[PCI_INTERRUPT_LINE]);
    }
    return node;
}

static JsonNode *query_pci(JsonObject *args, GError **error)
{
    PCIBus *bus = machine_current()->pci;
    JsonArray *buses = json_array_new(), *devices;

    if (bus) {
        devices = json_array_new();
        for (unsigned devfn = 0; devfn < 256; devfn++) {
            PCIDevice *dev = pci_find_device(bus, (uint8_t)devfn);

            if (dev) {
                json_array_add_element(devices, pci_device(dev));
            }
        }
        json_array_add_element(
            buses, qmp_object("bus:i,devices:n", (gint64)0, qmp_array(devices)));
    }
    return qmp_array(buses);
}

const QmpCommand qmp_query_commands[] = {
    {"query-status", "", query_status, "StatusInfo"},
    {"query-version", "", query_version, "VersionInfo"},
    {"query-commands", "", query_commands, "[CommandInfo]"},
    {"query-qmp-schema", "", query_schema, "[SchemaInfo]"},
    {"query-name", "", query_name, "NameInfo"},
    {"query-uuid", "", query_uuid, "UuidInfo"},
    {"query-vm-generation-id", "", query_generation_id, "GuidInfo"},
    {"query-kvm", "", query_kvm, "KvmInfo"},
    {"query-pci", "", query_pci, "[PciInfo]"},
    {NULL},
};
