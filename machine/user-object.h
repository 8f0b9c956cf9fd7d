/*
 * Objects of the user's, made with -object TYPE,id=ID,property=value...: what others of
 * the machine's options name by id (a memory backend), or what stands on its own (a
 * server).
 *
 * Machine lock for all of it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_USER_OBJECT_H
#define MACHINE_USER_OBJECT_H

#include "hw/core/property.h"

typedef struct UserObject {
    GObject parent;
    char *id;
} UserObject;

typedef struct UserObjectClass {
    GObjectClass parent;
    /* All properties are set: makes it work, or says why it cannot. May be NULL. */
    bool (*complete)(UserObject *object, GError **error);
    /* Something of the machine holds on to it. May be NULL: nothing ever does. */
    bool (*in_use)(const UserObject *object);
} UserObjectClass;

GType user_object_get_type(void);
#define TYPE_USER_OBJECT (user_object_get_type())
#define USER_OBJECT(object)                                                              \
    (G_TYPE_CHECK_INSTANCE_CAST((object), TYPE_USER_OBJECT, UserObject))
#define USER_OBJECT_CLASS(klass)                                                         \
    (G_TYPE_CHECK_CLASS_CAST((klass), TYPE_USER_OBJECT, UserObjectClass))

/* Defines TYPE_NAME_get_type() for a structure without a class structure of its own, as
 * DEVICE_DEFINE_TYPE does: `name` is what -object calls it. */
#define USER_OBJECT_DEFINE_TYPE(Struct, type_name, name, PARENT_TYPE)                    \
    static void type_name##_class_init(UserObjectClass *klass);                          \
    GType type_name##_get_type(void)                                                     \
    {                                                                                    \
        static GType type;                                                               \
        if (g_once_init_enter(&type)) {                                                  \
            g_once_init_leave(&type, g_type_register_static_simple(                      \
                                         PARENT_TYPE, name, sizeof(UserObjectClass),     \
                                         (GClassInitFunc)(void *)type_name##_class_init, \
                                         sizeof(Struct), NULL, 0));                      \
        }                                                                                \
        return type;                                                                     \
    }

/* Makes the object that -object's argument describes; it lives until user_object_del() or
 * user_objects_cleanup(). NULL and *error for what it cannot be. */
UserObject *user_object_add_from_text(const char *text, GError **error);

/* Gives up the object of that id. False and *error: there is none, or it is in use. */
bool user_object_del(const char *id, GError **error);

/* Answers "help" and "TYPE,help"; false when `text` asks for neither. */
bool user_object_help(const char *text, GString *out);

/* The i-th type's name; NULL after the last. */
const char *user_object_type_name(int i);

/* The type of that name, or G_TYPE_INVALID. */
GType user_object_type_by_name(const char *name);

/* The object of that id, or NULL. */
UserObject *user_object_find(const char *id);

/* Calls func for each object, in the order in which they were made. */
void user_object_foreach(void (*func)(UserObject *object, void *opaque), void *opaque);

/* Gives all of them up: at exit. */
void user_objects_cleanup(void);

#endif
