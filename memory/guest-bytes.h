/*
 * Touching the guest's RAM. Its CPUs and devices race for it as on real hardware, which is
 * none of the host's business: a load or store is one instruction, so that aligned ones are
 * atomic, and ThreadSanitizer is asked to look away here and nowhere else.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MEMORY_GUEST_BYTES_H
#define MEMORY_GUEST_BYTES_H

#include <string.h>

#include "memory/readers.h"

typedef struct __attribute__((packed)) Guest16 {
    uint16_t value;
} Guest16;

typedef struct __attribute__((packed)) Guest32 {
    uint32_t value;
} Guest32;

typedef struct __attribute__((packed)) Guest64 {
    uint64_t value;
} Guest64;

#ifdef MEMORY_THREAD_SANITIZER
#define GUEST_ACCESS static __attribute__((noinline, unused, no_sanitize("thread")))

/* memcpy() itself is watched. */
GUEST_ACCESS void guest_copy(void *to, const void *from, size_t length)
{
    volatile uint8_t *t = to;
    const volatile uint8_t *f = from;

    while (length-- > 0) {
        *t++ = *f++;
    }
}
#else
#define GUEST_ACCESS static inline

GUEST_ACCESS void guest_copy(void *to, const void *from, size_t length)
{
    memcpy(to, from, length);
}
#endif

/* `size` is 1, 2, 4 or 8; the guest's bytes are little-endian. */
GUEST_ACCESS uint64_t guest_load(const void *from, unsigned size)
{
    switch (size) {
    case 1:
        return *(const volatile uint8_t *)from;
    case 2:
        return GUINT16_FROM_LE(((const volatile Guest16 *)from)->value);
    case 4:
        return GUINT32_FROM_LE(((const volatile Guest32 *)from)->value);
    default:
        return GUINT64_FROM_LE(((const volatile Guest64 *)from)->value);
    }
}

GUEST_ACCESS void guest_store(void *to, unsigned size, uint64_t value)
{
    switch (size) {
    case 1:
        *(volatile uint8_t *)to = value;
        break;
    case 2:
        ((volatile Guest16 *)to)->value = GUINT16_TO_LE((uint16_t)value);
        break;
    case 4:
        ((volatile Guest32 *)to)->value = GUINT32_TO_LE((uint32_t)value);
        break;
    default:
        ((volatile Guest64 *)to)->value = GUINT64_TO_LE(value);
    }
}

#endif
