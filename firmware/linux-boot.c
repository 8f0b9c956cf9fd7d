/*
 * Linux kernels. Field names and offsets are those of Documentation/arch/x86/boot.rst.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "firmware/kernel-boot.h"

#include <gio/gio.h>
#include <string.h>

enum {
    SETUP_SECTS = 0x1f1,   /* u8 */
    SYSSIZE = 0x1f4,       /* u32: the kernel in units of 16 bytes; exact since 2.04 */
    VID_MODE = 0x1fa,      /* u16 */
    MAGIC = 0x202,         /* "HdrS" */
    VERSION = 0x206,       /* u16 */
    TYPE_OF_LOADER = 0x210,
    LOADFLAGS = 0x211,
    RAMDISK_IMAGE = 0x218, /* u32 */
    RAMDISK_SIZE = 0x21c,  /* u32 */
    HEAP_END_PTR = 0x224,  /* u16, 2.01 */
    CMD_LINE_PTR = 0x228,  /* u32, 2.02 */
    INITRD_ADDR_MAX = 0x22c, /* u32, 2.03 */
    XLOADFLAGS = 0x236,    /* u16, 2.12 */
    CMDLINE_SIZE = 0x238,  /* u32, 2.06 */
    HEADER_END = 0x268,
    OLD_CMDLINE_MAGIC = 0x20, /* u16 and u16, before 2.02 */
    OLD_CMDLINE_OFFSET = 0x22,
};

#define LOADFLAGS_LOADED_HIGH 0x01
#define LOADFLAGS_CAN_USE_HEAP 0x80
#define XLOADFLAGS_ABOVE_4G 0x0002
#define LOADER_QEMU 0xb0 /* what the option ROM is known as */
#define SECTOR 512u

#define OLD_CMDLINE 0xa33f
#define OLD_INITRD_ADDR_MAX 0x37ffffff
#define OLD_CMDLINE_SIZE 255
/* Setup code of old kernels, its heap and the command line end here: the BIOS' data area
 * and what boot ROMs keep lie above. */
#define OLD_SETUP_ADDRESS 0x90000
#define OLD_CMDLINE_END 0x9a000
#define SETUP_ADDRESS 0x10000
#define CMDLINE_ADDRESS 0x20000
#define KERNEL_LOW_ADDRESS 0x10000
#define KERNEL_HIGH_ADDRESS 0x100000

bool linux_boot_probe(GBytes *image)
{
    size_t size;
    const uint8_t *bytes = g_bytes_get_data(image, &size);

    return size >= MAGIC + 4 && memcmp(bytes + MAGIC, "HdrS", 4) == 0;
}

/* Where the three pieces go that have fixed places. */
static void place(KernelBoot *boot, uint16_t version, bool high, uint32_t cmdline_size)
{
    boot->kernel.address = high ? KERNEL_HIGH_ADDRESS : KERNEL_LOW_ADDRESS;
    if (high && version >= 0x202) {
        boot->setup.address = SETUP_ADDRESS;
        boot->cmdline.address = CMDLINE_ADDRESS;
    } else {
        boot->setup.address = OLD_SETUP_ADDRESS;
        boot->cmdline.address = (OLD_CMDLINE_END - cmdline_size) & ~15u;
    }
}

/* The kernel's own `vga=` is the loader's to understand. */
static void set_video_mode(uint8_t *setup, const char *cmdline)
{
    static const struct {
        const char *name;
        uint16_t mode;
    } names[] = {{"normal", 0xffff}, {"ext", 0xfffe}, {"ask", 0xfffd}};
    g_auto(GStrv) words = g_strsplit(cmdline, " ", -1);

    for (char **word = words; *word; word++) {
        const char *value = *word + strlen("vga=");
        uint16_t mode;

        if (!g_str_has_prefix(*word, "vga=")) {
            continue;
        }
        mode = (uint16_t)g_ascii_strtoull(value, NULL, 0);
        for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
            if (strcmp(value, names[i].name) == 0) {
                mode = names[i].mode;
            }
        }
        kernel_put16(setup + VID_MODE, mode);
    }
}

/* As high as the kernel can reach it and RAM has room. */
static bool place_initrd(KernelBoot *boot, const KernelSource *source, uint8_t *setup,
                         uint16_t version, GError **error)
{
    uint64_t top = source->ram_end - MIN(source->ram_end, KERNEL_BOOT_TABLES);
    uint64_t reach = OLD_INITRD_ADDR_MAX;
    uint64_t size, floor;

    if (source->module_count == 0) {
        return true;
    }
    if (source->module_count > 1) {
        return kernel_fail(error, "Linux takes one -initrd, not %zu", source->module_count);
    }
    if (version >= 0x20c && kernel_get16(setup + XLOADFLAGS) & XLOADFLAGS_ABOVE_4G) {
        reach = UINT32_MAX;
    } else if (version >= 0x203) {
        reach = kernel_get32(setup + INITRD_ADDR_MAX);
    }
    top = MIN(top, reach + 1);
    size = g_bytes_get_size(source->modules[0].bytes);
    floor = boot->kernel.address + g_bytes_get_size(boot->kernel.bytes);
    if (boot->kernel.address < KERNEL_HIGH_ADDRESS) {
        floor = KERNEL_HIGH_ADDRESS;
    }
    /* One byte less than the room, so that it ends as QEMU's does, at or below top - 1. */
    if (top <= floor || size >= top - floor ||
        ((top - 1 - size) & ~UINT64_C(0xfff)) < floor) {
        return kernel_fail(error,
                    "the initrd of %" G_GUINT64_FORMAT " bytes is too large: between the "
                    "kernel and 0x%" G_GINT64_MODIFIER "x, the end of what RAM and kernel "
                    "allow, are %" G_GUINT64_FORMAT "; give the machine more (-m)",
                    size, top, top > floor ? top - floor : 0);
    }
    boot->initrd.address = (uint32_t)((top - 1 - size) & ~UINT64_C(0xfff));
    boot->initrd.bytes = g_bytes_ref(source->modules[0].bytes);
    kernel_put32(setup + RAMDISK_IMAGE, boot->initrd.address);
    kernel_put32(setup + RAMDISK_SIZE, (uint32_t)size);
    return true;
}

static void fill_in_header(const KernelBoot *boot, uint8_t *setup, uint16_t version,
                           const char *cmdline)
{
    uint32_t offset = boot->cmdline.address - boot->setup.address;

    setup[TYPE_OF_LOADER] = LOADER_QEMU;
    if (version >= 0x201) {
        setup[LOADFLAGS] |= LOADFLAGS_CAN_USE_HEAP;
        kernel_put16(setup + HEAP_END_PTR, (uint16_t)(offset - 0x200));
    }
    if (version >= 0x202) {
        kernel_put32(setup + CMD_LINE_PTR, boot->cmdline.address);
    } else {
        kernel_put16(setup + OLD_CMDLINE_MAGIC, OLD_CMDLINE);
        kernel_put16(setup + OLD_CMDLINE_OFFSET, (uint16_t)offset);
    }
    set_video_mode(setup, cmdline);
}

bool linux_boot_prepare(KernelBoot *boot, const KernelSource *source, GError **error)
{
    size_t size, setup_size, cmdline_size = strlen(source->cmdline) + 1;
    const uint8_t *image = g_bytes_get_data(source->image, &size);
    uint32_t cmdline_max = OLD_CMDLINE_SIZE;
    g_autofree uint8_t *setup = NULL;
    uint64_t end;
    uint16_t version;
    bool high;

    *boot = (KernelBoot){.rom = "linuxboot"};
    setup_size = (size > SETUP_SECTS && image[SETUP_SECTS] ? image[SETUP_SECTS] : 4) * SECTOR +
                 SECTOR;
    if (size <= setup_size || setup_size < HEADER_END) {
        return kernel_fail(error,
                    "truncated: its setup code alone is %zu bytes, and the file has %zu",
                    setup_size, size);
    }
    version = kernel_get16(image + VERSION);
    high = image[LOADFLAGS] & LOADFLAGS_LOADED_HIGH;
    if (version < 0x200) {
        return kernel_fail(error, "boot protocol %u.%02u is too old; 2.00 or later is needed",
                    version >> 8, version & 0xff);
    }
    if (version >= 0x204 &&
        kernel_get32(image + SYSSIZE) * UINT64_C(16) > size - setup_size + 15) {
        return kernel_fail(error,
                    "truncated: its header says %" G_GUINT64_FORMAT
                    " bytes after the setup code, and the file has %zu",
                    kernel_get32(image + SYSSIZE) * UINT64_C(16), size - setup_size);
    }
    if (version >= 0x206) {
        cmdline_max = kernel_get32(image + CMDLINE_SIZE);
    }
    if (cmdline_size - 1 > cmdline_max) {
        return kernel_fail(error, "-append is %zu bytes long, and this kernel takes %u",
                    cmdline_size - 1, cmdline_max);
    }
    place(boot, version, high, (uint32_t)cmdline_size);
    if (setup_size > boot->cmdline.address - boot->setup.address - 0x200) {
        return kernel_fail(error,
                    "its setup code of %zu bytes is too large: %u bytes below the command "
                    "line are its own",
                    setup_size, boot->cmdline.address - boot->setup.address - 0x200);
    }
    end = high ? source->ram_end : OLD_SETUP_ADDRESS;
    if (boot->kernel.address + (uint64_t)(size - setup_size) > end) {
        return kernel_fail(error,
                    "too large: %zu bytes do not fit between 0x%x and 0x%" G_GINT64_MODIFIER
                    "x%s",
                    size - setup_size, boot->kernel.address, end,
                    high ? "; give the machine more RAM (-m)" : "");
    }
    boot->kernel.bytes = g_bytes_new_from_bytes(source->image, setup_size, size - setup_size);
    boot->cmdline.bytes = g_bytes_new(source->cmdline, cmdline_size);
    setup = g_memdup2(image, setup_size);
    fill_in_header(boot, setup, version, source->cmdline);
    if (!place_initrd(boot, source, setup, version, error)) {
        return false;
    }
    boot->setup.bytes = g_bytes_new_take(g_steal_pointer(&setup), setup_size);
    return true;
}
