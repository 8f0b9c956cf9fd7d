/*
 * -smbios: what the user has the SMBIOS tables say.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/types/pc.h"

#include <gio/gio.h>
#include <stdio.h>
#include <string.h>

#include "hw/core/option-string.h"
#include "hw/core/property.h"

#define OFFSET(field) offsetof(SMBIOSInfo, field)

/* A field that is text. */
static const struct {
    unsigned type;
    const char *key;
    size_t offset;
} texts[] = {
    {0, "vendor", OFFSET(bios.vendor)},
    {0, "version", OFFSET(bios.version)},
    {0, "date", OFFSET(bios.date)},
    {1, "manufacturer", OFFSET(system.manufacturer)},
    {1, "product", OFFSET(system.product)},
    {1, "version", OFFSET(system.version)},
    {1, "serial", OFFSET(system.serial)},
    {1, "sku", OFFSET(system.sku)},
    {1, "family", OFFSET(system.family)},
    {2, "manufacturer", OFFSET(board.manufacturer)},
    {2, "product", OFFSET(board.product)},
    {2, "version", OFFSET(board.version)},
    {2, "serial", OFFSET(board.serial)},
    {2, "asset", OFFSET(board.asset)},
    {2, "location", OFFSET(board.location)},
    {3, "manufacturer", OFFSET(chassis.manufacturer)},
    {3, "version", OFFSET(chassis.version)},
    {3, "serial", OFFSET(chassis.serial)},
    {3, "asset", OFFSET(chassis.asset)},
    {3, "sku", OFFSET(chassis.sku)},
    {4, "sock_pfx", OFFSET(processor.socket_prefix)},
    {4, "manufacturer", OFFSET(processor.manufacturer)},
    {4, "version", OFFSET(processor.version)},
    {4, "serial", OFFSET(processor.serial)},
    {4, "asset", OFFSET(processor.asset)},
    {4, "part", OFFSET(processor.part)},
    {17, "loc_pfx", OFFSET(memory.location_prefix)},
    {17, "bank", OFFSET(memory.bank)},
    {17, "manufacturer", OFFSET(memory.manufacturer)},
    {17, "serial", OFFSET(memory.serial)},
    {17, "asset", OFFSET(memory.asset)},
    {17, "part", OFFSET(memory.part)},
};

/* A field that is a number of 16 bits. */
static const struct {
    unsigned type;
    const char *key;
    size_t offset;
} numbers[] = {
    {4, "max-speed", OFFSET(processor.max_speed)},
    {4, "current-speed", OFFSET(processor.current_speed)},
    {17, "speed", OFFSET(memory.speed)},
};

static bool set_release(SMBIOSInfo *info, const char *value, GError **error)
{
    char after;

    return sscanf(value, "%hhu.%hhu%c", &info->bios.release_major,
                  &info->bios.release_minor, &after) == 2 ||
           refuse_argument(error, "-smbios: Invalid release '%s'; write it as 1.2",
                           value);
}

static bool set_uuid(SMBIOSInfo *info, const char *value, GError **error)
{
    static uint8_t uuid[16]; /* a process has one machine */

    info->system.uuid = uuid;
    return pc_parse_uuid(value, uuid, NULL) ||
           refuse_argument(error, "-smbios: Invalid UUID '%s'", value);
}

static bool set_field(SMBIOSInfo *info, unsigned type, const char *key, const char *value,
                      GPtrArray *oem_strings, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        if (texts[i].type == type && strcmp(texts[i].key, key) == 0) {
            *(const char **)(void *)((char *)info + texts[i].offset) = value;
            return true;
        }
    }
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        if (numbers[i].type == type && strcmp(numbers[i].key, key) == 0) {
            uint64_t number;

            if (!parse_uint64(value, UINT16_MAX, &number)) {
                return refuse_argument(error, "-smbios: Parameter '%s' expects a number",
                                       key);
            }
            *(uint16_t *)(void *)((char *)info + numbers[i].offset) = (uint16_t)number;
            return true;
        }
    }
    if (type == 0 && strcmp(key, "release") == 0) {
        return set_release(info, value, error);
    }
    if (type == 0 && strcmp(key, "uefi") == 0) {
        return parse_bool(value, &info->bios.uefi) ||
               refuse_argument(error, "-smbios: Parameter 'uefi' expects 'on' or 'off'");
    }
    if (type == 1 && strcmp(key, "uuid") == 0) {
        return set_uuid(info, value, error);
    }
    if (type == 11 && strcmp(key, "value") == 0) {
        g_ptr_array_insert(oem_strings, (gint)oem_strings->len - 1, (gpointer)value);
        return true;
    }
    return refuse_argument(error, "-smbios: Invalid parameter '%s' for type %u", key,
                           type);
}

static bool set_port(SMBIOSPort *port, const char *key, const char *value, GError **error)
{
    uint8_t *number = strcmp(key, "connector_type") == 0 ? &port->connector_type
                      : strcmp(key, "port_type") == 0    ? &port->port_type
                                                         : NULL;
    uint64_t parsed;

    if (strcmp(key, "internal_reference") == 0) {
        port->internal = value;
    } else if (strcmp(key, "external_reference") == 0) {
        port->external = value;
    } else if (!number) {
        return refuse_argument(error, "-smbios: Invalid parameter '%s' for type 8", key);
    } else if (!parse_uint64(value, UINT8_MAX, &parsed)) {
        return refuse_argument(error,
                               "-smbios: Parameter '%s' expects a number up to 255", key);
    } else {
        *number = (uint8_t)parsed;
    }
    return true;
}

/* Each option of type 8 is one more connector. */
static bool add_port(GArray *ports, const OptionString *options, GError **error)
{
    SMBIOSPort port = {0};

    for (guint i = 0; i < options->count; i++) {
        if (strcmp(options->pairs[i].key, "type") != 0 &&
            !set_port(&port, options->pairs[i].key, options->pairs[i].value, error)) {
            return false;
        }
    }
    g_array_append_val(ports, port);
    return true;
}

static bool add_file(SMBIOSInfo *info, const char *path, GError **error)
{
    g_autofree char *bytes = NULL;
    gsize length;

    if (!g_file_get_contents(path, &bytes, &length, error)) {
        g_prefix_error(error, "-smbios: ");
        return false;
    }
    if (!info->extra) {
        info->extra = g_byte_array_new();
    }
    g_byte_array_append(info->extra, (const uint8_t *)bytes, (guint)length);
    return smbios_check_structures(info->extra) ||
           refuse_argument(error, "-smbios: '%s' is no sequence of SMBIOS structures",
                           path);
}

bool pc_smbios_apply(SMBIOSInfo *info, const GPtrArray *options, GError **error)
{
    GPtrArray *oem_strings = g_ptr_array_new();
    GArray *ports = g_array_new(false, false, sizeof(SMBIOSPort));

    g_ptr_array_add(oem_strings, NULL);
    for (guint n = 0; options && n < options->len; n++) {
        /* What it points to lives as long as the machine. */
        OptionString *parsed = option_string_parse(options->pdata[n], NULL);
        const char *file = option_string_get(parsed, "file");
        const char *type_text = option_string_get(parsed, "type");
        uint64_t type = 0;

        if (file) {
            if (!add_file(info, file, error)) {
                return false;
            }
            continue;
        }
        if (!type_text || !parse_uint64(type_text, 255, &type)) {
            return refuse_argument(error, "-smbios %s: say type=N or file=FILE",
                                   (const char *)options->pdata[n]);
        }
        if (type == 8) {
            if (!add_port(ports, parsed, error)) {
                return false;
            }
            continue;
        }
        info->bios.present |= type == 0;
        info->board.present |= type == 2;
        for (guint i = 0; i < parsed->count; i++) {
            if (strcmp(parsed->pairs[i].key, "type") != 0 &&
                !set_field(info, (unsigned)type, parsed->pairs[i].key,
                           parsed->pairs[i].value, oem_strings, error)) {
                return false;
            }
        }
    }
    info->ports = ports;
    info->oem_strings = (const char *const *)oem_strings->pdata;
    return true;
}
