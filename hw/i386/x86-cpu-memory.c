/*
 * The address spaces of a processor: what it sees, and what it would see in system
 * management mode, where SMRAM lies over the rest (Intel SDM volume 3, 31.4).
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/i386/x86-cpu.h"

struct X86CPUSpaces {
    AddressSpace memory, smm;
    MemoryRegion smm_root, smm_system, smm_smram;
};

void x86_cpu_init_spaces(X86CPU *cpu, MemoryRegion *system_memory, bool smm)
{
    struct X86CPUSpaces *spaces = g_new0(struct X86CPUSpaces, 1);
    g_autofree char *memory_name = g_strdup_printf("cpu-memory-%u", cpu->index);
    g_autofree char *smm_name = g_strdup_printf("cpu-smm-%u", cpu->index);

    cpu->spaces = spaces;
    address_space_init(&spaces->memory, system_memory, memory_name);
    cpu->memory = &spaces->memory;
    if (!smm) {
        return;
    }
    memory_region_init(&spaces->smm_root, G_OBJECT(cpu), "memory", UINT64_MAX);
    memory_region_init_alias(&spaces->smm_system, G_OBJECT(cpu), "memory", system_memory,
                             0, UINT64_MAX);
    memory_region_add_subregion(&spaces->smm_root, 0, &spaces->smm_system);
    address_space_init(&spaces->smm, &spaces->smm_root, smm_name);
    cpu->smm_memory = &spaces->smm;
}

void x86_cpu_show_smram(X86CPU *cpu, MemoryRegion *smram)
{
    struct X86CPUSpaces *spaces = cpu->spaces;

    if (cpu->smm_memory) {
        memory_region_init_alias(&spaces->smm_smram, G_OBJECT(cpu), "smram", smram, 0,
                                 GiB(4));
        memory_region_add_subregion_overlap(&spaces->smm_root, 0, &spaces->smm_smram, 1);
    }
}
