/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/core/property.h"

#include <gio/gio.h>
#include <string.h>

static GQuark property_quark(void)
{
    return g_quark_from_static_string("umbra-property");
}

static uint64_t kind_max(PropertyKind kind)
{
    switch (kind) {
    case PROPERTY_UINT8:
        return UINT8_MAX;
    case PROPERTY_UINT16:
        return UINT16_MAX;
    case PROPERTY_UINT32:
        return UINT32_MAX;
    default:
        return UINT64_MAX;
    }
}

/* -- Rows and GObject ------------------------------------------------------------------ */

static const Property *row_of(GParamSpec *spec)
{
    return g_param_spec_get_qdata(spec, property_quark());
}

static void *field_of(GObject *object, const Property *row)
{
    return (char *)object + row->offset;
}

static uint64_t read_integer(GObject *object, const Property *row)
{
    const void *field = field_of(object, row);

    switch (row->kind) {
    case PROPERTY_UINT8:
        return *(const uint8_t *)field;
    case PROPERTY_UINT16:
        return *(const uint16_t *)field;
    case PROPERTY_UINT32:
        return *(const uint32_t *)field;
    default:
        return *(const uint64_t *)field;
    }
}

static void write_integer(GObject *object, const Property *row, uint64_t value)
{
    void *field = field_of(object, row);

    switch (row->kind) {
    case PROPERTY_UINT8:
        *(uint8_t *)field = (uint8_t)value;
        break;
    case PROPERTY_UINT16:
        *(uint16_t *)field = (uint16_t)value;
        break;
    case PROPERTY_UINT32:
        *(uint32_t *)field = (uint32_t)value;
        break;
    default:
        *(uint64_t *)field = value;
    }
}

static void row_set(GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
    const Property *row = row_of(spec);
    void *field = field_of(object, row);

    switch (row->kind) {
    case PROPERTY_BOOL:
        *(bool *)field = g_value_get_boolean(value);
        break;
    case PROPERTY_INT32:
        *(int32_t *)field = g_value_get_int(value);
        break;
    case PROPERTY_ENUM:
        *(int *)field = g_value_get_int(value);
        break;
    case PROPERTY_STRING:
        g_free(*(char **)field);
        *(char **)field = g_value_dup_string(value);
        break;
    default:
        write_integer(object, row, g_value_get_uint64(value));
    }
}

static void row_get(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
    const Property *row = row_of(spec);
    const void *field = field_of(object, row);

    switch (row->kind) {
    case PROPERTY_BOOL:
        g_value_set_boolean(value, *(const bool *)field);
        break;
    case PROPERTY_INT32:
        g_value_set_int(value, *(const int32_t *)field);
        break;
    case PROPERTY_ENUM:
        g_value_set_int(value, *(const int *)field);
        break;
    case PROPERTY_STRING:
        g_value_set_string(value, *(char *const *)field);
        break;
    default:
        g_value_set_uint64(value, read_integer(object, row));
    }
}

static GParamSpec *spec_for(const Property *row)
{
    /* Not STATIC_NAME: GObject keeps "smb_io_base" as "smb-io-base", and finds it as both. */
    const GParamFlags flags =
        G_PARAM_READWRITE | G_PARAM_STATIC_NICK | G_PARAM_STATIC_BLURB;
    int names = 0;

    switch (row->kind) {
    case PROPERTY_BOOL:
        return g_param_spec_boolean(row->name, NULL, row->help, row->initial != 0, flags);
    case PROPERTY_INT32:
        return g_param_spec_int(row->name, NULL, row->help, G_MININT, G_MAXINT,
                                (int32_t)row->initial, flags);
    case PROPERTY_ENUM:
        while (row->names[names]) {
            names++;
        }
        return g_param_spec_int(row->name, NULL, row->help, 0, names - 1, (int)row->initial,
                                flags);
    case PROPERTY_STRING:
        return g_param_spec_string(row->name, NULL, row->help, row->initial_string, flags);
    default:
        return g_param_spec_uint64(row->name, NULL, row->help, 0, kind_max(row->kind),
                                   row->initial & kind_max(row->kind), flags);
    }
}

/* A class's tables, its own first; an array that its GType carries. */
static const Property *table_of(GType type)
{
    return g_type_get_qdata(type, property_quark());
}

void property_install_table(GObjectClass *klass, const Property *table)
{
    guint id = 1;

    klass->set_property = row_set;
    klass->get_property = row_get;
    for (const Property *row = table; row->name; row++) {
        GParamSpec *spec = spec_for(row);

        g_param_spec_set_qdata(spec, property_quark(), (gpointer)row);
        g_object_class_install_property(klass, id++, spec);
    }
    g_type_set_qdata(G_OBJECT_CLASS_TYPE(klass), property_quark(), (gpointer)table);
}

static void init_from_table(GObject *object, const Property *table)
{
    for (const Property *row = table; row && row->name; row++) {
        switch (row->kind) {
        case PROPERTY_BOOL:
            *(bool *)field_of(object, row) = row->initial != 0;
            break;
        case PROPERTY_INT32:
            *(int32_t *)field_of(object, row) = (int32_t)row->initial;
            break;
        case PROPERTY_ENUM:
            *(int *)field_of(object, row) = (int)row->initial;
            break;
        case PROPERTY_STRING:
            *(char **)field_of(object, row) = g_strdup(row->initial_string);
            break;
        default:
            write_integer(object, row, row->initial);
        }
    }
}

void property_init_defaults(GObject *object)
{
    for (GType type = G_OBJECT_TYPE(object); type; type = g_type_parent(type)) {
        init_from_table(object, table_of(type));
    }
}

void property_foreach(GObjectClass *klass,
                      void (*func)(const Property *property, void *opaque), void *opaque)
{
    for (GType type = G_OBJECT_CLASS_TYPE(klass); type; type = g_type_parent(type)) {
        for (const Property *row = table_of(type); row && row->name; row++) {
            func(row, opaque);
        }
    }
}

static void collect_name(const Property *property, void *opaque)
{
    g_ptr_array_add(opaque, (gpointer)property->name);
}

static const Property *find_row(GObject *object, const char *name)
{
    GParamSpec *spec =
        g_object_class_find_property(G_OBJECT_GET_CLASS(object), name);

    return spec ? row_of(spec) : NULL;
}

/* -- Values as text -------------------------------------------------------------------- */

static bool set_number(GObject *object, const Property *row, const char *text)
{
    uint64_t value;
    bool fits = row->kind == PROPERTY_SIZE ? parse_size(text, 1, &value)
                                           : parse_uint64(text, kind_max(row->kind), &value);

    if (fits) {
        write_integer(object, row, value);
    }
    return fits;
}

static bool set_enum(GObject *object, const Property *row, const char *text)
{
    for (int i = 0; row->names[i]; i++) {
        if (strcmp(row->names[i], text) == 0) {
            *(int *)field_of(object, row) = i;
            return true;
        }
    }
    return false;
}

static bool set_int32(int32_t *field, const char *text)
{
    char *end;
    gint64 value = g_ascii_strtoll(text, &end, 0);

    if (end == text || *end || value < INT32_MIN || value > INT32_MAX) {
        return false;
    }
    *field = (int32_t)value;
    return true;
}

static const char *kind_wants(const Property *row)
{
    switch (row->kind) {
    case PROPERTY_BOOL:
        return "'on' or 'off'";
    case PROPERTY_UINT8:
        return "a number from 0 to 255";
    case PROPERTY_UINT16:
        return "a number from 0 to 65535";
    case PROPERTY_UINT32:
        return "a number from 0 to 4294967295";
    case PROPERTY_SIZE:
        return "a size such as 4096, 64K or 1G";
    default:
        return "a number";
    }
}

bool property_set_string(GObject *object, const char *name, const char *text, GError **error)
{
    const Property *row = find_row(object, name);
    bool fits;

    if (!row) {
        g_autoptr(GPtrArray) names = g_ptr_array_new();
        const char *nearest;

        property_foreach(G_OBJECT_GET_CLASS(object), collect_name, names);
        g_ptr_array_add(names, NULL);
        nearest = nearest_name(name, (const char *const *)names->pdata);
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                    "Property '%s.%s' not found%s%s%s", G_OBJECT_TYPE_NAME(object), name,
                    nearest ? "; did you mean '" : "", nearest ? nearest : "",
                    nearest ? "'?" : "");
        return false;
    }
    switch (row->kind) {
    case PROPERTY_BOOL:
        fits = parse_bool(text, field_of(object, row));
        break;
    case PROPERTY_INT32:
        fits = set_int32(field_of(object, row), text);
        break;
    case PROPERTY_ENUM:
        fits = set_enum(object, row, text);
        break;
    case PROPERTY_STRING:
        g_free(*(char **)field_of(object, row));
        *(char **)field_of(object, row) = g_strdup(text);
        fits = true;
        break;
    default:
        fits = set_number(object, row, text);
    }
    if (!fits && row->kind == PROPERTY_ENUM) {
        g_autofree char *choices = g_strjoinv("', '", (char **)row->names);

        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "Property '%s.%s' does not take '%s'; it takes '%s'",
                    G_OBJECT_TYPE_NAME(object), name, text, choices);
    } else if (!fits) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "Property '%s.%s' does not take '%s'; it takes %s",
                    G_OBJECT_TYPE_NAME(object), name, text, kind_wants(row));
    }
    return fits;
}

static char *size_text(uint64_t value)
{
    static const char units[] = "\0KMGTPE";
    int unit = 0;
    double scaled = (double)value;

    while (scaled >= 1024 && units[unit + 1]) {
        scaled /= 1024;
        unit++;
    }
    return unit ? g_strdup_printf("%" G_GUINT64_FORMAT " (%.3g %ciB)", value, scaled,
                                  units[unit])
                : g_strdup_printf("%" G_GUINT64_FORMAT " (%g B)", value, scaled);
}

char *property_get_string(GObject *object, const char *name)
{
    const Property *row = find_row(object, name);

    if (!row) {
        return NULL;
    }
    switch (row->kind) {
    case PROPERTY_BOOL:
        return g_strdup(*(bool *)field_of(object, row) ? "true" : "false");
    case PROPERTY_INT32:
        return g_strdup_printf("%d", *(int32_t *)field_of(object, row));
    case PROPERTY_ENUM:
        return g_strdup_printf("\"%s\"", row->names[*(int *)field_of(object, row)]);
    case PROPERTY_STRING: {
        const char *text = *(char **)field_of(object, row);

        return g_strdup_printf("\"%s\"", text ? text : "");
    }
    case PROPERTY_SIZE:
        return size_text(read_integer(object, row));
    default: {
        uint64_t value = read_integer(object, row);

        return g_strdup_printf("%" G_GUINT64_FORMAT " (0x%" G_GINT64_MODIFIER "x)", value,
                               value);
    }
    }
}

/* -- Numbers and names ------------------------------------------------------------------ */

bool parse_uint64(const char *text, uint64_t max, uint64_t *value)
{
    char *end;

    if (!g_ascii_isdigit(text[0])) {
        return false; /* strtoull takes blanks and signs */
    }
    errno = 0;
    *value = g_ascii_strtoull(text, &end, 0);
    return end != text && !*end && errno == 0 && *value <= max;
}

bool parse_uuid(const char *text, uint8_t bytes[16])
{
    if (!g_uuid_string_is_valid(text)) {
        return false;
    }
    for (int i = 0; i < 16; i++) {
        text += *text == '-';
        bytes[i] =
            (uint8_t)(g_ascii_xdigit_value(text[0]) << 4 | g_ascii_xdigit_value(text[1]));
        text += 2;
    }
    return true;
}

bool refuse_argument(GError **error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_propagate_error(error, g_error_new_valist(G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                                                format, arguments));
    va_end(arguments);
    return false;
}

bool parse_size(const char *text, uint64_t default_unit, uint64_t *value)
{
    static const char suffixes[] = "BKMGTPE";
    char *end;
    uint64_t whole, unit = default_unit;
    double fraction = 0, total;

    if (!g_ascii_isdigit(text[0])) {
        return false;
    }
    errno = 0;
    whole = g_ascii_strtoull(text, &end, 0);
    if (errno) {
        return false;
    }
    if (*end == '.') {
        char *after;

        fraction = g_ascii_strtod(end, &after);
        end = after;
    }
    if (*end) {
        const char *suffix = strchr(suffixes, g_ascii_toupper(*end));

        if (!suffix || end[1]) {
            return false;
        }
        unit = (uint64_t)1 << (10 * (suffix - suffixes));
    }
    total = ((double)whole + fraction) * (double)unit;
    if (total >= 18446744073709551616.0) {
        return false;
    }
    *value = whole * unit + (uint64_t)(fraction * (double)unit);
    return true;
}

bool parse_bool(const char *text, bool *value)
{
    static const char *const yes[] = {"on", "yes", "true", "y", NULL};
    static const char *const no[] = {"off", "no", "false", "n", NULL};

    if (g_strv_contains(yes, text)) {
        *value = true;
        return true;
    }
    if (g_strv_contains(no, text)) {
        *value = false;
        return true;
    }
    return false;
}

/* Letters to change, add or drop to make one of the other (Levenshtein). */
static unsigned edit_distance(const char *a, const char *b)
{
    size_t width = strlen(b) + 1;
    g_autofree unsigned *row = g_new(unsigned, width);

    for (size_t j = 0; j < width; j++) {
        row[j] = (unsigned)j;
    }
    for (size_t i = 1; a[i - 1]; i++) {
        unsigned diagonal = row[0];

        row[0] = (unsigned)i;
        for (size_t j = 1; j < width; j++) {
            unsigned change =
                diagonal + (g_ascii_tolower(a[i - 1]) != g_ascii_tolower(b[j - 1]));

            diagonal = row[j];
            row[j] = MIN(change, MIN(row[j], row[j - 1]) + 1);
        }
    }
    return row[width - 1];
}

const char *nearest_name(const char *name, const char *const *candidates)
{
    const char *best = NULL;
    unsigned best_distance = (unsigned)strlen(name) / 2 + 1;

    for (; *candidates; candidates++) {
        unsigned distance = edit_distance(name, *candidates);

        if (distance < best_distance) {
            best = *candidates;
            best_distance = distance;
        }
    }
    return best;
}
