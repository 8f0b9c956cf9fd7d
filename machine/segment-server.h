/*
 * -object umbra-segments,id=ID,path=SOCKET: hands guest memory to other processes by
 * name.
 *
 * A client connects to the unix socket, sends one line and reads one line of JSON:
 *   list         an array of all segments
 *   open NAME    one segment, and with the line a descriptor (SCM_RIGHTS) to mmap()
 * and may then ask again. A segment is a RAM block:
 *   {"name": "pc.ram", "size": 134217728, "protection": "rw", "guest": [
 *     {"start": "0x0", "last": "0xbffff", "offset": "0x0", "protection": "rw"}, ...]}
 * `size` is in bytes; `protection` is what the descriptor can be mapped for; "guest" says
 * where in the address space "memory" the guest meets it now, and how. The latter may
 * change with each PAM write and the descriptor stays what it is. What cannot be done is
 * answered {"error": "..."}.
 *
 * A descriptor is sealed so that a client can neither shrink the memory below the machine
 * nor, where the segment is read-only, ever map it for writing. A segment that is a file
 * cannot be sealed, and is handed out for reading. A client that talks out of turn, or
 * does not read, is dropped; none is ever waited for.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_SEGMENT_SERVER_H
#define MACHINE_SEGMENT_SERVER_H

#include "machine/user-object.h"

GType segment_server_get_type(void);

#endif
