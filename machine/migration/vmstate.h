/*
 * The VMState engine: what follows the tables of hw/core/vmstate.h.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_MIGRATION_VMSTATE_H
#define MACHINE_MIGRATION_VMSTATE_H

#include "hw/core/vmstate.h"
#include "machine/migration/json-text.h"

/* Whether a section of vmsd with that state is in the stream at all. */
bool vmstate_is_needed(const VMStateDescription *vmsd, void *opaque);

/*
 * Writes the state at opaque in version vmsd->version_id: the inside of a section,
 * without header and footer. Where `description` is given, members "vmsd_name",
 * "version", "fields" and, where there are any, "subsections" are added to the JSON
 * object that is open in it. False when the wire has failed.
 */
bool vmstate_save(Wire *wire, const VMStateDescription *vmsd, void *opaque,
                  JsonText *description);

/*
 * Reads what version version_id of vmsd wrote into the state at opaque. A version or a
 * value that does not fit is a failure of the wire, whose message names the table and the
 * field; the state is then neither the old nor the new one, so the machine must not run.
 * False when the wire has failed.
 */
bool vmstate_load(Wire *wire, const VMStateDescription *vmsd, void *opaque,
                  int version_id);

/*
 * `-dump-vmstate`: the tables of all known device types as JSON in QEMU's schema, for
 * QEMU's vmstate-static-checker. `machine_type` is the name of the type. False and *error
 * when the file cannot be written.
 */
bool vmstate_dump(const char *filename, const char *machine_type, GError **error);

#endif
