/*
 * The software CPU's breakpoints: while there are any, the vCPU is called to attention
 * before every instruction, and pages that are watched have no entry in its caches. While
 * there are none, neither costs anything.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/accel/debug.h"
#include "machine/accel/x86emu-internal.h"

#define FLAGS_RF 0x10000u

bool soft_update_debug(Accel *accel, GError **error)
{
    bool watching = false;

    for (guint i = 0; i < accel->breakpoints->len; i++) {
        watching |= g_array_index(accel->breakpoints, AccelBreakpoint, i).kind !=
                    ACCEL_BREAK_EXECUTE;
    }
    for (guint i = 0; i < accel->vcpus->len; i++) {
        AccelVCPU *vcpu = accel->vcpus->pdata[i];
        SoftCPU *soft = vcpu->data;

        soft->stepping = accel->stepping == vcpu->cpu;
        soft->debugged = accel->breakpoints->len > 0 || soft->stepping;
        soft->watching = watching;
        soft->stepped = false;
        soft->watch_hit = -1;
        soft_flush(soft);
    }
    return true;
}

/* EFLAGS.RF is for that (SDM 3, 17.3.1.1); soft_debug() takes it away again. */
void soft_step_over(AccelVCPU *vcpu)
{
    SoftCPU *soft = vcpu->data;

    soft->emu->x86.R_FLG |= FLAGS_RF;
}

static bool stop(SoftCPU *soft, const AccelBreakpoint *breakpoint)
{
    soft_leave(soft);
    soft->watch_hit = -1;
    soft->stepped = false;
    accel_debug_stop(soft->vcpu, breakpoint);
    return false;
}

bool soft_debug(SoftCPU *soft)
{
    const GArray *breakpoints = soft->vcpu->accel->breakpoints;
    x86emu_regs_t *x86 = &soft->emu->x86;
    uint32_t address = x86->R_CS_BASE + x86->R_EIP;
    bool resumed = x86->R_FLG & FLAGS_RF;

    soft_call_attention(soft);
    x86->R_FLG &= ~FLAGS_RF;
    if (soft->watch_hit >= 0 && soft->watch_hit < (int)breakpoints->len) {
        return stop(soft, &g_array_index(breakpoints, AccelBreakpoint, soft->watch_hit));
    }
    if (soft->stepped) {
        return stop(soft, NULL);
    }
    soft->stepped = soft->stepping;
    for (guint i = 0; i < breakpoints->len && !resumed; i++) {
        const AccelBreakpoint *each = &g_array_index(breakpoints, AccelBreakpoint, i);

        if (each->kind == ACCEL_BREAK_EXECUTE && each->address == address) {
            return stop(soft, each);
        }
    }
    return true;
}

static bool overlaps(const AccelBreakpoint *watch, uint64_t address, uint64_t size)
{
    return watch->kind != ACCEL_BREAK_EXECUTE &&
           address < watch->address + watch->length && watch->address < address + size;
}

bool soft_page_is_watched(const SoftCPU *soft, uint32_t address)
{
    const GArray *breakpoints = soft->vcpu->accel->breakpoints;

    for (guint i = 0; i < breakpoints->len; i++) {
        if (overlaps(&g_array_index(breakpoints, AccelBreakpoint, i),
                     address & ~UINT32_C(0xfff), 0x1000)) {
            return true;
        }
    }
    return false;
}

void soft_check_watch(SoftCPU *soft, uint32_t address, unsigned size, bool write)
{
    const GArray *breakpoints = soft->vcpu->accel->breakpoints;

    for (guint i = 0; i < breakpoints->len; i++) {
        const AccelBreakpoint *each = &g_array_index(breakpoints, AccelBreakpoint, i);

        if (overlaps(each, address, size) &&
            each->kind != (write ? ACCEL_BREAK_READ : ACCEL_BREAK_WRITE)) {
            soft->watch_hit = (int)i; /* stops after the instruction, as processors do */
        }
    }
}
