/*
 * IDE's part of migration streams: channels and drives, in QEMU's sections and fields.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_IDE_IDE_VMSTATE_H
#define HW_IDE_IDE_VMSTATE_H

#include "hw/core/vmstate.h"
#include "hw/ide/ide-bus.h"

/* A place for a drive: streams have a state of those that are empty, too. */
typedef struct IDEPlace {
    IDEBus *bus;
    unsigned unit;
} IDEPlace;

extern const VMStateDescription vmstate_ide_bus;   /* of an IDEBus */
extern const VMStateDescription vmstate_ide_drive; /* of an IDEPlace */

#define VMSTATE_IDE_DRIVES(member, Struct, name)                                         \
    VMSTATE_STRUCT_ARRAY_AS(member, Struct, name, 2, 3, vmstate_ide_drive, IDEPlace)

#endif
