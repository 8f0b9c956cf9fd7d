/*
 * The firmware finds room for the file with the number and writes its address into the
 * other file, so that the number can be changed where the guest has it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/acpi/vmgenid.h"

#include <gio/gio.h>
#include <string.h>

#include "hw/core/property.h"
#include "hw/core/vmstate.h"
#include "memory/access.h"

#define GUID_SIZE 16
#define FILE_SIZE KiB(4)

struct VMGenID {
    Device parent;
    char *guid;                              /* the property: "auto", or a GUID */
    uint8_t number[GUID_SIZE];               /* as RFC 4122 has it */
    uint8_t file[FILE_SIZE];                 /* with the number in the guest's order */
    uint8_t vmgenid_addr_le[sizeof(uint64_t)]; /* little-endian, of the number; 0: none */
    AddressSpace *memory;
    ACPIPM *pm;
};

DEVICE_DEFINE_TYPE(VMGenID, vmgenid, "vmgenid", TYPE_DEVICE)

/* -- The number -------------------------------------------------------------------- */

/* The guest takes its first three fields as little-endian numbers. */
static void fill_file(VMGenID *vmgenid)
{
    static const uint8_t order[GUID_SIZE] = {3, 2, 1,  0,  5,  4,  7,  6,
                                             8, 9, 10, 11, 12, 13, 14, 15};

    for (size_t i = 0; i < GUID_SIZE; i++) {
        vmgenid->file[VMGENID_GUID_OFFSET + i] = vmgenid->number[order[i]];
    }
}

/* Writes the number where the guest has it, and says so. */
static void tell_guest(VMGenID *vmgenid)
{
    uint64_t address;

    memcpy(&address, vmgenid->vmgenid_addr_le, sizeof(address));
    address = GUINT64_FROM_LE(address);
    if (!address || !vmgenid->pm) {
        return;
    }
    fill_file(vmgenid);
    address_space_write(vmgenid->memory, address, MEMTXATTRS_UNSPECIFIED,
                        vmgenid->file + VMGENID_GUID_OFFSET, GUID_SIZE);
    acpi_pm_raise_gpe(vmgenid->pm, VMGENID_GPE);
}

char *vmgenid_text(const VMGenID *vmgenid)
{
    const uint8_t *n = vmgenid->number;

    return g_strdup_printf("%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
                           "%02x%02x%02x%02x%02x%02x",
                           n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7], n[8], n[9],
                           n[10], n[11], n[12], n[13], n[14], n[15]);
}

/* -- The firmware's side ----------------------------------------------------------- */

bool vmgenid_add_files(VMGenID *vmgenid, FWCfg *cfg, AddressSpace *memory, ACPIPM *pm,
                       GError **error)
{
    if (!fw_cfg_has_dma(cfg)) {
        g_set_error(
            error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
            "vmgenid requires DMA write support in fw_cfg, which this machine type "
            "does not provide; use one from 2.5 on");
        return false;
    }
    vmgenid->memory = memory;
    vmgenid->pm = pm;
    fill_file(vmgenid);
    return fw_cfg_add_file(cfg, VMGENID_FILE_GUID, vmgenid->file, FILE_SIZE, error) &&
           fw_cfg_add_file_callback(cfg, VMGENID_FILE_ADDRESS, NULL, NULL, vmgenid,
                                    vmgenid->vmgenid_addr_le,
                                    sizeof(vmgenid->vmgenid_addr_le), true, error);
}

/* -- Life -------------------------------------------------------------------------- */

static bool find_other(Device *dev, void *opaque)
{
    Device **found = opaque;

    if (G_TYPE_CHECK_INSTANCE_TYPE(dev, TYPE_VMGENID) && dev->realized) {
        *found = dev;
    }
    return !*found;
}

VMGenID *vmgenid_find(void)
{
    Device *found = NULL;

    device_foreach(find_other, &found);
    return (VMGenID *)found;
}

static bool vmgenid_realize(Device *dev, GError **error)
{
    VMGenID *vmgenid = (VMGenID *)dev;
    g_autofree char *random = NULL;
    const char *text = vmgenid->guid;

    if (vmgenid_find()) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS,
                    "at most one vmgenid device is permitted");
        return false;
    }
    if (g_strcmp0(text, "auto") == 0) {
        text = random = g_uuid_string_random();
    }
    return (text && parse_uuid(text, vmgenid->number)) ||
           refuse_argument(error, "vmgenid.guid=%s is neither a UUID nor 'auto'",
                           text ? text : "");
}

/* The firmware places the number anew. */
static void vmgenid_reset(Device *dev)
{
    VMGenID *vmgenid = (VMGenID *)dev;

    memset(vmgenid->vmgenid_addr_le, 0, sizeof(vmgenid->vmgenid_addr_le));
}

static bool vmgenid_post_load(void *opaque, int version_id, GError **error)
{
    tell_guest(opaque);
    return true;
}

static const VMStateDescription vmstate_vmgenid = {
    .name = "vmgenid",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = vmgenid_post_load,
    .fields =
        (const VMStateField[]){
            VMSTATE_UINT8_ARRAY(vmgenid_addr_le, VMGenID, sizeof(uint64_t)),
            VMSTATE_END_OF_LIST(),
        },
};

static const Property vmgenid_properties[] = {
    PROP_STRING("guid", VMGenID, guid, "auto", "the number as a UUID, or 'auto'"),
    PROP_END,
};

static void vmgenid_class_init(DeviceClass *klass)
{
    klass->desc = "Virtual machine generation identifier";
    klass->vmsd = &vmstate_vmgenid;
    klass->user_creatable = true;
    klass->realize = vmgenid_realize;
    klass->reset = vmgenid_reset;
    property_install_table(G_OBJECT_CLASS(klass), vmgenid_properties);
}
