/*
 * Images that others serve: every format by qemu-nbd, disks of NBD servers, and what
 * becomes of the machine when they are cut, broken, locked or dead. qemu-img and qemu-nbd
 * are the judges of what an image holds; without them there is nothing to test.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "qtests/ide-fixture.h"

#include <gio/gio.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "hw/block/node.h"

#define SIZE MiB(2)

static char *directory;

static void setup(void)
{
    directory = g_dir_make_tmp("umbra-images-XXXXXX", NULL);
    ck_assert_ptr_nonnull(directory);
}

static void teardown(void)
{
    g_autoptr(GDir) listing = g_dir_open(directory, 0, NULL);
    const char *name;

    drive_cleanup();
    while ((name = g_dir_read_name(listing))) {
        g_autofree char *path = g_build_filename(directory, name, NULL);

        unlink(path);
    }
    rmdir(directory);
}

static char *path_of(const char *name)
{
    return g_build_filename(directory, name, NULL);
}

static bool have_tools(void)
{
    g_autofree char *img = g_find_program_in_path("qemu-img");
    g_autofree char *nbd = g_find_program_in_path("qemu-nbd");

    return img && nbd;
}

/* Runs a program to its end; whether it succeeded. */
static bool ran(const char *format, ...) G_GNUC_PRINTF(1, 2);

static bool ran(const char *format, ...)
{
    g_autofree char *command = NULL, *out = NULL, *err = NULL;
    va_list arguments;
    int status = -1;

    va_start(arguments, format);
    command = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    return g_spawn_command_line_sync(command, &out, &err, &status, NULL) &&
           g_spawn_check_wait_status(status, NULL);
}

/* An image of that format with image_new()'s content. */
static char *image_of_format(const char *format)
{
    g_autofree char *raw = image_new(SIZE);
    char *path = path_of(format);

    ck_assert(ran("qemu-img convert -f raw -O %s %s %s", format, raw, path));
    unlink(raw);
    return path;
}

static void assert_content(BlockBackend *drive)
{
    uint8_t data[512];

    ck_assert_uint_eq(block_size(drive), SIZE);
    for (unsigned n = 0; n < MiB(1) / 512; n += 97) {
        ck_assert(block_read(drive, n, data, 1));
        assert_sector(data, n);
    }
    ck_assert(block_read(drive, SIZE / 512 - 1, data, 1));
    ck_assert_uint_eq(data[0] | data[511], 0);
    ck_assert(!block_read(drive, SIZE / 512, data, 1));
}

/* -- Formats ------------------------------------------------------------------------- */

START_TEST(test_formats)
{
    static const char *const formats[] = {"qcow2", "vmdk", "vdi", "vhdx", "qed"};
    uint8_t data[4 * 512];

    for (size_t i = 0; have_tools() && i < G_N_ELEMENTS(formats); i++) {
        g_autofree char *path = image_of_format(formats[i]), *raw = path_of("raw");
        g_autofree char *bytes = NULL;
        BlockBackend *drive = opened("file=%s", path);
        gsize length;

        ck_assert_str_eq(block_node_driver(block_node(drive)), formats[i]);
        assert_content(drive);
        memset(data, 0x77, sizeof data);
        ck_assert(block_write(drive, 100, data, 4));
        ck_assert(block_write(drive, SIZE / 512 - 1, data, 1));
        ck_assert(block_flush(drive));
        drive_cleanup();
        ck_assert(ran("qemu-img convert -f %s -O raw %s %s", formats[i], path, raw));
        ck_assert(g_file_get_contents(raw, &bytes, &length, NULL));
        ck_assert_uint_eq(length, SIZE);
        assert_sector((uint8_t *)bytes + 99 * 512, 99);
        ck_assert_int_eq(memcmp(bytes + 100 * 512, data, sizeof data), 0);
        assert_sector((uint8_t *)bytes + 104 * 512, 104);
        ck_assert_int_eq(bytes[SIZE - 1], 0x77);
    }
}
END_TEST

START_TEST(test_format_given)
{
    g_autofree char *path = have_tools() ? image_of_format("qcow2") : NULL;
    BlockBackend *drive;

    if (!path) {
        return;
    }
    assert_content(opened("file=%s,format=qcow2,readonly=on", path));
    drive_cleanup();
    drive = opened("file=%s,format=raw,readonly=on", path); /* its bytes as they are */
    ck_assert_str_eq(block_node_driver(block_node(drive)), "raw");
    drive_cleanup();
    refused("as vmdk", "file=%s,format=vmdk", path);
    assert_content(opened("file=%s,driver=qcow2,file.locking=off,media=cdrom", path));
}
END_TEST

START_TEST(test_snapshot_of_qcow2)
{
    g_autofree char *path = have_tools() ? image_of_format("qcow2") : NULL;
    uint8_t data[512];
    BlockBackend *drive;

    if (!path) {
        return;
    }
    ck_assert_int_eq(chmod(path, 0400), 0);
    drive = opened("file=%s,snapshot=on", path);
    memset(data, 0x42, sizeof data);
    ck_assert(block_write(drive, 5, data, 1));
    ck_assert(block_read(drive, 5, data, 1));
    ck_assert_uint_eq(data[0], 0x42);
    drive_cleanup();
    assert_content(opened("file=%s,readonly=on", path));
}
END_TEST

/* The one who serves the image holds QEMU's locks. */
START_TEST(test_locks)
{
    g_autofree char *path = have_tools() ? image_of_format("qcow2") : NULL;

    if (!path) {
        return;
    }
    opened("file=%s", path);
    refused("lock", "file=%s", path);
    refused("lock", "file=%s,format=raw", path);
    ck_assert(!ran("qemu-img resize %s 4M", path));
    drive_cleanup();
    for (int i = 0; i < 100 && !ran("qemu-img resize %s 4M", path); i++) {
        g_usleep(20000); /* the server is on its way out */
    }
    ck_assert_uint_eq(block_size(opened("file=%s", path)), MiB(4));
}
END_TEST

/* A guest that writes a format's header to its raw disk would choose the host's files of
 * the next start, unless the user has said that the disk is raw. */
START_TEST(test_raw_stays_raw)
{
    g_autofree char *path = image_new(SIZE);
    uint8_t data[2 * 512] = "QFI\xfb\0\0\0\x03";
    BlockBackend *drive = opened("file=%s", path);

    ck_assert(!block_write(drive, 0, data, 1));
    ck_assert(!block_write(drive, 0, data, 2));
    ck_assert(block_write(drive, 1, data, 1));
    data[0] = 'M';
    ck_assert(block_write(drive, 0, data, 1));
    drive_cleanup();
    data[0] = 'Q';
    ck_assert(block_write(opened("file=%s,format=raw", path), 0, data, 1));
    drive_cleanup();
    unlink(path);
}
END_TEST

START_TEST(test_without_qemu_nbd)
{
    g_autofree char *path = path_of("x.qcow2");

    ck_assert(g_file_set_contents(path, "QFI\xfb\0\0\0\x03", 8, NULL));
    g_setenv("PATH", "/nonexistent", TRUE);
    refused("qemu-utils", "file=%s", path);
    refused("qemu-utils", "file=%s,format=vmdk", path);
}
END_TEST

/* -- Broken images ------------------------------------------------------------------- */

START_TEST(test_cut_images)
{
    static const off_t lengths[] = {8, 100, 512, 65536, 131072 + 7, 262144, 400000};

    for (size_t i = 0; have_tools() && i < G_N_ELEMENTS(lengths); i++) {
        g_autofree char *path = image_of_format("qcow2");
        g_autofree char *text = g_strdup_printf("file=%s", path);
        g_autoptr(GError) error = NULL;
        uint8_t data[512];
        BlockBackend *drive;

        ck_assert_int_eq(truncate(path, lengths[i]), 0);
        drive = drive_new(text, &error);
        if (!drive) {
            ck_assert_ptr_nonnull(strstr(error->message, "as qcow2"));
            ck_assert_ptr_null(strchr(error->message, '\n'));
        }
        /* Where the header still makes sense the rest fails, or reads as zeroes. */
        for (unsigned n = 0; drive && n < SIZE / 512; n += 61) {
            (void)block_read(drive, n, data, 1);
            (void)block_write(drive, n, data, 1);
        }
        drive_cleanup();
    }
}
END_TEST

START_TEST(test_garbage)
{
    g_autofree char *path = path_of("garbage");
    GRand *random = g_rand_new_with_seed(4);

    for (unsigned i = 0; have_tools() && i < 8; i++) {
        uint8_t bytes[4096] = "QFI\xfb\0\0\0\x03";
        g_autofree char *text = g_strdup_printf("file=%s", path);
        g_autoptr(GError) error = NULL;

        for (size_t n = 8; n < sizeof bytes; n++) {
            bytes[n] = (uint8_t)g_rand_int(random);
        }
        ck_assert(g_file_set_contents(path, (char *)bytes, sizeof bytes, NULL));
        if (!drive_new(text, &error)) {
            ck_assert_ptr_null(strchr(error->message, '\n'));
        }
        drive_cleanup();
    }
    g_rand_free(random);
}
END_TEST

/* A raw image that loses its end: zeroes are there now, and what is written brings it
 * back. */
START_TEST(test_image_shrinks)
{
    g_autofree char *path = image_new(SIZE);
    BlockBackend *drive = opened("file=%s,format=raw", path);
    uint8_t data[4 * 512];
    struct stat status;

    ck_assert_int_eq(truncate(path, 1000), 0);
    ck_assert(block_read(drive, 0, data, 4));
    assert_sector(data, 0);
    ck_assert_uint_eq(data[512], 1);
    ck_assert_uint_eq(data[1000] | data[2047], 0);
    ck_assert(block_read(drive, SIZE / 512 - 4, data, 4));
    ck_assert_uint_eq(data[0], 0);
    ck_assert(block_write(drive, SIZE / 512 - 4, data, 4));
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_int_eq(status.st_size, SIZE);
    unlink(path);
}
END_TEST

/* -- NBD servers --------------------------------------------------------------------- */

static GPid server;

/* qemu-nbd with those options, on the socket "socket". */
static char *start_server(const char *options)
{
    char *socket = path_of("socket");
    g_autofree char *raw = image_new(SIZE), *image = path_of("disk");
    g_autofree char *command = NULL;
    g_auto(GStrv) argv = NULL;

    ck_assert_int_eq(rename(raw, image), 0);
    command = g_strdup_printf("qemu-nbd --persistent --format=raw --socket=%s %s %s",
                              socket, options, image);
    ck_assert(g_shell_parse_argv(command, NULL, &argv, NULL));
    ck_assert(g_spawn_async(NULL, argv, NULL,
                            G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
                            &server, NULL));
    for (int i = 0; i < 500 && access(socket, F_OK) != 0; i++) {
        g_usleep(10000);
    }
    return socket;
}

static void stop_server(void)
{
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
}

START_TEST(test_nbd_names)
{
    g_autofree char *socket = have_tools() ? start_server("--export-name=disk") : NULL;

    if (!socket) {
        return;
    }
    assert_content(opened("file=nbd+unix:///disk?socket=%s", socket));
    drive_cleanup();
    assert_content(opened("file=nbd:unix:%s:exportname=disk,format=raw", socket));
    drive_cleanup();
    assert_content(
        opened("driver=nbd,server.type=unix,server.path=%s,export=disk", socket));
    drive_cleanup();
    assert_content(opened("driver=raw,file.driver=nbd,file.server.type=unix,"
                          "file.server.path=%s,file.export=disk",
                          socket));
    drive_cleanup();
    refused("Could not connect", "file=nbd+unix:///other?socket=%s", socket);
    refused("Could not connect", "file=nbd+unix:///disk?socket=%s.not", socket);
    refused("Could not connect", "file=nbd://127.0.0.1:1/");
    refused("is not a server", "file=nbd:nowhere");
    refused("'server' is missing", "driver=nbd,export=x");
    refused("Unknown protocol 'gopher'", "file=gopher://x/y");
    stop_server();
}
END_TEST

START_TEST(test_nbd_readonly)
{
    g_autofree char *socket = have_tools() ? start_server("--read-only") : NULL;

    if (!socket) {
        return;
    }
    refused("readonly=on", "file=nbd+unix:///?socket=%s", socket);
    assert_content(opened("file=nbd+unix:///?socket=%s,readonly=on", socket));
    drive_cleanup();
    ck_assert(block_is_readonly(
        opened("file=nbd+unix:///?socket=%s,auto-read-only=on", socket)));
    stop_server();
}
END_TEST

/* The guest is told of I/O errors, at once, for as long as the server is gone. */
START_TEST(test_nbd_server_dies)
{
    g_autofree char *socket = have_tools() ? start_server("") : NULL;
    uint8_t data[8 * 512] = {0};
    BlockBackend *drive;
    gint64 start;

    if (!socket) {
        return;
    }
    drive = opened("file=nbd+unix:///?socket=%s", socket);
    ck_assert(block_write(drive, 9, data, 8));
    stop_server();
    start = g_get_monotonic_time();
    ck_assert(!block_read(drive, 9, data, 8));
    ck_assert(!block_write(drive, 9, data, 8));
    ck_assert(!block_flush(drive));
    ck_assert(!block_read(drive, 0, data, 1));
    ck_assert_int_lt(g_get_monotonic_time() - start, 5 * G_USEC_PER_SEC);
    ck_assert_uint_eq(block_size(drive), SIZE);
}
END_TEST

/* The disk goes away while a guest reads it at the IDE registers: an error there, and the
 * next disk works. */
START_TEST(test_ide_disk_dies)
{
    g_autofree char *socket = have_tools() ? start_server("") : NULL;
    g_autofree char *path = image_new(SIZE);
    uint8_t data[512];

    if (!socket) {
        return;
    }
    opened("file=nbd+unix:///?socket=%s,index=0", socket);
    drive_add(path, "if=ide,index=1");
    machine_start();
    command_lba28(0x20, 3, 1);
    ck_assert_uint_eq(inb(STATUS) & (DRQ | ERR), DRQ);
    read_block(data, sizeof data);
    assert_sector(data, 3);
    stop_server();
    command_lba28(0x20, 3, 1);
    ck_assert_uint_eq(inb(STATUS) & (BSY | DRQ | ERR), ERR);
    ck_assert_uint_eq(inb(ERROR), UNC);
    outb(DEVICE, 0xf0);
    outb(COUNT, 1);
    outb(COMMAND, 0x20);
    ck_assert_uint_eq(inb(STATUS) & (DRQ | ERR), DRQ);
    unlink(path);
}
END_TEST

/* rerror=ignore and werror=ignore: the guest is not told. */
START_TEST(test_ignored_errors)
{
    g_autofree char *socket = have_tools() ? start_server("") : NULL;
    uint8_t data[512] = {0};
    BlockBackend *drive;

    if (!socket) {
        return;
    }
    drive = opened("file=nbd+unix:///?socket=%s,rerror=ignore,werror=ignore", socket);
    stop_server();
    ck_assert(block_read(drive, 9, data, 1));
    ck_assert(block_write(drive, 9, data, 1));
    ck_assert(!block_read(drive, SIZE / 512, data, 1)); /* that is the guest's own */
}
END_TEST

/* Somebody who listens and is no server: says `greeting`, then nothing. */
static char *start_impostor(const char *greeting, size_t length)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char *path = path_of("impostor");
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);

    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    server = fork();
    if (server == 0) {
        int peer = accept(listener, NULL, NULL);

        (void)!write(peer, greeting, length);
        for (;;) {
            pause();
        }
    }
    close(listener);
    return path;
}

START_TEST(test_nbd_impostors)
{
    g_autofree char *path = NULL;

    if (!have_tools()) {
        return;
    }
    path =
        start_impostor("220 mail.example ESMTP is here, and it is long enough\r\n", 54);
    refused("Could not connect", "file=nbd+unix:///?socket=%s", path);
    stop_server();
    unlink(path);
    g_free(path);
    path = start_impostor("", 0); /* takes the ten seconds */
    refused("does not answer", "file=nbd+unix:///?socket=%s", path);
    stop_server();
}
END_TEST

/* -- -blockdev ----------------------------------------------------------------------- */

static void blockdev_refused(const char *words, const char *text)
{
    g_autoptr(GError) error = NULL;

    ck_assert_msg(!blockdev_add_from_text(text, &error), "%s is taken", text);
    ck_assert_msg(strstr(error->message, words) != NULL, "%s: %s", text, error->message);
    ck_assert_ptr_null(strchr(error->message, '\n'));
}

START_TEST(test_blockdev_errors)
{
    static const struct {
        const char *words, *text;
    } rows[] = {
        {"'driver' is missing", "node-name=a"},
        {"'node-name' must be specified", "driver=null-co"},
        {"known ones: raw", "driver=floppy-disk,node-name=a"},
        {"Invalid node-name: '1a'", "driver=null-co,node-name=1a"},
        {"Invalid node-name: '#block100'", "driver=null-co,node-name=#block100"},
        {"Invalid parameter 'sze'", "driver=null-co,node-name=a,sze=1"},
        {"expects a size", "driver=null-co,node-name=a,size=much"},
        {"expects a size", "driver=null-co,node-name=a,size=-1"},
        {"'on' or 'off'", "driver=null-co,node-name=a,read-only=maybe"},
        {"ignore, off", "driver=null-co,node-name=a,discard=maybe"},
        {"'filename' is missing", "driver=file,node-name=a"},
        {"No such file", "driver=file,node-name=a,filename=/nowhere"},
        {"regular file", "driver=file,node-name=a,filename=/dev/null"},
        {"regular file", "driver=host_device,node-name=a,filename=/dev/null"},
        {"does not take 'often'", "driver=file,node-name=a,filename=/etc/passwd,"
                                  "read-only=on,locking=often"},
        {"Cannot find device='b'", "driver=raw,node-name=a,file=b"},
        {"must be specified", "driver=raw,node-name=a"},
        {"'driver' is missing", "driver=raw,node-name=a,file.filename=/etc/passwd"},
        {"names a node", "driver=raw,node-name=a,file=b,file.driver=file"},
        {"multiples of 512", "driver=raw,node-name=a,file.driver=null-co,offset=100"},
        {"smaller or equal", "driver=raw,node-name=a,file.driver=null-co,size=2T"},
        {"needs a file below", "driver=qcow2,node-name=a,file.driver=null-co"},
        {"Parse error", "{\"driver\": "},
        {"'driver' is missing", "{}"},
        {"'driver' is missing", "{\"driver\": null, \"node-name\": \"a\"}"},
        {"Invalid parameter 'size.0'",
         "{\"driver\": \"null-co\", \"node-name\": \"a\", \"size\": [1]}"},
        {"Invalid parameter 'x.y'",
         "{\"driver\": \"null-co\", \"node-name\": \"a\", \"x\": {\"y\": 1}}"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        blockdev_refused(rows[i].words, rows[i].text);
        ck_assert_ptr_null(block_node_find("a"));
    }
}
END_TEST

static void blockdev(const char *text)
{
    GError *error = NULL;

    ck_assert_msg(blockdev_add_from_text(text, &error), "%s: %s", text,
                  error ? error->message : "");
}

/* One who writes stands alone; those who read do not. */
START_TEST(test_blockdev_users)
{
    g_autofree char *path = image_new(SIZE);
    g_autofree char *file =
        g_strdup_printf("driver=file,node-name=f,filename=%s,auto-read-only=on", path);
    g_autoptr(GError) error = NULL;
    BlockBackend *first, *second;
    uint8_t data[512];

    blockdev(file);
    blockdev("driver=raw,node-name=a,file=f");
    blockdev(
        "{\"driver\": \"raw\", \"node-name\": \"b\", \"file\": \"f\", \"offset\": 512, "
        "\"size\": 1024}");
    blockdev_refused("Duplicate nodes", "driver=null-co,node-name=a");
    refused("Duplicate ID 'a'", "if=none,id=a");
    ck_assert(!blockdev_del("f", &error));
    g_clear_error(&error);

    first = drive_take_by_id("b", false, NULL);
    ck_assert_uint_eq(block_sectors(first), 2);
    ck_assert(block_read(first, 0, data, 1));
    assert_sector(data, 1);
    second = drive_take_by_id("a", false, NULL);
    ck_assert(block_read(second, 7, data, 1));
    assert_sector(data, 7);
    drive_release(second);
    ck_assert_ptr_null(drive_take_by_id("a", true, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "Permission conflict on node 'f'"));
    g_clear_error(&error);
    drive_release(first);
    first = drive_take_by_id("a", true, NULL);
    ck_assert(block_write(first, 0, data, 1));
    ck_assert_ptr_null(drive_take_by_id("b", false, &error));
    g_clear_error(&error);
    ck_assert(!blockdev_del("a", NULL));
    drive_release(first);
    ck_assert(blockdev_del("a", NULL));
    ck_assert(!blockdev_del("f", NULL));
    ck_assert(blockdev_del("b", NULL));
    ck_assert(blockdev_del("f", NULL));
    ck_assert_ptr_null(block_node_find("f"));
    unlink(path);
}
END_TEST

/* A qcow2 node over a file's node: the file's locks go to the server. */
START_TEST(test_blockdev_layers)
{
    g_autofree char *path = have_tools() ? image_of_format("qcow2") : NULL;
    g_autofree char *file =
        path ? g_strdup_printf("driver=file,node-name=f,filename=%s", path) : NULL;
    g_autoptr(GError) error = NULL;
    BlockBackend *drive;

    if (!path) {
        return;
    }
    blockdev(file);
    blockdev("driver=qcow2,node-name=q,file=f");
    drive = drive_take_by_id("q", true, &error);
    ck_assert_msg(drive != NULL, "%s", error ? error->message : "");
    assert_content(drive);
    ck_assert_ptr_null(drive_take_by_id("f", false, NULL));
    drive_release(drive);
    ck_assert(blockdev_del("q", NULL));
    ck_assert(blockdev_del("f", NULL));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        test_formats,         test_format_given,   test_snapshot_of_qcow2,
        test_locks,           test_raw_stays_raw,  test_without_qemu_nbd,
        test_cut_images,      test_garbage,        test_image_shrinks,
        test_nbd_names,       test_nbd_readonly,   test_nbd_server_dies,
        test_ide_disk_dies,   test_ignored_errors, test_nbd_impostors,
        test_blockdev_errors, test_blockdev_users, test_blockdev_layers,
    };
    TCase *tcase = tcase_create("images");

    tcase_add_checked_fixture(tcase, setup, teardown);
    for (size_t i = 0; i < G_N_ELEMENTS(tests); i++) {
        tcase_add_test(tcase, tests[i]);
    }
    return run_suite("images", tcase);
}
