/*
 * JsonText: JSON written front to back as text. The stream's description has thousands of
 * values and is written while the guest stands; a tree of them (json-glib's) takes ten
 * times as long.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_MIGRATION_JSON_TEXT_H
#define MACHINE_MIGRATION_JSON_TEXT_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef GString JsonText;

/* `member`: the name in an object, NULL in an array or at the top. */
void json_text_begin_object(JsonText *json, const char *member);
void json_text_end_object(JsonText *json);
void json_text_begin_array(JsonText *json, const char *member);
void json_text_end_array(JsonText *json);
void json_text_add_string(JsonText *json, const char *member, const char *value);
void json_text_add_int(JsonText *json, const char *member, int64_t value);
void json_text_add_uint(JsonText *json, const char *member, uint64_t value);
void json_text_add_bool(JsonText *json, const char *member, bool value);
void json_text_add_null(JsonText *json, const char *member);

#endif
