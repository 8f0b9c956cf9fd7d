/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/machine.h"

#include <gio/gio.h>

#include "hw/core/trace.h"
#include "machine/memory-backend.h"
#include "machine/plugin.h"
#include "memory/access.h"

static Machine *current;
static GPtrArray *type_tables; /* const MachineType * */

G_DEFINE_ABSTRACT_TYPE(Machine, machine, G_TYPE_OBJECT)

static void machine_init(Machine *machine)
{
    machine->cpus = g_ptr_array_new();
}

static const Property machine_properties[] = {
    PROP_STRING("memory-backend", Machine, memory_backend, NULL,
                "the id of the memory backend that is the RAM"),
    PROP_END,
};

static void machine_class_init(MachineClass *klass)
{
    property_install_table(G_OBJECT_CLASS(klass), machine_properties);
}

void machine_types_add(const MachineType *table)
{
    if (!type_tables) {
        type_tables = g_ptr_array_new();
    }
    g_ptr_array_add(type_tables, (gpointer)table);
}

static void foreach_known(void (*func)(const MachineType *type, void *opaque), void *opaque)
{
    for (guint i = 0; type_tables && i < type_tables->len; i++) {
        for (const MachineType *type = type_tables->pdata[i]; type->name; type++) {
            func(type, opaque);
        }
    }
}

void machine_types_foreach(void (*func)(const MachineType *type, void *opaque), void *opaque)
{
    machine_plugins_load_all();
    foreach_known(func, opaque);
}

typedef struct TypeSearch {
    const char *name;
    const MachineType *found;
} TypeSearch;

static void search_type(const MachineType *type, void *opaque)
{
    TypeSearch *search = opaque;

    if (search->name ? g_strcmp0(type->name, search->name) == 0 ||
                           g_strcmp0(type->alias, search->name) == 0
                     : type->is_default) {
        search->found = type;
    }
}

const MachineType *machine_type_find_known(const char *name)
{
    TypeSearch search = {.name = name};

    foreach_known(search_type, &search);
    return search.found;
}

static void add_names(const MachineType *type, void *names)
{
    g_ptr_array_add(names, (gpointer)type->name);
    if (type->alias) {
        g_ptr_array_add(names, (gpointer)type->alias);
    }
}

static void set_unknown_type(const char *name, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const char *nearest;

    machine_types_foreach(add_names, names);
    g_ptr_array_add(names, NULL);
    nearest = nearest_name(name, (const char *const *)names->pdata);
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                "unsupported machine type '%s'%s%s%s; -M help lists them", name,
                nearest ? ", did you mean '" : "", nearest ? nearest : "",
                nearest ? "'?" : "");
}

const MachineType *machine_type_find(const char *name, GError **error)
{
    const MachineType *type = machine_type_find_known(name);
    GError *broken = NULL;

    if (!type && name && machine_plugin_load_for(name, &broken)) {
        type = machine_type_find_known(name);
    }
    if (broken) {
        g_propagate_prefixed_error(error, broken, "machine type '%s' from plugin ", name);
    } else if (!type) {
        set_unknown_type(name ? name : "", error);
    }
    return type;
}

Machine *machine_current(void)
{
    return current;
}

Machine *machine_new(const MachineType *type, Accel *accel)
{
    Machine *machine = g_object_new(type->get_type(), NULL);

    property_init_defaults(G_OBJECT(machine));
    machine->type = type;
    machine->accel = accel;
    machine->config.ram_size = type->default_ram;
    machine->config.cpus = machine->config.max_cpus = 1;
    machine->config.boot_wait_ms = machine->config.boot_menu_ms = -1;
    machine->config.rtc_clock = CLOCK_KIND_HOST;
    machine->config.default_devices = true;
    machine->config.graphics = true;
    for (const MachineCompat *row = type->compat; row && row->driver; row++) {
        device_add_global(row->driver, row->property, row->value, true);
    }
    current = machine;
    return machine;
}

/* -- Address spaces ---------------------------------------------------------------------- */

/* A port that nobody drives floats high: all ones; what is written is lost. */
static uint64_t floating_read(void *opaque, hwaddr offset, unsigned size)
{
    trace(TRACE_IO_UNASSIGNED, "read 0x%x(%c)", (unsigned)offset, "?bw?l"[size]);
    return UINT64_MAX;
}

static void floating_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    trace(TRACE_IO_UNASSIGNED, "write 0x%x(%c) value %u", (unsigned)offset, "?bw?l"[size],
          (unsigned)value);
}

static const MemoryRegionOps floating_ops = {
    .read = floating_read,
    .write = floating_write,
    .endianness = DEVICE_NATIVE_ENDIAN,
};

static bool check_ram_size(uint64_t size, GError **error)
{
    if (size < MiB(1)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "-m: %" G_GUINT64_FORMAT " bytes of RAM is too little: a PC needs at "
                    "least 1 MiB (-m 1M)",
                    size);
        return false;
    }
    if (size % MEMORY_PAGE_SIZE) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "-m: %" G_GUINT64_FORMAT " bytes of RAM is not a multiple of 4 KiB",
                    size);
        return false;
    }
    return true;
}

bool machine_init_ram(Machine *machine, const char *name, GError **error)
{
    uint64_t size = machine->config.ram_size;
    MemoryBackend *backend;

    if (!machine->memory_backend) {
        return memory_region_init_ram(&machine->ram, NULL, name, size, error);
    }
    backend = memory_backend_find(machine->memory_backend, error);
    if (backend && backend->size != size) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "the machine's %" PRIu64 " KiB of RAM are not the size of memory "
                    "backend '%s', %" PRIu64 " KiB; leave -m out",
                    size >> 10, machine->memory_backend, backend->size >> 10);
        return false;
    }
    return backend && memory_backend_init_region(backend, &machine->ram, error);
}

static void trace_unassigned(AddressSpace *as, hwaddr addr, unsigned size, bool is_write,
                             void *opaque)
{
    trace(TRACE_MEMORY_UNASSIGNED, "%s 0x%" G_GINT64_MODIFIER "x size %u",
          is_write ? "write" : "read", addr, size);
}

static void make_address_spaces(Machine *machine)
{
    memory_region_init(&machine->system_memory, NULL, "system", UINT64_MAX);
    memory_region_init_io(&machine->system_io, NULL, &floating_ops, NULL, "io", 65536);
    address_space_init(&machine->memory, &machine->system_memory, "memory");
    address_space_set_unassigned_policy(&machine->memory, MEMORY_UNASSIGNED_READ_ZERO,
                                        trace_unassigned, NULL);
    address_space_init(&machine->io, &machine->system_io, "I/O");
}

static bool make_cpus(Machine *machine, GError **error)
{
    for (unsigned i = 0; i < machine->config.cpus; i++) {
        Device *dev = device_new(TYPE_X86_CPU, error);
        X86CPU *cpu;

        if (!dev) {
            return false;
        }
        cpu = X86_CPU(dev);
        cpu->index = i;
        x86_cpu_init_spaces(cpu, &machine->system_memory,
                            ACCEL_GET_CLASS(machine->accel)->smm_spaces);
        address_space_set_unassigned_policy(cpu->memory, MEMORY_UNASSIGNED_READ_ZERO,
                                            trace_unassigned, NULL);
        cpu->io = &machine->io;
        g_ptr_array_add(machine->cpus, cpu);
        if (!device_realize(dev, NULL, error) ||
            !accel_create_vcpu(machine->accel, cpu, error)) {
            return false;
        }
    }
    return true;
}

bool machine_build(Machine *machine, GError **error)
{
    bool built;

    if (machine->type->bare) {
        machine->config.cpus = machine->config.max_cpus = 0;
        machine->config.ram_size = 0;
    } else if (!check_ram_size(machine->config.ram_size, error)) {
        return false;
    }
    if (machine->config.environment && *machine->config.environment &&
        !machine->type->takes_environment) {
        return refuse_argument(error, "-e: a guest of %s has no such environment; that of "
                                      "bhyve has (-M bhyve)",
                               machine->type->name);
    }
    clock_register_state();
    make_address_spaces(machine);
    if (!accel_init(machine->accel, &machine->memory, &machine->io, error)) {
        return false;
    }
    /* One commit for the whole board: nobody looks before it is complete. */
    memory_region_transaction_begin();
    built = make_cpus(machine, error) && MACHINE_GET_CLASS(machine)->build(machine, error);
    memory_region_transaction_commit();
    return built;
}

bool machine_complete(Machine *machine, GError **error)
{
    MachineClass *klass = MACHINE_GET_CLASS(machine);

    return !klass->complete || klass->complete(machine, error);
}
