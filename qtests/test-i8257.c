/*
 * The PC's 8237A pair, by the data sheet (Intel 231466), with page registers.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "qtests/isa-board.h"

#include <string.h>

#include "hw/dma/i8257.h"

static uint8_t *ram;
static int ready_calls;

static void setup(void)
{
    GError *error = NULL;

    board_init();
    ck_assert(i8257_new_pair(board.isa, &board.memory_space, &error));
    device_reset_all();
    ram = memory_region_get_ram_ptr(&board.ram);
}

/* Channel 2: `count` bytes at `address`, as a floppy driver programs it. */
static void program(uint8_t mode, uint32_t address, uint16_t count)
{
    outb(0x0a, 0x06);
    outb(0x0c, 0x00);
    outb(0x04, address & 0xff);
    outb(0x04, address >> 8 & 0xff);
    outb(0x81, address >> 16);
    outb(0x05, (count - 1) & 0xff);
    outb(0x05, (count - 1) >> 8);
    outb(0x0b, mode);
    outb(0x0a, 0x02);
}

static uint16_t word(uint16_t port)
{
    uint8_t low;

    outb(0x0c, 0);
    low = inb(port);
    return low | inb(port) << 8;
}

START_TEST(to_memory)
{
    char data[] = "0123456789";
    bool terminal;

    setup();
    program(0x46, 0x12345, 8);
    ck_assert_int_eq(isa_dma_transfer(board.isa, 2, data, 5, true, &terminal), 5);
    ck_assert(!terminal);
    ck_assert_int_eq(word(0x04), 0x234a);
    ck_assert_int_eq(word(0x05), 2);
    ck_assert_int_eq(inb(0x08) & 0x0f, 0x00);
    ck_assert_int_eq(isa_dma_transfer(board.isa, 2, data + 5, 5, true, &terminal), 3);
    ck_assert(terminal);
    ck_assert_mem_eq(ram + 0x12345, "01234567\0", 9);
    ck_assert_int_eq(inb(0x08) & 0x0f, 0x04);
    ck_assert_int_eq(inb(0x08) & 0x0f, 0x00); /* reading clears it */
    ck_assert_int_eq(inb(0x0f) & 0x0f, 0x0f); /* the channel masked itself */
    ck_assert_int_eq(isa_dma_transfer(board.isa, 2, data, 1, true, NULL), 0);
}
END_TEST

START_TEST(from_memory)
{
    char data[8] = "........";

    setup();
    memcpy(ram + 0x8000, "abcdefgh", 8);
    program(0x4a, 0x8000, 4);
    ck_assert_int_eq(isa_dma_transfer(board.isa, 2, data, 8, true, NULL),
                     0); /* wrong way */
    ck_assert_int_eq(isa_dma_transfer(board.isa, 2, data, 8, false, NULL), 4);
    ck_assert_mem_eq(data, "abcd....", 8);
}
END_TEST

START_TEST(address_wraps_in_its_page)
{
    setup();
    program(0x46, 0x1fffe, 4);
    ck_assert_int_eq(isa_dma_transfer(board.isa, 2, (char[]){"WXYZ"}, 4, true, NULL), 4);
    ck_assert_mem_eq(ram + 0x1fffe, "WX", 2);
    ck_assert_mem_eq(ram + 0x10000, "YZ", 2);
    ck_assert_int_eq(ram[0x20000], 0);
}
END_TEST

START_TEST(downwards)
{
    setup();
    program(0x66, 0x5003, 4);
    isa_dma_transfer(board.isa, 2, (char[]){"WXYZ"}, 4, true, NULL);
    ck_assert_mem_eq(ram + 0x5000, "ZYXW", 4);
}
END_TEST

START_TEST(auto_initialize)
{
    bool terminal;

    setup();
    program(0x56, 0x5000, 2);
    ck_assert_int_eq(isa_dma_transfer(board.isa, 2, (char[]){"abcd"}, 4, true, &terminal),
                     2);
    ck_assert(terminal);
    ck_assert_int_eq(isa_dma_transfer(board.isa, 2, (char[]){"cd"}, 2, true, &terminal),
                     2);
    ck_assert_mem_eq(ram + 0x5000, "cd", 2);
    ck_assert_int_eq(word(0x04), 0x5000);
    ck_assert_int_eq(word(0x05), 1);
}
END_TEST

START_TEST(verify)
{
    setup();
    program(0x42, 0x5000, 4);
    ck_assert_int_eq(isa_dma_transfer(board.isa, 2, (char[]){"abcd"}, 4, true, NULL), 4);
    ck_assert_int_eq(ram[0x5000], 0);
    ck_assert_int_eq(inb(0x08) & 0x04, 0x04);
}
END_TEST

START_TEST(words)
{
    uint8_t data[5] = {1, 2, 3, 4, 5};

    setup();
    /* Channel 5: A1-A16 from the address register, A17-A23 from the page; bit 0 of the
     * page is not connected. */
    outb(0xd8, 0);
    outb(0xc4, 0x00);
    outb(0xc4, 0x10);
    outb(0x8b, 0x03);
    outb(0xc6, 0x01);
    outb(0xc6, 0x00);
    outb(0xd6, 0x45);
    outb(0xd4, 0x01);
    ck_assert_int_eq(isa_dma_transfer(board.isa, 5, data, 5, true, NULL), 4);
    ck_assert_mem_eq(ram + 0x22000, data, 4);
    ck_assert_int_eq(ram[0x22004], 0);
}
END_TEST

static void ready(void *opaque)
{
    ready_calls++;
    ck_assert_int_eq(isa_dma_transfer(board.isa, 2, (char[]){"!"}, 1, true, NULL), 1);
    isa_dma_request(board.isa, 2, false);
}

START_TEST(requests_wait_for_the_mask)
{
    setup();
    isa_dma_connect(board.isa, 2, ready, NULL);
    isa_dma_request(board.isa, 2, true);
    ck_assert_int_eq(ready_calls, 0);
    ck_assert_int_eq(inb(0x08), 0x40);
    program(0x46, 0x5000, 1);
    ck_assert_int_eq(ready_calls, 1);
    ck_assert_int_eq(ram[0x5000], '!');
    ck_assert_int_eq(inb(0x08), 0x04);

    outb(0x08, 0x04); /* the controller is off */
    program(0x46, 0x5001, 1);
    isa_dma_request(board.isa, 2, true);
    ck_assert_int_eq(ready_calls, 1);
    outb(0x08, 0x00);
    ck_assert_int_eq(ready_calls, 2);
}
END_TEST

START_TEST(masks)
{
    setup();
    ck_assert_int_eq(inb(0x0f) & 0x0f, 0x0f);
    outb(0x0e, 0);
    ck_assert_int_eq(inb(0x0f) & 0x0f, 0x00);
    outb(0x0a, 0x05);
    ck_assert_int_eq(inb(0x0f) & 0x0f, 0x02);
    outb(0x0f, 0x0c);
    ck_assert_int_eq(inb(0x0f) & 0x0f, 0x0c);
    outb(0x0a, 0x03);
    ck_assert_int_eq(inb(0x0f) & 0x0f, 0x04);
    outb(0x0d, 0);
    ck_assert_int_eq(inb(0x0f) & 0x0f, 0x0f);
    ck_assert_int_eq(inb(0xde) & 0x0f, 0x0f);
}
END_TEST

START_TEST(pages)
{
    static const uint16_t ports[] = {0x81, 0x82, 0x83, 0x87, 0x89, 0x8a, 0x8b, 0x8f};

    setup();
    for (size_t i = 0; i < G_N_ELEMENTS(ports); i++) {
        outb(ports[i], 0x30 + i);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(ports); i++) {
        ck_assert_int_eq(inb(ports[i]), 0x30 + i);
    }
}
END_TEST

START_TEST(a_bus_without_dma)
{
    board_init();
    isa_dma_connect(board.isa, 2, ready, NULL);
    isa_dma_request(board.isa, 2, true);
    ck_assert_int_eq(isa_dma_transfer(board.isa, 2, NULL, 1, true, NULL), 0);
    ck_assert(!isa_dma_is_ready(board.isa, 99));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        to_memory,
        from_memory,
        address_wraps_in_its_page,
        downwards,
        auto_initialize,
        verify,
        words,
        requests_wait_for_the_mask,
        masks,
        pages,
        a_bus_without_dma,
    };

    return run_suite("i8257", tests, G_N_ELEMENTS(tests));
}
