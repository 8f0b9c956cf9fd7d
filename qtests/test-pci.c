/*
 * Configuration mechanism 1, BARs, COMMAND and INTx# against PCI Local Bus 2.1; texts and
 * register defaults as QEMU 7.2 shows them (`info pci`, HMP's i and o commands).
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "qtests/pci-board.h"

/* A device with a BAR of each kind. */
typedef struct Probe {
    PCIDevice parent;
    MemoryRegion memory, port, wide, rom;
} Probe;

#define TYPE_PROBE (probe_get_type())
GType probe_get_type(void);
DEVICE_DEFINE_TYPE(Probe, probe, "probe", TYPE_PCI_DEVICE)

static uint64_t probe_read(void *opaque, hwaddr offset, unsigned size)
{
    return GPOINTER_TO_UINT(opaque);
}

static void probe_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
}

static const MemoryRegionOps probe_ops = {.read = probe_read, .write = probe_write};

static bool probe_realize(Device *dev, GError **error)
{
    Probe *probe = (Probe *)dev;
    const struct {
        MemoryRegion *region;
        unsigned bar;
        uint8_t type;
        uint64_t size;
        unsigned answer;
    } bars[] = {
        {&probe->memory, 0, 0, KiB(4), 0xa0},
        {&probe->port, 1, 1, 16, 0xa1},
        {&probe->wide, 2, 12, MiB(1), 0xa2},
        {&probe->rom, PCI_ROM_BAR, 0, KiB(64), 0xa6},
    };

    if (!pci_device_realize(dev, error)) {
        return false;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(bars); i++) {
        memory_region_init_io(bars[i].region, G_OBJECT(dev), &probe_ops,
                              GUINT_TO_POINTER(bars[i].answer), "probe", bars[i].size);
        pci_register_bar(PCI_DEVICE(dev), bars[i].bar, bars[i].type, bars[i].region);
    }
    PCI_DEVICE(dev)->config[0x3d] = 1;
    return true;
}

static void probe_class_init(DeviceClass *klass)
{
    PCI_DEVICE_CLASS(klass)->vendor_id = 0x1234;
    PCI_DEVICE_CLASS(klass)->device_id = 0x5678;
    PCI_DEVICE_CLASS(klass)->class_id = 0x0200;
    klass->realize = probe_realize;
}

static PCIDevice *add_probe_of(const char *addr, bool multifunction)
{
    GError *error = NULL;
    Device *dev = device_new(TYPE_PROBE, &error);

    ck_assert(property_set_string(G_OBJECT(dev), "addr", addr, &error));
    PCI_DEVICE(dev)->multifunction = multifunction;
    ck_assert_msg(device_realize(dev, BUS(board.bus), &error), "%s",
                  error ? error->message : "");
    device_reset(dev);
    return PCI_DEVICE(dev);
}

static PCIDevice *add_probe(const char *addr)
{
    return add_probe_of(addr, false);
}

#define SLOT3 PCI_DEVFN(3, 0)

START_TEST(mechanism)
{
    board_setup();
    ck_assert_uint_eq(config_in(0, 0, 4), 0x12378086);
    ck_assert_uint_eq(config_in(0, 0, 2), 0x8086);
    ck_assert_uint_eq(config_in(0, 2, 2), 0x1237);
    ck_assert_uint_eq(config_in(0, 1, 1), 0x80);
    ck_assert_uint_eq(config_in(0, 8, 4), 0x06000002);
    ck_assert_uint_eq(config_in(0, 0x2c, 4), 0x11001af4);
    ck_assert_uint_eq(config_in(0, 0x57, 1), 16 / 8);
    ck_assert_uint_eq(port_in(0xcf8, 4), 0x80000054);
    ck_assert_uint_eq(config_in(PCI_DEVFN(9, 0), 0, 4), 0xffffffff);
    ck_assert_uint_eq(config_in(PCI_DEVFN(9, 0), 0, 2), 0xffff);
    port_out(0xcf8, 0x80010000, 4); /* bus 1 */
    ck_assert_uint_eq(port_in(0xcfc, 4), 0xffffffff);
    port_out(0xcf8, 0x00000000, 4); /* bit 31 clear: not a configuration cycle */
    ck_assert_uint_eq(port_in(0xcfc, 4), 0xffffffff);
    port_out(0xcf8, 0x80, 1); /* a byte is not CONFADD's */
    port_out(0xcfa, 0x8000, 2);
    ck_assert_uint_eq(port_in(0xcf8, 4), 0);
}
END_TEST

START_TEST(read_only_bits)
{
    board_setup();
    for (unsigned reg = 0; reg < 0x40; reg += 4) {
        config_out(0, reg, 0xffffffff, 4);
    }
    ck_assert_uint_eq(config_in(0, 0, 4), 0x12378086);
    ck_assert_uint_eq(config_in(0, 4, 4), 0x00000507);
    ck_assert_uint_eq(config_in(0, 8, 4), 0x06000002);
    ck_assert_uint_eq(config_in(0, 0xc, 4), 0x000000ff);
    ck_assert_uint_eq(config_in(0, 0x10, 4), 0);
    ck_assert_uint_eq(config_in(0, 0x30, 4), 0);
    ck_assert_uint_eq(config_in(0, 0x3c, 4), 0x000000ff);
    device_reset_all();
    ck_assert_uint_eq(config_in(0, 4, 2), 0);
    ck_assert_uint_eq(config_in(0, 0xc, 1), 0);
    ck_assert_uint_eq(config_in(0, 0x3c, 1), 0);
}
END_TEST

/* The last dword's high bytes with low address bits set: nothing lies beyond
 * 256 bytes. */
START_TEST(end_of_space)
{
    board_setup();
    port_out(0xcf8, 0x800000ff, 4);
    port_out(0xcfc, 0xaabbccdd, 4);
    ck_assert_uint_eq(port_in(0xcfc, 4), 0xdd);
    ck_assert_uint_eq(config_in(0, 0xfc, 4), 0xdd000000);
}
END_TEST

START_TEST(sizing)
{
    static const struct {
        unsigned reg;
        uint32_t ones, reset;
    } cases[] = {
        {0x10, 0xfffff000, 0}, {0x14, 0xfffffff1, 1}, {0x18, 0xfff0000c, 0xc},
        {0x1c, 0xffffffff, 0}, {0x20, 0, 0},          {0x30, 0xffff0001, 0},
    };

    board_setup();
    add_probe("3");
    config_out(SLOT3, 4, 3, 2);
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        ck_assert_uint_eq(config_in(SLOT3, cases[i].reg, 4), cases[i].reset);
        config_out(SLOT3, cases[i].reg, 0xffffffff, 4);
        ck_assert_uint_eq(config_in(SLOT3, cases[i].reg, 4), cases[i].ones);
    }
    /* All ones, decoded, is nowhere. */
    for (unsigned n = 0; n < PCI_BARS; n++) {
        ck_assert(board.bus->devices[SLOT3]->bars[n].address == PCI_BAR_UNMAPPED);
    }
}
END_TEST

START_TEST(mapping)
{
    PCIDevice *dev;

    board_setup();
    dev = add_probe("3");
    config_out(SLOT3, 0x10, 0xe0000000, 4);
    config_out(SLOT3, 0x14, 0xc000, 4);
    ck_assert_uint_ne(memory_in(0xe0000000), 0xa0); /* COMMAND is 0 yet */
    ck_assert_uint_eq(port_in(0xc000, 1), 0xff);
    config_out(SLOT3, 4, 2, 2);
    ck_assert_uint_eq(memory_in(0xe0000000), 0xa0);
    ck_assert_uint_eq(memory_in(0xe0000fff), 0xa0);
    ck_assert_uint_ne(memory_in(0xe0001000), 0xa0);
    ck_assert_uint_eq(port_in(0xc000, 1), 0xff);
    config_out(SLOT3, 4, 1, 2);
    ck_assert_uint_ne(memory_in(0xe0000000), 0xa0);
    ck_assert_uint_eq(port_in(0xc00f, 1), 0xa1);
    ck_assert_uint_eq(port_in(0xc010, 1), 0xff);

    config_out(SLOT3, 4, 3, 2);
    config_out(SLOT3, 0x10, 0, 4); /* address 0 is nowhere, as on QEMU's PCs */
    ck_assert_uint_ne(memory_in(0xe0000000), 0xa0);
    ck_assert(dev->bars[0].address == PCI_BAR_UNMAPPED);
    config_out(SLOT3, 0x10, 0xe0000000, 4);
    ck_assert_uint_eq(memory_in(0xe0000000), 0xa0);
    config_out(SLOT3, 0x10, 0xd0001000, 4); /* moves */
    ck_assert_uint_ne(memory_in(0xe0000000), 0xa0);
    ck_assert_uint_eq(memory_in(0xd0001000), 0xa0);
    config_out(SLOT3, 0x13, 0xd8, 1); /* one byte of it */
    ck_assert_uint_ne(memory_in(0xd0001000), 0xa0);
    ck_assert_uint_eq(memory_in(0xd8001000), 0xa0);

    config_out(SLOT3, 0x18, 0, 4); /* 64 bits: 0x1_4000_0000 */
    config_out(SLOT3, 0x1c, 1, 4);
    config_out(SLOT3, 0x18, 0x40000000, 4);
    ck_assert_uint_eq(memory_in(0x140000000), 0xa2);
    ck_assert_uint_eq(memory_in(0x1400fffff), 0xa2);

    config_out(SLOT3, 0x30, 0xd9000000, 4); /* the ROM has an enable of its own */
    ck_assert_uint_ne(memory_in(0xd9000000), 0xa6);
    config_out(SLOT3, 0x30, 0xd9000001, 4);
    ck_assert_uint_eq(memory_in(0xd900ffff), 0xa6);

    device_reset(DEVICE(dev));
    ck_assert_uint_ne(memory_in(0xd8001000), 0xa0);
    ck_assert_uint_ne(memory_in(0x140000000), 0xa2);
    ck_assert_uint_eq(port_in(0xc000, 1), 0xff);
    ck_assert_uint_eq(config_in(SLOT3, 0x10, 4), 0);
    ck_assert_uint_eq(config_in(SLOT3, 0x14, 4), 1);
}
END_TEST

START_TEST(unplugging)
{
    PCIDevice *dev;

    board_setup();
    dev = add_probe("3");
    config_out(SLOT3, 0x10, 0xe0000000, 4);
    config_out(SLOT3, 4, 3, 2);
    ck_assert_uint_eq(memory_in(0xe0000000), 0xa0);
    device_unplug(DEVICE(dev));
    ck_assert_uint_ne(memory_in(0xe0000000), 0xa0);
    ck_assert_uint_eq(config_in(SLOT3, 0, 4), 0xffffffff);
    add_probe("3");
    ck_assert_uint_eq(config_in(SLOT3, 0, 4), 0x56781234);
}
END_TEST

START_TEST(bus_master)
{
    PCIDevice *dev;
    uint8_t byte = 0;

    board_setup();
    dev = add_probe("3");
    *ram_at(0x1000) = 0x77;
    ck_assert_uint_ne(pci_dma_read(dev, 0x1000, &byte, 1), MEMTX_OK);
    ck_assert_uint_ne(byte, 0x77);
    config_out(SLOT3, 4, 4, 2);
    ck_assert_uint_eq(pci_dma_read(dev, 0x1000, &byte, 1), MEMTX_OK);
    ck_assert_uint_eq(byte, 0x77);
    byte = 0x78;
    ck_assert_uint_eq(pci_dma_write(dev, 0x1001, &byte, 1), MEMTX_OK);
    ck_assert_uint_eq(*ram_at(0x1001), 0x78);
    config_out(SLOT3, 4, 0, 2);
    byte = 0x79;
    pci_dma_write(dev, 0x1001, &byte, 1);
    ck_assert_uint_eq(*ram_at(0x1001), 0x78);
    ck_assert_str_eq(dev->bus_master_as.name, "probe");
}
END_TEST

static int line_level[4];

static void set_line(void *opaque, int line, int level)
{
    line_level[line] = level;
}

static int map_slot(PCIDevice *dev, int pin)
{
    return (PCI_SLOT(dev->devfn) + pin) & 3;
}

START_TEST(wired_or)
{
    PCIDevice *a, *b;

    board_setup();
    pci_bus_set_irqs(board.bus, map_slot, set_line, NULL);
    a = add_probe("3");
    b = add_probe("7"); /* the same line, 3 */
    pci_set_irq(a, 1);
    ck_assert_int_eq(line_level[3], 1);
    ck_assert_uint_eq(config_in(SLOT3, 6, 2) & 8, 8);
    pci_set_irq(b, 1);
    pci_set_irq(b, 1); /* a level: again is no more */
    pci_set_irq(a, 0);
    ck_assert_int_eq(line_level[3], 1);
    ck_assert_uint_eq(config_in(SLOT3, 6, 2) & 8, 0);
    pci_set_irq(b, 0);
    ck_assert_int_eq(line_level[3], 0);

    pci_set_irq(a, 1); /* COMMAND.10 takes it off the line and puts it back */
    config_out(SLOT3, 4, 0x400, 2);
    ck_assert_int_eq(line_level[3], 0);
    ck_assert_uint_eq(config_in(SLOT3, 6, 2) & 8, 8);
    config_out(SLOT3, 4, 0, 2);
    ck_assert_int_eq(line_level[3], 1);
    device_reset(DEVICE(a));
    ck_assert_int_eq(line_level[3], 0);
    ck_assert(!pci_bus_irq_level(board.bus, 3));
}
END_TEST

static char *realize_error(const char *addr, bool multifunction)
{
    GError *error = NULL;
    Device *dev = device_new(TYPE_PROBE, &error);
    char *text;

    ck_assert(property_set_string(G_OBJECT(dev), "addr", addr, &error));
    PCI_DEVICE(dev)->multifunction = multifunction;
    ck_assert(!device_realize(dev, BUS(board.bus), &error));
    text = g_strdup(error->message);
    g_error_free(error);
    return text;
}

START_TEST(places)
{
    board_setup();
    ck_assert_str_eq(
        realize_error("0", false),
        "PCI: slot 0 function 0 not available for probe, in use by i440FX,id=");
    ck_assert(strstr(realize_error("20", false), "doesn't take value '20'"));
    ck_assert(strstr(realize_error("3.8", false), "doesn't take value '3.8'"));
    ck_assert(strstr(realize_error("-1", false), "doesn't take value '-1'"));
    ck_assert(strstr(realize_error("3.", false), "doesn't take value '3.'"));
    ck_assert_str_eq(add_probe("")->addr, "01.0"); /* the first free slot */
    ck_assert_str_eq(add_probe("1f.7")->addr, "1f.7");
    ck_assert_str_eq(realize_error("1.1", false),
                     "PCI: single function device can't be populated in function 1.1");
    ck_assert_str_eq(
        realize_error("1f.0", false),
        "PCI: 1f.0 indicates single function, but 1f.7 is already populated.");
    for (unsigned slot = 2; slot < 31; slot++) {
        add_probe("");
    }
    ck_assert_str_eq(
        realize_error("", false),
        "PCI: 1f.0 indicates single function, but 1f.7 is already populated.");
    add_probe_of("1f.0", true);
    ck_assert_str_eq(realize_error("", false),
                     "PCI: no slot/function available for probe, all in use or reserved");
}
END_TEST

/* From QEMU 7.2's monitor, for its devices of the same BARs. */
START_TEST(printing)
{
    g_autoptr(GString) out = g_string_new(NULL);

    board_setup();
    add_probe("3")->parent.id = g_strdup("p");
    pci_bus_print(board.bus, out);
    ck_assert_str_eq(out->str,
                     "  Bus  0, device   0, function 0:\n"
                     "    Host bridge: PCI device 8086:1237\n"
                     "      PCI subsystem 1af4:1100\n"
                     "      id \"\"\n"
                     "  Bus  0, device   3, function 0:\n"
                     "    Ethernet controller: PCI device 1234:5678\n"
                     "      PCI subsystem 1af4:1100\n"
                     "      IRQ 0, pin A\n"
                     "      BAR0: 32 bit memory at 0xffffffffffffffff [0x00000ffe].\n"
                     "      BAR1: I/O at 0xffffffffffffffff [0x000e].\n"
                     "      BAR2: 64 bit prefetchable memory at 0xffffffffffffffff "
                     "[0x000ffffe].\n"
                     "      BAR6: 32 bit memory at 0xffffffffffffffff [0x0000fffe].\n"
                     "      id \"p\"\n");
    config_out(SLOT3, 0x14, 0xc000, 4);
    config_out(SLOT3, 0x3c, 9, 1);
    config_out(SLOT3, 4, 1, 2);
    g_string_truncate(out, 0);
    pci_bus_print(board.bus, out);
    ck_assert(strstr(out->str, "      IRQ 9, pin A\n") != NULL);
    ck_assert(strstr(out->str, "      BAR1: I/O at 0xc000 [0xc00f].\n") != NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pci");
    TCase *config = tcase_create("configuration"), *bars = tcase_create("bars");
    TCase *bus = tcase_create("bus");

    tcase_add_test(config, mechanism);
    tcase_add_test(config, read_only_bits);
    tcase_add_test(config, end_of_space);
    tcase_add_test(bars, sizing);
    tcase_add_test(bars, mapping);
    tcase_add_test(bars, unplugging);
    tcase_add_test(bus, bus_master);
    tcase_add_test(bus, wired_or);
    tcase_add_test(bus, places);
    tcase_add_test(bus, printing);
    suite_add_tcase(suite, config);
    suite_add_tcase(suite, bars);
    suite_add_tcase(suite, bus);
    return board_run(suite);
}
