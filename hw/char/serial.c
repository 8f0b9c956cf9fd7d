/*
 * 16550A UART (National Semiconductor PC16550D data sheet).
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/char/serial-internal.h"

static unsigned capacity(const Serial *serial)
{
    return serial_fifos_on(serial) ? SERIAL_FIFO_SIZE : 1;
}

static unsigned trigger_level(const Serial *serial)
{
    static const uint8_t levels[] = {1, 4, 8, 14};

    return serial_fifos_on(serial) ? levels[serial->fcr >> 6] : 1;
}

/* -- Interrupts ------------------------------------------------------------------------
 */

/* The most urgent cause that is enabled (table IV of the data sheet). */
uint8_t serial_interrupt_cause(const Serial *serial)
{
    if (serial->ier & IER_LINE_STATUS && serial->lsr & LSR_ERRORS) {
        return IIR_LINE_STATUS;
    }
    if (serial->ier & IER_RECEIVE && serial->count >= trigger_level(serial)) {
        return IIR_RECEIVE;
    }
    if (serial->ier & IER_RECEIVE && serial->timeout_pending) {
        return IIR_TIMEOUT;
    }
    if (serial->ier & IER_TRANSMIT && serial->thr_empty_pending) {
        return IIR_TRANSMIT;
    }
    if (serial->ier & IER_MODEM_STATUS && serial->msr & ~MSR_LINES) {
        return IIR_MODEM_STATUS;
    }
    return IIR_NONE;
}

void serial_update_irq(Serial *serial)
{
    irq_set(serial->irq, serial_interrupt_cause(serial) != IIR_NONE);
}

/* -- Receiver --------------------------------------------------------------------------
 */

/* Four characters' time: start bit, 5-8 data bits, parity, 1-2 stop bits. */
static int64_t timeout_ns(const Serial *serial)
{
    unsigned bits =
        1 + 5 + (serial->lcr & 3) + !!(serial->lcr & 8) + 1 + !!(serial->lcr & 4);
    unsigned divisor = MAX(serial->divisor, 1);

    return NANOSECONDS_PER_SECOND * 4 * bits * divisor / serial->baudbase;
}

static void rearm_timeout(Serial *serial)
{
    serial->timeout_pending = false;
    if (serial_fifos_on(serial) && serial->count) {
        timer_mod(&serial->timeout, clock_virtual_ns() + timeout_ns(serial));
    } else {
        timer_del(&serial->timeout);
    }
}

static void timeout_expired(void *opaque)
{
    Serial *serial = opaque;

    serial->timeout_pending = serial->count > 0;
    serial_update_irq(serial);
}

/* A byte's errors show in LSR when it comes to the top of the FIFO. */
static void show_errors_of_top(Serial *serial)
{
    if (serial->count) {
        serial->lsr |= serial->errors[serial->first];
    }
}

static void clear_receiver(Serial *serial)
{
    serial->first = serial->count = 0;
    serial->lsr &= ~LSR_ERRORS;
    rearm_timeout(serial);
}

static void receive_byte(Serial *serial, uint8_t byte, uint8_t errors)
{
    if (serial->count == capacity(serial)) {
        serial->lsr |= LSR_OVERRUN;
        if (serial_fifos_on(serial)) {
            serial_update_irq(serial);
            return; /* the FIFO keeps the old ones; a lone RBR takes the new one */
        }
        serial->count = 0;
    }

    unsigned slot = (serial->first + serial->count++) % SERIAL_FIFO_SIZE;

    serial->fifo[slot] = byte;
    serial->errors[slot] = errors;
    if (serial->count == 1) {
        show_errors_of_top(serial);
    }
    rearm_timeout(serial);
    serial_update_irq(serial);
}

static uint8_t read_byte(Serial *serial)
{
    uint8_t byte = serial->fifo[serial->first];

    if (serial->count == 0) {
        return 0;
    }
    serial->first = (serial->first + 1) % SERIAL_FIFO_SIZE;
    serial->count--;
    show_errors_of_top(serial);
    rearm_timeout(serial);
    serial_update_irq(serial);
    char_frontend_accept_input(&serial->chardev);
    return byte;
}

static int chardev_can_receive(void *opaque)
{
    Serial *serial = opaque;

    return capacity(serial) - serial->count;
}

static void chardev_receive(void *opaque, const uint8_t *buffer, size_t length)
{
    Serial *serial = opaque;

    if (serial->mcr & MCR_LOOPBACK) {
        return; /* the input pin is disconnected */
    }
    for (size_t i = 0; i < length; i++) {
        receive_byte(serial, buffer[i], 0);
    }
}

static void chardev_event(void *opaque, CharEvent event)
{
    if (event == CHAR_EVENT_BREAK) {
        receive_byte(opaque, 0, LSR_BREAK);
    }
}

/* -- Transmitter and modem lines -------------------------------------------------------
 */

static void transmit(Serial *serial, uint8_t byte)
{
    if (serial->mcr & MCR_LOOPBACK) {
        receive_byte(serial, byte, 0);
    } else {
        char_frontend_write(&serial->chardev, &byte, 1);
    }
    serial->thr_empty_pending = true;
    serial_update_irq(serial);
}

/* Looped back, the inputs are the outputs; otherwise there is always somebody ready. */
static uint8_t modem_lines(const Serial *serial)
{
    uint8_t mcr = serial->mcr;

    if (!(mcr & MCR_LOOPBACK)) {
        return MSR_DCD | MSR_DSR | MSR_CTS;
    }
    return (mcr & MCR_RTS ? MSR_CTS : 0) | (mcr & MCR_DTR ? MSR_DSR : 0) |
           (mcr & MCR_OUT1 ? MSR_RI : 0) | (mcr & MCR_OUT2 ? MSR_DCD : 0);
}

static void update_modem_lines(Serial *serial)
{
    uint8_t lines = modem_lines(serial);
    uint8_t changes = (lines ^ serial->msr) >> 4;

    if (lines & MSR_RI) {
        changes &= ~MSR_RI_FELL; /* only RI's trailing edge counts */
    }
    serial->msr = lines | (serial->msr & ~MSR_LINES) | changes;
    serial_update_irq(serial);
}

/* -- Registers -------------------------------------------------------------------------
 */

static void write_fcr(Serial *serial, uint8_t value)
{
    if ((value ^ serial->fcr) & FCR_ENABLE || value & FCR_CLEAR_RECEIVER) {
        clear_receiver(serial);
    }
    /* The other bits are only taken together with the enable. */
    serial->fcr =
        value & FCR_ENABLE ? value & (FCR_ENABLE | FCR_DMA_MODE | FCR_TRIGGER) : 0;
    serial_update_irq(serial);
    char_frontend_accept_input(&serial->chardev);
}

static void serial_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    Serial *serial = opaque;
    bool divisor_latch = serial->lcr & LCR_DIVISOR_LATCH;

    switch (offset) {
    case 0:
        if (divisor_latch) {
            serial->divisor = (serial->divisor & 0xff00) | (value & 0xff);
        } else {
            transmit(serial, value);
        }
        break;
    case 1:
        if (divisor_latch) {
            serial->divisor = (serial->divisor & 0x00ff) | (value & 0xff) << 8;
            break;
        }
        /* The transmitter is empty: enabling its interrupt raises it. */
        if (value & ~serial->ier & IER_TRANSMIT) {
            serial->thr_empty_pending = true;
        }
        serial->ier = value & 0x0f;
        serial_update_irq(serial);
        break;
    case 2:
        write_fcr(serial, value);
        break;
    case 3:
        serial->lcr = value;
        break;
    case 4:
        serial->mcr = value & 0x1f;
        update_modem_lines(serial);
        break;
    case 7:
        serial->scr = value;
        break;
    default: /* LSR and MSR are read-only */
        break;
    }
}

static uint8_t read_iir(Serial *serial)
{
    uint8_t cause = serial_interrupt_cause(serial);

    if (cause == IIR_TRANSMIT) {
        serial->thr_empty_pending = false;
        serial_update_irq(serial);
    }
    return cause | (serial_fifos_on(serial) ? IIR_FIFOS : 0);
}

static uint8_t read_lsr(Serial *serial)
{
    uint8_t value =
        serial->lsr | LSR_TRANSMITTER_EMPTY | (serial->count ? LSR_DATA_READY : 0);

    for (unsigned i = 0; serial_fifos_on(serial) && i < serial->count; i++) {
        if (serial->errors[(serial->first + i) % SERIAL_FIFO_SIZE]) {
            value |= LSR_ERROR_IN_FIFO;
        }
    }
    serial->lsr &= ~LSR_ERRORS;
    serial_update_irq(serial);
    return value;
}

static uint8_t read_msr(Serial *serial)
{
    uint8_t value = serial->msr;

    serial->msr &= MSR_LINES;
    serial_update_irq(serial);
    return value;
}

static uint64_t serial_read(void *opaque, hwaddr offset, unsigned size)
{
    Serial *serial = opaque;
    bool divisor_latch = serial->lcr & LCR_DIVISOR_LATCH;

    switch (offset) {
    case 0:
        return divisor_latch ? serial->divisor & 0xff : read_byte(serial);
    case 1:
        return divisor_latch ? serial->divisor >> 8 : serial->ier;
    case 2:
        return read_iir(serial);
    case 3:
        return serial->lcr;
    case 4:
        return serial->mcr;
    case 5:
        return read_lsr(serial);
    case 6:
        return read_msr(serial);
    default:
        return serial->scr;
    }
}

static const MemoryRegionOps serial_ops = {
    .read = serial_read,
    .write = serial_write,
    .impl = {.min_access_size = 1, .max_access_size = 1},
};

void serial_init(Serial *serial, GObject *owner, uint32_t baudbase)
{
    serial->baudbase = MAX(baudbase, 1);
    serial->chardev.can_receive = chardev_can_receive;
    serial->chardev.receive = chardev_receive;
    serial->chardev.event = chardev_event;
    serial->chardev.opaque = serial;
    serial->chardev.may_change = true;
    timer_init(&serial->timeout, CLOCK_KIND_VIRTUAL, timeout_expired, serial);
    memory_region_init_io(&serial->io, owner, &serial_ops, serial, "serial",
                          SERIAL_PORTS);
}

void serial_reset(Serial *serial)
{
    serial->ier = serial->lcr = serial->scr = serial->fcr = 0;
    serial->mcr = MCR_OUT2; /* as QEMU has it; the chip's is 0 */
    serial->divisor = 12;   /* 9600 baud */
    serial->lsr = 0;
    serial->msr = modem_lines(serial);
    serial->thr_empty_pending = false;
    clear_receiver(serial);
    serial_update_irq(serial);
}
