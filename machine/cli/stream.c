/*
 * `umbra stream`: what is in a migration stream.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/cli/stream.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "machine/cli/umbra.h"
#include "machine/migration/ram.h"
#include "machine/migration/stream.h"

static gboolean as_diff, as_json, all_fields;
static char *wanted;
static char **files;

static const GOptionEntry entries[] = {
    {"fields", 'f', 0, G_OPTION_ARG_NONE, &all_fields, "devices' fields and their values",
     NULL},
    {"section", 's', 0, G_OPTION_ARG_STRING, &wanted,
     "only the sections of that name, with their fields; * and ? stand for any", "NAME"},
    {"diff", 'd', 0, G_OPTION_ARG_NONE, &as_diff, "how the second of two files differs",
     NULL},
    {"json", 0, 0, G_OPTION_ARG_NONE, &as_json, "all of it, for programs", NULL},
    {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &files, NULL, NULL},
    {NULL},
};

static const char description[] =
    "FILE is what 'savevm FILE' of Umbra, or 'migrate \"exec:cat > FILE\"' of Umbra or "
    "of\n"
    "QEMU, wrote. It is read without a machine, and not changed.\n\n"
    "A stream is a list of sections: 'ram' in parts, then each device once. Devices' "
    "fields\n"
    "are named by a description at the stream's end; machine types before 2.3 send "
    "none,\n"
    "and there the sections are found, but not their fields.\n\n"
    "Pages are counted as they were sent: a page that the guest wrote while it moved "
    "counts\n"
    "each time. For segments E and F of pc.ram (where firmware runs from), and C and D\n"
    "(option ROMs), it says what the target will find there: 'empty' (never shadowed),\n"
    "'equal' to the ROM, or 'different' (shadowed, and written since).\n\n"
    "  umbra stream vm.stream\n"
    "  umbra stream -s '*I440FX' vm.stream\n"
    "  umbra stream --json vm.stream\n"
    "  umbra stream --diff before.stream after.stream\n\n"
    "Exit status 0; 1: the stream is cut or broken, and the message says at which byte.\n"
    "With --diff 0: equal, 1: they differ, 2: trouble.\n";

/* -- Names ----------------------------------------------------------------------- */

const StreamSegments stream_segments[2] = {
    {"C and D", "0xc0000-0xdffff", "pc.rom", STREAM_SHADOW_ROM},
    {"E and F", "0xe0000-0xfffff", "pc.bios", STREAM_SHADOW_BIOS},
};

const char *stream_type_name(unsigned type)
{
    switch (type) {
    case STREAM_SECTION_START:
        return "start";
    case STREAM_SECTION_PART:
        return "part";
    case STREAM_SECTION_END:
        return "end";
    case STREAM_SECTION_FULL:
        return "full";
    default:
        return "command";
    }
}

const char *stream_shadow_name(StreamShadow shadow)
{
    static const char *const names[] = {NULL, "empty", "equal", "different"};

    return names[shadow];
}

/* -- Text ------------------------------------------------------------------------ */

static void print_head(const StreamInspection *inspection)
{
    printf("machine type: %s\n", inspection->machine_type
                                     ? inspection->machine_type
                                     : "not said (types before 2.4 do not)");
    for (guint i = 0; i < inspection->configuration->len; i++) {
        printf("configuration: %s\n",
               (const char *)g_ptr_array_index(inspection->configuration, i));
    }
    printf("%zu bytes, %s footers, %s description\n", inspection->size,
           inspection->footers ? "with" : "without",
           inspection->description ? "with a" : "without a");
    if (inspection->trailing) {
        printf("%" PRIu64 " bytes follow the stream's end\n", inspection->trailing);
    }
}

static void print_fields(const StreamInspection *inspection, const StreamSection *section)
{
    for (guint i = 0; section->fields && i < section->fields->len; i++) {
        const StreamField *field = &g_array_index(section->fields, StreamField, i);
        g_autofree char *value = stream_value_text(inspection, field);

        printf("        %s: %s = %s\n", field->name, field->type, value);
    }
}

/* Of a live section's many parts one line. */
static guint same_parts(const GPtrArray *sections, guint at, uint64_t *bytes)
{
    const StreamSection *first = g_ptr_array_index(sections, at);
    guint count = 1;

    *bytes = first->bytes;
    while (first->type == STREAM_SECTION_PART && at + count < sections->len) {
        const StreamSection *next = g_ptr_array_index(sections, at + count);

        if (next->type != STREAM_SECTION_PART || next->number != first->number) {
            break;
        }
        *bytes += next->bytes;
        count++;
    }
    return count;
}

static bool shows_fields(const StreamSection *section)
{
    return all_fields || (wanted && g_pattern_match_simple(wanted, section->name));
}

/* Whether a section of the wanted name was there. */
static bool print_sections(const StreamInspection *inspection)
{
    const GPtrArray *sections = inspection->sections;
    bool found = false;
    guint count;

    printf("\n%10s %10s  %-7s %3s  %-24s %8s %7s\n", "offset", "bytes", "type", "id",
           "name", "instance", "version");
    for (guint i = 0; i < sections->len; i += count) {
        const StreamSection *section = g_ptr_array_index(sections, i);
        g_autofree char *times = NULL, *name = NULL;
        uint64_t bytes;

        count = same_parts(sections, i, &bytes);
        if (wanted && !shows_fields(section)) {
            continue;
        }
        found = true;
        times = count > 1 ? g_strdup_printf(" (%u parts)", count) : g_strdup("");
        name = g_strconcat(section->name, times, NULL);
        printf("%10" PRIu64 " %10" PRIu64 "  %-7s %3" PRIu32 "  ", section->offset, bytes,
               stream_type_name(section->type), section->number);
        if (section->type == STREAM_COMMAND) {
            printf("%s\n", name);
        } else {
            printf("%-24s %8" PRIu32 " %7" PRIu32 "\n", name, section->instance,
                   section->version);
        }
        if (shows_fields(section)) {
            print_fields(inspection, section);
        }
    }
    return found;
}

static void print_blocks(const StreamInspection *inspection)
{
    printf("\n%-24s %12s %10s %10s %10s %10s %10s\n", "RAM block", "bytes", "zero",
           "plain", "xbzrle", "compressed", "not sent");
    for (guint i = 0; i < inspection->blocks->len; i++) {
        const StreamBlock *block = g_ptr_array_index(inspection->blocks, i);
        uint64_t pages =
            block->size / MEMORY_PAGE_SIZE + (block->size % MEMORY_PAGE_SIZE != 0);

        printf("%-24s %12" PRIu64, block->name, block->size);
        for (size_t kind = 0; kind < STREAM_PAGE_KINDS; kind++) {
            printf(" %10" PRIu64, block->sent[kind]);
        }
        printf(" %10" PRIu64 "\n", pages - g_hash_table_size(block->pages));
    }
}

static void print_segments(const StreamInspection *inspection)
{
    printf("\n");
    for (size_t i = 0; i < G_N_ELEMENTS(stream_segments); i++) {
        const StreamSegments *segments = &stream_segments[i];
        uint64_t differing;
        StreamShadow shadow = stream_inspection_shadow(inspection, segments->start,
                                                       segments->rom, &differing);

        if (shadow == STREAM_SHADOW_NONE) {
            continue;
        }
        printf("segments %s of pc.ram (%s): ", segments->name, segments->range);
        if (shadow == STREAM_SHADOW_EMPTY) {
            printf("empty\n");
        } else if (shadow == STREAM_SHADOW_EQUAL) {
            printf("equal to %s\n", segments->rom);
        } else if (stream_inspection_block(inspection, segments->rom)) {
            printf("different from %s in %" PRIu64 " of %d bytes\n", segments->rom,
                   differing, STREAM_SHADOW_SIZE);
        } else {
            printf("different (the stream has no %s)\n", segments->rom);
        }
    }
}

/* -- The command ----------------------------------------------------------------- */

/* The file shrank, or its disk failed, while it was mapped. */
static void on_bus_error(int number)
{
    static const char text[] = "umbra stream: the file cannot be read any more; was it "
                               "written while it was read?\n";
    ssize_t written = write(STDERR_FILENO, text, sizeof(text) - 1);

    _exit(written < 0 ? 2 : 1);
}

static StreamInspection *open_stream(const char *path, GMappedFile **mapping)
{
    g_autoptr(GError) error = NULL;
    StreamInspection *inspection = NULL;

    *mapping = g_mapped_file_new(path, false, &error);
    if (*mapping) {
        const char *contents = g_mapped_file_get_contents(*mapping);

        inspection = stream_inspect(contents ? contents : "",
                                    g_mapped_file_get_length(*mapping), &error);
        if (!inspection) {
            g_prefix_error(&error, "%s: ", path);
        }
    }
    if (!inspection) {
        umbra_fail("stream", error);
    }
    return inspection;
}

static int show(const StreamInspection *inspection)
{
    if (as_json) {
        g_autoptr(GString) json = g_string_new(NULL);

        stream_json(json, inspection);
        puts(json->str);
        return 0;
    }
    print_head(inspection);
    if (!print_sections(inspection) && wanted) {
        fprintf(stderr, "umbra stream: no section '%s'; without -s all are listed\n",
                wanted);
        return 1;
    }
    if (!wanted) {
        print_blocks(inspection);
        print_segments(inspection);
    }
    return 0;
}

int umbra_stream(int argc, char **argv)
{
    g_autoptr(StreamInspection) a = NULL, b = NULL;
    g_autoptr(GMappedFile) file_a = NULL, file_b = NULL;
    guint count;

    if (!umbra_parse("stream", "FILE | --diff A B", description, entries, &argc, &argv)) {
        return 1;
    }
    count = files ? g_strv_length(files) : 0;
    if (count != (as_diff ? 2 : 1)) {
        fprintf(stderr, "umbra stream: %s; 'umbra stream --help' says more\n",
                as_diff ? "--diff takes two files" : "it takes one file");
        return as_diff ? 2 : 1;
    }
    signal(SIGBUS, on_bus_error);
    a = open_stream(files[0], &file_a);
    if (!a || !as_diff) {
        return a ? show(a) : as_diff ? 2 : 1;
    }
    b = open_stream(files[1], &file_b);
    return b ? stream_diff(a, b, as_json) : 2;
}
