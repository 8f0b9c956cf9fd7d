/*
 * What the monitors share about disk drives.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_MONITOR_QMP_BLOCK_H
#define MACHINE_MONITOR_QMP_BLOCK_H

#include "hw/block/block.h"

/* From now on QMP's peers hear of trays that move and of I/O errors. */
void qmp_block_listen(void);

/* The id of the device that has the drive, or its path; NULL: no device has it. */
const char *block_drive_device_name(BlockBackend *drive);

#endif
