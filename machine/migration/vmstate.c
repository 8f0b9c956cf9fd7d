/*
 * Saving and loading by table.
 *
 * What a stream says of a number of values or of a size is never taken for room: it must
 * stay within what the table has (an array in place), what the state had before loading
 * (a pointer), or ALLOC_MAX (what loading allocates).
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/migration/vmstate.h"

#include <string.h>

enum {
    SUBSECTION_MARK = 0x05, /* before a subsection's name; QEMU_VM_SUBSECTION */
    ALLOC_MAX = 64 << 20,   /* bytes */
};

/* Where a table's fields are: the state itself or the wire object made from it. */
typedef struct Subject {
    const VMStateDescription *vmsd;
    void *object;
    int version_id;
} Subject;

static bool save_table(Wire *wire, const VMStateDescription *vmsd, void *opaque,
                       int version_id, JsonText *description);
static bool load_table(Wire *wire, const VMStateDescription *vmsd, void *opaque,
                       int version_id);

bool vmstate_is_needed(const VMStateDescription *vmsd, void *opaque)
{
    return !vmsd->needed || vmsd->needed(opaque);
}

static void *object_new(const VMStateDescription *vmsd, void *opaque)
{
    void *wire_object;

    if (!vmsd->wire_size) {
        return opaque;
    }
    wire_object = g_malloc0(vmsd->wire_size);
    vmsd->to_wire(opaque, wire_object);
    return wire_object;
}

static void object_free(const VMStateDescription *vmsd, void *object)
{
    if (vmsd->wire_size) {
        g_free(object);
    }
}

/* -- The values of a field ------------------------------------------------------------
 */

static bool field_exists(const Subject *subject, const VMStateField *field)
{
    return field->field_exists ? field->field_exists(subject->object, subject->version_id)
                               : field->version_id <= subject->version_id;
}

static int64_t read_number(const void *at, unsigned bytes)
{
    return bytes == 1   ? *(const uint8_t *)at
           : bytes == 2 ? *(const uint16_t *)at
                        : *(const int32_t *)at;
}

/* How many values the field has now; negative when the state's number is nonsense. */
static int64_t field_count(const Subject *subject, const VMStateField *field)
{
    if (field->flags & VMS_ARRAY) {
        return field->num;
    }
    if (field->flags & VMS_VARRAY) {
        return read_number((char *)subject->object + field->num_offset, field->num_bytes);
    }
    return 1;
}

/* The size of one value: bytes, and for a bitmap bits. */
static int64_t field_size(const Subject *subject, const VMStateField *field)
{
    int64_t size;

    if (!(field->flags & VMS_VBUFFER)) {
        return (int64_t)field->size;
    }
    size = read_number((char *)subject->object + field->size_offset, 4);
    return field->flags & VMS_MULTIPLY ? size * (int64_t)field->size : size;
}

/* The number that a stream may change, of values or of bytes; -1: none. */
static int64_t field_extent(const Subject *subject, const VMStateField *field)
{
    return field->flags & VMS_VARRAY    ? field_count(subject, field)
           : field->flags & VMS_VBUFFER ? field_size(subject, field)
                                        : -1;
}

static void *field_base(const Subject *subject, const VMStateField *field)
{
    void *base = (char *)subject->object + field->offset;

    return field->flags & VMS_POINTER ? *(void **)base : base;
}

static void *field_value(const VMStateField *field, void *base, int64_t index,
                         int64_t size)
{
    int64_t stride = field->host == VMSTATE_HOST_SAME ? size : field->host_size;
    char *value = (char *)base + index * stride;

    return field->flags & VMS_ARRAY_OF_POINTER ? *(void **)value : value;
}

/* Behind a pointer there may be nothing; tables without members may belong to nothing. */
static bool is_missing(const VMStateField *field, const void *value)
{
    return !value && field->flags & (VMS_POINTER | VMS_ARRAY_OF_POINTER);
}

static int struct_version(const VMStateField *field)
{
    return field->flags & VMS_VSTRUCT ? field->struct_version_id
                                      : field->vmsd->version_id;
}

/* -- Members of another width ---------------------------------------------------------
 */

static uint64_t load_member(const VMStateField *field, const void *value)
{
    switch (field->host == VMSTATE_HOST_CONSTANT ? 0 : field->host_size) {
    case 0:
        return field->constant;
    case 1:
        return field->host == VMSTATE_HOST_SIGNED ? (uint64_t) * (const int8_t *)value
                                                  : *(const uint8_t *)value;
    case 2:
        return field->host == VMSTATE_HOST_SIGNED ? (uint64_t) * (const int16_t *)value
                                                  : *(const uint16_t *)value;
    case 4:
        return field->host == VMSTATE_HOST_SIGNED ? (uint64_t) * (const int32_t *)value
                                                  : *(const uint32_t *)value;
    default:
        return *(const uint64_t *)value;
    }
}

/* Sign-extends `integer`, of which `bytes` bytes count. */
static int64_t extend(uint64_t integer, unsigned bytes)
{
    unsigned shift = 64 - 8 * bytes;

    return (int64_t)(integer << shift) >> shift;
}

static void get_member(Wire *wire, const VMStateField *field, void *value)
{
    uint64_t there = wire_get_be(wire, field->info->bytes);
    unsigned bytes = field->host_size;
    bool fits;

    if (wire_failed(wire) || field->host == VMSTATE_HOST_CONSTANT) {
        return;
    }
    if (field->host == VMSTATE_HOST_BOOL) {
        *(bool *)value = there != 0;
        return;
    }
    if (field->info->is_signed) {
        there = (uint64_t)extend(there, field->info->bytes);
    }
    if (field->host == VMSTATE_HOST_SIGNED) {
        fits = extend(there, bytes) == (int64_t)there &&
               (field->info->is_signed || (int64_t)there >= 0);
    } else {
        /* What a signed field of the same width means as bits is fine. */
        fits = bytes == 8 || there >> 8 * bytes == 0 ||
               (bytes == field->info->bytes && extend(there, bytes) == (int64_t)there);
    }
    if (!fits) {
        wire_fail(wire, "the value 0x%" G_GINT64_MODIFIER "x is out of range", there);
        return;
    }
    for (unsigned i = 0; i < bytes; i++) { /* little-endian hosts, as x86 is */
        ((uint8_t *)value)[i] = there >> 8 * i;
    }
}

/* -- The stream's description of itself -----------------------------------------------
 */

/* Whether all values of the field's type look alike, so that one description does. */
static bool values_are_alike(const VMStateField *field)
{
    if (field->field_exists) {
        return false;
    }
    if (!(field->flags & VMS_STRUCT)) {
        return true;
    }
    for (const VMStateField *inner = field->vmsd->fields; inner->name; inner++) {
        if (!values_are_alike(inner)) {
            return false;
        }
    }
    return !field->vmsd->subsections;
}

/* Fields that share a name get numbers. */
static void add_field_name(JsonText *json, const VMStateDescription *vmsd,
                           const VMStateField *field)
{
    g_autofree char *numbered = NULL;
    int before = 0, after = 0;

    for (const VMStateField *other = vmsd->fields; other->name; other++) {
        if (other != field && strcmp(other->name, field->name) == 0) {
            *(other < field ? &before : &after) += 1;
        }
    }
    if (before || after) {
        numbered = g_strdup_printf("%s[%d]", field->name, before);
    }
    json_text_add_string(json, "name", numbered ? numbered : field->name);
}

static bool is_inline(const VMStateField *field)
{
    return field->info == &vmstate_info_tmp;
}

static void describe_begin(JsonText *json, const VMStateDescription *vmsd,
                           const VMStateField *field, int64_t index, int64_t count)
{
    if (!json) {
        return;
    }
    json_text_begin_object(json, NULL);
    add_field_name(json, vmsd, field);
    if (count > 1) {
        json_text_add_int(json, values_are_alike(field) ? "array_len" : "index",
                    values_are_alike(field) ? count : index);
    }
    json_text_add_string(json, "type",
               field->info                  ? field->info->name
               : field->flags & VMS_VSTRUCT ? "vstruct"
                                            : "struct");
    if (field->flags & VMS_STRUCT && !(field->flags & VMS_VSTRUCT) && !is_inline(field)) {
        json_text_begin_object(json, "struct");
    }
}

static void describe_end(JsonText *json, const VMStateField *field, uint64_t bytes)
{
    if (!json) {
        return;
    }
    if (field->flags & VMS_STRUCT && !(field->flags & VMS_VSTRUCT) && !is_inline(field)) {
        json_text_end_object(json);
    }
    json_text_add_int(json, "size", (int64_t)bytes);
    json_text_end_object(json);
}

/* -- Saving ---------------------------------------------------------------------------
 */

static void save_value(Wire *wire, const VMStateField *field, void *value, int64_t size,
                       JsonText *description)
{
    if (is_missing(field, value)) {
        if (field->flags & VMS_ARRAY_OF_POINTER) {
            vmstate_info_nullptr.put(wire, NULL, 0, field);
        } else {
            wire_fail(wire, "'%s' is missing", field->name);
        }
    } else if (field->flags & VMS_STRUCT) {
        save_table(wire, field->vmsd, value, struct_version(field), description);
    } else if (field->host != VMSTATE_HOST_SAME) {
        wire_put_be(wire, load_member(field, value), field->info->bytes);
    } else {
        field->info->put(wire, value, (size_t)size, field);
    }
}

static void save_field(Wire *wire, const Subject *subject, const VMStateField *field,
                       JsonText *description)
{
    void *base = field_base(subject, field);
    int64_t count = field_count(subject, field);
    int64_t size = field_size(subject, field);

    if (field->flags & VMS_POINTER && !base && count * size == 0) {
        count = 0;
    }
    for (int64_t i = 0; i < count && !wire_failed(wire); i++) {
        uint64_t start = wire_offset(wire);

        describe_begin(description, subject->vmsd, field, i, count);
        save_value(wire, field,
                   base || !(field->flags & VMS_POINTER)
                       ? field_value(field, base, i, size)
                       : NULL,
                   size, description);
        describe_end(description, field, wire_offset(wire) - start);
        if (values_are_alike(field)) {
            description = NULL;
        }
    }
}

static void save_subsections(Wire *wire, const Subject *subject, JsonText *description)
{
    const VMStateDescription *const *sub = subject->vmsd->subsections;
    bool any = false;

    for (; sub && *sub && !wire_failed(wire); sub++) {
        if (!vmstate_is_needed(*sub, subject->object)) {
            continue;
        }
        if (description && !any) {
            json_text_begin_array(description, "subsections");
        }
        any = true;
        wire_put_u8(wire, SUBSECTION_MARK);
        wire_put_counted_string(wire, (*sub)->name);
        wire_put_be32(wire, (*sub)->version_id);
        if (description) {
            json_text_begin_object(description, NULL);
        }
        save_table(wire, *sub, subject->object, (*sub)->version_id, description);
        if (description) {
            json_text_end_object(description);
        }
    }
    if (description && any) {
        json_text_end_array(description);
    }
}

static bool save_table(Wire *wire, const VMStateDescription *vmsd, void *opaque,
                       int version_id, JsonText *description)
{
    Subject subject = {vmsd, NULL, version_id};

    if (vmsd->pre_save) {
        vmsd->pre_save(opaque);
    }
    subject.object = object_new(vmsd, opaque);
    if (description) {
        json_text_add_string(description, "vmsd_name", vmsd->name);
        json_text_add_int(description, "version", version_id);
        json_text_begin_array(description, "fields");
    }
    for (const VMStateField *field = vmsd->fields; field->name; field++) {
        if (field_exists(&subject, field)) {
            save_field(wire, &subject, field, description);
        } else if (field->flags & VMS_MUST_EXIST) {
            wire_fail(wire, "%s: its state does not hold together: %s", vmsd->name,
                      field->name);
        }
    }
    if (description) {
        json_text_end_array(description);
    }
    save_subsections(wire, &subject, description);
    object_free(vmsd, subject.object);
    if (vmsd->post_save) {
        vmsd->post_save(opaque);
    }
    return !wire_failed(wire);
}

bool vmstate_save(Wire *wire, const VMStateDescription *vmsd, void *opaque,
                  JsonText *description)
{
    return save_table(wire, vmsd, opaque, vmsd->version_id, description);
}

/* -- Loading --------------------------------------------------------------------------
 */

/* Whether the field has room for what the stream says of its extent. */
static bool has_room(Wire *wire, const Subject *subject, const VMStateField *field,
                     int64_t room)
{
    int64_t extent = field_extent(subject, field);

    if (!(field->flags & (VMS_VARRAY | VMS_VBUFFER))) {
        return true;
    }
    if (field->flags & VMS_ALLOC) {
        room = field->flags & VMS_VARRAY ? ALLOC_MAX / (int64_t)field->size : ALLOC_MAX;
    } else if (!(field->flags & VMS_POINTER)) {
        room = field->num;
    }
    if (extent < 0 || extent > room) {
        wire_fail(wire,
                  "%s.%s: the stream has %" G_GINT64_FORMAT
                  " values where there is room for %" G_GINT64_FORMAT,
                  subject->vmsd->name, field->name, extent, MAX(room, 0));
        return false;
    }
    return true;
}

static void allocate(const Subject *subject, const VMStateField *field)
{
    void **pointer = (void **)((char *)subject->object + field->offset);
    int64_t bytes = field_count(subject, field) * field_size(subject, field);

    g_free(*pointer);
    *pointer = bytes ? g_malloc0((size_t)bytes) : NULL;
}

static void load_value(Wire *wire, const Subject *subject, const VMStateField *field,
                       void *value, int64_t size)
{
    if (!is_missing(field, value) && field->flags & VMS_STRUCT) {
        load_table(wire, field->vmsd, value, struct_version(field));
        return;
    }
    if (is_missing(field, value) && field->flags & VMS_ARRAY_OF_POINTER) {
        vmstate_info_nullptr.get(wire, NULL, 0, field);
    } else if (is_missing(field, value)) {
        wire_fail(wire, "it is missing here");
    } else if (field->host != VMSTATE_HOST_SAME) {
        get_member(wire, field, value);
    } else {
        field->info->get(wire, value, (size_t)size, field);
    }
    wire_prefix_error(wire, "%s.%s", subject->vmsd->name, field->name);
}

static void load_field(Wire *wire, const Subject *subject, const VMStateField *field,
                       int64_t room)
{
    int64_t count, size;
    void *base;

    if (!has_room(wire, subject, field, room)) {
        return;
    }
    if (field->flags & VMS_ALLOC) {
        allocate(subject, field);
    }
    base = field_base(subject, field);
    count = field_count(subject, field);
    size = field_size(subject, field);
    if (field->flags & VMS_POINTER && !base && count * size == 0) {
        count = 0;
    }
    for (int64_t i = 0; i < count && !wire_failed(wire); i++) {
        load_value(wire, subject, field,
                   base || !(field->flags & VMS_POINTER)
                       ? field_value(field, base, i, size)
                       : NULL,
                   size);
    }
}

static const VMStateDescription *find_subsection(const VMStateDescription *vmsd,
                                                 const char *name)
{
    const VMStateDescription *const *sub = vmsd->subsections;

    while (sub && *sub && strcmp((*sub)->name, name) != 0) {
        sub++;
    }
    return sub ? *sub : NULL;
}

/* The name of the subsection that comes next, if it is one of vmsd's: QEMU's names begin
 * with their table's. What follows instead may be a number that happens to be 5. */
static bool peek_subsection(Wire *wire, const VMStateDescription *vmsd, char name[256])
{
    const uint8_t *next = wire_peek(wire, 2);
    uint8_t length = next ? next[1] : 0;

    if (!next || next[0] != SUBSECTION_MARK || length <= strlen(vmsd->name)) {
        return false;
    }
    next = wire_peek(wire, 2 + length);
    if (!next || memcmp(next + 2, vmsd->name, strlen(vmsd->name)) != 0) {
        return false;
    }
    memcpy(name, next + 2, length);
    name[length] = '\0';
    return true;
}

static void load_subsections(Wire *wire, const Subject *subject)
{
    char name[256];

    while (!wire_failed(wire) && peek_subsection(wire, subject->vmsd, name)) {
        const VMStateDescription *sub = find_subsection(subject->vmsd, name);

        if (!sub) {
            g_autofree char *shown = g_utf8_make_valid(name, -1);

            wire_fail(wire,
                      "%s: this machine has no subsection '%s': the source's device has "
                      "something that is missing here",
                      subject->vmsd->name, shown);
            return;
        }
        wire_skip(wire, 2 + strlen(name));
        load_table(wire, sub, subject->object, (int)wire_get_be32(wire));
    }
}

static bool version_fits(Wire *wire, const VMStateDescription *vmsd, int version_id)
{
    if (version_id > vmsd->version_id) {
        wire_fail(wire, "%s: version %d in the stream is newer than our %d", vmsd->name,
                  version_id, vmsd->version_id);
    } else if (version_id < vmsd->minimum_version_id) {
        wire_fail(wire,
                  "%s: version %d in the stream is older than %d, the oldest we read",
                  vmsd->name, version_id, vmsd->minimum_version_id);
    }
    return !wire_failed(wire);
}

static void load_fields(Wire *wire, const Subject *subject)
{
    const VMStateField *fields = subject->vmsd->fields;
    g_autoptr(GArray) rooms = g_array_new(false, false, sizeof(int64_t));

    for (const VMStateField *field = fields; field->name; field++) {
        int64_t room = field_extent(subject, field);

        g_array_append_val(rooms, room);
    }
    for (const VMStateField *field = fields; field->name && !wire_failed(wire); field++) {
        if (field_exists(subject, field)) {
            load_field(wire, subject, field,
                       g_array_index(rooms, int64_t, field - fields));
        } else if (field->flags & VMS_MUST_EXIST) {
            wire_fail(wire, "%s: what the stream says does not hold together: %s",
                      subject->vmsd->name, field->name);
        }
    }
}

/* Whether `ok` came with an error or without one, the wire gets a sentence. */
static void note_refusal(Wire *wire, const VMStateDescription *vmsd, bool ok,
                         GError **error)
{
    if (!ok) {
        wire_fail(wire, "%s: %s", vmsd->name,
                  *error ? (*error)->message : "the stream's state does not fit");
    }
    g_clear_error(error);
}

static bool load_table(Wire *wire, const VMStateDescription *vmsd, void *opaque,
                       int version_id)
{
    Subject subject = {vmsd, NULL, version_id};
    GError *error = NULL;

    if (wire_failed(wire) || !version_fits(wire, vmsd, version_id)) {
        return false;
    }
    if (vmsd->pre_load) {
        vmsd->pre_load(opaque);
    }
    subject.object = object_new(vmsd, opaque);
    load_fields(wire, &subject);
    load_subsections(wire, &subject);
    if (!wire_failed(wire) && vmsd->from_wire) {
        note_refusal(wire, vmsd,
                     vmsd->from_wire(opaque, subject.object, version_id, &error), &error);
    }
    object_free(vmsd, subject.object);
    if (!wire_failed(wire) && vmsd->post_load) {
        note_refusal(wire, vmsd, vmsd->post_load(opaque, version_id, &error), &error);
    }
    return !wire_failed(wire);
}

bool vmstate_load(Wire *wire, const VMStateDescription *vmsd, void *opaque,
                  int version_id)
{
    return load_table(wire, vmsd, opaque, version_id);
}
