/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "firmware/bsd-boot.h"

#include <string.h>

#include "firmware/aout-image.h"
#include "firmware/kernel-boot.h"
#include "firmware/pvh.h"

#define PAGE_SIZE UINT64_C(4096)
#define FIRST_FREE 0x5000 /* behind what is below the kernel */

/* What bhyveload's kernels see of an address: stand/userboot/userboot/elf32_freebsd.c. */
#define LINK_MASK UINT64_C(0xff000000)

static uint64_t page_up(uint64_t address)
{
    return (address + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
}

/* -- The environment ----------------------------------------------------------------- */

/* sys/kern/subr_boot.c, howto_names and boot_parse_arg(); sys/sys/reboot.h. */
typedef struct BootFlag {
    char letter;
    const char *variable;
    uint32_t bit;
} BootFlag;

static const BootFlag boot_flags[] = {
    {'a', "boot_askname", 0x001}, {'C', "boot_cdrom", 0x2000},
    {'d', "boot_ddb", 0x040},     {'r', "boot_dfltroot", 0x020},
    {'g', "boot_gdb", 0x8000},    {'D', "boot_multicons", 0x20000000},
    {'m', "boot_mute", 0x10000},  {'p', "boot_pause", 0x100000},
    {'h', "boot_serial", 0x1000}, {'s', "boot_single", 0x002},
    {'v', "boot_verbose", 0x800},
};

#define RB_BOOTINFO 0x80000000u

typedef struct Variable {
    char *name, *value;
} Variable;

static void clear_variable(void *opaque)
{
    Variable *variable = opaque;

    g_free(variable->name);
    g_free(variable->value);
}

static Variable *find_variable(GArray *variables, const char *name)
{
    for (guint i = 0; i < variables->len; i++) {
        Variable *variable = &g_array_index(variables, Variable, i);

        if (strcmp(variable->name, name) == 0) {
            return variable;
        }
    }
    return NULL;
}

/* Takes both over. */
static void set_variable(GArray *variables, char *name, char *value)
{
    Variable *known = find_variable(variables, name);

    if (known) {
        g_free(name);
        g_free(known->value);
        known->value = value;
    } else {
        g_array_append_val(variables, ((Variable){name, value}));
    }
}

static bool set_from_text(GArray *variables, const char *text, GError **error)
{
    const char *equals = strchr(text, '=');

    if (!equals || equals == text) {
        return kernel_fail(error, "'%s' is no environment string; write NAME=VALUE",
                           text);
    }
    set_variable(variables, g_strndup(text, (gsize)(equals - text)),
                 g_strdup(equals + 1));
    return true;
}

/* A word of boot's arguments: -sv are flags, -S115200 a console's speed, anything else a
 * variable. */
static uint32_t take_argument(GArray *variables, const char *word)
{
    uint32_t howto = 0;

    if (*word != '-') {
        if (!set_from_text(variables, word, NULL)) {
            set_variable(variables, g_strdup(word), g_strdup("1"));
        }
        return 0;
    }
    while (*++word && *word != 'S') {
        for (size_t i = 0; i < G_N_ELEMENTS(boot_flags); i++) {
            howto |= boot_flags[i].letter == *word ? boot_flags[i].bit : 0;
        }
    }
    if (*word == 'S') {
        set_variable(variables, g_strdup("comconsole_speed"), g_strdup(word + 1));
    }
    return howto;
}

/* bhyveload.c, main(), gives every guest the first two. */
static bool make_environment(const BSDBootSource *source, GArray *variables,
                             uint32_t *howto, GError **error)
{
    g_auto(GStrv) words = g_strsplit_set(source->arguments, " \t\n", -1);

    set_from_text(variables, "smbios.bios.vendor=BHYVE", NULL);
    set_from_text(variables, "boot_serial=1", NULL);
    set_variable(variables, g_strdup("kernelname"), g_strdup(source->name));
    for (const char *const *text = source->environment; text && *text; text++) {
        if (!set_from_text(variables, *text, error)) {
            return false;
        }
    }
    *howto = RB_BOOTINFO;
    for (char **word = words; *word; word++) {
        *howto |= **word ? take_argument(variables, *word) : 0;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(boot_flags); i++) {
        const Variable *variable = find_variable(variables, boot_flags[i].variable);

        if (variable && g_ascii_strcasecmp(variable->value, "no") != 0) {
            *howto |= boot_flags[i].bit;
        }
    }
    return true;
}

/* stand/common/modinfo.c, md_copyenv(): a NUL behind each string and one behind all. */
static GBytes *pack_environment(const GArray *variables)
{
    GByteArray *bytes = g_byte_array_new();

    for (guint i = 0; i < variables->len; i++) {
        const Variable *variable = &g_array_index(variables, Variable, i);
        g_autofree char *text = g_strconcat(variable->name, "=", variable->value, NULL);

        g_byte_array_append(bytes, (const guint8 *)text, (guint)strlen(text) + 1);
    }
    g_byte_array_append(bytes, (const guint8 *)"", 1);
    return g_byte_array_free_to_bytes(bytes);
}

/* -- The metadata -------------------------------------------------------------------- */

/* sys/sys/linker.h and sys/i386/include/metadata.h. */
enum {
    MODINFO_END = 0x0000,
    MODINFO_NAME = 0x0001,
    MODINFO_TYPE = 0x0002,
    MODINFO_ADDR = 0x0003,
    MODINFO_SIZE = 0x0004,
    MODINFO_ARGS = 0x0006,
    MODINFOMD_AOUTEXEC = 0x8001, /* with MODINFO_METADATA, as all of these */
    MODINFOMD_ELFHDR = 0x8002,
    MODINFOMD_ENVP = 0x8006,
    MODINFOMD_HOWTO = 0x8007,
    MODINFOMD_KERNEND = 0x8008,
    MODINFOMD_SMAP = 0x9001,
};

#define ELF32_HEADER_SIZE 52
#define AOUT_HEADER_SIZE 32

static void add_word(GByteArray *bytes, uint32_t value)
{
    uint8_t word[4];

    kernel_put32(word, value);
    g_byte_array_append(bytes, word, sizeof(word));
}

/* modinfo.c: type, size, and data up to a multiple of 4 bytes. */
static void add_record(GByteArray *bytes, uint32_t type, const void *data, size_t size)
{
    static const uint8_t padding[3];

    add_word(bytes, type);
    add_word(bytes, (uint32_t)size);
    g_byte_array_append(bytes, data, (guint)size);
    g_byte_array_append(bytes, padding, (guint)(-size & 3));
}

static void add_string(GByteArray *bytes, uint32_t type, const char *text)
{
    add_record(bytes, type, text, strlen(text) + 1);
}

static void add_number(GByteArray *bytes, uint32_t type, uint32_t value)
{
    uint8_t word[4];

    kernel_put32(word, value);
    add_record(bytes, type, word, sizeof(word));
}

static void add_smap_entry(GByteArray *map, uint64_t base, uint64_t length)
{
    if (length) {
        add_word(map, (uint32_t)base);
        add_word(map, (uint32_t)(base >> 32));
        add_word(map, (uint32_t)length);
        add_word(map, (uint32_t)(length >> 32));
        add_word(map, 1); /* SMAP_TYPE_MEMORY */
    }
}

/* userboot's biossmap.c. */
static void add_smap(GByteArray *bytes, const BSDBootSource *source)
{
    GByteArray *map = g_byte_array_new();

    add_smap_entry(map, 0, KiB(640));
    add_smap_entry(map, MiB(1), source->low - MiB(1));
    add_smap_entry(map, GiB(4), source->high);
    add_record(bytes, MODINFOMD_SMAP, map->data, map->len);
    g_byte_array_unref(map);
}

/* Where all is; guest physical. */
typedef struct Layout {
    uint64_t start, end;                    /* of the kernel's segments */
    uint64_t environment, modules, kernend; /* the last behind everything */
    uint32_t howto;
} Layout;

static GBytes *pack_modules(const BSDBootSource *source, const Layout *layout,
                            bool is_elf)
{
    GByteArray *bytes = g_byte_array_new();
    const void *header = g_bytes_get_data(source->file, NULL);

    add_string(bytes, MODINFO_NAME, source->name);
    add_string(bytes, MODINFO_TYPE, is_elf ? "elf kernel" : "a.out kernel");
    if (*source->arguments) {
        add_string(bytes, MODINFO_ARGS, source->arguments);
    }
    add_number(bytes, MODINFO_ADDR, (uint32_t)layout->start);
    add_number(bytes, MODINFO_SIZE, (uint32_t)(layout->end - layout->start));
    add_record(bytes, is_elf ? MODINFOMD_ELFHDR : MODINFOMD_AOUTEXEC, header,
               is_elf ? ELF32_HEADER_SIZE : AOUT_HEADER_SIZE);
    add_number(bytes, MODINFOMD_HOWTO, layout->howto);
    add_number(bytes, MODINFOMD_ENVP, (uint32_t)layout->environment);
    add_number(bytes, MODINFOMD_KERNEND, (uint32_t)layout->kernend);
    add_smap(bytes, source);
    add_word(bytes, MODINFO_END);
    add_word(bytes, 0);
    return g_byte_array_free_to_bytes(bytes);
}

/* -- Low memory ---------------------------------------------------------------------- */

/* sys/i386/include/bootinfo.h: struct bootinfo, version 1. */
enum {
    BI_VERSION = 0,
    BI_KERNELNAME = 4,
    BI_SIZE = 48,
    BI_MEMSIZES_VALID = 52,
    BI_BASEMEM = 56, /* KiB */
    BI_EXTMEM = 60,
    BI_KERNEND = 72,
    BI_ENVP = 76,
    BI_MODULEP = 80,
    BOOTINFO_SIZE = 84,
};

/* The kernel's name lies behind it. */
static GBytes *pack_bootinfo(const BSDBootSource *source, const Layout *layout)
{
    size_t name_size = strlen(source->name) + 1;
    uint8_t *bytes = g_malloc0(BOOTINFO_SIZE + name_size);

    kernel_put32(bytes + BI_VERSION, 1);
    kernel_put32(bytes + BI_KERNELNAME, BSD_BOOT_BOOTINFO + BOOTINFO_SIZE);
    kernel_put32(bytes + BI_SIZE, BOOTINFO_SIZE);
    bytes[BI_MEMSIZES_VALID] = 1;
    kernel_put32(bytes + BI_BASEMEM, 640);
    kernel_put32(bytes + BI_EXTMEM, (uint32_t)((source->low - MiB(1)) / KiB(1)));
    kernel_put32(bytes + BI_KERNEND, (uint32_t)layout->kernend);
    kernel_put32(bytes + BI_ENVP, (uint32_t)layout->environment);
    kernel_put32(bytes + BI_MODULEP, (uint32_t)layout->modules);
    memcpy(bytes + BOOTINFO_SIZE, source->name, name_size);
    return g_bytes_new_take(bytes, BOOTINFO_SIZE + name_size);
}

/* elf32_freebsd.c, elf32_exec(): from ESP up, the first as a return address that says who
 * has started the kernel (sys/i386/i386/locore.s, recover_bootinfo). */
static GBytes *pack_stack(const Layout *layout, uint32_t *esp)
{
    const uint32_t words[] = {
        0xbeefface,
        layout->howto,
        0, /* bootdev */
        0,
        0,
        0,
        BSD_BOOT_BOOTINFO,
        (uint32_t)layout->modules,
        (uint32_t)layout->kernend,
    };
    uint8_t *page = g_malloc0(PAGE_SIZE);
    size_t start = PAGE_SIZE - sizeof(words);

    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        kernel_put32(page + start + 4 * i, words[i]);
    }
    *esp = (uint32_t)(BSD_BOOT_STACK + start);
    return g_bytes_new_take(page, PAGE_SIZE);
}

/* vmmapi_freebsd.c, i386_gdt: code, data, and a task segment that is not busy yet. */
static GBytes *pack_gdt(void)
{
    static const uint64_t descriptors[] = {
        0,
        UINT64_C(0x00cf9a000000ffff),
        UINT64_C(0x00cf92000000ffff),
        UINT64_C(0x0000890000000000) | (uint64_t)BSD_BOOT_TSS << 16 | BSD_BOOT_TSS_LIMIT,
    };
    uint8_t bytes[sizeof(descriptors)];

    for (size_t i = 0; i < G_N_ELEMENTS(descriptors); i++) {
        kernel_put32(bytes + 8 * i, (uint32_t)descriptors[i]);
        kernel_put32(bytes + 8 * i + 4, (uint32_t)(descriptors[i] >> 32));
    }
    return g_bytes_new(bytes, sizeof(bytes));
}

/* -- The kernel ---------------------------------------------------------------------- */

static bool parse(ElfImage *image, bool *is_elf, GBytes *file, GError **error)
{
    *is_elf = elf_image_probe(file);
    if (!*is_elf) {
        return aout_image_probe(file)
                   ? aout_image_parse(image, file, error)
                   : kernel_fail(error,
                                 "not a kernel that bhyveload would know: neither an "
                                 "ELF file nor an a.out file for the i386");
    }
    if (!elf_image_parse(image, file, error)) {
        return false;
    }
    if (image->is_64) {
        return kernel_fail(error, "a 64-bit kernel, and only 32-bit ones are started "
                                  "directly; give it a bootrom (-bios) and a disk");
    }
    return image->executable ||
           kernel_fail(error, "an ELF file without addresses of its own (no ET_EXEC)");
}

/* Turns the segments' linked addresses into physical ones. */
static bool place_segments(ElfImage *image, AddressSpace *as, Layout *layout,
                           GError **error)
{
    uint64_t base = image->linked_entry & LINK_MASK;

    layout->start = UINT64_MAX;
    for (size_t i = 0; i < image->count; i++) {
        ElfSegment *segment = &image->segments[i];

        segment->address = segment->linked - base;
        if (segment->linked < base || !pvh_is_ram(as, segment->address, segment->size)) {
            return kernel_fail(
                error,
                "its segment at 0x%" G_GINT64_MODIFIER
                "x (linked for 0x%" G_GINT64_MODIFIER "x) of %" G_GUINT64_FORMAT
                " bytes is not in RAM; give the machine more (-m), or link it elsewhere",
                segment->address & UINT32_MAX, segment->linked, segment->size);
        }
        if (segment->address < FIRST_FREE) {
            return kernel_fail(error,
                               "its segment at 0x%" G_GINT64_MODIFIER
                               "x lies over the stack, bootinfo, GDT and TSS below 0x%x",
                               segment->address, FIRST_FREE);
        }
        layout->start = MIN(layout->start, segment->address);
        layout->end = MAX(layout->end, segment->address + segment->size);
    }
    image->entry = image->linked_entry - base;
    return elf_image_find(image, image->entry) ||
           kernel_fail(error,
                       "its entry 0x%" G_GINT64_MODIFIER "x is outside its segments",
                       image->linked_entry);
}

static bool lay_out(BSDBoot *boot, AddressSpace *as, const BSDBootSource *source,
                    const GArray *variables, Layout *layout, bool is_elf, GError **error)
{
    GBytes *environment = pack_environment(variables), *modules;

    layout->environment = page_up(layout->end);
    layout->modules = page_up(layout->environment + g_bytes_get_size(environment));
    boot_pieces_add_bytes(boot->pieces, layout->environment, environment);
    /* Their size does not depend on the one number that is not known yet. */
    modules = pack_modules(source, layout, is_elf);
    layout->kernend = page_up(layout->modules + g_bytes_get_size(modules));
    g_bytes_unref(modules);
    if (!pvh_is_ram(as, layout->environment, layout->kernend - layout->environment)) {
        return kernel_fail(error,
                           "no room for its environment and metadata behind its end at "
                           "0x%" G_GINT64_MODIFIER "x; give the machine more (-m)",
                           layout->end);
    }
    boot_pieces_add_bytes(boot->pieces, layout->modules,
                          pack_modules(source, layout, is_elf));
    boot_pieces_add_bytes(boot->pieces, BSD_BOOT_BOOTINFO, pack_bootinfo(source, layout));
    boot_pieces_add_bytes(boot->pieces, BSD_BOOT_STACK, pack_stack(layout, &boot->esp));
    boot_pieces_add_bytes(boot->pieces, BSD_BOOT_GDT, pack_gdt());
    return true;
}

bool bsd_boot_prepare(BSDBoot *boot, AddressSpace *as, const BSDBootSource *source,
                      GError **error)
{
    g_autoptr(GArray) variables = g_array_new(FALSE, FALSE, sizeof(Variable));
    Layout layout = {0};
    ElfImage image;
    bool is_elf;

    *boot = (BSDBoot){.pieces = boot_pieces_new()};
    g_array_set_clear_func(variables, clear_variable);
    if (strlen(source->name) >= PAGE_SIZE - BOOTINFO_SIZE) {
        return kernel_fail(error, "its name is too long for the page of its bootinfo");
    }
    if (!make_environment(source, variables, &layout.howto, error) ||
        !parse(&image, &is_elf, source->file, error) ||
        !place_segments(&image, as, &layout, error) ||
        !lay_out(boot, as, source, variables, &layout, is_elf, error)) {
        return false;
    }
    for (size_t i = 0; i < image.count; i++) {
        boot_pieces_add_bytes(
            boot->pieces, image.segments[i].address,
            g_bytes_new(image.segments[i].bytes, image.segments[i].file_size));
    }
    boot->entry = (uint32_t)image.entry;
    return true;
}

void bsd_boot_clear(BSDBoot *boot)
{
    g_clear_pointer(&boot->pieces, g_array_unref);
}
