/*
 * Floors for scripts/bench: what the host itself takes for the least that there is to do.
 *
 * Without an argument: an empty glib program that prints a line, to time its start.
 * "kvm-slot": nanoseconds to delete one KVM memory slot of 64 KiB and to add it again, as
 * a PAM window's change must, in a virtual machine that does nothing else. "read FILE":
 * nanoseconds to read the file's memory once, mapped anew.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 501
#define MAIN_SIZE (16u << 20)
#define WINDOW 0xf0000u
#define WINDOW_SIZE 0x10000u

static gint64 now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    gint64 x = *(const gint64 *)a, y = *(const gint64 *)b;

    return (x > y) - (x < y);
}

static void set_kvm_slot(int vm, unsigned slot, uint64_t guest, uint64_t size, void *host)
{
    struct kvm_userspace_memory_region region = {
        .slot = slot,
        .guest_phys_addr = guest,
        .memory_size = size,
        .userspace_addr = (uintptr_t)host,
    };

    if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) < 0) {
        fprintf(stderr, "KVM_SET_USER_MEMORY_REGION: %s\n", g_strerror(errno));
        exit(1);
    }
}

static int bench_kvm_slot(void)
{
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    int vm = kvm < 0 ? -1 : ioctl(kvm, KVM_CREATE_VM, 0);
    uint8_t *ram =
        mmap(NULL, MAIN_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    gint64 took[ROUNDS];

    if (vm < 0 || ram == MAP_FAILED || ioctl(vm, KVM_CREATE_VCPU, 0) < 0) {
        fprintf(stderr, "no virtual machine: %s\n", g_strerror(errno));
        return 1;
    }
    memset(ram, 1, WINDOW + WINDOW_SIZE);
    set_kvm_slot(vm, 0, 1 << 20, MAIN_SIZE - (1 << 20), ram + (1 << 20));
    set_kvm_slot(vm, 1, WINDOW, WINDOW_SIZE, ram + WINDOW);
    for (int i = 0; i < ROUNDS; i++) {
        gint64 start = now_ns();

        set_kvm_slot(vm, 1, WINDOW, 0, ram + WINDOW);
        set_kvm_slot(vm, 1, WINDOW, WINDOW_SIZE, ram + WINDOW);
        took[i] = now_ns() - start;
    }
    qsort(took, ROUNDS, sizeof(took[0]), compare);
    printf("%" G_GINT64_FORMAT "\n", took[ROUNDS / 2]);
    return 0;
}

static int bench_read(const char *path)
{
    typedef uint64_t Vector __attribute__((vector_size(32)));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    gint64 size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END), start = now_ns();
    const Vector *memory = size > 0 ? mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0)
                                    : MAP_FAILED;
    Vector sum[4] = {{0}};

    if (memory == MAP_FAILED) {
        fprintf(stderr, "cannot map %s: %s\n", path, g_strerror(errno));
        return 1;
    }
    for (size_t i = 0; i + 4 <= size / sizeof(Vector); i += 4) {
        for (unsigned j = 0; j < 4; j++) {
            sum[j] |= memory[i + j];
        }
    }
    sum[0] |= sum[1] | sum[2] | sum[3];
    printf("%" G_GINT64_FORMAT "\n", now_ns() - start + ((int64_t)sum[0][0] & 1));
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "read") == 0) {
        return bench_read(argv[2]);
    }
    if (argc > 1 && strcmp(argv[1], "kvm-slot") == 0) {
        return bench_kvm_slot();
    }
    g_print("started\n");
    return 0;
}
