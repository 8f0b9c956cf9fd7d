/*
 * JsonStream: takes a stream of bytes apart into JSON values, which follow each other
 * with or without white space in between and may arrive in any pieces.
 *
 * What a peer can make it keep is bounded: a value has at most JSON_STREAM_VALUE_MAX
 * bytes and JSON_STREAM_NESTING_MAX open brackets.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_MONITOR_JSON_STREAM_H
#define MACHINE_MONITOR_JSON_STREAM_H

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>

#define JSON_STREAM_VALUE_MAX (1024 * 1024)
#define JSON_STREAM_NESTING_MAX 1024

typedef struct JsonStream {
    GString *value; /* what has come of the present one */
    unsigned depth;
    char closers[JSON_STREAM_NESTING_MAX]; /* what closes each open bracket */
    char quote;                            /* of the string that it is in, or 0 */
    bool escaped;                          /* a backslash has come */
    bool scalar;                           /* a word or number outside of brackets */
    bool skipping;                         /* up to what can begin something new */
    bool too_long;                         /* read on to its end, but not kept */
    /* A value (it stays the stream's), or NULL and what is wrong with what came. */
    void (*handle)(JsonNode *value, const char *error, void *opaque);
    void *opaque;
} JsonStream;

void json_stream_init(JsonStream *stream,
                      void (*handle)(JsonNode *value, const char *error, void *opaque),
                      void *opaque);
void json_stream_destroy(JsonStream *stream);
void json_stream_reset(JsonStream *stream);
void json_stream_feed(JsonStream *stream, const char *bytes, gsize length);

/* The value as QEMU writes it: `{"a": 1, "b": [true]}`, ASCII only; pretty: in lines,
 * indented by four. */
void json_write(GString *out, JsonNode *value, bool pretty);

#endif
