/*
 * How often each input of an interrupt controller has risen, for `info irq`.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_INTC_IRQ_COUNTS_H
#define HW_INTC_IRQ_COUNTS_H

#include <stdint.h>

#define IRQ_COUNTS_LINES 24

typedef struct IRQCounts {
    uint64_t rises[IRQ_COUNTS_LINES];
    uint32_t levels; /* of the inputs; unlike the controller's own, a reset leaves them */
} IRQCounts;

static inline void irq_counts_note(IRQCounts *counts, int line, int level)
{
    uint32_t bit = UINT32_C(1) << line;

    counts->rises[line] += level && !(counts->levels & bit);
    counts->levels = level ? counts->levels | bit : counts->levels & ~bit;
}

#endif
