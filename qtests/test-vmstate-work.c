/*
 * Devices that are moved in the middle of their work go on with it: their state is saved,
 * they are reset, and it is loaded again. What must come next is what their data sheets
 * say of a device that nothing has happened to.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "qtests/vmstate-pc.h"

#define MS INT64_C(1000000)

static void pass(int64_t ns)
{
    clock_virtual_set_ns(clock_virtual_ns() + ns);
}

static uint8_t request_register(void) /* of the first 8259A */
{
    outb(0x20, 0x0a);
    return inb(0x20);
}

/* -- Timers ------------------------------------------------------------------------- */

START_TEST(test_pit_latch)
{
    unsigned low, high;

    pc_new();
    outb(0x43, 0x34); /* counter 0, mode 2, both bytes */
    outb(0x40, 0x00);
    outb(0x40, 0x80);
    pass(MS);                           /* 1193 clocks */
    outb(0x43, 0xc2);                   /* read back count and status */
    ck_assert_uint_eq(inb(0x40), 0xb4); /* OUT, both bytes, mode 2 */
    low = inb(0x40);
    pass(MS);
    move_machine();
    pass(MS);
    high = inb(0x40);
    ck_assert_uint_eq(high << 8 | low, 0x8000 - 1193);
    low = inb(0x40); /* not latched any more: three milliseconds have gone */
    high = inb(0x40);
    ck_assert_uint_le(high << 8 | low, 0x8000 - 3579);
    ck_assert_uint_ge(high << 8 | low, 0x8000 - 3581);
}
END_TEST

START_TEST(test_pit_half_loaded)
{
    pc_new();
    outb(0x43, 0xb4); /* counter 2 */
    outb(0x42, 0x34);
    move_machine();
    outb(0x42, 0x12);
    outb(0x61, 0x01); /* its gate: the count is taken over at once */
    outb(0x43, 0x80);
    ck_assert_uint_eq(inb(0x42), 0x34);
    ck_assert_uint_eq(inb(0x42), 0x12);
}
END_TEST

START_TEST(test_pit_interrupt)
{
    pc_new();
    outb(0x43, 0x34);
    outb(0x40, 0x00);
    outb(0x40, 0x80); /* 27.4 ms */
    pass(20 * MS);
    outb(0x21, 0xff);
    outb(0x20, 0x11); /* ICW1 forgets the edges so far */
    outb(0x21, 0x08);
    outb(0x21, 0x04);
    outb(0x21, 0x01);
    move_machine();
    pass(7 * MS);
    ck_assert_uint_eq(request_register() & 1, 0);
    pass(MS);
    ck_assert_uint_eq(request_register() & 1, 1);
}
END_TEST

/* The speaker's bits: the gate of counter 2 comes with the timer. */
START_TEST(test_speaker)
{
    pc_new();
    outb(0x61, 0x03);
    move_machine();
    ck_assert_uint_eq(inb(0x61) & 0x03, 0x03);
}
END_TEST

static uint64_t hpet_read(unsigned reg)
{
    return address_space_ldq_le(&pc->memory, 0xfed00000 + reg, MEMTXATTRS_UNSPECIFIED,
                                NULL);
}

static void hpet_write(unsigned reg, uint64_t value)
{
    address_space_stq_le(&pc->memory, 0xfed00000 + reg, value, MEMTXATTRS_UNSPECIFIED,
                         NULL);
}

START_TEST(test_hpet)
{
    pc_new();
    hpet_write(0x108, 500000);          /* comparator 0: 5 ms at 100 MHz */
    hpet_write(0x100, 1 << 1 | 1 << 2); /* level, enabled */
    hpet_write(0x010, 1);
    pass(2 * MS);
    move_machine();
    ck_assert_uint_eq(hpet_read(0x0f0), 200000);
    pass(2 * MS);
    ck_assert_uint_eq(hpet_read(0x020), 0);
    ck_assert_uint_eq(hpet_read(0x0f0), 400000);
    pass(MS);
    ck_assert_uint_eq(hpet_read(0x020), 1);
    move_machine(); /* with the level asserted */
    ck_assert_uint_eq(hpet_read(0x020), 1);
    hpet_write(0x020, 1);
    ck_assert_uint_eq(hpet_read(0x020), 0);
}
END_TEST

START_TEST(test_rtc)
{
    pc_new();
    outb(0x70, 0x0b);
    outb(0x71, 0x82); /* SET stops the calendar */
    outb(0x70, 0x00);
    outb(0x71, 0x59);
    outb(0x70, 0x5f);
    outb(0x71, 0xa5);
    outb(0x70, 0x00);
    move_machine();
    ck_assert_uint_eq(inb(0x71), 0x59); /* the index is kept */
    outb(0x70, 0x0b);
    ck_assert_uint_eq(inb(0x71), 0x82);
    outb(0x70, 0x5f);
    ck_assert_uint_eq(inb(0x71), 0xa5);
}
END_TEST

/* -- Interrupt controllers ---------------------------------------------------------- */

START_TEST(test_pic_initialization)
{
    pc_new();
    outb(0x20, 0x11);
    outb(0x21, 0x40); /* ICW2; ICW3 and ICW4 follow */
    move_machine();
    outb(0x21, 0x04);
    outb(0x21, 0x01);
    ck_assert_uint_eq(inb(0x21),
                      0); /* were one not taken as such, it would be the mask */
    outb(0x21, 0xa5);
    ck_assert_uint_eq(inb(0x21), 0xa5);
}
END_TEST

/* A line that is high stays high: the next edge is one only after a fall. */
START_TEST(test_pic_edges)
{
    IRQ *line;

    pc_new();
    line = isa_device_irq(ISA_DEVICE(section("serial", 0)->owner), 5);
    outb(0x20, 0x11);
    outb(0x21, 0x08);
    outb(0x21, 0x04);
    outb(0x21, 0x01);
    irq_set(line, 1);
    ck_assert_uint_eq(request_register() & 0x20, 0x20);
    outb(0x20, 0x0c); /* poll: take it */
    inb(0x20);
    outb(0x20, 0x20);
    move_machine();
    irq_set(line, 1);
    ck_assert_uint_eq(request_register() & 0x20, 0);
    irq_set(line, 0);
    irq_set(line, 1);
    ck_assert_uint_eq(request_register() & 0x20, 0x20);
}
END_TEST

/* -- Keyboard and mouse ------------------------------------------------------------- */

START_TEST(test_i8042_command)
{
    pc_new();
    outb(0x64, 0x60); /* the command byte comes next */
    move_machine();
    outb(0x60, 0x47);
    outb(0x64, 0x20);
    ck_assert_uint_eq(inb(0x60), 0x47);
}
END_TEST

START_TEST(test_i8042_full)
{
    pc_new();
    outb(0x64, 0xd3); /* as if from the mouse */
    outb(0x60, 0x5a);
    move_machine();
    ck_assert_uint_eq(inb(0x64) & 0x21, 0x21);
    ck_assert_uint_eq(inb(0x60), 0x5a);
    ck_assert_uint_eq(inb(0x64) & 0x21, 0);
}
END_TEST

/* Bytes that the keyboard has queued, one of which the controller holds; with translation
 * and without. */
START_TEST(test_keyboard_reply)
{
    pc_new();
    outb(0x64, 0x60);
    outb(0x60, _i ? 0x41 : 0x01);
    outb(0x60, 0xf2); /* identify */
    ck_assert_uint_eq(inb(0x60), 0xfa);
    ck_assert_uint_eq(inb(0x64) & 0x21, 1);
    move_machine();
    ck_assert_uint_eq(inb(0x64) & 0x21, 1);
    ck_assert_uint_eq(inb(0x60), 0xab);
    ck_assert_uint_eq(inb(0x64) & 0x21, 1);
    ck_assert_uint_eq(inb(0x60), _i ? 0x41 : 0x83);
    ck_assert_uint_eq(inb(0x64) & 0x21, 0);
}
END_TEST

/* The mouse's byte is in the buffer; the keyboard, which goes first, has some as well. */
START_TEST(test_mouse_before_keyboard)
{
    pc_new();
    outb(0x64, 0xd4);
    outb(0x60, 0xf4);
    outb(0x60, 0xee); /* echo */
    move_machine();
    ck_assert_uint_eq(inb(0x64) & 0x21, 0x21);
    ck_assert_uint_eq(inb(0x60), 0xfa);
    ck_assert_uint_eq(inb(0x64) & 0x21, 0x01);
    ck_assert_uint_eq(inb(0x60), 0xee);
}
END_TEST

START_TEST(test_keyboard_argument)
{
    pc_new();
    outb(0x60, 0xf0); /* which scan code set? */
    inb(0x60);
    outb(0x60, 0x01);
    inb(0x60);
    outb(0x60, 0xf0);
    inb(0x60);
    move_machine();
    outb(0x60, 0x00); /* the argument: tell me */
    ck_assert_uint_eq(inb(0x60), 0xfa);
    ck_assert_uint_eq(inb(0x60), 0x01);
}
END_TEST

/* Moved between each two rates of the series that makes it an IntelliMouse. */
START_TEST(test_mouse_unlock)
{
    static const uint8_t rates[] = {200, 100, 80};

    pc_new();
    for (size_t i = 0; i < G_N_ELEMENTS(rates); i++) {
        outb(0x64, 0xd4);
        outb(0x60, 0xf3);
        ck_assert_uint_eq(inb(0x60), 0xfa);
        move_machine();
        outb(0x64, 0xd4);
        outb(0x60, rates[i]);
        ck_assert_uint_eq(inb(0x60), 0xfa);
        move_machine();
    }
    outb(0x64, 0xd4);
    outb(0x60, 0xf2);
    ck_assert_uint_eq(inb(0x60), 0xfa);
    ck_assert_uint_eq(inb(0x60), 3);
}
END_TEST

/* -- Character devices --------------------------------------------------------------- */

START_TEST(test_serial_fifo)
{
    pc_new();
    outb(0x3fa, 0x81); /* FIFOs, trigger level 8 */
    outb(0x3f9, 0x01);
    outb(0x3fc, 0x10); /* loopback */
    outb(0x3f8, 'a');
    outb(0x3f8, 'b');
    outb(0x3f8, 'c');
    ck_assert_uint_eq(inb(0x3f8), 'a');
    ck_assert_uint_eq(inb(0x3fa), 0xc1);
    move_machine();
    ck_assert_uint_eq(inb(0x3fa), 0xc1);
    pass(10 * MS); /* four characters' time at 9600 baud are 4 ms */
    ck_assert_uint_eq(inb(0x3fa), 0xcc);
    move_machine(); /* with the timeout pending */
    ck_assert_uint_eq(inb(0x3fa), 0xcc);
    ck_assert_uint_eq(inb(0x3fd) & 0x01, 1);
    ck_assert_uint_eq(inb(0x3f8), 'b');
    ck_assert_uint_eq(inb(0x3f8), 'c');
    ck_assert_uint_eq(inb(0x3fd) & 0x01, 0);
}
END_TEST

START_TEST(test_serial_without_fifo)
{
    pc_new();
    outb(0x3f9, 0x03);
    outb(0x3fc, 0x10);
    outb(0x3f8, 'x');
    move_machine();
    ck_assert_uint_eq(inb(0x3fa), 0x04); /* received data goes first ... */
    ck_assert_uint_eq(inb(0x3f8), 'x');
    ck_assert_uint_eq(inb(0x3fa), 0x02); /* ... then the empty transmitter */
    ck_assert_uint_eq(inb(0x3fa), 0x01);
}
END_TEST

START_TEST(test_parallel)
{
    pc_new();
    outb(0x378, 0x42);
    outb(0x37a, 0x0d); /* strobe */
    outb(0x37a, 0x0c);
    move_machine();
    ck_assert_uint_eq(inb(0x378), 0x42);
    ck_assert_uint_eq(inb(0x379) & 0x40, 0); /* the acknowledgement, once */
    ck_assert_uint_eq(inb(0x379) & 0x40, 0x40);
}
END_TEST

/* -- The chipset -------------------------------------------------------------------- */

static void config_write(unsigned devfn, unsigned reg, uint32_t value, unsigned size)
{
    pci_bus_config_write(pc->pci, devfn << 8 | reg, value, size);
}

static void forget_mappings(void)
{
    config_write(0, 0x59, 0, 1); /* which a reset leaves alone */
    config_write(2 << 3, 0x10, 0xe0000000, 4);
}

/* What memory shows follows from the registers: PAM and a BAR. */
START_TEST(test_chipset_mappings)
{
    const uint8_t byte = 0x5a;
    uint8_t got;

    pc_new();
    out(0xcf8, 0x80000040, 4);
    config_write(0, 0x59, 0x30, 1); /* 0xf0000: RAM */
    address_space_write(&pc->memory, 0xf1234, MEMTXATTRS_UNSPECIFIED, &byte, 1);
    config_write(0, 0x59, 0x10, 1);            /* to be read only */
    config_write(2 << 3, 0x10, 0xfd000000, 4); /* the VGA's memory */
    config_write(2 << 3, 0x04, 0x0002, 2);
    address_space_write(&pc->memory, 0xfd000007, MEMTXATTRS_UNSPECIFIED, &byte, 1);
    move_machine_after(forget_mappings);
    ck_assert_uint_eq(in(0xcf8, 4), 0x80000040);
    address_space_read(&pc->memory, 0xf1234, MEMTXATTRS_UNSPECIFIED, &got, 1);
    ck_assert_uint_eq(got, byte);
    got = 0;
    address_space_write(&pc->memory, 0xf1234, MEMTXATTRS_UNSPECIFIED, &got, 1);
    address_space_read(&pc->memory, 0xf1234, MEMTXATTRS_UNSPECIFIED, &got, 1);
    ck_assert_uint_eq(got, byte);
    address_space_read(&pc->memory, 0xfd000007, MEMTXATTRS_UNSPECIFIED, &got, 1);
    ck_assert_uint_eq(got, byte);
}
END_TEST

START_TEST(test_power_management)
{
    pc_new();
    config_write(11, 0x40, 0x601, 4);
    config_write(11, 0x80, 1, 1);
    out(0x600, 1, 2);     /* clear TMR_STS ... */
    out(0x602, 0x101, 2); /* ... and let it and the power button interrupt */
    outb(0xb3, 0x77);
    outb(0xafe2, 0x06); /* GPE enables */
    move_machine();
    ck_assert_uint_eq(in(0x602, 2), 0x101);
    ck_assert_uint_eq(inb(0xb3), 0x77);
    ck_assert_uint_eq(inb(0xafe2), 0x06);
    ck_assert_uint_eq(in(0x600, 2) & 1, 0);
    pass(2500 * MS); /* bit 23 of 3.58 MHz changes each 2.34 s */
    ck_assert_uint_eq(in(0x600, 2) & 1, 1);
    outb(0x4d1, 0x02); /* IRQ 9 by level */
    outb(0xa0, 0x0a);
    move_machine();
    ck_assert_uint_eq(inb(0xa0) & 0x02, 0x02);
}
END_TEST

/* A transaction that was started waits for the first look at the status. */
START_TEST(test_smbus)
{
    pc_new();
    outb(0xb103, 0x10); /* command: byte 0x10 of the EEPROM at 0x50 */
    outb(0xb104, 0xa0);
    outb(0xb105, 0x99);
    outb(0xb102, 0x48); /* write byte data, start */
    move_machine();
    ck_assert_uint_eq(inb(0xb100), 0x01);
    ck_assert_uint_eq(inb(0xb100), 0x02);
    outb(0xb100, 0x1e);
    outb(0xb104, 0xa1);
    outb(0xb105, 0);
    outb(0xb102, 0x48);
    inb(0xb100);
    move_machine(); /* with the EEPROM's contents */
    ck_assert_uint_eq(inb(0xb105), 0x99);
}
END_TEST

START_TEST(test_cpu_hotplug_registers)
{
    pc_new();
    ck_assert_uint_eq(inb(0xaf00), 1); /* the bitmap */
    outb(0xaf00, 0);
    ck_assert_uint_eq(inb(0xaf04), 1); /* modern: CPU 0 is enabled */
    move_machine();
    ck_assert_uint_eq(inb(0xaf04), 1);
}
END_TEST

START_TEST(test_reset_control)
{
    pc_new();
    outb(0xcf9, 0x02);
    outb(0x92, 0x02);
    move_machine();
    ck_assert_uint_eq(inb(0xcf9), 0x02);
    ck_assert_uint_eq(inb(0x92), 0x02);
}
END_TEST

START_TEST(test_fw_cfg)
{
    pc_new();
    out(0x510, 0x0000, 2); /* the signature */
    ck_assert_uint_eq(inb(0x511), 'Q');
    ck_assert_uint_eq(inb(0x511), 'E');
    move_machine();
    ck_assert_uint_eq(inb(0x511), 'M');
    ck_assert_uint_eq(inb(0x511), 'U');
}
END_TEST

/* -- The VGA ------------------------------------------------------------------------ */

START_TEST(test_vga)
{
    pc_new();
    outb(0x3c2, 0x01);
    outb(0x3c8, 7); /* the third component of a colour is still to come */
    outb(0x3c9, 11);
    outb(0x3c9, 22);
    inb(0x3da);
    outb(0x3c0, 0x03); /* the index of an attribute; its value comes next */
    outb(0x3d4, 0x0e);
    outb(0x3d5, 0x12);
    move_machine();
    outb(0x3c9, 33);
    outb(0x3c0, 0x2a);
    outb(0x3c7, 7);
    ck_assert_uint_eq(inb(0x3c9), 11);
    ck_assert_uint_eq(inb(0x3c9), 22);
    ck_assert_uint_eq(inb(0x3c9), 33);
    inb(0x3da);
    outb(0x3c0, 0x03);
    ck_assert_uint_eq(inb(0x3c1), 0x2a);
    ck_assert_uint_eq(inb(0x3d5), 0x12);
}
END_TEST

static void vbe_write(uint16_t index, uint16_t value)
{
    out(0x1ce, index, 2);
    out(0x1d0, value, 2);
}

START_TEST(test_vbe)
{
    const uint8_t byte = 0x77;
    uint8_t got;

    pc_new();
    vbe_write(1, 640);
    vbe_write(2, 480);
    vbe_write(3, 32);
    vbe_write(4, 0x41);
    vbe_write(9, 100); /* the picture begins 100 lines down */
    vbe_write(5, 3);   /* the window shows the fourth 64 KiB */
    outb(0x3c2, 0x01);
    address_space_write(&pc->memory, 0xa0010, MEMTXATTRS_UNSPECIFIED, &byte, 1);
    move_machine();
    address_space_read(&pc->memory, 0xa0010, MEMTXATTRS_UNSPECIFIED, &got, 1);
    ck_assert_uint_eq(got, byte);
    out(0x1ce, 6, 2);
    ck_assert_uint_eq(in(0x1d0, 2), 640);
    out(0x1ce, 9, 2);
    ck_assert_uint_eq(in(0x1d0, 2), 100);
}
END_TEST

/* -- Streams that do not fit --------------------------------------------------------- */

static char *section_with(const char *id, size_t at, const char *hex)
{
    char *text = save_section(section(id, 0));

    ck_assert_uint_le(2 * at + strlen(hex), strlen(text));
    memcpy(text + 2 * at, hex, strlen(hex));
    return text;
}

/* A number that would be an index or a size, by its place in the section. */
static const struct {
    const char *id;
    size_t at;
    const char *hex, *message;
} out_of_range[] = {
    {"PCIBUS", 4, "ffffffff", "interrupt line"},
    {"PCIBUS", 0, "00000005", "nirq"},
    {"0000:00:00.0/I440FX", 4, "ffff", "configuration byte 0x00"},
    {"0000:00:00.0/I440FX", 260, "00000002", "0 or 1"},
    {"i8259", 4, "08", "no line 8"},
    {"i8259", 9, "04", "initialization state"},
    {"hpet", 24, "21", "room for 32"},
    {"i8254", 4, "00010001", "counter 0"},
    {"mc146818rtc", 205, "7fffffffffffffff", "centuries"},
    {"fdc", 521, "00000011", "so far in a command"},
    {"fdc", 538, "03", "num_floppies"},
    {"ps2kbd", 12, "00000101", "bytes"},
    {"ps2mouse", 277, "04", "unlocked"},
    {"vmmouse", 4100, "0401", "vmmouse"},
    {"0000:00:01.1/ide", 315, "02", "channel"},
    {"0000:00:01.3/piix4_pm", 290, "00000020", "no byte 32"},
    {"0000:00:02.0/vga", 280, "08", "VGA"},
    {"serial", 0, NULL, NULL}, /* has none but in its FIFOs */
};

START_TEST(test_out_of_range)
{
    VMStateEntry *entry;
    g_autofree char *hex = NULL;

    if (!out_of_range[_i].hex) {
        return;
    }
    pc_new();
    entry = section(out_of_range[_i].id, 0);
    hex = section_with(entry->id, out_of_range[_i].at, out_of_range[_i].hex);
    assert_refuses(entry->vmsd, entry->opaque, entry->vmsd->version_id, hex,
                   out_of_range[_i].message);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("vmstate-work");
    TCase *tc = tcase_create("devices");
    SRunner *sr = srunner_create(suite);
    int failed;

    tcase_add_test(tc, test_pit_latch);
    tcase_add_test(tc, test_pit_half_loaded);
    tcase_add_test(tc, test_pit_interrupt);
    tcase_add_test(tc, test_speaker);
    tcase_add_test(tc, test_hpet);
    tcase_add_test(tc, test_rtc);
    tcase_add_test(tc, test_pic_initialization);
    tcase_add_test(tc, test_pic_edges);
    tcase_add_test(tc, test_i8042_command);
    tcase_add_test(tc, test_i8042_full);
    tcase_add_loop_test(tc, test_keyboard_reply, 0, 2);
    tcase_add_test(tc, test_mouse_before_keyboard);
    tcase_add_test(tc, test_keyboard_argument);
    tcase_add_test(tc, test_mouse_unlock);
    tcase_add_test(tc, test_serial_fifo);
    tcase_add_test(tc, test_serial_without_fifo);
    tcase_add_test(tc, test_parallel);
    tcase_add_test(tc, test_chipset_mappings);
    tcase_add_test(tc, test_power_management);
    tcase_add_test(tc, test_smbus);
    tcase_add_test(tc, test_cpu_hotplug_registers);
    tcase_add_test(tc, test_reset_control);
    tcase_add_test(tc, test_fw_cfg);
    tcase_add_test(tc, test_vga);
    tcase_add_test(tc, test_vbe);
    tcase_add_loop_test(tc, test_out_of_range, 0, G_N_ELEMENTS(out_of_range));
    suite_add_tcase(suite, tc);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
