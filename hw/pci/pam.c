/*
 * Each window has four regions, one for each mode, side by side in system memory above
 * the RAM. A change of mode enables one and disables another. In mode 1, writes are
 * dropped rather than sent on to PCI: what lies below a window there is ROM.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/pci/pam.h"

#include <string.h>

#include "hw/core/trace.h"
#include "memory/explain.h"

#define MODE_MASK 3

static PAMTrace pam_trace;
static void *pam_trace_opaque;

void pam_set_trace(PAMTrace trace, void *opaque)
{
    pam_trace = trace;
    pam_trace_opaque = opaque;
}

/* Section 3.2.18, table 5: 0x5a-0x5f have two windows of 16 KiB each, the lower one in
 * the low nibble; 0x59 has the 64 KiB of 0xf0000 in its high nibble. */
unsigned pam_window_register(unsigned window)
{
    return window == PAM_WINDOWS - 1 ? PAM_REGISTER_FIRST
                                     : PAM_REGISTER_FIRST + 1 + window / 2;
}

unsigned pam_window_shift(unsigned window)
{
    return window == PAM_WINDOWS - 1 || window % 2 ? 4 : 0;
}

static void init_window(PAMWindow *window, GObject *owner, MemoryRegion *ram,
                        MemoryRegion *system, MemoryRegion *pci, bool exact)
{
    MemoryRegion *regions = window->regions;
    hwaddr base = window->base;
    uint64_t size = window->size;

    memory_region_init_alias(&regions[PAM_MODE_PCI], owner, "pam-pci", pci, base, size);
    memory_region_init_alias(&regions[PAM_MODE_READ_ONLY], owner, "pam-rom", ram, base,
                             size);
    memory_region_set_readonly(&regions[PAM_MODE_READ_ONLY], true);
    if (exact) {
        memory_region_init_split(&regions[PAM_MODE_WRITE_ONLY], owner, "pam-pci", pci,
                                 base, ram, base, size);
    } else {
        memory_region_init_alias(&regions[PAM_MODE_WRITE_ONLY], owner, "pam-pci", ram,
                                 base, size);
    }
    memory_region_init_alias(&regions[PAM_MODE_READ_WRITE], owner, "pam-ram", ram, base,
                             size);
    for (unsigned mode = 0; mode < PAM_MODES; mode++) {
        memory_region_set_enabled(&regions[mode], mode == window->mode);
        memory_region_add_subregion_overlap(system, base, &regions[mode], 1);
    }
}

/* Says of each window at the address which register decides it, and how. */
static void explain_windows(Explanation *explanation, void *opaque)
{
    static const char *const texts[PAM_MODES] = {
        [PAM_MODE_PCI] = "reads and writes go to PCI",
        [PAM_MODE_READ_ONLY] = "reads come from RAM, writes are dropped",
        [PAM_MODE_WRITE_ONLY] = "reads come from PCI, writes go to RAM",
        [PAM_MODE_READ_WRITE] = "reads and writes go to RAM",
    };
    const PAM *pam = opaque;

    for (unsigned i = 0; i < PAM_WINDOWS; i++) {
        const PAMWindow *window = &pam->windows[i];
        const MemoryRegion *mr = &window->regions[window->mode];
        unsigned shift = pam_window_shift(i);
        ExplainNote *note;

        if (explanation->addr < window->base ||
            explanation->addr - window->base >= window->size ||
            !explain_mentions(explanation, mr)) {
            continue;
        }
        note = explain_note(explanation, "register", mr,
                            "PAM 0x%02x bits %u:%u = %d: %s (0x%08" PRIx64 "-0x%08" PRIx64
                            ")",
                            pam_window_register(i), shift + 1, shift, window->mode,
                            texts[window->mode], window->base,
                            window->base + window->size - 1);
        explain_note_value(note, "register", pam_window_register(i));
        explain_note_value(note, "shift", shift);
        explain_note_value(note, "mode", window->mode);
    }
}

void pam_init(PAM *pam, GObject *owner, MemoryRegion *ram, MemoryRegion *system,
              MemoryRegion *pci, bool exact)
{
    memset(pam, 0, sizeof(*pam));
    memory_region_transaction_begin();
    for (unsigned i = 0; i < PAM_WINDOWS; i++) {
        PAMWindow *window = &pam->windows[i];

        window->base = 0xc0000 + i * KiB(16);
        window->size = i == PAM_WINDOWS - 1 ? KiB(64) : KiB(16);
        window->mode = PAM_MODE_PCI;
        init_window(window, owner, ram, system, pci, exact);
    }
    memory_region_transaction_commit();
    explain_add_hook(explain_windows, pam);
}

void pam_destroy(PAM *pam, MemoryRegion *system)
{
    explain_remove_hook(explain_windows, pam);
    memory_region_transaction_begin();
    for (unsigned i = 0; i < PAM_WINDOWS; i++) {
        for (unsigned mode = 0; mode < PAM_MODES; mode++) {
            memory_region_del_subregion(system, &pam->windows[i].regions[mode]);
        }
    }
    memory_region_transaction_commit();
    for (unsigned i = 0; i < PAM_WINDOWS; i++) {
        for (unsigned mode = 0; mode < PAM_MODES; mode++) {
            memory_region_destroy(&pam->windows[i].regions[mode]);
        }
    }
}

void pam_set_registers(PAM *pam, const uint8_t registers[PAM_REGISTERS])
{
    uint8_t old[PAM_REGISTERS];

    if (memcmp(pam->registers, registers, PAM_REGISTERS) == 0) {
        return;
    }
    memcpy(old, pam->registers, PAM_REGISTERS);
    memcpy(pam->registers, registers, PAM_REGISTERS);

    memory_region_transaction_begin();
    for (unsigned i = 0; i < PAM_WINDOWS; i++) {
        PAMWindow *window = &pam->windows[i];
        uint8_t value = registers[pam_window_register(i) - PAM_REGISTER_FIRST];
        PAMMode mode = value >> pam_window_shift(i) & MODE_MASK;

        if (mode != window->mode) {
            memory_region_set_enabled(&window->regions[window->mode], false);
            memory_region_set_enabled(&window->regions[mode], true);
            window->mode = mode;
        }
    }
    memory_region_transaction_commit();

    for (unsigned i = 0; i < PAM_REGISTERS; i++) {
        if (old[i] == registers[i]) {
            continue;
        }
        trace(TRACE_PAM_WRITE, "0x%02x: 0x%02x -> 0x%02x", PAM_REGISTER_FIRST + i, old[i],
              registers[i]);
        if (pam_trace) {
            pam_trace(PAM_REGISTER_FIRST + i, old[i], registers[i], pam_trace_opaque);
        }
    }
}
