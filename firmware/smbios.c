/*
 * SMBIOS 2.8 tables (DMTF DSP0134 2.8.0; the section of each structure is named at it).
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "firmware/smbios.h"

#include <string.h>

#include "firmware/e820.h"

/* Each type's handles start at its own hundred, so that a handle tells the type. */
#define HANDLE(type, n) ((uint16_t)((type) << 8 | (n)))

#define DIMM_SIZE GiB(16)

/* A table being built: structures one after another. */
typedef struct Builder {
    GByteArray *bytes;
    size_t start;       /* of the structure that is being built */
    GPtrArray *strings; /* of that structure; they follow its formatted part */
    size_t largest;     /* structure, strings included */
    unsigned structures;
} Builder;

static void put(Builder *b, uint64_t value, unsigned size)
{
    value = GUINT64_TO_LE(value);
    g_byte_array_append(b->bytes, (const uint8_t *)&value, size);
}

static void put8(Builder *b, uint8_t value)
{
    put(b, value, 1);
}

static void put16(Builder *b, uint16_t value)
{
    put(b, value, 2);
}

static void put32(Builder *b, uint32_t value)
{
    put(b, value, 4);
}

static void put64(Builder *b, uint64_t value)
{
    put(b, value, 8);
}

/* A string's field: its number among the structure's strings, 0 where there is none. */
static void put_string(Builder *b, const char *text)
{
    if (!text || !*text) {
        put8(b, 0);
        return;
    }
    g_ptr_array_add(b->strings, (gpointer)text);
    put8(b, b->strings->len);
}

static void begin(Builder *b, uint8_t type, uint16_t handle)
{
    b->start = b->bytes->len;
    g_ptr_array_set_size(b->strings, 0);
    put8(b, type);
    put8(b, 0); /* the length, put in by end() */
    put16(b, handle);
}

/* Section 6.1.3: the strings follow, each with its NUL; one more NUL ends the structure,
 * and where there are no strings there are two. */
static void end(Builder *b)
{
    b->bytes->data[b->start + 1] = b->bytes->len - b->start;
    for (guint i = 0; i < b->strings->len; i++) {
        const char *text = b->strings->pdata[i];

        g_byte_array_append(b->bytes, (const uint8_t *)text, strlen(text) + 1);
    }
    put(b, 0, b->strings->len ? 1 : 2);
    b->largest = MAX(b->largest, b->bytes->len - b->start);
    b->structures++;
}

/* Section 7.1. */
static void put_bios(Builder *b, const SMBIOSInfo *info)
{
    begin(b, 0, 0);
    put_string(b, info->bios.vendor);
    put_string(b, info->bios.version);
    put16(b, 0xe800); /* segment */
    put_string(b, info->bios.date);
    put8(b, 0);       /* ROM size: 64 KiB * (n + 1) */
    put64(b, 1 << 3); /* characteristics are not supported */
    put8(b, 0);
    put8(b,
         1 << 2 | 1 << 4 | (info->bios.uefi ? 1 << 3 : 0)); /* targeted content; a VM */
    put8(b, info->bios.release_major);
    put8(b, info->bios.release_minor);
    put16(b, 0xffff); /* embedded controller: none */
    end(b);
}

/* Section 7.2. Its UUID's first three fields are little-endian (7.2.1). */
static void put_system(Builder *b, const SMBIOSInfo *info)
{
    static const uint8_t order[16] = {3, 2, 1,  0,  5,  4,  7,  6,
                                      8, 9, 10, 11, 12, 13, 14, 15};

    begin(b, 1, HANDLE(1, 0));
    put_string(b, info->system.manufacturer);
    put_string(b, info->system.product);
    put_string(b, info->system.version);
    put_string(b, info->system.serial);
    for (size_t i = 0; i < sizeof(order); i++) {
        size_t from = info->system.uuid_big_endian ? i : order[i];

        put8(b, info->system.uuid ? info->system.uuid[from] : 0);
    }
    put8(b, 6); /* woken by the power switch */
    put_string(b, info->system.sku);
    put_string(b, info->system.family);
    end(b);
}

/* Section 7.3. */
static void put_board(Builder *b, const SMBIOSInfo *info)
{
    begin(b, 2, HANDLE(2, 0));
    put_string(b, info->board.manufacturer);
    put_string(b, info->board.product);
    put_string(b, info->board.version);
    put_string(b, info->board.serial);
    put_string(b, info->board.asset);
    put8(b, 1); /* a hosting board */
    put_string(b, info->board.location);
    put16(b, HANDLE(3, 0)); /* the chassis that it is in */
    put8(b, 10);            /* a motherboard */
    put8(b, 0);             /* contained handles */
    end(b);
}

/* Section 7.4. */
static void put_chassis(Builder *b, const SMBIOSInfo *info)
{
    begin(b, 3, HANDLE(3, 0));
    put_string(b, info->chassis.manufacturer);
    put8(b, 1); /* type: other */
    put_string(b, info->chassis.version);
    put_string(b, info->chassis.serial);
    put_string(b, info->chassis.asset);
    put8(b, 3); /* boot-up, power and thermal state: safe */
    put8(b, 3);
    put8(b, 3);
    put8(b, 2);  /* security: unknown */
    put32(b, 0); /* OEM-defined */
    put8(b, 0);  /* height */
    put8(b, 0);  /* power cords */
    put8(b, 0);  /* contained elements, and the size of each */
    put8(b, 0);
    put_string(b, info->chassis.sku);
    end(b);
}

/* Section 7.5. */
static void put_processor(Builder *b, const SMBIOSInfo *info, unsigned n)
{
    g_autofree char *socket = g_strdup_printf("%s%2x", info->processor.socket_prefix, n);
    unsigned cores = info->processor.cores;
    unsigned threads = cores * info->processor.threads;

    begin(b, 4, HANDLE(4, n));
    put_string(b, socket);
    put8(b, 3); /* central processor */
    put8(b, 1); /* family: other */
    put_string(b, info->processor.manufacturer);
    put32(b, info->processor.cpuid_eax);
    put32(b, info->processor.cpuid_edx);
    put_string(b, info->processor.version);
    put8(b, 0);  /* voltage: unknown */
    put16(b, 0); /* external clock: unknown */
    put16(b, info->processor.max_speed);
    put16(b, info->processor.current_speed);
    put8(b, 1 << 6 | 1); /* populated, enabled */
    put8(b, 1);          /* upgrade: other */
    put16(b, 0xffff);    /* L1, L2, L3 caches: not given */
    put16(b, 0xffff);
    put16(b, 0xffff);
    put_string(b, info->processor.serial);
    put_string(b, info->processor.asset);
    put_string(b, info->processor.part);
    put8(b, MIN(cores, 0xff)); /* count, enabled */
    put8(b, MIN(cores, 0xff));
    put8(b, MIN(threads, 0xff));
    put16(b, 1 << 1); /* characteristics: unknown */
    put16(b, 1);      /* family 2: other */
    end(b);
}

/* Section 7.9. What is on the board has no connector, as from most makers. */
static void put_port(Builder *b, const SMBIOSPort *port, guint n)
{
    begin(b, 8, HANDLE(8, (uint16_t)n));
    put_string(b, port->internal);
    put8(b, 0);
    put_string(b, port->external);
    put8(b, port->connector_type);
    put8(b, port->port_type);
    end(b);
}

/* Section 7.12. */
static void put_oem_strings(Builder *b, const SMBIOSInfo *info)
{
    guint count = MIN(g_strv_length((char **)info->oem_strings), 0xff);

    begin(b, 11, HANDLE(14, 0)); /* QEMU gives it the handles of type 14 */
    put8(b, count);
    for (guint i = 0; i < count; i++) {
        g_ptr_array_add(b->strings, (gpointer)info->oem_strings[i]);
    }
    end(b);
}

/* Section 7.17. Sizes in KiB, from 2 TiB on in bytes. */
static void put_memory_array(Builder *b, const SMBIOSInfo *info, unsigned dimms)
{
    uint64_t kib = info->ram_size / KiB(1);
    bool extended = kib >= 0x80000000;

    begin(b, 16, HANDLE(16, 0));
    put8(b, 1); /* location: other */
    put8(b, 3); /* system memory */
    put8(b, 6); /* error correction: multi-bit ECC */
    put32(b, extended ? 0x80000000 : kib);
    put16(b, 0xfffe); /* no error information */
    put16(b, dimms);
    put64(b, extended ? info->ram_size : 0);
    end(b);
}

/* Section 7.18. A size in MiB; DIMM_SIZE keeps it below the extended form's 32 GiB. */
static void put_memory_device(Builder *b, const SMBIOSInfo *info, unsigned n,
                              uint64_t size)
{
    g_autofree char *locator = g_strdup_printf("%s %d", info->memory.location_prefix, n);

    begin(b, 17, HANDLE(17, n));
    put16(b, HANDLE(16, 0));
    put16(b, 0xfffe); /* no error information */
    put16(b, 0xffff); /* total and data width: unknown */
    put16(b, 0xffff);
    put16(b, size / MiB(1));
    put8(b, 9); /* a DIMM */
    put8(b, 0); /* in no set */
    put_string(b, locator);
    put_string(b, info->memory.bank);
    put8(b, 7);       /* RAM */
    put16(b, 1 << 1); /* detail: other */
    put16(b, info->memory.speed);
    put_string(b, info->memory.manufacturer);
    put_string(b, info->memory.serial);
    put_string(b, info->memory.asset);
    put_string(b, info->memory.part);
    put8(b, 0);  /* rank: unknown */
    put32(b, 0); /* extended size */
    put16(b, info->memory.speed);
    put16(b, 0); /* minimum, maximum, configured voltage: unknown */
    put16(b, 0);
    put16(b, 0);
    end(b);
}

/* Section 7.20. First and last KiB, from 4 TiB on in bytes. */
static void put_mapped_address(Builder *b, unsigned n, uint64_t start, uint64_t size)
{
    uint64_t last = start + size - 1;
    bool extended = last / KiB(1) > 0xffffffff;

    begin(b, 19, HANDLE(19, n));
    put32(b, extended ? 0xffffffff : start / KiB(1));
    put32(b, extended ? 0xffffffff : last / KiB(1));
    put16(b, HANDLE(16, 0));
    put8(b, 1); /* partition width */
    put64(b, extended ? start : 0);
    put64(b, extended ? last : 0);
    end(b);
}

static void put_memory(Builder *b, const SMBIOSInfo *info)
{
    unsigned dimms = MAX((info->ram_size + DIMM_SIZE - 1) / DIMM_SIZE, 1);
    unsigned ranges = 0;

    put_memory_array(b, info, dimms);
    for (unsigned i = 0; i < dimms; i++) {
        put_memory_device(b, info, i, MIN(info->ram_size - i * DIMM_SIZE, DIMM_SIZE));
    }
    for (guint i = 0; info->e820 && i < info->e820->len; i++) {
        const E820Entry *entry = &g_array_index(info->e820, E820Entry, i);

        if (GUINT32_FROM_LE(entry->type) == E820_RAM) {
            put_mapped_address(b, ranges++, GUINT64_FROM_LE(entry->address),
                               GUINT64_FROM_LE(entry->length));
        }
    }
}

/* Section 7.33: the last boot had no errors. */
static void put_boot_information(Builder *b)
{
    begin(b, 32, HANDLE(32, 0));
    put(b, 0, 6);
    put8(b, 0);
    end(b);
}

static void put_end_of_table(Builder *b)
{
    begin(b, 127, HANDLE(127, 0));
    end(b);
}

/* Section 5.2.1. The firmware fills in both checksums and the address. */
static GByteArray *build_anchor(const Builder *tables)
{
    Builder b = {.bytes = g_byte_array_new()};

    g_byte_array_append(b.bytes, (const uint8_t *)"_SM_", 4);
    put8(&b, 0);    /* checksum */
    put8(&b, 0x1f); /* length */
    put8(&b, 2);    /* version */
    put8(&b, 8);
    put16(&b, tables->largest);
    put(&b, 0, 1 + 5); /* entry point revision, formatted area */
    g_byte_array_append(b.bytes, (const uint8_t *)"_DMI_", 5);
    put8(&b, 0); /* checksum */
    put16(&b, tables->bytes->len);
    put32(&b, 0); /* address */
    put16(&b, tables->structures);
    put8(&b, 0x28); /* version, BCD */
    return b.bytes;
}

void smbios_info_init(SMBIOSInfo *info, const char *product, const char *version)
{
    *info = (SMBIOSInfo){
        .system = {.manufacturer = "QEMU", .product = product, .version = version},
        .board = {.manufacturer = "QEMU", .product = product, .version = version},
        .chassis = {.manufacturer = "QEMU", .version = version},
        .processor = {.socket_prefix = "CPU",
                      .manufacturer = "QEMU",
                      .version = version,
                      .max_speed = 2000,
                      .current_speed = 2000,
                      .sockets = 1,
                      .cores = 1,
                      .threads = 1},
        .memory = {.location_prefix = "DIMM", .manufacturer = "QEMU"},
    };
}

/* Where the structure at `start` ends, behind its strings; 0 when it is none. */
static size_t end_of_structure(const GByteArray *bytes, size_t start)
{
    size_t length = start + 4 <= bytes->len ? bytes->data[start + 1] : 0;

    if (length < 4) {
        return 0;
    }
    for (size_t end = start + length; end + 2 <= bytes->len; end++) {
        if (!bytes->data[end] && !bytes->data[end + 1]) {
            return end + 2;
        }
    }
    return 0;
}

bool smbios_check_structures(const GByteArray *bytes)
{
    size_t end = 0;

    do {
        end = end_of_structure(bytes, end);
    } while (end && end < bytes->len);
    return end != 0;
}

static void put_extra(Builder *b, const GByteArray *extra)
{
    for (size_t start = 0, end; start < extra->len; start = end) {
        end = end_of_structure(extra, start);
        g_byte_array_append(b->bytes, extra->data + start, (guint)(end - start));
        b->largest = MAX(b->largest, end - start);
        b->structures++;
    }
}

void smbios_build(const SMBIOSInfo *info, GByteArray **tables, GByteArray **anchor)
{
    Builder b = {.bytes = g_byte_array_new(), .strings = g_ptr_array_new()};

    if (info->bios.present) {
        put_bios(&b, info);
    }
    put_system(&b, info);
    if (info->board.present) {
        put_board(&b, info);
    }
    put_chassis(&b, info);
    for (unsigned i = 0; i < info->processor.sockets; i++) {
        put_processor(&b, info, i);
    }
    for (guint i = 0; info->ports && i < info->ports->len; i++) {
        put_port(&b, &g_array_index(info->ports, SMBIOSPort, i), i);
    }
    if (info->oem_strings && *info->oem_strings) {
        put_oem_strings(&b, info);
    }
    put_memory(&b, info);
    put_boot_information(&b);
    if (info->extra) {
        put_extra(&b, info->extra);
    }
    put_end_of_table(&b);
    *anchor = build_anchor(&b);
    *tables = b.bytes;
    g_ptr_array_unref(b.strings);
}
