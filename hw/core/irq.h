/*
 * IRQ lines: one wire from a device's output pin to another's input.
 *
 * Levels are set under the machine lock. A line with no handler (NULL) is not connected,
 * and setting it does nothing.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_CORE_IRQ_H
#define HW_CORE_IRQ_H

#include <stdbool.h>

/* `n` is the input pin's number, `level` 0 or 1 (some pins carry numbers). */
typedef void (*IRQHandler)(void *opaque, int n, int level);

typedef struct IRQ {
    IRQHandler handler;
    void *opaque;
    int n;
    /* A harness that listens in (qtest's irq_intercept): sees the level, and decides by
     * `intercept_swallows` whether the handler still does. */
    void (*intercept)(struct IRQ *irq, int level, void *opaque);
    void *intercept_opaque;
    bool intercept_swallows;
} IRQ;

/* Lines for pins first..first + n - 1 of a handler, in one array; irq_free() the array. */
IRQ *irq_new_array(IRQHandler handler, void *opaque, int first, int n);
void irq_free(IRQ *array);

void irq_set(IRQ *irq, int level);

static inline void irq_raise(IRQ *irq)
{
    irq_set(irq, 1);
}

static inline void irq_lower(IRQ *irq)
{
    irq_set(irq, 0);
}

static inline void irq_pulse(IRQ *irq)
{
    irq_set(irq, 1);
    irq_set(irq, 0);
}

#endif
