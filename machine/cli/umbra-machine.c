/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/cli/umbra-machine.h"

#include <gio/gio.h>
#include <string.h>

#include "hw/core/option-string.h"
#include "hw/pci/pam.h"
#include "machine/accel/cpu-model.h"
#include "machine/device-add.h"
#include "machine/run-state.h"
#include "memory/io-lock.h"

static bool set_properties(Machine *machine, const OptionString *properties,
                           GError **error)
{
    for (guint i = 0; i < properties->count; i++) {
        const OptionPair *pair = &properties->pairs[i];

        if (!property_set_string(G_OBJECT(machine), pair->key, pair->value, error)) {
            return false;
        }
    }
    return true;
}

Machine *umbra_machine_new(const char *text, const char *accel_name, GError **error)
{
    const char *accels[] = {accel_name ? accel_name : "qtest", NULL};
    g_autoptr(OptionString) properties = option_string_parse(text ? text : "", "type");
    g_autofree char *name = option_string_take(properties, "type");
    const MachineType *type = machine_type_find(name, error);
    Accel *accel = type ? accel_select(accels, NULL, error) : NULL;
    Machine *machine;

    if (!accel || (type->default_cpu && !cpu_model_set(type->default_cpu, error))) {
        return NULL;
    }
    machine = machine_new(type, accel);
    machine->config.default_devices = false;
    return set_properties(machine, properties, error) ? machine : NULL;
}

static Machine *new_machine(const UmbraMachineOptions *options, GError **error)
{
    Machine *machine = umbra_machine_new(options->machine, options->accel, error);

    if (!machine) {
        return NULL;
    }
    machine->config.firmware = g_strdup(options->firmware);
    machine->config.boot_order = g_strdup("cad");
    if (options->memory &&
        !parse_size(options->memory, MiB(1), &machine->config.ram_size)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "-m %s: not a size; write 128, 512M or 4G", options->memory);
        return NULL;
    }
    return machine;
}

static bool add_devices(char **devices, GError **error)
{
    for (; devices && *devices; devices++) {
        if (!device_add_from_text(*devices, error)) {
            g_prefix_error(error, "--device %s: ", *devices);
            return false;
        }
    }
    return true;
}

static bool set_pam(Machine *machine, char **registers, GError **error)
{
    for (; registers && *registers; registers++) {
        g_auto(GStrv) parts = g_strsplit(*registers, "=", 2);
        uint64_t reg, value;

        if (!parts[0] || !parts[1] || !parse_uint64(parts[0], PAM_REGISTER_LAST, &reg) ||
            reg < PAM_REGISTER_FIRST || !parse_uint64(parts[1], UINT8_MAX, &value)) {
            g_set_error(
                error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                "--pam %s: write it as REGISTER=VALUE, a register from 0x59 to 0x5f "
                "and a byte, such as 0x59=0x30",
                *registers);
            return false;
        }
        if (!machine->pci || !pci_find_device(machine->pci, 0)) {
            g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                        "--pam %s: %s has no host bridge with PAM registers", *registers,
                        machine->type->name);
            return false;
        }
        pci_bus_config_write(machine->pci, (uint32_t)reg, (uint32_t)value, 1);
    }
    return true;
}

/* As for setpci; without a width, 4 bytes. */
static bool parse_config_write(const char *text, uint32_t *address, unsigned *size,
                               uint32_t *value)
{
    static const char form[] = "^([^:=]+):([^:=.]+)(?:\\.([bwl]))?=([^:=]+)$";
    g_autoptr(GRegex) regex = g_regex_new(form, 0, 0, NULL);
    g_autoptr(GMatchInfo) match = NULL;
    g_auto(GStrv) words = NULL;
    uint64_t reg, number;
    uint8_t devfn;

    if (!g_regex_match(regex, text, 0, &match)) {
        return false;
    }
    words = g_match_info_fetch_all(match); /* all, address, register, width, value */
    *size = words[3][0] == 'b' ? 1 : words[3][0] == 'w' ? 2 : 4;
    if (!pci_parse_addr(words[1], &devfn) ||
        !parse_uint64(words[2], PCI_CONFIG_SIZE - *size, &reg) || reg % *size ||
        !parse_uint64(words[4], UINT32_MAX >> (32 - 8 * *size), &number)) {
        return false;
    }
    *address = (uint32_t)devfn << 8 | (uint32_t)reg;
    *value = (uint32_t)number;
    return true;
}

static bool write_config(Machine *machine, char **writes, GError **error)
{
    for (; writes && *writes; writes++) {
        uint32_t address, value;
        unsigned size;

        if (!parse_config_write(*writes, &address, &size, &value)) {
            return refuse_argument(
                error,
                "--pci %s: write it as SLOT.FUNCTION:REGISTER=VALUE, such as "
                "02.0:0x5c=0x1ad00000, with .b or .w after the register for a byte or a "
                "word",
                *writes);
        }
        if (!machine->pci || !pci_find_device(machine->pci, (uint8_t)(address >> 8))) {
            return refuse_argument(error,
                                   "--pci %s: no device is there; 'info pci' in the "
                                   "monitor shows them",
                                   *writes);
        }
        pci_bus_config_write(machine->pci, address, value, size);
    }
    return true;
}

Machine *umbra_machine_build(const UmbraMachineOptions *options, GError **error)
{
    static const RunStatePolicy policy = {.no_reboot = true};
    Machine *machine;

    io_lock();
    machine = new_machine(options, error);
    if (!machine) {
        return NULL;
    }
    run_state_init(machine, &policy);
    if (!machine_build(machine, error) || !add_devices(options->devices, error) ||
        !machine_complete(machine, error)) {
        return NULL;
    }
    run_state_reset(SYSTEM_CAUSE_NONE, "start");
    return set_pam(machine, options->pam, error) &&
                   write_config(machine, options->pci, error)
               ? machine
               : NULL;
}
