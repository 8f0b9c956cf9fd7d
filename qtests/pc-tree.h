/*
 * The memory tree of a small pc-i440fx, made of regions alone: what tests and benchmarks
 * of the memory room work on. Names, sizes, priorities and the order of additions are
 * those of QEMU 7.2's pc with 128 MiB.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef QTESTS_PC_TREE_H
#define QTESTS_PC_TREE_H

#include "memory/address-space.h"

#define PC_TREE_WINDOWS 13

enum { PAM_PCI, PAM_ROM, PAM_WRITE, PAM_RAM, PAM_MODES };

typedef struct PcTree {
    MemoryRegion system, ram, below_4g, pci, rom, bios, isa_bios, smram_region;
    MemoryRegion ioapic, hpet, msi;
    MemoryRegion pam[PC_TREE_WINDOWS][PAM_MODES];
    int mode[PC_TREE_WINDOWS];
    AddressSpace as;
} PcTree;

static inline void pc_tree_set_pam(PcTree *pc, int window, int mode)
{
    memory_region_transaction_begin();
    memory_region_set_enabled(&pc->pam[window][pc->mode[window]], false);
    memory_region_set_enabled(&pc->pam[window][mode], true);
    pc->mode[window] = mode;
    memory_region_transaction_commit();
}

static inline void pc_tree_add_pam(PcTree *pc, int window)
{
    static const struct {
        const char *name;
        bool is_pci, readonly;
    } modes[PAM_MODES] = {
        {"pam-pci", true, false},
        {"pam-rom", false, true},
        {"pam-pci", false, false},
        {"pam-ram", false, false},
    };
    hwaddr start = window == 12 ? 0xf0000 : 0xc0000 + 0x4000 * window;
    hwaddr size = window == 12 ? 0x10000 : 0x4000;

    for (int i = 0; i < PAM_MODES; i++) {
        MemoryRegion *mr = &pc->pam[window][i];

        memory_region_init_alias(mr, NULL, modes[i].name,
                                 modes[i].is_pci ? &pc->pci : &pc->ram, start, size);
        memory_region_set_enabled(mr, i == PAM_PCI);
        memory_region_set_readonly(mr, modes[i].readonly);
        memory_region_add_subregion_overlap(&pc->system, start, mr, 1);
    }
    pc->mode[window] = PAM_PCI;
}

static inline void pc_tree_init(PcTree *pc)
{
    memory_region_init(&pc->system, NULL, "system", UINT64_MAX);
    memory_region_init(&pc->pci, NULL, "pci", UINT64_MAX);
    memory_region_init_ram(&pc->ram, NULL, "pc.ram", MiB(128), NULL);
    memory_region_init_rom(&pc->rom, NULL, "pc.rom", KiB(128), NULL);
    memory_region_init_rom(&pc->bios, NULL, "pc.bios", KiB(256), NULL);
    memory_region_init_alias(&pc->below_4g, NULL, "ram-below-4g", &pc->ram, 0, MiB(128));
    memory_region_init_alias(&pc->isa_bios, NULL, "isa-bios", &pc->bios, KiB(128),
                             KiB(128));
    memory_region_init_alias(&pc->smram_region, NULL, "smram-region", &pc->pci, 0xa0000,
                             KiB(128));
    memory_region_init_io(&pc->ioapic, NULL, NULL, NULL, "ioapic", 0x1000);
    memory_region_init_io(&pc->hpet, NULL, NULL, NULL, "hpet", 0x400);
    memory_region_init_io(&pc->msi, NULL, NULL, NULL, "apic-msi", MiB(1));
    memory_region_set_readonly(&pc->isa_bios, true);

    memory_region_transaction_begin();
    memory_region_add_subregion(&pc->system, 0, &pc->below_4g);
    memory_region_add_subregion_overlap(&pc->pci, 0xc0000, &pc->rom, 1);
    memory_region_add_subregion_overlap(&pc->pci, 0xe0000, &pc->isa_bios, 1);
    memory_region_add_subregion(&pc->pci, 0xfffc0000, &pc->bios);
    memory_region_add_subregion_overlap(&pc->system, 0, &pc->pci, -1);
    memory_region_add_subregion_overlap(&pc->system, 0xa0000, &pc->smram_region, 1);
    for (int i = 0; i < PC_TREE_WINDOWS; i++) {
        pc_tree_add_pam(pc, i);
    }
    memory_region_add_subregion(&pc->system, 0xfec00000, &pc->ioapic);
    memory_region_add_subregion(&pc->system, 0xfed00000, &pc->hpet);
    memory_region_add_subregion_overlap(&pc->system, 0xfee00000, &pc->msi, 4096);
    memory_region_transaction_commit();
    address_space_init(&pc->as, &pc->system, "memory");
}

static inline void pc_tree_destroy(PcTree *pc)
{
    MemoryRegion *inside[] = {&pc->below_4g, &pc->smram_region, &pc->isa_bios, &pc->rom,
                              &pc->bios, &pc->ioapic, &pc->hpet, &pc->msi, &pc->pci,
                              &pc->ram, &pc->system};

    address_space_destroy(&pc->as);
    for (int i = 0; i < PC_TREE_WINDOWS * PAM_MODES; i++) {
        MemoryRegion *mr = &pc->pam[i / PAM_MODES][i % PAM_MODES];

        memory_region_del_subregion(&pc->system, mr);
        memory_region_destroy(mr);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(inside); i++) {
        if (inside[i]->container) {
            memory_region_del_subregion(inside[i]->container, inside[i]);
        }
        memory_region_destroy(inside[i]);
    }
}

#endif
