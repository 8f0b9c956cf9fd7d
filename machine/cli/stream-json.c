/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/cli/stream.h"
#include "machine/migration/stream.h"

static void add_section(JsonText *json, const StreamInspection *inspection,
                        const StreamSection *section)
{
    json_text_begin_object(json, NULL);
    json_text_add_string(json, "type", stream_type_name(section->type));
    json_text_add_uint(json, "id", section->number);
    json_text_add_string(json, "name", section->name);
    if (section->type != STREAM_COMMAND) {
        json_text_add_uint(json, "instance", section->instance);
        json_text_add_uint(json, "version", section->version);
    }
    json_text_add_uint(json, "offset", section->offset);
    json_text_add_uint(json, "bytes", section->bytes);
    if (section->fields) {
        json_text_begin_array(json, "fields");
        for (guint i = 0; i < section->fields->len; i++) {
            const StreamField *field = &g_array_index(section->fields, StreamField, i);

            json_text_begin_object(json, NULL);
            json_text_add_string(json, "name", field->name);
            json_text_add_string(json, "type", field->type);
            json_text_add_uint(json, "offset", field->offset);
            json_text_add_uint(json, "size", field->size);
            stream_value_json(json, inspection, field);
            json_text_end_object(json);
        }
        json_text_end_array(json);
    }
    json_text_end_object(json);
}

static void add_block(JsonText *json, const StreamBlock *block)
{
    json_text_begin_object(json, NULL);
    json_text_add_string(json, "name", block->name);
    json_text_add_uint(json, "size", block->size);
    json_text_add_uint(json, "pages-present", g_hash_table_size(block->pages));
    json_text_begin_object(json, "pages-sent");
    json_text_add_uint(json, "zero", block->sent[STREAM_PAGE_ZERO]);
    json_text_add_uint(json, "plain", block->sent[STREAM_PAGE_PLAIN]);
    json_text_add_uint(json, "xbzrle", block->sent[STREAM_PAGE_XBZRLE]);
    json_text_add_uint(json, "compressed", block->sent[STREAM_PAGE_COMPRESSED]);
    json_text_end_object(json);
    json_text_end_object(json);
}

static void add_segments(JsonText *json, const StreamInspection *inspection)
{
    json_text_begin_array(json, "segments");
    for (size_t i = 0; i < G_N_ELEMENTS(stream_segments); i++) {
        const StreamSegments *segments = &stream_segments[i];
        uint64_t differing;
        StreamShadow shadow = stream_inspection_shadow(inspection, segments->start,
                                                       segments->rom, &differing);

        if (shadow == STREAM_SHADOW_NONE) {
            continue;
        }
        json_text_begin_object(json, NULL);
        json_text_add_string(json, "name", segments->name);
        json_text_add_uint(json, "start", segments->start);
        json_text_add_uint(json, "size", STREAM_SHADOW_SIZE);
        json_text_add_string(json, "beside", segments->rom);
        json_text_add_string(json, "verdict", stream_shadow_name(shadow));
        json_text_add_uint(json, "bytes-differing", differing);
        json_text_end_object(json);
    }
    json_text_end_array(json);
}

void stream_json(JsonText *json, const StreamInspection *inspection)
{
    json_text_begin_object(json, NULL);
    json_text_add_uint(json, "bytes", inspection->size);
    if (inspection->machine_type) {
        json_text_add_string(json, "machine", inspection->machine_type);
    } else {
        json_text_add_null(json, "machine");
    }
    json_text_begin_array(json, "configuration");
    for (guint i = 0; i < inspection->configuration->len; i++) {
        json_text_add_string(json, NULL, g_ptr_array_index(inspection->configuration, i));
    }
    json_text_end_array(json);
    json_text_add_bool(json, "footers", inspection->footers);
    json_text_add_bool(json, "description", inspection->description);
    json_text_add_uint(json, "trailing", inspection->trailing);
    json_text_begin_array(json, "sections");
    for (guint i = 0; i < inspection->sections->len; i++) {
        add_section(json, inspection, g_ptr_array_index(inspection->sections, i));
    }
    json_text_end_array(json);
    json_text_begin_array(json, "blocks");
    for (guint i = 0; i < inspection->blocks->len; i++) {
        add_block(json, g_ptr_array_index(inspection->blocks, i));
    }
    json_text_end_array(json);
    add_segments(json, inspection);
    json_text_end_object(json);
}
