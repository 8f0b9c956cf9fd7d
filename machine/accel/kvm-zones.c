/*
 * Doorbells and coalesced writes in the kernel: a guest's write to a doorbell signals an
 * eventfd without an exit (KVM_IOEVENTFD, api.rst 4.59), and writes to a coalesced zone
 * wait in a ring until the vCPU leaves the guest for something else
 * (KVM_REGISTER_COALESCED_MMIO, 4.116). memory/zones.h says which zones there are; what the
 * kernel has no room for keeps leaving the guest.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <sys/ioctl.h>
#include <unistd.h>

#include "machine/accel/kvm-internal.h"
#include "memory/access.h"
#include "memory/io-lock.h"
#include "memory/zones.h"

static struct {
    MemoryListener memory, io;
    AddressSpace *memory_as, *io_as;
    long ring_page; /* of a vCPU's mapping; 0: the kernel has no ring */
    struct kvm_coalesced_mmio_ring *ring; /* the first vCPU's mapping of the VM's; or NULL */
} zones;

static bool is_ports(const MemoryListener *listener)
{
    return listener == &zones.io;
}

/* -- Doorbells ----------------------------------------------------------------------------- */

static void set_doorbell(const MemoryListener *listener, const MemoryRegionSection *section,
                         bool match_data, uint64_t data, int fd, uint32_t flags)
{
    uint64_t size = section->range.last - section->range.start + 1;
    struct kvm_ioeventfd doorbell = {
        .datamatch = data,
        .addr = section->range.start,
        .len = size <= 8 ? (uint32_t)size : 0,
        .fd = fd,
        .flags = flags | (match_data ? KVM_IOEVENTFD_FLAG_DATAMATCH : 0) |
                 (is_ports(listener) ? KVM_IOEVENTFD_FLAG_PIO : 0),
    };

    /* Refused (no room, a size that the kernel does not know): the region's callback still
     * gets the write. */
    kvm_ioctl(kvm_host.vm, KVM_IOEVENTFD, &doorbell);
}

static void eventfd_add(MemoryListener *listener, const MemoryRegionSection *section,
                        bool match_data, uint64_t data, int fd)
{
    set_doorbell(listener, section, match_data, data, fd, 0);
}

static void eventfd_del(MemoryListener *listener, const MemoryRegionSection *section,
                        bool match_data, uint64_t data, int fd)
{
    set_doorbell(listener, section, match_data, data, fd, KVM_IOEVENTFD_FLAG_DEASSIGN);
}

/* -- Coalesced writes ------------------------------------------------------------------------ */

static void set_coalesced(const MemoryListener *listener, unsigned long request,
                          hwaddr start, hwaddr length)
{
    struct kvm_coalesced_mmio_zone zone = {
        .addr = start,
        .size = (uint32_t)MIN(length, UINT32_MAX),
        .pio = is_ports(listener),
    };

    if (zones.ring_page) {
        kvm_ioctl(kvm_host.vm, request, &zone);
    }
}

static void coalesced_add(MemoryListener *listener, const MemoryRegionSection *section,
                          hwaddr start, hwaddr length)
{
    set_coalesced(listener, KVM_REGISTER_COALESCED_MMIO, start, length);
}

static void coalesced_del(MemoryListener *listener, const MemoryRegionSection *section,
                          hwaddr start, hwaddr length)
{
    set_coalesced(listener, KVM_UNREGISTER_COALESCED_MMIO, start, length);
}

/* Machine lock. */
static void flush(void)
{
    struct kvm_coalesced_mmio_ring *ring = zones.ring;
    uint32_t room = (uint32_t)((size_t)sysconf(_SC_PAGESIZE) - sizeof(*ring)) /
                    sizeof(ring->coalesced_mmio[0]);

    while (ring->first != __atomic_load_n(&ring->last, __ATOMIC_ACQUIRE)) {
        const struct kvm_coalesced_mmio *write = &ring->coalesced_mmio[ring->first];

        address_space_write(write->pio ? zones.io_as : zones.memory_as, write->phys_addr,
                            MEMTXATTRS_UNSPECIFIED, write->data, write->len);
        __atomic_store_n(&ring->first, (ring->first + 1) % room, __ATOMIC_RELEASE);
    }
}

/* The VM's one ring, as this vCPU's mapping shows it. */
static struct kvm_coalesced_mmio_ring *ring_of(const KVMVCPU *vcpu)
{
    return (void *)((char *)vcpu->run + zones.ring_page * sysconf(_SC_PAGESIZE));
}

void kvm_zones_vcpu_made(KVMVCPU *vcpu)
{
    if (zones.ring_page && !zones.ring) {
        zones.ring = ring_of(vcpu);
        memory_set_coalesced_flush(flush);
    }
}

void kvm_zones_vcpu_gone(KVMVCPU *vcpu)
{
    if (zones.ring && zones.ring == ring_of(vcpu)) {
        memory_set_coalesced_flush(NULL);
        zones.ring = NULL;
    }
}

void kvm_zones_flush(void)
{
    struct kvm_coalesced_mmio_ring *ring = zones.ring;

    if (!ring || __atomic_load_n(&ring->first, __ATOMIC_RELAXED) ==
                     __atomic_load_n(&ring->last, __ATOMIC_ACQUIRE)) {
        return;
    }
    io_lock();
    memory_flush_coalesced();
    io_unlock();
}
void kvm_zones_init(AddressSpace *memory_as, AddressSpace *io_as)
{
    const MemoryListener listener = {
        .name = "kvm-zones",
        .eventfd_add = eventfd_add,
        .eventfd_del = eventfd_del,
        .coalesced_io_add = coalesced_add,
        .coalesced_io_del = coalesced_del,
    };
    int page = ioctl(kvm_host.vm, KVM_CHECK_EXTENSION, KVM_CAP_COALESCED_MMIO);

    zones.memory = zones.io = listener;
    zones.memory_as = memory_as;
    zones.io_as = io_as;
    zones.ring_page = MAX(page, 0);
    if (ioctl(kvm_host.vm, KVM_CHECK_EXTENSION, KVM_CAP_IOEVENTFD) <= 0) {
        zones.memory.eventfd_add = zones.io.eventfd_add = NULL;
        zones.memory.eventfd_del = zones.io.eventfd_del = NULL;
    }
    if (ioctl(kvm_host.vm, KVM_CHECK_EXTENSION, KVM_CAP_COALESCED_PIO) <= 0) {
        zones.io.coalesced_io_add = zones.io.coalesced_io_del = NULL;
    }
    memory_listener_register(&zones.memory, memory_as);
    memory_listener_register(&zones.io, io_as);
}
