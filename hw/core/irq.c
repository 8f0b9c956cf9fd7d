/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/core/irq.h"

#include <glib.h>

IRQ *irq_new_array(IRQHandler handler, void *opaque, int first, int n)
{
    IRQ *array = g_new0(IRQ, n);

    for (int i = 0; i < n; i++) {
        array[i] = (IRQ){.handler = handler, .opaque = opaque, .n = first + i};
    }
    return array;
}

void irq_free(IRQ *array)
{
    g_free(array);
}

void irq_set(IRQ *irq, int level)
{
    if (!irq) {
        return;
    }
    if (irq->intercept) {
        irq->intercept(irq, level, irq->intercept_opaque);
        if (irq->intercept_swallows) {
            return;
        }
    }
    if (irq->handler) {
        irq->handler(irq->opaque, irq->n, level);
    }
}
