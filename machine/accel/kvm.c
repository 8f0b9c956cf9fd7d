/*
 * The "kvm" accelerator: a VM and its vCPUs on Linux's /dev/kvm (Documentation/virt/kvm/
 * api.rst of the kernel; section numbers below are its).
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <gio/gio.h>

#include "hw/core/system.h"
#include "hw/core/trace.h"
#include "machine/accel/kvm-internal.h"
#include "memory/access.h"
#include "memory/io-lock.h"

/* Takes a vCPU thread out of KVM_RUN; QEMU's choice too. */
#define KICK_SIGNAL SIGUSR1

/* On Intel hosts KVM needs three pages for a task state segment and one for an identity
 * map, below the firmware's 16 MiB (4.8 and 4.49). The board marks them reserved. */
#define IDENTITY_MAP_ADDRESS UINT64_C(0xfeffc000)
#define TSS_ADDRESS UINT64_C(0xfeffd000)

typedef struct KVMAccel {
    Accel parent;
    bool kernel_irqchip;
} KVMAccel;

KVMHost kvm_host = {.fd = -1, .vm = -1};

int kvm_ioctl(int fd, unsigned long request, void *argument)
{
    int result;

    do {
        result = ioctl(fd, request, argument);
    } while (result < 0 && errno == EINTR);
    return result;
}

/* -- The host ---------------------------------------------------------------------------- */

static void set_open_error(GError **error, int code)
{
    switch (code) {
    case ENOENT:
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                    "kvm: /dev/kvm does not exist (load the kernel's kvm_intel or kvm_amd "
                    "module; in a container or virtual machine, have the host pass it on)");
        break;
    case EACCES:
    case EPERM:
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
                    "kvm: no permission to open /dev/kvm (become a member of its group, "
                    "usually 'kvm')");
        break;
    case ENODEV:
    case ENXIO:
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                    "kvm: this host's CPU has no virtualization, or its firmware setup "
                    "turned it off");
        break;
    default:
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "kvm: cannot open /dev/kvm: %s",
                    g_strerror(code));
        break;
    }
}

/* Opening and making the VM is the only proof that it can be used, so the VM is kept. */
bool accel_kvm_usable(GError **error)
{
    static const struct {
        int capability;
        const char *name;
    } needed[] = {
        {KVM_CAP_USER_MEMORY, "user memory"},
        {KVM_CAP_READONLY_MEM, "read-only memory"},
        {KVM_CAP_IMMEDIATE_EXIT, "immediate exits"},
        {KVM_CAP_SET_IDENTITY_MAP_ADDR, "a movable identity map"},
    };
    int version;

    if (kvm_host.vm >= 0) {
        return true;
    }
    kvm_host.fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (kvm_host.fd < 0) {
        set_open_error(error, errno);
        return false;
    }
    version = kvm_ioctl(kvm_host.fd, KVM_GET_API_VERSION, NULL);
    if (version != KVM_API_VERSION) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                    "kvm: the kernel's interface has version %d, not %d", version,
                    KVM_API_VERSION);
        goto close_host;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(needed); i++) {
        if (ioctl(kvm_host.fd, KVM_CHECK_EXTENSION, needed[i].capability) <= 0) {
            g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                        "kvm: the kernel does not support %s", needed[i].name);
            goto close_host;
        }
    }
    kvm_host.vm = kvm_ioctl(kvm_host.fd, KVM_CREATE_VM, NULL);
    if (kvm_host.vm < 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                    "kvm: cannot make a virtual machine: %s%s", g_strerror(errno),
                    errno == EBUSY ? " (another hypervisor uses the CPU's virtualization)"
                                   : "");
        goto close_host;
    }
    return true;

close_host:
    close(kvm_host.fd);
    kvm_host.fd = -1;
    return false;
}

void accel_kvm_close(void)
{
    if (kvm_host.vm >= 0) {
        close(kvm_host.vm);
        close(kvm_host.fd);
    }
    kvm_host = (KVMHost){.fd = -1, .vm = -1};
}

static void ignore_signal(int signal_number)
{
}

static bool kvm_init(Accel *accel, GError **error)
{
    struct sigaction action = {.sa_handler = ignore_signal};
    uint64_t identity_map = IDENTITY_MAP_ADDRESS;

    if (!accel_kvm_usable(error)) {
        return false;
    }
    /* No SA_RESTART: the signal is there to interrupt KVM_RUN. */
    sigaction(KICK_SIGNAL, &action, NULL);

    if (kvm_ioctl(kvm_host.vm, KVM_SET_IDENTITY_MAP_ADDR, &identity_map) < 0 ||
        ioctl(kvm_host.vm, KVM_SET_TSS_ADDR, TSS_ADDRESS) < 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                    "kvm: cannot place the pages that the kernel needs: %s",
                    g_strerror(errno));
        return false;
    }
    if (((KVMAccel *)accel)->kernel_irqchip && !kvm_irqchip_init(error)) {
        return false;
    }
    kvm_memory_init(accel->memory);
    kvm_zones_init(accel->memory, accel->io);
    return true;
}

static bool kvm_irqchip_in_kernel(Accel *accel)
{
    return kvm_host.irqchip;
}

/* -- vCPUs ------------------------------------------------------------------------------- */

static void destroy_vcpu(AccelVCPU *accel_vcpu)
{
    KVMVCPU *vcpu = accel_vcpu->data;

    if (vcpu->run) {
        kvm_zones_vcpu_gone(vcpu);
        munmap(vcpu->run, vcpu->run_size);
    }
    if (vcpu->fd >= 0) {
        close(vcpu->fd);
    }
    kvm_registers_free(vcpu);
    g_free(vcpu);
}

static bool create_vcpu(AccelVCPU *accel_vcpu, GError **error)
{
    KVMVCPU *vcpu = g_new0(KVMVCPU, 1);
    unsigned index = accel_vcpu->cpu->index;
    int size = ioctl(kvm_host.fd, KVM_GET_VCPU_MMAP_SIZE, 0);

    accel_vcpu->data = vcpu;
    vcpu->fd = ioctl(kvm_host.vm, KVM_CREATE_VCPU, (unsigned long)index);
    if (vcpu->fd < 0 || size < 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "kvm: cannot make CPU %u: %s",
                    index, g_strerror(errno));
        goto failed;
    }
    vcpu->run_size = (size_t)size;
    vcpu->run = mmap(NULL, vcpu->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
    if (vcpu->run == MAP_FAILED) {
        vcpu->run = NULL;
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                    "kvm: cannot map the state of CPU %u: %s", index, g_strerror(errno));
        goto failed;
    }
    if (!kvm_cpuid_init(vcpu, accel_vcpu->cpu, error)) {
        goto failed;
    }
    kvm_init_machine_check(vcpu, accel_vcpu->cpu);
    if (!kvm_registers_init(vcpu, error)) {
        goto failed;
    }
    kvm_zones_vcpu_made(vcpu);
    return true;

failed:
    destroy_vcpu(accel_vcpu);
    accel_vcpu->data = NULL;
    return false;
}

/* With accel_vcpu->mutex held. The flag covers a thread that is about to enter KVM_RUN,
 * the signal one that is inside. */
static void kick_vcpu(AccelVCPU *accel_vcpu)
{
    KVMVCPU *vcpu = accel_vcpu->data;

    __atomic_store_n(&vcpu->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
    if (accel_vcpu->pthread && !pthread_equal(accel_vcpu->pthread, pthread_self())) {
        pthread_kill(accel_vcpu->pthread, KICK_SIGNAL);
    }
}

/* -- Interrupts from user space's controllers -------------------------------------------- */

static void intr_changed(X86CPU *cpu)
{
    if (!kvm_host.irqchip && cpu->intr) {
        accel_kick(accel_vcpu(cpu)->accel, cpu);
    }
}

static void a20_changed(X86CPU *cpu)
{
    /* KVM has no A20 gate; QEMU on KVM leaves the line open too. */
}

static const X86CPUOps kvm_ops = {
    .intr_changed = intr_changed,
    .a20_changed = a20_changed,
    .get_registers = kvm_get_registers,
    .set_registers = kvm_set_registers,
    .get_state = kvm_get_state,
    .set_state = kvm_set_state,
    .reset = kvm_reset_vcpu,
};

/* Injects the pending interrupt if the guest takes it now, else asks for an exit when it
 * does (4.16, and request_interrupt_window in 5). */
static void offer_interrupt(AccelVCPU *accel_vcpu, KVMVCPU *vcpu)
{
    X86CPU *cpu = accel_vcpu->cpu;
    bool pending = __atomic_load_n(&cpu->intr, __ATOMIC_ACQUIRE);

    if (pending && vcpu->run->ready_for_interrupt_injection && vcpu->run->if_flag) {
        struct kvm_interrupt interrupt;

        io_lock();
        if (cpu->intr && cpu->acknowledge) {
            interrupt.irq = (unsigned)cpu->acknowledge(cpu->acknowledge_opaque);
            kvm_ioctl(vcpu->fd, KVM_INTERRUPT, &interrupt);
            accel_vcpu->statistics.interrupts++;
        }
        pending = cpu->intr;
        io_unlock();
    }
    vcpu->run->request_interrupt_window = pending;
}

/* HLT with the controllers in user space: the kernel left the guest, which goes on when
 * an interrupt that it accepts is there. False: leave. */
static bool wait_in_halt(AccelVCPU *accel_vcpu, KVMVCPU *vcpu)
{
    X86CPU *cpu = accel_vcpu->cpu;

    while (!(__atomic_load_n(&cpu->intr, __ATOMIC_ACQUIRE) && vcpu->run->if_flag)) {
        if (accel_vcpu_must_leave(accel_vcpu)) {
            return false;
        }
        if (!accel_vcpu_take_kick(accel_vcpu)) {
            accel_vcpu_wait(accel_vcpu);
        }
    }
    vcpu->halted = false;
    return true;
}

/* -- Exits ------------------------------------------------------------------------------- */

static void handle_io(AccelVCPU *accel_vcpu, struct kvm_run *run)
{
    AddressSpace *io = accel_vcpu->accel->io;
    uint8_t *data = (uint8_t *)run + run->io.data_offset;
    unsigned size = run->io.size;
    bool out = run->io.direction == KVM_EXIT_IO_OUT;

    accel_vcpu->statistics.io += run->io.count;
    io_lock();
    for (uint32_t i = 0; i < run->io.count; i++, data += size) {
        uint64_t value = 0;

        if (out) {
            memcpy(&value, data, size);
            trace(TRACE_CPU_OUT, "addr 0x%x(%c) value %u", run->io.port, "?bw?l"[size],
                  (unsigned)value);
            address_space_store(io, run->io.port, size, value, MEMTXATTRS_UNSPECIFIED);
        } else {
            address_space_load(io, run->io.port, size, &value, MEMTXATTRS_UNSPECIFIED);
            memcpy(data, &value, size);
            trace(TRACE_CPU_IN, "addr 0x%x(%c) value %u", run->io.port, "?bw?l"[size],
                  (unsigned)value);
        }
    }
    io_unlock();
}

static void handle_mmio(AccelVCPU *accel_vcpu, struct kvm_run *run)
{
    AddressSpace *memory = accel_vcpu->accel->memory;
    hwaddr address = run->mmio.phys_addr;

    accel_vcpu->statistics.mmio++;
    if (run->mmio.is_write) {
        address_space_write(memory, address, MEMTXATTRS_UNSPECIFIED, run->mmio.data,
                            run->mmio.len);
    } else {
        address_space_read(memory, address, MEMTXATTRS_UNSPECIFIED, run->mmio.data,
                           run->mmio.len);
    }
}

/* The kernel gave up: says where, and leaves the CPU standing. */
static void give_up(AccelVCPU *accel_vcpu, const char *what, uint64_t code)
{
    KVMVCPU *vcpu = accel_vcpu->data;
    struct kvm_sregs sregs = {0};
    struct kvm_regs regs = {0};
    uint8_t bytes[16] = {0};
    g_autoptr(GString) hex = g_string_new(NULL);

    kvm_ioctl(vcpu->fd, KVM_GET_REGS, &regs);
    kvm_ioctl(vcpu->fd, KVM_GET_SREGS, &sregs);
    address_space_read(accel_vcpu->accel->memory, sregs.cs.base + regs.rip,
                       MEMTXATTRS_UNSPECIFIED, bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++) {
        g_string_append_printf(hex, " %02x", bytes[i]);
    }
    io_lock();
    system_fatal("kvm: %s (0x%" G_GINT64_MODIFIER "x) at %04x:%08" G_GINT64_MODIFIER
                 "x, code%s (-accel x86emu may run this guest)",
                 what, code, sregs.cs.selector, (uint64_t)regs.rip, hex->str);
    io_unlock();
    accel_hold_all(accel_vcpu->accel);
}

/* KVM's emulator, which nested KVM needs more often, has no INT 3 in protected mode. Where
 * the IDT is too short for vectors 3 (breakpoint), 8 (double fault) and 13, that shuts the
 * processor down (Intel SDM volume 3, 6.15, interrupt 8): firmware reboots that way. */
static bool is_triple_fault(AccelVCPU *accel_vcpu, KVMVCPU *vcpu)
{
    enum { CR0_PE = 1 << 0, INT3 = 0xcc, IDT_LIMIT_BREAKPOINT = 3 * 8 + 7 };
    const uint64_t paging = UINT64_C(1) << 31;
    struct kvm_sregs sregs = {0};
    struct kvm_regs regs = {0};
    uint8_t opcode = 0;

    kvm_ioctl(vcpu->fd, KVM_GET_REGS, &regs);
    kvm_ioctl(vcpu->fd, KVM_GET_SREGS, &sregs);
    address_space_read(accel_vcpu->accel->memory, sregs.cs.base + regs.rip,
                       MEMTXATTRS_UNSPECIFIED, &opcode, sizeof(opcode));
    return sregs.cr0 & CR0_PE && !(sregs.cr0 & paging) && opcode == INT3 &&
           sregs.idt.limit < IDT_LIMIT_BREAKPOINT;
}

static void shut_down(AccelVCPU *accel_vcpu)
{
    io_lock();
    system_reset_request(SYSTEM_CAUSE_GUEST_RESET, "triple-fault");
    io_unlock();
    accel_hold_all(accel_vcpu->accel);
}

static void handle_internal_error(AccelVCPU *accel_vcpu, KVMVCPU *vcpu)
{
    uint32_t error = vcpu->run->internal.suberror;

    if (error == KVM_INTERNAL_ERROR_EMULATION && is_triple_fault(accel_vcpu, vcpu)) {
        shut_down(accel_vcpu);
    } else {
        give_up(accel_vcpu,
                error == KVM_INTERNAL_ERROR_EMULATION
                    ? "the kernel cannot emulate an instruction"
                    : "the kernel met an internal error",
                error);
    }
}

static void handle_exit(AccelVCPU *accel_vcpu, KVMVCPU *vcpu)
{
    struct kvm_run *run = vcpu->run;

    switch (run->exit_reason) {
    case KVM_EXIT_IO:
        handle_io(accel_vcpu, run);
        break;
    case KVM_EXIT_MMIO:
        handle_mmio(accel_vcpu, run);
        break;
    case KVM_EXIT_HLT:
        accel_vcpu->statistics.halts++;
        vcpu->halted = !kvm_host.irqchip;
        break;
    case KVM_EXIT_IRQ_WINDOW_OPEN:
    case KVM_EXIT_INTR:
        break;
    case KVM_EXIT_DEBUG:
        kvm_handle_debug(accel_vcpu);
        break;
    case KVM_EXIT_SHUTDOWN:
        shut_down(accel_vcpu);
        break;
    case KVM_EXIT_FAIL_ENTRY:
        give_up(accel_vcpu, "the CPU refused to enter the guest",
                run->fail_entry.hardware_entry_failure_reason);
        break;
    case KVM_EXIT_INTERNAL_ERROR:
        handle_internal_error(accel_vcpu, vcpu);
        break;
    default:
        give_up(accel_vcpu, "unknown exit", run->exit_reason);
        break;
    }
}

/* An access that the exit was for is only finished by entering again: does that, and
 * nothing more of the guest (5, immediate_exit). */
static void finish_access(KVMVCPU *vcpu)
{
    __atomic_store_n(&vcpu->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
    ioctl(vcpu->fd, KVM_RUN, 0);
}

/* The guest may have written to a window that the host maps read-only. */
static bool exact_windows(void)
{
    bool changed;

    io_lock();
    changed = kvm_memory_make_windows_exact();
    io_unlock();
    return changed;
}

static void run_vcpu(AccelVCPU *accel_vcpu)
{
    KVMVCPU *vcpu = accel_vcpu->data;
    struct kvm_run *run = vcpu->run;
    int failure;

    accel_vcpu->pthread = pthread_self();
    if (vcpu->halted && !wait_in_halt(accel_vcpu, vcpu)) {
        return;
    }
    for (;;) {
        __atomic_store_n(&run->immediate_exit, 0, __ATOMIC_SEQ_CST);
        accel_vcpu_take_kick(accel_vcpu);
        if (accel_vcpu_must_leave(accel_vcpu)) {
            break;
        }
        if (!kvm_host.irqchip) {
            offer_interrupt(accel_vcpu, vcpu);
        }
        failure = ioctl(vcpu->fd, KVM_RUN, 0) < 0 ? errno : 0;
        kvm_zones_flush();
        if (failure == EINTR || failure == EAGAIN ||
            (failure == EFAULT && exact_windows())) {
            continue;
        }
        if (failure) {
            give_up(accel_vcpu, g_strerror(failure), (uint64_t)failure);
            break;
        }
        accel_vcpu->statistics.exits++;
        trace(TRACE_KVM_RUN_EXIT, "cpu_index %u, reason %u", accel_vcpu->cpu->index,
              run->exit_reason);
        handle_exit(accel_vcpu, vcpu);
        if (vcpu->halted && !wait_in_halt(accel_vcpu, vcpu)) {
            return;
        }
    }
    finish_access(vcpu);
}

/* -- The class --------------------------------------------------------------------------- */

static const Property kvm_properties[] = {
    PROP_BOOL("kernel-irqchip", KVMAccel, kernel_irqchip, true,
              "interrupt controllers and PIT in the kernel"),
    PROP_END,
};

ACCEL_DEFINE_TYPE(KVMAccel, accel_kvm, "kvm-accel")

static void accel_kvm_class_init(AccelClass *klass)
{
    property_install_table(G_OBJECT_CLASS(klass), kvm_properties);
    klass->name = "kvm";
    klass->mtree_name = "KVM";
    klass->init = kvm_init;
    klass->create_vcpu = create_vcpu;
    klass->destroy_vcpu = destroy_vcpu;
    klass->run_vcpu = run_vcpu;
    klass->kick_vcpu = kick_vcpu;
    klass->ops = &kvm_ops;
    klass->irqchip_in_kernel = kvm_irqchip_in_kernel;
    klass->send_msi = kvm_send_msi;
    klass->has_range = kvm_memory_has_range;
    klass->update_debug = kvm_update_debug;
    klass->step_over = kvm_step_over;
    klass->hide_breakpoints = kvm_hide_breakpoints;
}
