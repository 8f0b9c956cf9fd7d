/*
 * The UART in a migration stream.
 *
 * QEMU's transmitter may wait for its chardev; what it still holds when it arrives here
 * is sent at once. Which bytes of the FIFO came with an error is not in its streams.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <gio/gio.h>
#include <string.h>

#include "hw/char/serial-internal.h"

#define IIR_CAUSE 0x0f

/* QEMU's ring of bytes. */
typedef struct WireFIFO {
    uint8_t *data; /* bytes */
    uint32_t capacity;
    uint32_t head, num;
    uint8_t bytes[SERIAL_FIFO_SIZE];
} WireFIFO;

typedef struct WireSerial {
    uint16_t divider;
    uint8_t rbr, ier, iir, lcr, mcr, lsr, msr, scr, fcr;
    bool has_thr_ipending; /* the stream says; else IIR does */
    int32_t thr_ipending;
    uint32_t tsr_retry;
    uint8_t thr, tsr;
    WireFIFO recv_fifo, xmit_fifo;
    int64_t fifo_timeout, modem_status_poll; /* virtual ns; -1: not pending */
    int32_t timeout_ipending, poll_msl;
} WireSerial;

static void serial_to_wire(void *opaque, void *data)
{
    const Serial *serial = opaque;
    WireSerial *wire = data;
    uint8_t cause = serial_interrupt_cause(serial);

    *wire = (WireSerial){
        .divider = serial->divisor,
        .rbr = serial->fifo[serial->first],
        .ier = serial->ier,
        .iir = cause | (serial_fifos_on(serial) ? IIR_FIFOS : 0),
        .lcr = serial->lcr,
        .mcr = serial->mcr,
        .lsr = serial->lsr | LSR_TRANSMITTER_EMPTY | (serial->count ? LSR_DATA_READY : 0),
        .msr = serial->msr,
        .scr = serial->scr,
        .fcr = serial->fcr,
        .thr_ipending = serial->thr_empty_pending,
        .fifo_timeout = timer_pending(&serial->timeout) ? serial->timeout.expires : -1,
        .modem_status_poll = -1,
        .timeout_ipending = serial->timeout_pending,
        .poll_msl = -1,
    };
    wire->recv_fifo.data = wire->recv_fifo.bytes;
    wire->xmit_fifo.data = wire->xmit_fifo.bytes;
    wire->recv_fifo.capacity = wire->xmit_fifo.capacity = SERIAL_FIFO_SIZE;
    if (serial_fifos_on(serial)) {
        wire->recv_fifo.num = serial->count;
        for (unsigned i = 0; i < serial->count; i++) {
            wire->recv_fifo.data[i] =
                serial->fifo[(serial->first + i) % SERIAL_FIFO_SIZE];
        }
    }
}

static bool fifo_is_sane(const WireFIFO *fifo)
{
    return fifo->num <= SERIAL_FIFO_SIZE && fifo->head < SERIAL_FIFO_SIZE;
}

static void receiver_from_wire(Serial *serial, const WireSerial *wire)
{
    const WireFIFO *fifo = &wire->recv_fifo;

    memset(serial->errors, 0, sizeof(serial->errors));
    serial->first = 0;
    if (serial_fifos_on(serial)) {
        serial->count = fifo->num;
        for (unsigned i = 0; i < fifo->num; i++) {
            serial->fifo[i] = fifo->data[(fifo->head + i) % SERIAL_FIFO_SIZE];
        }
    } else {
        serial->count = wire->lsr & LSR_DATA_READY;
        serial->fifo[0] = wire->rbr;
    }
}

static void send_what_waits(Serial *serial, const WireSerial *wire)
{
    const WireFIFO *fifo = &wire->xmit_fifo;

    if (!wire->tsr_retry || wire->mcr & MCR_LOOPBACK) {
        return;
    }
    char_frontend_write(&serial->chardev, &wire->tsr, 1);
    for (unsigned i = 0; i < fifo->num; i++) {
        char_frontend_write(&serial->chardev,
                            &fifo->data[(fifo->head + i) % SERIAL_FIFO_SIZE], 1);
    }
    if (!serial_fifos_on(serial) && !(wire->lsr & LSR_THR_EMPTY)) {
        char_frontend_write(&serial->chardev, &wire->thr, 1);
    }
}

/* Its line stays: the interrupt controllers know how high it is. */
static bool serial_from_wire(void *opaque, void *data, int version_id, GError **error)
{
    Serial *serial = opaque;
    const WireSerial *wire = data;

    if (!fifo_is_sane(&wire->recv_fifo) || !fifo_is_sane(&wire->xmit_fifo)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                    "a 16550A's FIFOs have %d bytes: the stream is broken",
                    SERIAL_FIFO_SIZE);
        return false;
    }
    serial->divisor = wire->divider;
    serial->ier = wire->ier & 0x0f;
    serial->lcr = wire->lcr;
    serial->mcr = wire->mcr & 0x1f;
    serial->lsr = wire->lsr & LSR_ERRORS;
    serial->msr = wire->msr;
    serial->scr = wire->scr;
    serial->fcr = version_id < 3 ? 0 : wire->fcr & FCR_ENABLE ? wire->fcr & FCR_KEPT : 0;
    serial->thr_empty_pending = wire->has_thr_ipending
                                    ? wire->thr_ipending != 0
                                    : (wire->iir & IIR_CAUSE) == IIR_TRANSMIT;
    receiver_from_wire(serial, wire);
    serial->timeout_pending = wire->timeout_ipending && serial->count;
    if (wire->fifo_timeout >= 0 && serial->count) {
        timer_mod(&serial->timeout, wire->fifo_timeout);
    } else {
        timer_del(&serial->timeout);
    }
    send_what_waits(serial, wire);
    if (wire->tsr_retry) { /* and the transmitter is empty, which the guest waits for */
        serial->thr_empty_pending = true;
    }
    char_frontend_accept_input(&serial->chardev);
    return true;
}

/* -- The tables ---------------------------------------------------------------------- */

static const VMStateDescription vmstate_fifo = {
    .name = "Fifo8",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields =
        (const VMStateField[]){
            VMSTATE_VBUFFER_UINT32(data, WireFIFO, 1, NULL, capacity),
            VMSTATE_UINT32(head, WireFIFO),
            VMSTATE_UINT32(num, WireFIFO),
            VMSTATE_END_OF_LIST(),
        },
};

/* Only while its interrupt is enabled, and where IIR does not tell. */
static bool thr_ipending_needed(void *opaque)
{
    const WireSerial *wire = opaque;

    return wire->ier & IER_TRANSMIT &&
           wire->thr_ipending != ((wire->iir & IIR_CAUSE) == IIR_TRANSMIT);
}

static bool thr_ipending_post_load(void *opaque, int version_id, GError **error)
{
    ((WireSerial *)opaque)->has_thr_ipending = true;
    return true;
}

static const VMStateDescription vmstate_thr_ipending = {
    .name = "serial/thr_ipending",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = thr_ipending_needed,
    .post_load = thr_ipending_post_load,
    .fields = (const VMStateField[]){VMSTATE_INT32(thr_ipending, WireSerial),
                                     VMSTATE_END_OF_LIST()},
};

static bool never(void *opaque)
{
    return false;
}

static const VMStateDescription vmstate_tsr = {
    .name = "serial/tsr",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = never,
    .fields =
        (const VMStateField[]){
            VMSTATE_UINT32(tsr_retry, WireSerial),
            VMSTATE_UINT8(thr, WireSerial),
            VMSTATE_UINT8(tsr, WireSerial),
            VMSTATE_END_OF_LIST(),
        },
};

static bool recv_fifo_needed(void *opaque)
{
    return ((WireSerial *)opaque)->recv_fifo.num != 0;
}

static const VMStateDescription vmstate_recv_fifo = {
    .name = "serial/recv_fifo",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = recv_fifo_needed,
    .fields =
        (const VMStateField[]){
            VMSTATE_STRUCT(recv_fifo, WireSerial, 1, vmstate_fifo, WireFIFO),
            VMSTATE_END_OF_LIST(),
        },
};

static const VMStateDescription vmstate_xmit_fifo = {
    .name = "serial/xmit_fifo",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = never,
    .fields =
        (const VMStateField[]){
            VMSTATE_STRUCT(xmit_fifo, WireSerial, 1, vmstate_fifo, WireFIFO),
            VMSTATE_END_OF_LIST(),
        },
};

static bool fifo_timeout_needed(void *opaque)
{
    return ((WireSerial *)opaque)->fifo_timeout >= 0;
}

static const VMStateDescription vmstate_fifo_timeout_timer = {
    .name = "serial/fifo_timeout_timer",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = fifo_timeout_needed,
    .fields =
        (const VMStateField[]){
            VMSTATE_DEADLINE(fifo_timeout, WireSerial, "fifo_timeout_timer", 0),
            VMSTATE_END_OF_LIST(),
        },
};

static bool timeout_ipending_needed(void *opaque)
{
    return ((WireSerial *)opaque)->timeout_ipending != 0;
}

static const VMStateDescription vmstate_timeout_ipending = {
    .name = "serial/timeout_ipending",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = timeout_ipending_needed,
    .fields = (const VMStateField[]){VMSTATE_INT32(timeout_ipending, WireSerial),
                                     VMSTATE_END_OF_LIST()},
};

/* QEMU polls the modem lines of a real port. */
static const VMStateDescription vmstate_poll = {
    .name = "serial/poll",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = never,
    .fields =
        (const VMStateField[]){
            VMSTATE_INT32(poll_msl, WireSerial),
            VMSTATE_DEADLINE(modem_status_poll, WireSerial, "modem_status_poll", 0),
            VMSTATE_END_OF_LIST(),
        },
};

/* What is in subsections has these values without them. */
static void serial_pre_load(void *opaque)
{
    Serial *serial = opaque;

    serial->first = serial->count = 0;
    serial->timeout_pending = false;
    timer_del(&serial->timeout);
}

const VMStateDescription vmstate_serial = {
    .name = "serial",
    .version_id = 3,
    .minimum_version_id = 2,
    .pre_load = serial_pre_load,
    .wire_size = sizeof(WireSerial),
    .to_wire = serial_to_wire,
    .from_wire = serial_from_wire,
    .fields =
        (const VMStateField[]){
            VMSTATE_AS_V(divider, WireSerial, "divider", uint16, 2),
            VMSTATE_UINT8(rbr, WireSerial),
            VMSTATE_UINT8(ier, WireSerial),
            VMSTATE_UINT8(iir, WireSerial),
            VMSTATE_UINT8(lcr, WireSerial),
            VMSTATE_UINT8(mcr, WireSerial),
            VMSTATE_UINT8(lsr, WireSerial),
            VMSTATE_UINT8(msr, WireSerial),
            VMSTATE_UINT8(scr, WireSerial),
            VMSTATE_AS_V(fcr, WireSerial, "fcr_vmstate", uint8, 3),
            VMSTATE_END_OF_LIST(),
        },
    .subsections =
        (const VMStateDescription *const[]){
            &vmstate_thr_ipending, &vmstate_tsr, &vmstate_recv_fifo, &vmstate_xmit_fifo,
            &vmstate_fifo_timeout_timer, &vmstate_timeout_ipending, &vmstate_poll, NULL},
};
