/*
 * A section of a stream that QEMU wrote.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef QTESTS_QEMU_SECTION_H
#define QTESTS_QEMU_SECTION_H

#include <stdint.h>

typedef struct QEMUSection {
    const char *id;
    uint32_t instance_id;
    int version_id;
    const char *hex; /* "(N)": N bytes of zeroes; see expand_hex() */
} QEMUSection;

#endif
