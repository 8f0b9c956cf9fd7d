/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/accel/debug.h"

#include <gio/gio.h>

#include "machine/accel/vcpu.h"
#include "memory/io-lock.h"

void accel_set_debug_handler(Accel *accel, AccelDebugHandler handler, void *opaque)
{
    accel->debug_handler = handler;
    accel->debug_opaque = opaque;
}

static bool update(Accel *accel, GError **error)
{
    AccelClass *klass = ACCEL_GET_CLASS(accel);

    if (!klass->update_debug) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                    "accelerator %s has no breakpoints", klass->name);
        return false;
    }
    return klass->update_debug(accel, error);
}

static int find(Accel *accel, const AccelBreakpoint *wanted)
{
    for (guint i = 0; i < accel->breakpoints->len; i++) {
        const AccelBreakpoint *each =
            &g_array_index(accel->breakpoints, AccelBreakpoint, i);

        if (each->kind == wanted->kind && each->address == wanted->address &&
            each->length == wanted->length && each->hardware == wanted->hardware) {
            return (int)i;
        }
    }
    return -1;
}

bool accel_insert_breakpoint(Accel *accel, const AccelBreakpoint *breakpoint,
                             GError **error)
{
    if (find(accel, breakpoint) >= 0) {
        return true;
    }
    g_array_append_vals(accel->breakpoints, breakpoint, 1);
    if (!update(accel, error)) {
        g_array_set_size(accel->breakpoints, accel->breakpoints->len - 1);
        update(accel, NULL);
        return false;
    }
    return true;
}

bool accel_remove_breakpoint(Accel *accel, const AccelBreakpoint *breakpoint)
{
    int i = find(accel, breakpoint);

    if (i < 0) {
        return false;
    }
    g_array_remove_index(accel->breakpoints, (guint)i);
    update(accel, NULL);
    return true;
}

void accel_remove_all_breakpoints(Accel *accel)
{
    g_array_set_size(accel->breakpoints, 0);
    accel->stepping = NULL;
    update(accel, NULL);
}

static bool stands_at_breakpoint(Accel *accel, X86CPU *cpu)
{
    const X86Registers *r = &cpu->registers;

    accel_get_registers(cpu);
    for (guint i = 0; i < accel->breakpoints->len; i++) {
        const AccelBreakpoint *each =
            &g_array_index(accel->breakpoints, AccelBreakpoint, i);

        if (each->kind == ACCEL_BREAK_EXECUTE &&
            each->address == r->segment[X86_CS].base + r->rip) {
            return true;
        }
    }
    return false;
}

void accel_prepare_to_continue(Accel *accel, X86CPU *step)
{
    AccelClass *klass = ACCEL_GET_CLASS(accel);

    accel->stepping = step;
    for (guint i = 0; i < accel->vcpus->len && klass->step_over; i++) {
        AccelVCPU *vcpu = accel->vcpus->pdata[i];

        if (stands_at_breakpoint(accel, vcpu->cpu)) {
            klass->step_over(vcpu);
        }
    }
    update(accel, NULL);
}

void accel_end_step(Accel *accel)
{
    accel->stepping = NULL;
    update(accel, NULL);
}

void accel_hide_breakpoints(Accel *accel, uint64_t address, uint8_t *buffer,
                            size_t length)
{
    AccelClass *klass = ACCEL_GET_CLASS(accel);

    if (klass->hide_breakpoints) {
        klass->hide_breakpoints(address, buffer, length);
    }
}

void accel_debug_stop(AccelVCPU *vcpu, const AccelBreakpoint *breakpoint)
{
    Accel *accel = vcpu->accel;
    AccelDebugStop stop = {.cpu = vcpu->cpu, .step = !breakpoint};

    if (breakpoint) {
        stop.breakpoint = *breakpoint;
    }
    io_lock();
    if (accel->debug_handler) {
        accel->debug_handler(&stop, accel->debug_opaque);
    }
    io_unlock();
    accel_hold_all(accel);
}
