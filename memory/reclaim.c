/*
 * When memory that readers may still look at is freed.
 *
 * Readers are in an RCU read section while they look at a view, and never while a device
 * callback runs; so a callback may change the tree and wait for readers. What a commit
 * replaces is collected and handed to RCU in batches: waking RCU's thread for each of a
 * guest's PAM writes would cost more than the commit.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <pthread.h>

#include "memory/internal.h"

#define BATCH_SIZE 256

typedef struct RetiredBatch {
    struct rcu_head rcu;
    unsigned count;
    struct {
        void *memory;
        GDestroyNotify free_func;
    } items[BATCH_SIZE];
} RetiredBatch;

__thread bool memory_thread_registered;

static RetiredBatch *batch; /* machine lock */
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
    urcu_memb_unregister_thread();
    __atomic_sub_fetch(&reader_threads, 1, __ATOMIC_SEQ_CST);
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

static void free_batch(struct rcu_head *head)
{
    RetiredBatch *done = caa_container_of(head, RetiredBatch, rcu);

    for (unsigned i = 0; i < done->count; i++) {
        done->items[i].free_func(done->items[i].memory);
    }
    g_free(done);
}

void memory_retire(void *memory, GDestroyNotify free_func)
{
    if (!batch) {
        batch = g_new(RetiredBatch, 1);
        batch->count = 0;
    }
    batch->items[batch->count].memory = memory;
    batch->items[batch->count].free_func = free_func;
    if (++batch->count < BATCH_SIZE) {
        return;
    }
    if (readers_possible()) {
        urcu_memb_call_rcu(&batch->rcu, free_batch);
        batch = NULL;
    } else {
        for (unsigned i = 0; i < batch->count; i++) {
            batch->items[i].free_func(batch->items[i].memory);
        }
        batch->count = 0;
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
}
