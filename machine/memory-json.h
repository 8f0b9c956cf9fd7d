/*
 * Memory maps and explanations as JSON, the same for QMP and the command line.
 *
 * Guest addresses, sizes and offsets are strings in hexadecimal ("0xfffc0000"): 2^64 and
 * what is near it is in every map, and a JSON number does not hold that everywhere.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_MEMORY_JSON_H
#define MACHINE_MEMORY_JSON_H

#include <json-glib/json-glib.h>

#include "memory/explain.h"

JsonNode *memory_json_explanation(const Explanation *explanation);

/*
 * All address spaces of the process: "spaces" says which "views" (what the guest meets,
 * as ranges) and which "trees" (the regions) each of them has; several may share one.
 * `machine` names the machine type and may be NULL.
 */
JsonNode *memory_json_snapshot(const char *machine);

/* What a snapshot says in its member "umbra-mtree": the version of its form. */
#define MEMORY_JSON_VERSION 1

#endif
