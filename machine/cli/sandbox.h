/*
 * -sandbox: gives up system calls that an emulator has no need of, through libseccomp.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_CLI_SANDBOX_H
#define MACHINE_CLI_SANDBOX_H

#include <glib.h>
#include <stdbool.h>

/*
 * Applies "on[,obsolete=allow|deny][,elevateprivileges=allow|deny|children]
 * [,spawn=allow|deny][,resourcecontrol=allow|deny]" to this and all later threads: obsolete
 * calls are denied unless allowed, the other sets only where denied. A forbidden call ends
 * the process. "off" does nothing. False and *error: the text or the kernel refuses.
 */
bool sandbox_enable(const char *text, GError **error);

#endif
