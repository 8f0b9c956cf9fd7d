/*
 * Disk images and the -drive option.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "qtests/ide-fixture.h"

#include <gio/gio.h>

static void count_drive(BlockBackend *drive, void *opaque)
{
    ++*(unsigned *)opaque;
}

static unsigned drives(void)
{
    unsigned count = 0;

    drive_foreach(count_drive, &count);
    return count;
}

/* -- Images -------------------------------------------------------------------------- */

START_TEST(test_read_write)
{
    char *path = image_new(MiB(1));
    BlockBackend *drive = opened("file=%s,format=raw", path);
    uint8_t data[4 * 512];

    ck_assert_uint_eq(block_sectors(drive), 2048);
    ck_assert(!block_is_readonly(drive));
    ck_assert(block_read(drive, 2044, data, 4));
    assert_sector(data, 2044);
    assert_sector(data + 3 * 512, 2047);
    memset(data, 0x77, sizeof data);
    ck_assert(block_write(drive, 2, data, 3));
    ck_assert(block_flush(drive));
    drive_cleanup();

    drive = opened("file=%s,format=raw,readonly=on", path);
    ck_assert(block_read(drive, 4, data, 2));
    ck_assert_uint_eq(data[0], 0x77);
    ck_assert_uint_eq(data[511], 0x77);
    assert_sector(data + 512, 5);
    unlink(path);
}
END_TEST

START_TEST(test_bounds)
{
    char *path = image_new(MiB(1));
    BlockBackend *drive = opened("file=%s,format=raw", path);
    uint8_t data[1024] = {0};

    ck_assert(block_read(drive, 2048, data, 0));
    ck_assert(!block_read(drive, 2048, data, 1));
    ck_assert(!block_read(drive, 2047, data, 2));
    ck_assert(!block_write(drive, 2047, data, 2));
    ck_assert(!block_read(drive, UINT64_MAX, data, 1));
    ck_assert(!block_read(drive, UINT64_MAX, data, 2));
    ck_assert(!block_write(drive, (UINT64_C(1) << 55) + 1, data, 1)); /* times 512: 512 */
    ck_assert(!block_discard(drive, 1, UINT64_MAX));                  /* to sector 0 */
    ck_assert(block_discard(drive, 0, 2048));
    ck_assert(block_read(drive, 0, data, 1));
    ck_assert_uint_eq(data[9], 9); /* discard=ignore is the default */
    unlink(path);
}
END_TEST

/* The part of a sector at the end counts, and reads as zeroes behind the end. */
START_TEST(test_odd_size)
{
    char *path = image_new(1024);
    uint8_t data[512];
    BlockBackend *drive;
    struct stat status;

    ck_assert_int_eq(truncate(path, 1000), 0);
    drive = opened("file=%s,format=raw", path);
    ck_assert_uint_eq(block_sectors(drive), 2);
    ck_assert(block_read(drive, 1, data, 1));
    ck_assert_uint_eq(data[487], (uint8_t)(1 + 487));
    ck_assert_uint_eq(data[488], 0);
    ck_assert_uint_eq(data[511], 0);
    ck_assert(block_write(drive, 1, data, 1));
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_int_eq(status.st_size, 1024);
    unlink(path);
}
END_TEST

START_TEST(test_snapshot)
{
    char *path = image_new(MiB(1));
    BlockBackend *drive;
    uint8_t data[20 * 512], pattern[3 * 512];
    struct stat before, after;

    ck_assert_int_eq(chmod(path, 0400), 0);
    ck_assert_int_eq(stat(path, &before), 0);
    drive = opened("file=%s,format=raw,snapshot=on", path);
    memset(pattern, 0x42, sizeof pattern);
    ck_assert(block_write(drive, 6, pattern, 3)); /* over the edge of a cluster */
    ck_assert(block_read(drive, 0, data, 20));
    for (unsigned i = 0; i < 20; i++) {
        if (i >= 6 && i < 9) {
            ck_assert_int_eq(memcmp(data + i * 512, pattern, 512), 0);
        } else {
            assert_sector(data + i * 512, i);
        }
    }
    ck_assert(block_read(drive, 5, data, 1)); /* amid a cluster that is held */
    assert_sector(data, 5);
    ck_assert(block_flush(drive));
    drive_cleanup();
    ck_assert_int_eq(stat(path, &after), 0);
    ck_assert_int_eq(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
    drive = opened("file=%s,format=raw,readonly=on", path);
    ck_assert(block_read(drive, 7, data, 1));
    assert_sector(data, 7);
    unlink(path);
}
END_TEST

START_TEST(test_readonly)
{
    char *path = image_new(MiB(1));
    BlockBackend *drive = opened("file=%s,format=raw,readonly", path);
    uint8_t data[512] = {0};

    ck_assert(block_is_readonly(drive));
    ck_assert(!block_write(drive, 0, data, 1));
    ck_assert(!block_discard(drive, 0, 1));
    ck_assert(block_is_readonly(opened("file=%s,format=raw,media=cdrom", path)));
    unlink(path);
}
END_TEST

START_TEST(test_null)
{
    BlockBackend *drive = opened("driver=null-co,size=10G,read-zeroes=on,if=none,id=n");
    uint8_t data[512] = {1};

    ck_assert_uint_eq(block_sectors(drive), GiB(10) / 512);
    ck_assert(block_write(drive, GiB(10) / 512 - 1, data, 1));
    ck_assert(block_read(drive, GiB(10) / 512 - 1, data, 1));
    ck_assert_uint_eq(data[0], 0);
    ck_assert(!block_read(drive, GiB(10) / 512, data, 1));
    ck_assert_uint_eq(block_sectors(opened("file=null-co://,if=none,id=m")),
                      GiB(1) / 512);
}
END_TEST

START_TEST(test_discard)
{
    char *path = image_new(MiB(1));
    BlockBackend *drive = opened("file=%s,format=raw,discard=unmap", path);
    uint8_t data[16 * 512];

    ck_assert(block_discard(drive, 8, 8));
    ck_assert(block_read(drive, 7, data, 2));
    assert_sector(data, 7);
    ck_assert(data[512] == 0 || data[512] == 8); /* a file system need not have holes */
    unlink(path);
}
END_TEST

START_TEST(test_insert)
{
    char *paths[2] = {image_new(MiB(1)), image_new(MiB(2))};
    BlockBackend *drive = opened("if=ide,media=cdrom,id=cd");
    GError *error = NULL;
    uint8_t data[512];

    ck_assert(!block_is_inserted(drive));
    ck_assert_uint_eq(block_sectors(drive), 0);
    ck_assert(!block_read(drive, 0, data, 1));
    ck_assert(block_flush(drive));
    for (unsigned i = 0; i < 2; i++) {
        ck_assert(block_insert(drive, paths[i], "raw", NULL));
        ck_assert_uint_eq(block_medium_changes(drive), i + 1);
        ck_assert_uint_eq(block_sectors(drive), (i + 1) * 2048);
    }
    ck_assert(!block_insert(drive, "/nowhere/at/all", "raw", &error));
    ck_assert_uint_eq(block_sectors(drive), 4096); /* the old one stays */
    ck_assert_uint_eq(block_medium_changes(drive), 2);
    block_eject(drive);
    block_eject(drive);
    ck_assert_uint_eq(block_medium_changes(drive), 3);
    ck_assert(!block_is_inserted(drive));
    unlink(paths[0]);
    unlink(paths[1]);
}
END_TEST

/* -- Locks --------------------------------------------------------------------------- */

START_TEST(test_locks)
{
    char *path = image_new(MiB(1));

    opened("file=%s,format=raw", path);
    refused("\"write\" lock", "file=%s,format=raw", path);
    refused("\"shared read\" lock", "file=%s,format=raw,readonly=on", path);
    refused("\"shared read\" lock", "file=%s,format=raw,snapshot=on", path);
    opened("file=%s,format=raw,file.locking=off", path);
    ck_assert_uint_eq(drives(), 2);
    drive_cleanup();
    opened("file=%s,format=raw,readonly=on", path);
    opened("file=%s,format=raw,snapshot=on", path);
    refused("\"write\" lock", "file=%s,format=raw", path);
    drive_cleanup();
    opened("file=%s,format=raw,file.locking=on", path);
    unlink(path);
}
END_TEST

/* Whether QEMU, told to quit at once, starts with the image. */
static bool qemu_takes(const char *program, const char *path, const char *options)
{
    g_autofree char *drive = g_strdup_printf("file=%s,format=raw%s", path, options);
    g_autoptr(GSubprocess) qemu = g_subprocess_new(
        G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_SILENCE |
            G_SUBPROCESS_FLAGS_STDERR_SILENCE,
        NULL, "timeout", "20", program, "-accel", "tcg", "-S", "-nodefaults", "-display",
        "none", "-monitor", "stdio", "-drive", drive, NULL);

    g_subprocess_communicate_utf8(qemu, "quit\n", NULL, NULL, NULL, NULL);
    return g_subprocess_get_successful(qemu);
}

/* The bytes are QEMU's: the two keep away from each other's images. */
START_TEST(test_locks_are_qemus)
{
    g_autofree char *program = g_find_program_in_path("qemu-system-x86_64");
    char *path = image_new(MiB(1));

    if (program) {
        opened("file=%s,format=raw", path);
        ck_assert(!qemu_takes(program, path, ""));
        ck_assert(!qemu_takes(program, path, ",media=cdrom"));
        drive_cleanup();
        opened("file=%s,format=raw,readonly=on", path);
        ck_assert(!qemu_takes(program, path, ""));
        ck_assert(qemu_takes(program, path, ",media=cdrom"));
        drive_cleanup();
        ck_assert(qemu_takes(program, path, ""));
    }
    unlink(path);
}
END_TEST

/* -- Options ------------------------------------------------------------------------- */

START_TEST(test_option_errors)
{
    char *path = image_new(MiB(1));

    refused("did you mean 'format'", "file=%s,formta=raw", path);
    refused("Invalid parameter", "%s", path);
    refused("does not take 'virtio'", "file=%s,if=virtio", path);
    refused("ide, floppy, none, pflash", "file=%s,if=virtio", path);
    refused("known ones: raw, null-co", "file=%s,format=cow9", path);
    refused("disk, cdrom", "file=%s,media=tape", path);
    refused("'on' or 'off'", "file=%s,snapshot=maybe", path);
    refused("expects a number", "file=%s,index=-1", path);
    refused("expects a number", "file=%s,index=1x", path);
    refused("expects a number", "file=%s,unit=256", path);
    refused("index cannot be used", "file=%s,index=0,unit=1", path);
    refused("unit 2 too big", "file=%s,unit=2", path);
    refused("expects an identifier", "file=%s,id=7up", path);
    refused("expects a size", "driver=null-co,size=-4");
    refused("does not take 'enospc'", "file=%s,rerror=enospc", path);
    refused("No such file", "file=/nowhere/at/all,format=raw");
    refused("No such file", "file=/nowhere/at/all");
    refused("regular file", "file=/,format=raw");
    refused("regular file", "file=/,format=raw,readonly=on");
    refused("regular file", "file=/dev/null,format=raw");
    ck_assert_uint_eq(drives(), 0);
    opened("file=%s,format=raw,cache=none,aio=threads,werror=report,rerror=report,"
           "detect-zeroes=off,discard=unmap,cache.direct=on,index=1",
           path);
    unlink(path);
}
END_TEST

/* An image of another format is not shown to a guest as if it were raw, unless told. */
START_TEST(test_content_decides)
{
    char *path = image_new(MiB(1));
    int fd = open(path, O_WRONLY);

    ck_assert_int_eq(pwrite(fd, "QFI\xfb\0\0\0\x03", 8, 0), 8);
    close(fd);
    refused("as qcow2", "file=%s", path);
    opened("file=%s,format=raw", path);
    unlink(path);
}
END_TEST

START_TEST(test_places)
{
    char *path = image_new(MiB(1));
    static const struct {
        const char *options, *id;
        int bus, unit;
    } rows[] = {
        {"index=1", "ide0-hd1", 0, 1},     {"if=ide", "ide0-hd0", 0, 0},
        {"media=cdrom", "ide1-cd0", 1, 0}, {"bus=1", "ide1-hd1", 1, 1},
        {"if=floppy", "floppy0", 0, 0},    {"if=floppy,index=1", "floppy1", 0, 1},
        {"if=none", "none0", 0, 0},        {"if=none,id=x", "x", 0, 1},
        {"if=pflash", "pflash0", 0, 0},    {"index=7,id=far", "far", 3, 1},
    };
    GError *error = NULL;

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        const DriveOptions *options = drive_options(
            opened("file=%s,format=raw,file.locking=off,%s", path, rows[i].options));

        ck_assert_str_eq(options->id, rows[i].id);
        ck_assert_int_eq(options->bus, rows[i].bus);
        ck_assert_int_eq(options->unit, rows[i].unit);
    }
    refused("bus=0, unit=0 (index=0) exists", "file=%s,file.locking=off,index=0", path);
    refused("Duplicate ID 'x'", "file=%s,file.locking=off,id=x,index=4", path);

    ck_assert_ptr_eq(drive_take("ide", 0, 1), drive_find("ide0-hd1"));
    ck_assert_ptr_null(drive_take("ide", 0, 1)); /* handed out once */
    ck_assert_ptr_null(drive_take("ide", 2, 0));
    ck_assert_ptr_null(drive_take_by_id("ide0-hd1", true, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "in use"));
    g_clear_error(&error);
    drive_release(drive_find("ide0-hd1"));
    ck_assert_ptr_nonnull(drive_take_by_id("ide0-hd1", true, NULL));
    ck_assert_ptr_null(drive_take_by_id("y", true, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "'y'"));
    g_clear_error(&error);
    ck_assert(!drive_check_all_taken(&error));
    ck_assert_ptr_nonnull(strstr(error->message, "if=ide,bus=0,unit=0"));
    unlink(path);
}
END_TEST

START_TEST(test_unused_drives)
{
    opened("if=none");
    ck_assert(drive_check_all_taken(NULL));
    opened("if=floppy");
    ck_assert(!drive_check_all_taken(NULL));
    drive_take("floppy", 0, 0);
    ck_assert(drive_check_all_taken(NULL));
}
END_TEST

START_TEST(test_legacy)
{
    char *path = image_new(MiB(1));
    g_autofree char *comma = g_strdup_printf("%s,x", path);
    GError *error = NULL;

    ck_assert_int_eq(rename(path, comma), 0);
    ck_assert_int_eq(drive_options(drive_new_legacy("hdb", comma, NULL))->index, 1);
    ck_assert_ptr_null(drive_new_legacy("hdb", comma, NULL));
    drive_cleanup();
    ck_assert_str_eq(drive_options(drive_new_legacy("cdrom", comma, NULL))->id,
                     "ide1-cd0");
    drive_cleanup();
    ck_assert_str_eq(drive_options(drive_new_legacy("fda", comma, NULL))->id, "floppy0");
    ck_assert_ptr_null(drive_new_legacy("hde", comma, &error));
    unlink(comma);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("block");

    tcase_add_test(tcase, test_read_write);
    tcase_add_test(tcase, test_bounds);
    tcase_add_test(tcase, test_odd_size);
    tcase_add_test(tcase, test_snapshot);
    tcase_add_test(tcase, test_readonly);
    tcase_add_test(tcase, test_null);
    tcase_add_test(tcase, test_discard);
    tcase_add_test(tcase, test_insert);
    tcase_add_test(tcase, test_locks);
    tcase_add_test(tcase, test_locks_are_qemus);
    tcase_add_test(tcase, test_option_errors);
    tcase_add_test(tcase, test_content_decides);
    tcase_add_test(tcase, test_places);
    tcase_add_test(tcase, test_unused_drives);
    tcase_add_test(tcase, test_legacy);
    return run_suite("block", tcase);
}
