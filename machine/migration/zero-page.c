/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/migration/zero-page.h"

#include <stdint.h>

#include "memory/region.h"

/* The compiler makes of it what the processor has: two SSE2 registers, or one of AVX2. */
typedef uint64_t Vector __attribute__((vector_size(32)));

#define VECTORS_AT_ONCE 8

/* Clang 14 gives such a function another name than its callers use. */
#ifdef __clang__
#define FOR_EACH_PROCESSOR
#else
#define FOR_EACH_PROCESSOR __attribute__((target_clones("avx2", "default")))
#endif

/* Most pages that hold something differ from zero in their first bytes. The rest is read
 * in steps of 256 bytes, wide enough for the or-ing to hide behind the loads. */
FOR_EACH_PROCESSOR bool zero_page_test(const void *page)
{
    const Vector *vector = page;
    const Vector *end = vector + MEMORY_PAGE_SIZE / sizeof(Vector);

    if (*(const uint64_t *)page) {
        return false;
    }
    for (; vector < end; vector += VECTORS_AT_ONCE) {
        Vector any = vector[0] | vector[1] | vector[2] | vector[3] | vector[4] |
                     vector[5] | vector[6] | vector[7];

        if (any[0] | any[1] | any[2] | any[3]) {
            return false;
        }
    }
    return true;
}
