/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/user-object.h"

#include <gio/gio.h>
#include <string.h>

#include "hw/core/option-string.h"
#include "machine/memory-backend.h"
#include "machine/segment-server.h"

typedef struct UserObjectType {
    const char *name;
    GType (*get_type)(void);
    const char *help;
} UserObjectType;

static const UserObjectType types[] = {
    {"memory-backend-file", memory_backend_file_get_type, "guest memory in a file"},
    {"memory-backend-memfd", memory_backend_memfd_get_type, "guest memory to share"},
    {"memory-backend-ram", memory_backend_ram_get_type, "guest memory of this process"},
    {"umbra-segments", segment_server_get_type,
     "a socket that hands guest memory to other processes"},
};

static GPtrArray *objects; /* UserObject *, in the order made */

G_DEFINE_ABSTRACT_TYPE(UserObject, user_object, G_TYPE_OBJECT)

static void user_object_init(UserObject *object)
{
}

static void user_object_finalize(GObject *object)
{
    g_free(USER_OBJECT(object)->id);
    G_OBJECT_CLASS(user_object_parent_class)->finalize(object);
}

static void user_object_class_init(UserObjectClass *klass)
{
    G_OBJECT_CLASS(klass)->finalize = user_object_finalize;
}

void user_object_foreach(void (*func)(UserObject *object, void *opaque), void *opaque)
{
    for (guint i = 0; objects && i < objects->len; i++) {
        func(objects->pdata[i], opaque);
    }
}

UserObject *user_object_find(const char *id)
{
    for (guint i = 0; objects && i < objects->len; i++) {
        UserObject *object = objects->pdata[i];

        if (strcmp(object->id, id) == 0) {
            return object;
        }
    }
    return NULL;
}

const char *user_object_type_name(int i)
{
    return i < (int)G_N_ELEMENTS(types) ? types[i].name : NULL;
}

GType user_object_type_by_name(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        if (strcmp(types[i].name, name) == 0) {
            return types[i].get_type();
        }
    }
    return G_TYPE_INVALID;
}

static const UserObjectType *find_type(const char *name, GError **error)
{
    const char *names[G_N_ELEMENTS(types) + 1] = {NULL};
    const char *nearest;

    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        if (strcmp(types[i].name, name) == 0) {
            return &types[i];
        }
        names[i] = types[i].name;
    }
    nearest = nearest_name(name, names);
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                "there is no object type '%s'%s%s%s; -object help lists them", name,
                nearest ? ", did you mean '" : "", nearest ? nearest : "",
                nearest ? "'?" : "");
    return NULL;
}

/* QEMU's rule for identifiers. */
static bool check_id(const char *id, GError **error)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static const char others[] = "0123456789-._";
    size_t length = 0;

    while (id && id[length] &&
           (strchr(letters, id[length]) || (length && strchr(others, id[length])))) {
        length++;
    }
    if (!id || length == 0 || id[length]) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    id ? "'id' is letters, digits, '-', '.' and '_', a letter first"
                       : "Parameter 'id' is missing");
        return false;
    }
    if (user_object_find(id)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS, "Duplicate ID '%s' for object",
                    id);
        return false;
    }
    return true;
}

static bool set_up(UserObject *object, const OptionString *options, GError **error)
{
    UserObjectClass *klass =
        G_TYPE_INSTANCE_GET_CLASS(object, TYPE_USER_OBJECT, UserObjectClass);

    for (guint i = 0; i < options->count; i++) {
        if (!property_set_string(G_OBJECT(object), options->pairs[i].key,
                                 options->pairs[i].value, error)) {
            return false;
        }
    }
    return !klass->complete || klass->complete(object, error);
}

UserObject *user_object_add_from_text(const char *text, GError **error)
{
    g_autoptr(OptionString) options = option_string_parse(text, "qom-type");
    g_autofree char *name = option_string_take(options, "qom-type");
    g_autofree char *id = option_string_take(options, "id");
    const UserObjectType *type = find_type(name ? name : "", error);
    UserObject *object;

    if (!type || !check_id(id, error)) {
        return NULL;
    }
    object = g_object_new(type->get_type(), NULL);
    property_init_defaults(G_OBJECT(object));
    object->id = g_steal_pointer(&id);
    if (!set_up(object, options, error)) {
        g_object_unref(object);
        return NULL;
    }
    if (!objects) {
        objects = g_ptr_array_new_with_free_func(g_object_unref);
    }
    g_ptr_array_add(objects, object);
    return object;
}

bool user_object_del(const char *id, GError **error)
{
    UserObject *object = user_object_find(id);
    UserObjectClass *klass;

    if (!object) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "object '%s' not found", id);
        return false;
    }
    klass = G_TYPE_INSTANCE_GET_CLASS(object, TYPE_USER_OBJECT, UserObjectClass);
    if (klass->in_use && klass->in_use(object)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_BUSY,
                    "object '%s' is in use, can not be deleted", id);
        return false;
    }
    g_ptr_array_remove(objects, object);
    return true;
}

static void print_property(const Property *property, void *opaque)
{
    g_string_append_printf(opaque, "  %-10s  %s\n", property->name, property->help);
}

bool user_object_help(const char *text, GString *out)
{
    g_autoptr(OptionString) options = option_string_parse(text, "qom-type");
    const char *name = option_string_get(options, "qom-type");
    const UserObjectType *type;
    GObjectClass *klass;

    if (g_strcmp0(name, "help") == 0 || g_strcmp0(name, "?") == 0) {
        g_string_append(out, "List of user creatable objects:\n");
        for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
            g_string_append_printf(out, "  %-22s  %s\n", types[i].name, types[i].help);
        }
        return true;
    }
    type = option_string_get(options, "help") && name ? find_type(name, NULL) : NULL;
    if (!type) {
        return false;
    }
    klass = g_type_class_ref(type->get_type());
    g_string_append_printf(out, "%s options:\n", type->name);
    property_foreach(klass, print_property, out);
    g_type_class_unref(klass);
    return true;
}

void user_objects_cleanup(void)
{
    g_clear_pointer(&objects, g_ptr_array_unref);
}
