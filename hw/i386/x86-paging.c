/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/i386/x86-paging.h"

#include "memory/access.h"

/* Intel SDM volume 3, section 4.1: what selects the mode, and the entries' bits. */
#define CR0_PG (UINT64_C(1) << 31)
#define CR4_PSE (UINT64_C(1) << 4)
#define CR4_PAE (UINT64_C(1) << 5)
#define CR4_LA57 (UINT64_C(1) << 12)
#define EFER_LMA (UINT64_C(1) << 10)
#define ENTRY_PRESENT UINT64_C(1)
#define ENTRY_LARGE (UINT64_C(1) << 7)
#define ENTRY_ADDRESS UINT64_C(0x000ffffffffff000)

typedef struct Paging {
    int levels;
    unsigned entry_size; /* bytes */
    unsigned index_bits; /* of a table; the topmost may have fewer */
    unsigned top_bits;
    bool large_pages;
} Paging;

static Paging paging_mode(const X86Registers *registers)
{
    if (!(registers->cr4 & CR4_PAE)) {
        return (Paging){2, 4, 10, 10, registers->cr4 & CR4_PSE};
    }
    if (!(registers->efer & EFER_LMA)) {
        return (Paging){3, 8, 9, 2, true};
    }
    return (Paging){registers->cr4 & CR4_LA57 ? 5 : 4, 8, 9, 9, true};
}

/* A 4 MiB page has bits 39:32 of its address in bits 20:13 (section 4.3, PSE-36). */
static uint64_t large_page_base(const Paging *paging, uint64_t entry, uint64_t size)
{
    uint64_t base = entry & ENTRY_ADDRESS & ~(size - 1);

    return paging->entry_size == 4 ? base | (entry >> 13 & 0xff) << 32 : base;
}

bool x86_translate(X86CPU *cpu, uint64_t address, hwaddr *physical, uint64_t *page_left)
{
    const X86Registers *registers = &cpu->registers;
    Paging paging = paging_mode(registers);
    uint64_t table = registers->cr3 & ENTRY_ADDRESS;

    if (!(registers->cr0 & CR0_PG)) {
        *physical = address;
        *page_left = MEMORY_PAGE_SIZE - (address & (MEMORY_PAGE_SIZE - 1));
        return true;
    }
    if (paging.levels == 3) {
        table = registers->cr3 & ~UINT64_C(31); /* the four pointers are aligned to 32 */
    }
    for (int level = paging.levels - 1; level >= 0; level--) {
        unsigned shift = MEMORY_PAGE_BITS + (unsigned)level * paging.index_bits;
        unsigned bits = level == paging.levels - 1 ? paging.top_bits : paging.index_bits;
        uint64_t index = address >> shift & ((1u << bits) - 1), entry = 0;
        uint64_t size = UINT64_C(1) << shift;
        bool leaf;

        if (address_space_load(cpu->memory, table + index * paging.entry_size,
                               paging.entry_size, &entry, MEMTXATTRS_UNSPECIFIED) ||
            !(entry & ENTRY_PRESENT)) {
            return false;
        }
        leaf = level == 0 || (paging.large_pages && level <= 2 && (entry & ENTRY_LARGE) &&
                              !(paging.levels == 3 && level == 2));
        if (leaf) {
            *physical =
                (level ? large_page_base(&paging, entry, size) : entry & ENTRY_ADDRESS) |
                (address & (size - 1));
            *page_left = size - (address & (size - 1));
            return true;
        }
        table = entry & ENTRY_ADDRESS;
    }
    return false;
}
