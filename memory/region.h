/*
 * MemoryRegion: one node of the tree that says what guest addresses mean.
 *
 * A region is RAM, ROM, a ROM device, I/O (callbacks), an alias (a window onto part of
 * another region), a container (holds subregions), a reservation, or a split (reads from
 * one place, writes to another). It lives inside its owner's structure; the owner is the
 * GObject that must stay alive while the guest can reach the region. Regions are joined
 * by memory_region_add_subregion(); where siblings overlap, the higher priority shows.
 *
 * Every function here that changes the tree is called with the machine lock held (see
 * io-lock.h) and may be called inside a transaction of any depth; the guest sees the
 * change when the outermost transaction commits. Misuse that only a bug in the caller
 * can cause (an alias loop, a region added twice) ends the process with a message that
 * names the regions.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MEMORY_REGION_H
#define MEMORY_REGION_H

#include <inttypes.h>

#include <glib-object.h>

#include "memory/types.h"

typedef struct MemoryRegion MemoryRegion;
typedef struct RAMBlock RAMBlock;

/*
 * What an I/O region does when it is accessed. Offsets are from the region's start.
 * `valid` is what the guest may do (anything else is a MEMTX_ERROR that never reaches
 * the device); `impl` is what the callbacks can take: the access functions split and
 * merge to bridge the two. Zero fields mean 1..4 bytes, aligned. Callbacks run with the
 * machine lock held.
 */
typedef struct MemoryRegionOps {
    uint64_t (*read)(void *opaque, hwaddr offset, unsigned size);
    void (*write)(void *opaque, hwaddr offset, uint64_t value, unsigned size);
    MemTxResult (*read_with_attrs)(void *opaque, hwaddr offset, uint64_t *value,
                                   unsigned size, MemTxAttrs attrs);
    MemTxResult (*write_with_attrs)(void *opaque, hwaddr offset, uint64_t value,
                                    unsigned size, MemTxAttrs attrs);
    enum device_endian endianness;
    struct {
        unsigned min_access_size;
        unsigned max_access_size;
        bool unaligned;
        /* An access that starts in the region is the device's as a whole, though it ends
         * beyond it: for ports whose data's width is not theirs. */
        bool past_end;
        bool (*accepts)(void *opaque, hwaddr offset, unsigned size, bool is_write,
                        MemTxAttrs attrs);
    } valid;
    struct {
        unsigned min_access_size;
        unsigned max_access_size;
        bool unaligned;
    } impl;
} MemoryRegionOps;

typedef enum MemoryRegionKind {
    MEMORY_REGION_CONTAINER,
    MEMORY_REGION_RAM, /* with readonly set: ROM */
    MEMORY_REGION_RAM_DEVICE,
    MEMORY_REGION_ROM_DEVICE, /* reads like RAM while romd_mode, writes call ops */
    MEMORY_REGION_IO,
    MEMORY_REGION_ALIAS,
    MEMORY_REGION_RESERVATION,
    MEMORY_REGION_SPLIT, /* reads as alias, writes to split_write */
} MemoryRegionKind;

/* Fields are the memory room's own; others read them through the functions below. */
struct MemoryRegion {
    MemoryRegionKind kind;
    bool enabled;
    bool readonly;
    bool romd_mode;
    bool nonvolatile;
    bool may_overlap;
    int32_t priority;
    hwaddr addr; /* within the container */
    uint128 size;
    char *name;
    GObject *owner;

    const MemoryRegionOps *ops;
    void *opaque;
    RAMBlock *ram_block;
    MemoryRegion *alias;
    hwaddr alias_offset;
    MemoryRegion *split_write; /* a RAM region; written at split_write_offset */
    hwaddr split_write_offset;

    MemoryRegion *container;
    struct RegionIndex *subregions; /* by address and by priority; NULL: none */
    struct RegionNode *node;        /* this region's place in its container's index */
    GPtrArray *mapped_by;           /* the aliases and splits that show this region */
    unsigned mapped_slot[2];        /* this alias's place in mapped_by of what it shows:
                                       [0] where it reads, [1] where a split writes */
    struct FlatView *view;          /* rendered from here; shared by address spaces */
    unsigned on_view_path;          /* address spaces that look through it to their root */
    unsigned visited;               /* stamp of the last search for alias loops */
    GPtrArray *address_spaces;      /* the address spaces that have it as their root */
    GArray *zones;                  /* doorbells and coalesced writes; see zones.h */
    bool flush_coalesced;           /* an access delivers what accelerators gathered */
    uint8_t dirty_log_mask;  /* which DIRTY_MEMORY_* clients watch it */
    void (*destructor)(MemoryRegion *mr);
};

/* -- Making regions. `size` UINT64_MAX means 2^64; `owner` and `name` may be NULL. ------ */

/* A pure container: answers nowhere itself. */
void memory_region_init(MemoryRegion *mr, GObject *owner, const char *name, uint64_t size);

/* An I/O region; ops NULL makes a region whose accesses are unassigned. */
void memory_region_init_io(MemoryRegion *mr, GObject *owner, const MemoryRegionOps *ops,
                           void *opaque, const char *name, uint64_t size);

/* RAM backed by new anonymous shareable host memory (memfd); zero-filled, committed by
 * the host only where touched. The block is registered under `name`. False and *error
 * when the host has no memory or a block of that name exists. */
bool memory_region_init_ram(MemoryRegion *mr, GObject *owner, const char *name,
                            uint64_t size, GError **error);

/* As _init_ram, but readable only for the guest. The host side writes through
 * memory_region_get_ram_ptr() or address_space_write_rom(). */
bool memory_region_init_rom(MemoryRegion *mr, GObject *owner, const char *name,
                            uint64_t size, GError **error);

/* RAM that can grow to max_size while the machine runs (memory_region_ram_resize()). */
bool memory_region_init_resizeable_ram(MemoryRegion *mr, GObject *owner, const char *name,
                                       uint64_t size, uint64_t max_size,
                                       void (*resized)(const char *name, uint64_t length,
                                                       void *host),
                                       GError **error);

/* RAM backed by a file at `path` (created when missing; NULL: anonymous memory); share:
 * writes reach the file, and whoever else maps it. */
bool memory_region_init_ram_from_file(MemoryRegion *mr, GObject *owner, const char *name,
                                      uint64_t size, bool share, const char *path,
                                      GError **error);

/* RAM over memory that the caller owns and keeps until the region is gone. */
void memory_region_init_ram_ptr(MemoryRegion *mr, GObject *owner, const char *name,
                                uint64_t size, void *host);

/* As _init_ram_ptr, for mapped device memory: accesses keep their size and order. */
void memory_region_init_ram_device_ptr(MemoryRegion *mr, GObject *owner, const char *name,
                                       uint64_t size, void *host);

/* Reads come from RAM while ROMD mode is on (the default), else from ops; writes always
 * go to ops (flash). */
bool memory_region_init_rom_device(MemoryRegion *mr, GObject *owner,
                                   const MemoryRegionOps *ops, void *opaque,
                                   const char *name, uint64_t size, GError **error);

/* A window of `size` bytes onto `orig`, starting `offset` bytes into it. */
void memory_region_init_alias(MemoryRegion *mr, GObject *owner, const char *name,
                              MemoryRegion *orig, hwaddr offset, uint64_t size);

/* Reads as an alias of `read_from`; writes go to `write_to`, which is RAM. This is PAM
 * mode 2 of the 82441FX ("write only": section 3.2.18, reads forwarded to PCI). */
void memory_region_init_split(MemoryRegion *mr, GObject *owner, const char *name,
                              MemoryRegion *read_from, hwaddr read_offset,
                              MemoryRegion *write_to, hwaddr write_offset, uint64_t size);

/* Claims addresses without mapping anything: accesses there leave the emulator's hands
 * (another process or the kernel answers). */
void memory_region_init_reservation(MemoryRegion *mr, GObject *owner, const char *name,
                                    uint64_t size);

/* Undoes an init: the region must be out of every container and have no subregions;
 * aliases of it show nothing from now on. The structure may be reused when this returns: it
 * waits for readers where there are any, and inside a transaction it commits what that has
 * so far, so that no view shows the region. Not from inside address_space_foreach_range(). */
void memory_region_destroy(MemoryRegion *mr);

/* -- The tree ------------------------------------------------------------------------- */

/* Edits until the matching commit show at once, and cost one re-rendering. Nests. */
void memory_region_transaction_begin(void);
void memory_region_transaction_commit(void);

/* Puts `sub` at `offset` bytes into `mr`; siblings that it overlaps are an oversight. */
void memory_region_add_subregion(MemoryRegion *mr, hwaddr offset, MemoryRegion *sub);

/* The same where overlap is meant: the higher priority shows, and of equal ones the one
 * added last. _add_subregion is priority 0. */
void memory_region_add_subregion_overlap(MemoryRegion *mr, hwaddr offset, MemoryRegion *sub,
                                         int priority);

void memory_region_del_subregion(MemoryRegion *mr, MemoryRegion *sub);

void memory_region_set_enabled(MemoryRegion *mr, bool enabled);
void memory_region_set_readonly(MemoryRegion *mr, bool readonly);
void memory_region_set_nonvolatile(MemoryRegion *mr, bool nonvolatile);
void memory_region_rom_device_set_romd(MemoryRegion *mr, bool romd_mode);
void memory_region_set_address(MemoryRegion *mr, hwaddr addr);
void memory_region_set_size(MemoryRegion *mr, uint64_t size);
void memory_region_set_alias_offset(MemoryRegion *mr, hwaddr offset);
bool memory_region_ram_resize(MemoryRegion *mr, uint64_t size, GError **error);

/* -- Asking ---------------------------------------------------------------------------- */

const char *memory_region_name(const MemoryRegion *mr);
GObject *memory_region_owner(const MemoryRegion *mr);
uint64_t memory_region_size(const MemoryRegion *mr); /* UINT64_MAX for 2^64 */
bool memory_region_is_ram(const MemoryRegion *mr);   /* RAM or ROM */
bool memory_region_is_rom(const MemoryRegion *mr);   /* RAM that the guest only reads */
bool memory_region_is_romd(const MemoryRegion *mr);  /* a ROM device in ROMD mode */
bool memory_region_is_mapped(const MemoryRegion *mr); /* has a container */

/* Zeroes RAM as power-on does, giving the memory back to the host where it can be. The vCPUs
 * are paused. */
void memory_region_clear_ram(MemoryRegion *mr);

/* The host address of a RAM region's first byte (of an alias: of what it shows). */
void *memory_region_get_ram_ptr(MemoryRegion *mr);
RAMBlock *memory_region_ram_block(const MemoryRegion *mr);

/* -- Dirty tracking (per page; see ram-block.h for the bitmaps) -------------------------- */

/* The host has written a RAM region behind the guest's back. Any thread. */
void memory_region_set_dirty(MemoryRegion *mr, hwaddr offset, uint64_t length);

/* Starts and stops a client's (DIRTY_MEMORY_*) watching of this region. */
void memory_region_set_log(MemoryRegion *mr, bool log, unsigned client);

#endif
