/*
 * Tells ThreadSanitizer of GLib's locks: GLib is not built with it, and takes them without
 * the pthread functions that it watches, so that all that they guard would be reported as
 * races. Preloaded before a program of a build with -Db_sanitize=thread.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <dlfcn.h>
#include <glib.h>

void __tsan_acquire(void *address);
void __tsan_release(void *address);

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

void g_mutex_lock(GMutex *mutex)
{
    static __typeof__(&g_mutex_lock) real;

    real = real ? real : REAL(g_mutex_lock);
    real(mutex);
    __tsan_acquire(mutex);
}

gboolean g_mutex_trylock(GMutex *mutex)
{
    static __typeof__(&g_mutex_trylock) real;
    gboolean locked;

    real = real ? real : REAL(g_mutex_trylock);
    locked = real(mutex);
    if (locked) {
        __tsan_acquire(mutex);
    }
    return locked;
}

void g_mutex_unlock(GMutex *mutex)
{
    static __typeof__(&g_mutex_unlock) real;

    real = real ? real : REAL(g_mutex_unlock);
    __tsan_release(mutex);
    real(mutex);
}

void g_cond_wait(GCond *condition, GMutex *mutex)
{
    static __typeof__(&g_cond_wait) real;

    real = real ? real : REAL(g_cond_wait);
    __tsan_release(mutex);
    real(condition, mutex);
    __tsan_acquire(mutex);
}

gboolean g_cond_wait_until(GCond *condition, GMutex *mutex, gint64 end_time)
{
    static __typeof__(&g_cond_wait_until) real;
    gboolean signalled;

    real = real ? real : REAL(g_cond_wait_until);
    __tsan_release(mutex);
    signalled = real(condition, mutex, end_time);
    __tsan_acquire(mutex);
    return signalled;
}
