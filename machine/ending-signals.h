/*
 * The signals by which a user ends the emulator: SIGINT, SIGTERM and SIGHUP.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_ENDING_SIGNALS_H
#define MACHINE_ENDING_SIGNALS_H

/* From now on, `func` is called from the main loop for such a signal; a line on standard
 * error says which it was, and who sent it. Once in a process. */
void ending_signals_watch(void (*func)(void));

#endif
