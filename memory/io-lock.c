/*
 * The machine lock.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "memory/io-lock.h"

#include <pthread.h>

#include "memory/internal.h"

static pthread_mutex_t machine_lock = PTHREAD_MUTEX_INITIALIZER;
__thread bool io_lock_is_held;

void io_lock(void)
{
    if (io_lock_is_held) {
        memory_misuse("io_lock: this thread has the machine lock already; "
                      "use io_lock_unless_held()");
    }
    pthread_mutex_lock(&machine_lock);
    io_lock_is_held = true;
}

void io_unlock(void)
{
    if (!io_lock_is_held) {
        memory_misuse("io_unlock: this thread does not have the machine lock");
    }
    io_lock_is_held = false;
    pthread_mutex_unlock(&machine_lock);
}
