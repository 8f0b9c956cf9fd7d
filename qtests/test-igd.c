/*
 * igd-stub: GGC by Intel's data sheets, fw_cfg by QEMU's docs/igd-assign.txt, the
 * translation of GTT entries, the aperture, stolen memory as a BAR, and what explanations
 * say of it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <glib/gstdio.h>

#include "hw/display/igd-stub.h"
#include "machine/migration/vmstate.h"
#include "memory/explain.h"
#include "qtests/pci-board.h"

#define IGD PCI_DEVFN(2, 0)
#define HOST 0xdba00000u /* the default of host-bdsm */
#define GUEST 0x00400000u
#define RESERVED MiB(66) /* 64 MiB and a GTT of 2 MiB */
#define REGISTERS UINT64_C(0xfe800000)
#define GTT (REGISTERS + MiB(2))
#define APERTURE UINT64_C(0xe0000000)
#define PORTS 0xc000
#define STOLEN UINT64_C(0xc0000000)

static unsigned fatals;
static char *fatal_text;

static void note_fatal(const char *message, void *opaque)
{
    fatals++;
    g_free(fatal_text);
    fatal_text = g_strdup(message);
}

static const SystemHandler handler = {.fatal = note_fatal};

/* "PROPERTY=VALUE,..." or "". */
static Device *try_igd(const char *properties, GError **error)
{
    g_auto(GStrv) pairs = g_strsplit(properties, ",", -1);
    Device *dev = device_new(TYPE_IGD_STUB, error);

    for (char **pair = pairs; *pair; pair++) {
        g_auto(GStrv) words = g_strsplit(*pair, "=", 2);

        if (!property_set_string(G_OBJECT(dev), words[0], words[1], error)) {
            g_object_unref(dev);
            return NULL;
        }
    }
    return device_realize(dev, &board.bus->parent, error) ? dev : NULL;
}

static Device *add_igd(const char *properties)
{
    GError *error = NULL;
    Device *dev;

    board_setup();
    system_set_handler(&handler, NULL);
    fatals = 0;
    dev = try_igd(properties, &error);
    ck_assert_msg(dev != NULL, "%s", error ? error->message : "");
    device_reset_all();
    return dev;
}

static void map_bars(void)
{
    config_out(IGD, 0x10, (uint32_t)REGISTERS, 4);
    config_out(IGD, 0x18, (uint32_t)APERTURE, 4);
    config_out(IGD, 0x20, PORTS, 4);
    config_out(IGD, 0x24, (uint32_t)STOLEN, 4);
    config_out(IGD, 0x04, 3, 2); /* I/O and memory */
}

static uint64_t load(hwaddr addr, unsigned size)
{
    uint64_t value = 0;

    address_space_load(&board.memory_as, addr, size, &value, MEMTXATTRS_UNSPECIFIED);
    return value;
}

static void store(hwaddr addr, unsigned size, uint64_t value)
{
    address_space_store(&board.memory_as, addr, size, value, MEMTXATTRS_UNSPECIFIED);
}

static void data_out(uint32_t index, uint32_t value)
{
    port_out(PORTS, index, 4);
    port_out(PORTS + 4, value, 4);
}

/* -- Configuration space ----------------------------------------------------------------
 */

START_TEST(test_config)
{
    static const struct {
        uint8_t at;
        uint32_t reads; /* after all ones were written */
    } rows[] = {
        {0x10, 0xffc00004}, {0x14, 0xffffffff}, {0x18, 0xf000000c}, {0x1c, 0xffffffff},
        {0x20, 0xffffffc1}, {0x24, 0x00000000}, {0x50, 0x00000210}, {0x5c, 0xfff00000},
        {0x60, 0x00000000}, {0xf8, 0x00000000}, {0xfc, 0xffffffff},
    };

    add_igd("");
    ck_assert_uint_eq(config_in(IGD, 0x00, 4), 0x01168086);
    ck_assert_uint_eq(config_in(IGD, 0x0a, 2), 0x0300);
    ck_assert_uint_eq(config_in(IGD, 0x5c, 4), 0);
    ck_assert_uint_eq(config_in(IGD, 0xfc, 4), 0);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        config_out(IGD, rows[i].at, UINT32_MAX, 4);
        ck_assert_msg(config_in(IGD, rows[i].at, 4) == rows[i].reads, "%x: %x",
                      rows[i].at, config_in(IGD, rows[i].at, 4));
    }
}
END_TEST

/* GGC: up to Haswell the GTT's MiB in 9:8 and 32 MiB units in 7:3; from Broadwell on 32
 * MiB units in 15:8, with 0xf0.. for 4 MiB units since Skylake, and the GTT's log2 in
 * 7:6. */
static const struct {
    const char *properties;
    uint16_t device, ggc;
    uint64_t reserved;
    uint32_t bar0;
} sizes[] = {
    {"stolen-size=32M", 0x0116, 0x0208, MiB(34), 0xffc00004},
    {"stolen-size=512M", 0x0116, 0x0280, MiB(514), 0xffc00004},
    {"device-id=0x0166,stolen-size=96M", 0x0166, 0x0218, MiB(98), 0xffc00004},
    {"device-id=0x0a16", 0x0a16, 0x0210, MiB(66), 0xffc00004},
    {"device-id=0x1616,stolen-size=32M", 0x1616, 0x01c0, MiB(40), 0xff000004},
    {"device-id=0x1616,stolen-size=512M", 0x1616, 0x10c0, MiB(520), 0xff000004},
    {"device-id=0x1916,stolen-size=4M", 0x1916, 0xf0c0, MiB(12), 0xff000004},
    {"device-id=0x5916,stolen-size=32M", 0x5916, 0x01c0, MiB(40), 0xff000004},
    {"device-id=0x3e92,stolen-size=60M", 0x3e92, 0xfec0, MiB(68), 0xff000004},
    {"device-id=0x9bc5,stolen-size=64M", 0x9bc5, 0x02c0, MiB(72), 0xff000004},
};

START_TEST(test_sizes)
{
    GError *error = NULL;
    FWCfg *cfg;
    uint64_t expected = GUINT64_TO_LE(sizes[_i].reserved);
    const void *file;
    size_t length;

    add_igd(sizes[_i].properties);
    ck_assert_uint_eq(config_in(IGD, 0x02, 2), sizes[_i].device);
    ck_assert_uint_eq(config_in(IGD, 0x50, 2), sizes[_i].ggc);
    config_out(IGD, 0x10, UINT32_MAX, 4);
    ck_assert_uint_eq(config_in(IGD, 0x10, 4), sizes[_i].bar0);

    cfg = fw_cfg_new_io(&board.io, &board.memory_as, &error);
    ck_assert(cfg != NULL);
    ck_assert(igd_stub_add_files(cfg, &error));
    file = fw_cfg_find_file(cfg, "etc/igd-bdsm-size", &length);
    ck_assert_uint_eq(length, 8);
    ck_assert_mem_eq(file, &expected, 8);
    file = fw_cfg_find_file(cfg, "etc/igd-opregion", &length);
    ck_assert_uint_eq(length, KiB(8));
    ck_assert_mem_eq(file, "IntelGraphicsMem\x08\0\0\0", 20);
}
END_TEST

static const struct {
    const char *properties, *message;
} refused[] = {
    {"stolen-size=0", "no code for 0x0 bytes; give a multiple of 32M up to 512M"},
    {"stolen-size=48M", "no code for 0x3000000 bytes"},
    {"stolen-size=544M", "no code for"},
    {"stolen-size=4M", "no code for"},
    {"device-id=0x1616,stolen-size=4M", "Broadwell"},
    {"device-id=0x1916,stolen-size=6M", "or one of 4M up to 60M"},
    {"device-id=0x1916,stolen-size=68M", "no code for"},
    {"device-id=0x1111", "device-id=0x1111 is no graphics device"},
    {"host-bdsm=0", "give a multiple of 1 MiB"},
    {"host-bdsm=0xdba80000", "give a multiple of 1 MiB"},
    {"host-bdsm=0xfbf00000", "between it and 4 GiB"},
    {"stolen=here", "'firmware', 'bar'"},
    {"opregion=/no/such/file", "does not exist"},
    {"addr=20", "doesn't take value '20'"},
};

START_TEST(test_refused)
{
    g_autoptr(GError) error = NULL;

    add_igd("addr=7"); /* beside which there may be none anyway */
    config_out(IGD, 0, 0, 1);
    device_unplug(DEVICE(pci_find_device(board.bus, PCI_DEVFN(7, 0))));
    ck_assert_ptr_null(try_igd(refused[_i].properties, &error));
    ck_assert_msg(strstr(error->message, refused[_i].message), "%s", error->message);
    ck_assert_ptr_null(pci_find_device(board.bus, IGD));
}
END_TEST

START_TEST(test_one_only)
{
    g_autoptr(GError) same = NULL;
    g_autoptr(GError) other = NULL;

    add_igd("");
    ck_assert_ptr_null(try_igd("", &same));
    ck_assert(strstr(same->message, "slot 2 function 0 not available"));
    ck_assert_ptr_null(try_igd("addr=5", &other));
    ck_assert_str_eq(other->message,
                     "at most one igd-stub is permitted: its fw_cfg files are for one");
}
END_TEST

/* The last host-bdsm that leaves room for 66 MiB below 4 GiB. */
START_TEST(test_highest_host)
{
    add_igd("host-bdsm=0xfbe00000");
    map_bars();
    config_out(IGD, 0x5c, GUEST, 4);
    data_out(1, 0xfffff001);
    ck_assert_uint_eq(load(GTT, 4), GUEST + RESERVED - 0xfff);
}
END_TEST

/* -- OpRegion ---------------------------------------------------------------------------
 */

static char *write_opregion(size_t length, const char *signature, uint32_t size_kib)
{
    g_autofree uint8_t *bytes = g_malloc0(length);
    char *path = NULL;
    int fd = g_file_open_tmp("umbra-igd-XXXXXX", &path, NULL);

    ck_assert_int_ge(fd, 0);
    close(fd);
    memset(bytes, 0x77, length);
    memcpy(bytes, signature, 16);
    size_kib = GUINT32_TO_LE(size_kib);
    memcpy(bytes + 16, &size_kib, sizeof(size_kib));
    ck_assert(g_file_set_contents(path, (char *)bytes, (gssize)length, NULL));
    return path;
}

START_TEST(test_opregion)
{
    static const struct {
        size_t length;
        const char *signature;
        uint32_t size_kib;
        const char *message; /* NULL: it is taken */
    } files[] = {
        {KiB(8), "IntelGraphicsMem", 8, NULL},
        {KiB(16), "IntelGraphicsMem", 8, NULL}, /* and what hangs on to it */
        {KiB(8), "IntelGraphicsMen", 8, "does not begin with \"IntelGraphicsMem\""},
        {KiB(8), "IntelGraphicsMem", 16,
         "says that it has 0x4000 bytes; the file has 0x2000"},
        {KiB(8), "IntelGraphicsMem", 0, "says that it has 0x0 bytes"},
        {KiB(8), "IntelGraphicsMem", 0xffffffff, "the file has 0x2000"},
        {KiB(1), "IntelGraphicsMem", 1, "0x2000 are the least"},
        {KiB(8) + 1, "IntelGraphicsMem", 8, "not a multiple of 1 KiB"},
    };
    g_autofree char *path =
        write_opregion(files[_i].length, files[_i].signature, files[_i].size_kib);
    g_autofree char *properties = g_strdup_printf("opregion=%s", path);
    GError *error = NULL;

    board_setup();
    if (try_igd(properties, &error)) {
        FWCfg *cfg = fw_cfg_new_io(&board.io, &board.memory_as, &error);
        const uint8_t *file;
        size_t length;

        ck_assert_ptr_null(files[_i].message);
        ck_assert(igd_stub_add_files(cfg, &error));
        file = fw_cfg_find_file(cfg, "etc/igd-opregion", &length);
        ck_assert_uint_eq(length, files[_i].length);
        ck_assert_uint_eq(file[length - 1], 0x77);
    } else {
        ck_assert_msg(files[_i].message && strstr(error->message, files[_i].message),
                      "%s", error->message);
    }
    g_unlink(path);
}
END_TEST

/* -- The table --------------------------------------------------------------------------
 */

START_TEST(test_translation)
{
    static const struct {
        uint32_t written, kept;
    } rows[] = {
        {HOST | 1, GUEST | 1},
        {HOST + 0x5000 + 3, GUEST + 0x5000 + 3},
        {HOST + RESERVED - 0xfff, GUEST + RESERVED - 0xfff}, /* the last page */
        {HOST + RESERVED + 1, HOST + RESERVED + 1},          /* the page after it */
        {HOST - 0xfff, HOST - 0xfff},                        /* and the one before */
        {0x00123001, 0x00123001},
        {0, 0},
        {HOST + 0x11, HOST + 0x11}, /* bits 10:4 are 38:32 of the address */
    };

    add_igd("");
    map_bars();
    config_out(IGD, 0x5c, GUEST, 4);
    for (uint32_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        data_out(4 * i + 1, rows[i].written);
        ck_assert_msg(load(GTT + 4 * i, 4) == rows[i].kept, "%u: %x", i,
                      (unsigned)load(GTT + 4 * i, 4));
        ck_assert_uint_eq(port_in(PORTS + 4, 4), rows[i].kept);
        ck_assert_uint_eq(port_in(PORTS, 4), 4 * i + 1);
    }
    /* The table's ends. */
    data_out(MiB(2) - 4 + 1, HOST + 0x7001);
    ck_assert_uint_eq(load(GTT + MiB(2) - 4, 4), GUEST + 0x7001);
    data_out(MiB(2) + 1, HOST + 0x8001);
    data_out(0xfffffffd, HOST + 0x8001);
    ck_assert_uint_eq(port_in(PORTS + 4, 4), 0);
    ck_assert_uint_eq(fatals, 0);
    /* Through BAR 0 nothing is translated: who writes there has read BDSM. */
    store(GTT + 0x100, 4, HOST | 1);
    ck_assert_uint_eq(load(GTT + 0x100, 4), HOST | 1);
}
END_TEST

/* What is no doubleword, no entry or no port is lost. */
START_TEST(test_no_entry)
{
    add_igd("");
    map_bars();
    config_out(IGD, 0x5c, GUEST, 4);
    data_out(0x40 + 0, HOST | 1); /* a register */
    data_out(0x40 + 2, HOST | 1);
    data_out(0x40 + 3, HOST | 1);
    port_out(PORTS, 0x41, 4);
    port_out(PORTS + 4, 0xff, 1);
    port_out(PORTS + 6, 0xffff, 2);
    port_out(PORTS + 8, HOST | 1, 4);
    ck_assert_uint_eq(load(GTT + 0x40, 4), 0);
    ck_assert_uint_eq(port_in(PORTS + 8, 4), 0);
    ck_assert_uint_eq(port_in(PORTS + 60, 4), 0);
    store(REGISTERS + 0x70180, 4, 0x12345678);
    ck_assert_uint_eq(load(REGISTERS + 0x70180, 4), 0);
}
END_TEST

START_TEST(test_long_entries)
{
    add_igd("device-id=0x1916");
    config_out(IGD, 0x10, 0xfd000000, 4);
    config_out(IGD, 0x18, (uint32_t)APERTURE, 4);
    config_out(IGD, 0x20, PORTS, 4);
    config_out(IGD, 0x04, 3, 2);
    config_out(IGD, 0x5c, GUEST, 4);
    store(0xfd800010, 8, UINT64_MAX);
    data_out(0x10 + 1, HOST + 0x3001);
    ck_assert_uint_eq(load(0xfd800010, 8), UINT64_C(0xffffffff00000000) + GUEST + 0x3001);
    data_out(0x14 + 1, HOST + 0x3001); /* the upper half */
    ck_assert_uint_eq(load(0xfd800010, 8), GUEST + 0x3001);
    ram_at(GUEST + 0x3000)[0x123] = 0x99;
    ck_assert_uint_eq(load(APERTURE + 0x2123, 1), 0x99);
    store(0xfd800018, 8, UINT64_C(0x100401001)); /* bit 32 belongs to the address */
    ck_assert_uint_eq(load(APERTURE + 0x3000, 1), 0);
    data_out((uint32_t)MiB(8) - 8 + 1, HOST | 1);
    ck_assert_uint_eq(load(0xfe000000 - 8, 4), GUEST | 1);
}
END_TEST

START_TEST(test_before_bdsm)
{
    add_igd("");
    map_bars();
    data_out(0x40 + 0, HOST | 1); /* a register: no harm */
    ck_assert_uint_eq(fatals, 0);
    data_out(0x1004 + 1, HOST | 1);
    ck_assert_uint_eq(fatals, 1);
    ck_assert(strstr(fatal_text, "hardware error: the guest programs entry 1025"));
    ck_assert(strstr(fatal_text, "(0xdba00001) before its firmware has reserved"));
    ck_assert(strstr(fatal_text, "stolen=bar"));
    ck_assert_uint_eq(load(GTT + 0x1004, 4), 0);

    config_out(IGD, 0x5c, GUEST, 4);
    data_out(0x1004 + 1, HOST | 1);
    ck_assert_uint_eq(load(GTT + 0x1004, 4), GUEST | 1);
    device_reset_all();
    map_bars();
    data_out(0x2000 + 1, HOST | 1);
    ck_assert_uint_eq(fatals, 2);
}
END_TEST

START_TEST(test_reset)
{
    add_igd("");
    map_bars();
    config_out(IGD, 0x5c, GUEST, 4);
    config_out(IGD, 0xfc, 0x00ffe000, 4);
    data_out(1, HOST | 1);
    device_reset_all();
    ck_assert_uint_eq(config_in(IGD, 0x5c, 4), 0);
    ck_assert_uint_eq(config_in(IGD, 0xfc, 4), 0);
    ck_assert_uint_eq(config_in(IGD, 0x50, 2), 0x0210);
    map_bars();
    ck_assert_uint_eq(port_in(PORTS, 4), 0);
    ck_assert_uint_eq(load(GTT, 4), GUEST | 1); /* memory, which a reset does not clear */
}
END_TEST

/* -- The aperture -----------------------------------------------------------------------
 */

START_TEST(test_aperture)
{
    add_igd("");
    map_bars();
    config_out(IGD, 0x5c, GUEST, 4);
    ck_assert_uint_eq(load(APERTURE, 4), 0xffffffff); /* no entry is valid */
    store(APERTURE, 4, 0x11111111);
    data_out(1, HOST + 0x2001);
    data_out(4 + 1, HOST + 0x9000); /* not valid */
    store(APERTURE + 0xffc, 4, 0x12345678);
    ck_assert_uint_eq(ram_at(GUEST + 0x2000)[0xfff], 0x12);
    ck_assert_uint_eq(load(APERTURE + 0xffe, 2), 0x1234);
    store(APERTURE, 8, UINT64_C(0x8877665544332211));
    ck_assert_uint_eq(load(APERTURE, 8), UINT64_C(0x8877665544332211));
    store(APERTURE + 0x1000, 4, 0x22222222);
    ck_assert_uint_eq(load(APERTURE + 0x1000, 4), 0xffffffff);
    ck_assert_uint_eq(load(GUEST + 0x9000, 4), 0);
    ck_assert_uint_eq(load(APERTURE + MiB(256) - 4, 4), 0xffffffff);
    store(GTT, 4, (GUEST + 0x2000) | 1 | 1 << 4); /* 4 GiB higher, where nothing is */
    ck_assert_uint_eq(load(APERTURE, 4), 0);
}
END_TEST

/* Entries that lead into the aperture, and on to themselves. */
START_TEST(test_aperture_loop)
{
    add_igd("");
    map_bars();
    store(GTT, 4, (uint32_t)APERTURE | 1);
    ck_assert_uint_eq(load(APERTURE, 4), 0xffffffff);
    store(APERTURE, 4, 5);
    store(GTT + 4, 4, (GUEST + 0x3000) | 1);
    store(APERTURE + 0x1000, 4, 6);
    ck_assert_uint_eq(load(GUEST + 0x3000, 4), 6);
}
END_TEST

/* -- stolen=bar -------------------------------------------------------------------------
 */

START_TEST(test_bar)
{
    GError *error = NULL;
    FWCfg *cfg;
    size_t length;

    add_igd("stolen=bar");
    cfg = fw_cfg_new_io(&board.io, &board.memory_as, &error);
    ck_assert(igd_stub_add_files(cfg, &error));
    ck_assert_ptr_null(fw_cfg_find_file(cfg, "etc/igd-bdsm-size", &length));
    ck_assert_ptr_nonnull(fw_cfg_find_file(cfg, "etc/igd-opregion", &length));

    config_out(IGD, 0x5c, GUEST, 4);
    ck_assert_uint_eq(config_in(IGD, 0x5c, 4), 0); /* not the guest's to write */
    config_out(IGD, 0x24, UINT32_MAX, 4);
    ck_assert_uint_eq(config_in(IGD, 0x24, 4), 0xf8000008); /* 66 MiB take 128 */
    ck_assert_uint_eq(config_in(IGD, 0x5c, 4), 0);
    config_out(IGD, 0x20, PORTS, 4);
    config_out(IGD, 0x04, 1, 2);
    data_out(1, HOST | 1); /* nothing is mapped yet */
    ck_assert_uint_eq(fatals, 1);

    map_bars();
    ck_assert_uint_eq(config_in(IGD, 0x5c, 4), STOLEN);
    data_out(1, HOST + 0x6001);
    ck_assert_uint_eq(load(GTT, 4), STOLEN + 0x6001);
    store(APERTURE, 4, 0xabcdef01);
    ck_assert_uint_eq(load(STOLEN + 0x6000, 4), 0xabcdef01);
    store(STOLEN + RESERVED - 4, 4, 0x55aa55aa);
    ck_assert_uint_eq(load(STOLEN + RESERVED - 4, 4), 0x55aa55aa);
    store(STOLEN + RESERVED, 4, 0x55aa55aa); /* the BAR's rest */
    ck_assert_uint_eq(load(STOLEN + RESERVED, 4), 0);

    config_out(IGD, 0x24, 0xd0000000, 4);
    ck_assert_uint_eq(config_in(IGD, 0x5c, 4), 0xd0000000);
    ck_assert_uint_eq(load(0xd0006000, 4), 0xabcdef01);
    config_out(IGD, 0x04, 1, 2);
    ck_assert_uint_eq(config_in(IGD, 0x5c, 4), 0);
    map_bars();
    device_reset_all();
    ck_assert_uint_eq(config_in(IGD, 0x5c, 4), 0);
    ck_assert_uint_eq(fatals, 1);
}
END_TEST

/* -- Explanations -----------------------------------------------------------------------
 */

/* The notes about the address, a line each. */
static char *notes(AddressSpace *as, hwaddr addr)
{
    g_autoptr(Explanation) e = explain(as, addr);
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < e->notes->len; i++) {
        const ExplainNote *note = g_ptr_array_index(e->notes, i);

        g_string_append_printf(text, "%s %s\n", note->kind, note->text);
    }
    return g_string_free(text, FALSE);
}

static void check_notes(AddressSpace *as, hwaddr addr, const char *expected)
{
    g_autofree char *text = notes(as, addr);

    ck_assert_str_eq(text, expected);
}

#define BDSM_NOTE                                                                        \
    "register BDSM of igd-stub 02.0, configuration 0x5c = 0x00400000: its stolen "       \
    "memory "                                                                            \
    "(0x00400000-0x045fffff)\n"
#define ASLS_NOTE                                                                        \
    "register ASLS of igd-stub 02.0, configuration 0xfc = 0x00ffe000: its OpRegion "     \
    "(0x00ffe000-0x00ffffff)\n"

START_TEST(test_explain)
{
    Device *dev = add_igd("");

    check_notes(&board.memory_as, GUEST, "");
    check_notes(&board.memory_as, 0, "");
    config_out(IGD, 0x5c, GUEST, 4);
    config_out(IGD, 0xfc, 0x00ffe000, 4);
    check_notes(&board.memory_as, GUEST - 1, "");
    check_notes(&board.memory_as, GUEST, BDSM_NOTE);
    check_notes(&board.memory_as, 0x045fffff,
                BDSM_NOTE); /* where there is no RAM at all */
    check_notes(&board.memory_as, 0x04600000, "");
    check_notes(&board.memory_as, 0x00ffdfff, BDSM_NOTE);
    check_notes(&board.memory_as, 0x00ffe000, ASLS_NOTE BDSM_NOTE);
    check_notes(&board.memory_as, 0x00ffffff, ASLS_NOTE BDSM_NOTE);
    check_notes(&board.memory_as, 0x01000000, BDSM_NOTE);
    check_notes(&board.io_as, GUEST, ""); /* not ports */
    device_unplug(dev);
    check_notes(&board.memory_as, GUEST, "");
}
END_TEST

/* -- State ------------------------------------------------------------------------------
 */

static Wire *save(Device *dev)
{
    Wire *wire = wire_new_memory();

    ck_assert(vmstate_save(wire, DEVICE_GET_CLASS(dev)->vmsd, dev, NULL));
    return wire;
}

static bool load_state(Device *dev, const uint8_t *data, size_t size, char **message)
{
    g_autoptr(Wire) wire = wire_new_bytes(data, size);
    bool good = vmstate_load(wire, DEVICE_GET_CLASS(dev)->vmsd, dev, 1);

    *message = good ? NULL : g_strdup(wire_error(wire)->message);
    return good;
}

START_TEST(test_state)
{
    const char *properties = _i ? "stolen=bar" : "";
    Device *dev = add_igd(properties);
    g_autoptr(Wire) wire = NULL;
    g_autofree char *message = NULL, *other = NULL;
    const uint8_t *data;
    uint32_t bdsm = _i ? STOLEN : GUEST;
    size_t size;

    map_bars();
    config_out(IGD, 0x5c, GUEST, 4);
    config_out(IGD, 0xfc, 0x00ffe000, 4);
    port_out(PORTS, 0x12345, 4);
    wire = save(dev);
    data = wire_data(wire, &size);
    device_reset_all();
    ck_assert_uint_eq(config_in(IGD, 0x5c, 4), 0);
    ck_assert_msg(load_state(dev, data, size, &message), "%s", message);
    ck_assert_uint_eq(config_in(IGD, 0x5c, 4), bdsm);
    ck_assert_uint_eq(config_in(IGD, 0xfc, 4), 0x00ffe000);
    ck_assert_uint_eq(port_in(PORTS, 4), 0x12345);
    data_out(1, HOST | 1);
    ck_assert_uint_eq(load(GTT, 4), bdsm | 1);

    device_unplug(dev);
    ck_assert_uint_eq(load(GTT, 4), 0);
    ck_assert_ptr_null(explain_find_space("igd-stub-aperture"));
    dev = try_igd("stolen-size=32M", NULL);
    ck_assert(!load_state(dev, data, size, &other));
    ck_assert_msg(strstr(other, "stolen_size"), "%s", other);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("igd");
    TCase *config = tcase_create("configuration"), *table = tcase_create("table"),
          *rest = tcase_create("rest");

    tcase_add_test(config, test_config);
    tcase_add_loop_test(config, test_sizes, 0, G_N_ELEMENTS(sizes));
    tcase_add_loop_test(config, test_refused, 0, G_N_ELEMENTS(refused));
    tcase_add_test(config, test_one_only);
    tcase_add_test(config, test_highest_host);
    tcase_add_loop_test(config, test_opregion, 0, 8);
    suite_add_tcase(suite, config);
    tcase_add_test(table, test_translation);
    tcase_add_test(table, test_no_entry);
    tcase_add_test(table, test_long_entries);
    tcase_add_test(table, test_before_bdsm);
    tcase_add_test(table, test_reset);
    tcase_add_test(table, test_aperture);
    tcase_add_test(table, test_aperture_loop);
    tcase_add_test(table, test_bar);
    suite_add_tcase(suite, table);
    tcase_add_test(rest, test_explain);
    tcase_add_loop_test(rest, test_state, 0, 2);
    suite_add_tcase(suite, rest);
    return board_run(suite);
}
