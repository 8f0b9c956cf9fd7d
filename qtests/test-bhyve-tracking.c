/*
 * Dirty and accessed pages of bhyve's segments, while a guest runs that reads and writes
 * where it is told. The machine is in this process, so that the memory API can be asked.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "machine/device-add.h"
#include "machine/plugin.h"
#include "machine/run-state.h"
#include "memory/access.h"
#include "memory/accessed.h"
#include "memory/io-lock.h"

/* The plugin's own, whose files are linked into this program. */
extern const MachinePlugin umbra_machine_plugin;

#define PATIENCE_MS 20000

/* A kernel at 1 MiB of fixed addresses: reads pages 0x300 and (of the frame buffer, whose
 * BAR bhyve has put at 3 GiB) 2, writes pages 0x200 and 3, and leaves by the debug exit
 * port. */
asm(".section .rodata\n"
    "kernel:\n"
    "1: .byte 0x7f, 0x45, 0x4c, 0x46, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0\n"
    "   .word 2, 3\n .long 1, 0x100054, 52, 0, 0\n .word 52, 32, 1, 0, 0, 0\n"
    "   .long 1, 0, 0x100000, 0x100000, 2f - 1b, 2f - 1b, 5, 4096\n"
    "   .code32\n"
    "   movl 0x300010, %eax\n movl %eax, 0x200ffc\n"
    "   movl 0xc0002000, %eax\n movl %eax, 0xc0003000\n"
    "   movw $0x501, %dx\n outb %al, %dx\n jmp .\n .code64\n"
    "2:\n kernel_end:\n .text\n");
extern const uint8_t kernel[], kernel_end[];

/* In a bootrom of two pages, real mode: the last page reads the one before. */
static const uint8_t rom_code[] = {
    0x2e, 0xa1, 0x00, 0xe0, /* mov ax, cs:[0xe000] */
    0xba, 0x01, 0x05,       /* mov dx, 0x501 */
    0xee,                   /* out dx, al */
    0xeb, 0xfe,             /* jmp $ */
};

#define ROM_SIZE 8192

static Machine *machine;

static char *file_of(const void *bytes, size_t size)
{
    int fd = memfd_create("umbra-test", 0);

    ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
    return g_strdup_printf("/dev/fd/%d", fd);
}

/* False: this host has no such accelerator. */
static bool start(const char *accel_name, const char *kernel_file, const char *rom_file)
{
    const char *const accels[] = {accel_name, NULL};
    const RunStatePolicy policy = {false, true};
    GError *error = NULL;
    Accel *accel;

    g_set_prgname("test");
    io_lock();
    machine_devices_register();
    machine_types_add(umbra_machine_plugin.machines);
    device_types_add(umbra_machine_plugin.devices);
    accel = accel_select(accels, NULL, &error);
    if (!accel) {
        return false;
    }
    machine = machine_new(machine_type_find("bhyve", &error), accel);
    machine->config.ram_size = MiB(16);
    machine->config.kernel = g_strdup(kernel_file);
    machine->config.firmware = g_strdup(rom_file);
    run_state_init(machine, &policy);
    ck_assert_msg(machine_build(machine, &error) &&
                      device_add_from_text("bhyve-fbuf", &error) &&
                      device_add_from_text("isa-debug-exit,iobase=0x501", &error) &&
                      machine_complete(machine, &error),
                  "%s", error ? error->message : "");
    run_state_reset(SYSTEM_CAUSE_NONE, "start");
    return true;
}

static gboolean give_up(gpointer data)
{
    ck_abort_msg("the guest does not come to its end");
    return G_SOURCE_REMOVE;
}

static void run(void)
{
    g_timeout_add(PATIENCE_MS, give_up, NULL);
    run_state_cont();
    run_state_main_loop();
}

/* The pages of `bitmap`, "2 300 " in hexadecimal. */
static char *list_pages(const unsigned long *bitmap, size_t count)
{
    GString *text = g_string_new(NULL);

    for (size_t i = 0; i < count; i++) {
        if (bitmap[i / 64] >> (i % 64) & 1) {
            g_string_append_printf(text, "%zx ", i);
        }
    }
    return g_string_free(text, false);
}

static void check_pages(const char *segment, bool accessed, const char *expected)
{
    RAMBlock *block = ram_block_find(segment);
    g_autofree unsigned long *bitmap = NULL;
    g_autofree char *pages = NULL;
    size_t count;

    ck_assert_msg(block != NULL, "no segment %s", segment);
    count = block->used_length / MEMORY_PAGE_SIZE;
    bitmap = g_new0(unsigned long, count / 64 + 1);
    if (accessed) {
        ram_block_harvest_accessed(block, 0, block->used_length, bitmap);
    } else {
        ram_block_harvest_dirty(block, 0, block->used_length, DIRTY_MEMORY_MIGRATION,
                                bitmap);
    }
    pages = list_pages(bitmap, count);
    ck_assert_msg(strcmp(pages, expected) == 0, "%s: %s pages %s, not %s", segment,
                  accessed ? "accessed" : "dirty", pages, expected);
}

/* What the loader has written is behind when the watching starts. */
static void forget_loading(void)
{
    static const char *const segments[] = {"sysmem", "bootrom", "framebuffer"};

    for (size_t i = 0; i < G_N_ELEMENTS(segments); i++) {
        RAMBlock *block = ram_block_find(segments[i]);

        ram_block_test_and_clear_dirty(block, 0, block->used_length,
                                       DIRTY_MEMORY_MIGRATION);
    }
}

static void check_dirty(const char *accel)
{
    g_autofree char *file = file_of(kernel, (size_t)(kernel_end - kernel));

    if (!start(accel, file, NULL)) {
        return;
    }
    ck_assert(memory_global_dirty_log_start(NULL));
    memory_global_dirty_log_sync();
    forget_loading();
    run();
    memory_global_dirty_log_sync();
    check_pages("sysmem", false, "200 ");
    check_pages("framebuffer", false, "3 ");
    check_pages("bootrom", false, "");
    check_pages("sysmem", false, ""); /* since then */
}

START_TEST(test_dirty_x86emu)
{
    check_dirty("x86emu");
}
END_TEST

START_TEST(test_dirty_kvm)
{
    check_dirty("kvm");
}
END_TEST

/* Executed pages are among them. */
START_TEST(test_accessed)
{
    g_autofree char *file = file_of(kernel, (size_t)(kernel_end - kernel));

    ck_assert(start("x86emu", file, NULL));
    ck_assert(ram_accessed_log_start());
    run();
    check_pages("sysmem", true, "100 200 300 ");
    check_pages("framebuffer", true, "2 3 ");
    check_pages("bootrom", true, "");
    check_pages("sysmem", true, "");
    ram_accessed_log_stop();
}
END_TEST

/* The segment has 16 MiB, of which the guest sees the last two pages. */
START_TEST(test_accessed_bootrom)
{
    g_autofree uint8_t *rom = g_malloc0(ROM_SIZE);
    g_autofree char *file = NULL;

    memcpy(rom + ROM_SIZE - 16, rom_code, sizeof(rom_code));
    file = file_of(rom, ROM_SIZE);
    ck_assert(start("x86emu", NULL, file));
    ck_assert(ram_accessed_log_start());
    run();
    check_pages("bootrom", true, "ffe fff ");
    check_pages("sysmem", true, "");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bhyve-tracking");
    TCase *tc = tcase_create("bhyve-tracking");
    SRunner *runner;
    int failed;

    tcase_add_test(tc, test_dirty_x86emu);
    tcase_add_test(tc, test_dirty_kvm);
    tcase_add_test(tc, test_accessed);
    tcase_add_test(tc, test_accessed_bootrom);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
