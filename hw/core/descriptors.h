/*
 * File descriptors that somebody has handed to this process for later: under a name
 * (QMP's getfd), or in numbered sets that stand for a file (add-fd), each descriptor of a
 * set being that file opened in another way.
 *
 * Machine lock for all of it. What is put in is the table's, which closes it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_CORE_DESCRIPTORS_H
#define HW_CORE_DESCRIPTORS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Names `fd`; one that has the name already is closed. False and *error (and `fd` is
 * closed) for a name that could be a number. */
bool descriptor_name(const char *name, int fd, GError **error);

bool descriptor_close(const char *name, GError **error);

/* Takes the descriptor of that name out of the table: the caller is to close it. A name
 * that is a number is that descriptor of the process. -1 and *error when there is none.
 */
int descriptor_take(const char *name, GError **error);

/* Puts `fd` into the set. `note` is for those who list them; NULL: none. False and *error
 * (and `fd` is closed) for a negative number. */
bool descriptor_set_add(int64_t set, int fd, const char *note, GError **error);

/* The lowest number that no set has. */
int64_t descriptor_set_free_number(void);

/* Closes the one (-1: all) of the set. Those who have opened the set keep what
 * they have. */
bool descriptor_set_remove(int64_t set, int fd, GError **error);

/* In ascending order of sets, then in the order of their being added. */
void descriptor_set_foreach(void (*func)(int64_t set, int fd, const char *note,
                                         void *opaque),
                            void *opaque);

/* open(2), which takes "/dev/fdset/N" for a copy of the descriptor in set N that has the
 * access mode of `flags`. -1 and errno: ENOENT no such set, EACCES none with that mode.
 */
int descriptor_open(const char *path, int flags, mode_t mode);

#endif
