/*
 * AccelVCPU: the thread that executes one X86CPU; private to the accelerators.
 *
 * The thread sleeps while `stop` is set and otherwise calls AccelClass.run_vcpu(), which
 * executes the guest until accel_vcpu_must_leave().
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_ACCEL_VCPU_H
#define MACHINE_ACCEL_VCPU_H

#include <pthread.h>

#include "machine/accel/accel.h"

typedef struct AccelVCPU {
    X86CPU *cpu;
    Accel *accel;
    GThread *thread;
    int thread_id;     /* the host's; set before the thread first stands */
    pthread_t pthread; /* the same, for signals; 0 until it first ran */
    void *data; /* the accelerator's own */
    AccelStatistics statistics; /* written by the thread alone */

    /* Asked of the thread: written by any under `mutex`, read without. */
    int stop;
    int quit;
    int kicked;

    GMutex mutex;
    GCond wake;    /* the thread waits on it, while it stands or in HLT */
    GCond stopped; /* others wait on it */
    bool standing;
} AccelVCPU;

static inline AccelVCPU *accel_vcpu(X86CPU *cpu)
{
    return cpu->accel_data;
}

static inline bool accel_vcpu_must_leave(const AccelVCPU *vcpu)
{
    return __atomic_load_n(&vcpu->stop, __ATOMIC_ACQUIRE);
}

/* In the vCPU's thread, without the machine lock: sleeps until a kick (or one that is
 * pending already). */
void accel_vcpu_wait(AccelVCPU *vcpu);

/* Consumes a kick: to be called before looking at what it may have been about. */
static inline bool accel_vcpu_take_kick(AccelVCPU *vcpu)
{
    return __atomic_load_n(&vcpu->kicked, __ATOMIC_RELAXED) &&
           __atomic_exchange_n(&vcpu->kicked, 0, __ATOMIC_ACQ_REL);
}

/* Defines `GType prefix_get_type(void)` for a kind of Accel; the file provides
 * `static void prefix_class_init(AccelClass *klass)`. */
#define ACCEL_DEFINE_TYPE(Struct, prefix, name)                                            \
    static void prefix##_class_init(AccelClass *klass);                                    \
    GType prefix##_get_type(void)                                                          \
    {                                                                                      \
        static GType type;                                                                 \
        if (g_once_init_enter(&type)) {                                                    \
            g_once_init_leave(&type, g_type_register_static_simple(                        \
                                         TYPE_ACCEL, name, sizeof(AccelClass),             \
                                         (GClassInitFunc)(void *)prefix##_class_init,      \
                                         sizeof(Struct), NULL, 0));                        \
        }                                                                                  \
        return type;                                                                       \
    }

/* The accelerators there are. */
GType accel_kvm_get_type(void);
GType accel_x86emu_get_type(void);
GType accel_qtest_get_type(void);
bool accel_kvm_usable(GError **error);
/* Gives up the VM that accel_kvm_usable() has made and nobody uses. */
void accel_kvm_close(void);

#endif
