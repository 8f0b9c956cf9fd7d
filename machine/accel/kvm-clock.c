/*
 * "kvmclock": the clock that KVM shows to a guest in its memory. It stands while the
 * machine does, and moves with it (Documentation/virt/kvm/api.rst of the kernel, 4.29
 * and 4.30).
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <gio/gio.h>

#include "hw/core/vmstate.h"
#include "machine/accel/kvm-internal.h"
#include "machine/accel/kvm-irqchip.h"
#include "machine/run-state.h"

typedef struct KVMClock {
    Device parent;
    bool stands;    /* `clock` is what the guest's clock stands at */
    uint64_t clock; /* ns */
} KVMClock;

static uint64_t read_clock(void)
{
    struct kvm_clock_data data = {0};

    kvm_ioctl(kvm_host.vm, KVM_GET_CLOCK, &data);
    return data.clock;
}

/* A guest that sees time jump because it was not there to watch it shall not suspect that
 * a CPU hangs: KVM_KVMCLOCK_CTRL (4.69), which is refused where the guest has no clock.
 */
static void set_clock(uint64_t clock)
{
    struct kvm_clock_data data = {.clock = clock};
    GPtrArray *vcpus = accel_current()->vcpus;

    kvm_ioctl(kvm_host.vm, KVM_SET_CLOCK, &data);
    for (guint i = 0; i < vcpus->len; i++) {
        kvm_ioctl(((KVMVCPU *)((AccelVCPU *)vcpus->pdata[i])->data)->fd,
                  KVM_KVMCLOCK_CTRL, NULL);
    }
}

static void run_changed(RunEvent event, SystemCause cause, const char *text, void *opaque)
{
    KVMClock *clock = opaque;

    if (event == RUN_EVENT_STOP) {
        clock->clock = read_clock();
        clock->stands = true;
    } else if (event == RUN_EVENT_RESUMING && clock->stands) {
        set_clock(clock->clock);
        clock->stands = false;
    }
}

static bool kvm_clock_realize(Device *dev, GError **error)
{
    run_state_add_handler(run_changed, dev);
    return true;
}

/* -- Its state in a stream ---------------------------------------------------------- */

typedef struct WireClock {
    uint64_t clock;
    bool clock_is_reliable;
} WireClock;

static void clock_to_wire(void *opaque, void *data)
{
    const KVMClock *clock = opaque;

    *(WireClock *)data = (WireClock){clock->stands ? clock->clock : read_clock(), true};
}

static bool clock_from_wire(void *opaque, void *data, int version_id, GError **error)
{
    KVMClock *clock = opaque;

    clock->clock = ((const WireClock *)data)->clock;
    clock->stands = true;
    return true;
}

static bool is_reliable(void *opaque)
{
    return ((const WireClock *)opaque)->clock_is_reliable;
}

/* That the value comes from KVM_GET_CLOCK at the stop. */
static const VMStateDescription vmstate_reliable = {
    .name = "kvmclock/clock_is_reliable",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = is_reliable,
    .fields =
        (const VMStateField[]){
            VMSTATE_BOOL(clock_is_reliable, WireClock),
            VMSTATE_END_OF_LIST(),
        },
};

static const VMStateDescription vmstate_clock = {
    .name = "kvmclock",
    .version_id = 1,
    .minimum_version_id = 1,
    .wire_size = sizeof(WireClock),
    .to_wire = clock_to_wire,
    .from_wire = clock_from_wire,
    .fields =
        (const VMStateField[]){
            VMSTATE_UINT64(clock, WireClock),
            VMSTATE_END_OF_LIST(),
        },
    .subsections = (const VMStateDescription *const[]){&vmstate_reliable, NULL},
};

DEVICE_DEFINE_TYPE(KVMClock, kvm_clock, "kvmclock", TYPE_DEVICE)

static void kvm_clock_class_init(DeviceClass *klass)
{
    klass->desc = "KVM's clock";
    klass->realize = kvm_clock_realize;
    klass->vmsd = &vmstate_clock;
}
