/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/core/descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

#include "hw/core/property.h"

#define SET_PREFIX "/dev/fdset/"

typedef struct SetMember {
    int64_t set;
    int fd;
    char *note;
} SetMember;

static GHashTable *names; /* char * -> its fd */
static GPtrArray *sets;   /* SetMember *, by set */

static bool fail(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool fail(GError **error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    if (error) {
        *error = g_error_new_valist(G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, format,
                                    arguments);
    }
    va_end(arguments);
    return false;
}

/* -- Names ----------------------------------------------------------------------- */

static void close_value(gpointer value)
{
    close(GPOINTER_TO_INT(value));
}

bool descriptor_name(const char *name, int fd, GError **error)
{
    if (g_ascii_isdigit(*name)) {
        close(fd);
        return fail(error, "Parameter 'fdname' expects a name not starting with a digit");
    }
    if (!names) {
        names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, close_value);
    }
    g_hash_table_insert(names, g_strdup(name), GINT_TO_POINTER(fd));
    return true;
}

bool descriptor_close(const char *name, GError **error)
{
    return (names && g_hash_table_remove(names, name)) ||
           fail(error, "File descriptor named '%s' not found", name);
}

int descriptor_take(const char *name, GError **error)
{
    gpointer key, value;
    uint64_t number;

    if (parse_uint64(name, G_MAXINT, &number)) {
        return (int)number;
    }
    if (!names || !g_hash_table_steal_extended(names, name, &key, &value)) {
        fail(error, "File descriptor named '%s' not found", name);
        return -1;
    }
    g_free(key);
    return GPOINTER_TO_INT(value);
}

/* -- Sets ------------------------------------------------------------------------ */

static void free_member(gpointer data)
{
    SetMember *member = data;

    close(member->fd);
    g_free(member->note);
    g_free(member);
}

static guint end_of_set(int64_t set)
{
    guint i = 0;

    while (i < sets->len && ((SetMember *)sets->pdata[i])->set <= set) {
        i++;
    }
    return i;
}

int64_t descriptor_set_free_number(void)
{
    int64_t set = 0;

    for (guint i = 0; sets && i < sets->len; i++) {
        const SetMember *member = sets->pdata[i];

        set = member->set == set ? set + 1 : set;
    }
    return set;
}

bool descriptor_set_add(int64_t set, int fd, const char *note, GError **error)
{
    SetMember *member;

    if (set < 0) {
        close(fd);
        return fail(error, "Parameter 'fdset-id' expects a non-negative value");
    }
    if (!sets) {
        sets = g_ptr_array_new_with_free_func(free_member);
    }
    member = g_new(SetMember, 1);
    *member = (SetMember){set, fd, g_strdup(note)};
    g_ptr_array_insert(sets, (gint)end_of_set(set), member);
    return true;
}

bool descriptor_set_remove(int64_t set, int fd, GError **error)
{
    bool found = false;

    for (guint i = sets ? sets->len : 0; i-- > 0;) {
        const SetMember *member = sets->pdata[i];

        if (member->set == set && (fd == -1 || member->fd == fd)) {
            g_ptr_array_remove_index(sets, i);
            found = true;
        }
    }
    if (!found) {
        g_autofree char *which = fd == -1 ? g_strdup("") : g_strdup_printf(", fd:%d", fd);

        fail(error, "File descriptor named 'fdset-id:%" G_GINT64_FORMAT "%s' not found",
             set, which);
    }
    return found;
}

void descriptor_set_foreach(void (*func)(int64_t set, int fd, const char *note,
                                         void *opaque),
                            void *opaque)
{
    for (guint i = 0; sets && i < sets->len; i++) {
        const SetMember *member = sets->pdata[i];

        func(member->set, member->fd, member->note, opaque);
    }
}

int descriptor_open(const char *path, int flags, mode_t mode)
{
    bool found = false;
    uint64_t set;

    if (!g_str_has_prefix(path, SET_PREFIX)) {
        return open(path, flags, mode);
    }
    if (!parse_uint64(path + strlen(SET_PREFIX), INT64_MAX, &set)) {
        errno = EINVAL;
        return -1;
    }
    for (guint i = 0; sets && i < sets->len; i++) {
        const SetMember *member = sets->pdata[i];

        if (member->set == (int64_t)set) {
            found = true;
            if ((fcntl(member->fd, F_GETFL) & O_ACCMODE) == (flags & O_ACCMODE)) {
                return fcntl(member->fd, F_DUPFD_CLOEXEC, 0);
            }
        }
    }
    errno = found ? EACCES : ENOENT;
    return -1;
}
