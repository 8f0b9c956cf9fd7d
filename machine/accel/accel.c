/*
 * Choosing an accelerator, and the threads of its vCPUs.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/accel/accel.h"

#include <gio/gio.h>
#include <unistd.h>

#include "machine/accel/cpuid.h"
#include "machine/accel/debug.h"
#include "machine/accel/vcpu.h"
#include "memory/io-lock.h"

static Accel *current;

static void accel_instance_init(GTypeInstance *instance, gpointer klass)
{
    ACCEL(instance)->vcpus = g_ptr_array_new();
    ACCEL(instance)->breakpoints = g_array_new(false, false, sizeof(AccelBreakpoint));
}

/* G_DEFINE_ABSTRACT_TYPE would name the instance's initializer accel_init(). */
GType accel_get_type(void)
{
    static GType type;

    if (g_once_init_enter(&type)) {
        g_once_init_leave(&type,
                          g_type_register_static_simple(
                              G_TYPE_OBJECT, "accel", sizeof(AccelClass), NULL,
                              sizeof(Accel), accel_instance_init, G_TYPE_FLAG_ABSTRACT));
    }
    return type;
}

/* -- Choice ------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    const char *alias;
    GType (*get_type)(void);
    bool (*usable)(GError **error); /* NULL: always */
} known[] = {
    {"kvm", NULL, accel_kvm_get_type, accel_kvm_usable},
    {"x86emu", "tcg", accel_x86emu_get_type, NULL},
    {"qtest", NULL, accel_qtest_get_type, NULL},
};

const char *const *accel_names(void)
{
    static const char *names[G_N_ELEMENTS(known) + 1];

    for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
        names[i] = known[i].name;
    }
    return names;
}

static int find(const char *name, GError **error)
{
    const char *candidates[2 * G_N_ELEMENTS(known) + 1];
    const char *nearest;
    size_t count = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
        if (g_strcmp0(name, known[i].name) == 0 || g_strcmp0(name, known[i].alias) == 0) {
            return (int)i;
        }
        candidates[count++] = known[i].name;
        if (known[i].alias) {
            candidates[count++] = known[i].alias;
        }
    }
    candidates[count] = NULL;
    nearest = nearest_name(name, candidates);
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                "invalid accelerator '%s'%s%s%s", name,
                nearest ? ": did you mean '" : " (-accel help lists them)",
                nearest ? nearest : "", nearest ? "'?" : "");
    return -1;
}

bool accel_usable(const char *name, GError **error)
{
    int i = find(name, error);

    return i >= 0 && (!known[i].usable || known[i].usable(error));
}

/* One -accel option; *usable false: the host cannot, *error says why. */
static Accel *make(const char *option, bool *usable, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(option, ",", -1);
    const char *name = parts[0] ? parts[0] : "";
    Accel *accel;
    int i;

    name = g_str_has_prefix(name, "accel=") ? name + strlen("accel=") : name;
    i = find(name, error);
    if (i < 0) {
        return NULL;
    }
    accel = g_object_new(known[i].get_type(), NULL);
    property_init_defaults(G_OBJECT(accel));
    for (char **part = parts[0] ? parts + 1 : parts; *part; part++) {
        char *equals = strchr(*part, '=');

        if (equals) {
            *equals = '\0';
        }
        if (!property_set_string(G_OBJECT(accel), *part, equals ? equals + 1 : "on",
                                 error)) {
            g_prefix_error(error, "-accel %s: ", name);
            g_object_unref(accel);
            return NULL;
        }
    }
    if (known[i].usable && !known[i].usable(error)) {
        *usable = false;
        g_object_unref(accel);
        return NULL;
    }
    return accel;
}

Accel *accel_select(const char *const *options, char **skipped, GError **error)
{
    static const char *const usual[] = {"kvm", "x86emu", NULL};
    bool by_user = options && options[0];
    g_autoptr(GString) why = g_string_new(NULL);
    Accel *accel = NULL;

    if (skipped) {
        *skipped = NULL;
    }
    for (options = by_user ? options : usual; *options && !accel; options++) {
        g_autoptr(GError) reason = NULL;
        bool usable = true;

        accel = make(*options, &usable, &reason);
        if (!accel && usable) {
            g_propagate_error(error, g_steal_pointer(&reason));
            return NULL;
        }
        if (!accel) {
            g_string_append_printf(why, "%s%s", why->len ? "; " : "", reason->message);
        }
    }
    if (!accel) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, "%s", why->str);
    } else if (why->len && skipped) {
        *skipped = g_strdup_printf("%s: using %s instead", why->str, accel_name(accel));
    }
    return accel;
}

const char *accel_name(Accel *accel)
{
    return ACCEL_GET_CLASS(accel)->name;
}

Accel *accel_current(void)
{
    return current;
}

bool accel_init(Accel *accel, AddressSpace *memory, AddressSpace *io, GError **error)
{
    AccelClass *klass = ACCEL_GET_CLASS(accel);

    accel->memory = memory;
    accel->io = io;
    current = accel;
    if (klass->init && !klass->init(accel, error)) {
        current = NULL;
        return false;
    }
    return true;
}

/* -- Threads ----------------------------------------------------------------------------- */

void accel_vcpu_wait(AccelVCPU *vcpu)
{
    g_mutex_lock(&vcpu->mutex);
    while (!vcpu->kicked && !vcpu->stop) {
        g_cond_wait(&vcpu->wake, &vcpu->mutex);
    }
    g_mutex_unlock(&vcpu->mutex);
}

static gpointer vcpu_main(gpointer opaque)
{
    AccelVCPU *vcpu = opaque;
    AccelClass *klass = ACCEL_GET_CLASS(vcpu->accel);

    memory_thread_register();
    vcpu->thread_id = gettid();
    x86_cpu_set_current(vcpu->cpu);
    for (;;) {
        g_mutex_lock(&vcpu->mutex);
        while (vcpu->stop && !vcpu->quit) {
            vcpu->standing = true;
            g_cond_broadcast(&vcpu->stopped);
            g_cond_wait(&vcpu->wake, &vcpu->mutex);
        }
        vcpu->standing = false;
        g_mutex_unlock(&vcpu->mutex);
        if (vcpu->quit) {
            break;
        }
        klass->run_vcpu(vcpu);
    }
    memory_thread_unregister();
    return NULL;
}

bool accel_create_vcpu(Accel *accel, X86CPU *cpu, GError **error)
{
    AccelClass *klass = ACCEL_GET_CLASS(accel);
    g_autofree char *name = g_strdup_printf("CPU %u/%s", cpu->index, klass->name);
    AccelVCPU *vcpu;

    if (!klass->create_vcpu) {
        return true;
    }
    cpu->no_machine_check = !cpuid_has_machine_check(cpu);
    x86_state_reset(&cpu->state, !cpu->no_machine_check);
    vcpu = g_new0(AccelVCPU, 1);
    vcpu->cpu = cpu;
    vcpu->accel = accel;
    vcpu->stop = 1;
    g_mutex_init(&vcpu->mutex);
    g_cond_init(&vcpu->wake);
    g_cond_init(&vcpu->stopped);
    cpu->accel_data = vcpu;
    if (!klass->create_vcpu(vcpu, error)) {
        cpu->accel_data = NULL;
        g_free(vcpu);
        return false;
    }
    cpu->ops = klass->ops;
    cpu->ops->set_registers(cpu);
    g_ptr_array_add(accel->vcpus, vcpu);
    vcpu->thread = g_thread_new(name, vcpu_main, vcpu);
    g_mutex_lock(&vcpu->mutex);
    while (!vcpu->standing) {
        g_cond_wait(&vcpu->stopped, &vcpu->mutex);
    }
    g_mutex_unlock(&vcpu->mutex);
    return true;
}

void accel_destroy_vcpu(Accel *accel, X86CPU *cpu)
{
    AccelVCPU *vcpu = accel_vcpu(cpu);

    if (!vcpu) {
        return;
    }
    g_mutex_lock(&vcpu->mutex);
    vcpu->stop = vcpu->quit = 1;
    g_cond_broadcast(&vcpu->wake);
    g_mutex_unlock(&vcpu->mutex);
    g_thread_join(vcpu->thread);
    g_ptr_array_remove(accel->vcpus, vcpu);
    cpu->ops = NULL;
    ACCEL_GET_CLASS(accel)->destroy_vcpu(vcpu);
    cpu->accel_data = NULL;
    g_mutex_clear(&vcpu->mutex);
    g_cond_clear(&vcpu->wake);
    g_cond_clear(&vcpu->stopped);
    g_free(vcpu);
}

static void set_stop(AccelVCPU *vcpu, bool stop)
{
    AccelClass *klass = ACCEL_GET_CLASS(vcpu->accel);

    g_mutex_lock(&vcpu->mutex);
    __atomic_store_n(&vcpu->stop, stop, __ATOMIC_RELEASE);
    g_cond_broadcast(&vcpu->wake);
    if (stop) {
        klass->kick_vcpu(vcpu);
    }
    g_mutex_unlock(&vcpu->mutex);
}

void accel_resume_all(Accel *accel)
{
    accel->running = true;
    for (guint i = 0; i < accel->vcpus->len; i++) {
        set_stop(accel->vcpus->pdata[i], false);
    }
}

void accel_hold_all(Accel *accel)
{
    for (guint i = 0; i < accel->vcpus->len; i++) {
        set_stop(accel->vcpus->pdata[i], true);
    }
}

void accel_pause_all(Accel *accel)
{
    if (!accel->running) {
        return;
    }
    accel_hold_all(accel);
    /* A vCPU may be waiting for the machine lock to finish its access. */
    io_unlock();
    for (guint i = 0; i < accel->vcpus->len; i++) {
        AccelVCPU *vcpu = accel->vcpus->pdata[i];

        g_mutex_lock(&vcpu->mutex);
        while (!vcpu->standing) {
            g_cond_wait(&vcpu->stopped, &vcpu->mutex);
        }
        g_mutex_unlock(&vcpu->mutex);
    }
    io_lock();
    accel->running = false;
    for (guint i = 0; i < accel->vcpus->len; i++) {
        accel_get_registers(((AccelVCPU *)accel->vcpus->pdata[i])->cpu);
    }
}

void accel_kick(Accel *accel, X86CPU *cpu)
{
    AccelVCPU *vcpu = accel_vcpu(cpu);

    if (!vcpu) {
        return;
    }
    g_mutex_lock(&vcpu->mutex);
    __atomic_store_n(&vcpu->kicked, 1, __ATOMIC_RELEASE);
    g_cond_broadcast(&vcpu->wake);
    ACCEL_GET_CLASS(accel)->kick_vcpu(vcpu);
    g_mutex_unlock(&vcpu->mutex);
}

/* -- The rest is the accelerator's ------------------------------------------------------- */

void accel_get_registers(X86CPU *cpu)
{
    if (cpu->ops) {
        cpu->ops->get_registers(cpu);
    }
}

void accel_set_registers(X86CPU *cpu)
{
    if (cpu->ops) {
        cpu->ops->set_registers(cpu);
    }
}

bool accel_irqchip_in_kernel(Accel *accel)
{
    AccelClass *klass = ACCEL_GET_CLASS(accel);

    return klass->irqchip_in_kernel && klass->irqchip_in_kernel(accel);
}

bool accel_send_msi(Accel *accel, hwaddr address, uint32_t data)
{
    AccelClass *klass = ACCEL_GET_CLASS(accel);

    return klass->send_msi && klass->send_msi(accel, address, data);
}

int accel_thread_id(X86CPU *cpu)
{
    AccelVCPU *vcpu = accel_vcpu(cpu);

    return vcpu ? vcpu->thread_id : 0;
}

void accel_get_statistics(Accel *accel, AccelStatistics *statistics)
{
    *statistics = (AccelStatistics){0};
    for (guint i = 0; i < accel->vcpus->len; i++) {
        const AccelStatistics *one = &((AccelVCPU *)accel->vcpus->pdata[i])->statistics;

        statistics->instructions += one->instructions;
        statistics->exits += one->exits;
        statistics->io += one->io;
        statistics->mmio += one->mmio;
        statistics->halts += one->halts;
        statistics->interrupts += one->interrupts;
    }
}
