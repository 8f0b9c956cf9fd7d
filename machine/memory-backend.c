/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/memory-backend.h"

#include <errno.h>
#include <gio/gio.h>
#include <sys/mman.h>

USER_OBJECT_DEFINE_TYPE(MemoryBackend, memory_backend, "memory-backend", TYPE_USER_OBJECT)
USER_OBJECT_DEFINE_TYPE(MemoryBackend, memory_backend_ram, "memory-backend-ram",
                        TYPE_MEMORY_BACKEND)
USER_OBJECT_DEFINE_TYPE(MemoryBackend, memory_backend_file, "memory-backend-file",
                        TYPE_MEMORY_BACKEND)
USER_OBJECT_DEFINE_TYPE(MemoryBackend, memory_backend_memfd, "memory-backend-memfd",
                        TYPE_MEMORY_BACKEND)

/* -- All kinds ---------------------------------------------------------------------- */

static const Property common_properties[] = {
    PROP_SIZE("size", MemoryBackend, size, 0, "how much, as 512M"),
    PROP_BOOL("prealloc", MemoryBackend, prealloc, false,
              "take the host's memory at once, not when the guest first writes it"),
    PROP_END,
};

static bool check_size(UserObject *object, GError **error)
{
    MemoryBackend *backend = MEMORY_BACKEND(object);

    if (backend->size == 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "Parameter 'size' is missing; write size=512M");
        return false;
    }
    return true;
}

static bool backend_in_use(const UserObject *object)
{
    return ((const MemoryBackend *)object)->user;
}

static void memory_backend_finalize(GObject *object)
{
    g_free(MEMORY_BACKEND(object)->mem_path);
    G_OBJECT_CLASS(g_type_class_peek(TYPE_USER_OBJECT))->finalize(object);
}

static void memory_backend_class_init(UserObjectClass *klass)
{
    klass->complete = check_size;
    klass->in_use = backend_in_use;
    G_OBJECT_CLASS(klass)->finalize = memory_backend_finalize;
    property_install_table(G_OBJECT_CLASS(klass), common_properties);
}

MemoryBackend *memory_backend_find(const char *id, GError **error)
{
    UserObject *object = user_object_find(id);

    if (!object || !G_TYPE_CHECK_INSTANCE_TYPE(object, TYPE_MEMORY_BACKEND)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                    "Memory backend '%s' not found; make it with "
                    "-object memory-backend-memfd,id=%s,size=...",
                    id, id);
        return NULL;
    }
    return MEMORY_BACKEND(object);
}

static bool preallocate(MemoryBackend *backend, MemoryRegion *mr, GError **error)
{
    if (madvise(memory_region_get_ram_ptr(mr), backend->size, MADV_POPULATE_WRITE) < 0) {
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno),
                    "cannot take %" PRIu64 " KiB for memory backend '%s' at once: %s; "
                    "leave prealloc=on out",
                    backend->size >> 10, backend->parent.id, g_strerror(errno));
        return false;
    }
    return true;
}

bool memory_backend_init_region(MemoryBackend *backend, MemoryRegion *mr, GError **error)
{
    if (backend->user) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_BUSY,
                    "memory backend '%s' is in use already; make another one",
                    backend->parent.id);
        return false;
    }
    if (!memory_region_init_ram_from_file(mr, NULL, backend->parent.id, backend->size,
                                          backend->share, backend->mem_path, error)) {
        return false;
    }
    backend->user = mr;
    return !backend->prealloc || preallocate(backend, mr, error);
}

/* -- Each kind ---------------------------------------------------------------------- */

static const Property private_properties[] = {
    PROP_BOOL("share", MemoryBackend, share, false, "other processes may see it"),
    PROP_END,
};

static const Property shared_properties[] = {
    PROP_BOOL("share", MemoryBackend, share, true, "other processes may see it"),
    PROP_END,
};

static const Property file_properties[] = {
    PROP_STRING("mem-path", MemoryBackend, mem_path, NULL,
                "the file, made if missing; or a directory, for one without a name"),
    PROP_BOOL("share", MemoryBackend, share, false, "the guest's writes reach the file"),
    PROP_END,
};

static bool check_path(UserObject *object, GError **error)
{
    if (!MEMORY_BACKEND(object)->mem_path) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "Parameter 'mem-path' is missing; write mem-path=FILE");
        return false;
    }
    return check_size(object, error);
}

static void memory_backend_ram_class_init(UserObjectClass *klass)
{
    property_install_table(G_OBJECT_CLASS(klass), private_properties);
}

static void memory_backend_file_class_init(UserObjectClass *klass)
{
    klass->complete = check_path;
    property_install_table(G_OBJECT_CLASS(klass), file_properties);
}

static void memory_backend_memfd_class_init(UserObjectClass *klass)
{
    property_install_table(G_OBJECT_CLASS(klass), shared_properties);
}
