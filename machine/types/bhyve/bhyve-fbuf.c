/*
 * bhyve's frame buffer, `-s N,fbuf` there and `-device bhyve-fbuf` here: registers in BAR
 * 0 and the segment "framebuffer" in BAR 1, which firmware and guests draw in directly.
 *
 * From usr.sbin/bhyve/pci_fbuf.c. VGA's ports, which bhyve's has besides, are not here.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/types/bhyve/bhyve.h"

#include <gio/gio.h>
#include <string.h>

#include "hw/display/console.h"
#include "hw/pci/msi.h"
#include "hw/pci/pci-regs.h"
#include "hw/pci/pci-vmstate.h"
#include "memory/ram-block.h"

#define SEGMENT_NAME "framebuffer"
#define SEGMENT_SIZE MiB(32) /* FB_SIZE */
#define MSI_OFFSET 0x40      /* pci_emul.c: CAP_START_OFFSET */

/* memregs: plain memory of DMEMSZ bytes, little-endian. */
enum {
    REGISTER_SIZE = 0,  /* u32: bytes of frame buffer */
    REGISTER_WIDTH = 4, /* u16: pixels */
    REGISTER_HEIGHT = 6,
    REGISTER_DEPTH = 8, /* u16: bits a pixel */
    REGISTERS = 128,
};

#define DEPTH 32
#define WIDTH_MIN 640 /* COLS_MIN ... */
#define WIDTH_MAX 3840
#define HEIGHT_MIN 480
#define HEIGHT_MAX 2160

typedef struct Fbuf {
    PCIDevice parent;
    uint32_t width, height; /* properties: what the registers say after a reset */
    uint8_t registers[REGISTERS];
    MemoryRegion register_region;
    MemoryRegion segment; /* in no container: the BAR's region shows it */
    MemoryRegion mapping;
    DisplayConsole *console;
} Fbuf;

DEVICE_DEFINE_TYPE(Fbuf, bhyve_fbuf, "bhyve-fbuf", TYPE_PCI_DEVICE)

#define FBUF(object) (G_TYPE_CHECK_INSTANCE_CAST((object), bhyve_fbuf_get_type(), Fbuf))

/* -- Registers ----------------------------------------------------------------------- */

static uint64_t fbuf_read(void *opaque, hwaddr offset, unsigned size)
{
    const Fbuf *fbuf = opaque;
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++) {
        value |= (uint64_t)fbuf->registers[offset + i] << (8 * i);
    }
    return value;
}

static void fbuf_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    Fbuf *fbuf = opaque;

    for (unsigned i = 0; i < size; i++) {
        fbuf->registers[offset + i] = (uint8_t)(value >> (8 * i));
    }
}

static const MemoryRegionOps fbuf_ops = {
    .read = fbuf_read,
    .write = fbuf_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = {.min_access_size = 1, .max_access_size = 8},
    .impl = {.min_access_size = 1, .max_access_size = 4},
};

/* -- The picture --------------------------------------------------------------------- */

/* The guest may write any size; one that there are no pixels for is an empty screen. */
static void fbuf_draw(void *opaque, pixman_image_t **image)
{
    Fbuf *fbuf = opaque;
    unsigned width = pci_get_word(fbuf->registers + REGISTER_WIDTH);
    unsigned height = pci_get_word(fbuf->registers + REGISTER_HEIGHT);
    bool sound = width && height && width <= WIDTH_MAX && height <= HEIGHT_MAX &&
                 (uint64_t)width * height * (DEPTH / 8) <= SEGMENT_SIZE;
    const uint8_t *pixels = memory_region_get_ram_ptr(&fbuf->segment);
    uint8_t *line;

    if (!sound) {
        width = WIDTH_MIN;
        height = HEIGHT_MIN;
    }
    if (!display_image_resize(image, PIXMAN_x8r8g8b8, (int)width, (int)height)) {
        return;
    }
    line = (uint8_t *)pixman_image_get_data(*image);
    for (unsigned y = 0; y < height; y++) {
        if (sound) {
            memcpy(line, pixels + (size_t)y * width * (DEPTH / 8), width * (DEPTH / 8));
        } else {
            memset(line, 0, width * (DEPTH / 8));
        }
        line += pixman_image_get_stride(*image);
    }
}

/* -- Life ---------------------------------------------------------------------------- */

static bool fbuf_realize(Device *dev, GError **error)
{
    Fbuf *fbuf = FBUF(dev);
    GObject *owner = G_OBJECT(dev);

    if (fbuf->width < WIDTH_MIN || fbuf->width > WIDTH_MAX || fbuf->height < HEIGHT_MIN ||
        fbuf->height > HEIGHT_MAX) {
        return refuse_argument(error,
                               "w=%u,h=%u: a bhyve-fbuf has from %dx%d to %dx%d "
                               "pixels",
                               fbuf->width, fbuf->height, WIDTH_MIN, HEIGHT_MIN,
                               WIDTH_MAX, HEIGHT_MAX);
    }
    if (ram_block_find(SEGMENT_NAME)) {
        return refuse_argument(error,
                               "there is a bhyve-fbuf already, and bhyve allows one");
    }
    if (!pci_device_realize(dev, error) ||
        !memory_region_init_ram(&fbuf->segment, owner, SEGMENT_NAME, SEGMENT_SIZE,
                                error)) {
        return false;
    }
    pci_set_long(fbuf->parent.config + PCI_SUBSYSTEM_VENDOR_ID, 0);
    pci_msi_init(&fbuf->parent, MSI_OFFSET);
    memory_region_init_io(&fbuf->register_region, owner, &fbuf_ops, fbuf,
                          "fbuf-registers", REGISTERS);
    memory_region_init_alias(&fbuf->mapping, owner, "fbuf-framebuffer", &fbuf->segment, 0,
                             SEGMENT_SIZE);
    pci_register_bar(&fbuf->parent, 0, 0, &fbuf->register_region);
    pci_register_bar(&fbuf->parent, 1, 0, &fbuf->mapping);
    fbuf->console = display_console_new(dev, fbuf_draw, fbuf);
    return true;
}

static void fbuf_unrealize(Device *dev)
{
    Fbuf *fbuf = FBUF(dev);

    display_console_free(fbuf->console);
    pci_device_unrealize(dev);
    memory_region_destroy(&fbuf->mapping);
    memory_region_destroy(&fbuf->register_region);
    memory_region_destroy(&fbuf->segment);
}

static void fbuf_reset(Device *dev)
{
    Fbuf *fbuf = FBUF(dev);

    memset(fbuf->registers, 0, sizeof(fbuf->registers));
    pci_set_long(fbuf->registers + REGISTER_SIZE, SEGMENT_SIZE);
    pci_set_word(fbuf->registers + REGISTER_WIDTH, (uint16_t)fbuf->width);
    pci_set_word(fbuf->registers + REGISTER_HEIGHT, (uint16_t)fbuf->height);
    pci_set_word(fbuf->registers + REGISTER_DEPTH, DEPTH);
    memory_region_clear_ram(&fbuf->segment);
    pci_msi_reset(&fbuf->parent, MSI_OFFSET);
    pci_device_reset(dev);
}

static const Property fbuf_properties[] = {
    PROP_UINT32("w", Fbuf, width, 1024, "pixels a line, before the guest sets them"),
    PROP_UINT32("h", Fbuf, height, 768, "lines"),
    PROP_END,
};

static const VMStateDescription vmstate_fbuf = {
    .name = "bhyve-fbuf",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]){VMSTATE_PCI_DEVICE(parent, Fbuf, "parent"),
                                     VMSTATE_UINT8_ARRAY(registers, Fbuf, REGISTERS),
                                     VMSTATE_END_OF_LIST()},
};

static void bhyve_fbuf_class_init(DeviceClass *klass)
{
    PCIDeviceClass *pci = PCI_DEVICE_CLASS(klass);

    pci->vendor_id = 0xfb5d;
    pci->device_id = 0x40fb;
    pci->class_id = 0x0300;
    klass->desc = "frame buffer of FreeBSD's bhyve";
    klass->user_creatable = true;
    klass->vmsd = &vmstate_fbuf;
    klass->realize = fbuf_realize;
    klass->unrealize = fbuf_unrealize;
    klass->reset = fbuf_reset;
    property_install_table(G_OBJECT_CLASS(klass), fbuf_properties);
}
