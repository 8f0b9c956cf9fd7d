/*
 * Multiboot 1 kernels. Section numbers are those of the Multiboot Specification 0.6.96.
 *
 * One block goes to the kernel's load address: the kernel, its BSS, then the module table,
 * the strings and the modules. The information structure goes to a page of its own in low
 * memory, where the option ROM adds what the BIOS knows: the memory's sizes and map.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "firmware/kernel-boot.h"

#include <elf.h>
#include <gio/gio.h>
#include <string.h>

#include "firmware/elf-image.h"

#define SEARCHED 8192u /* 3.1: the header lies within these bytes of the file, aligned to 4 */
#define HEADER_MAGIC 0x1badb002u
#define HEADER_HAS_ADDRESSES 0x00010000u
#define PAGE_SIZE 4096u

/* Of the header. */
enum { FLAGS = 4, HEADER_ADDR = 12, LOAD_ADDR = 16, LOAD_END = 20, BSS_END = 24, ENTRY = 28 };

/* Of the information structure (3.3) and a module (16 bytes). */
enum {
    INFO_FLAGS = 0,
    INFO_BOOT_DEVICE = 12,
    INFO_CMDLINE = 16,
    INFO_MODS_COUNT = 20,
    INFO_MODS_ADDR = 24,
    INFO_MMAP_ADDR = 48,
    INFO_LOADER_NAME = 64,
    INFO_SIZE = 88,
    MODULE_START = 0,
    MODULE_END = 4,
    MODULE_STRING = 8,
    MODULE_SIZE = 16,
};

/* Memory, boot device, command line, modules, memory map, the loader's name: the ROM finds
 * out the memory's sizes and map, and leaves the flags alone. */
#define INFO_FLAGS_VALUE (1u << 0 | 1u << 1 | 1u << 2 | 1u << 3 | 1u << 6 | 1u << 9)
#define INFO_ADDRESS 0x9500u
#define MAP_ADDRESS 0x9560u /* where the ROM is to make the map: behind, at a paragraph */
#define BOOT_DEVICE 0x8000ffffu /* the first disk, no partition */
#define LOADER_NAME "qemu" /* as on QEMU: its option ROM it is */
#define LOWEST_ADDRESS 0x100000u

/* The header's place in the file, or SIZE_MAX. */
static size_t find_header(const uint8_t *image, size_t size)
{
    for (size_t at = 0; at + 12 <= MIN(size, SEARCHED); at += 4) {
        if (kernel_get32(image + at) == HEADER_MAGIC &&
            kernel_get32(image + at) + kernel_get32(image + at + 4) +
                    kernel_get32(image + at + 8) == 0) {
            return at;
        }
    }
    return SIZE_MAX;
}

bool multiboot_probe(GBytes *image)
{
    size_t size;
    const uint8_t *bytes = g_bytes_get_data(image, &size);

    return find_header(bytes, size) != SIZE_MAX;
}

/* The kernel in guest memory: [start, end), with pieces of the file in it. */
typedef struct Layout {
    uint64_t start, end;
    uint32_t entry;
    struct {
        uint64_t address;
        size_t offset, size;
    } pieces[ELF_IMAGE_SEGMENTS];
    size_t count;
} Layout;

/* 3.1.3: the header gives the addresses. */
static bool lay_out_by_header(Layout *layout, const uint8_t *image, size_t size, size_t at,
                              GError **error)
{
    uint32_t header, load, load_end, bss_end;
    size_t offset;

    if (at + ENTRY + 4 > size) {
        return kernel_fail(error, "truncated: it ends within its Multiboot header");
    }
    header = kernel_get32(image + at + HEADER_ADDR);
    load = kernel_get32(image + at + LOAD_ADDR);
    load_end = kernel_get32(image + at + LOAD_END);
    bss_end = kernel_get32(image + at + BSS_END);
    if (load > header || header - load > at) {
        return kernel_fail(error,
                    "its Multiboot header contradicts itself: load_addr 0x%x, header_addr "
                    "0x%x, at byte 0x%zx of the file",
                    load, header, at);
    }
    offset = at - (header - load);
    if (load_end == 0) {
        load_end = (uint32_t)MIN(load + (uint64_t)(size - offset), UINT32_MAX);
    }
    if (load_end < load || (bss_end && bss_end < load_end)) {
        return kernel_fail(error,
                    "its Multiboot header contradicts itself: load_addr 0x%x, load_end_addr "
                    "0x%x, bss_end_addr 0x%x",
                    load, load_end, bss_end);
    }
    if (load_end - load > size - offset) {
        return kernel_fail(error,
                    "truncated: its Multiboot header wants %u bytes, and the file has %zu",
                    load_end - load, size - offset);
    }
    layout->start = load;
    layout->end = bss_end ? bss_end : load_end;
    layout->entry = kernel_get32(image + at + ENTRY);
    layout->pieces[0].address = load;
    layout->pieces[0].offset = offset;
    layout->pieces[0].size = load_end - load;
    layout->count = 1;
    return true;
}

/* 3.1.2: else the image is ELF, and its segments give them. */
static bool lay_out_by_elf(Layout *layout, GBytes *image, GError **error)
{
    const uint8_t *bytes = g_bytes_get_data(image, NULL);
    ElfImage elf;

    if (!elf_image_probe(image)) {
        return kernel_fail(error, "its Multiboot header gives no addresses, and it is not ELF");
    }
    if (bytes[EI_CLASS] != ELFCLASS32) {
        return kernel_fail(error, "an ELF file for x86-64; Multiboot kernels are 32-bit x86 "
                                  "(objcopy -O elf32-i386 makes one of it)");
    }
    if (!elf_image_parse(&elf, image, error)) {
        return false;
    }
    layout->entry = (uint32_t)elf.entry;
    layout->start = elf.start;
    layout->end = elf.end;
    for (size_t i = 0; i < elf.count; i++) {
        layout->pieces[i].address = elf.segments[i].address;
        layout->pieces[i].offset = (size_t)(elf.segments[i].bytes - bytes);
        layout->pieces[i].size = elf.segments[i].file_size;
    }
    layout->count = elf.count;
    return true;
}

static uint64_t align_to_page(uint64_t address)
{
    return (address + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);
}

/* The block under construction: where it lies in the guest, and how far it is filled. */
typedef struct Block {
    uint8_t *bytes;
    uint64_t start, next;
} Block;

static uint32_t append(Block *block, const void *bytes, size_t size)
{
    uint64_t address = block->next;

    if (size) {
        memcpy(block->bytes + (address - block->start), bytes, size);
    }
    block->next += size;
    return (uint32_t)address;
}

static void append_modules(Block *block, const KernelSource *source, uint8_t *table)
{
    for (size_t i = 0; i < source->module_count; i++) {
        const KernelModule *module = &source->modules[i];

        kernel_put32(table + i * MODULE_SIZE + MODULE_STRING,
                     append(block, module->text, strlen(module->text) + 1));
    }
    for (size_t i = 0; i < source->module_count; i++) {
        gsize size;
        const void *bytes = g_bytes_get_data(source->modules[i].bytes, &size);

        block->next = align_to_page(block->next);
        kernel_put32(table + i * MODULE_SIZE + MODULE_START, append(block, bytes, size));
        kernel_put32(table + i * MODULE_SIZE + MODULE_END, (uint32_t)block->next);
    }
}

bool multiboot_prepare(KernelBoot *boot, const KernelSource *source, GError **error)
{
    size_t size;
    const uint8_t *image = g_bytes_get_data(source->image, &size);
    size_t at = find_header(image, size);
    g_autofree char *cmdline = g_strconcat(source->name, " ", source->cmdline, NULL);
    uint8_t *info;
    uint8_t *table;
    Layout layout = {0};
    Block block;
    uint64_t end;

    *boot = (KernelBoot){.rom = "multiboot"};
    if (!(kernel_get32(image + at + FLAGS) & HEADER_HAS_ADDRESSES
              ? lay_out_by_header(&layout, image, size, at, error)
              : lay_out_by_elf(&layout, source->image, error))) {
        return false;
    }
    if (layout.start < LOWEST_ADDRESS) {
        return kernel_fail(error,
                    "it wants to be at 0x%" G_GINT64_MODIFIER "x, below 1 MiB, where the BIOS "
                    "is that loads it",
                    layout.start);
    }
    end = align_to_page(layout.end) + source->module_count * MODULE_SIZE + strlen(cmdline) + 1 +
          sizeof(LOADER_NAME);
    for (size_t i = 0; i < source->module_count; i++) {
        end += strlen(source->modules[i].text) + 1;
    }
    for (size_t i = 0; i < source->module_count; i++) {
        end = align_to_page(end) + g_bytes_get_size(source->modules[i].bytes);
    }
    if (align_to_page(end) > source->ram_end) {
        return kernel_fail(error,
                    "too large: the kernel and its modules (-initrd) end at 0x%" G_GINT64_MODIFIER
                    "x and RAM at 0x%" G_GINT64_MODIFIER "x; give the machine more (-m)",
                    end, source->ram_end);
    }

    block.start = layout.start;
    block.next = align_to_page(layout.end);
    block.bytes = g_malloc0(align_to_page(end) - layout.start);
    for (size_t i = 0; i < layout.count; i++) {
        memcpy(block.bytes + (layout.pieces[i].address - layout.start),
               image + layout.pieces[i].offset, layout.pieces[i].size);
    }
    info = g_malloc0(INFO_SIZE);
    table = block.bytes + (block.next - block.start);
    kernel_put32(info + INFO_FLAGS, INFO_FLAGS_VALUE);
    kernel_put32(info + INFO_BOOT_DEVICE, BOOT_DEVICE);
    kernel_put32(info + INFO_MMAP_ADDR, MAP_ADDRESS);
    kernel_put32(info + INFO_MODS_COUNT, (uint32_t)source->module_count);
    kernel_put32(info + INFO_MODS_ADDR, (uint32_t)block.next);
    block.next += source->module_count * MODULE_SIZE;
    kernel_put32(info + INFO_CMDLINE, append(&block, cmdline, strlen(cmdline) + 1));
    kernel_put32(info + INFO_LOADER_NAME, append(&block, LOADER_NAME, sizeof(LOADER_NAME)));
    append_modules(&block, source, table);

    boot->entry = layout.entry;
    boot->kernel.address = (uint32_t)block.start;
    boot->kernel.bytes = g_bytes_new_take(block.bytes, align_to_page(end) - block.start);
    boot->initrd.address = INFO_ADDRESS;
    boot->initrd.bytes = g_bytes_new_take(info, INFO_SIZE);
    return true;
}
