/*
 * Guest memory in another process's hands: memory backends, and the socket of
 * umbra-segments. This test is that other process.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "qtests/qtest-client.h"

#define RAM_SIZE 0x2000000 /* 32 MiB */
#define PAM_F 0x59         /* the register of the window f0000-fffff */

static char *directory, *socket_path;
static QtestClient *machine;

static void setup(void)
{
    directory = g_dir_make_tmp("umbra-segments-XXXXXX", NULL);
    ck_assert_ptr_nonnull(directory);
    socket_path = g_build_filename(directory, "socket", NULL);
}

static void start(const char *more)
{
    g_autofree char *arguments = g_strdup_printf(
        "-nodefaults -object umbra-segments,id=seg,path=%s %s", socket_path, more);

    machine = qtest_client_new(arguments);
}

static void teardown(void)
{
    g_autofree char *file = g_build_filename(directory, "file", NULL);

    g_clear_pointer(&machine, qtest_client_free);
    ck_assert_msg(access(socket_path, F_OK) != 0, "the socket is left over");
    g_remove(file);
    g_rmdir(directory);
    g_clear_pointer(&directory, g_free);
    g_clear_pointer(&socket_path, g_free);
}

/* -- A client -------------------------------------------------------------------- */

static int connect_client(void)
{
    const struct timeval patience = {.tv_sec = QTEST_CLIENT_SECONDS};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(address.sun_path, socket_path, sizeof(address.sun_path));
    ck_assert_msg(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0,
                  "%s: %s", socket_path, g_strerror(errno));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    return fd;
}

/* One line, and the descriptor that came with it in *fd (-1: none). NULL: the server has
 * closed the connection. */
static JsonNode *read_answer(int client, int *fd)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    JsonNode *node;

    *fd = -1;
    while (!strchr(text->str, '\n')) {
        char buffer[4096];
        union {
            struct cmsghdr header;
            char bytes[CMSG_SPACE(sizeof(int))];
        } control;
        struct iovec iov = {buffer, sizeof(buffer)};
        struct msghdr message = {.msg_iov = &iov,
                                 .msg_iovlen = 1,
                                 .msg_control = control.bytes,
                                 .msg_controllen = sizeof(control.bytes)};
        ssize_t got = recvmsg(client, &message, MSG_CMSG_CLOEXEC);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);

        if (got == 0 || (got < 0 && errno == ECONNRESET)) {
            ck_assert_uint_eq(text->len, 0);
            return NULL;
        }
        ck_assert_msg(got > 0, "no answer: %s", g_strerror(errno));
        g_string_append_len(text, buffer, got);
        if (header && header->cmsg_type == SCM_RIGHTS) {
            ck_assert_int_eq(*fd, -1);
            memcpy(fd, CMSG_DATA(header), sizeof(*fd));
        }
    }
    ck_assert_ptr_eq(strchr(text->str, '\n') + 1, text->str + text->len);
    node = json_from_string(text->str, &error);
    ck_assert_msg(node != NULL, "%s: %s", text->str, error ? error->message : "");
    return node;
}

static JsonNode *ask(int client, const char *request, int *fd)
{
    g_autofree char *line = g_strconcat(request, "\n", NULL);

    ck_assert_int_eq(send(client, line, strlen(line), MSG_NOSIGNAL), strlen(line));
    return read_answer(client, fd);
}

static void check_error(int client, const char *request, const char *wanted)
{
    int fd;
    g_autoptr(JsonNode) node = ask(client, request, &fd);
    const char *text;

    ck_assert_ptr_nonnull(node);
    ck_assert_int_eq(fd, -1);
    text = json_object_get_string_member_with_default(json_node_get_object(node), "error",
                                                      "");
    ck_assert_msg(strstr(text, wanted) != NULL, "%s: '%s'", request, text);
}

static JsonObject *find_segment(JsonNode *list, const char *name)
{
    JsonArray *array = json_node_get_array(list);

    for (guint i = 0; i < json_array_get_length(array); i++) {
        JsonObject *object = json_array_get_object_element(array, i);

        if (strcmp(json_object_get_string_member(object, "name"), name) == 0) {
            return object;
        }
    }
    return NULL;
}

/* Opens a segment and checks what is said of it. */
static int open_segment(const char *name, int64_t size, const char *protection)
{
    g_autofree char *request = g_strconcat("open ", name, NULL);
    int client = connect_client(), fd;
    g_autoptr(JsonNode) node = ask(client, request, &fd);
    JsonObject *object;
    struct stat st;

    ck_assert_ptr_nonnull(node);
    object = json_node_get_object(node);
    ck_assert_msg(
        fd >= 0, "%s",
        json_object_get_string_member_with_default(object, "error", "no error"));
    ck_assert_str_eq(json_object_get_string_member(object, "name"), name);
    ck_assert_int_eq(json_object_get_int_member(object, "size"), size);
    ck_assert_str_eq(json_object_get_string_member(object, "protection"), protection);
    ck_assert_int_eq(fstat(fd, &st), 0);
    ck_assert_int_ge(st.st_size, size);
    close(client);
    return fd;
}

/* "START-LAST+OFFSET PROTECTION" of each place where the guest meets the segment. */
static char *guest_mappings(const char *name)
{
    int client = connect_client(), fd;
    g_autoptr(JsonNode) list = ask(client, "list", &fd);
    JsonObject *object;
    GString *text = g_string_new(NULL);
    JsonArray *guest;

    close(client);
    ck_assert_ptr_nonnull(list);
    object = find_segment(list, name);
    ck_assert_msg(object != NULL, "no segment %s", name);
    guest = json_object_get_array_member(object, "guest");
    for (guint i = 0; i < json_array_get_length(guest); i++) {
        JsonObject *range = json_array_get_object_element(guest, i);

        g_string_append_printf(text, "%s-%s+%s %s\n",
                               json_object_get_string_member(range, "start"),
                               json_object_get_string_member(range, "last"),
                               json_object_get_string_member(range, "offset"),
                               json_object_get_string_member(range, "protection"));
    }
    return g_string_free(text, FALSE);
}

static void check_mappings(const char *name, const char *wanted)
{
    g_autofree char *text = guest_mappings(name);

    ck_assert_msg(strstr(text, wanted) != NULL, "%s:\n%s", name, text);
}

static void set_pam(uint8_t value)
{
    qtest_client_out(machine, 0xcf8, 4, 0x80000000 | (PAM_F & ~3));
    qtest_client_out(machine, 0xcfc + PAM_F % 4, 1, value);
}

/* The machine still does its work. */
static void check_alive(void)
{
    qtest_client_write(machine, 0x5000, 4, 0x12345678);
    ck_assert_uint_eq(qtest_client_read(machine, 0x5000, 4), 0x12345678);
}

/* -- Tests ----------------------------------------------------------------------- */

START_TEST(test_ram)
{
    uint8_t *ram;
    int fd;

    start("-m 32");
    fd = open_segment("pc.ram", RAM_SIZE, "rw");
    ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ck_assert_msg(ram != MAP_FAILED, "%s", g_strerror(errno));

    qtest_client_write(machine, 0x1234, 4, 0xcafebabe); /* the guest's is seen here */
    ck_assert_mem_eq(ram + 0x1234, "\xbe\xba\xfe\xca", 4);
    memcpy(ram + 0x100000, "\x11\x22\x33\x44", 4); /* and ours there */
    ck_assert_uint_eq(qtest_client_read(machine, 0x100000, 4), 0x44332211);

    /* Nobody can take the memory from under the machine. */
    ck_assert_int_eq(ftruncate(fd, 0), -1);
    ck_assert_int_eq(errno, EPERM);
    ck_assert_int_eq(ftruncate(fd, RAM_SIZE * 2), -1);
    munmap(ram, RAM_SIZE);
    close(fd);
    check_alive();
}
END_TEST

START_TEST(test_rom)
{
    g_autofree char *path = NULL;
    uint8_t *bios;
    int fd, again;

    start("-m 32 -bios bios-256k.bin");
    fd = open_segment("pc.bios", 0x40000, "r");
    bios = mmap(NULL, 0x40000, PROT_READ, MAP_SHARED, fd, 0);
    ck_assert_msg(bios != MAP_FAILED, "%s", g_strerror(errno));
    ck_assert_uint_eq(qtest_client_read(machine, 0xfffffff0, 4),
                      bios[0x3fff0] | bios[0x3fff1] << 8 | bios[0x3fff2] << 16 |
                          (uint32_t)bios[0x3fff3] << 24);

    ck_assert_ptr_eq(mmap(NULL, 0x1000, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0),
                     MAP_FAILED);
    ck_assert_int_eq(mprotect(bios, 0x1000, PROT_READ | PROT_WRITE), -1);
    ck_assert_int_eq(pwrite(fd, "x", 1, 0), -1);
    ck_assert_int_eq(ftruncate(fd, 0), -1);

    /* Nor by opening it a second time, for writing. */
    path = g_strdup_printf("/proc/self/fd/%d", fd);
    again = open(path, O_RDWR | O_CLOEXEC);
    if (again >= 0) {
        ck_assert_ptr_eq(mmap(NULL, 0x1000, PROT_READ | PROT_WRITE, MAP_SHARED, again, 0),
                         MAP_FAILED);
        ck_assert_int_eq(pwrite(again, "x", 1, 0), -1);
        close(again);
    }

    qtest_client_out(machine, 0x64, 1, 0xfe); /* the machine resets as ever */
    check_alive();
    munmap(bios, 0x40000);
    close(fd);
}
END_TEST

/* What the guest sees where may change; the segment stays what it is. */
START_TEST(test_mapping_changes)
{
    uint8_t *ram;
    int fd;

    start("-m 32");
    fd = open_segment("pc.ram", RAM_SIZE, "rw");
    ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ck_assert_msg(ram != MAP_FAILED, "%s", g_strerror(errno));
    memset(ram + 0xf0000, 0xaa, 0x10000);

    check_mappings("pc.ram", "0x0-0xbffff+0x0 rw\n"); /* no VGA */
    check_mappings("pc.ram", "0x100000-0x1ffffff+0x100000 rw\n");
    check_mappings("pc.bios", "0xe0000-0xfffff+0x20000 r\n");
    set_pam(0x10); /* RAM, for reading only */
    check_mappings("pc.ram", "0xf0000-0xfffff+0xf0000 r\n");
    ck_assert_uint_eq(qtest_client_read(machine, 0xf0010, 4), 0xaaaaaaaa);
    set_pam(0x20); /* reads from ROM, writes to RAM */
    check_mappings("pc.ram", "0xf0000-0xfffff+0xf0000 w\n");
    qtest_client_write(machine, 0xf0010, 4, 0x55555555);
    ck_assert_mem_eq(ram + 0xf0010, "\x55\x55\x55\x55", 4);
    set_pam(0x30); /* RAM, as what follows it: one range */
    check_mappings("pc.ram", "0xf0000-0x1ffffff+0xf0000 rw\n");
    ck_assert_uint_eq(qtest_client_read(machine, 0xf0010, 4), 0x55555555);
    munmap(ram, RAM_SIZE);
    close(fd);
}
END_TEST

START_TEST(test_memfd_backend)
{
    uint8_t *ram;
    int fd;

    start("-object memory-backend-memfd,id=mem,size=32M -machine pc,memory-backend=mem");
    fd = open_segment("mem", RAM_SIZE, "rw");
    ram = mmap(NULL, RAM_SIZE, PROT_READ, MAP_SHARED, fd, 0);
    ck_assert_msg(ram != MAP_FAILED, "%s", g_strerror(errno));
    qtest_client_write(machine, 0x1ffffff, 1, 0x77); /* the size is the backend's */
    ck_assert_uint_eq(ram[0x1ffffff], 0x77);
    ck_assert_uint_ne(qtest_client_read(machine, 0x2000000, 1), 0x77);
    munmap(ram, RAM_SIZE);
    close(fd);
}
END_TEST

START_TEST(test_private_backend)
{
    int client, fd;
    g_autoptr(JsonNode) list = NULL;

    start("-object memory-backend-ram,id=mem,size=32M -machine pc,memory-backend=mem");
    client = connect_client();
    list = ask(client, "list", &fd);
    ck_assert_ptr_null(find_segment(list, "mem"));
    ck_assert_ptr_nonnull(find_segment(list, "pc.bios"));
    check_error(client, "open mem", "share=on");
    close(client);
}
END_TEST

START_TEST(test_file_backend)
{
    g_autofree char *path = g_build_filename(directory, "file", NULL);
    g_autofree char *more = g_strdup_printf("-object memory-backend-file,id=mem,size=32M,"
                                            "share=on,mem-path=%s "
                                            "-machine pc,memory-backend=mem",
                                            path);
    g_autofree char *contents = NULL;
    gsize length;
    int fd;

    start(more);
    qtest_client_write(machine, 0x4321, 2, 0xbeef);
    ck_assert(g_file_get_contents(path, &contents, &length, NULL));
    ck_assert_uint_eq(length, RAM_SIZE);
    ck_assert_mem_eq(contents + 0x4321, "\xef\xbe", 2);

    fd = open_segment("mem", RAM_SIZE, "r"); /* a file cannot be sealed */
    ck_assert_int_eq(ftruncate(fd, 0), -1);
    ck_assert_ptr_eq(mmap(NULL, 0x1000, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0),
                     MAP_FAILED);
    close(fd);
    check_alive();
}
END_TEST

START_TEST(test_bad_clients)
{
    g_autofree char *garbage = g_malloc(100000);
    int client, fd, silent[40];
    JsonNode *node;

    start("-m 32");
    client = connect_client();
    check_error(client, "", "not a request");
    check_error(client, "opens pc.ram", "not a request");
    check_error(client, "open nothing", "no segment 'nothing'");
    check_error(client, "open \xff\xfe", "no segment");
    check_error(client, "open ../../../etc/passwd", "no segment");
    close(client);

    client = connect_client(); /* a line without end */
    memset(garbage, 'a', 100000);
    ck_assert_int_gt(send(client, garbage, 100000, MSG_NOSIGNAL), 0);
    node = read_answer(client, &fd);
    g_clear_pointer(&node, json_node_unref);
    close(client);

    client = connect_client(); /* out of turn */
    ck_assert_int_eq(send(client, "list\nlist\n", 10, MSG_NOSIGNAL), 10);
    node = read_answer(client, &fd);
    ck_assert_ptr_nonnull(node);
    ck_assert(json_object_has_member(json_node_get_object(node), "error"));
    json_node_unref(node);
    ck_assert_ptr_null(read_answer(client, &fd)); /* dropped */
    close(client);

    for (int i = 0; i < 200; i++) { /* gone before the answer, with a descriptor in it */
        client = connect_client();
        ck_assert_int_eq(send(client, "open pc.ram\n", 12, MSG_NOSIGNAL), 12);
        close(client);
    }
    check_alive();

    for (int i = 0; i < 40; i++) { /* more than there is room for, and all silent */
        silent[i] = connect_client();
    }
    check_alive();
    node = read_answer(silent[39], &fd);
    ck_assert_ptr_nonnull(node);
    ck_assert(strstr(json_object_get_string_member(json_node_get_object(node), "error"),
                     "too many"));
    json_node_unref(node);
    for (int i = 0; i < 40; i++) {
        close(silent[i]);
    }
    for (bool room = false; !room;) { /* as soon as it has seen that they left */
        client = connect_client();
        node = ask(client, "open nothing", &fd);
        room = node &&
               strstr(json_object_get_string_member(json_node_get_object(node), "error"),
                      "no segment");
        g_clear_pointer(&node, json_node_unref);
        close(client);
    }
    close(open_segment("pc.ram", RAM_SIZE, "rw"));
}
END_TEST

/* A client that asks in turn and never reads is dropped when its socket is full. */
START_TEST(test_client_that_does_not_read)
{
    int client, unread;
    bool dropped = false;

    start("-m 32");
    client = connect_client();
    for (int i = 0; i < 10000 && !dropped; i++) {
        dropped = send(client, "list\n", 5, MSG_NOSIGNAL) < 0;
        do { /* until the server has taken the request */
            check_alive();
            unread = 0;
        } while (!dropped && ioctl(client, SIOCOUTQ, &unread) == 0 && unread);
    }
    ck_assert(dropped);
    close(client);
    check_alive();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("segments");
    TCase *tc = tcase_create("segments");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 100);
    tcase_add_test(tc, test_ram);
    tcase_add_test(tc, test_rom);
    tcase_add_test(tc, test_mapping_changes);
    tcase_add_test(tc, test_memfd_backend);
    tcase_add_test(tc, test_private_backend);
    tcase_add_test(tc, test_file_backend);
    tcase_add_test(tc, test_bad_clients);
    tcase_add_test(tc, test_client_that_does_not_read);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
