/*
 * HMP: what the memory map looks like.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <inttypes.h>

#include "machine/machine.h"
#include "machine/monitor/hmp.h"
#include "memory/mtree.h"
#include "memory/ram-block.h"

static void run_mtree(Hmp *hmp, const HmpArgs *args)
{
    Machine *machine = machine_current();
    AccelClass *accel = machine->accel ? ACCEL_GET_CLASS(machine->accel) : NULL;
    MtreeOptions options = {
        .flat = hmp_arg_given(args, "flatview"),
        .dispatch = hmp_arg_given(args, "dispatch_tree"),
        .owner = hmp_arg_given(args, "owner"),
        .disabled = hmp_arg_given(args, "disabled"),
        .accel = accel ? accel->mtree_name : NULL,
        .accel_has = accel ? accel->has_range : NULL,
    };

    mtree_print(hmp->out, &options);
}

static bool print_block(RAMBlock *block, void *opaque)
{
    hmp_printf(opaque, "%24s %8s  0x%016" PRIx64 " 0x%016" PRIx64 " 0x%016" PRIx64 "\n",
               block->name, "4 KiB", block->offset, block->used_length,
               block->max_length);
    return true;
}

static void run_ramblock(Hmp *hmp, const HmpArgs *args)
{
    hmp_printf(hmp, "%24s %8s  %18s %18s %18s\n", "Block Name", "PSize", "Offset", "Used",
               "Total");
    ram_block_foreach(print_block, hmp);
}

static void run_memory_size(Hmp *hmp, const HmpArgs *args)
{
    hmp_printf(hmp, "base memory: %" PRIu64 "\nplugged memory: 0\n",
               machine_current()->config.ram_size);
}

static void run_pci(Hmp *hmp, const HmpArgs *args)
{
    if (machine_current()->pci) {
        pci_bus_print(machine_current()->pci, hmp->out);
    }
}

const HmpCommand hmp_info_memory_commands[] = {
    {"info mtree", "flatview:-f,dispatch_tree:-d,owner:-o,disabled:-D",
     "[-f][-d][-o][-D]",
     "show memory tree (-f: dump flat view for address spaces;-d: dump dispatch tree, "
     "valid with -f only);-o: dump region owners/parents;-D: dump disabled regions",
     run_mtree},
    {"info ramblock", "", "", "Display system ramblock information", run_ramblock},
    {"info memory_size_summary", "", "",
     "show the amount of initially allocated and present hotpluggable (if enabled) "
     "memory in bytes.",
     run_memory_size},
    {"info pci", "", "", "show PCI info", run_pci},
    {NULL},
};
