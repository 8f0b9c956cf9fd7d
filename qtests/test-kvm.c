/*
 * The KVM accelerator. Skips, and says why, where this host cannot.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#define TEST_ACCEL "kvm,kernel-irqchip=off"
#define TEST_LATE_INTERRUPTS
#include "qtests/accel-cases.h"

#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "machine/accel/kvm-internal.h"
#include "memory/zones.h"

/* meson's exit status for a test that could not run */
#define SKIPPED 77

/* A window that shows something else keeps its slot; main RAM's is never touched. */
START_TEST(switches_keep_slots)
{
    unsigned long before;

    guest_start(TEST_ACCEL, program_spin, program_spin_end);
    before = kvm_memory_slot_updates();
    guest_show(WINDOW_RAM);
    guest_show(WINDOW_ROM);
    guest_show(WINDOW_SPLIT);
    ck_assert_uint_eq(kvm_memory_slot_updates() - before, 0);
    guest_show(WINDOW_NOTHING);
    ck_assert_uint_eq(kvm_memory_slot_updates() - before, 1);
    /* What changes and comes back inside a transaction costs nothing. */
    memory_region_transaction_begin();
    guest_show(WINDOW_RAM);
    guest_show(WINDOW_NOTHING);
    memory_region_transaction_commit();
    ck_assert_uint_eq(kvm_memory_slot_updates() - before, 1);
    guest_show(WINDOW_RAM);
    ck_assert_uint_eq(kvm_memory_slot_updates() - before, 2);
}
END_TEST

/* After a write that the processor executed: what an EFAULT leads to. */
static void run_exact(const uint8_t *program, const uint8_t *end, const char *log)
{
    guest_start(TEST_ACCEL, program, end);
    memset(memory_region_get_ram_ptr(&guest.rom), 'r', GUEST_WINDOW_SIZE);
    ck_assert(kvm_memory_make_windows_exact());
    ck_assert(!kvm_memory_make_windows_exact());
    guest_run(GUEST_PATIENCE_MS);
    ck_assert_msg(guest.ended, "%s", guest.failed ? guest.message : "did not end");
    ck_assert_str_eq(guest.log->str, log);
    ck_assert_int_eq(((uint8_t *)memory_region_get_ram_ptr(&guest.rom))[0x10], 'r');
}

START_TEST(exact_windows_are_rom)
{
    run_exact(program_rom_write, program_rom_write_end, "rW");
}
END_TEST

START_TEST(exact_windows_split)
{
    run_exact(program_split, program_split_end, "rWX");
}
END_TEST

START_TEST(kernel_irqchip_is_on_by_default)
{
    guest_start("kvm", program_spin, program_spin_end);
    ck_assert(accel_irqchip_in_kernel(guest.accel));
    guest_run(5);
    ck_assert(!guest.failed);
}
END_TEST

/* Three words to a device at 0xd0000: to its offset 4 the bell's value, then another, then
 * one to offset 8; and a byte that leaves the guest for certain. */
GUEST(program_ring)
    "mov $0xd000, %ax\n mov %ax, %ds\n movw $0x1234, 4\n movw $0x4321, 4\n"
    "movw $7, 8\n mov $'R', %al\n out %al, $0x11\n"
GUEST_END(program_ring)

static MemoryRegion device;

static void device_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    g_string_append_printf(guest.log, "%x:%x ", (unsigned)offset, (unsigned)value);
}

static const MemoryRegionOps device_ops = {
    .write = device_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
};

static void add_device(void)
{
    memory_region_init_io(&device, NULL, &device_ops, NULL, "device", 0x1000);
    memory_region_add_subregion_overlap(&guest.memory_root, 0xd0000, &device, 2);
}

/* The doorbell's value never reaches the device; any other does. */
START_TEST(doorbell_rings_in_the_kernel)
{
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    uint64_t rings = 0;

    guest_start(TEST_ACCEL, program_ring, program_ring_end);
    add_device();
    memory_region_add_eventfd(&device, 4, 2, true, 0x1234, fd);
    guest_run(GUEST_PATIENCE_MS);
    ck_assert_msg(guest.ended, "%s", guest.failed ? guest.message : "did not end");
    ck_assert_int_eq(read(fd, &rings, sizeof(rings)), (int)sizeof(rings));
    ck_assert_uint_eq(rings, 1);
    ck_assert_str_eq(guest.log->str, "4:4321 8:7 R");
    close(fd);
}
END_TEST

/* Gathered writes come in order, and before what the guest did after them. */
START_TEST(coalesced_writes_keep_their_order)
{
    AccelStatistics plain, coalesced;

    guest_start(TEST_ACCEL, program_ring, program_ring_end);
    add_device();
    memory_region_set_coalescing(&device);
    accel_get_statistics(guest.accel, &plain);
    guest_run(GUEST_PATIENCE_MS);
    accel_get_statistics(guest.accel, &coalesced);
    ck_assert_msg(guest.ended, "%s", guest.failed ? guest.message : "did not end");
    ck_assert_str_eq(guest.log->str, "4:1234 4:4321 8:7 R");
    ck_assert_uint_eq(coalesced.mmio - plain.mmio, 0);
}
END_TEST

/* Writes a word to the device, says so in RAM, and never leaves the guest again. */
GUEST(program_ring_and_spin)
    "mov $0xd000, %ax\n mov %ax, %ds\n movw $0x1234, 4\n xor %ax, %ax\n mov %ax, %ds\n"
    "movb $1, 0x2000\n 1: jmp 1b\n"
GUEST_END(program_ring_and_spin)

/* Whoever looks at the device while the guest runs on sees what it had written. */
START_TEST(coalesced_writes_come_before_others_accesses)
{
    const uint8_t *flag;
    gint64 until = g_get_monotonic_time() + GUEST_PATIENCE_MS * 1000;

    guest_start(TEST_ACCEL, program_ring_and_spin, program_ring_and_spin_end);
    add_device();
    memory_region_set_coalescing(&device);
    flag = (const uint8_t *)memory_region_get_ram_ptr(&guest.ram) + 0x2000;
    accel_resume_all(guest.accel);
    while (!__atomic_load_n(flag, __ATOMIC_ACQUIRE) && g_get_monotonic_time() < until) {
        io_unlock();
        g_usleep(200);
        io_lock();
    }
    address_space_stb(&guest.memory, 0xd0008, 0x55, MEMTXATTRS_UNSPECIFIED, NULL);
    ck_assert_str_eq(guest.log->str, "4:1234 8:55 ");
    accel_pause_all(guest.accel);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("kvm");
    TCase *cases = tcase_create("cases"), *own = tcase_create("own");
    GError *error = NULL;
    SRunner *runner;
    int failed;

    if (!accel_usable("kvm", &error)) {
        printf("skipped: %s\n", error->message);
        return SKIPPED;
    }
    /* Each test has a process of its own; a VM belongs to the one that made it. */
    accel_kvm_close();
    add_accel_cases(cases);
    suite_add_tcase(suite, cases);
    tcase_add_test(own, switches_keep_slots);
    tcase_add_test(own, exact_windows_are_rom);
    tcase_add_test(own, exact_windows_split);
    tcase_add_test(own, kernel_irqchip_is_on_by_default);
    tcase_add_test(own, doorbell_rings_in_the_kernel);
    tcase_add_test(own, coalesced_writes_keep_their_order);
    tcase_add_test(own, coalesced_writes_come_before_others_accesses);
    suite_add_tcase(suite, own);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
