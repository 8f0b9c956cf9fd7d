/*
 * When memory that readers may still look at is freed.
 *
 * Readers are in an RCU read section while they look at a view, and never while a device
 * callback runs; so a callback may change the tree and wait for readers. What a commit
 * replaces is collected while the commit builds the new views, and given up only after
 * these are public: before that, readers may still come to the old. It is handed to RCU
 * in batches, as waking RCU's thread for each of a guest's PAM writes would cost more
 * than the commit.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <pthread.h>

#include "memory/internal.h"

#define BATCH_SIZE 256

typedef struct Retired {
    void *memory;
    GDestroyNotify free_func;
} Retired;

typedef struct RetiredBatch {
    struct rcu_head rcu;
    GArray *items; /* Retired */
} RetiredBatch;

__thread bool memory_thread_registered;

#ifdef MEMORY_THREAD_SANITIZER
char memory_grace_period;
#endif

static GArray *retired;         /* machine lock */
static unsigned reader_threads; /* atomic */
static pthread_key_t thread_exit_key;
static pthread_once_t thread_exit_once = PTHREAD_ONCE_INIT;

static void thread_exits(void *unused)
{
    memory_thread_unregister();
}

static void make_thread_exit_key(void)
{
    pthread_key_create(&thread_exit_key, thread_exits);
}

void memory_thread_register(void)
{
    if (memory_thread_registered) {
        return;
    }
    pthread_once(&thread_exit_once, make_thread_exit_key);
    pthread_setspecific(thread_exit_key, &memory_thread_registered);
    __atomic_add_fetch(&reader_threads, 1, __ATOMIC_SEQ_CST);
    urcu_memb_register_thread();
    memory_thread_registered = true;
}

void memory_thread_unregister(void)
{
    if (!memory_thread_registered) {
        return;
    }
    pthread_setspecific(thread_exit_key, NULL);
    memory_thread_registered = false;
    places_forget();
    urcu_memb_unregister_thread();
    __atomic_sub_fetch(&reader_threads, 1, __ATOMIC_SEQ_CST);
}

void memory_wake_writer(void)
{
#ifndef MEMORY_THREAD_SANITIZER
    urcu_common_wake_up_gp(&urcu_memb_gp);
#endif
}

/* Whether a thread other than this one could be reading, or this one is. */
static bool readers_possible(void)
{
    unsigned others = __atomic_load_n(&reader_threads, __ATOMIC_SEQ_CST);

    if (memory_thread_registered) {
        if (urcu_memb_read_ongoing()) {
            return true;
        }
        others--;
    }
    return others > 0;
}

static void free_items(GArray *items)
{
    for (guint i = 0; i < items->len; i++) {
        Retired *item = &g_array_index(items, Retired, i);

        item->free_func(item->memory);
    }
}

static void free_batch(struct rcu_head *head)
{
    RetiredBatch *batch = caa_container_of(head, RetiredBatch, rcu);

    NOTE_GRACE_PERIOD_OVER();
    free_items(batch->items);
    g_array_free(batch->items, true);
    g_free(batch);
}

void memory_retire(void *memory, GDestroyNotify free_func)
{
    Retired item = {memory, free_func};

    if (!retired) {
        retired = g_array_sized_new(false, false, sizeof(Retired), BATCH_SIZE);
    }
    g_array_append_val(retired, item);
}

void memory_reclaim(void)
{
    if (!retired || retired->len < BATCH_SIZE) {
        return;
    }
    if (readers_possible()) {
        RetiredBatch *batch = g_new(RetiredBatch, 1);

        batch->items = g_steal_pointer(&retired);
        NOTE_HANDED_OVER();
        urcu_memb_call_rcu(&batch->rcu, free_batch);
    } else {
        free_items(retired);
        g_array_set_size(retired, 0);
    }
}

void memory_wait_for_readers(void)
{
    if (!readers_possible()) {
        return;
    }
    if (memory_thread_registered && urcu_memb_read_ongoing()) {
        memory_misuse("a region is destroyed from inside a walk over a view, which would "
                      "wait for itself; collect first and destroy after the walk");
    }
    urcu_memb_synchronize_rcu();
    NOTE_GRACE_PERIOD_OVER();
}
