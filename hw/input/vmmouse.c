/*
 * A driver turns the mouse on with READ_ID, finds the version in the queue, asks for
 * places, and then takes packets of four words whenever the PS/2 mouse interrupts:
 * buttons and flags, x, y, and the wheel.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/input/vmmouse.h"

#include <gio/gio.h>
#include <string.h>

#include "hw/core/vmstate.h"
#include "hw/input/keys.h"
#include "hw/input/position.h"

#define QUEUE_SIZE 1024
#define STATUS_OFF 0xffff
#define VERSION 0x3442554au
#define PACKET_WORDS 4
#define DATA_WORDS_MAX 6

enum { /* of the port, in ECX */
       VMPORT_DATA = 39,
       VMPORT_STATUS = 40,
       VMPORT_COMMAND = 41,
};

enum { /* of VMPORT_COMMAND, in EBX */
       COMMAND_DISABLE = 0xf5,
       COMMAND_READ_ID = 0x45414552,
       COMMAND_REQUEST_RELATIVE = 0x4c455252,
       COMMAND_REQUEST_ABSOLUTE = 0x53424152,
};

enum {
    BUTTON_MIDDLE = 0x08,
    BUTTON_RIGHT = 0x10,
    BUTTON_LEFT = 0x20,
};

typedef struct VMMouse {
    ISADevice parent;
    int32_t queue_size;
    uint32_t queue[QUEUE_SIZE];
    uint16_t nb_queue, status;
    uint8_t absolute;
} VMMouse;

DEVICE_DEFINE_TYPE(VMMouse, vmmouse, "vmmouse", TYPE_ISA_DEVICE)

/* -- What the user does ----------------------------------------------------------------
 */

static void moved(void *opaque, unsigned x, unsigned y, int dz, unsigned buttons)
{
    VMMouse *mouse = opaque;
    const uint32_t packet[PACKET_WORDS] = {(buttons & 1 ? BUTTON_LEFT : 0u) |
                                               (buttons & 2 ? BUTTON_RIGHT : 0u) |
                                               (buttons & 4 ? BUTTON_MIDDLE : 0u),
                                           x << 1, y << 1, (uint32_t)dz};

    if (mouse->nb_queue > QUEUE_SIZE - PACKET_WORDS) {
        return;
    }
    memcpy(mouse->queue + mouse->nb_queue, packet, sizeof(packet));
    mouse->nb_queue += PACKET_WORDS;
    /* The PS/2 mouse's interrupt says so; its packet must be one that means something. */
    input_send_pointer(0, 0, 1, 0);
}

static void listen(VMMouse *mouse)
{
    if (mouse->absolute && mouse->status != STATUS_OFF) {
        input_register_position(moved, mouse);
    } else {
        input_unregister_position(mouse);
    }
}

/* -- The commands -----------------------------------------------------------------------
 */

/* EBX words of the queue, in EAX, EBX, ECX, EDX, ESI, EDI. */
static uint32_t take_data(void *opaque, uint64_t gpr[16])
{
    static const unsigned order[DATA_WORDS_MAX] = {X86_RAX, X86_RBX, X86_RCX,
                                                   X86_RDX, X86_RSI, X86_RDI};
    VMMouse *mouse = opaque;
    uint32_t words = (uint32_t)gpr[X86_RBX];

    if (words == 0 || words > DATA_WORDS_MAX || words > mouse->nb_queue) {
        mouse->status = STATUS_OFF;
        listen(mouse);
        return (uint32_t)gpr[X86_RAX];
    }
    for (uint32_t i = 0; i < words; i++) {
        gpr[order[i]] = mouse->queue[i];
    }
    mouse->nb_queue -= (uint16_t)words;
    memmove(mouse->queue, mouse->queue + words,
            mouse->nb_queue * sizeof(mouse->queue[0]));
    return (uint32_t)gpr[X86_RAX];
}

static uint32_t get_status(void *opaque, uint64_t gpr[16])
{
    const VMMouse *mouse = opaque;

    return (uint32_t)mouse->status << 16 | mouse->nb_queue;
}

static uint32_t run_command(void *opaque, uint64_t gpr[16])
{
    VMMouse *mouse = opaque;

    switch ((uint32_t)gpr[X86_RBX]) {
    case COMMAND_DISABLE:
        mouse->status = STATUS_OFF;
        break;
    case COMMAND_READ_ID:
        if (mouse->nb_queue < QUEUE_SIZE) {
            mouse->queue[mouse->nb_queue++] = VERSION;
            mouse->status = 0;
        }
        break;
    case COMMAND_REQUEST_RELATIVE:
        mouse->absolute = 0;
        break;
    case COMMAND_REQUEST_ABSOLUTE:
        mouse->absolute = 1;
        break;
    default:
        break;
    }
    listen(mouse);
    return (uint32_t)gpr[X86_RAX];
}

/* -- Life ---------------------------------------------------------------------------- */

static bool vmmouse_post_load(void *opaque, int version_id, GError **error)
{
    VMMouse *mouse = opaque;

    if (mouse->nb_queue > QUEUE_SIZE) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                    "vmmouse has no room for %u words: the stream is broken",
                    mouse->nb_queue);
        return false;
    }
    listen(mouse);
    return true;
}

static const VMStateDescription vmstate_vmmouse = {
    .name = "vmmouse",
    .version_id = 0,
    .minimum_version_id = 0,
    .post_load = vmmouse_post_load,
    .fields =
        (const VMStateField[]){
            VMSTATE_INT32_EQUAL(queue_size, VMMouse),
            VMSTATE_UINT32_ARRAY(queue, VMMouse, QUEUE_SIZE),
            VMSTATE_UINT16(nb_queue, VMMouse),
            VMSTATE_UINT16(status, VMMouse),
            VMSTATE_UINT8(absolute, VMMouse),
            VMSTATE_END_OF_LIST(),
        },
};

static void vmmouse_reset(Device *dev)
{
    VMMouse *mouse = (VMMouse *)dev;

    mouse->queue_size = QUEUE_SIZE;
    memset(mouse->queue, 0, sizeof(mouse->queue));
    mouse->nb_queue = 0;
    mouse->status = STATUS_OFF;
    mouse->absolute = 0;
    listen(mouse);
}

static void vmmouse_unrealize(Device *dev)
{
    input_unregister_position(dev);
}

static void vmmouse_class_init(DeviceClass *klass)
{
    klass->desc = "VMware mouse";
    klass->vmsd = &vmstate_vmmouse;
    klass->unrealize = vmmouse_unrealize;
    klass->reset = vmmouse_reset;
}

Device *vmmouse_new(ISABus *bus, VMPort *vmport, GError **error)
{
    Device *dev = device_create(TYPE_VMMOUSE, BUS(bus), error);

    if (dev) {
        vmport_register(vmport, VMPORT_DATA, take_data, dev);
        vmport_register(vmport, VMPORT_STATUS, get_status, dev);
        vmport_register(vmport, VMPORT_COMMAND, run_command, dev);
    }
    return dev;
}
