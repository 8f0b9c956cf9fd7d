/*
 * Kernels that are started as bhyveload(8) does.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/types/bhyve/bhyve.h"

#include <gio/gio.h>

#include "machine/kernel-files.h"

#define CR0_NE 0x20

bool bhyve_kernel_init(BhyveMachine *bhyve, GError **error)
{
    Machine *machine = &bhyve->pc.parent;
    const MachineConfig *config = &machine->config;
    g_autoptr(GBytes) file = NULL;

    if (config->initrd) {
        return refuse_argument(error, "-initrd: bhyveload's kernels have none");
    }
    if (!config->kernel) {
        return true;
    }
    file = kernel_file_read("-kernel", config->kernel, error);
    if (!file) {
        return false;
    }
    if (!bsd_boot_prepare(&bhyve->boot, &machine->memory,
                          &(BSDBootSource){
                              .name = config->kernel,
                              .file = file,
                              .arguments = config->append ? config->append : "",
                              .environment = config->environment,
                              .low = bhyve->low,
                              .high = bhyve->high,
                          },
                          error)) {
        bsd_boot_clear(&bhyve->boot);
        g_prefix_error(error, "-kernel %s: ", config->kernel);
        return false;
    }
    return true;
}

/* lib/libvmmapi/vmmapi_freebsd.c, vm_setup_freebsd_registers_i386(). */
void bhyve_kernel_start(BhyveMachine *bhyve)
{
    X86CPU *cpu = bhyve->pc.parent.cpus->pdata[0];
    X86Registers *registers = &cpu->registers;

    boot_pieces_write(bhyve->boot.pieces, &bhyve->pc.parent.memory);
    x86_registers_flat(registers, bhyve->boot.entry);
    registers->cr0 |= CR0_NE;
    registers->gpr[X86_RSP] = bhyve->boot.esp;
    registers->gdt_base = BSD_BOOT_GDT;
    registers->gdt_limit = BSD_BOOT_GDT_LIMIT;
    registers->tr.base = BSD_BOOT_TSS;
    registers->tr.limit = BSD_BOOT_TSS_LIMIT;
    accel_set_registers(cpu);
}
