/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/intc/apic-wire.h"

#include <gio/gio.h>

const VMStateField apic_wire_fields[] = {
    VMSTATE_UINT32(apicbase, APICWire),
    VMSTATE_UINT8(id, APICWire),
    VMSTATE_UINT8(arb_id, APICWire),
    VMSTATE_UINT8(tpr, APICWire),
    VMSTATE_UINT32(spurious_vec, APICWire),
    VMSTATE_UINT8(log_dest, APICWire),
    VMSTATE_UINT8(dest_mode, APICWire),
    VMSTATE_UINT32_ARRAY(isr, APICWire, 8),
    VMSTATE_UINT32_ARRAY(tmr, APICWire, 8),
    VMSTATE_UINT32_ARRAY(irr, APICWire, 8),
    VMSTATE_UINT32_ARRAY(lvt, APICWire, 6),
    VMSTATE_UINT32(esr, APICWire),
    VMSTATE_UINT32_ARRAY(icr, APICWire, 2),
    VMSTATE_UINT32(divide_conf, APICWire),
    VMSTATE_INT32(count_shift, APICWire),
    VMSTATE_UINT32(initial_count, APICWire),
    VMSTATE_INT64(initial_count_load_time, APICWire),
    VMSTATE_INT64(next_time, APICWire),
    VMSTATE_INT64(timer_expiry, APICWire),
    VMSTATE_END_OF_LIST(),
};

static bool sipi_needed(void *opaque)
{
    return ((const APICWire *)opaque)->wait_for_sipi != 0;
}

static const VMStateDescription vmstate_apic_sipi = {
    .name = "apic_sipi",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = sipi_needed,
    .fields =
        (const VMStateField[]){
            VMSTATE_INT32(sipi_vector, APICWire),
            VMSTATE_INT32(wait_for_sipi, APICWire),
            VMSTATE_END_OF_LIST(),
        },
};

const VMStateDescription *const apic_wire_subsections[] = {&vmstate_apic_sipi, NULL};

unsigned apic_wire_shift(uint32_t divide)
{
    return (((divide & 3) | (divide >> 1 & 4)) + 1) & 7;
}

uint32_t apic_wire_count(const APICWire *wire, int64_t now)
{
    const uint32_t periodic = 1u << 17; /* of the timer's entry, the first */
    uint64_t counted = (uint64_t)MAX(now - wire->initial_count_load_time, 0) >>
                       apic_wire_shift(wire->divide_conf);

    if (wire->lvt[0] & periodic && wire->initial_count) {
        counted %= wire->initial_count;
    }
    return counted >= wire->initial_count ? 0 : wire->initial_count - (uint32_t)counted;
}

uint8_t apic_wire_priority(const APICWire *wire)
{
    unsigned serving = 0;

    for (unsigned vector = 0; vector < 256; vector++) {
        if (wire->isr[vector / 32] >> vector % 32 & 1) {
            serving = vector & 0xf0;
        }
    }
    return (uint8_t)((wire->tpr & 0xf0u) >= serving ? wire->tpr : serving);
}

bool apic_wire_check(const APICWire *wire, GError **error)
{
    if (wire->initial_count_load_time < 0 || wire->timer_expiry < -1) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                    "the local APIC's timer has a time before the machine's start: the "
                    "stream is broken");
        return false;
    }
    return true;
}
