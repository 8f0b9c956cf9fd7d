/*
 * CPUID of the default CPU model, "qemu64".
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_ACCEL_CPUID_H
#define MACHINE_ACCEL_CPUID_H

#include "hw/i386/x86-cpu.h"

enum { CPUID_EAX, CPUID_EBX, CPUID_ECX, CPUID_EDX, CPUID_REGISTERS };

/* Feature bits of leaf 1 that more than the table names. */
#define CPUID_1_ECX_X2APIC (1u << 21)
#define CPUID_1_ECX_HYPERVISOR (1u << 31)
#define CPUID_1_EDX_APIC (1u << 9)

/* The leaves of the model, in order, ended by UINT32_MAX. */
extern const uint32_t cpuid_leaves[];

/* The model's values for a leaf, as an ideal host would give them: for `cpu`,
 * with an empty vendor. False: the model has no such leaf. */
bool cpuid_model(uint32_t leaf, const X86CPU *cpu, uint32_t values[CPUID_REGISTERS]);

/* The i-th feature that has a name, and which bit it is; NULL after the last. */
const char *cpuid_feature(unsigned i, uint32_t *leaf, int *reg, unsigned *bit);

/* -cpu MODEL,+NAME or -NAME: changes the model of all CPUs, before they are made; what the
 * host or the accelerator cannot do is taken out again. False: no feature has that name. */
bool cpuid_feature_set(const char *name, bool on);

/* Whether the model has machine checks as QEMU's have them: from family 6 on. */
bool cpuid_has_machine_check(const X86CPU *cpu);

/* For cpuid_model(). */
void cpuid_apply_features(uint32_t leaf, uint32_t values[CPUID_REGISTERS]);

/* Writes a signature of 12 letters into EBX, EDX, ECX (vendor's order) or EBX, ECX, EDX
 * (a hypervisor's). */
void cpuid_set_signature(uint32_t values[CPUID_REGISTERS], const char *letters,
                         bool hypervisor);

#endif
