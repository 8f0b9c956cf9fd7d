/*
 * What the user adds to a PC's firmware: a kernel to boot (-kernel, -initrd, -append) with
 * the option ROM that fetches it, and option ROMs of their own (-option-rom).
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <gio/gio.h>
#include <string.h>

#include "firmware/kernel-boot.h"
#include "firmware/loader.h"
#include "hw/core/option-string.h"
#include "hw/core/property.h"
#include "machine/kernel-files.h"
#include "machine/types/pc.h"

/* An option ROM as a file for the firmware to run; `index` >= 0: in the boot order. */
static bool add_option_rom(PCMachine *pc, BootOrder *order, const char *file, int32_t index,
                           GError **error)
{
    g_autofree char *base = g_path_get_basename(file);
    g_autofree char *name = g_strconcat("genroms/", base, NULL);
    g_autofree char *path = g_strconcat("/rom@", name, NULL);
    g_autoptr(GBytes) rom = firmware_load(file, pc->parent.config.data_dirs,
                                          &firmware_rules_option_rom, error);
    gsize size;
    const void *bytes = rom ? g_bytes_get_data(rom, &size) : NULL;

    return bytes && (index < 0 || boot_order_add(order, index, path, NULL, error)) &&
           fw_cfg_add_file(pc->parent.fw_cfg, name, bytes, size, error);
}

static void add_piece(FWCfg *cfg, const KernelPiece *piece, uint16_t address, uint16_t size,
                      uint16_t data)
{
    gsize length;
    const void *bytes = piece->bytes ? g_bytes_get_data(piece->bytes, &length) : NULL;

    if (bytes) {
        fw_cfg_add_i32(cfg, address, piece->address);
        fw_cfg_add_i32(cfg, size, (uint32_t)length);
        fw_cfg_add_bytes(cfg, data, bytes, length);
    }
}

/* Reads the files, and takes the kernel apart by its format. */
static bool prepare(const PCMachine *pc, KernelBoot *boot, GError **error)
{
    const MachineConfig *config = &pc->parent.config;
    g_autoptr(GArray) modules = kernel_modules_new();
    g_autoptr(GBytes) image = kernel_file_read("-kernel", config->kernel, error);
    bool linux_format = image && linux_boot_probe(image);
    bool (*prepare_format)(KernelBoot *, const KernelSource *, GError **) =
        linux_format ? linux_boot_prepare : multiboot_prepare;

    if (!image) {
        return false;
    }
    if (!linux_format && !multiboot_probe(image)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                    "-kernel %s: not a kernel: it has neither the mark of Linux' boot protocol "
                    "(HdrS at byte 0x202) nor a Multiboot header in its first 8 KiB",
                    config->kernel);
        return false;
    }
    if (config->initrd && linux_format) {
        KernelModule initrd = {.bytes = kernel_file_read("-initrd", config->initrd, error)};

        if (!initrd.bytes) {
            return false;
        }
        g_array_append_val(modules, initrd);
    } else if (config->initrd && !kernel_modules_read(config->initrd, modules, error)) {
        return false;
    }
    if (!prepare_format(boot,
                        &(KernelSource){
                            .name = config->kernel,
                            .image = image,
                            .cmdline = config->append ? config->append : "",
                            .modules = (const KernelModule *)(const void *)modules->data,
                            .module_count = modules->len,
                            .ram_end = pc->below_4g,
                        },
                        error)) {
        g_prefix_error(error, "-kernel %s: ", config->kernel);
        return false;
    }
    return true;
}

static bool add_kernel(PCMachine *pc, BootOrder *order, GError **error)
{
    FWCfg *cfg = pc->parent.fw_cfg;
    KernelBoot boot = {0};
    bool added = prepare(pc, &boot, error);

    if (added) {
        g_autofree char *dma = property_get_string(G_OBJECT(cfg), "dma_enabled");
        g_autofree char *rom =
            g_strconcat(boot.rom, strcmp(dma, "true") == 0 ? "_dma.bin" : ".bin", NULL);

        if (boot.entry) {
            fw_cfg_add_i32(cfg, FW_CFG_KERNEL_ENTRY, boot.entry);
        }
        add_piece(cfg, &boot.kernel, FW_CFG_KERNEL_ADDR, FW_CFG_KERNEL_SIZE,
                  FW_CFG_KERNEL_DATA);
        add_piece(cfg, &boot.initrd, FW_CFG_INITRD_ADDR, FW_CFG_INITRD_SIZE,
                  FW_CFG_INITRD_DATA);
        add_piece(cfg, &boot.cmdline, FW_CFG_CMDLINE_ADDR, FW_CFG_CMDLINE_SIZE,
                  FW_CFG_CMDLINE_DATA);
        add_piece(cfg, &boot.setup, FW_CFG_SETUP_ADDR, FW_CFG_SETUP_SIZE,
                  FW_CFG_SETUP_DATA);
        added = add_option_rom(pc, order, rom, 0, error);
    }
    kernel_boot_clear(&boot);
    return added;
}

/* -option-rom FILE[,bootindex=N] */
static bool add_users_option_rom(PCMachine *pc, BootOrder *order, const char *text,
                                 GError **error)
{
    g_autoptr(OptionString) options = option_string_parse(text, "romfile");
    const char *file = option_string_get(options, "romfile");
    const char *number = option_string_get(options, "bootindex");
    uint64_t index = 0;

    if (!file || (number && !parse_uint64(number, INT32_MAX, &index))) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "-option-rom %s: write FILE or FILE,bootindex=N", text);
        return false;
    }
    if (!add_option_rom(pc, order, file, number ? (int32_t)index : -1, error)) {
        g_prefix_error(error, "-option-rom %s: ", text);
        return false;
    }
    return true;
}

bool pc_kernel_init(PCMachine *pc, BootOrder *order, GError **error)
{
    const MachineConfig *config = &pc->parent.config;

    if (!config->kernel && (config->initrd || config->append)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "%s is for a -kernel, and none is given",
                    config->initrd ? "-initrd" : "-append");
        return false;
    }
    for (char **rom = config->option_roms; rom && *rom; rom++) {
        if (!add_users_option_rom(pc, order, *rom, error)) {
            return false;
        }
    }
    return !config->kernel || add_kernel(pc, order, error);
}
