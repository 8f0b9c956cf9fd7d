/*
 * Reads and writes of an address space.
 *
 * RAM is found through what this thread found last: a small table, by address, of copied
 * ranges with their host addresses. An entry holds as long as memory_generation has not
 * moved; that is looked at inside the RCU read section, so what the entry points to stays
 * until the access is over. Devices are called outside of the read section, under the
 * machine lock, after a second look: the tree may have changed while the lock was waited
 * for.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "memory/guest-bytes.h"
#include "memory/internal.h"

typedef struct Place {
    AddressSpace *as;
    uint64_t generation;
    uint8_t *read_host;    /* of the range's first byte; NULL: reads go to a device */
    uint8_t *write_host;   /* the same for writes */
    FlatRange range;       /* mr NULL: nobody answers from start to last */
    RAMBlock *write_block; /* where write_host's pages are noted as dirty */
    uint64_t write_offset;
    uint8_t direct_sizes; /* or-ed: aligned reads that the device's callback takes as they
                             are */
} __attribute__((aligned(64))) Place;

#define PLACES 16

static __thread Place places[PLACES];

void places_forget(void)
{
    memset(places, 0, sizeof(places));
}

static uint8_t *ram_at(const MemoryRegion *mr, hwaddr offset)
{
    return mr->ram_block->host + offset;
}

static bool has_ops(const MemoryRegion *mr)
{
    return (mr->kind == MEMORY_REGION_IO || mr->kind == MEMORY_REGION_ROM_DEVICE) &&
           mr->ops;
}

static void find_place(Place *place, AddressSpace *as, hwaddr addr, uint64_t generation)
{
    FlatRange *range = &place->range;
    const MemoryRegion *mr, *written = NULL;
    hwaddr offset = 0;

    *place = (Place){.as = as, .generation = generation};
    if (!address_space_lookup(as, addr, range)) {
        return;
    }
    mr = range->mr;
    if (mr->kind == MEMORY_REGION_RAM || range->romd_mode) {
        place->read_host = ram_at(mr, range->offset_in_region);
    } else if (has_ops(mr)) {
        place->direct_sizes = dispatch_direct_sizes(mr);
    }
    if (range->write_mr) {
        written = range->write_mr;
        offset = range->write_offset;
    } else if (mr->kind == MEMORY_REGION_RAM && !range->readonly) {
        written = mr;
        offset = range->offset_in_region;
    }
    if (written) {
        place->write_host = ram_at(written, offset);
        place->write_block = written->ram_block;
        place->write_offset = offset;
    }
}

static inline Place *place_for(AddressSpace *as, hwaddr addr)
{
    return &places[((addr >> MEMORY_PAGE_BITS) ^ ((uintptr_t)as >> 6)) % PLACES];
}

/* Whether a place says what is at addr now. In a read section. */
static inline bool place_holds(const Place *place, const AddressSpace *as, hwaddr addr,
                               uint64_t generation)
{
    return place->as == as && place->generation == generation &&
           addr - place->range.start <= place->range.last - place->range.start;
}

/* In a read section. */
static inline const Place *place_at(AddressSpace *as, hwaddr addr)
{
    uint64_t generation = __atomic_load_n(&memory_generation, __ATOMIC_ACQUIRE);
    Place *place = place_for(as, addr);

    if (G_UNLIKELY(!place_holds(place, as, addr, generation))) {
        find_place(place, as, addr, generation);
    }
    return place;
}

static inline bool is_watched(const Place *place)
{
    return __atomic_load_n(&place->write_block->watched, __ATOMIC_RELAXED);
}

static inline void note_written(const Place *place, hwaddr addr, hwaddr length)
{
    if (G_UNLIKELY(is_watched(place))) {
        ram_block_set_dirty(place->write_block,
                            place->write_offset + (addr - place->range.start), length,
                            (1u << DIRTY_MEMORY_CLIENTS) - 1);
    }
}

/* How many of `length` bytes from addr on the place holds. */
static hwaddr room_in(const Place *place, hwaddr addr, hwaddr length)
{
    return MIN(length - 1, place->range.last - addr) + 1;
}

/* -- Devices --------------------------------------------------------------------- */

/* An access to where nobody answers. Machine lock. */
static MemTxResult unassigned(AddressSpace *as, hwaddr addr, hwaddr length, bool is_write,
                              void *read_to)
{
    if (read_to) {
        memset(read_to, as->unassigned_policy == MEMORY_UNASSIGNED_READ_ZERO ? 0 : 0xff,
               length);
    }
    if (as->unassigned_handler) {
        as->unassigned_handler(as, addr, MIN(length, 8), is_write, as->unassigned_opaque);
    }
    return MEMTX_DECODE_ERROR;
}

/*
 * How many of `length` bytes at `offset` the device can be given. What counts is the end
 * of the region, not of the range: a chip decodes the address and takes the access whole,
 * though another claims some of its bytes (ports 0xcf8 and 0xcf9).
 */
static hwaddr room_in_device(const MemoryRegion *mr, hwaddr offset, hwaddr length)
{
    return mr->ops->valid.past_end
               ? length
               : MIN(length - 1, (hwaddr)(mr->size - 1) - offset) + 1;
}

/* Device memory is accessed with as few and as big accesses as its alignment allows. */
static unsigned ram_device_size(hwaddr offset, hwaddr length)
{
    unsigned size = 8;

    while (size > length || (offset & (size - 1))) {
        size /= 2;
    }
    return size;
}

/* Reads at most `length` bytes from what is not RAM; *done says how many. None when there
 * is RAM by now. */
static MemTxResult read_device(AddressSpace *as, hwaddr addr, MemTxAttrs attrs,
                               void *buffer, hwaddr length, hwaddr *done)
{
    MemTxResult result = MEMTX_OK;
    bool taken = io_lock_unless_held();
    Place place;
    MemoryRegion *mr;
    hwaddr offset;
    uint64_t value = 0;

    memory_read_lock();
    place = *place_at(as, addr);
    memory_read_unlock();
    mr = place.range.mr;
    offset = place.range.offset_in_region + (addr - place.range.start);
    *done = room_in(&place, addr, length);
    if (place.read_host) {
        *done = 0;
    } else if (mr && attrs.memory) {
        memset(buffer, 0, *done);
        result = MEMTX_ACCESS_ERROR;
    } else if (mr && has_ops(mr)) {
        *done = dispatch_access_size(mr, offset, room_in_device(mr, offset, length));
        result = dispatch_read(mr, offset, *done, &value, attrs);
        value = GUINT64_TO_LE(value);
        memcpy(buffer, &value, *done);
    } else if (mr && mr->kind == MEMORY_REGION_RAM_DEVICE) {
        *done = ram_device_size(offset, *done);
        value = GUINT64_TO_LE(guest_load(ram_at(mr, offset), *done));
        memcpy(buffer, &value, *done);
    } else {
        result = unassigned(as, addr, *done, false, buffer);
    }
    io_unlock_if(taken);
    return result;
}

static MemTxResult write_device(AddressSpace *as, hwaddr addr, MemTxAttrs attrs,
                                const void *buffer, hwaddr length, hwaddr *done)
{
    MemTxResult result = MEMTX_OK;
    bool taken = io_lock_unless_held();
    Place place;
    MemoryRegion *mr;
    hwaddr offset;
    uint64_t value = 0;

    memory_read_lock();
    place = *place_at(as, addr);
    memory_read_unlock();
    mr = place.range.mr;
    offset = place.range.offset_in_region + (addr - place.range.start);
    *done = room_in(&place, addr, length);
    if (place.write_host) {
        *done = 0;
    } else if (mr && attrs.memory) {
        result = MEMTX_ACCESS_ERROR;
    } else if (mr && has_ops(mr) && !place.range.readonly) {
        *done = dispatch_access_size(mr, offset, room_in_device(mr, offset, length));
        memcpy(&value, buffer, *done);
        result = dispatch_write(mr, offset, *done, GUINT64_FROM_LE(value), attrs);
    } else if (mr && mr->kind == MEMORY_REGION_RAM_DEVICE && !place.range.readonly) {
        *done = ram_device_size(offset, *done);
        memcpy(&value, buffer, *done);
        guest_store(ram_at(mr, offset), *done, GUINT64_FROM_LE(value));
    } else if (mr && place.range.readonly) {
        result = MEMTX_DECODE_ERROR; /* ROM does not listen to writes */
    } else {
        result = unassigned(as, addr, *done, true, NULL);
    }
    io_unlock_if(taken);
    return result;
}

/* -- Bulk accesses --------------------------------------------------------------- */

/* Bytes of an access up to the end of the address space; what is beyond is an error. */
static hwaddr cut_at_end(hwaddr addr, hwaddr length, MemTxResult *result)
{
    *result = MEMTX_OK;
    if (length > 0 && length - 1 > UINT64_MAX - addr) {
        *result = MEMTX_DECODE_ERROR;
        return UINT64_MAX - addr + 1;
    }
    return length;
}

MemTxResult address_space_read(AddressSpace *as, hwaddr addr, MemTxAttrs attrs,
                               void *buffer, hwaddr length)
{
    uint8_t *to = buffer;
    MemTxResult result;
    hwaddr asked = length;

    length = cut_at_end(addr, length, &result);
    memset(to + length, 0, asked - length);
    while (length > 0) {
        const Place *place;
        hwaddr done;

        memory_read_lock();
        place = place_at(as, addr);
        if (place->read_host) {
            done = room_in(place, addr, length);
            guest_copy(to, place->read_host + (addr - place->range.start), done);
            memory_read_unlock();
        } else {
            memory_read_unlock();
            result |= read_device(as, addr, attrs, to, length, &done);
        }
        addr += done;
        to += done;
        length -= done;
    }
    return result;
}

MemTxResult address_space_write(AddressSpace *as, hwaddr addr, MemTxAttrs attrs,
                                const void *buffer, hwaddr length)
{
    const uint8_t *from = buffer;
    MemTxResult result;

    length = cut_at_end(addr, length, &result);
    while (length > 0) {
        const Place *place;
        hwaddr done;

        memory_read_lock();
        place = place_at(as, addr);
        if (place->write_host) {
            done = room_in(place, addr, length);
            guest_copy(place->write_host + (addr - place->range.start), from, done);
            note_written(place, addr, done);
            memory_read_unlock();
        } else {
            memory_read_unlock();
            result |= write_device(as, addr, attrs, from, length, &done);
        }
        addr += done;
        from += done;
        length -= done;
    }
    return result;
}

MemTxResult address_space_write_rom(AddressSpace *as, hwaddr addr, MemTxAttrs attrs,
                                    const void *buffer, hwaddr length)
{
    const uint8_t *from = buffer;
    MemTxResult result;

    length = cut_at_end(addr, length, &result);
    while (length > 0) {
        const Place *place;
        RAMBlock *block;
        hwaddr done;

        memory_read_lock();
        place = place_at(as, addr);
        done = room_in(place, addr, length);
        block = place->range.mr ? place->range.mr->ram_block : NULL;
        if (block && place->range.mr->kind != MEMORY_REGION_RAM_DEVICE) {
            hwaddr offset = place->range.offset_in_region + (addr - place->range.start);

            guest_copy(block->host + offset, from, done);
            ram_block_set_dirty(block, offset, done, (1u << DIRTY_MEMORY_CLIENTS) - 1);
        }
        memory_read_unlock();
        addr += done;
        from += done;
        length -= done;
    }
    return result;
}

MemTxResult address_space_set(AddressSpace *as, hwaddr addr, uint8_t byte, hwaddr length,
                              MemTxAttrs attrs)
{
    uint8_t chunk[512];
    MemTxResult result = MEMTX_OK;

    memset(chunk, byte, sizeof(chunk));
    while (length > 0) {
        hwaddr part = MIN(length, sizeof(chunk));

        result |= address_space_write(as, addr, attrs, chunk, part);
        if (addr + part < addr) {
            break;
        }
        addr += part;
        length -= part;
    }
    return result;
}

/* -- Loads and stores ------------------------------------------------------------ */

/* Whether a device answers at addr and takes an access of this size as it is. In a read
 * section. */
static bool is_for_device(const Place *place, hwaddr addr, unsigned size,
                          MemTxAttrs attrs)
{
    const MemoryRegion *mr = place->range.mr;
    hwaddr offset = place->range.offset_in_region + (addr - place->range.start);

    return mr && has_ops(mr) && !place->read_host && !attrs.memory &&
           room_in_device(mr, offset, size) == size &&
           dispatch_access_size(mr, offset, size) == size;
}

/*
 * The way of all loads that do not hit remembered RAM. A device that takes the access as
 * it is gets it at once; anything else goes in parts. RAM must not come to the lock here,
 * however often commits make threads forget.
 */
static __attribute__((noinline)) MemTxResult load_slowly(AddressSpace *as, hwaddr addr,
                                                         unsigned size, uint64_t *value,
                                                         MemTxAttrs attrs)
{
    uint64_t buffer = 0;
    MemTxResult result;
    const Place *place;
    bool taken = false, for_device;

    memory_read_lock();
    place = place_at(as, addr);
    for_device = is_for_device(place, addr, size, attrs);
    if (for_device && !io_lock_held()) {
        memory_read_unlock();
        io_lock();
        taken = true;
        memory_read_lock();
        place = place_at(as, addr);
        for_device = is_for_device(place, addr, size, attrs);
    }
    if (for_device) {
        MemoryRegion *mr = place->range.mr;
        hwaddr offset = place->range.offset_in_region + (addr - place->range.start);

        memory_read_unlock();
        result = dispatch_read(mr, offset, size, value, attrs);
        io_unlock_if(taken);
        return result;
    }
    memory_read_unlock();
    io_unlock_if(taken);
    result = address_space_read(as, addr, attrs, &buffer, size);
    *value = GUINT64_FROM_LE(buffer);
    return result;
}

/*
 * The most frequent of those: whoever has the machine lock reads a remembered device.
 * With the lock held no commit can come between, and the region stays.
 */
static inline __attribute__((always_inline)) bool
load_remembered_device(AddressSpace *as, hwaddr addr, unsigned size, uint64_t *value,
                       MemTxAttrs attrs)
{
    const Place *place = place_for(as, addr);
    hwaddr offset = place->range.offset_in_region + (addr - place->range.start);

    if (place->direct_sizes & size && !(offset & (size - 1)) && !attrs.memory &&
        io_lock_held() && place_holds(place, as, addr, memory_generation) &&
        room_in_device(place->range.mr, offset, size) == size) {
        *value = dispatch_read_direct(place->range.mr, offset, size);
        return true;
    }
    return false;
}

static __attribute__((noinline)) uint64_t load_value_slowly(AddressSpace *as, hwaddr addr,
                                                            unsigned size,
                                                            MemTxAttrs attrs,
                                                            MemTxResult *result)
{
    uint64_t value;
    MemTxResult done = load_remembered_device(as, addr, size, &value, attrs)
                           ? MEMTX_OK
                           : load_slowly(as, addr, size, &value, attrs);

    if (result) {
        *result = done;
    }
    return value;
}

static __attribute__((noinline)) MemTxResult store_slowly(AddressSpace *as, hwaddr addr,
                                                          unsigned size, uint64_t value,
                                                          MemTxAttrs attrs)
{
    uint64_t buffer = GUINT64_TO_LE(value);

    return address_space_write(as, addr, attrs, &buffer, size);
}

static __attribute__((noinline)) void store_value_slowly(AddressSpace *as, hwaddr addr,
                                                         unsigned size, uint64_t value,
                                                         MemTxAttrs attrs,
                                                         MemTxResult *result)
{
    MemTxResult done = store_slowly(as, addr, size, value, attrs);

    if (result) {
        *result = done;
    }
}

/* Whether an access stays inside a remembered range, as far as this thread knows. */
static inline __attribute__((always_inline)) bool
may_hold(const Place *place, const AddressSpace *as, hwaddr addr, unsigned size)
{
    return place->as == as && addr >= place->range.start && addr <= place->range.last &&
           place->range.last - addr >= size - 1;
}

/* Whether it still is what it was. In a read section; a thread that remembers something
 * is registered (places_forget()). */
static inline __attribute__((always_inline)) bool is_current(const Place *place)
{
    return place->generation == __atomic_load_n(&memory_generation, __ATOMIC_ACQUIRE);
}

static bool is_access_size(unsigned size)
{
    return size == 1 || size == 2 || size == 4 || size == 8;
}

static void leave(void)
{
    if (G_UNLIKELY(memory_read_leave())) {
        memory_wake_writer();
    }
}

MemTxResult address_space_load(AddressSpace *as, hwaddr addr, unsigned size,
                               uint64_t *value, MemTxAttrs attrs)
{
    const Place *place = place_for(as, addr);
    MemTxResult result;

    if (!is_access_size(size)) {
        memory_misuse("address_space_load: %u bytes; use 1, 2, 4 or 8, or "
                      "address_space_read()",
                      size);
    }
    if (G_LIKELY(place->read_host && may_hold(place, as, addr, size) &&
                 memory_read_enter())) {
        bool current = is_current(place);

        if (G_LIKELY(current)) {
            *value = guest_load(place->read_host + (addr - place->range.start), size);
        }
        leave();
        if (G_LIKELY(current)) {
            return MEMTX_OK;
        }
    }
    *value = load_value_slowly(as, addr, size, attrs, &result);
    return result;
}

MemTxResult address_space_store(AddressSpace *as, hwaddr addr, unsigned size,
                                uint64_t value, MemTxAttrs attrs)
{
    const Place *place = place_for(as, addr);

    if (!is_access_size(size)) {
        memory_misuse("address_space_store: %u bytes; use 1, 2, 4 or 8, or "
                      "address_space_write()",
                      size);
    }
    if (G_LIKELY(place->write_host && may_hold(place, as, addr, size) &&
                 memory_read_enter())) {
        bool current = is_current(place);

        if (G_LIKELY(current)) {
            guest_store(place->write_host + (addr - place->range.start), size, value);
            note_written(place, addr, size);
        }
        leave();
        if (G_LIKELY(current)) {
            return MEMTX_OK;
        }
    }
    return store_slowly(as, addr, size, value, attrs);
}

/* Why an access of fixed size is not over in a few instructions. */
typedef enum Otherwise {
    NOT_REMEMBERED,
    STALE,   /* in a read section that has found a commit */
    WATCHED, /* in a read section, stored, and to be noted */
    WAITED,  /* all is done, but somebody waited for it */
} Otherwise;

#define SAME(value) (value)

/* Whatever is called is called last and returns the same type: so the usual way has no
 * registers to save. */
#define DEFINE_ACCESSES(type, size, load_name, store_name, order)                        \
    static __attribute__((noinline))                                                     \
    type load_name##_otherwise(AddressSpace *as, hwaddr addr, MemTxAttrs attrs,          \
                               MemTxResult *result, Otherwise why, type value)           \
    {                                                                                    \
        if (why == WAITED) {                                                             \
            memory_wake_writer();                                                        \
            return value;                                                                \
        }                                                                                \
        if (why == STALE) {                                                              \
            leave();                                                                     \
        }                                                                                \
        return order((type)load_value_slowly(as, addr, size, attrs, result));            \
    }                                                                                    \
                                                                                         \
    type load_name(AddressSpace *as, hwaddr addr, MemTxAttrs attrs, MemTxResult *result) \
    {                                                                                    \
        const Place *place = place_for(as, addr);                                        \
        type value;                                                                      \
                                                                                         \
        if (G_UNLIKELY(!place->read_host || !may_hold(place, as, addr, size) ||          \
                       !memory_read_enter())) {                                          \
            return load_name##_otherwise(as, addr, attrs, result, NOT_REMEMBERED, 0);    \
        }                                                                                \
        if (G_UNLIKELY(!is_current(place))) {                                            \
            return load_name##_otherwise(as, addr, attrs, result, STALE, 0);             \
        }                                                                                \
        value = (type)guest_load(place->read_host + (addr - place->range.start), size);  \
        value = order(value);                                                            \
        if (result) {                                                                    \
            *result = MEMTX_OK;                                                          \
        }                                                                                \
        if (G_UNLIKELY(memory_read_leave())) {                                           \
            return load_name##_otherwise(as, addr, attrs, result, WAITED, value);        \
        }                                                                                \
        return value;                                                                    \
    }                                                                                    \
                                                                                         \
    static __attribute__((noinline)) void store_name##_otherwise(                        \
        AddressSpace *as, hwaddr addr, MemTxAttrs attrs, MemTxResult *result,            \
        Otherwise why, type value)                                                       \
    {                                                                                    \
        if (why == WATCHED) {                                                            \
            note_written(place_for(as, addr), addr, size);                               \
        }                                                                                \
        if (why == STALE || why == WATCHED) {                                            \
            leave();                                                                     \
        }                                                                                \
        if (why == WAITED) {                                                             \
            memory_wake_writer();                                                        \
        }                                                                                \
        if (why == STALE || why == NOT_REMEMBERED) {                                     \
            store_value_slowly(as, addr, size, order(value), attrs, result);             \
        }                                                                                \
    }                                                                                    \
                                                                                         \
    void store_name(AddressSpace *as, hwaddr addr, type value, MemTxAttrs attrs,         \
                    MemTxResult *result)                                                 \
    {                                                                                    \
        const Place *place = place_for(as, addr);                                        \
                                                                                         \
        if (G_UNLIKELY(!place->write_host || !may_hold(place, as, addr, size) ||         \
                       !memory_read_enter())) {                                          \
            store_name##_otherwise(as, addr, attrs, result, NOT_REMEMBERED, value);      \
            return;                                                                      \
        }                                                                                \
        if (G_UNLIKELY(!is_current(place))) {                                            \
            store_name##_otherwise(as, addr, attrs, result, STALE, value);               \
            return;                                                                      \
        }                                                                                \
        if (result) {                                                                    \
            *result = MEMTX_OK;                                                          \
        }                                                                                \
        guest_store(place->write_host + (addr - place->range.start), size,               \
                    order(value));                                                       \
        if (G_UNLIKELY(is_watched(place))) {                                             \
            store_name##_otherwise(as, addr, attrs, result, WATCHED, value);             \
        } else if (G_UNLIKELY(memory_read_leave())) {                                    \
            store_name##_otherwise(as, addr, attrs, result, WAITED, value);              \
        }                                                                                \
    }

DEFINE_ACCESSES(uint8_t, 1, address_space_ldub, address_space_stb, SAME)
DEFINE_ACCESSES(uint16_t, 2, address_space_lduw_le, address_space_stw_le, SAME)
DEFINE_ACCESSES(uint32_t, 4, address_space_ldl_le, address_space_stl_le, SAME)
DEFINE_ACCESSES(uint64_t, 8, address_space_ldq_le, address_space_stq_le, SAME)
DEFINE_ACCESSES(uint16_t, 2, address_space_lduw_be, address_space_stw_be,
                GUINT16_SWAP_LE_BE)
DEFINE_ACCESSES(uint32_t, 4, address_space_ldl_be, address_space_stl_be,
                GUINT32_SWAP_LE_BE)
DEFINE_ACCESSES(uint64_t, 8, address_space_ldq_be, address_space_stq_be,
                GUINT64_SWAP_LE_BE)
