/*
 * Guest memory at a host address, for DMA and other bulk work.
 *
 * RAM is handed out in place and its block held, so the pages stay whatever becomes of
 * the tree or of the region. Anything else is copied through a bounce buffer.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "memory/internal.h"

#include <pthread.h>
#include <string.h>

/* A guest must not be able to make the host allocate without end by mapping devices. */
#define BOUNCE_BUFFERS 16
#define BOUNCE_SIZE KiB(64)

typedef struct Bounce {
    uint8_t *memory; /* NULL: free */
    hwaddr addr;
    hwaddr length;
    MemTxAttrs attrs;
} Bounce;

/* Who waits for a bounce buffer. */
typedef struct MapClient {
    void (*func)(void *opaque);
    void *opaque;
} MapClient;

static pthread_mutex_t bounce_lock = PTHREAD_MUTEX_INITIALIZER;
static Bounce bounces[BOUNCE_BUFFERS];
static GArray *map_clients;     /* MapClient, the longest waiting first; NULL: none yet */
static bool map_clients_called; /* the main loop is about to */

static Bounce *bounce_take(hwaddr length)
{
    Bounce *bounce = NULL;

    pthread_mutex_lock(&bounce_lock);
    for (unsigned i = 0; i < BOUNCE_BUFFERS && !bounce; i++) {
        if (!bounces[i].memory) {
            bounce = &bounces[i];
            bounce->memory = g_malloc0(length);
        }
    }
    pthread_mutex_unlock(&bounce_lock);
    return bounce;
}

static Bounce *bounce_of(const void *host)
{
    Bounce *bounce = NULL;

    pthread_mutex_lock(&bounce_lock);
    for (unsigned i = 0; i < BOUNCE_BUFFERS && !bounce; i++) {
        if (bounces[i].memory == host) {
            bounce = &bounces[i];
        }
    }
    pthread_mutex_unlock(&bounce_lock);
    return bounce;
}

/* The longest waiting client; false: nobody waits. */
static bool take_map_client(MapClient *client)
{
    bool found;

    pthread_mutex_lock(&bounce_lock);
    found = map_clients->len > 0;
    if (found) {
        *client = g_array_index(map_clients, MapClient, 0);
        g_array_remove_index(map_clients, 0);
    }
    pthread_mutex_unlock(&bounce_lock);
    return found;
}

/* From the main loop: a client may map, unmap and so wake others, and whoever unmaps need
 * not be ready for that. Those that go on waiting are not called again here. */
static gboolean call_map_clients(gpointer unused)
{
    MapClient client;
    guint waiting;

    pthread_mutex_lock(&bounce_lock);
    waiting = map_clients->len;
    map_clients_called = false;
    pthread_mutex_unlock(&bounce_lock);
    for (guint i = 0; i < waiting && take_map_client(&client); i++) {
        client.func(client.opaque);
    }
    return G_SOURCE_REMOVE;
}

/* With bounce_lock held. */
static void wake_map_clients(void)
{
    bool free = false;

    for (unsigned i = 0; i < BOUNCE_BUFFERS; i++) {
        free |= !bounces[i].memory;
    }
    if (free && map_clients && map_clients->len > 0 && !map_clients_called) {
        map_clients_called = true;
        g_idle_add_full(G_PRIORITY_HIGH, call_map_clients, NULL, NULL);
    }
}

void address_space_register_map_client(AddressSpace *as, void (*func)(void *opaque),
                                       void *opaque)
{
    MapClient client = {func, opaque};

    pthread_mutex_lock(&bounce_lock);
    if (!map_clients) {
        map_clients = g_array_new(FALSE, FALSE, sizeof(MapClient));
    }
    g_array_append_val(map_clients, client);
    wake_map_clients(); /* one may have come free since the client asked */
    pthread_mutex_unlock(&bounce_lock);
}

void address_space_unregister_map_client(AddressSpace *as, void (*func)(void *opaque),
                                         void *opaque)
{
    pthread_mutex_lock(&bounce_lock);
    for (guint i = 0; map_clients && i < map_clients->len;) {
        const MapClient *client = &g_array_index(map_clients, MapClient, i);

        if (client->func == func && client->opaque == opaque) {
            g_array_remove_index(map_clients, i);
        } else {
            i++;
        }
    }
    pthread_mutex_unlock(&bounce_lock);
}

static void bounce_release(Bounce *bounce)
{
    pthread_mutex_lock(&bounce_lock);
    g_clear_pointer(&bounce->memory, g_free);
    wake_map_clients();
    pthread_mutex_unlock(&bounce_lock);
}

void *address_space_map(AddressSpace *as, hwaddr addr, hwaddr *length, bool is_write,
                        MemTxAttrs attrs)
{
    FlatRange range;
    MemoryRegion *mr;
    hwaddr offset;
    Bounce *bounce;

    if (*length == 0) {
        return NULL;
    }
    memory_read_lock();
    address_space_lookup(as, addr, &range);
    *length = MIN(*length - 1, range.last - addr) + 1;
    mr = range.mr;
    offset = range.offset_in_region;
    if (is_write && range.write_mr) {
        mr = range.write_mr;
        offset = range.write_offset;
    } else if (mr && (mr->kind == MEMORY_REGION_RAM_DEVICE ||
                      (is_write && (range.readonly || range.romd_mode)) ||
                      (mr->kind == MEMORY_REGION_ROM_DEVICE && !range.romd_mode))) {
        mr = NULL;
    }
    if (mr && mr->ram_block) {
        void *host = mr->ram_block->host + offset + (addr - range.start);

        ram_block_ref(mr->ram_block);
        memory_read_unlock();
        return host;
    }
    memory_read_unlock();

    if (attrs.memory) {
        *length = 0;
        return NULL;
    }
    *length = MIN(*length, BOUNCE_SIZE);
    bounce = bounce_take(*length);
    if (!bounce) {
        *length = 0;
        return NULL;
    }
    bounce->addr = addr;
    bounce->length = *length;
    bounce->attrs = attrs;
    if (!is_write) {
        address_space_read(as, addr, attrs, bounce->memory, *length);
    }
    return bounce->memory;
}

void address_space_unmap(AddressSpace *as, void *host, hwaddr length, bool is_write,
                         hwaddr access_length)
{
    uint64_t offset;
    RAMBlock *block = ram_block_from_host(host, &offset);
    Bounce *bounce;

    access_length = MIN(access_length, length);
    if (block) {
        if (is_write && access_length > 0) {
            ram_block_set_dirty(block, offset, access_length,
                                (1u << DIRTY_MEMORY_CLIENTS) - 1);
        }
        ram_block_unref(block);
        return;
    }
    bounce = bounce_of(host);
    if (!bounce) {
        memory_misuse("address_space_unmap: nothing is mapped at %p", host);
    }
    if (is_write && access_length > 0) {
        address_space_write(as, bounce->addr, bounce->attrs, bounce->memory,
                            MIN(access_length, bounce->length));
    }
    bounce_release(bounce);
}
