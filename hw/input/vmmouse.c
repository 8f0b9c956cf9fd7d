/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/input/vmmouse.h"

#include <gio/gio.h>
#include <string.h>

#include "hw/core/vmstate.h"

#define QUEUE_SIZE 1024
#define STATUS_OFF 0xffff

typedef struct VMMouse {
    ISADevice parent;
    int32_t queue_size;
    uint32_t queue[QUEUE_SIZE];
    uint16_t nb_queue, status;
    uint8_t absolute;
} VMMouse;

static bool vmmouse_post_load(void *opaque, int version_id, GError **error)
{
    VMMouse *mouse = opaque;

    if (mouse->nb_queue > QUEUE_SIZE) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                    "vmmouse has no room for %u words: the stream is broken",
                    mouse->nb_queue);
        return false;
    }
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
}

DEVICE_DEFINE_TYPE(VMMouse, vmmouse, "vmmouse", TYPE_ISA_DEVICE)

static void vmmouse_class_init(DeviceClass *klass)
{
    klass->desc = "VMware mouse";
    klass->vmsd = &vmstate_vmmouse;
    klass->reset = vmmouse_reset;
}
