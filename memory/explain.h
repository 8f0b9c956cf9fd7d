/*
 * explain(): which region answers at an address, by which way, and why each other one
 * that claims the address does not.
 *
 * A claim is a path from the address space's root, through containers and aliases, to a
 * region that would answer. The first claim by the rules of the tree answers; for the
 * others the explanation names the place where they lost. What only other rooms know (a
 * hypervisor's slot, the register that switches a window) comes as notes, through hooks.
 *
 * Machine lock for all of this; an explanation holds no references, and is only good
 * until the lock is given up.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MEMORY_EXPLAIN_H
#define MEMORY_EXPLAIN_H

#include "memory/address-space.h"

typedef enum ExplainVerdict {
    EXPLAIN_ANSWERS,
    EXPLAIN_DISABLED,       /* the step at `at` is */
    EXPLAIN_LOWER_PRIORITY, /* the step at `at` has, than its sibling `other` */
    EXPLAIN_ADDED_EARLIER,  /* at the same priority as its sibling `other` */
    EXPLAIN_HIDDEN,         /* its own part `other` shows above it */
    EXPLAIN_CLIPPED,        /* the step at `at` does not reach to the address */
} ExplainVerdict;

typedef struct ExplainStep {
    MemoryRegion *mr;
    hwaddr offset; /* the address, from the region's first byte; modulo 2^64 */
} ExplainStep;

typedef struct ExplainClaim {
    MemoryRegion *mr; /* who claims */
    ExplainVerdict verdict;
    GArray *path; /* ExplainStep: from the root to mr, or one further to what clips it */
    guint at;     /* the step of the path that decided, unless it answers */
    MemoryRegion *other;
} ExplainClaim;

/* A number of a note's, for programs. */
typedef struct ExplainValue {
    const char *name;
    uint64_t value;
} ExplainValue;

typedef struct ExplainNote {
    const char *kind;       /* "register", "kvm-slot": a string constant */
    const MemoryRegion *mr; /* what it is about; NULL: the address */
    char *text;             /* for people: one clause */
    GArray *values;         /* ExplainValue */
} ExplainNote;

/* Where a byte is: in a RAM block, and so in the emulator's own memory. */
typedef struct ExplainMemory {
    RAMBlock *block; /* NULL: it is nowhere, a callback answers */
    uint64_t offset; /* bytes into the block */
    uint8_t *host;
} ExplainMemory;

typedef struct Explanation {
    AddressSpace *as;
    hwaddr addr;
    FlatRange range;      /* as address_space_lookup() has it: mr NULL is a hole */
    ExplainMemory memory; /* behind the address */
    ExplainMemory writes; /* where its writes go instead (a split), or block NULL */
    GPtrArray *claims; /* ExplainClaim *; the one that answers is first, if one does; then
                          in the order in which they would show; then clipped ones */
    GPtrArray *notes;  /* ExplainNote * */
    GHashTable *met;   /* the regions that have the address inside them */
    bool truncated;    /* there are more claims than anybody reads */
} Explanation;

Explanation *explain(AddressSpace *as, hwaddr addr);
void explain_free(Explanation *explanation);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Explanation, explain_free)

/* The claim that answers, or NULL: nobody does. */
const ExplainClaim *explain_answer(const Explanation *explanation);

/* The first and last guest address of a step; first > last: it wraps below 0. */
void explain_step_span(const Explanation *explanation, const ExplainStep *step,
                       hwaddr *first, hwaddr *last);

const char *explain_verdict_name(ExplainVerdict verdict); /* "lower-priority", ... */

/* Why the claim lost, in words; the caller frees. NULL: it answers. */
char *explain_reason(const Explanation *explanation, const ExplainClaim *claim);

/* "system > ram-below-4g > pc.ram"; the caller frees. */
char *explain_path_text(const ExplainClaim *claim);

/* The address space of that name, or NULL. */
AddressSpace *explain_find_space(const char *name);

/* Appends all of it for people to read. */
void explain_print(GString *out, const Explanation *explanation);

/* -- What other rooms know -------------------------------------------------------------
 */

/* Called when an explanation is complete; adds notes. */
typedef void (*ExplainHook)(Explanation *explanation, void *opaque);

void explain_add_hook(ExplainHook hook, void *opaque);
void explain_remove_hook(ExplainHook hook, void *opaque);

/* Whether the address is inside `mr`, as seen from the address space's root; true also
 * where nothing in it answers, so that what lies below it shows. */
bool explain_mentions(const Explanation *explanation, const MemoryRegion *mr);

/* Adds a note about `mr` (NULL: the address itself). */
ExplainNote *explain_note(Explanation *explanation, const char *kind,
                          const MemoryRegion *mr, const char *format, ...)
    G_GNUC_PRINTF(4, 5);
void explain_note_value(ExplainNote *note, const char *name, uint64_t value);

#endif
