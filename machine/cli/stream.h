/*
 * `umbra stream`: what its files know of each other.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_CLI_STREAM_H
#define MACHINE_CLI_STREAM_H

#include "machine/migration/json-text.h"
#include "machine/migration/stream-inspect.h"

/* "full", "start", ...: what kind of section it is. */
const char *stream_type_name(unsigned type);
/* "empty", "equal", "different", NULL. */
const char *stream_shadow_name(StreamShadow shadow);

/* The two shadows of a PC. */
typedef struct StreamSegments {
    const char *name, *range, *rom;
    uint64_t start;
} StreamSegments;
extern const StreamSegments stream_segments[2];

/* -- Values (stream-value.c) -------------------------------------------------------- */

/* For people: numbers in hexadecimal, or decimal where they may be negative;
 * bytes cut. */
char *stream_value_text(const StreamInspection *inspection, const StreamField *field);
/* For programs: a number, an array of them, or all bytes in hexadecimal. */
void stream_value_json(JsonText *json, const StreamInspection *inspection,
                       const StreamField *field);

/* -- Whole streams ------------------------------------------------------------------ */

/* Adds one object. */
void stream_json(JsonText *json, const StreamInspection *inspection);

/* Prints how B differs from A; returns whether it does. */
bool stream_diff(const StreamInspection *a, const StreamInspection *b, bool as_json);

#endif
