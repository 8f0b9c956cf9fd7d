/*
 * Sections that QEMU wrote: they load, show in registers, and are written again as they
 * were; cut or broken ones are refused.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "qtests/qemu-sections.h"
#include "qtests/vmstate-pc.h"

/* What is written otherwise, and why. */
static const struct {
    const char *id, *reason;
} differences[] = {
    {"dma", "bits of the mask that no channel has"},
    {"i8259", "the timer's line, for KVM's sake"},
    {"i8254", "count_load_time is a whole number of clocks"},
    {"mc146818rtc", "the calendar goes on"},
    {"fdc", "where a drive's head was in a transfer that is over"},
    {"ps2kbd", "bytes that have been read stay in QEMU's queue"},
    {"ps2mouse", "the same"},
    {"0000:00:01.1/ide", "registers of a place without a drive"},
    {"0000:00:02.0/vga", "st01 counts reads"},
};

static bool may_differ(const char *id)
{
    for (size_t i = 0; i < G_N_ELEMENTS(differences); i++) {
        if (strcmp(differences[i].id, id) == 0) {
            return true;
        }
    }
    return false;
}

static void load_all(void)
{
    clock_virtual_set_ns(QEMU_SECTIONS_CLOCK);
    for (size_t i = 0; i < G_N_ELEMENTS(qemu_sections); i++) {
        const QEMUSection *from = &qemu_sections[i];
        VMStateEntry *entry = section(from->id, from->instance_id);
        g_autofree char *hex = expand_hex(from->hex);

        assert_loads(entry->vmsd, entry->opaque, from->version_id, hex);
    }
}

START_TEST(test_back)
{
    pc_new();
    load_all();
    for (size_t i = 0; i < G_N_ELEMENTS(qemu_sections); i++) {
        const QEMUSection *from = &qemu_sections[i];
        VMStateEntry *entry = section(from->id, from->instance_id);
        g_autofree char *wanted = expand_hex(from->hex), *got = save_section(entry);

        ck_assert_int_eq(entry->vmsd->version_id, from->version_id);
        if (may_differ(from->id)) {
            ck_assert_msg(strlen(got) == strlen(wanted), "%s", from->id);
        } else {
            ck_assert_msg(strcmp(got, wanted) == 0, "%s %u: %s, not %s", from->id,
                          from->instance_id, got, wanted);
        }
    }
}
END_TEST

/* What SeaBIOS 1.16.2 leaves behind, as QEMU's monitor shows it ("info pic", "info pci",
 * "x/xb" and "i/1b" commands). */
START_TEST(test_registers)
{
    pc_new();
    load_all();
    /* 8259As: IRQ 0, 1, 2 and 6; 8, 12 and 13; vectors 0x08 and 0x70. */
    ck_assert_uint_eq(inb(0x21), 0xb8);
    ck_assert_uint_eq(inb(0xa1), 0x8e);
    ck_assert_uint_eq(inb(0x4d1), 0x0c);
    /* PAM: everything but 0xc8000-0xeffff's upper parts is read from RAM. */
    ck_assert_uint_eq(config(0, 0x59, 1), 0x10);
    ck_assert_uint_eq(config(0, 0x5f, 1), 0x33);
    /* PIIX3's routing, PIIX4's ports; the block at PMBASE answers. */
    ck_assert_uint_eq(config(8, 0x60, 4), 0x0b0b0a0a);
    ck_assert_uint_eq(config(11, 0x40, 2), 0x601);
    ck_assert_uint_eq(in(0x600, 2) & 1, 1); /* TMR_STS: the timer has overflown */
    ck_assert_uint_eq(inb(0xb2), 0xb5);
    /* CMOS: 0x0f is the selected byte; 4 MiB are 3 MiB above the first. */
    outb(0x70, 0x18);
    ck_assert_uint_eq(inb(0x71), 0x0c);
    /* The keyboard controller is idle, with translation and both interrupts on. */
    ck_assert_uint_eq(inb(0x64), 0x1c);
    outb(0x64, 0x20);
    ck_assert_uint_eq(inb(0x60), 0x61);
    /* 8254: counter 0 in mode 2, low byte then high byte, gate high, loaded. */
    outb(0x43, 0xe2);
    ck_assert_uint_eq(inb(0x40) & 0x7f, 0x34);
    /* The VGA is in text mode 3; VBE says what it is. */
    ck_assert_uint_eq(inb(0x3cc), 0x67);
    out(0x1ce, 0, 2);
    ck_assert_uint_eq(in(0x1d0, 2), 0xb0c5);
    /* The UART's divisor, the printer's control register. */
    outb(0x3fb, 0x80);
    ck_assert_uint_eq(in(0x3f8, 1), 0x0c);
    ck_assert_uint_eq(inb(0x37a), 0xcc);
    /* The CD-ROM has told SeaBIOS that there is no disk in it. */
    ck_assert_uint_eq(inb(0x177), 0x41);
    ck_assert_uint_eq(inb(0x171), 0x20);
    ck_assert_uint_eq(inb(0x92), 0x02);
}
END_TEST

START_TEST(test_cut)
{
    const QEMUSection *from = &qemu_sections[_i];
    g_autofree char *hex = expand_hex(from->hex);
    size_t length = strlen(hex);
    size_t step = MAX(length / 2 / 200, 1) * 2; /* long ones not at each byte */
    VMStateEntry *entry;

    pc_new();
    entry = section(from->id, from->instance_id);
    for (size_t keep = 0; keep < length; keep += step) {
        g_autofree char *part = g_strndup(hex, keep);
        g_autoptr(GByteArray) bytes = bytes_of_hex(part);
        g_autoptr(Wire) wire = wire_new_bytes(bytes->data, bytes->len);

        /* A subsection may be missing, or its header be cut: that is for the next
         * section's header to notice. */
        if (vmstate_load(wire, entry->vmsd, entry->opaque, from->version_id)) {
            ck_assert_msg(wire_offset(wire) < keep / 2 ||
                              g_str_has_prefix(hex + keep, "05"),
                          "%s: %zu bytes", from->id, keep / 2);
        }
    }
}
END_TEST

/* Random bytes in the place of some: the section is refused or loaded, and in both cases
 * the devices go on. Sanitizers tell what else goes wrong. */
START_TEST(test_broken)
{
    const QEMUSection *from = &qemu_sections[_i];
    g_autofree char *hex = expand_hex(from->hex);
    size_t bytes = strlen(hex) / 2;
    GRand *random = g_rand_new_with_seed((guint32)_i);
    VMStateEntry *entry;

    pc_new();
    clock_virtual_set_ns(QEMU_SECTIONS_CLOCK);
    entry = section(from->id, from->instance_id);
    for (unsigned round = 0; round < 300; round++) {
        g_autofree char *broken = g_strdup(hex), *message = NULL;

        for (int n = g_rand_int_range(random, 1, 4); n > 0; n--) {
            size_t at = 2 * (size_t)g_rand_int_range(random, 0, (gint32)bytes);

            broken[at] = "0123456789abcdef"[g_rand_int_range(random, 0, 16)];
            broken[at + 1] = "0123456789abcdef"[g_rand_int_range(random, 0, 16)];
        }
        {
            g_autoptr(GByteArray) data = bytes_of_hex(broken);
            g_autoptr(Wire) wire = wire_new_bytes(data->data, data->len);

            vmstate_load(wire, entry->vmsd, entry->opaque, from->version_id);
        }
        clock_virtual_set_ns(clock_virtual_ns() + 1000 * 1000);
        for (unsigned port = 0; port < 0x400; port += 1 + round % 3) {
            inb((uint16_t)port);
        }
        g_free(save_section(entry));
    }
    g_rand_free(random);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("vmstate-qemu");
    TCase *tc = tcase_create("sections");
    SRunner *sr = srunner_create(suite);
    int failed;

    tcase_add_test(tc, test_back);
    tcase_add_test(tc, test_registers);
    tcase_add_loop_test(tc, test_cut, 0, G_N_ELEMENTS(qemu_sections));
    tcase_add_loop_test(tc, test_broken, 0, G_N_ELEMENTS(qemu_sections));
    suite_add_tcase(suite, tc);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
