/*
 * CPUID of KVM's vCPUs: the default model's leaves, less what this host cannot do, and
 * KVM's own leaves 0x40000000 and 0x40000001.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include <gio/gio.h>

#include "machine/accel/cpuid.h"
#include "machine/accel/kvm-internal.h"

#define LEAF_KVM_SIGNATURE 0x40000000u
#define LEAF_KVM_FEATURES 0x40000001u
#define LEAF_ADDRESS_SIZES 0x80000008u
/* Clock, no delay for port 0x80, clock 2, async page faults, steal time, end of
 * interrupt, stable clock: what QEMU gives its default models. */
#define KVM_FEATURES_GIVEN (1u << 0 | 1u << 1 | 1u << 3 | 1u << 4 | 1u << 5 | 1u << 6 | 1u << 24)

#define MAX_ENTRIES 256

typedef struct CPUIDTable {
    struct kvm_cpuid2 head;
    struct kvm_cpuid_entry2 entries[MAX_ENTRIES];
} CPUIDTable;

static const struct kvm_cpuid_entry2 *find(const CPUIDTable *table, uint32_t leaf)
{
    for (uint32_t i = 0; i < table->head.nent; i++) {
        if (table->entries[i].function == leaf && table->entries[i].index == 0) {
            return &table->entries[i];
        }
    }
    return NULL;
}

static void append(CPUIDTable *table, uint32_t leaf, const uint32_t values[CPUID_REGISTERS])
{
    table->entries[table->head.nent++] = (struct kvm_cpuid_entry2){
        .function = leaf,
        .eax = values[CPUID_EAX],
        .ebx = values[CPUID_EBX],
        .ecx = values[CPUID_ECX],
        .edx = values[CPUID_EDX],
    };
}

static void limit_to_host(uint32_t leaf, uint32_t values[CPUID_REGISTERS],
                          const struct kvm_cpuid_entry2 *host)
{
    if (leaf == 0 || leaf == 0x80000000) {
        /* The vendor decides which instructions a guest tries: the host's. */
        values[CPUID_EBX] = host ? host->ebx : 0;
        values[CPUID_ECX] = host ? host->ecx : 0;
        values[CPUID_EDX] = host ? host->edx : 0;
    } else if (leaf == 1) {
        /* The local APIC in the kernel offers x2APIC whatever the host has; KVM reports
         * the hypervisor bit itself. */
        if (kvm_host.irqchip) {
            values[CPUID_ECX] |= CPUID_1_ECX_X2APIC;
        }
        values[CPUID_ECX] &= (host ? host->ecx : 0) | CPUID_1_ECX_HYPERVISOR;
        values[CPUID_EDX] &= (host ? host->edx : 0) | (kvm_host.irqchip ? CPUID_1_EDX_APIC : 0);
        if (!kvm_host.irqchip) {
            values[CPUID_EDX] &= ~CPUID_1_EDX_APIC;
        }
    } else if (leaf == 0x7) {
        values[CPUID_EBX] &= host ? host->ebx : 0;
    } else if (leaf == 0x80000001) {
        values[CPUID_ECX] &= host ? host->ecx : 0;
        values[CPUID_EDX] &= host ? host->edx : 0;
    }
}

bool kvm_cpuid_init(KVMVCPU *vcpu, const X86CPU *cpu, GError **error)
{
    g_autofree CPUIDTable *host = g_new0(CPUIDTable, 1);
    g_autofree CPUIDTable *guest = g_new0(CPUIDTable, 1);
    const struct kvm_cpuid_entry2 *features;
    uint32_t values[CPUID_REGISTERS] = {LEAF_KVM_FEATURES};

    host->head.nent = MAX_ENTRIES;
    if (kvm_ioctl(kvm_host.fd, KVM_GET_SUPPORTED_CPUID, host) < 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                    "kvm: cannot ask for the host's CPUID: %s", g_strerror(errno));
        return false;
    }
    features = find(host, LEAF_KVM_FEATURES);

    cpuid_set_signature(values, "KVMKVMKVM\0\0", true);
    append(guest, LEAF_KVM_SIGNATURE, values);
    memset(values, 0, sizeof(values));
    values[CPUID_EAX] = features ? features->eax & KVM_FEATURES_GIVEN : 0;
    append(guest, LEAF_KVM_FEATURES, values);
    for (const uint32_t *leaf = cpuid_leaves; *leaf != UINT32_MAX; leaf++) {
        if (!cpuid_model(*leaf, cpu, values)) {
            continue;
        }
        limit_to_host(*leaf, values, find(host, *leaf));
        if (*leaf == 1 && !cpu->announces_apic) {
            values[CPUID_ECX] &= ~CPUID_1_ECX_X2APIC;
            values[CPUID_EDX] &= ~CPUID_1_EDX_APIC;
        }
        append(guest, *leaf, values);
        if (*leaf == LEAF_ADDRESS_SIZES) {
            vcpu->physical_mask = UINT64_MAX >> (64 - (values[CPUID_EAX] & 0x3f));
        }
    }
    if (kvm_ioctl(vcpu->fd, KVM_SET_CPUID2, guest) < 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                    "kvm: the kernel refuses the CPU model: %s", g_strerror(errno));
        return false;
    }
    return true;
}
