/*
 * HMP: disk drives, their images and media.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <inttypes.h>
#include <string.h>

#include "hw/block/block.h"
#include "hw/block/node.h"
#include "machine/monitor/hmp.h"
#include "machine/monitor/qmp-block.h"

typedef struct Listing {
    Hmp *hmp;
    const char *wanted; /* a drive's or a node's name; NULL: all */
    bool verbose;
    unsigned listed, shown;
} Listing;

/* "1.41 MiB": three digits. */
static char *human_size(uint64_t bytes)
{
    static const char *const units[] = {"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
    double value = (double)bytes;
    size_t i = 0;

    while (value >= 1000 && i + 1 < G_N_ELEMENTS(units)) {
        value /= 1024;
        i++;
    }
    return g_strdup_printf("%.3g %sB", value, units[i]);
}

static void print_medium(Hmp *hmp, const BlockNode *node, bool readonly)
{
    hmp_printf(hmp, ": %s (%s%s)\n", block_node_filename(node), block_node_driver(node),
               readonly ? ", read-only" : "");
}

static void print_image(Listing *listing, const BlockNode *node, const char *cache)
{
    hmp_printf(listing->hmp, "    Cache mode:       %s%s%s\n",
               g_strcmp0(cache, "writethrough") == 0 ||
                       g_strcmp0(cache, "directsync") == 0
                   ? "writethrough"
                   : "writeback",
               g_strcmp0(cache, "none") == 0 || g_strcmp0(cache, "directsync") == 0 ||
                       g_strcmp0(cache, "off") == 0
                   ? ", direct"
                   : "",
               g_strcmp0(cache, "unsafe") == 0 ? ", ignore flushes" : "");
    if (listing->verbose) {
        g_autofree char *size = human_size(block_node_size(node));
        g_autofree char *allocated = human_size(block_node_allocated(node));

        hmp_printf(listing->hmp,
                   "\nImages:\nimage: %s\nfile format: %s\nvirtual size: %s (%" PRIu64
                   " bytes)\ndisk size: %s\n",
                   block_node_filename(node), block_node_driver(node), size,
                   block_node_size(node), allocated);
    }
}

static bool is_wanted(Listing *listing, const char *name, const char *other)
{
    bool first = listing->listed++ == 0;

    if (listing->wanted && g_strcmp0(listing->wanted, name) != 0 &&
        g_strcmp0(listing->wanted, other) != 0) {
        return false;
    }
    listing->shown++;
    if (!first) { /* as QEMU has it, also where what comes before is left out */
        hmp_printf(listing->hmp, "\n");
    }
    return true;
}

static void print_drive(BlockBackend *drive, void *opaque)
{
    Listing *listing = opaque;
    Hmp *hmp = listing->hmp;
    const BlockNode *node = block_node(drive);
    const char *id = drive_options(drive)->id, *device = block_drive_device_name(drive);

    if ((!id && !device) ||
        !is_wanted(listing, id, node ? block_node_name(node) : NULL)) {
        return;
    }
    hmp_printf(hmp, "%s", id ? id : node ? block_node_name(node) : device);
    if (id && node) {
        hmp_printf(hmp, " (%s)", block_node_name(node));
    }
    if (node) {
        print_medium(hmp, node, block_is_readonly(drive));
    } else {
        hmp_printf(hmp, ": [not inserted]\n");
    }
    if (device) {
        hmp_printf(hmp, "    Attached to:      %s\n", device);
    }
    if (block_is_removable(drive)) {
        hmp_printf(hmp, "    Removable device: %slocked, tray %s\n",
                   block_is_locked(drive) ? "" : "not ",
                   block_tray_is_open(drive) ? "open" : "closed");
    }
    if (node) {
        print_image(listing, node, drive_options(drive)->cache);
    }
}

static void print_node(BlockNode *node, void *opaque)
{
    Listing *listing = opaque;

    if (is_wanted(listing, block_node_name(node), NULL)) {
        hmp_printf(listing->hmp, "%s", block_node_name(node));
        print_medium(listing->hmp, node, block_node_is_readonly(node));
        print_image(listing, node, NULL);
    }
}

static void run_block(Hmp *hmp, const HmpArgs *args)
{
    Listing listing = {.hmp = hmp,
                       .wanted = hmp_arg_text(args, "device"),
                       .verbose = hmp_arg_given(args, "verbose")};

    if (!hmp_arg_given(args, "nodes")) {
        drive_foreach(print_drive, &listing);
    }
    if (hmp_arg_given(args, "nodes") || (listing.wanted && !listing.shown)) {
        listing.listed = 0;
        block_node_foreach(print_node, &listing);
    }
}

static BlockBackend *find_drive(Hmp *hmp, const HmpArgs *args)
{
    const char *device = hmp_arg_text(args, "device");
    BlockBackend *drive = drive_find(device);

    if (!drive) {
        hmp_printf(hmp, "Error: Device '%s' not found\n", device);
    }
    return drive;
}

static void run_eject(Hmp *hmp, const HmpArgs *args)
{
    BlockBackend *drive = find_drive(hmp, args);
    GError *error = NULL;

    if (drive && !block_eject_medium(drive, hmp_arg_given(args, "force"), &error)) {
        hmp_report(hmp, error);
    }
}

static void run_change(Hmp *hmp, const HmpArgs *args)
{
    BlockBackend *drive = find_drive(hmp, args);
    GError *error = NULL;

    if (drive && !block_change_medium(drive, hmp_arg_text(args, "target"),
                                      hmp_arg_text(args, "arg"),
                                      hmp_arg_text(args, "read-only-mode"),
                                      hmp_arg_given(args, "force"), &error)) {
        hmp_report(hmp, error);
    }
}

static void add_drive(Hmp *hmp, const HmpArgs *args)
{
    GError *error = NULL;
    BlockBackend *drive = drive_new(hmp_arg_text(args, "opts"), &error);

    if (!drive) {
        hmp_report(hmp, error);
    } else if (strcmp(drive_options(drive)->interface, "none") != 0) {
        hmp_printf(hmp, "Can't hot-add drive to type %s; use if=none and device_add\n",
                   drive_options(drive)->interface);
        drive_delete(drive);
    } else {
        hmp_printf(hmp, "OK\n");
    }
}

static void run_drive_add(Hmp *hmp, const HmpArgs *args)
{
    GError *error = NULL;

    if (!hmp_arg_given(args, "node")) {
        add_drive(hmp, args);
    } else if (!blockdev_add_from_text(hmp_arg_text(args, "opts"), &error)) {
        hmp_report(hmp, error);
    }
}

static void run_drive_del(Hmp *hmp, const HmpArgs *args)
{
    const char *id = hmp_arg_text(args, "id");
    BlockBackend *drive = drive_find(id);
    GError *error = NULL;

    if (drive) {
        drive_delete(drive);
    } else if (!block_node_find(id)) {
        hmp_printf(hmp, "Error: Device '%s' not found\n", id);
    } else if (!blockdev_del(id, &error)) {
        hmp_report(hmp, error);
    }
}

static void run_qemu_io(Hmp *hmp, const HmpArgs *args)
{
    BlockBackend *drive = find_drive(hmp, args);
    GError *error = NULL;

    if (drive && !block_debug(drive, hmp_arg_text(args, "command"), &error)) {
        hmp_report(hmp, error);
    }
}

const HmpCommand hmp_block_commands[] = {
    {"info block", "nodes:-n,verbose:-v,device:s?", "[-n] [-v] [device]",
     "show info of one block device or all block devices (-n: show named nodes; -v: show "
     "details)",
     run_block},
    {"eject", "force:-f,device:s", "[-f] device",
     "eject a removable medium (use -f to force it)", run_eject},
    {"change", "device:s,force:-f,target:s,arg:s?,read-only-mode:s?",
     "device [-f] filename [format [read-only-mode]]",
     "change a removable medium, optional format", run_change},
    {"drive_add", "node:-n,pci_addr:s,opts:s",
     "[-n] [[<domain>:]<bus>:]<slot>\n[file=file][,if=type][,bus=n]\n[,unit=m][,media=d]"
     "[,index=i]\n[,snapshot=on|off][,cache=on|off]\n[,readonly=on|off]"
     "[,copy-on-read=on|off]",
     "add drive to PCI storage controller", run_drive_add},
    {"drive_del", "id:s", "device", "remove host block device", run_drive_del},
    {"qemu-io", "device:s,command:s", "device \"command\"",
     "stop at an event of an image behind blkdebug (break EVENT TAG), and go on (resume TAG)",
     run_qemu_io},
    {NULL},
};
