/*
 * 16550A UART, by the data sheet (PC16550D); debug console and exit port.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "qtests/isa-board.h"

#include <string.h>
#include <unistd.h>

#include "hw/char/debugcon.h"
#include "hw/char/parallel.h"
#include "hw/char/serial.h"
#include "hw/misc/debugexit.h"

#define COM1 0x3f8

static char *path;
static Chardev *chardev;
static Serial *serial; /* the frontend's owner: input is fed through it */

static void setup(void)
{
    GError *error = NULL;
    g_autofree char *text = NULL;
    FlatRange range;

    board_init();
    path = g_strdup_printf("%s/umbra-serial-%d", g_get_tmp_dir(), (int)getpid());
    text = g_strdup_printf("file:%s", path);
    chardev = chardev_new_from_text("serial0", text, &error);
    ck_assert_ptr_nonnull(chardev);
    ck_assert_ptr_nonnull(isa_serial_new(board.isa, 0, chardev, &error));
    ck_assert(address_space_lookup(&board.io_space, COM1, &range));
    serial = range.mr->opaque;
    device_reset_all();
}

static char *written(void)
{
    char *text = NULL;

    chardev_cleanup();
    ck_assert(g_file_get_contents(path, &text, NULL, NULL));
    unlink(path);
    return text;
}

static uint8_t rd(unsigned reg)
{
    return inb(COM1 + reg);
}

static void wr(unsigned reg, uint8_t value)
{
    outb(COM1 + reg, value);
}

static int room(void)
{
    return serial->chardev.can_receive(serial->chardev.opaque);
}

static void feed(const char *text)
{
    serial->chardev.receive(serial->chardev.opaque, (const uint8_t *)text, strlen(text));
}

START_TEST(registers_after_reset)
{
    setup();
    ck_assert_int_eq(rd(1), 0x00);
    ck_assert_int_eq(rd(2), 0x01);
    ck_assert_int_eq(rd(3), 0x00);
    ck_assert_int_eq(rd(5), 0x60);
    ck_assert_int_eq(rd(6), 0xb0);
    wr(7, 0x5a);
    ck_assert_int_eq(rd(7), 0x5a);
    wr(3, 0x83);
    ck_assert_int_eq(rd(0), 12);
    wr(0, 0x34);
    wr(1, 0x12);
    ck_assert_int_eq(rd(0), 0x34);
    ck_assert_int_eq(rd(1), 0x12);
    wr(3, 0x03);
    ck_assert_int_eq(rd(1), 0x00);
    unlink(path);
}
END_TEST

START_TEST(transmit)
{
    g_autofree char *text = NULL;

    setup();
    for (const char *c = "Hello"; *c; c++) {
        ck_assert_int_eq(rd(5) & 0x20, 0x20);
        wr(0, *c);
    }
    text = written();
    ck_assert_str_eq(text, "Hello");
}
END_TEST

START_TEST(transmit_interrupt)
{
    setup();
    wr(1, 0x02);
    ck_assert_int_eq(board.level[4], 1); /* the holding register is empty */
    ck_assert_int_eq(rd(2), 0x02);       /* reading IIR ends it */
    ck_assert_int_eq(board.level[4], 0);
    ck_assert_int_eq(rd(2), 0x01);
    wr(0, 'x');
    ck_assert_int_eq(board.level[4], 1);
    wr(1, 0x00);
    ck_assert_int_eq(board.level[4], 0);
    unlink(path);
}
END_TEST

START_TEST(receive_without_fifo)
{
    setup();
    wr(1, 0x05);
    ck_assert_int_eq(room(), 1);
    feed("a");
    ck_assert_int_eq(room(), 0);
    ck_assert_int_eq(board.level[4], 1);
    ck_assert_int_eq(rd(2), 0x04);
    ck_assert_int_eq(rd(5), 0x61);
    ck_assert_int_eq(rd(0), 'a');
    ck_assert_int_eq(board.level[4], 0);
    feed("bc"); /* more than there is room for: the new one overruns the old */
    ck_assert_int_eq(rd(2), 0x06);
    ck_assert_int_eq(rd(5), 0x63);
    ck_assert_int_eq(rd(5), 0x61); /* reading clears it */
    ck_assert_int_eq(rd(2), 0x04);
    ck_assert_int_eq(rd(0), 'c');
    unlink(path);
}
END_TEST

START_TEST(receive_with_fifo)
{
    setup();
    wr(2, 0x81); /* FIFOs on, trigger at 8 */
    wr(1, 0x01);
    ck_assert_int_eq(rd(2), 0xc1);
    ck_assert_int_eq(room(), 16);
    feed("1234567");
    ck_assert_int_eq(board.level[4], 0);
    feed("8");
    ck_assert_int_eq(rd(2), 0xc4);
    ck_assert_int_eq(rd(0), '1');
    ck_assert_int_eq(board.level[4], 0);
    feed("90abcdefg");
    ck_assert_int_eq(room(), 0);
    feed("h"); /* the FIFO keeps what it has */
    ck_assert_int_eq(rd(5), 0x63);
    for (const char *c = "234567890abcdefg"; *c; c++) {
        ck_assert_int_eq(rd(0), *c);
    }
    ck_assert_int_eq(rd(5), 0x60);
    unlink(path);
}
END_TEST

START_TEST(character_timeout)
{
    setup();
    wr(3, 0x03); /* 8N1 at 9600: ten bits a character, four of them are 4.17 ms */
    wr(2, 0xc1);
    wr(1, 0x01);
    feed("ab");
    clock_virtual_set_ns(4100000);
    ck_assert_int_eq(board.level[4], 0);
    clock_virtual_set_ns(4200000);
    ck_assert_int_eq(board.level[4], 1);
    ck_assert_int_eq(rd(2), 0xcc);
    ck_assert_int_eq(rd(0), 'a');
    ck_assert_int_eq(board.level[4], 0);
    clock_virtual_set_ns(8400000);
    ck_assert_int_eq(rd(2), 0xcc);
    ck_assert_int_eq(rd(0), 'b');
    clock_virtual_set_ns(20000000);
    ck_assert_int_eq(rd(2), 0xc1);
    unlink(path);
}
END_TEST

START_TEST(fifo_clear)
{
    setup();
    wr(2, 0x01);
    feed("abc");
    wr(2, 0x03);
    ck_assert_int_eq(rd(5), 0x60);
    feed("abc");
    wr(2, 0x00); /* turning them off clears them too */
    ck_assert_int_eq(rd(5), 0x60);
    ck_assert_int_eq(rd(2), 0x01);
    unlink(path);
}
END_TEST

START_TEST(breaks)
{
    setup();
    wr(2, 0x01);
    wr(1, 0x04);
    feed("a");
    serial->chardev.event(serial->chardev.opaque, CHAR_EVENT_BREAK);
    ck_assert_int_eq(rd(5), 0xe1); /* an error in the FIFO, not yet at its top */
    ck_assert_int_eq(rd(0), 'a');
    ck_assert_int_eq(rd(2), 0xc6);
    ck_assert_int_eq(rd(5), 0xf1);
    ck_assert_int_eq(rd(0), 0);
    ck_assert_int_eq(rd(5), 0x60);
    unlink(path);
}
END_TEST

START_TEST(loopback)
{
    g_autofree char *text = NULL;

    setup();
    wr(1, 0x08);
    wr(4, 0x10);
    ck_assert_int_eq(rd(2), 0x00); /* modem status: DCD, DSR and CTS fell */
    ck_assert_int_eq(rd(6), 0x0b);
    ck_assert_int_eq(rd(6), 0x00);
    wr(4, 0x11); /* DTR is DSR */
    ck_assert_int_eq(rd(6), 0x22);
    wr(4, 0x12); /* RTS is CTS */
    ck_assert_int_eq(rd(6), 0x13);
    wr(4, 0x14); /* OUT1 is RI, whose rise does not count */
    ck_assert_int_eq(rd(6), 0x41);
    wr(4, 0x18); /* OUT2 is DCD; RI's fall counts */
    ck_assert_int_eq(rd(6), 0x8c);
    wr(0, 'q');
    ck_assert_int_eq(rd(5), 0x61);
    ck_assert_int_eq(rd(0), 'q');
    feed("x"); /* the outside is cut off */
    ck_assert_int_eq(rd(5), 0x60);
    text = written();
    ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(ports_and_errors)
{
    GError *error = NULL;
    static const uint16_t bases[] = {0x3f8, 0x2f8, 0x3e8, 0x2e8};
    Device *dev;

    board_init();
    for (int i = 0; i < 4; i++) {
        ck_assert_ptr_nonnull(device_create(TYPE_ISA_SERIAL, BUS(board.isa), &error));
        outb(bases[i] + 7, 0x10 + i);
    }
    device_reset_all();
    for (int i = 0; i < 4; i++) {
        outb(bases[i] + 1, 0x02);
        ck_assert_int_eq(board.level[i & 1 ? 3 : 4], 1);
        outb(bases[i] + 1, 0x00);
    }
    ck_assert_ptr_null(device_create(TYPE_ISA_SERIAL, BUS(board.isa), &error));
    ck_assert_ptr_nonnull(strstr(error->message, "index 4"));
    g_clear_error(&error);
    dev = device_new(TYPE_ISA_SERIAL, &error);
    ck_assert(property_set_string(G_OBJECT(dev), "chardev", "nobody", &error));
    ck_assert(property_set_string(G_OBJECT(dev), "index", "0", &error));
    ck_assert(!device_realize(dev, BUS(board.isa), &error));
    ck_assert_ptr_nonnull(strstr(error->message, "'nobody'"));
    g_clear_error(&error);
}
END_TEST

START_TEST(debug_ports)
{
    g_autofree char *text = NULL;
    GError *error = NULL;

    setup();
    device_add_global("isa-debugcon", "iobase", "0x402", false);
    ck_assert_ptr_null(device_create(TYPE_ISA_DEBUGCON, BUS(board.isa), &error));
    g_clear_error(&error);
    char_frontend_disconnect(&serial->chardev);
    ck_assert_ptr_nonnull(isa_debugcon_new(board.isa, chardev, &error));
    ck_assert_int_eq(inb(0x402), 0xe9);
    outb(0x402, 'o');
    outb(0x402, 'k');
    ck_assert_ptr_nonnull(device_create(TYPE_ISA_DEBUG_EXIT, BUS(board.isa), &error));
    ck_assert_int_eq(inb(0x501), 0x00);
    outb(0x501, 0x21);
    ck_assert_int_eq(board.exit_status, 0x43);
    text = written();
    ck_assert_str_eq(text, "ok");
}
END_TEST

START_TEST(unplugged)
{
    const struct {
        GType (*type)(void);
        const char *iobase;
        uint16_t port;
        uint8_t answer; /* what its first port reads as after a write of 0x5a */
    } rows[] = {{isa_serial_get_type, "0x3f8", 0x3f8 + 7, 0x5a},
                {isa_parallel_get_type, "0x378", 0x378, 0x5a},
                {isa_debugcon_get_type, "0xe9", 0xe9, 0xe9}};
    FlatRange range;

    setup();
    device_unplug(board.isa->parent.children->pdata[0]);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        for (unsigned times = 0; times < 2; times++) {
            GError *error = NULL;
            Device *dev = device_new(rows[i].type(), &error);

            ck_assert_ptr_nonnull(dev);
            ck_assert(property_set_string(G_OBJECT(dev), "iobase", rows[i].iobase, &error));
            ck_assert(property_set_string(G_OBJECT(dev), "chardev", "serial0", &error));
            ck_assert(device_realize(dev, BUS(board.isa), &error));
            device_reset(dev);
            outb(rows[i].port, 0x5a);
            ck_assert_int_eq(inb(rows[i].port), rows[i].answer);
            device_unplug(dev);
            ck_assert(!address_space_lookup(&board.io_space, rows[i].port, &range));
            ck_assert(!chardev_in_use(chardev));
        }
    }
    g_free(written());
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        registers_after_reset,
        transmit,
        transmit_interrupt,
        receive_without_fifo,
        receive_with_fifo,
        character_timeout,
        fifo_clear,
        breaks,
        loopback,
        ports_and_errors,
        debug_ports,
        unplugged,
    };

    return run_suite("serial", tests, G_N_ELEMENTS(tests));
}
