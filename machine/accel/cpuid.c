/*
 * CPUID of the default CPU model.
 *
 * "qemu64" is QEMU's generic 64-bit processor: family 15, model 107, stepping 1, and the
 * features that every 64-bit x86 has. Accelerators take out what they do not offer.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/accel/cpuid.h"

#include <string.h>

#include <glib.h>

/* Intel SDM volume 2A, CPUID, tables 3-10 and 3-11. */
#define LEAF_1_ECX (1u << 0 /* SSE3 */ | 1u << 13 /* CMPXCHG16B */ | CPUID_1_ECX_HYPERVISOR)
#define LEAF_1_EDX                                                                         \
    (1u << 0 /* FPU */ | 1u << 2 /* DE */ | 1u << 3 /* PSE */ | 1u << 4 /* TSC */ |        \
     1u << 5 /* MSR */ | 1u << 6 /* PAE */ | 1u << 7 /* MCE */ | 1u << 8 /* CX8 */ |       \
     CPUID_1_EDX_APIC | 1u << 11 /* SEP */ | 1u << 12 /* MTRR */ | 1u << 13 /* PGE */ |    \
     1u << 14 /* MCA */ | 1u << 15 /* CMOV */ | 1u << 16 /* PAT */ | 1u << 17 /* PSE36 */ |\
     1u << 19 /* CLFLUSH */ | 1u << 23 /* MMX */ | 1u << 24 /* FXSR */ | 1u << 25 /* SSE */|\
     1u << 26 /* SSE2 */)
/* AMD64 APM volume 3, E.4.1: leaf 0x80000001 repeats most of leaf 1's EDX. */
#define EXTENDED_ALIASES 0x0183f3ffu
#define EXTENDED_EDX (1u << 11 /* SYSCALL */ | 1u << 20 /* NX */ | 1u << 29 /* LM */)
#define EXTENDED_ECX (1u << 0 /* LAHF in long mode */)

const uint32_t cpuid_leaves[] = {
    0x0,        0x1,        0x2,        0x4,        0x7,        0xb,        0xd,
    0x80000000, 0x80000001, 0x80000002, 0x80000003, 0x80000004, 0x80000005, 0x80000006,
    0x80000008, 0x8000000a, UINT32_MAX,
};

void cpuid_set_signature(uint32_t values[CPUID_REGISTERS], const char *letters,
                         bool hypervisor)
{
    memcpy(&values[CPUID_EBX], letters, 4);
    memcpy(&values[hypervisor ? CPUID_ECX : CPUID_EDX], letters + 4, 4);
    memcpy(&values[hypervisor ? CPUID_EDX : CPUID_ECX], letters + 8, 4);
}

static bool model_leaf(uint32_t leaf, const X86CPU *cpu, uint32_t values[CPUID_REGISTERS])
{
    static const struct {
        uint32_t leaf;
        uint32_t values[CPUID_REGISTERS];
    } fixed[] = {
        {0x2, {0x1, 0x0, 0x4d, 0x2c307d}},
        {0x80000000, {0x8000000a}},
        {0x80000001,
         {0, 0, EXTENDED_ECX, (LEAF_1_EDX & EXTENDED_ALIASES) | EXTENDED_EDX}},
        {0x80000005, {0x01ff01ff, 0x01ff01ff, 0x40020140, 0x40020140}},
        {0x80000006, {0x0, 0x42004200, 0x02008140, 0x00808140}},
        {0x80000008, {0x3028}}, /* 40 bits physical, 48 linear */
    };

    memset(values, 0, CPUID_REGISTERS * sizeof(values[0]));
    if (leaf == 0) {
        values[CPUID_EAX] = cpu->level;
        return true;
    }
    if (leaf == 1) {
        values[CPUID_EAX] = x86_cpu_signature(cpu);
        values[CPUID_EBX] = cpu->index << 24 | 1u << 16 | 8u << 8 /* CLFLUSH: 64 bytes */;
        values[CPUID_ECX] = LEAF_1_ECX;
        values[CPUID_EDX] = LEAF_1_EDX;
        return true;
    }
    if (leaf >= 0x80000002 && leaf <= 0x80000004) {
        char name[49] = {0};

        g_strlcpy(name, cpu->model_id ? cpu->model_id : "", sizeof(name));
        memcpy(values, name + (leaf - 0x80000002) * 16, 16);
        return true;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(fixed); i++) {
        if (fixed[i].leaf == leaf) {
            memcpy(values, fixed[i].values, sizeof(fixed[i].values));
            values[CPUID_EAX] |= leaf == 0x80000001 ? x86_cpu_signature(cpu) : 0;
            return true;
        }
    }
    return leaf <= cpu->level || (leaf >= 0x80000000 && leaf <= 0x8000000a);
}

bool cpuid_model(uint32_t leaf, const X86CPU *cpu, uint32_t values[CPUID_REGISTERS])
{
    bool known = model_leaf(leaf, cpu, values);

    if (known) {
        cpuid_apply_features(leaf, values);
    }
    return known;
}

bool cpuid_has_machine_check(const X86CPU *cpu)
{
    const uint32_t wanted = 1u << 7 /* MCE */ | 1u << 14 /* MCA */;
    uint32_t values[CPUID_REGISTERS];

    return cpu->family >= 6 && cpuid_model(1, cpu, values) &&
           (values[CPUID_EDX] & wanted) == wanted;
}
