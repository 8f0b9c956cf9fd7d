/*
 * CMOS memory as a PC's firmware expects to find it (Phoenix' and IBM's layout, and the
 * bytes above 0x30 that Bochs and QEMU agreed on with their BIOSes).
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/types/pc.h"

#include "hw/block/fdc.h"

#include <string.h>

#include "hw/ide/ide-bus.h"

enum {
    CMOS_FLOPPY_TYPES = 0x10,
    CMOS_EQUIPMENT = 0x14,
    CMOS_BASE_KIB = 0x15,
    CMOS_EXTENDED_KIB = 0x17,
    CMOS_EXTENDED_KIB_POST = 0x30,
    CMOS_ABOVE_16M_64KIB = 0x34,
    CMOS_BOOT_3 = 0x38,
    CMOS_BOOT_1_2 = 0x3d,
    CMOS_ABOVE_4G_64KIB = 0x5b,
    CMOS_CPUS = 0x5f,
};

#define EQUIPMENT_FPU 0x02
#define EQUIPMENT_PS2_MOUSE 0x04

static void set_bytes(MC146818RTC *rtc, unsigned address, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        rtc_set_memory(rtc, address + i, (uint8_t)(value >> (8 * i)));
    }
}

static void set_memory_size(PCMachine *pc)
{
    MC146818RTC *rtc = pc->rtc;
    uint64_t low = pc->below_4g;
    uint64_t extended = low > MiB(1) ? MIN((low - MiB(1)) / KiB(1), 0xffff) : 0;
    uint64_t above_16m = low > MiB(16) ? MIN((low - MiB(16)) / KiB(64), 0xffff) : 0;

    set_bytes(rtc, CMOS_BASE_KIB, MIN(low / KiB(1), 640), 2);
    set_bytes(rtc, CMOS_EXTENDED_KIB, extended, 2);
    set_bytes(rtc, CMOS_EXTENDED_KIB_POST, extended, 2);
    set_bytes(rtc, CMOS_ABOVE_16M_64KIB, above_16m, 2);
    set_bytes(rtc, CMOS_ABOVE_4G_64KIB, pc->above_4g / KiB(64), 3);
}

/* QEMU's letters to the numbers that its BIOSes read. */
static uint8_t boot_device(char letter)
{
    switch (letter) {
    case 'a':
    case 'b':
        return 1;
    case 'c':
        return 2;
    case 'd':
        return 3;
    case 'n':
        return 4;
    default:
        return 0;
    }
}

void pc_cmos_set_boot_order(PCMachine *pc, const char *order)
{
    uint8_t devices[3] = {0};

    for (size_t i = 0; i < G_N_ELEMENTS(devices) && order[i]; i++) {
        devices[i] = boot_device(order[i]);
    }
    rtc_set_memory(pc->rtc, CMOS_BOOT_1_2, (uint8_t)(devices[1] << 4 | devices[0]));
    rtc_set_memory(pc->rtc, CMOS_BOOT_3,
                   (uint8_t)(devices[2] << 4 | (pc->fd_bootchk ? 0 : 1)));
}

static void set_byte(void *opaque, uint8_t address, uint8_t value)
{
    rtc_set_memory(opaque, address, value);
}

/* Bit 0: there are floppy drives; bits 6-7: how many, less one. */
static uint8_t floppy_equipment(uint8_t types)
{
    unsigned drives = (types >> 4 != 0) + ((types & 15) != 0);

    return drives ? (uint8_t)(1 | (drives - 1) << 6) : 0;
}

void pc_cmos_init(PCMachine *pc)
{
    const MachineConfig *config = &pc->parent.config;
    uint8_t floppies = pc->fdc ? isa_fdc_cmos_types(pc->fdc) : 0;

    set_memory_size(pc);
    rtc_set_memory(pc->rtc, CMOS_CPUS, (uint8_t)(pc->parent.config.cpus - 1));
    rtc_set_memory(pc->rtc, CMOS_FLOPPY_TYPES, floppies);
    rtc_set_memory(pc->rtc, CMOS_EQUIPMENT,
                   EQUIPMENT_FPU | EQUIPMENT_PS2_MOUSE | floppy_equipment(floppies));
    pc_cmos_set_boot_order(pc, config->boot_once ? config->boot_once : config->boot_order);
    ide_write_cmos(set_byte, pc->rtc);
}
