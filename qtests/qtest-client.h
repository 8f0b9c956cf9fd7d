/*
 * A small harness on the qtest protocol, for protocol tests: starts the emulator without
 * a CPU that runs (-accel qtest), talks qtest and QMP with it over socket pairs, and ends
 * it.
 *
 * Whatever goes wrong (the emulator cannot start, dies, or does not answer within
 * QTEST_CLIENT_SECONDS) fails the running Check test with the reason.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef QTESTS_QTEST_CLIENT_H
#define QTESTS_QTEST_CLIENT_H

#include <check.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stdint.h>

#define QTEST_CLIENT_SECONDS 60
#define QTEST_CLIENT_IRQS 256

typedef struct QtestClient QtestClient;

/* Starts the program that the environment's UMBRA_SYSTEM names, with "-display none",
 * "-accel qtest" and these arguments (separated by spaces, quoted as for a shell). Where it
 * is QEMU (qemu-system-*), of which not every build has that accelerator, the CPU is TCG's
 * and does not start. */
QtestClient *qtest_client_new(const char *arguments);

/* Whether UMBRA_SYSTEM is QEMU, for a test that leaves out where QEMU is known to differ
 * from the data sheet. */
bool qtest_client_is_qemu(void);

/* The same on sockets of the caller's in place of new pairs: the ends that this client
 * keeps, what the arguments name being the emulator's. -1: none. Takes the descriptors.
 */
QtestClient *qtest_client_new_on(const char *arguments, int qtest_fd, int qmp_fd);

/* Ends the emulator with SIGTERM and fails the test unless it then exits with
 * status 0. */
void qtest_client_free(QtestClient *client);

/* Waits for the emulator to exit of its own accord; its exit status. */
int qtest_client_wait(QtestClient *client);

/* -- Lines ----------------------------------------------------------------------- */

void qtest_client_send(QtestClient *client, const char *text, size_t length);

/* The next line, without its newline; free it. */
char *qtest_client_line(QtestClient *client);

/* The next line that is no "IRQ" line; those are taken note of for qtest_client_irq(). */
char *qtest_client_reply(QtestClient *client);

/* Sends a command and returns the reply to it, "OK ..." or "FAIL ..."; free it. */
char *qtest_client_command(QtestClient *client, const char *format, ...)
    G_GNUC_PRINTF(2, 3);

/* -- Commands that must succeed -------------------------------------------------- */

/* `size` is 1, 2 or 4 bytes; for memory 8 as well. */
void qtest_client_out(QtestClient *client, uint16_t port, unsigned size, uint32_t value);
uint32_t qtest_client_in(QtestClient *client, uint16_t port, unsigned size);
void qtest_client_write(QtestClient *client, uint64_t addr, unsigned size,
                        uint64_t value);
uint64_t qtest_client_read(QtestClient *client, uint64_t addr, unsigned size);
void qtest_client_write_bytes(QtestClient *client, uint64_t addr, const void *bytes,
                              size_t length);
void qtest_client_read_bytes(QtestClient *client, uint64_t addr, void *bytes,
                             size_t length);

/* Nanoseconds; the clock's value afterwards. */
int64_t qtest_client_clock_step(QtestClient *client, int64_t ns);
int64_t qtest_client_clock_step_next(QtestClient *client);

/* Listens to the device's input (output) pins; then the level of pin `n` as
 * last heard. */
void qtest_client_intercept(QtestClient *client, const char *path, bool output);
bool qtest_client_irq(QtestClient *client, unsigned n);

/* -- Monitors -------------------------------------------------------------------- */

/* Executes `json` and returns the answer, an object with "return" or "error", events left
 * out; unref it. */
JsonNode *qtest_client_qmp(QtestClient *client, const char *json);

/* The same for a command of that name, with its arguments as JSON ("" or NULL: none); its
 * "return", or NULL where it is an error, whose text is then *message (may be NULL). */
JsonNode *qtest_client_execute(QtestClient *client, const char *command, char **message,
                               const char *arguments, ...) G_GNUC_PRINTF(4, 5);

/* Waits for an event of that name; its "data", an empty object where it has none. Events
 * before it are forgotten. */
JsonObject *qtest_client_event(QtestClient *client, const char *name);

/* What the human monitor prints for the command; free it. */
char *qtest_client_hmp(QtestClient *client, const char *command);

/* -- Programs ------------------------------------------------------------------------ */

/* Runs the tests as a program's suite; its exit status. */
int qtest_client_run_suite(const char *name, const TTest *const *tests, size_t count);

#endif
