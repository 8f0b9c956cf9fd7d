/*
 * Monitors: a person (HMP) or a program (QMP) at the other end of a chardev.
 *
 * Machine lock for all of these. Nothing here is costly before a peer speaks.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_MONITOR_MONITOR_H
#define MACHINE_MONITOR_MONITOR_H

#include "hw/char/chardev.h"

typedef enum MonitorMode {
    MONITOR_HMP,
    MONITOR_QMP,
    MONITOR_QMP_PRETTY, /* QMP in lines, indented */
} MonitorMode;

/* Puts a monitor on the chardev (NULL: none, true). False and *error when it is taken. */
bool monitor_add(Chardev *chardev, MonitorMode mode, GError **error);

/* -mon "[chardev=]ID[,mode=readline|control][,pretty=on|off]". */
bool monitor_add_from_text(const char *text, GError **error);

/* A session's command begins: it is the one that monitor_take_fd() asks. Returns the one
 * before, to be given back at its end. */
CharFrontend *monitor_enter(CharFrontend *frontend);

/* The file descriptor that the peer has sent along with the command that is running; it is
 * the caller's. -1 and *error where it sent none. */
int monitor_take_fd(GError **error);

/* Takes all monitors off their chardevs: before chardev_cleanup(). */
void monitor_cleanup(void);

/* One kind each; for monitor_add(). */
typedef struct HmpSession HmpSession;
typedef struct QmpSession QmpSession;
HmpSession *hmp_session_new(Chardev *chardev, GError **error);
void hmp_session_free(HmpSession *session);
QmpSession *qmp_session_new(Chardev *chardev, bool pretty, GError **error);
void qmp_session_free(QmpSession *session);

#endif
