/*
 * The machine lock: device models run under it, one thread at a time.
 *
 * It lives in the lowest room because the access functions take it around the callbacks
 * of I/O regions; plain RAM accesses never do. A process runs one machine, so there is
 * one lock. The main loop holds it except while it sleeps; a vCPU thread takes it for as
 * long as a device handles its access. It does not nest: ask io_lock_held() first.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MEMORY_IO_LOCK_H
#define MEMORY_IO_LOCK_H

#include <stdbool.h>

/* Takes the lock; the calling thread must not hold it. */
void io_lock(void);

/* Gives the lock back; the calling thread must hold it. */
void io_unlock(void);

/* Whether the calling thread holds the lock. */
extern __thread bool io_lock_is_held;

static inline bool io_lock_held(void)
{
    return io_lock_is_held;
}

/* Takes the lock unless the calling thread has it; returns whether it was taken, for
 * io_unlock_if(). */
static inline bool io_lock_unless_held(void)
{
    if (io_lock_held()) {
        return false;
    }
    io_lock();
    return true;
}

static inline void io_unlock_if(bool taken)
{
    if (taken) {
        io_unlock();
    }
}

#endif
