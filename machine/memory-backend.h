/*
 * Memory backends: where a machine's RAM comes from, when the user chooses
 * (-object memory-backend-memfd,id=mem,size=1G -machine memory-backend=mem).
 *
 * A backend is a description until something of the machine takes it; the memory itself
 * is then a RAM region of that owner's, under the backend's id, as in QEMU.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_MEMORY_BACKEND_H
#define MACHINE_MEMORY_BACKEND_H

#include "machine/user-object.h"
#include "memory/region.h"

typedef struct MemoryBackend {
    UserObject parent;
    uint64_t size; /* bytes */
    bool share;    /* other processes see what the guest writes */
    bool prealloc; /* take the host's memory at once */
    char *mem_path;
    MemoryRegion *user; /* what shows it, or NULL */
} MemoryBackend;

GType memory_backend_get_type(void);
#define TYPE_MEMORY_BACKEND (memory_backend_get_type())
#define MEMORY_BACKEND(object)                                                           \
    (G_TYPE_CHECK_INSTANCE_CAST((object), TYPE_MEMORY_BACKEND, MemoryBackend))

GType memory_backend_ram_get_type(void);
GType memory_backend_file_get_type(void);
GType memory_backend_memfd_get_type(void);

/* The backend of that id; NULL and *error when there is none. */
MemoryBackend *memory_backend_find(const char *id, GError **error);

/* Makes the backend's memory, as the RAM region `mr`. False and *error when the host does
 * not give it, or another region has it. */
bool memory_backend_init_region(MemoryBackend *backend, MemoryRegion *mr, GError **error);

#endif
