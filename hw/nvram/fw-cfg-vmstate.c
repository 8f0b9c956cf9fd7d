/*
 * fw_cfg in a migration stream: what the guest has selected, how much of it it has read,
 * and how long the files are whose RAM blocks' sizes go with the source.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <gio/gio.h>

#include "hw/nvram/fw-cfg-internal.h"

#define KEY_INVALID 0xffff

enum { ACPI_TABLES, ACPI_LOADER, ACPI_RSDP, ACPI_FILES };

static const char *const acpi_files[ACPI_FILES] = {"etc/acpi/tables", "etc/table-loader",
                                                   "etc/acpi/rsdp"};

typedef struct WireFWCfg {
    const FWCfg *cfg;
    uint16_t cur_entry;
    uint32_t cur_offset;
    uint64_t dma_addr;
    uint64_t acpi_lengths[ACPI_FILES];
} WireFWCfg;

static void fw_cfg_to_wire(void *opaque, void *data)
{
    FWCfg *cfg = opaque;
    WireFWCfg *wire = data;

    wire->cfg = cfg;
    wire->cur_entry = cfg->selected;
    wire->cur_offset = cfg->offset;
    wire->dma_addr = cfg->dma_address;
    for (unsigned i = 0; i < ACPI_FILES; i++) {
        const FWCfgItem *item = fw_cfg_find_item(cfg, acpi_files[i]);

        wire->acpi_lengths[i] = item ? item->length : 0;
    }
}

static bool set_length(FWCfg *cfg, const char *name, uint64_t length, GError **error)
{
    FWCfgItem *item = fw_cfg_find_item(cfg, name);
    uint64_t now = item ? item->length : 0;

    if (length == now) {
        return true;
    }
    if (!item || length > item->room) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                    "the stream's firmware file '%s' has %" G_GUINT64_FORMAT
                    " bytes, this machine's %" G_GUINT64_FORMAT
                    ": give both machines the same -acpitable and devices",
                    name, length, now);
        return false;
    }
    item->length = length;
    fw_cfg_update_directory(cfg);
    return true;
}

static bool fw_cfg_from_wire(void *opaque, void *data, int version_id, GError **error)
{
    FWCfg *cfg = opaque;
    const WireFWCfg *wire = data;
    uint16_t key = wire->cur_entry & ~FW_CFG_WRITE_BIT;

    for (unsigned i = 0; i < ACPI_FILES; i++) {
        if (!set_length(cfg, acpi_files[i], wire->acpi_lengths[i], error)) {
            return false;
        }
    }
    if (wire->cur_entry == KEY_INVALID ||
        (key & ~FW_CFG_ARCH_LOCAL) >= FW_CFG_FILE_FIRST + cfg->file_slots) {
        key = KEY_INVALID;
    }
    cfg->selected = key;
    cfg->offset = wire->cur_offset;
    cfg->dma_address = wire->dma_addr;
    return true;
}

/* Version 1 had 16 bits of offset. */
static bool is_version_1(void *opaque, int version_id)
{
    return version_id == 1;
}

static void get_offset16(Wire *wire, void *value, size_t size, const VMStateField *field)
{
    *(uint32_t *)value = wire_get_be16(wire);
}

static void put_offset16(Wire *wire, const void *value, size_t size,
                         const VMStateField *field)
{
    wire_put_be16(wire, *(const uint32_t *)value);
}

static const VMStateInfo info_offset16 = {
    .name = "int32_as_uint16", .get = get_offset16, .put = put_offset16};

static bool has_dma(void *opaque)
{
    return ((WireFWCfg *)opaque)->cfg->dma_enabled;
}

static const VMStateDescription vmstate_fw_cfg_dma = {
    .name = "fw_cfg/dma",
    .needed = has_dma,
    .fields =
        (const VMStateField[]){
            VMSTATE_UINT64(dma_addr, WireFWCfg),
            VMSTATE_END_OF_LIST(),
        },
};

/* Whole pages need no words: the RAM blocks tell as much. */
static bool tells_acpi_lengths(void *opaque)
{
    const WireFWCfg *wire = opaque;
    uint64_t lengths = 0;

    for (unsigned i = 0; i < ACPI_FILES; i++) {
        lengths |= wire->acpi_lengths[i];
    }
    return wire->cfg->acpi_mr_restore && lengths % KiB(4) != 0;
}

static const VMStateDescription vmstate_fw_cfg_acpi_mr = {
    .name = "fw_cfg/acpi_mr",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = tells_acpi_lengths,
    .fields =
        (const VMStateField[]){
            VMSTATE_AS(acpi_lengths[ACPI_TABLES], WireFWCfg, "table_mr_size", uint64),
            VMSTATE_AS(acpi_lengths[ACPI_LOADER], WireFWCfg, "linker_mr_size", uint64),
            VMSTATE_AS(acpi_lengths[ACPI_RSDP], WireFWCfg, "rsdp_mr_size", uint64),
            VMSTATE_END_OF_LIST(),
        },
};

const VMStateDescription vmstate_fw_cfg = {
    .name = "fw_cfg",
    .version_id = 2,
    .minimum_version_id = 1,
    .wire_size = sizeof(WireFWCfg),
    .to_wire = fw_cfg_to_wire,
    .from_wire = fw_cfg_from_wire,
    .fields =
        (const VMStateField[]){
            VMSTATE_UINT16(cur_entry, WireFWCfg),
            VMSTATE_SINGLE_TEST(cur_offset, WireFWCfg, is_version_1, 0, info_offset16,
                                uint32_t),
            VMSTATE_UINT32_V(cur_offset, WireFWCfg, 2),
            VMSTATE_END_OF_LIST(),
        },
    .subsections = (const VMStateDescription *const[]){&vmstate_fw_cfg_dma,
                                                       &vmstate_fw_cfg_acpi_mr, NULL},
};
