/*
 * QMP: the stream of JSON values, and the protocol over a real socket. Classes and words
 * of errors are QEMU 7.2.22's.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "monitor-machine.h"

#include "hw/core/descriptors.h"
#include "machine/monitor/json-stream.h"
#include "machine/monitor/qmp.h"

/* -- The stream ------------------------------------------------------------------ */

static GString *seen; /* a line for each value or error */

static void note(JsonNode *value, const char *error, void *opaque)
{
    if (value) {
        json_write(seen, value, false);
        g_string_append_c(seen, '\n');
    } else {
        g_string_append(seen,
                        g_str_has_prefix(error, "JSON parse error") ? "E\n" : "L\n");
    }
}

static const struct {
    const char *input, *seen;
} streams[] = {
    {"{}", "{}\n"},
    {"{}{} {}\n{}", "{}\n{}\n{}\n{}\n"},
    {"{\"a\":{\"b\":[1,{\"c\":[]}]}}[2]", "{\"a\": {\"b\": [1, {\"c\": []}]}}\n[2]\n"},
    {"{\"a\":\"}]{[\\\"}\\\\\"}", "{\"a\": \"}]{[\\\"}\\\\\"}\n"},
    {"{'a':'b\"c\\'d'}", "{\"a\": \"b\\\"c'd\"}\n"},
    {"1 -2.5 true null \"x\"\n", "1\n-2.5\ntrue\nnull\n\"x\"\n"},
    {"[\"\\u00e9\\ud83d\\ude00\\u0001\"]", "[\"\\u00E9\\uD83D\\uDE00\\u0001\"]\n"},
    {"\r\n\t {} ", "{}\n"},
    {"{\"a\": }{\"b\":1}", "E\n{\"b\": 1}\n"},
    {"{\"a\": foo}{\"b\":1}", "E\n{\"b\": 1}\n"},
    {"{]{}", "E\n{}\n"},
    {"[}[]", "E\n[]\n"},
    {"} ] , : {}", "E\nE\nE\nE\n{}\n"},
    {"{\"a\": \"unterminated\n{}", "E\n{}\n"},
    {"{\"a\": \377{}", "E\n{}\n"},
    {"foo {}", "E\n{}\n"},
    {"{\001{}", "E\n{}\n"},
    {"%p{}", "E\n{}\n"},
    {"{\"a\": @foo,{}", "E\nE\n{}\n"},
    {"{\"a\": /* no */ 1}", NULL},
};

START_TEST(test_stream)
{
    const char *input = streams[_i].input;
    size_t length = strlen(input);

    /* The same whole, in two pieces at every place, and byte by byte. */
    for (size_t cut = 0; cut <= length + 1; cut++) {
        JsonStream stream;

        seen = g_string_new(NULL);
        json_stream_init(&stream, note, NULL);
        if (cut <= length) {
            json_stream_feed(&stream, input, cut);
            json_stream_feed(&stream, input + cut, length - cut);
        } else {
            for (size_t i = 0; i < length; i++) {
                json_stream_feed(&stream, input + i, 1);
            }
        }
        if (streams[_i].seen) {
            ck_assert_str_eq(seen->str, streams[_i].seen);
        } else {
            ck_assert(g_str_has_prefix(seen->str, "E\n"));
        }
        json_stream_destroy(&stream);
        g_string_free(seen, TRUE);
    }
}
END_TEST

START_TEST(test_stream_bounds)
{
    g_autofree char *zeroes = g_strnfill(JSON_STREAM_VALUE_MAX * 4, '0');
    g_autofree char *deep = g_strnfill(100000, '[');
    JsonStream stream;

    seen = g_string_new(NULL);
    json_stream_init(&stream, note, NULL);
    json_stream_feed(&stream, "{\"a\": \"", 7);
    json_stream_feed(&stream, zeroes, JSON_STREAM_VALUE_MAX * 4);
    ck_assert_uint_le(stream.value->allocated_len, JSON_STREAM_VALUE_MAX * 2 + 1);
    json_stream_feed(&stream, "\"}{\"b\": 1}", 10);
    ck_assert_str_eq(seen->str, "L\n{\"b\": 1}\n");
    g_string_truncate(seen, 0);
    json_stream_feed(&stream, deep, JSON_STREAM_NESTING_MAX);
    ck_assert_str_eq(seen->str, "");
    json_stream_feed(&stream, deep, 1);
    ck_assert_str_eq(seen->str, "L\n");
    json_stream_feed(&stream, "{}", 2);
    ck_assert_str_eq(seen->str, "L\n{}\n");
    json_stream_destroy(&stream);
}
END_TEST

START_TEST(test_pretty)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_autoptr(JsonNode) value =
        json_from_string("{\"a\":[1,{\"b\":null}],\"c\":{},\"d\":[]}", NULL);

    json_write(out, value, true);
    ck_assert_str_eq(out->str,
                     "{\n    \"a\": [\n        1,\n        {\n            \"b\": "
                     "null\n        }\n    ],\n    \"c\": {},\n    \"d\": []\n}");
}
END_TEST

/* Each character from 1 to 0x1ff at each place of strings of plain neighbours, long and
 * short: only RFC 8259's quote, backslash and controls, DEL and what is beyond ASCII come
 * out otherwise than they are. */
START_TEST(test_string_escapes)
{
    for (gunichar c = 1; c < 0x200; c++) {
        for (int length = 0; length < 20; length++) {
            for (int at = 0; at <= length; at++) {
                g_autoptr(GString) text = g_string_new(NULL);
                g_autoptr(GString) out = g_string_new(NULL);
                g_autoptr(JsonNode) value = NULL, again = NULL;
                bool plain = c >= ' ' && c < 0x7f && c != '"' && c != '\\';

                for (int i = 0; i < length; i++) {
                    g_string_append_c(text, " ~!#[]0}"[i % 8]);
                }
                g_string_insert_unichar(text, at, c);
                value = json_node_init_string(json_node_alloc(), text->str);
                json_write(out, value, false);
                ck_assert_msg(g_str_is_ascii(out->str), "%s", out->str);
                ck_assert_msg((out->len == text->len + 2) == plain &&
                                  !strpbrk(out->str, "\177\r\n\t"),
                              "%s", out->str);
                again = json_from_string(out->str, NULL);
                ck_assert_msg(again, "%s", out->str);
                ck_assert_str_eq(json_node_get_string(again), text->str);
            }
        }
    }
}
END_TEST

/* Noise cannot bring the parser down or make it deaf. */
START_TEST(test_stream_noise)
{
    static const char letters[] = "{}[]\"'\\,: \n019-.eEtfn/u\377a";
    GRand *random = g_rand_new_with_seed(11);
    JsonStream stream;

    seen = g_string_new(NULL);
    json_stream_init(&stream, note, NULL);
    for (int i = 0; i < 300000; i++) {
        json_stream_feed(&stream, &letters[g_rand_int_range(random, 0, sizeof(letters))],
                         1);
        if (seen->len > 65536) {
            g_string_truncate(seen, 0);
        }
    }
    json_stream_feed(&stream, "\377", 1);
    g_string_truncate(seen, 0);
    json_stream_feed(&stream, "{\"b\": 1}", 8);
    ck_assert_str_eq(seen->str, "{\"b\": 1}\n");
    json_stream_destroy(&stream);
    g_rand_free(random);
}
END_TEST

/* -- The protocol ---------------------------------------------------------------- */

#define GREETING                                                                         \
    "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 22, \"minor\": 2, \"major\": 7}, "   \
    "\"package\": \"Umbra 0.1.0\"}, \"capabilities\": [\"oob\"]}}\r\n"
#define ERROR(class, text)                                                               \
    "{\"error\": {\"class\": \"" class "\", \"desc\": \"" text "\"}}"
#define STATUS(name, running)                                                            \
    "{\"status\": \"" name "\", \"singlestep\": false, \"running\": " running "}"

#define MEMDEV(share, size, id)                                                          \
    "{\"share\": " share                                                                 \
    ", \"reserve\": true, \"prealloc\": false, \"host-nodes\": [], "                     \
    "\"size\": " size ", \"merge\": true, \"dump\": true, \"policy\": \"default\", "     \
    "\"id\": \"" id "\"}"

/* The next line, without its end; events have their time taken out. */
static char *next_line(int fd)
{
    char *line = read_until(fd, "\n");
    char *event = strstr(line, "\"event\"");

    g_strchomp(line);
    if (event && g_str_has_prefix(line, "{\"timestamp\": {\"seconds\": ")) {
        memmove(line + 1, event, strlen(event) + 1);
    }
    return line;
}

static void expect(int fd, const char *request, const char *answer)
{
    g_autofree char *got = NULL;

    send_text(fd, request);
    got = next_line(fd);
    ck_assert_msg(strcmp(got, answer) == 0, "to %s\n   wanted %s\n   got    %s", request,
                  answer, got);
}

static int negotiated_client(void)
{
    int fd = connect_client();
    g_autofree char *greeting = read_until(fd, "\r\n");

    ck_assert_str_eq(greeting, GREETING);
    expect(fd, "{\"execute\": \"qmp_capabilities\"}", "{\"return\": {}}");
    return fd;
}

static const struct {
    const char *request, *answer;
} exchanges[] = {
    {"{\"execute\":\"query-status\",\"id\":\"x\"}",
     "{\"return\": " STATUS("prelaunch", "false") ", \"id\": \"x\"}"},
    {"{\"execute\":\"query-status\",\"id\":{\"a\":[1,2.5,null,true]}}",
     "{\"return\": " STATUS("prelaunch",
                            "false") ", \"id\": {\"a\": [1, 2.5, null, true]}}"},
    {"{'execute':'query-name'}", "{\"return\": {\"name\": \"guest\"}}"},
    {"{\"execute\":\"query-kvm\"}",
     "{\"return\": {\"enabled\": false, \"present\": true}}"},
    {"{\"execute\":\"qmp_capabilities\"}",
     ERROR("CommandNotFound",
           "Capabilities negotiation is already complete, command ignored")},
    {"{\"execute\":\"foo\"}",
     ERROR("CommandNotFound", "The command foo has not been found")},
    {"{\"execute\":\"foo\",\"id\":5}", "{\"error\": {\"class\": \"CommandNotFound\", "
                                       "\"desc\": \"The command foo has not been "
                                       "found\"}, \"id\": 5}"},
    {"{\"execute\":\"query-status\",\"arguments\":{\"a\":1}}",
     ERROR("GenericError", "Parameter 'a' is unexpected")},
    {"{\"execute\":\"query-status\",\"arguments\":1}",
     ERROR("GenericError", "QMP input member 'arguments' must be an object")},
    {"{\"execute\":1}",
     ERROR("GenericError", "QMP input member 'execute' must be a string")},
    {"{\"exec\":1}", ERROR("GenericError", "QMP input member 'exec' is unexpected")},
    {"{}", ERROR("GenericError", "QMP input lacks member 'execute'")},
    {"[]", ERROR("GenericError", "QMP input must be a JSON object")},
    {"1\n", ERROR("GenericError", "QMP input must be a JSON object")},
    {"]", ERROR("GenericError", "JSON parse error, expecting value")},
    {"{\"exec-oob\":\"stop\"}",
     ERROR("GenericError", "QMP input member 'exec-oob' is unexpected")},
    {"{\"execute\":\"human-monitor-command\",\"arguments\":"
     "{\"command-line\":\"info status\"}}",
     "{\"return\": \"VM status: paused (prelaunch)\\r\\n\"}"},
    {"{\"execute\":\"human-monitor-command\"}",
     ERROR("GenericError", "Parameter 'command-line' is missing")},
    {"{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":1}}",
     ERROR("GenericError",
           "Invalid parameter type for 'command-line', expected: string")},
    {"{\"execute\":\"human-monitor-command\",\"arguments\":"
     "{\"command-line\":\"x\",\"cpu-index\":7}}",
     ERROR("GenericError", "Parameter 'cpu-index' expects a CPU number")},
    {"{\"execute\":\"send-key\",\"arguments\":{\"keys\":"
     "[{\"type\":\"qcode\",\"data\":\"foo\"}]}}",
     ERROR("GenericError", "Parameter 'data' does not accept value 'foo'")},
    {"{\"execute\":\"send-key\",\"arguments\":{\"keys\":[{\"type\":\"bla\",\"data\":1}]}"
     "}",
     ERROR("GenericError", "Parameter 'type' does not accept value 'bla'")},
    {"{\"execute\":\"send-key\",\"arguments\":{\"keys\":[1,[],null]}}",
     ERROR("GenericError", "Invalid parameter type for 'keys[0]', expected: object")},
    {"{\"execute\":\"pmemsave\",\"arguments\":{\"val\":0,\"size\":16,\"filename\":"
     "\"/nonexistent/x\"}}",
     ERROR("GenericError", "Could not open '/nonexistent/x': No such file or directory")},
    {"{\"execute\":\"memsave\",\"arguments\":{\"val\":0,\"size\":16,\"filename\":"
     "\"/dev/null\",\"cpu-index\":3}}",
     ERROR("GenericError", "Parameter 'cpu-index' expects a CPU number")},
    {"{\"execute\":\"qom-list\",\"arguments\":{\"path\":\"/foo\"}}",
     ERROR("DeviceNotFound", "Device '/foo' not found")},
    {"{\"execute\":\"qom-get\",\"arguments\":{\"path\":\"/"
     "machine\",\"property\":\"type\"}}",
     "{\"return\": \"small-machine\"}"},
    {"{\"execute\":\"qom-get\",\"arguments\":{\"path\":\"/"
     "machine\",\"property\":\"bla\"}}",
     ERROR("GenericError", "Property 'small-machine.bla' not found")},
    {"{\"execute\":\"qom-list\",\"arguments\":{\"path\":\"/\"}}",
     "{\"return\": [{\"name\": \"type\", \"type\": \"string\"}, {\"name\": \"objects\", "
     "\"type\": \"child<container>\"}, {\"name\": \"machine\", \"type\": "
     "\"child<small-machine>\"}, {\"name\": \"chardevs\", \"type\": "
     "\"child<container>\"}]}"},
    {"{\"execute\":\"device_del\",\"arguments\":{\"id\":\"foo\"}}",
     ERROR("DeviceNotFound", "Device 'foo' not found")},
    {"{\"execute\":\"device_add\",\"arguments\":{}}",
     ERROR("GenericError", "Parameter 'driver' is missing")},
    {"{\"execute\":\"device_add\",\"arguments\":{\"driver\":[]}}",
     ERROR("GenericError", "Invalid parameter type for 'driver', expected: string")},
    {"{\"execute\":\"device-list-properties\",\"arguments\":{\"typename\":\"foo\"}}",
     ERROR("DeviceNotFound", "Device 'foo' not found")},
    {"{\"execute\":\"object-add\",\"arguments\":{\"qom-type\":\"memory-backend-memfd\","
     "\"id\":\"m1\",\"size\":1048576}}",
     "{\"return\": {}}"},
    {"{\"execute\":\"object-add\",\"arguments\":{\"qom-type\":\"memory-backend-ram\","
     "\"id\":\"m1\",\"size\":4096}}",
     ERROR("GenericError", "Duplicate ID 'm1' for object")},
    {"{\"execute\":\"object-add\",\"arguments\":{\"id\":\"m2\"}}",
     ERROR("GenericError", "Parameter 'qom-type' is missing")},
    {"{\"execute\":\"object-add\",\"arguments\":{\"qom-type\":\"memory-backend-ram\","
     "\"id\":\"m2\",\"size\":4096,\"foo\":1}}",
     ERROR("GenericError", "Parameter 'foo' is unexpected")},
    {"{\"execute\":\"object-add\",\"arguments\":{\"qom-type\":\"memory-backend-ram\","
     "\"id\":\"m2\",\"size\":[]}}",
     ERROR("GenericError", "Invalid parameter type for 'size', expected: integer")},
    {"{\"execute\":\"query-memdev\"}",
     "{\"return\": [" MEMDEV("true", "1048576", "m1") ", " MEMDEV("false", "1048576",
                                                                  "pc.ram") "]}"},
    {"{\"execute\":\"object-del\",\"arguments\":{\"id\":\"m1\"}}", "{\"return\": {}}"},
    {"{\"execute\":\"object-del\",\"arguments\":{\"id\":\"m1\"}}",
     ERROR("GenericError", "object 'm1' not found")},
    {"{\"execute\":\"query-memdev\"}",
     "{\"return\": [" MEMDEV("false", "1048576", "pc.ram") "]}"},
    {"{\"execute\":\"query-machines\"}",
     "{\"return\": [{\"hotpluggable-cpus\": false, \"name\": \"small\", "
     "\"numa-mem-supported\": false, \"cpu-max\": 255, \"deprecated\": false, "
     "\"default-cpu-type\": \"qemu64-x86_64-cpu\", \"default-ram-id\": \"pc.ram\", "
     "\"is-default\": true, \"alias\": \"tiny\"}]}"},
    {"{\"execute\":\"query-pci\"}", "{\"return\": []}"},
    {"{\"execute\":\"query-block\"}", "{\"return\": []}"},
    {"{\"execute\":\"system_wakeup\"}",
     ERROR("GenericError", "Unable to wake up: guest is not in suspended state")},
};

static gpointer exchange_client(gpointer data)
{
    int fd = connect_client();
    g_autofree char *greeting = read_until(fd, "\r\n"), *oob = NULL;

    ck_assert_str_eq(greeting, GREETING);
    expect(fd, "{\"execute\":\"query-status\"}",
           ERROR("CommandNotFound",
                 "Expecting capabilities negotiation with 'qmp_capabilities'"));
    expect(fd, "{\"execute\":\"qmp_capabilities\",\"arguments\":{\"enable\":[\"foo\"]}}",
           ERROR("GenericError", "Parameter 'enable' does not accept value 'foo'"));
    expect(fd, "{\"execute\":\"qmp_capabilities\",\"id\":1}",
           "{\"return\": {}, \"id\": 1}");
    for (size_t i = 0; i < G_N_ELEMENTS(exchanges); i++) {
        expect(fd, exchanges[i].request, exchanges[i].answer);
    }
    send_text(fd, "{\"execute\":\"quit\"}");
    close(fd);
    return NULL;
}

START_TEST(test_exchanges)
{
    make_machine(MONITOR_QMP, NULL);
    run_with_client(exchange_client);
}
END_TEST

static void expect_line(int fd, const char *line)
{
    g_autofree char *got = next_line(fd);

    ck_assert_str_eq(got, line);
}

static gpointer event_client(gpointer data)
{
    int fd = negotiated_client();

    expect(fd, "{\"execute\":\"stop\"}", "{\"return\": {}}"); /* it stands already */
    expect(fd, "{\"execute\":\"cont\"}", "{\"event\": \"RESUME\"}");
    expect_line(fd, "{\"return\": {}}");
    expect(fd, "{\"execute\":\"query-status\"}",
           "{\"return\": " STATUS("running", "true") "}");
    expect(fd, "{\"execute\":\"stop\"}", "{\"event\": \"STOP\"}");
    expect_line(fd, "{\"return\": {}}");
    expect(fd, "{\"execute\":\"query-status\"}",
           "{\"return\": " STATUS("paused", "false") "}");
    expect(fd, "{\"execute\":\"system_reset\",\"id\":7}", "{\"return\": {}, \"id\": 7}");
    expect_line(fd, "{\"event\": \"RESET\", \"data\": {\"guest\": false, \"reason\": "
                    "\"host-qmp-system-reset\"}}");
    expect(fd, "{\"execute\":\"system_powerdown\"}", "{\"event\": \"POWERDOWN\"}");
    expect_line(fd, "{\"return\": {}}");
    /* The guest powers off; the policy (no_shutdown) keeps the process. */
    io_lock();
    run_state_cont();
    system_shutdown_request(SYSTEM_CAUSE_GUEST_SHUTDOWN);
    io_unlock();
    expect_line(fd, "{\"event\": \"RESUME\"}");
    expect_line(fd, "{\"event\": \"SHUTDOWN\", \"data\": {\"guest\": true, \"reason\": "
                    "\"guest-shutdown\"}}");
    expect_line(fd, "{\"event\": \"STOP\"}");
    expect(fd, "{\"execute\":\"cont\"}",
           ERROR("GenericError", "Resetting the Virtual Machine is required"));
    expect(fd, "{\"execute\":\"quit\",\"id\":9}", "{\"return\": {}, \"id\": 9}");
    expect_line(fd, "{\"event\": \"SHUTDOWN\", \"data\": {\"guest\": false, \"reason\": "
                    "\"host-qmp-quit\"}}");
    close(fd);
    return NULL;
}

START_TEST(test_events)
{
    make_machine(MONITOR_QMP, NULL);
    run_with_client(event_client);
}
END_TEST

static gpointer stress_client(gpointer data)
{
    int fd = negotiated_client();
    g_autoptr(GString) many = g_string_new(NULL);
    g_autofree char *filler = g_strnfill(3 * 1024 * 1024, 'a');

    for (int i = 0; i < 500; i++) { /* without a separator */
        g_string_append_printf(many, "{\"execute\":\"query-name\",\"id\":%d}", i);
    }
    send_all(fd, many->str, many->len);
    for (int i = 0; i < 500; i++) {
        g_autofree char *answer =
            g_strdup_printf("{\"return\": {\"name\": \"guest\"}, \"id\": %d}", i);

        expect_line(fd, answer);
    }
    send_text(fd, "{\"execute\":\"");
    send_text(fd, filler);
    expect(fd, "\"}", ERROR("GenericError", "JSON value exceeds the limit of 1 MiB"));
    expect(fd, "{\"execute\":\"half\xff",
           ERROR("GenericError", "JSON parse error, stray '\\\\xff'"));
    expect(fd, "{\"execute\":\"query-name\"}", "{\"return\": {\"name\": \"guest\"}}");
    send_text(fd, "{\"execute\":\"query-na"); /* dies in the middle of a word */
    close(fd);
    fd = negotiated_client();
    expect(fd, "{\"execute\":\"query-name\"}", "{\"return\": {\"name\": \"guest\"}}");
    send_text(fd, "{\"execute\":\"quit\"}");
    close(fd);
    return NULL;
}

START_TEST(test_stress)
{
    make_machine(MONITOR_QMP, NULL);
    run_with_client(stress_client);
}
END_TEST

/* -- Descriptors ----------------------------------------------------------------- */

static void send_with_fd(int fd, int end, const char *request)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec data = {(char *)request, strlen(request)};
    struct msghdr message = {.msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    struct cmsghdr *part = CMSG_FIRSTHDR(&message);

    *part = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(part), &end, sizeof(int));
    ck_assert_int_eq(sendmsg(fd, &message, 0), (ssize_t)strlen(request));
}

static void expect_with_fd(int fd, int end, const char *request, const char *answer)
{
    g_autofree char *got = NULL;

    send_with_fd(fd, end, request);
    got = next_line(fd);
    ck_assert_str_eq(got, answer);
}

/* QEMU 7.2's answers, that of remove-fd on a machine that runs. */
static gpointer descriptor_client(gpointer data)
{
    int fd = negotiated_client(), ends[2], taken;
    g_autofree char *answer = NULL;
    char buffer[4];

    ck_assert_int_eq(pipe(ends), 0);
    expect(fd, "{\"execute\":\"getfd\",\"arguments\":{\"fdname\":\"a\"}}",
           ERROR("GenericError", "No file descriptor supplied via SCM_RIGHTS"));
    expect_with_fd(fd, ends[1],
                   "{\"execute\":\"getfd\",\"arguments\":{\"fdname\":\"1a\"}}",
                   ERROR("GenericError",
                         "Parameter 'fdname' expects a name not starting with a digit"));
    for (int i = 0; i < 2; i++) {
        expect_with_fd(fd, ends[1],
                       "{\"execute\":\"getfd\",\"arguments\":{\"fdname\":\"a\"}}",
                       "{\"return\": {}}");
    }
    close(ends[1]);
    io_lock();
    taken = descriptor_take("a", NULL);
    ck_assert_int_eq(descriptor_take("a", NULL), -1);
    io_unlock();
    ck_assert_int_eq(write(taken, "x", 1), 1);
    close(taken);
    /* All copies but that one are closed: after the byte comes the end. */
    ck_assert_int_eq(read(ends[0], buffer, 4), 1);
    ck_assert_int_eq(read(ends[0], buffer, 4), 0);
    expect(fd, "{\"execute\":\"closefd\",\"arguments\":{\"fdname\":\"a\"}}",
           ERROR("GenericError", "File descriptor named 'a' not found"));

    expect(fd, "{\"execute\":\"query-fdsets\"}", "{\"return\": []}");
    expect_with_fd(
        fd, ends[0], "{\"execute\":\"add-fd\",\"arguments\":{\"fdset-id\":-5}}",
        ERROR("GenericError", "Parameter 'fdset-id' expects a non-negative value"));
    send_with_fd(fd, ends[0],
                 "{\"execute\":\"add-fd\",\"arguments\":{\"opaque\":\"n\"}}");
    answer = next_line(fd);
    ck_assert(g_str_has_prefix(answer, "{\"return\": {\"fd\": "));
    ck_assert(g_str_has_suffix(answer, ", \"fdset-id\": 0}}"));
    io_lock();
    taken = descriptor_open("/dev/fdset/0", O_RDONLY, 0);
    ck_assert_int_ge(taken, 0);
    ck_assert_int_eq(descriptor_open("/dev/fdset/0", O_WRONLY, 0), -1);
    ck_assert_int_eq(errno, EACCES);
    ck_assert_int_eq(descriptor_open("/dev/fdset/1", O_RDONLY, 0), -1);
    ck_assert_int_eq(errno, ENOENT);
    io_unlock();
    close(taken);
    expect(fd, "{\"execute\":\"remove-fd\",\"arguments\":{\"fdset-id\":0}}",
           "{\"return\": {}}");
    expect(fd, "{\"execute\":\"remove-fd\",\"arguments\":{\"fdset-id\":0,\"fd\":7}}",
           ERROR("GenericError", "File descriptor named 'fdset-id:0, fd:7' not found"));
    expect(fd, "{\"execute\":\"query-fdsets\"}", "{\"return\": []}");
    close(ends[0]);
    send_text(fd, "{\"execute\":\"quit\"}");
    close(fd);
    return NULL;
}

START_TEST(test_descriptors)
{
    make_machine(MONITOR_QMP, NULL);
    run_with_client(descriptor_client);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("qmp");
    TCase *tcase = tcase_create("qmp");
    SRunner *runner;
    int failed;

    tcase_set_timeout(tcase, 30);
    tcase_add_loop_test(tcase, test_stream, 0, G_N_ELEMENTS(streams));
    tcase_add_test(tcase, test_stream_bounds);
    tcase_add_test(tcase, test_stream_noise);
    tcase_add_test(tcase, test_pretty);
    tcase_add_test(tcase, test_string_escapes);
    tcase_add_test(tcase, test_exchanges);
    tcase_add_test(tcase, test_events);
    tcase_add_test(tcase, test_stress);
    tcase_add_test(tcase, test_descriptors);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
