/*
 * RAM blocks: where the guest's memory is on the host.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "memory/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Blocks lie in the RAM address space at multiples of what one word of a dirty bitmap
 * counts; migration streams and `info ramblock` show these places. */
#define OFFSET_GRAIN (64 * MEMORY_PAGE_SIZE)

/* Big blocks are aligned so that the host may use its 2 MiB pages for them. */
#define HUGE_PAGE MiB(2)

static GPtrArray *blocks; /* largest first; machine lock */

/* The same blocks by host address, and those that are only mapped still; RCU. */
typedef struct HostTable {
    unsigned count;
    RAMBlock *blocks[];
} HostTable;

static HostTable *by_host;

static uint64_t round_up(uint64_t n, uint64_t to)
{
    return (n + to - 1) & ~(to - 1);
}

static void replace_host_table(RAMBlock *added, RAMBlock *removed)
{
    HostTable *old = by_host;
    unsigned count = old ? old->count : 0;
    HostTable *table = g_malloc(sizeof(*table) + (count + 1) * sizeof(RAMBlock *));

    table->count = 0;
    for (unsigned i = 0; i < count; i++) {
        if (added && added->host < old->blocks[i]->host) {
            table->blocks[table->count++] = added;
            added = NULL;
        }
        if (old->blocks[i] != removed) {
            table->blocks[table->count++] = old->blocks[i];
        }
    }
    if (added) {
        table->blocks[table->count++] = added;
    }
    publish_pointer(by_host, table);
    if (old) {
        memory_retire(old, g_free);
        memory_reclaim();
    }
}

/* The smallest gap that holds `length` bytes, at its start. */
static uint64_t find_offset(uint64_t length)
{
    uint64_t best = 0, best_gap = UINT64_MAX;

    if (blocks->len == 0) {
        return 0;
    }
    for (guint i = 0; i <= blocks->len; i++) {
        uint64_t candidate = 0, next = UINT64_MAX;

        if (i < blocks->len) {
            RAMBlock *block = g_ptr_array_index(blocks, i);

            candidate = round_up(block->offset + block->max_length, OFFSET_GRAIN);
        }
        for (guint j = 0; j < blocks->len; j++) {
            RAMBlock *block = g_ptr_array_index(blocks, j);

            if (block->offset >= candidate) {
                next = MIN(next, block->offset);
            } else if (block->offset + block->max_length > candidate) {
                next = candidate; /* the candidate lies in a block */
            }
        }
        if (next - candidate >= length && next - candidate < best_gap) {
            best = candidate;
            best_gap = next - candidate;
        }
    }
    return best;
}

/* -- Getting memory from the host ----------------------------------------------------------- */

static bool fail(GError **error, const char *name, uint64_t size, const char *what)
{
    int code = errno;

    g_set_error(error, G_IO_ERROR, g_io_error_from_errno(code),
                "cannot %s for %" PRIu64 " KiB of guest memory '%s': %s", what, size >> 10,
                name, g_strerror(code));
    return false;
}

static void *map_aligned(uint64_t size, int flags, int fd)
{
    uint64_t slack = size >= HUGE_PAGE ? HUGE_PAGE : 0;
    uint8_t *reserved, *start;

    reserved = mmap(NULL, size + slack, PROT_NONE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (reserved == MAP_FAILED) {
        return NULL;
    }
    start = reserved;
    if (slack) {
        start = (uint8_t *)(uintptr_t)round_up((uintptr_t)reserved, HUGE_PAGE);
        if (start > reserved) {
            munmap(reserved, start - reserved);
        }
        if (start + size < reserved + size + slack) {
            munmap(start + size, reserved + slack - start);
        }
    }
    if (mmap(start, size, PROT_READ | PROT_WRITE, flags | MAP_FIXED | MAP_NORESERVE, fd,
             0) == MAP_FAILED) {
        int code = errno;

        munmap(start, size);
        errno = code;
        return NULL;
    }
    return start;
}

/* A path that is a directory, such as a hugetlbfs mount, gets a file without a name. */
static int open_backing(const char *path)
{
    struct stat st;

    if (!path) {
        return memfd_create("umbra-ram", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    }
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        return open(path, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    }
    return open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

static bool allocate(RAMBlock *block, const char *path, GError **error)
{
    const char *what = path ? "use the file" : "make a memory file";
    struct stat st;

    block->fd = open_backing(path);
    if (block->fd < 0 || fstat(block->fd, &st) < 0) {
        return fail(error, block->name, block->max_length, what);
    }
    if ((uint64_t)st.st_size < block->max_length &&
        ftruncate(block->fd, block->max_length) < 0) {
        return fail(error, block->name, block->max_length, "extend the file");
    }
    block->host = map_aligned(block->max_length, block->shared ? MAP_SHARED : MAP_PRIVATE,
                              block->fd);
    if (!block->host) {
        return fail(error, block->name, block->max_length, "map memory");
    }
    return true;
}

static void block_free(void *opaque)
{
    RAMBlock *block = opaque;

    if (block->owned && block->host) {
        munmap(block->host, block->max_length);
    }
    if (block->fd >= 0) {
        close(block->fd);
    }
    g_free(block->name);
    g_free(block);
}

static bool request_is_sound(const char *name, const RAMBlockRequest *request,
                             GError **error)
{
    if (request->used_length == 0 || request->used_length > request->max_length ||
        request->max_length > INT64_MAX - HUGE_PAGE) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "guest memory '%s' cannot have %" PRIu64 " bytes of at most %" PRIu64
                    "; give it a size from 1 byte to its limit",
                    name, request->used_length, request->max_length);
        return false;
    }
    if (*name && ram_block_find(name)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS,
                    "there is guest memory '%s' already; give each RAM region its own name",
                    name);
        return false;
    }
    return true;
}

RAMBlock *ram_block_new(MemoryRegion *mr, const RAMBlockRequest *request, GError **error)
{
    const char *name = mr->name ? mr->name : "";
    RAMBlock *block;
    guint place;

    if (!blocks) {
        blocks = g_ptr_array_new();
    }
    if (!request_is_sound(name, request, error)) {
        return NULL;
    }
    block = g_new0(RAMBlock, 1);
    block->name = g_strdup(name);
    block->used_length = round_up(request->used_length, MEMORY_PAGE_SIZE);
    block->max_length = round_up(request->max_length, MEMORY_PAGE_SIZE);
    block->fd = -1;
    block->shared = request->shared;
    block->resized = request->resized;
    block->mr = mr;
    block->references = 1;
    block->host = request->host;
    block->owned = !request->host;
    if (block->owned && !allocate(block, request->path, error)) {
        block_free(block);
        return NULL;
    }
    block->offset = find_offset(block->max_length);
    for (place = 0; place < blocks->len; place++) {
        if (((RAMBlock *)g_ptr_array_index(blocks, place))->max_length <
            block->max_length) {
            break;
        }
    }
    g_ptr_array_insert(blocks, place, block);
    replace_host_table(block, NULL);
    ram_dirty_block_added(block);
    ram_accessed_block_added(block);
    return block;
}

void ram_block_retire(RAMBlock *block)
{
    g_ptr_array_remove(blocks, block);
    block->mr = NULL;
    ram_block_unref(block);
}

void ram_block_ref(RAMBlock *block)
{
    __atomic_add_fetch(&block->references, 1, __ATOMIC_RELAXED);
}

void ram_block_unref(RAMBlock *block)
{
    bool taken;

    if (__atomic_sub_fetch(&block->references, 1, __ATOMIC_ACQ_REL) > 0) {
        return;
    }
    taken = io_lock_unless_held();
    replace_host_table(NULL, block);
    ram_dirty_block_removed(block);
    ram_accessed_block_removed(block);
    /* Not left to memory_retire(), which may hold on to a guest's whole RAM for long. */
    memory_wait_for_readers();
    block_free(block);
    io_unlock_if(taken);
}

bool ram_block_resize(RAMBlock *block, uint64_t length, GError **error)
{
    uint64_t rounded = round_up(length, MEMORY_PAGE_SIZE);

    if (length == 0 || rounded > block->max_length) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "guest memory '%s' cannot be resized to %" PRIu64
                    " bytes; it may have 1 to %" PRIu64,
                    block->name, length, block->max_length);
        return false;
    }
    if (rounded == block->used_length) {
        return true;
    }
    if (rounded < block->used_length && block->owned &&
        fallocate(block->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, rounded,
                  block->used_length - rounded) < 0) {
        memset(block->host + rounded, 0, block->used_length - rounded);
    }
    block->used_length = rounded;
    if (block->resized) {
        block->resized(block->name, length, block->host);
    }
    return true;
}

/* -- Finding blocks ------------------------------------------------------------------------------ */

RAMBlock *ram_block_find(const char *name)
{
    for (guint i = 0; blocks && i < blocks->len; i++) {
        RAMBlock *block = g_ptr_array_index(blocks, i);

        if (!strcmp(block->name, name)) {
            return block;
        }
    }
    return NULL;
}

void ram_block_rename(RAMBlock *block, const char *name)
{
    g_free(block->name);
    block->name = g_strdup(name);
}

void ram_block_foreach(bool (*func)(RAMBlock *block, void *opaque), void *opaque)
{
    for (guint i = 0; blocks && i < blocks->len; i++) {
        if (!func(g_ptr_array_index(blocks, i), opaque)) {
            return;
        }
    }
}

RAMBlock *ram_block_from_host(const void *host, uint64_t *offset)
{
    const uint8_t *wanted = host;
    RAMBlock *found = NULL;
    const HostTable *table;

    memory_read_lock();
    table = see_pointer(by_host);
    for (unsigned low = 0, high = table ? table->count : 0; low < high;) {
        unsigned middle = low + (high - low) / 2;
        RAMBlock *block = table->blocks[middle];

        if (wanted < block->host) {
            high = middle;
        } else if ((uint64_t)(wanted - block->host) >= block->max_length) {
            low = middle + 1;
        } else {
            found = block;
            *offset = wanted - block->host;
            break;
        }
    }
    memory_read_unlock();
    return found;
}
