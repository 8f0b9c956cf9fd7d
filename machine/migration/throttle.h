/*
 * Throttle: lets the guest run a part of the time only, so that a migration overtakes its
 * writing (auto-converge). Machine lock.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_MIGRATION_THROTTLE_H
#define MACHINE_MIGRATION_THROTTLE_H

/* Takes `percent` (0..99) of the vCPUs' time away. 0: none any more. */
void migration_throttle_set(unsigned percent);
unsigned migration_throttle_percent(void);

#endif
