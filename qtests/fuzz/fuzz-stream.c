/*
 * Hostile migration streams: a real stream of a PC, cut, changed and shuffled, goes into
 * a PC's loader, which may refuse it or not, but nothing else.
 *
 * Built with clang and -Dfuzzers=true it is a libFuzzer target, to which UMBRA_CORPUS
 * names a folder that it puts the real stream into:
 *
 *     UMBRA_CORPUS=corpus fuzz-stream-libfuzzer -max_total_time=60 corpus
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/migration/migration.h"
#include "machine/migration/stream-inspect.h"
#include "machine/migration/stream.h"
#include "machine/types/pc.h"
#include "memory/io-lock.h"
#include "qtests/fuzz/fuzz.h"

#define RAM_SIZE (2u << 20)

static uint8_t *stream;
static size_t stream_size;

static void must(bool good, const char *what, const GError *error)
{
    if (!good) {
        fprintf(stderr, "fuzz-stream: %s: %s\n", what, error ? error->message : "failed");
        exit(2);
    }
}

/* The machine's own stream, as a snapshot has it. */
static void save_stream(void)
{
    const RamSaveOptions options = {0};
    const StreamFormat *format = migration_format();
    g_autoptr(Wire) wire = wire_new_memory();
    RamSave *ram = ram_save_new(&options, wire, NULL);
    const uint8_t *data;

    stream_save_header(wire, format, machine_current()->type->name);
    stream_save_ram_start(wire, format, ram);
    stream_save_ram_end(wire, format, ram);
    must(stream_save_devices(wire, format), "saving", wire_error(wire));
    ram_save_free(ram);
    data = wire_data(wire, &stream_size);
    stream = g_memdup2(data, stream_size);
}

static void build_machine(void)
{
    static const char *const accels[] = {"qtest", NULL};
    RunStatePolicy policy = {.no_reboot = false};
    GError *error = NULL;
    Machine *machine;

    machine_types_add(pc_machine_types());
    machine_devices_register();
    io_lock();
    clock_virtual_manual();
    machine = machine_new(machine_type_find("pc-i440fx-7.2", &error),
                          accel_select(accels, NULL, &error));
    machine->config.ram_size = RAM_SIZE;
    machine->config.boot_order = g_strdup("cad");
    machine->config.cpus = machine->config.max_cpus = 1;
    machine->config.rtc_clock = CLOCK_KIND_VIRTUAL;
    machine->config.vga = g_strdup("std");
    machine->config.serial[0] = chardev_new_from_text("serial0", "null", &error);
    run_state_init(machine, &policy);
    must(migration_init(machine, &error), "migration_init", error);
    must(machine_build(machine, &error), "machine_build", error);
    must(machine_complete(machine, &error), "machine_complete", error);
    run_state_reset(SYSTEM_CAUSE_NONE, "start");
    save_stream();
    io_unlock();
}

static void load(const uint8_t *data, size_t size)
{
    g_autoptr(Wire) wire = wire_new_bytes(data, size);
    bool loaded =
        stream_load(wire, migration_format(), machine_current()->type->name, NULL);

    if (fuzz_verbose && !loaded) {
        printf("%s\n", wire_error(wire)->message);
    }
}

/* Who only looks; that parses a description, which takes longer than to load. */
static void look(const uint8_t *data, size_t size)
{
    g_autoptr(StreamInspection) inspection = stream_inspect(data, size, NULL);
}

#ifdef UMBRA_LIBFUZZER

bool fuzz_verbose;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const char *folder = g_getenv("UMBRA_CORPUS");

    build_machine();
    if (folder) {
        g_autofree char *path = g_build_filename(folder, "real.stream", NULL);
        GError *error = NULL;

        g_mkdir_with_parents(folder, 0755);
        must(g_file_set_contents(path, (const char *)stream, (gssize)stream_size, &error),
             path, error);
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    load(data, size);
    look(data, size);
    return 0;
}

#else

/* Where devices begin: the first section that comes in full. RAM is most of the stream,
 * and the least of what can go wrong. */
static size_t devices_at(void)
{
    g_autoptr(StreamInspection) inspection = stream_inspect(stream, stream_size, NULL);

    must(inspection != NULL, "stream_inspect", NULL);
    for (guint i = 0; i < inspection->sections->len; i++) {
        const StreamSection *section = g_ptr_array_index(inspection->sections, i);

        if (section->type == STREAM_SECTION_FULL) {
            return section->offset;
        }
    }
    return 0;
}

static size_t devices;

static void start(uint64_t seed)
{
    build_machine();
    devices = devices_at();
}

static size_t somewhere(FuzzRandom *random)
{
    size_t from = fuzz_once_in(random, 4) ? 0 : devices;

    return from + fuzz_below(random, stream_size - from);
}

static void change(FuzzRandom *random, uint8_t *data)
{
    size_t at = somewhere(random), other = somewhere(random);
    uint64_t value = fuzz_value(random);
    size_t bytes = (size_t)1 << fuzz_below(random, 4);

    switch (fuzz_below(random, 4)) {
    case 0:
        data[at] ^= 1u << fuzz_below(random, 8);
        break;
    case 1:
        data[at] = (uint8_t)value;
        break;
    case 2: /* a number, big-endian as all are */
        for (size_t i = 0; i < bytes && at + i < stream_size; i++) {
            data[at + i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
        }
        break;
    default:
        memmove(data + at, data + other,
                MIN(fuzz_below(random, 64), stream_size - MAX(at, other)));
    }
}

static bool step(uint64_t number)
{
    FuzzRandom random = {number};
    g_autofree uint8_t *data = g_memdup2(stream, stream_size);
    size_t size = fuzz_once_in(&random, 8) ? somewhere(&random) : stream_size;

    for (uint64_t changes = fuzz_below(&random, 5); changes; changes--) {
        change(&random, data);
    }
    /* Of its exact size, so that a sanitizer sees who reads beyond. */
    data = g_realloc(data, MAX(size, 1));
    load(data, size);
    if (fuzz_once_in(&random, 8)) {
        look(data, size);
    }
    return true;
}

int main(int argc, char **argv)
{
    static const Fuzz fuzz = {
        .name = "fuzz-stream", .steps = 200, .start = start, .step = step};

    return fuzz_main(&fuzz, argc, argv);
}

#endif
