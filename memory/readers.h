/*
 * The read side of this room: threads that look at views while others change them.
 *
 * Pointers that readers follow are published and followed by publish_pointer() and
 * see_pointer(), with the compiler's own atomics. ThreadSanitizer understands these, but
 * not liburcu's grace periods, which order a reader's last look before the freeing: the
 * notes below tell it so. They hide nothing that matters: what a reader touches before it
 * leaves its read section is not noted yet, and freeing that is still reported.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MEMORY_READERS_H
#define MEMORY_READERS_H

#if defined(__SANITIZE_THREAD__)
#define MEMORY_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define MEMORY_THREAD_SANITIZER 1
#endif
#endif

/* liburcu's read side inlined, as the licence of this room allows; but its atomics are of
 * its own kind, which ThreadSanitizer is not to see. */
#ifndef MEMORY_THREAD_SANITIZER
#define _LGPL_SOURCE
#endif
#include <urcu/urcu-memb.h>

#include "memory/address-space.h"

#ifdef MEMORY_THREAD_SANITIZER
void __tsan_acquire(void *at);
void __tsan_release(void *at);
extern char memory_grace_period; /* stands for all of them */

#define NOTE_READ_SECTION_ENDS() __tsan_release(&memory_grace_period)
#define NOTE_HANDED_OVER() __tsan_release(&memory_grace_period)
#define NOTE_GRACE_PERIOD_OVER() __tsan_acquire(&memory_grace_period)
#else
#define NOTE_READ_SECTION_ENDS() ((void)0)
#define NOTE_HANDED_OVER() ((void)0)
#define NOTE_GRACE_PERIOD_OVER() ((void)0)
#endif

#define publish_pointer(pointer, value)                                                  \
    __atomic_store_n(&(pointer), value, __ATOMIC_RELEASE)
#define see_pointer(pointer) __atomic_load_n(&(pointer), __ATOMIC_ACQUIRE)

extern __thread bool memory_thread_registered;

/* Wakes who waits for the end of a read section. */
void memory_wake_writer(void);

static inline void memory_read_lock(void)
{
    if (G_UNLIKELY(!memory_thread_registered)) {
        memory_thread_register();
    }
    urcu_memb_read_lock();
}

static inline void memory_read_unlock(void)
{
    NOTE_READ_SECTION_ENDS();
    urcu_memb_read_unlock();
}

/*
 * A read section of a few instructions, for loads and stores. liburcu's own functions
 * hold, inlined, all that may become necessary, and a caller has to save registers for
 * it; these do what is usual and nothing else. _enter says no where more would be to do:
 * inside another section, or on a kernel without membarrier(). For a thread that is
 * registered, or that will look at nothing unless it is.
 */
static inline bool memory_read_enter(void)
{
#ifdef MEMORY_THREAD_SANITIZER
    urcu_memb_read_lock();
#else
    if (G_UNLIKELY(!urcu_memb_has_sys_membarrier || urcu_memb_read_ongoing())) {
        return false;
    }
    _CMM_STORE_SHARED(URCU_TLS(urcu_memb_reader).ctr, _CMM_LOAD_SHARED(urcu_memb_gp.ctr));
    cmm_barrier(); /* the writer's membarrier() does the rest */
#endif
    return true;
}

/* True: somebody waits for this; call memory_wake_writer(). */
static inline bool memory_read_leave(void)
{
#ifdef MEMORY_THREAD_SANITIZER
    memory_read_unlock();
    return false;
#else
    cmm_barrier();
    _CMM_STORE_SHARED(URCU_TLS(urcu_memb_reader).ctr, 0);
    cmm_barrier();
    return uatomic_read(&urcu_memb_gp.futex) == -1;
#endif
}

/* Notes `memory` to be freed when no reader can still see it. Machine lock. */
void memory_retire(void *memory, GDestroyNotify free_func);

/* What was retired is out of readers' way by now, but for those inside a read section. */
void memory_reclaim(void);

/* Returns when no reader can still see what was unlinked before the call. */
void memory_wait_for_readers(void);

#endif
