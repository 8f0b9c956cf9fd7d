/*
 * Machine: one whole machine, made of a type's devices on its memory tree.
 *
 * A MachineType is a row of a table that machine/types or a plugin (plugin.h) registers;
 * its GType is the class that builds it, `data` what distinguishes the rows of one class.
 * machine_new() makes the empty machine with its properties, machine_build() its memory,
 * CPUs and devices. All with the machine lock held.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_MACHINE_H
#define MACHINE_MACHINE_H

#include "hw/block/block.h"
#include "hw/char/chardev.h"
#include "hw/core/clock.h"
#include "hw/core/device.h"
#include "hw/i386/x86-cpu.h"
#include "hw/isa/isa-bus.h"
#include "hw/nvram/fw-cfg.h"
#include "hw/pci/pci.h"
#include "machine/accel/accel.h"

#define MACHINE_SERIAL_PORTS 4
#define MACHINE_PARALLEL_PORTS 3

typedef struct Machine Machine;
typedef struct MachineClass MachineClass;
typedef struct MachineType MachineType;

/* One setting that a type gives its devices before the user's -global (see device.h). */
typedef struct MachineCompat {
    const char *driver, *property, *value;
} MachineCompat;

/* How a reboot goes that does not simply work on the real system. Methods and outcomes are
 * those of `umbra reboot`. */
typedef struct MachineReboot {
    const char *method;  /* "bios", "kbd" ... */
    const char *outcome; /* "shutdown", "hung", "fault"; "unsupported": it lacks the means */
    const char *why;     /* a sentence's second half, after a colon */
} MachineReboot;

struct MachineType {
    const char *name;  /* "pc-i440fx-7.2" */
    const char *alias; /* "pc", or NULL */
    const char *desc;  /* for `-M help` */
    bool is_default;
    const char *origin; /* "built in", or the plugin's file */
    uint64_t default_ram; /* bytes */
    const char *default_cpu; /* a model of machine/accel/cpu-model.h; NULL: the generic one */
    GType (*get_type)(void);
    const MachineCompat *compat; /* ended by a NULL driver; or NULL */
    const void *data;            /* the class's own */
    const char *deprecated;      /* why not to use it any more, or NULL */
    const MachineReboot *reboots; /* ended by a NULL method; or NULL: each works */
    bool bare;                   /* has neither RAM nor CPUs */
    bool no_default_devices;     /* but a serial port: the board has no place for them */
    const char *reboot_kernel;   /* what `umbra reboot` starts on it, of the built-in guests;
                                    NULL: firmware, and a disk's boot sector */
    bool takes_environment;      /* its kernels are given -e's strings */
    bool ends_on_triple_fault;   /* which is a reset elsewhere */
    unsigned max_cpus;           /* 0: 255 */
    bool ends_on_reset;          /* of whatever kind the guest asks for */
};

/* What the command line says that every machine type understands. */
typedef struct MachineConfig {
    uint64_t ram_size; /* bytes */
    unsigned cpus, max_cpus;
    char *name;     /* -name */
    char *uuid;     /* -uuid, or NULL */
    char *firmware; /* -bios: a name to look for or a path; NULL: the type's */
    const char *const *data_dirs; /* -L, NULL-terminated: where to look for it first */
    char *kernel, *initrd, *append; /* -kernel, -initrd, -append, or NULL */
    const char *const *environment; /* -e: "name=value", NULL-terminated; or NULL */
    char **option_roms;             /* -option-rom; NULL-terminated, or NULL: none */
    char *boot_order; /* letters as -boot order=; NULL: the type's */
    char *boot_once;  /* the same for the time until the first reset; or NULL */
    bool boot_menu;
    bool boot_strict;    /* nothing but what has a bootindex is tried */
    int boot_wait_ms;    /* -boot reboot-timeout; -1: never */
    int boot_menu_ms;    /* -boot splash-time; -1: not given */
    const GPtrArray *smbios; /* -smbios' arguments; NULL: none */
    const GPtrArray *acpi_tables; /* -acpitable's; NULL: none */
    char *rtc_base;      /* "utc", "localtime" or a date; NULL: utc */
    ClockKind rtc_clock; /* what moves the RTC */
    bool default_devices; /* no -nodefaults */
    bool graphics;       /* false: -nographic */
    Chardev *serial[MACHINE_SERIAL_PORTS];
    Chardev *parallel[MACHINE_PARALLEL_PORTS];
    Chardev *debugcon;
    char *vga; /* -vga; NULL: the type's */
} MachineConfig;

struct Machine {
    GObject parent;
    const MachineType *type;
    MachineConfig config;
    Accel *accel;
    char *memory_backend; /* the id of the one that is the RAM; NULL: plain memory */

    MemoryRegion system_memory; /* "system": what address space "memory" shows */
    MemoryRegion system_io;     /* "io" */
    AddressSpace memory, io;
    MemoryRegion ram; /* "pc.ram", or the memory backend's id */

    GPtrArray *cpus; /* X86CPU * */
    ISABus *isa;
    PCIBus *pci; /* NULL: none */
    FWCfg *fw_cfg;
};

/* What resets a machine: everything anew, or the wake-up from S3, which keeps memory. */
typedef enum MachineResetKind { MACHINE_RESET_COLD, MACHINE_RESET_WAKEUP } MachineResetKind;

struct MachineClass {
    GObjectClass parent;
    bool (*build)(Machine *machine, GError **error);
    /* After -device has made its devices and before the first reset: tables that name
     * them. May be NULL. */
    bool (*complete)(Machine *machine, GError **error);
    /* Before devices are reset. May be NULL. */
    void (*reset)(Machine *machine, MachineResetKind kind);
    /* After they are: what starts without firmware gives the processors its registers
     * (accel_set_registers()). May be NULL. */
    void (*start)(Machine *machine, MachineResetKind kind);
    /* All of an incoming migration's memory and device state is there, and no vCPU has run
     * on it. False and *error refuses the migration. May be NULL. */
    bool (*arrived)(Machine *machine, GError **error);
};

GType machine_get_type(void);
#define TYPE_MACHINE (machine_get_type())
#define MACHINE(object) (G_TYPE_CHECK_INSTANCE_CAST((object), TYPE_MACHINE, Machine))
#define MACHINE_CLASS(klass) (G_TYPE_CHECK_CLASS_CAST((klass), TYPE_MACHINE, MachineClass))
#define MACHINE_GET_CLASS(object)                                                          \
    (G_TYPE_INSTANCE_GET_CLASS((object), TYPE_MACHINE, MachineClass))

/* As DEVICE_DEFINE_TYPE, for machines: the file provides
 * `static void type_name_class_init(MachineClass *klass)`. */
#define MACHINE_DEFINE_TYPE(Struct, type_name, name, PARENT_TYPE)                        \
    DEVICE_DEFINE_TYPE_OF(MachineClass, Struct, type_name, name, PARENT_TYPE)

/* Adds a table of types (ended by a NULL name) that lives forever. */
void machine_types_add(const MachineType *table);
/* All types, those of every plugin that is found among them. */
void machine_types_foreach(void (*func)(const MachineType *type, void *opaque),
                           void *opaque);
/* By name or alias, built in or from a plugin; `name` NULL: the default. NULL and *error
 * that names the nearest, or says what is wrong with the plugin. */
const MachineType *machine_type_find(const char *name, GError **error);
/* The same among the types that are there now; NULL: none. */
const MachineType *machine_type_find_known(const char *name);

/* The process's machine; NULL before machine_new(). */
Machine *machine_current(void);

/* The machine, with its type's defaults; takes over the accelerator's reference. The
 * config's strings become the machine's. */
Machine *machine_new(const MachineType *type, Accel *accel);

/* Checks the memory size, makes the address spaces, RAM, CPUs and devices. False and
 * *error when the configuration cannot be built; the process is then to exit. */
bool machine_build(Machine *machine, GError **error);
bool machine_complete(Machine *machine, GError **error);

/* For a type's build(): makes machine->ram, from the memory backend that the user named or
 * else under the name `name`. */
bool machine_init_ram(Machine *machine, const char *name, GError **error);

#endif
