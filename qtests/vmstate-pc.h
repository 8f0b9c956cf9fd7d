/*
 * A whole PC that stands still, for tests of its devices' state: pc-i440fx-7.2 with
 * QEMU's default devices, its ports, and its sections saved, loaded and broken.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef QTESTS_VMSTATE_PC_H
#define QTESTS_VMSTATE_PC_H

#include <stdlib.h>
#include <string.h>

#include "hw/char/parallel.h"
#include "hw/char/serial.h"
#include "hw/display/vga-pci.h"
#include "hw/ide/ide-bus.h"
#include "machine/cli/umbra-machine.h"
#include "machine/types/pc.h"
#include "memory/access.h"
#include "qtests/vmstate-fixture.h"

static Machine *pc;

static G_GNUC_UNUSED void add(Device *dev, const GError *error)
{
    ck_assert_msg(dev != NULL, "%s", error ? error->message : "");
}

/* Under the qtest accelerator: the virtual clock stands until it is set. */
static G_GNUC_UNUSED void pc_new(void)
{
    UmbraMachineOptions options = {.machine = g_strdup("pc-i440fx-7.2"),
                                   .memory = g_strdup("4")};
    GError *error = NULL;

    machine_types_add(pc_machine_types());
    pc = umbra_machine_build(&options, &error);
    ck_assert_msg(pc != NULL, "%s", error ? error->message : "");
    add(device_create(TYPE_VGA_PCI, BUS(pc->pci), &error), error);
    add(isa_serial_new(pc->isa, 0, chardev_new_from_text("com1", "null", &error), &error),
        error);
    add(isa_parallel_new(pc->isa, 0, chardev_new_from_text("lpt1", "null", &error),
                         &error),
        error);
    add(device_create(TYPE_IDE_CD, BUS(ide_bus_find(1)), &error), error);
    device_reset_all();
}

static G_GNUC_UNUSED uint32_t in(uint16_t port, unsigned size)
{
    uint32_t value = 0;

    address_space_read(&pc->io, port, MEMTXATTRS_UNSPECIFIED, &value, size);
    return value;
}

static G_GNUC_UNUSED void out(uint16_t port, uint32_t value, unsigned size)
{
    address_space_write(&pc->io, port, MEMTXATTRS_UNSPECIFIED, &value, size);
}

static G_GNUC_UNUSED uint8_t inb(uint16_t port)
{
    return (uint8_t)in(port, 1);
}

static G_GNUC_UNUSED void outb(uint16_t port, uint8_t value)
{
    out(port, value, 1);
}

/* Configuration space of bus 0. */
static G_GNUC_UNUSED uint32_t config(unsigned devfn, unsigned reg, unsigned size)
{
    return pci_bus_config_read(pc->pci, devfn << 8 | reg, size);
}

/* Hexadecimal text in which "(N)" is N bytes of zeroes, without that. */
static G_GNUC_UNUSED char *expand_hex(const char *text)
{
    GString *hex = g_string_new(NULL);

    while (*text) {
        if (*text == '(') {
            char *end;
            unsigned long zeroes = strtoul(text + 1, &end, 10);

            for (; zeroes > 0; zeroes--) {
                g_string_append(hex, "00");
            }
            text = end + 1;
        } else {
            g_string_append_c(hex, *text++);
        }
    }
    return g_string_free(hex, FALSE);
}

static G_GNUC_UNUSED char *save_section(const VMStateEntry *entry)
{
    g_autoptr(Wire) wire = wire_new_memory();
    const uint8_t *data;
    size_t size;

    ck_assert(vmstate_save(wire, entry->vmsd, entry->opaque, NULL));
    data = wire_data(wire, &size);
    return hex_of_bytes(data, size);
}

/* -- All sections, there and back ------------------------------------------------------
 */

typedef struct SavedSection {
    VMStateEntry *entry;
    char *hex;
} SavedSection;

static G_GNUC_UNUSED bool save_one(VMStateEntry *entry, void *opaque)
{
    SavedSection saved = {entry, NULL};

    if (vmstate_is_needed(entry->vmsd, entry->opaque)) {
        saved.hex = save_section(entry);
        g_array_append_val((GArray *)opaque, saved);
    }
    return true;
}

/* Saves the machine, resets it, does what is asked for, and loads it again. */
static G_GNUC_UNUSED void move_machine_after(void (*disturb)(void))
{
    g_autoptr(GArray) sections = g_array_new(FALSE, FALSE, sizeof(SavedSection));
    int64_t now = clock_virtual_ns();

    vmstate_foreach(save_one, sections);
    device_reset_all();
    if (disturb) {
        disturb();
    }
    ck_assert_int_eq(clock_virtual_ns(), now);
    for (guint i = 0; i < sections->len; i++) {
        const SavedSection *saved = &g_array_index(sections, SavedSection, i);
        const VMStateDescription *vmsd = saved->entry->vmsd;

        assert_loads(vmsd, saved->entry->opaque, vmsd->version_id, saved->hex);
        g_free(saved->hex);
    }
}

static G_GNUC_UNUSED void move_machine(void)
{
    move_machine_after(NULL);
}

#endif
