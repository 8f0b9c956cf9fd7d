/*
 * What the files of the differentiated system description share.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef FIRMWARE_ACPI_DSDT_INTERNAL_H
#define FIRMWARE_ACPI_DSDT_INTERNAL_H

#include "firmware/acpi/aml.h"
#include "firmware/acpi/tables.h"

#define ACPI_HEADER_SIZE 36

/* Notify values (ACPI 2.0, section 5.6.3). */
enum { NOTIFY_DEVICE_CHECK = 1, NOTIFY_EJECT = 3 };

/* If (condition of Arg0 and `operand`) { Notify (target, Arg1) } */
void acpi_append_notify_if(GByteArray *aml, unsigned opcode, uint32_t operand,
                           const char *target);

/* The processors, the device of their registers and their event, GPE 2. */
void acpi_processors_append(const ACPIFacts *facts, GByteArray *aml);

#endif
