/*
 * Discs and disks that are exchanged while the machine runs, from both sides: the user's
 * QMP commands, and what the guest sees at the drive's registers. CD-ROM by SFF-8020i and
 * MMC-3, floppy by the 82077AA's data sheet (order 290166) and the drive's disk change
 * line. Runs on Umbra and on QEMU.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <check.h>
#include <glib.h>
#include <stdlib.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "qtests/qtest-client.h"

#define CD 0x170 /* the secondary channel's first drive */
enum { STATUS = CD + 7, BSY = 0x80, DRQ = 0x08, ERR = 0x01 };

static QtestClient *client;

/* A file whose every byte is `fill`. */
static char *image_new(size_t size, uint8_t fill)
{
    char *path = g_strdup("/tmp/umbra-media-XXXXXX");
    g_autofree char *bytes = g_malloc(size);
    int fd = mkstemp(path);

    memset(bytes, fill, size);
    ck_assert_int_eq(write(fd, bytes, size), size);
    close(fd);
    return path;
}

static uint8_t inb(uint16_t port)
{
    return (uint8_t)qtest_client_in(client, port, 1);
}

static void outb(uint16_t port, uint8_t value)
{
    qtest_client_out(client, port, 1, value);
}

/* -- QMP ----------------------------------------------------------------------------- */

/* The command succeeds. */
static void qmp_ok(const char *command, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void qmp_ok(const char *command, const char *format, ...)
{
    g_autofree char *arguments = NULL, *message = NULL;
    JsonNode *answer;
    va_list values;

    va_start(values, format);
    arguments = g_strdup_vprintf(format, values);
    va_end(values);
    answer = qtest_client_execute(client, command, &message, "%s", arguments);
    ck_assert_msg(answer != NULL, "%s %s: %s", command, arguments, message);
    json_node_unref(answer);
}

/* It fails, and its error has these words. */
static void qmp_fails(const char *words, const char *command, const char *arguments)
{
    g_autofree char *message = NULL;
    g_autoptr(JsonNode) answer =
        qtest_client_execute(client, command, &message, "%s", arguments);

    ck_assert_msg(answer == NULL, "%s %s succeeds", command, arguments);
    ck_assert_msg(strstr(message, words) != NULL, "%s", message);
}

static void expect_tray_event(bool open)
{
    g_autoptr(JsonObject) data = qtest_client_event(client, "DEVICE_TRAY_MOVED");

    ck_assert_str_eq(json_object_get_string_member(data, "device"), "cd");
    ck_assert_str_eq(json_object_get_string_member(data, "id"), "cdrom");
    ck_assert_int_eq(json_object_get_boolean_member(data, "tray-open"), open);
}

/* query-block's entry of the drive. */
static JsonObject *query_drive(const char *name)
{
    g_autoptr(JsonNode) answer = qtest_client_execute(client, "query-block", NULL, NULL);
    JsonArray *list = json_node_get_array(answer);

    for (guint i = 0; i < json_array_get_length(list); i++) {
        JsonObject *drive = json_array_get_object_element(list, i);

        if (strcmp(json_object_get_string_member(drive, "device"), name) == 0) {
            return json_object_ref(drive);
        }
    }
    ck_abort_msg("no drive '%s'", name);
    return NULL;
}

/* -- The CD-ROM ---------------------------------------------------------------------- */

static void start_with_cdrom(void)
{
    client = qtest_client_new("-M pc -nodefaults -drive if=none,id=cd,media=cdrom "
                              "-device ide-cd,drive=cd,id=cdrom,bus=ide.1,unit=0");
}

static uint8_t wait_until_ready(void)
{
    uint8_t status = BSY;

    for (int i = 0; i < 10000 && (status & BSY); i++) {
        status = inb(STATUS);
    }
    ck_assert_msg(!(status & BSY), "busy for ever");
    return status;
}

static uint8_t reply[4096];

/* The PACKET command by PIO; the bytes it gives, or minus the sense key. */
static int packet(const uint8_t command[12])
{
    unsigned length = 0;
    uint8_t status;

    outb(CD + 6, 0xa0);
    outb(CD + 1, 0);
    outb(CD + 4, 0x00);
    outb(CD + 5, 0x08);
    outb(CD + 7, 0xa0);
    ck_assert_uint_eq(wait_until_ready() & DRQ, DRQ);
    for (unsigned i = 0; i < 12; i += 2) {
        qtest_client_out(client, CD, 2, command[i] | (uint32_t)command[i + 1] << 8);
    }
    while ((status = wait_until_ready()) & DRQ) {
        unsigned count = inb(CD + 4) | (unsigned)inb(CD + 5) << 8;

        ck_assert_uint_le(length + count, sizeof reply);
        for (unsigned i = 0; i < count; i += 2) {
            uint16_t word = (uint16_t)qtest_client_in(client, CD, 2);

            memcpy(reply + length + i, &word, 2);
        }
        length += count;
    }
    return status & ERR ? -(inb(CD + 1) >> 4) : (int)length;
}

#define PACKET(...) packet((const uint8_t[12]){__VA_ARGS__})

/* TEST UNIT READY fails with this sense. */
static void expect_sense(uint8_t key, uint8_t code)
{
    ck_assert_int_eq(PACKET(0), -key);
    ck_assert_int_eq(PACKET(0x03, [4] = 18), 18);
    ck_assert_uint_eq(reply[2] & 0x0f, key);
    ck_assert_uint_eq(reply[12], code);
}

/* Where a medium has come: first none is there, then it may be another one. */
static void expect_new_medium(unsigned blocks, uint8_t fill)
{
    expect_sense(2, 0x3a);
    expect_sense(6, 0x28);
    ck_assert_int_eq(PACKET(0), 0);
    ck_assert_int_eq(PACKET(0x25), 8);
    ck_assert_uint_eq(reply[2] << 8 | reply[3], blocks - 1);
    ck_assert_int_eq(PACKET(0x28, [8] = 1), 2048);
    ck_assert_uint_eq(reply[0], fill);
    ck_assert_uint_eq(reply[2047], fill);
}

/* A disc of 20 blocks of 0x11 goes into the drive, and the guest has noticed. */
static void put_disc_in(const char *path)
{
    qmp_ok("blockdev-change-medium",
           "{\"device\": \"cd\", \"filename\": \"%s\", \"format\": \"raw\"}", path);
    expect_tray_event(true);
    expect_tray_event(false);
    expect_new_medium(20, 0x11);
}

/* Byte 5 of GET EVENT STATUS NOTIFICATION: bit 0 tray open, bit 1 medium there; its event
 * in byte 4. */
static void expect_media_status(uint8_t event, uint8_t status)
{
    ck_assert_int_eq(PACKET(0x4a, 1, [4] = 0x10, [8] = 8), 8);
    ck_assert_uint_eq(reply[4] & 0x0f, event);
    ck_assert_uint_eq(reply[5], status);
}

START_TEST(test_change_disc)
{
    char *first = image_new(20 * 2048, 0x11), *second = image_new(40 * 2048, 0x22);

    start_with_cdrom();
    expect_sense(2, 0x3a);
    put_disc_in(first);
    qmp_ok("blockdev-change-medium",
           "{\"id\": \"cdrom\", \"filename\": \"%s\", \"format\": \"raw\"}", second);
    expect_tray_event(true);
    expect_tray_event(false);
    expect_media_status(2, 0x02);
    expect_new_medium(40, 0x22);
    expect_media_status(0, 0x02);
    qtest_client_free(client);
    unlink(first);
    unlink(second);
}
END_TEST

/* A wrong name takes nothing away. */
START_TEST(test_change_fails)
{
    char *first = image_new(20 * 2048, 0x11);

    start_with_cdrom();
    put_disc_in(first);
    qmp_fails("No such file", "blockdev-change-medium",
              "{\"device\": \"cd\", \"filename\": \"/nowhere/at/all\"}");
    qmp_fails("not found", "blockdev-change-medium",
              "{\"device\": \"dc\", \"filename\": \"/nowhere/at/all\"}");
    qmp_fails("Need exactly one", "eject", "{}");
    ck_assert_int_eq(PACKET(0), 0);
    qtest_client_free(client);
    unlink(first);
}
END_TEST

START_TEST(test_eject_locked)
{
    char *first = image_new(20 * 2048, 0x11);
    g_autoptr(JsonObject) drive = NULL;

    start_with_cdrom();
    put_disc_in(first);
    expect_media_status(2, 0x02);
    ck_assert_int_eq(PACKET(0x1e, [4] = 1), 0); /* PREVENT MEDIUM REMOVAL */
    drive = query_drive("cd");
    ck_assert(json_object_get_boolean_member(drive, "locked"));
    qmp_fails("is locked", "eject", "{\"device\": \"cd\"}");
    expect_media_status(1, 0x02); /* the guest is asked */
    ck_assert_int_eq(PACKET(0), 0);
    ck_assert_int_eq(PACKET(0x1b, [4] = 2), -2); /* the guest cannot either */
    qmp_ok("eject", "{\"device\": \"cd\", \"force\": true}");
    expect_tray_event(true);
    expect_media_status(0, 0x01);
    expect_sense(2, 0x3a);
    qtest_client_free(client);
    unlink(first);
}
END_TEST

/* START STOP UNIT with LoEj moves the tray, and the user hears of it. */
START_TEST(test_guest_moves_tray)
{
    char *first = image_new(20 * 2048, 0x11);
    g_autoptr(JsonObject) open = NULL, closed = NULL;

    start_with_cdrom();
    put_disc_in(first);
    ck_assert_int_eq(PACKET(0x1b, [4] = 2), 0);
    expect_tray_event(true);
    open = query_drive("cd");
    ck_assert(json_object_get_boolean_member(open, "tray_open"));
    ck_assert(json_object_has_member(open, "inserted"));
    ck_assert_int_eq(PACKET(0), -2);
    ck_assert_int_eq(PACKET(0x1b, [4] = 3), 0);
    expect_tray_event(false);
    closed = query_drive("cd");
    ck_assert(!json_object_get_boolean_member(closed, "tray_open"));
    while (PACKET(0) != 0) { /* how often it says so is the drive's matter */
    }
    ck_assert_int_eq(PACKET(0x28, [8] = 1), 2048);
    ck_assert_uint_eq(reply[0], 0x11);
    qtest_client_free(client);
    unlink(first);
}
END_TEST

START_TEST(test_nodes_as_media)
{
    char *first = image_new(20 * 2048, 0x11);
    g_autoptr(JsonObject) drive = NULL;

    start_with_cdrom();
    qmp_ok(
        "blockdev-add",
        "{\"driver\": \"raw\", \"node-name\": \"disc\", \"read-only\": true, "
        "\"file\": {\"driver\": \"file\", \"filename\": \"%s\", \"node-name\": \"f\"}}",
        first);
    qmp_fails("is not open", "blockdev-insert-medium",
              "{\"id\": \"cdrom\", \"node-name\": \"disc\"}");
    qmp_ok("blockdev-open-tray", "{\"id\": \"cdrom\"}");
    expect_tray_event(true);
    qmp_fails("not found", "blockdev-insert-medium",
              "{\"id\": \"cdrom\", \"node-name\": \"nothing\"}");
    qmp_ok("blockdev-insert-medium", "{\"id\": \"cdrom\", \"node-name\": \"disc\"}");
    qmp_fails("in use", "blockdev-del", "{\"node-name\": \"disc\"}");
    qmp_fails("f", "blockdev-del", "{\"node-name\": \"f\"}");
    qmp_ok("blockdev-close-tray", "{\"id\": \"cdrom\"}");
    expect_tray_event(false);
    drive = query_drive("cd");
    ck_assert_str_eq(json_object_get_string_member(
                         json_object_get_object_member(drive, "inserted"), "node-name"),
                     "disc");
    expect_new_medium(20, 0x11);
    qmp_fails("is not open", "blockdev-remove-medium", "{\"id\": \"cdrom\"}");
    qmp_ok("blockdev-open-tray", "{\"id\": \"cdrom\"}");
    expect_tray_event(true);
    qmp_ok("blockdev-remove-medium", "{\"id\": \"cdrom\"}");
    qmp_ok("blockdev-del", "{\"node-name\": \"disc\"}");
    qmp_fails("Failed to find node", "blockdev-del", "{\"node-name\": \"disc\"}");
    qmp_fails("Failed to find node", "blockdev-del", "{\"node-name\": \"f\"}");
    qtest_client_free(client);
    unlink(first);
}
END_TEST

/* -- The floppy ---------------------------------------------------------------------- */

enum { FDC_DOR = 0x3f2, FDC_MSR = 0x3f4, FDC_FIFO = 0x3f5, FDC_DIR = 0x3f7 };

#define SECTORS_144 2880u
#define SECTORS_720 1440u

/* The controller out of reset, drive A selected with its motor on, data without DMA. */
static void start_with_floppy(const char *path)
{
    g_autofree char *arguments =
        g_strdup_printf("-M pc -nodefaults -drive if=none,id=disk,format=raw,file=%s "
                        "-device floppy,drive=disk,id=a,unit=0,drive-type=144",
                        path);

    client = qtest_client_new(arguments);
    outb(FDC_DOR, 0x00);
    outb(FDC_DOR, 0x1c);
}

static void fdc_command(const uint8_t *bytes, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        ck_assert_uint_eq(inb(FDC_MSR) & 0xc0, 0x80);
        outb(FDC_FIFO, bytes[i]);
    }
}

#define FDC_COMMAND(...)                                                                 \
    fdc_command((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static uint8_t fdc_result(void)
{
    ck_assert_uint_eq(inb(FDC_MSR) & 0xc0, 0xc0);
    return inb(FDC_FIFO);
}

static void sense_interrupt(void)
{
    FDC_COMMAND(0x08);
    while ((inb(FDC_MSR) & 0xc0) == 0xc0) {
        inb(FDC_FIFO);
    }
}

static void initialize_fdc(uint8_t rate)
{
    for (int i = 0; i < 4; i++) {
        sense_interrupt();
    }
    FDC_COMMAND(0x03, 0xaf, 0x03); /* SPECIFY: no DMA */
    outb(FDC_DIR, rate);
}

static void seek(uint8_t cylinder)
{
    FDC_COMMAND(0x0f, 0x00, cylinder);
    sense_interrupt();
}

static bool disk_changed(void)
{
    return inb(FDC_DIR) & 0x80;
}

/* READ DATA of one sector, the last of its track to the controller; ST0's upper bits, and
 * the sector's first byte in *first. */
static uint8_t read_sector(uint8_t cylinder, uint8_t sector, uint8_t *first)
{
    uint8_t st0;

    FDC_COMMAND(0x46, 0x00, cylinder, 0x00, sector, 0x02, sector, 0x1b, 0xff);
    *first = 0;
    for (unsigned i = 0; i < 512 && (inb(FDC_MSR) & 0xe0) == 0xe0; i++) {
        uint8_t byte = inb(FDC_FIFO);

        *first = i == 0 ? byte : *first;
    }
    st0 = fdc_result() & 0xf8;
    for (unsigned i = 1; i < 7; i++) {
        fdc_result();
    }
    return st0;
}

/* The disk change line is active until a step with a disk in the drive. */
START_TEST(test_disk_change_line)
{
    char *path = image_new(SECTORS_144 * 512, 0x11);
    char *other = image_new(SECTORS_144 * 512, 0x22);
    uint8_t byte;

    start_with_floppy(path);
    initialize_fdc(0);
    ck_assert(disk_changed());
    seek(1);
    ck_assert(!disk_changed());
    read_sector(1, 1, &byte);
    ck_assert_uint_eq(byte, 0x11);
    qmp_ok("eject", "{\"device\": \"disk\"}");
    ck_assert(disk_changed());
    seek(2);
    ck_assert(disk_changed()); /* the step finds no disk */
    qmp_ok("blockdev-change-medium",
           "{\"device\": \"disk\", \"filename\": \"%s\", \"format\": \"raw\"}", other);
    ck_assert(disk_changed());
    seek(2); /* no step: the heads are there */
    ck_assert(disk_changed());
    seek(1);
    ck_assert(!disk_changed());
    read_sector(1, 1, &byte);
    ck_assert_uint_eq(byte, 0x22);
    outb(FDC_DOR, 0x0d); /* drive B, which is not there */
    qtest_client_free(client);
    unlink(path);
    unlink(other);
}
END_TEST

/* What the new disk is decides over protection and format. */
START_TEST(test_other_kind_of_disk)
{
    char *path = image_new(SECTORS_144 * 512, 0x11);
    char *small = image_new(SECTORS_720 * 512, 0x22);
    uint8_t byte;

    start_with_floppy(path);
    initialize_fdc(0);
    seek(1);
    FDC_COMMAND(0x04, 0x00);
    ck_assert_uint_eq(fdc_result() & 0x40, 0x00);
    read_sector(1, 18, &byte);
    ck_assert_uint_eq(byte, 0x11);
    qmp_ok("blockdev-change-medium",
           "{\"device\": \"disk\", \"filename\": \"%s\", \"format\": \"raw\", "
           "\"read-only-mode\": \"read-only\"}",
           small);
    seek(2);
    FDC_COMMAND(0x04, 0x00);
    ck_assert_uint_eq(fdc_result() & 0x40, 0x40);
    outb(FDC_DIR, 0x02); /* 250 kbit/s: double density */
    read_sector(2, 9, &byte);
    ck_assert_uint_eq(byte, 0x22);
    ck_assert_uint_eq(read_sector(2, 10, &byte) & 0xc0, 0x40); /* nine a track */
    qtest_client_free(client);
    unlink(path);
    unlink(small);
}
END_TEST

START_TEST(test_floppy_has_no_tray)
{
    char *path = image_new(SECTORS_144 * 512, 0x11);
    g_autoptr(JsonObject) drive = NULL, empty = NULL;

    start_with_floppy(path);
    drive = query_drive("disk");
    ck_assert(json_object_get_boolean_member(drive, "removable"));
    ck_assert(!json_object_has_member(drive, "tray_open"));
    ck_assert_str_eq(json_object_get_string_member(drive, "qdev"), "a");
    qmp_ok("blockdev-open-tray", "{\"id\": \"a\"}");
    qmp_ok("blockdev-close-tray", "{\"id\": \"a\"}");
    qmp_ok("blockdev-remove-medium", "{\"id\": \"a\"}");
    empty = query_drive("disk");
    ck_assert(!json_object_has_member(empty, "inserted"));
    qtest_client_free(client);
    unlink(path);
}
END_TEST

/* -- Disks --------------------------------------------------------------------------- */

static void read_first_sector(void)
{
    outb(0x1f6, 0xe0);
    outb(0x1f2, 1);
    outb(0x1f3, 0);
    outb(0x1f4, 0);
    outb(0x1f5, 0);
    outb(0x1f7, 0x20);
    while (inb(0x1f7) & BSY) {
    }
}

START_TEST(test_disks_stay)
{
    char *path = image_new(1 << 20, 0x11);
    g_autofree char *arguments = g_strdup_printf(
        "-M pc -nodefaults -blockdev driver=file,filename=%s,node-name=f "
        "-blockdev "
        "'{\"driver\": \"raw\", \"node-name\": \"disk\", \"file\": \"f\"}' "
        "-device ide-hd,drive=disk,id=hd,bus=ide.0",
        path);
    g_autoptr(JsonObject) drive = NULL;

    client = qtest_client_new(arguments);
    qmp_fails("not removable", "eject", "{\"id\": \"hd\"}");
    qmp_fails("in use", "blockdev-del", "{\"node-name\": \"disk\"}");
    qmp_fails("", "blockdev-del", "{\"node-name\": \"f\"}");
    drive = query_drive("");
    ck_assert_str_eq(json_object_get_string_member(drive, "qdev"), "hd");
    ck_assert(!json_object_get_boolean_member(drive, "removable"));
    read_first_sector();
    ck_assert_uint_eq(inb(0x1f7) & (DRQ | ERR), DRQ);
    ck_assert_uint_eq(qtest_client_in(client, 0x1f0, 2), 0x1111);
    qtest_client_free(client);
    unlink(path);
}
END_TEST

/* A server that dies: an error at the registers and an event for the user; the machine
 * goes on. */
START_TEST(test_io_error)
{
    g_autofree char *program = g_find_program_in_path("qemu-nbd");
    char *path = image_new(1 << 20, 0x11);
    g_autofree char *socket = g_strconcat(path, ".socket", NULL);
    const char *argv[] = {"qemu-nbd", "-t", "-f", "raw", "-k", socket, path, NULL};
    g_autofree char *arguments = g_strdup_printf(
        "-M pc -nodefaults -drive file=nbd:unix:%s,format=raw,if=ide,id=disk", socket);
    g_autoptr(JsonObject) data = NULL;
    GPid server;

    if (program) {
        ck_assert(g_spawn_async(NULL, (char **)argv, NULL,
                                G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, NULL,
                                NULL, &server, NULL));
        for (int i = 0; i < 500 && access(socket, F_OK) != 0; i++) {
            g_usleep(10000);
        }
        client = qtest_client_new(arguments);
        read_first_sector();
        ck_assert_uint_eq(inb(0x1f7) & (DRQ | ERR), DRQ);
        for (int i = 0; i < 256; i++) {
            ck_assert_uint_eq(qtest_client_in(client, 0x1f0, 2), 0x1111);
        }
        kill(server, SIGKILL);
        waitpid(server, NULL, 0);
        read_first_sector();
        ck_assert_uint_eq(inb(0x1f7) & (DRQ | ERR), ERR);
        data = qtest_client_event(client, "BLOCK_IO_ERROR");
        ck_assert_str_eq(json_object_get_string_member(data, "device"), "disk");
        ck_assert_str_eq(json_object_get_string_member(data, "operation"), "read");
        ck_assert_str_eq(json_object_get_string_member(data, "action"), "report");
        ck_assert(!json_object_get_boolean_member(data, "nospace"));
        qtest_client_free(client);
    }
    unlink(socket);
    unlink(path);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        test_change_disc,        test_change_fails,       test_eject_locked,
        test_guest_moves_tray,   test_nodes_as_media,     test_disk_change_line,
        test_other_kind_of_disk, test_floppy_has_no_tray, test_disks_stay,
        test_io_error,
    };

    return qtest_client_run_suite("media", tests, G_N_ELEMENTS(tests));
}
