/*
 * The software CPU's way to memory: a small cache of where guest pages lie in the host.
 *
 * An entry for reading and one for writing are separate, so that ROM and the windows that
 * read from one place and write to another are exact. Whatever has no entry (devices,
 * ROM writes, pages whose writes somebody watches) goes through the address space.
 *
 * A change of memory empties the caches before it is complete: the vCPU's own changes
 * show to its next instruction, and another thread's commit waits until each vCPU has
 * left its cache.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <sched.h>

#include "hw/core/trace.h"
#include "machine/accel/x86emu-internal.h"
#include "memory/access.h"
#include "memory/accessed.h"
#include "memory/ram-block.h"

/* Somebody keeps the bitmaps of memory/accessed.h; set with the caches emptied. */
static bool tracking_accesses;

/* -- Filling ----------------------------------------------------------------------------- */

/* The host address of the guest page at `address`, or NULL. */
static uint8_t *host_of(const FlatRange *range, hwaddr page, bool write)
{
    const MemoryRegion *mr = range->mr;
    hwaddr offset = range->offset_in_region;
    RAMBlock *block;

    if (write && range->write_mr) {
        mr = range->write_mr;
        offset = range->write_offset;
    } else if (!mr || mr->kind == MEMORY_REGION_RAM_DEVICE ||
               (mr->kind == MEMORY_REGION_ROM_DEVICE && (write || !range->romd_mode)) ||
               (write && (range->readonly || range->dirty_log_mask))) {
        return NULL;
    }
    block = memory_region_ram_block(mr);
    if (!block || page < range->start || page + (MEMORY_PAGE_SIZE - 1) > range->last) {
        return NULL;
    }
    return block->host + offset + (page - range->start);
}

/* Filling a cache's entry is when a page's first access shows. */
static void note_accessed(const uint8_t *host)
{
    uint64_t offset;
    RAMBlock *block;

    if (G_UNLIKELY(__atomic_load_n(&tracking_accesses, __ATOMIC_RELAXED))) {
        block = ram_block_from_host(host, &offset);
        if (block) {
            ram_block_set_accessed(block, offset, 1);
        }
    }
}

uint8_t *soft_host_page(SoftCPU *soft, uint32_t address, bool write)
{
    TLBEntry *entry = &(write ? soft->write_tlb : soft->read_tlb)[(address >> 12) % TLB_ENTRIES];
    hwaddr page = address & soft->address_mask & ~UINT32_C(0xfff);
    FlatRange range;
    uint8_t *host;

    if (entry->page != address >> 12) {
        if (soft->watching && soft_page_is_watched(soft, address)) {
            return NULL;
        }
        if (!address_space_lookup(soft->vcpu->cpu->memory, page, &range)) {
            return NULL;
        }
        host = host_of(&range, page, write);
        if (!host) {
            return NULL;
        }
        note_accessed(host);
        entry->page = address >> 12;
        entry->base = (uintptr_t)host - (address & ~UINT32_C(0xfff));
    }
    return (uint8_t *)(entry->base + address);
}

/* -- The slow way ------------------------------------------------------------------------ */

uint32_t soft_load_slow(SoftCPU *soft, uint32_t address, unsigned size)
{
    const uint8_t *host;
    uint32_t value = 0;
    uint64_t wide = 0;

    if ((address & 0xfff) > 0x1000 - size) {
        for (unsigned i = 0; i < size; i++) {
            value |= soft_load(soft, address + i, 1) << 8 * i;
        }
        return value;
    }
    if (soft->watching && !soft->fetching) {
        soft_check_watch(soft, address, size, false);
    }
    host = soft_host_page(soft, address, false);
    if (host) {
        memcpy(&value, host, size);
        return value;
    }
    soft->vcpu->statistics.mmio++;
    soft_leave(soft);
    address_space_load(soft->vcpu->cpu->memory, address & soft->address_mask, size, &wide,
                       MEMTXATTRS_UNSPECIFIED);
    soft_enter(soft);
    return (uint32_t)wide;
}

void soft_store_slow(SoftCPU *soft, uint32_t address, unsigned size, uint32_t value)
{
    uint8_t *host;

    if ((address & 0xfff) > 0x1000 - size) {
        for (unsigned i = 0; i < size; i++) {
            soft_store(soft, address + i, 1, value >> 8 * i & 0xff);
        }
        return;
    }
    if (soft->watching) {
        soft_check_watch(soft, address, size, true);
    }
    host = soft_host_page(soft, address, true);
    if (host) {
        memcpy(host, &value, size);
        return;
    }
    soft->vcpu->statistics.mmio++;
    soft_leave(soft);
    address_space_store(soft->vcpu->cpu->memory, address & soft->address_mask, size, value,
                        MEMTXATTRS_UNSPECIFIED);
    soft_enter(soft);
}

uint32_t soft_in(SoftCPU *soft, uint16_t port, unsigned size)
{
    uint64_t value = 0;

    soft->vcpu->statistics.io++;
    soft_leave(soft);
    address_space_load(soft->vcpu->cpu->io, port, size, &value, MEMTXATTRS_UNSPECIFIED);
    trace(TRACE_CPU_IN, "addr 0x%x(%c) value %u", port, "?bw?l"[size], (unsigned)value);
    soft_enter(soft);
    return (uint32_t)value;
}

void soft_out(SoftCPU *soft, uint16_t port, unsigned size, uint32_t value)
{
    soft->vcpu->statistics.io++;
    soft_leave(soft);
    trace(TRACE_CPU_OUT, "addr 0x%x(%c) value %u", port, "?bw?l"[size], (unsigned)value);
    address_space_store(soft->vcpu->cpu->io, port, size, value, MEMTXATTRS_UNSPECIFIED);
    soft_enter(soft);
}

unsigned soft_memio(x86emu_t *emu, uint32_t address, uint32_t *value, unsigned type)
{
    static const uint8_t sizes[4] = {1, 2, 4, 1};
    SoftCPU *soft = emu->_private;
    unsigned size = sizes[type & 3];

    switch (type & ~0xffu) {
    case X86EMU_MEMIO_W:
        soft_store(soft, address, size, *value);
        break;
    case X86EMU_MEMIO_I:
        *value = soft_in(soft, (uint16_t)address, size);
        break;
    case X86EMU_MEMIO_O:
        soft_out(soft, (uint16_t)address, size, *value);
        break;
    case X86EMU_MEMIO_X:
        soft->fetching = true;
        *value = soft_load(soft, address, size);
        soft->fetching = false;
        break;
    default:
        *value = soft_load(soft, address, size);
        break;
    }
    return 0;
}

/* -- Emptying ---------------------------------------------------------------------------- */

static void empty(SoftCPU *soft)
{
    for (unsigned i = 0; i < TLB_ENTRIES; i++) {
        soft->read_tlb[i].page = soft->write_tlb[i].page = TLB_NONE;
    }
}

void soft_flush(SoftCPU *soft)
{
    __atomic_store_n(&soft->flush, 1, __ATOMIC_SEQ_CST);
    soft_call_attention(soft);
}

void soft_enter(SoftCPU *soft)
{
    /* Before `inside`: a commit waits for those who are, and not for their turns. */
    if (soft->vcpu->accel->vcpus->len > 1 && !soft->has_turn) {
        soft_turn_take(soft);
        soft->has_turn = true;
    }
    __atomic_store_n(&soft->inside, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&soft->flush, __ATOMIC_SEQ_CST)) {
        __atomic_store_n(&soft->flush, 0, __ATOMIC_SEQ_CST);
        empty(soft);
    }
}

void soft_leave(SoftCPU *soft)
{
    __atomic_store_n(&soft->inside, 0, __ATOMIC_SEQ_CST);
    if (soft->has_turn) {
        soft->has_turn = false;
        soft_turn_give_up(soft);
    }
}

static bool memory_changed;

static void note_change(MemoryListener *listener, const MemoryRegionSection *section)
{
    memory_changed = true;
}

static void note_log_change(MemoryListener *listener, const MemoryRegionSection *section,
                            uint8_t old_mask, uint8_t new_mask)
{
    memory_changed = true;
}

/* A thread that is inside sees the flag before its next instruction. One that waits for
 * the machine lock, which the committing thread has, is not inside. */
static void flush_all(MemoryListener *listener)
{
    GPtrArray *vcpus = accel_current()->vcpus;

    if (!memory_changed) {
        return;
    }
    memory_changed = false;
    for (guint i = 0; i < vcpus->len; i++) {
        AccelVCPU *vcpu = vcpus->pdata[i];
        SoftCPU *soft = vcpu->data;

        soft_flush(soft);
        while (vcpu->thread != g_thread_self() &&
               __atomic_load_n(&soft->inside, __ATOMIC_SEQ_CST) &&
               __atomic_load_n(&soft->flush, __ATOMIC_SEQ_CST)) {
            sched_yield();
        }
    }
}

/* Every page's next access fills an entry again. */
static void forget_accesses(void *opaque)
{
    __atomic_store_n(&tracking_accesses, true, __ATOMIC_RELAXED);
    memory_changed = true;
    flush_all(NULL);
}

void soft_memory_init(Accel *accel)
{
    static MemoryListener listener = {
        .name = "x86emu",
        .region_add = note_change,
        .region_del = note_change,
        .log_start = note_log_change,
        .log_stop = note_log_change,
        .commit = flush_all,
    };

    memory_listener_register(&listener, accel->memory);
    ram_accessed_set_tracker(forget_accesses, NULL);
}
