/*
 * 8042 keyboard controller of the PC/AT and PS/2 (IBM PS/2 Hardware Interface Technical
 * Reference, "Keyboard and Auxiliary Device Controller").
 *
 * It has one output buffer. While that is full the devices keep their bytes; commands'
 * answers wait in a queue of their own and go first.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/input/pckbd.h"

#include "hw/core/system.h"
#include "hw/core/vmstate.h"
#include "hw/input/keys.h"
#include "hw/input/ps2.h"

enum {
    STATUS_OUTPUT_FULL = 0x01,
    STATUS_SYSTEM = 0x04,
    STATUS_COMMAND = 0x08, /* the last write was to port 0x64 */
    STATUS_UNLOCKED = 0x10,
    STATUS_AUX = 0x20, /* the output buffer's byte is the mouse's */
};

/* The command byte. */
enum {
    MODE_KEYBOARD_IRQ = 0x01,
    MODE_MOUSE_IRQ = 0x02,
    MODE_SYSTEM = 0x04,
    MODE_KEYBOARD_OFF = 0x10,
    MODE_MOUSE_OFF = 0x20,
    MODE_TRANSLATE = 0x40, /* scan codes of set 2 to set 1 */
};

/* The output port. */
enum {
    OUTPORT_NOT_RESET = 0x01,
    OUTPORT_A20 = 0x02,
    OUTPORT_KEYBOARD_IRQ = 0x10,
    OUTPORT_MOUSE_IRQ = 0x20,
    OUTPORT_ONES = 0xcc,
};

#define REPLIES 4

/* Who has filled the output buffer; as in migration streams. */
enum { SOURCE_KEYBOARD = 1, SOURCE_MOUSE = 2, SOURCE_CONTROLLER = 4 };

typedef struct I8042 {
    ISADevice parent;
    bool extended_state; /* migration streams tell replies from the devices' bytes */
    bool kbd_throttle;
    uint8_t kbd_irq, mouse_irq;
    MemoryRegion data_io, command_io;
    IRQ *irqs[2]; /* the keyboard's, the mouse's */
    IRQ *a20;
    PS2Keyboard *keyboard;
    PS2Mouse *mouse;

    uint8_t status, mode, outport;
    uint8_t data;            /* the output buffer */
    uint8_t source;          /* who filled it last */
    uint8_t pending_command; /* its argument comes by port 0x60; 0: none */
    bool break_pending;      /* translation has seen 0xf0 */
    struct {
        uint8_t data;
        bool aux;
    } replies[REPLIES];
    unsigned reply_count;
    uint8_t ram[32]; /* commands 0x20-0x3f and 0x60-0x7f; byte 0 is `mode` */
} I8042;

/* -- The output buffer --------------------------------------------------------------- */

static void update_irqs(I8042 *kbc)
{
    bool full = kbc->status & STATUS_OUTPUT_FULL, aux = kbc->status & STATUS_AUX;

    irq_set(kbc->irqs[0], full && !aux && kbc->mode & MODE_KEYBOARD_IRQ);
    irq_set(kbc->irqs[1], full && aux && kbc->mode & MODE_MOUSE_IRQ);
}

static void put(I8042 *kbc, uint8_t data, bool aux, uint8_t source)
{
    PS2Device *ps2 = aux ? &kbc->mouse->ps2 : &kbc->keyboard->ps2;

    /* To a stream without the extended state, replies come from the devices. */
    if (source != SOURCE_CONTROLLER || !kbc->extended_state) {
        ps2->held = true;
        ps2->held_byte = data;
    }
    kbc->data = data;
    kbc->source = source;
    kbc->status |= STATUS_OUTPUT_FULL;
    kbc->status = aux ? kbc->status | STATUS_AUX : kbc->status & ~STATUS_AUX;
}

static void empty(I8042 *kbc)
{
    kbc->status &= ~(STATUS_OUTPUT_FULL | STATUS_AUX);
    kbc->keyboard->ps2.held = kbc->mouse->ps2.held = false;
}

/* Takes one byte from the keyboard; a break prefix becomes bit 7 of the byte after it. */
static void take_from_keyboard(I8042 *kbc)
{
    /* Taking a byte moves the keyboard's pin, which asks for a refill: say it is full. */
    kbc->status |= STATUS_OUTPUT_FULL;

    uint8_t data = ps2_read(&kbc->keyboard->ps2);

    if (kbc->mode & MODE_TRANSLATE) {
        if (data == 0xf0) {
            kbc->break_pending = true;
            kbc->status &= ~STATUS_OUTPUT_FULL;
            return;
        }
        data = input_key_set2_to_set1(data) | (kbc->break_pending ? 0x80 : 0);
        kbc->break_pending = false;
    }
    put(kbc, data, false, SOURCE_KEYBOARD);
}

static void take_from_mouse(I8042 *kbc)
{
    kbc->status |= STATUS_OUTPUT_FULL;
    put(kbc, ps2_read(&kbc->mouse->ps2), true, SOURCE_MOUSE);
}

static void refill(I8042 *kbc)
{
    while (!(kbc->status & STATUS_OUTPUT_FULL)) {
        if (kbc->reply_count) {
            put(kbc, kbc->replies[0].data, kbc->replies[0].aux, SOURCE_CONTROLLER);
            kbc->reply_count--;
            for (unsigned i = 0; i < kbc->reply_count; i++) {
                kbc->replies[i] = kbc->replies[i + 1];
            }
        } else if (!(kbc->mode & MODE_KEYBOARD_OFF) &&
                   ps2_has_data(&kbc->keyboard->ps2)) {
            take_from_keyboard(kbc);
        } else if (!(kbc->mode & MODE_MOUSE_OFF) && ps2_has_data(&kbc->mouse->ps2)) {
            take_from_mouse(kbc);
        } else {
            break;
        }
    }
    update_irqs(kbc);
}

static void reply(I8042 *kbc, uint8_t data, bool aux)
{
    if (kbc->reply_count < REPLIES) {
        kbc->replies[kbc->reply_count].data = data;
        kbc->replies[kbc->reply_count++].aux = aux;
    }
    refill(kbc);
}

static void device_ready(void *opaque, int n, int level)
{
    if (level) {
        refill(opaque);
    }
}

/* -- Commands ------------------------------------------------------------------------ */

static void set_mode(I8042 *kbc, uint8_t mode)
{
    kbc->mode = mode;
    kbc->keyboard->ps2.translated = mode & MODE_TRANSLATE;
    kbc->status =
        mode & MODE_SYSTEM ? kbc->status | STATUS_SYSTEM : kbc->status & ~STATUS_SYSTEM;
    refill(kbc);
}

static void reset_the_machine(void)
{
    system_reset_request(SYSTEM_CAUSE_GUEST_RESET, "i8042");
}

static void set_outport(I8042 *kbc, uint8_t value)
{
    kbc->outport = value;
    irq_set(kbc->a20, !!(value & OUTPORT_A20));
    if (!(value & OUTPORT_NOT_RESET)) {
        reset_the_machine();
    }
}

static uint8_t read_outport(const I8042 *kbc)
{
    bool full = kbc->status & STATUS_OUTPUT_FULL, aux = kbc->status & STATUS_AUX;

    return (kbc->outport & ~(OUTPORT_KEYBOARD_IRQ | OUTPORT_MOUSE_IRQ)) |
           (full && !aux ? OUTPORT_KEYBOARD_IRQ : 0) |
           (full && aux ? OUTPORT_MOUSE_IRQ : 0);
}

static void command_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    I8042 *kbc = opaque;
    uint8_t command = value;

    kbc->status |= STATUS_COMMAND;
    kbc->pending_command = 0;
    switch (command) {
    case 0x20:
        reply(kbc, kbc->mode, false);
        break;
    case 0x21 ... 0x3f:
        reply(kbc, kbc->ram[command & 0x1f], false);
        break;
    case 0x60 ... 0x7f: /* write RAM */
    case 0xd1:          /* write output port */
    case 0xd2:          /* as if from the keyboard, from the mouse */
    case 0xd3:
    case 0xd4: /* to the mouse */
        kbc->pending_command = command;
        break;
    case 0xa4: /* is a password installed? no */
        reply(kbc, 0xf1, false);
        break;
    case 0xa7:
        set_mode(kbc, kbc->mode | MODE_MOUSE_OFF);
        break;
    case 0xa8:
        set_mode(kbc, kbc->mode & ~MODE_MOUSE_OFF);
        break;
    case 0xa9: /* test the mouse's and the keyboard's lines: no error */
    case 0xab:
        reply(kbc, 0x00, false);
        break;
    case 0xaa: /* self test */
        set_mode(kbc, kbc->mode | MODE_SYSTEM);
        reply(kbc, 0x55, false);
        break;
    case 0xad:
        set_mode(kbc, kbc->mode | MODE_KEYBOARD_OFF);
        break;
    case 0xae:
        set_mode(kbc, kbc->mode & ~MODE_KEYBOARD_OFF);
        break;
    case 0xc0: /* input port: bit 7, the keyboard is not locked */
        reply(kbc, 0x80, false);
        break;
    case 0xd0:
        reply(kbc, read_outport(kbc), false);
        break;
    case 0xdd: /* A20 off and on without the output port's detour, as clones had it */
        set_outport(kbc, kbc->outport & ~OUTPORT_A20);
        break;
    case 0xdf:
        set_outport(kbc, kbc->outport | OUTPORT_A20);
        break;
    case 0xe0: /* test inputs: both clock lines low */
        reply(kbc, 0x00, false);
        break;
    case 0xf0 ... 0xff: /* pulse the output port's lines whose bits are 0 */
        if (!(command & OUTPORT_NOT_RESET)) {
            reset_the_machine();
        }
        break;
    }
}

static void data_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    I8042 *kbc = opaque;
    uint8_t command = kbc->pending_command;

    kbc->status &= ~STATUS_COMMAND;
    kbc->pending_command = 0;
    switch (command) {
    case 0: /* to the keyboard, which is thereby on again, its answer first */
        ps2_keyboard_write(kbc->keyboard, value);
        set_mode(kbc, kbc->mode & ~MODE_KEYBOARD_OFF);
        break;
    case 0x60:
        set_mode(kbc, value);
        break;
    case 0x61 ... 0x7f:
        kbc->ram[command & 0x1f] = value;
        break;
    case 0xd1:
        set_outport(kbc, value);
        break;
    case 0xd2:
    case 0xd3:
        reply(kbc, value, command == 0xd3);
        break;
    case 0xd4:
        ps2_mouse_write(kbc->mouse, value);
        set_mode(kbc, kbc->mode & ~MODE_MOUSE_OFF);
        break;
    }
}

static uint64_t data_read(void *opaque, hwaddr offset, unsigned size)
{
    I8042 *kbc = opaque;
    uint8_t data = kbc->data;

    /* The line falls between two bytes: each makes its own edge. */
    empty(kbc);
    update_irqs(kbc);
    refill(kbc);
    return data;
}

static uint64_t status_read(void *opaque, hwaddr offset, unsigned size)
{
    return ((I8042 *)opaque)->status;
}

static const MemoryRegionOps data_ops = {
    .read = data_read,
    .write = data_write,
    .impl = {.min_access_size = 1, .max_access_size = 1},
};

static const MemoryRegionOps command_ops = {
    .read = status_read,
    .write = command_write,
    .impl = {.min_access_size = 1, .max_access_size = 1},
};

/* -- The device ---------------------------------------------------------------------- */

static void i8042_reset(Device *dev)
{
    I8042 *kbc = (I8042 *)dev;

    empty(kbc);
    kbc->mode = MODE_KEYBOARD_IRQ | MODE_MOUSE_IRQ;
    kbc->keyboard->ps2.translated = false;
    kbc->status = STATUS_COMMAND | STATUS_UNLOCKED;
    kbc->reply_count = 0;
    kbc->pending_command = 0;
    kbc->break_pending = false;
    kbc->data = kbc->source = 0;
    set_outport(kbc, OUTPORT_NOT_RESET | OUTPORT_A20 | OUTPORT_ONES);
    update_irqs(kbc);
}

/* Makes the device at the far end of a cable: `name` is its place below the
 * controller. */
static Device *plug(Device *dev, GType type, const char *name, const char *pin,
                    GError **error)
{
    Device *ps2 = device_new(type, error);

    if (!ps2) {
        return NULL;
    }
    device_set_name(ps2, dev, name);
    device_init_gpio_out(ps2, &((PS2Device *)ps2)->ready, 1);
    device_connect_gpio_out(ps2, 0, device_get_gpio_in_named(dev, pin, 0));
    return device_realize(ps2, NULL, error) ? ps2 : NULL;
}

static bool i8042_realize(Device *dev, GError **error)
{
    I8042 *kbc = (I8042 *)dev;
    ISADevice *isa = ISA_DEVICE(dev);

    device_init_gpio_in_named(dev, device_ready, "ps2-kbd-input-irq", 1);
    device_init_gpio_in_named(dev, device_ready, "ps2-mouse-input-irq", 1);
    device_init_gpio_out(dev, kbc->irqs, 2);
    device_init_gpio_out_named(dev, &kbc->a20, "a20", 1);
    kbc->irqs[0] = isa_device_irq(isa, kbc->kbd_irq);
    kbc->irqs[1] = isa_device_irq(isa, kbc->mouse_irq);

    kbc->keyboard =
        (PS2Keyboard *)plug(dev, TYPE_PS2_KEYBOARD, "ps2kbd", "ps2-kbd-input-irq", error);
    if (!kbc->keyboard) {
        return false;
    }
    kbc->mouse =
        (PS2Mouse *)plug(dev, TYPE_PS2_MOUSE, "ps2mouse", "ps2-mouse-input-irq", error);
    if (!kbc->mouse) {
        return false;
    }

    memory_region_init_io(&kbc->data_io, G_OBJECT(dev), &data_ops, kbc, "i8042-data", 1);
    memory_region_init_io(&kbc->command_io, G_OBJECT(dev), &command_ops, kbc, "i8042-cmd",
                          1);
    isa_register_ioport(isa, &kbc->data_io, 0x60);
    isa_register_ioport(isa, &kbc->command_io, 0x64);
    return true;
}

/* -- Its state in a stream ----------------------------------------------------------- */

/* QEMU leaves a byte with the device that has it until the host reads it, and notes who
 * is next; it keeps one reply of its own. */
enum {
    PENDING_KEYBOARD_COMPAT = 0x01, /* without the extended state */
    PENDING_MOUSE_COMPAT = 0x02,
    PENDING_REPLY = 0x04,
    PENDING_REPLY_AUX = 0x08,
    PENDING_KEYBOARD = 0x10,
    PENDING_MOUSE = 0x20,
};

typedef struct WireI8042 {
    bool sends_extended_state, has_extended_state, has_outport;
    uint8_t write_cmd, status, mode, pending;
    uint8_t outport;
    uint32_t migration_flags, obsrc;
    uint8_t obdata, cbdata;
} WireI8042;

static uint8_t default_outport(uint8_t status)
{
    bool full = status & STATUS_OUTPUT_FULL, aux = status & STATUS_AUX;

    return OUTPORT_NOT_RESET | OUTPORT_A20 | (full && !aux ? OUTPORT_KEYBOARD_IRQ : 0) |
           (full && aux ? OUTPORT_KEYBOARD_IRQ | OUTPORT_MOUSE_IRQ : 0);
}

static void kbc_to_wire(void *opaque, void *data)
{
    const I8042 *kbc = opaque;
    WireI8042 *wire = data;
    bool full = kbc->status & STATUS_OUTPUT_FULL;
    bool reply_in_buffer = full && kbc->source == SOURCE_CONTROLLER;
    bool keyboard = ps2_has_data(&kbc->keyboard->ps2) || kbc->keyboard->ps2.held;
    bool mouse = ps2_has_data(&kbc->mouse->ps2) || kbc->mouse->ps2.held;
    uint8_t irqs = OUTPORT_KEYBOARD_IRQ | OUTPORT_MOUSE_IRQ;

    *wire = (WireI8042){
        .sends_extended_state = kbc->extended_state,
        .write_cmd = kbc->pending_command,
        .status = kbc->status,
        .mode = kbc->mode,
        .outport = (kbc->outport & ~(OUTPORT_ONES | irqs)) |
                   (default_outport(kbc->status) & irqs),
        .obsrc = kbc->source,
        .obdata = kbc->data,
    };
    if (!kbc->extended_state) {
        wire->pending =
            (keyboard ? PENDING_KEYBOARD_COMPAT : 0) | (mouse ? PENDING_MOUSE_COMPAT : 0);
        return;
    }
    wire->pending = (keyboard ? PENDING_KEYBOARD : 0) | (mouse ? PENDING_MOUSE : 0);
    if (reply_in_buffer || kbc->reply_count) {
        bool aux = reply_in_buffer ? kbc->status & STATUS_AUX : kbc->replies[0].aux;

        wire->pending |= aux ? PENDING_REPLY_AUX : PENDING_REPLY;
        wire->cbdata = reply_in_buffer ? kbc->data : kbc->replies[0].data;
    }
}

/* Takes the byte that the host was to read next. */
static void fill_from_wire(I8042 *kbc, const WireI8042 *wire, uint32_t source)
{
    bool aux = wire->status & STATUS_AUX;

    if (source & SOURCE_CONTROLLER) {
        put(kbc, wire->cbdata, wire->pending & PENDING_REPLY_AUX, SOURCE_CONTROLLER);
        kbc->reply_count = 0;
    } else if (source & SOURCE_MOUSE && ps2_has_data(&kbc->mouse->ps2)) {
        take_from_mouse(kbc);
    } else {
        while (source & SOURCE_KEYBOARD && !(kbc->status & STATUS_OUTPUT_FULL) &&
               ps2_has_data(&kbc->keyboard->ps2)) {
            take_from_keyboard(kbc);
        }
    }
    if (!(kbc->status & STATUS_OUTPUT_FULL)) { /* nobody has it: as read last */
        put(kbc, wire->obdata, aux, (uint8_t)source);
    }
}

static void registers_from_wire(I8042 *kbc, const WireI8042 *wire)
{
    bool full = wire->status & STATUS_OUTPUT_FULL;
    uint32_t source = wire->obsrc & 7;

    if (!wire->has_extended_state) {
        source = !full ? 0 : wire->status & STATUS_AUX ? SOURCE_MOUSE : SOURCE_KEYBOARD;
    }
    kbc->pending_command = wire->write_cmd;
    kbc->status = wire->status & ~(STATUS_OUTPUT_FULL | STATUS_AUX);
    kbc->mode = wire->mode;
    kbc->keyboard->ps2.translated = wire->mode & MODE_TRANSLATE;
    /* A pulse of its reset line is past. */
    kbc->outport = OUTPORT_ONES |
                   (wire->has_outport ? wire->outport : default_outport(wire->status));
    irq_set(kbc->a20, !!(kbc->outport & OUTPORT_A20));
    kbc->break_pending = false;
    kbc->data = wire->obdata;
    kbc->source = (uint8_t)source;
    kbc->reply_count = 0;
    if (wire->has_extended_state && wire->pending & (PENDING_REPLY | PENDING_REPLY_AUX)) {
        kbc->replies[0].data = wire->cbdata;
        kbc->replies[0].aux = !(wire->pending & PENDING_REPLY);
        kbc->reply_count = 1;
    }
    if (full) {
        fill_from_wire(kbc, wire, source);
    } else {
        refill(kbc);
    }
}

/* The lines stay, because the interrupt controllers know how high they are; but for a
 * byte that the source had not offered yet. */
static bool kbc_from_wire(void *opaque, void *data, int version_id, GError **error)
{
    I8042 *kbc = opaque;
    const WireI8042 *wire = data;
    IRQ *irqs[2] = {kbc->irqs[0], kbc->irqs[1]};

    kbc->irqs[0] = kbc->irqs[1] = NULL;
    registers_from_wire(kbc, wire);
    kbc->irqs[0] = irqs[0];
    kbc->irqs[1] = irqs[1];
    if (!(wire->status & STATUS_OUTPUT_FULL) && kbc->status & STATUS_OUTPUT_FULL) {
        update_irqs(kbc);
    }
    return true;
}

static bool outport_post_load(void *opaque, int version_id, GError **error)
{
    ((WireI8042 *)opaque)->has_outport = true;
    return true;
}

static bool outport_is_special(void *opaque)
{
    const WireI8042 *wire = opaque;

    return wire->outport != default_outport(wire->status);
}

static const VMStateDescription vmstate_outport = {
    .name = "pckbd_outport",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = outport_is_special,
    .post_load = outport_post_load,
    .fields =
        (const VMStateField[]){
            VMSTATE_UINT8(outport, WireI8042),
            VMSTATE_END_OF_LIST(),
        },
};

static bool sends_extended_state(void *opaque)
{
    return ((WireI8042 *)opaque)->sends_extended_state;
}

static bool extended_state_post_load(void *opaque, int version_id, GError **error)
{
    ((WireI8042 *)opaque)->has_extended_state = true;
    return true;
}

static const VMStateDescription vmstate_extended_state = {
    .name = "pckbd/extended_state",
    .needed = sends_extended_state,
    .post_load = extended_state_post_load,
    .fields =
        (const VMStateField[]){
            VMSTATE_UINT32(migration_flags, WireI8042),
            VMSTATE_UINT32(obsrc, WireI8042),
            VMSTATE_UINT8(obdata, WireI8042),
            VMSTATE_UINT8(cbdata, WireI8042),
            VMSTATE_END_OF_LIST(),
        },
};

static const VMStateDescription vmstate_kbd = {
    .name = "pckbd",
    .version_id = 3,
    .minimum_version_id = 3,
    .wire_size = sizeof(WireI8042),
    .to_wire = kbc_to_wire,
    .from_wire = kbc_from_wire,
    .fields =
        (const VMStateField[]){
            VMSTATE_UINT8(write_cmd, WireI8042),
            VMSTATE_UINT8(status, WireI8042),
            VMSTATE_UINT8(mode, WireI8042),
            VMSTATE_AS(pending, WireI8042, "pending_tmp", uint8),
            VMSTATE_END_OF_LIST(),
        },
    .subsections = (const VMStateDescription *const[]){&vmstate_outport,
                                                       &vmstate_extended_state, NULL},
};

static const VMStateDescription vmstate_i8042 = {
    .name = "pckbd",
    .version_id = 3,
    .minimum_version_id = 3,
    .fields =
        (const VMStateField[]){
            VMSTATE_ROW("kbd", 0, NULL, .flags = VMS_STRUCT, .vmsd = &vmstate_kbd,
                        .size = sizeof(I8042)),
            VMSTATE_END_OF_LIST(),
        },
};

static const Property i8042_properties[] = {
    PROP_BOOL("extended-state", I8042, extended_state, true, "migrate the reply queue"),
    PROP_BOOL("kbd-throttle", I8042, kbd_throttle, false, "accepted and unused"),
    PROP_UINT8("kbd-irq", I8042, kbd_irq, 1, "the keyboard's ISA interrupt"),
    PROP_UINT8("mouse-irq", I8042, mouse_irq, 12, "the mouse's ISA interrupt"),
    PROP_END,
};

DEVICE_DEFINE_TYPE(I8042, i8042, "i8042", TYPE_ISA_DEVICE)

static void i8042_class_init(DeviceClass *klass)
{
    klass->desc = "8042 keyboard controller";
    klass->vmsd = &vmstate_i8042;
    klass->realize = i8042_realize;
    klass->reset = i8042_reset;
    property_install_table(G_OBJECT_CLASS(klass), i8042_properties);
}

Device *i8042_new(ISABus *bus, IRQ *a20, GError **error)
{
    Device *dev = device_create(TYPE_I8042, BUS(bus), error);

    if (dev && a20) {
        device_connect_gpio_out_named(dev, "a20", 0, a20);
    }
    return dev;
}
