/*
 * 16550A UART: the core that the ISA port has and other buses can have.
 *
 * Characters take no time: what is written to the transmitter is with the host at once.
 * Machine lock for all of it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_CHAR_SERIAL_H
#define HW_CHAR_SERIAL_H

#include "hw/char/chardev.h"
#include "hw/core/clock.h"
#include "hw/core/vmstate.h"
#include "hw/isa/isa-bus.h"

#define SERIAL_FIFO_SIZE 16
#define SERIAL_PORTS 8
#define SERIAL_ISA_MAX 4

typedef struct Serial {
    MemoryRegion io; /* SERIAL_PORTS bytes, "serial" */
    IRQ *irq;
    CharFrontend chardev;
    uint32_t baudbase;

    uint8_t ier, lcr, mcr, lsr, msr, scr, fcr;
    uint16_t divisor;
    uint8_t fifo[SERIAL_FIFO_SIZE];
    unsigned first, count;            /* without FIFO mode one byte is used: the RBR */
    uint8_t errors[SERIAL_FIFO_SIZE]; /* LSR bits of each byte in the FIFO */
    bool thr_empty_pending;           /* THRE interrupt not yet seen through IIR */
    bool timeout_pending; /* character timeout: bytes wait below the trigger level */
    Timer timeout;
} Serial;

/* Makes the UART's region and timer; the owner keeps `serial` and shows the region. */
void serial_init(Serial *serial, GObject *owner, uint32_t baudbase);
void serial_reset(Serial *serial);

/* Its state in a stream: hw/char/serial-vmstate.c. */
extern const VMStateDescription vmstate_serial;

GType isa_serial_get_type(void);
#define TYPE_ISA_SERIAL (isa_serial_get_type())

/* COM1..COM4 are index 0..3, at QEMU's ports and IRQs; chardev may be NULL. */
Device *isa_serial_new(ISABus *bus, unsigned index, Chardev *chardev, GError **error);
/* One for each of the first `count` that is not NULL. */
bool isa_serial_new_each(ISABus *bus, Chardev *const *chardevs, unsigned count,
                         GError **error);

#endif
