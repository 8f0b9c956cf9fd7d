/*
 * A device's expansion ROM (PCI Local Bus 2.1, section 6.3).
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <string.h>

#include "firmware/loader.h"
#include "hw/core/vmstate.h"
#include "hw/pci/pci-internal.h"

#define ROM_SIZE_MIN KiB(2) /* of the ROM BAR's address bits */

static uint64_t rom_size(uint64_t image_size)
{
    uint64_t size = ROM_SIZE_MIN;

    while (size < image_size) {
        size *= 2;
    }
    return size;
}

bool pci_rom_init(PCIDevice *dev, GError **error)
{
    const VMStateDescription *vmsd = DEVICE_GET_CLASS(dev)->vmsd;
    g_autofree char *name =
        g_strdup_printf("%s.rom", vmsd ? vmsd->name : G_OBJECT_TYPE_NAME(dev));
    g_autoptr(GBytes) image = NULL;
    gsize size;
    const void *data;

    if (!dev->romfile) {
        dev->romfile = g_strdup(PCI_DEVICE_GET_CLASS(dev)->romfile);
    }
    if (!dev->romfile || !*dev->romfile || !dev->rombar) {
        return true;
    }
    image = firmware_load(dev->romfile, NULL, &firmware_rules_option_rom, error);
    if (!image) {
        return false;
    }
    data = g_bytes_get_data(image, &size);
    if (!memory_region_init_rom(&dev->rom, G_OBJECT(dev), name, rom_size(size), error)) {
        return false;
    }
    vmstate_register_ram(&dev->rom, DEVICE(dev));
    memcpy(memory_region_get_ram_ptr(&dev->rom), data, size);
    pci_register_bar(dev, PCI_ROM_BAR, 0, &dev->rom);
    return true;
}

void pci_rom_destroy(PCIDevice *dev)
{
    if (dev->bars[PCI_ROM_BAR].region == &dev->rom) {
        memory_region_destroy(&dev->rom);
        dev->bars[PCI_ROM_BAR].region = NULL;
    }
}
