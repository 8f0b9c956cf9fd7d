/*
 * A KVM guest's breakpoints: in the processor's four debug registers as far as they go,
 * because those work in ROM and under code that is loaded later; the others are INT3
 * instructions in the guest's memory. Sections are those of the Intel SDM, volume 3.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <errno.h>
#include <sys/ioctl.h>

#include <gio/gio.h>

#include "hw/i386/x86-paging.h"
#include "machine/accel/debug.h"
#include "machine/accel/kvm-internal.h"
#include "memory/access.h"

#define DEBUG_REGISTERS 4
#define DR6_BS (UINT64_C(1) << 14)
#define DR7_FIXED UINT64_C(0x600) /* bit 10, and GE: exact data breakpoints (17.2.4) */
#define VECTOR_DB 1
#define VECTOR_BP 3
#define INT3 0xcc

typedef struct Patch {
    AccelBreakpoint breakpoint;
    hwaddr physical;
    uint8_t covered;
} Patch;

static AccelBreakpoint in_registers[DEBUG_REGISTERS];
static unsigned registers_used;
static GArray *patches; /* Patch */

/* 17.2.4: R/W and LEN of a breakpoint; -1: the processor has no such one. */
static int dr7_bits(const AccelBreakpoint *breakpoint)
{
    static const struct {
        uint64_t length;
        int bits;
    } lengths[] = {{1, 0}, {2, 1}, {4, 3}, {8, 2}};

    if (breakpoint->kind == ACCEL_BREAK_EXECUTE) {
        return 0;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(lengths); i++) {
        if (lengths[i].length == breakpoint->length &&
            breakpoint->address % breakpoint->length == 0 &&
            breakpoint->kind != ACCEL_BREAK_READ) {
            return lengths[i].bits << 2 | (breakpoint->kind == ACCEL_BREAK_WRITE ? 1 : 3);
        }
    }
    return -1;
}

static void unpatch_all(AddressSpace *memory)
{
    for (guint i = 0; patches && i < patches->len; i++) {
        const Patch *patch = &g_array_index(patches, Patch, i);
        uint8_t now = 0;

        /* The guest may have put something else there meanwhile. */
        address_space_read(memory, patch->physical, MEMTXATTRS_UNSPECIFIED, &now, 1);
        if (now == INT3) {
            address_space_write_rom(memory, patch->physical, MEMTXATTRS_UNSPECIFIED,
                                    &patch->covered, 1);
        }
    }
    g_clear_pointer(&patches, g_array_unref);
}

static bool add_patch(Accel *accel, const AccelBreakpoint *breakpoint)
{
    AccelVCPU *first = accel->vcpus->pdata[0];
    const uint8_t int3 = INT3;
    Patch patch = {.breakpoint = *breakpoint};
    uint64_t left;
    uint8_t now = 0;
    FlatRange range;

    if (!x86_translate(first->cpu, breakpoint->address, &patch.physical, &left) ||
        !address_space_lookup(accel->memory, patch.physical, &range) ||
        !memory_region_ram_block(range.mr)) {
        return false;
    }
    address_space_read(accel->memory, patch.physical, MEMTXATTRS_UNSPECIFIED,
                       &patch.covered, 1);
    address_space_write_rom(accel->memory, patch.physical, MEMTXATTRS_UNSPECIFIED, &int3,
                            1);
    address_space_read(accel->memory, patch.physical, MEMTXATTRS_UNSPECIFIED, &now, 1);
    if (now != INT3) {
        return false;
    }
    if (!patches) {
        patches = g_array_new(false, false, sizeof(Patch));
    }
    g_array_append_val(patches, patch);
    return true;
}

static bool place(Accel *accel, const AccelBreakpoint *breakpoint, GError **error)
{
    if (dr7_bits(breakpoint) < 0) {
        g_set_error(
            error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
            "kvm: a watchpoint is for writes or for all accesses, of 1, 2, 4 or 8 "
            "bytes, aligned");
        return false;
    }
    if (registers_used < DEBUG_REGISTERS) {
        in_registers[registers_used++] = *breakpoint;
        return true;
    }
    if (breakpoint->kind == ACCEL_BREAK_EXECUTE && !breakpoint->hardware &&
        add_patch(accel, breakpoint)) {
        return true;
    }
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
                "kvm: the processor's four debug registers are in use");
    return false;
}

/* Those that need a register come first. */
static bool place_all(Accel *accel, GError **error)
{
    for (int must = 1; must >= 0; must--) {
        for (guint i = 0; i < accel->breakpoints->len; i++) {
            const AccelBreakpoint *each =
                &g_array_index(accel->breakpoints, AccelBreakpoint, i);
            bool needs = each->hardware || each->kind != ACCEL_BREAK_EXECUTE;

            if (needs == must && !place(accel, each, error)) {
                return false;
            }
        }
    }
    return true;
}

static struct kvm_guest_debug wanted_of(Accel *accel, X86CPU *cpu)
{
    struct kvm_guest_debug debug = {0};
    bool over = kvm_vcpu(cpu)->stepping_over;

    if (registers_used && !over) {
        debug.control |= KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP;
        debug.arch.debugreg[7] = DR7_FIXED;
        for (unsigned i = 0; i < registers_used; i++) {
            debug.arch.debugreg[i] = in_registers[i].address;
            debug.arch.debugreg[7] |= UINT64_C(2) << i * 2; /* G0..G3 */
            debug.arch.debugreg[7] |= (uint64_t)dr7_bits(&in_registers[i])
                                      << (16 + i * 4);
        }
    }
    if (patches) {
        debug.control |= KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP;
    }
    if (accel->stepping == cpu || over) {
        debug.control |= KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP;
#ifdef KVM_GUESTDBG_BLOCKIRQ
        if (ioctl(kvm_host.fd, KVM_CHECK_EXTENSION, KVM_CAP_SET_GUEST_DEBUG2) &
            KVM_GUESTDBG_BLOCKIRQ) {
            debug.control |= KVM_GUESTDBG_BLOCKIRQ;
        }
#endif
    }
    return debug;
}

static bool set_debug(AccelVCPU *vcpu)
{
    struct kvm_guest_debug debug = wanted_of(vcpu->accel, vcpu->cpu);

    return kvm_ioctl(kvm_vcpu(vcpu->cpu)->fd, KVM_SET_GUEST_DEBUG, &debug) == 0;
}

static void write_patch(AccelVCPU *vcpu, uint64_t address, bool set)
{
    const uint8_t int3 = INT3;

    for (guint i = 0; patches && i < patches->len; i++) {
        const Patch *patch = &g_array_index(patches, Patch, i);

        if (patch->breakpoint.address == address) {
            address_space_write_rom(vcpu->accel->memory, patch->physical,
                                    MEMTXATTRS_UNSPECIFIED, set ? &int3 : &patch->covered,
                                    1);
        }
    }
}

/* EFLAGS.RF would do where the processor executes the guest, but the kernel's emulator
 * of real mode does not look at it. */
void kvm_step_over(AccelVCPU *vcpu)
{
    kvm_vcpu(vcpu->cpu)->stepping_over = true;
}

/* The instruction is behind the vCPU: the breakpoints are there again. */
static void stepped_over(AccelVCPU *vcpu)
{
    const X86Registers *r = &vcpu->cpu->registers; /* from when it stood */

    write_patch(vcpu, r->segment[X86_CS].base + r->rip, true);
    kvm_vcpu(vcpu->cpu)->stepping_over = false;
    set_debug(vcpu);
}

bool kvm_update_debug(Accel *accel, GError **error)
{
    bool placed;

    unpatch_all(accel->memory);
    registers_used = 0;
    placed = accel->vcpus->len == 0 || place_all(accel, error);
    for (guint i = 0; i < accel->vcpus->len; i++) {
        AccelVCPU *vcpu = accel->vcpus->pdata[i];
        const X86Registers *r = &vcpu->cpu->registers;

        if (kvm_vcpu(vcpu->cpu)->stepping_over) {
            write_patch(vcpu, r->segment[X86_CS].base + r->rip, false);
        }
        if (!set_debug(vcpu)) {
            g_clear_error(error);
            g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                        "kvm: cannot debug the guest: %s", g_strerror(errno));
            return false;
        }
    }
    return placed;
}

void kvm_hide_breakpoints(uint64_t address, uint8_t *buffer, size_t length)
{
    for (guint i = 0; patches && i < patches->len; i++) {
        const Patch *patch = &g_array_index(patches, Patch, i);

        if (patch->breakpoint.address - address < length) {
            buffer[patch->breakpoint.address - address] = patch->covered;
        }
    }
}

/* An INT3 of the guest's own: the guest gets it. */
static void give_back_int3(KVMVCPU *vcpu)
{
    struct kvm_vcpu_events events = {0};

    kvm_ioctl(vcpu->fd, KVM_GET_VCPU_EVENTS, &events);
    events.exception.injected = 1;
    events.exception.nr = VECTOR_BP;
    events.exception.has_error_code = 0;
    kvm_ioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &events);
}

void kvm_handle_debug(AccelVCPU *accel_vcpu)
{
    KVMVCPU *vcpu = accel_vcpu->data;
    const struct kvm_debug_exit_arch *arch = &vcpu->run->debug.arch;

    if (vcpu->stepping_over) {
        stepped_over(accel_vcpu);
        if (accel_vcpu->accel->stepping != accel_vcpu->cpu) {
            return;
        }
    }
    if (arch->exception == VECTOR_BP) {
        for (guint i = 0; patches && i < patches->len; i++) {
            const Patch *patch = &g_array_index(patches, Patch, i);

            if (patch->breakpoint.address == arch->pc) {
                accel_debug_stop(accel_vcpu, &patch->breakpoint);
                return;
            }
        }
        give_back_int3(vcpu);
        return;
    }
    for (unsigned i = 0; i < registers_used; i++) {
        if (arch->dr6 >> i & 1) {
            accel_debug_stop(accel_vcpu, &in_registers[i]);
            return;
        }
    }
    accel_debug_stop(accel_vcpu, NULL);
}
