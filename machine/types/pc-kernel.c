/*
 * What the user adds to a PC's firmware: a kernel to boot (-kernel, -initrd, -append)
 * with the option ROM that fetches it, and option ROMs of their own (-option-rom).
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <gio/gio.h>
#include <string.h>

#include "firmware/kernel-boot.h"
#include "firmware/loader.h"
#include "hw/core/option-string.h"
#include "hw/core/property.h"
#include "hw/i386/pc-fw-cfg.h"
#include "machine/kernel-files.h"
#include "machine/types/pc.h"

/* An option ROM as a file for the firmware to run; `index` >= 0: in the boot order. */
static bool add_option_rom(PCMachine *pc, BootOrder *order, const char *file,
                           int32_t index, GError **error)
{
    g_autofree char *base = g_path_get_basename(file);
    g_autofree char *path = g_strconcat("/rom@genroms/", base, NULL);
    g_autoptr(GBytes) rom = firmware_load(file, pc->parent.config.data_dirs,
                                          &firmware_rules_option_rom, error);

    return rom && (index < 0 || boot_order_add(order, index, path, NULL, error)) &&
           pc_fw_cfg_add_option_rom(pc->parent.fw_cfg, base, rom,
                                    pc->data->option_roms_in_ram, error);
}

static void add_piece(FWCfg *cfg, const KernelPiece *piece, uint16_t address,
                      uint16_t size, uint16_t data)
{
    gsize length;
    const void *bytes = piece->bytes ? g_bytes_get_data(piece->bytes, &length) : NULL;

    if (bytes) {
        if (piece->address) {
            fw_cfg_add_i32(cfg, address, piece->address);
        }
        fw_cfg_add_i32(cfg, size, (uint32_t)length);
        fw_cfg_add_bytes(cfg, data, bytes, length);
    }
}

/* -- PVH: an ELF file whose note names its entry -- */

#define ROM_COMMAND_LINE 4096u /* bytes that pvh.bin has for it, with its NUL */
#define ROM_TABLES KiB(160) /* below these at the end of low RAM QEMU puts the initrd */
#define SETUP_SIZE 8192u    /* of the file's start; on QEMU other firmware reads it */

static GBytes *take_setup(GBytes *file)
{
    uint8_t *setup = g_malloc0(SETUP_SIZE);
    gsize size;
    const void *bytes = g_bytes_get_data(file, &size);

    memcpy(setup, bytes, MIN(size, SETUP_SIZE));
    return g_bytes_new_take(setup, SETUP_SIZE);
}

/*
 * The kernel is in RAM before the firmware runs, which it must survive. pvh.bin tells it
 * the rest by hvm_start_info, in low memory: its map is E820's, its RSDP the firmware's.
 */
static bool pvh_boot_prepare(PCMachine *pc, GBytes *file, GBytes *initrd,
                             KernelBoot *boot, GError **error)
{
    const char *words = pc->parent.config.append ? pc->parent.config.append : "";
    uint64_t tables = pc->below_4g - ROM_TABLES, initrd_at = tables;
    ElfImage elf;

    *boot = (KernelBoot){.rom = "pvh"};
    if (pc->data->no_pvh) {
        return kernel_fail(error,
                           "an ELF file without a Multiboot header; %s does not start "
                           "PVH kernels: pc-i440fx-4.0 and newer do",
                           pc->parent.type->name);
    }
    if (!pvh_parse(&elf, file, error)) {
        return false;
    }
    if (strlen(words) >= ROM_COMMAND_LINE) {
        return kernel_fail(error, "the command line (-append) is longer than %u bytes",
                           ROM_COMMAND_LINE - 1);
    }
    if (initrd) {
        if (g_bytes_get_size(initrd) + MiB(1) >= tables) {
            return kernel_fail(error,
                               "too large: its -initrd has %" G_GSIZE_FORMAT
                               " bytes; give the machine more memory (-m)",
                               g_bytes_get_size(initrd));
        }
        initrd_at = (tables - 1 - g_bytes_get_size(initrd)) & ~UINT64_C(0xfff);
        boot->initrd.address = (uint32_t)initrd_at;
        boot->initrd.bytes = g_bytes_ref(initrd);
    }
    boot->entry = (uint32_t)elf.phys32_entry;
    boot->cmdline.bytes = g_bytes_new(words, strlen(words) + 1);
    boot->setup.bytes = take_setup(file);
    fw_cfg_add_i32(pc->parent.fw_cfg, FW_CFG_KERNEL_ADDR, (uint32_t)elf.start);
    fw_cfg_add_i32(pc->parent.fw_cfg, FW_CFG_KERNEL_SIZE,
                   (uint32_t)(elf.end - elf.start));
    return pvh_place_kernel(
        &pc->kernel_image, &pc->parent.memory, &elf,
        (const PVHTaken[]){
            {"the firmware's first MiB", 0, MiB(1)},
            {"the firmware's tables", tables, ROM_TABLES},
            {"its -initrd", initrd_at, tables - initrd_at},
        },
        3, error);
}

/* -- All formats -- */

/* Reads the files, and takes the kernel apart by its format. */
static bool prepare(PCMachine *pc, KernelBoot *boot, GError **error)
{
    const MachineConfig *config = &pc->parent.config;
    g_autoptr(GArray) modules = kernel_modules_new();
    g_autoptr(GBytes) image = kernel_file_read("-kernel", config->kernel, error);
    bool linux_format = image && linux_boot_probe(image);
    bool pvh = image && !linux_format && !multiboot_probe(image);
    bool (*prepare_format)(KernelBoot *, const KernelSource *, GError **) =
        linux_format ? linux_boot_prepare : multiboot_prepare;

    if (!image) {
        return false;
    }
    if (pvh && !elf_image_probe(image)) {
        g_set_error(
            error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
            "-kernel %s: not a kernel: it has neither the mark of Linux' boot protocol "
            "(HdrS at byte 0x202) nor a Multiboot header in its first 8 KiB, nor is it "
            "ELF",
            config->kernel);
        return false;
    }
    if (config->initrd && (linux_format || pvh)) {
        KernelModule initrd = {.bytes =
                                   kernel_file_read("-initrd", config->initrd, error)};

        if (!initrd.bytes) {
            return false;
        }
        g_array_append_val(modules, initrd);
    } else if (config->initrd && !kernel_modules_read(config->initrd, modules, error)) {
        return false;
    }
    if (pvh ? !pvh_boot_prepare(
                  pc, image,
                  modules->len ? g_array_index(modules, KernelModule, 0).bytes : NULL,
                  boot, error)
            : !prepare_format(
                  boot,
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
        bool two_roms = !pc->kernel_image.pieces; /* pvh.bin does either */
        g_autofree char *rom = g_strconcat(
            boot.rom, two_roms && strcmp(dma, "true") == 0 ? "_dma.bin" : ".bin", NULL);

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
