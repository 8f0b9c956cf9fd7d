/*
 * KVM's memory slots, kept like the FlatView.
 *
 * A slot never moves because its neighbour did: ranges are cut at the borders of the
 * windows below 1 MiB that chipsets switch (SMRAM at 0xa0000, the 82441FX's 13 PAM
 * windows), so that a PAM write replaces the slots of its windows and leaves that of main
 * RAM alone, whichever way the view's ranges grow together. Changes are gathered and
 * applied at the commit: what went and came back the same costs nothing.
 *
 * The PAM windows go further: the slot of one stays, and what it shows is mapped anew on
 * the host side (mmap over the slot's host addresses). A slot cannot be changed from RAM
 * to ROM in place (api.rst, 4.35), so that would cost a deletion and an addition, each of
 * which makes the kernel drop the guest's page tables: 110 us against 7 us here.
 *
 * A window that shows ROM, or reads from one place and writes to another, is mapped
 * without write permission in a slot that has it. Where the kernel emulates the guest's
 * write, it leaves the guest as for a device; where the processor executes it, KVM_RUN
 * fails with EFAULT, and the windows' slots are made read-only before it is tried again.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "hw/core/system.h"
#include "machine/accel/kvm-internal.h"
#include "memory/explain.h"
#include "memory/ram-block.h"

#define WINDOWS_START UINT64_C(0xc0000)
#define WINDOWS_END UINT64_C(0x100000)
/* Each window has as much unused address space after it as it is long: neighbours that show
 * the same block in a row would be one mapping for the host's kernel, which it would have to
 * cut and join again at each change. */
#define WINDOWS_SPREAD 2

typedef enum SlotState { SLOT_LIVE, SLOT_GONE, SLOT_NEW } SlotState;

typedef struct Slot {
    hwaddr start;
    uint64_t size;
    RAMBlock *block;
    uint64_t offset; /* in the block */
    uint32_t flags;  /* KVM_MEM_* that the piece needs */
    uint32_t given;  /* those that the kernel has: a window may lack READONLY */
    uint32_t id;     /* the kernel's number */
    bool window;     /* mapped through memory.windows */
    SlotState state;
} Slot;

static struct {
    MemoryListener listener;
    GArray *slots;    /* Slot, by start */
    GArray *free_ids; /* uint32_t */
    uint32_t next_id;
    uint8_t *windows; /* host addresses for [WINDOWS_START, WINDOWS_END), spread */
    bool changed;
    unsigned long updates;
} memory;

/* The end of the piece that `start` lies in. 82441FX data sheet, 3.2.18 (PAM) and 3.2.25
 * (SMRAM). */
static hwaddr piece_end(hwaddr start)
{
    if (start < 0xa0000) {
        return 0xa0000;
    }
    if (start < 0xc0000) {
        return 0xc0000;
    }
    if (start < 0xf0000) {
        return (start | 0x3fff) + 1;
    }
    return start < 0x100000 ? 0x100000 : UINT64_MAX;
}

/* The index of the first slot that starts at or after `start`. */
static guint find_slot(hwaddr start)
{
    guint low = 0, high = memory.slots->len;

    while (low < high) {
        guint middle = (low + high) / 2;

        if (g_array_index(memory.slots, Slot, middle).start < start) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* What of a range the kernel can map, in whole pages. Reads of a split that come from RAM
 * are mapped read-only, and its writes leave the guest. */
static bool mappable(const FlatRange *range, Slot *whole)
{
    const MemoryRegion *mr = range->mr;
    RAMBlock *block = mr ? memory_region_ram_block(mr) : NULL;
    hwaddr start = (range->start + MEMORY_PAGE_SIZE - 1) & -MEMORY_PAGE_SIZE;
    hwaddr end = (range->last + 1) & -MEMORY_PAGE_SIZE; /* 0: 2^64 */

    if (!block || (mr->kind == MEMORY_REGION_ROM_DEVICE && !range->romd_mode) ||
        start < range->start || end - 1 < start) {
        return false;
    }
    *whole = (Slot){
        .start = start,
        .size = end - start,
        .block = block,
        .offset = range->offset_in_region + (start - range->start),
    };
    if (range->readonly || range->write_mr || mr->kind == MEMORY_REGION_ROM_DEVICE) {
        whole->flags |= KVM_MEM_READONLY;
    } else if (range->dirty_log_mask) {
        whole->flags |= KVM_MEM_LOG_DIRTY_PAGES;
    }
    return !((uintptr_t)(block->host + whole->offset) & (MEMORY_PAGE_SIZE - 1));
}

/* Calls func for each piece of a range. */
static void foreach_piece(const FlatRange *range, void (*func)(const Slot *piece))
{
    Slot whole, piece;
    uint64_t done = 0;

    if (!mappable(range, &whole)) {
        return;
    }
    while (done < whole.size) {
        uint64_t left = piece_end(whole.start + done) - (whole.start + done);

        piece = whole;
        piece.start += done;
        piece.offset += done;
        piece.size = MIN(left, whole.size - done);
        func(&piece);
        done += piece.size;
    }
}

static Slot *same_slot(const Slot *piece, SlotState state)
{
    for (guint i = find_slot(piece->start); i < memory.slots->len; i++) {
        Slot *slot = &g_array_index(memory.slots, Slot, i);

        if (slot->start != piece->start) {
            break;
        }
        if (slot->state == state && slot->size == piece->size &&
            slot->block == piece->block && slot->offset == piece->offset &&
            (slot->flags & KVM_MEM_READONLY) == (piece->flags & KVM_MEM_READONLY)) {
            return slot;
        }
    }
    return NULL;
}

static void remove_piece(const Slot *piece)
{
    Slot *slot = same_slot(piece, SLOT_LIVE);

    if (slot) {
        slot->state = SLOT_GONE;
        memory.changed = true;
    }
}

/* Whether what a piece shows can be mapped a second time, in its window. */
static bool fits_window(const Slot *piece)
{
    return memory.windows && piece->start >= WINDOWS_START &&
           piece->start + piece->size <= WINDOWS_END && piece->block->fd >= 0 &&
           piece->block->shared;
}

static uint8_t *host_of(const Slot *slot)
{
    return slot->window ? memory.windows + WINDOWS_SPREAD * (slot->start - WINDOWS_START)
                        : slot->block->host + slot->offset;
}

static bool map_window(const Slot *slot)
{
    int protection = slot->flags & KVM_MEM_READONLY ? PROT_READ : PROT_READ | PROT_WRITE;

    return mmap(host_of(slot), slot->size, protection, MAP_SHARED | MAP_FIXED,
                slot->block->fd, (off_t)slot->offset) != MAP_FAILED;
}

/* Tells the kernel of a slot; size 0 deletes it. */
static void set_slot(Slot *slot, uint64_t size)
{
    struct kvm_userspace_memory_region region = {
        .slot = slot->id,
        .flags = size ? slot->given : 0,
        .guest_phys_addr = slot->start,
        .memory_size = size,
        .userspace_addr = (uintptr_t)host_of(slot),
    };

    memory.updates++;
    if (kvm_ioctl(kvm_host.vm, KVM_SET_USER_MEMORY_REGION, &region) < 0) {
        system_fatal("kvm: cannot %s the memory slot at 0x%" G_GINT64_MODIFIER
                     "x of 0x%" G_GINT64_MODIFIER "x bytes: %s",
                     size ? "set" : "delete", slot->start, slot->size, g_strerror(errno));
    }
}

/* The pages that the guest has dirtied, before the kernel forgets them. */
static void harvest_dirty(const Slot *slot)
{
    uint64_t pages = slot->size >> MEMORY_PAGE_BITS;
    g_autofree uint64_t *bitmap = NULL;
    struct kvm_dirty_log log = {.slot = slot->id};

    if (!(slot->given & KVM_MEM_LOG_DIRTY_PAGES)) {
        return;
    }
    bitmap = g_new0(uint64_t, (pages + 63) / 64);
    log.dirty_bitmap = bitmap;
    if (kvm_ioctl(kvm_host.vm, KVM_GET_DIRTY_LOG, &log) < 0) {
        return;
    }
    for (uint64_t word = 0; word < (pages + 63) / 64; word++) {
        for (uint64_t bits = bitmap[word]; bits;) {
            unsigned first = (unsigned)__builtin_ctzll(bits);
            uint64_t run = ~(bits >> first);
            unsigned count = run ? (unsigned)__builtin_ctzll(run) : 64 - first;

            ram_block_set_dirty(slot->block,
                                slot->offset + ((word * 64 + first) << MEMORY_PAGE_BITS),
                                (uint64_t)count << MEMORY_PAGE_BITS,
                                (1u << DIRTY_MEMORY_CLIENTS) - 1);
            bits = first + count >= 64 ? 0 : bits & (UINT64_MAX << (first + count));
        }
    }
}

/* Of a live slot whose READONLY does not change: only the logging can. */
static void set_flags(Slot *slot, uint32_t flags)
{
    uint32_t given = (slot->given & KVM_MEM_READONLY) | (flags & KVM_MEM_LOG_DIRTY_PAGES);

    slot->flags = flags;
    if (slot->given != given) {
        harvest_dirty(slot);
        slot->given = given;
        set_slot(slot, slot->size);
    }
}

static void add_piece(const Slot *piece)
{
    Slot *slot = same_slot(piece, SLOT_GONE);
    guint at;
    Slot new_slot;

    if (slot) {
        slot->state = SLOT_LIVE;
        set_flags(slot, piece->flags);
        return;
    }
    new_slot = *piece;
    new_slot.state = SLOT_NEW;
    at = find_slot(piece->start);
    g_array_insert_val(memory.slots, at, new_slot);
    memory.changed = true;
}

static void region_del(MemoryListener *listener, const MemoryRegionSection *section)
{
    foreach_piece(&section->range, remove_piece);
}

static void region_add(MemoryListener *listener, const MemoryRegionSection *section)
{
    foreach_piece(&section->range, add_piece);
}

static uint32_t take_id(void)
{
    uint32_t id;

    if (!memory.free_ids->len) {
        return memory.next_id++;
    }
    id = g_array_index(memory.free_ids, uint32_t, memory.free_ids->len - 1);
    g_array_set_size(memory.free_ids, memory.free_ids->len - 1);
    return id;
}

/* Lets the new piece have the slot of the window that went: maps it anew. */
static bool take_over(Slot *gone, Slot *new_slot)
{
    if (!gone->window || !fits_window(new_slot) || gone->size != new_slot->size ||
        (gone->given & ~new_slot->flags & KVM_MEM_READONLY)) {
        return false;
    }
    harvest_dirty(gone);
    new_slot->window = true;
    if (!map_window(new_slot)) {
        new_slot->window = false;
        return false;
    }
    new_slot->id = gone->id;
    new_slot->given = gone->given;
    new_slot->state = SLOT_LIVE;
    set_flags(new_slot, new_slot->flags);
    return true;
}

static void delete_slot(Slot *slot)
{
    harvest_dirty(slot);
    set_slot(slot, 0);
    g_array_append_val(memory.free_ids, slot->id);
}

static void create_slot(Slot *slot)
{
    slot->window = fits_window(slot);
    slot->given = slot->flags;
    if (slot->window && map_window(slot)) {
        slot->given &= ~KVM_MEM_READONLY;
    } else {
        slot->window = false;
    }
    slot->id = take_id();
    slot->state = SLOT_LIVE;
    set_slot(slot, slot->size);
}

static void commit(MemoryListener *listener)
{
    guint kept = 0;

    if (!memory.changed) {
        return;
    }
    memory.changed = false;
    /* All deletions first: the kernel refuses slots that overlap. Of two slots with the
     * same start, the new one comes first. */
    for (guint i = 0; i < memory.slots->len; i++) {
        Slot *slot = &g_array_index(memory.slots, Slot, i);
        Slot *before = kept ? &g_array_index(memory.slots, Slot, kept - 1) : NULL;

        if (slot->state != SLOT_GONE) {
            g_array_index(memory.slots, Slot, kept++) = *slot;
        } else if (!before || before->start != slot->start || before->state != SLOT_NEW ||
                   !take_over(slot, before)) {
            delete_slot(slot);
        }
    }
    g_array_set_size(memory.slots, kept);
    for (guint i = 0; i < memory.slots->len; i++) {
        Slot *slot = &g_array_index(memory.slots, Slot, i);

        if (slot->state == SLOT_NEW) {
            create_slot(slot);
        }
    }
}

bool kvm_memory_make_windows_exact(void)
{
    bool changed = false;

    for (guint i = 0; i < memory.slots->len; i++) {
        Slot *slot = &g_array_index(memory.slots, Slot, i);

        if (slot->flags & ~slot->given & KVM_MEM_READONLY) {
            set_slot(slot, 0);
            slot->given |= KVM_MEM_READONLY;
            set_slot(slot, slot->size);
            changed = true;
        }
    }
    return changed;
}

/* -- Dirty logging ----------------------------------------------------------------------- */

static void set_logging(const Slot *piece)
{
    Slot *slot = same_slot(piece, SLOT_LIVE);

    if (slot) {
        set_flags(slot, piece->flags);
    }
}

static void log_changed(MemoryListener *listener, const MemoryRegionSection *section,
                        uint8_t old_mask, uint8_t new_mask)
{
    FlatRange range = section->range;

    range.dirty_log_mask = new_mask;
    foreach_piece(&range, set_logging);
}

static void sync_piece(const Slot *piece)
{
    Slot *slot = same_slot(piece, SLOT_LIVE);

    if (slot) {
        harvest_dirty(slot);
    }
}

static void log_sync(MemoryListener *listener, const MemoryRegionSection *section)
{
    foreach_piece(&section->range, sync_piece);
}

/* -- Asking ------------------------------------------------------------------------------ */

static const Slot *slot_at(hwaddr addr)
{
    for (guint i = 0; i < memory.slots->len; i++) {
        const Slot *slot = &g_array_index(memory.slots, Slot, i);

        if (slot->state == SLOT_LIVE && addr >= slot->start &&
            addr - slot->start < slot->size) {
            return slot;
        }
    }
    return NULL;
}

static void explain_slot(Explanation *explanation, void *opaque)
{
    const Slot *slot = slot_at(explanation->addr);
    ExplainNote *note;

    if (explanation->as != memory.listener.address_space) {
        return;
    }
    if (!slot) {
        explain_note(explanation, "kvm-slot", NULL,
                     "none: each access leaves the guest");
        return;
    }
    note = explain_note(explanation, "kvm-slot", NULL,
                        "%u, 0x%08" G_GINT64_MODIFIER "x-0x%08" G_GINT64_MODIFIER
                        "x of the guest at %p%s%s",
                        slot->id, slot->start, slot->start + slot->size - 1,
                        (void *)host_of(slot),
                        slot->flags & KVM_MEM_READONLY ? ", read-only" : "",
                        slot->flags & KVM_MEM_LOG_DIRTY_PAGES ? ", dirty pages logged" : "");
    explain_note_value(note, "slot", slot->id);
    explain_note_value(note, "start", slot->start);
    explain_note_value(note, "size", slot->size);
    explain_note_value(note, "flags", slot->flags);
}

/* -- Outside ----------------------------------------------------------------------------- */

void kvm_memory_init(AddressSpace *as)
{
    memory.slots = g_array_new(false, false, sizeof(Slot));
    memory.windows = mmap(NULL, WINDOWS_SPREAD * (WINDOWS_END - WINDOWS_START), PROT_NONE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory.windows == MAP_FAILED) {
        memory.windows = NULL;
    }
    memory.free_ids = g_array_new(false, false, sizeof(uint32_t));
    memory.listener = (MemoryListener){
        .name = "kvm",
        .priority = 10,
        .region_add = region_add,
        .region_del = region_del,
        .commit = commit,
        .log_start = log_changed,
        .log_stop = log_changed,
        .log_sync = log_sync,
    };
    memory_listener_register(&memory.listener, as);
    explain_add_hook(explain_slot, NULL);
    /* Whether a registration ends with a commit is not promised. */
    commit(&memory.listener);
}

bool kvm_memory_has_range(const FlatRange *range)
{
    Slot whole;

    return mappable(range, &whole);
}

unsigned long kvm_memory_slot_updates(void)
{
    return memory.updates;
}
