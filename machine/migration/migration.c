/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/migration/migration.h"

/* QEMU's pseudo device "migration", whose properties -global and machine types set. */
typedef struct MigrationDevice {
    Device parent;
    bool store_global_state, send_configuration, send_section_footer, suppress_vmdesc;
} MigrationDevice;

static MigrationDevice *device;
static StreamFormat format = {true, true, true};
static uint8_t uuid[16]; /* -uuid's */
static MigrationEventHandler event_handler;

static const Property migration_properties[] = {
    PROP_BOOL("store-global-state", MigrationDevice, store_global_state, true,
              "the run state goes into the stream whatever it is"),
    PROP_BOOL("send-configuration", MigrationDevice, send_configuration, true,
              "the machine type's name goes into the stream"),
    PROP_BOOL("send-section-footer", MigrationDevice, send_section_footer, true,
              "each section of the stream ends with its number"),
    PROP_BOOL("suppress-vmdesc", MigrationDevice, suppress_vmdesc, false,
              "leave the description at the stream's end out"),
    PROP_END,
};

static void migration_device_class_init(DeviceClass *klass)
{
    property_install_table(G_OBJECT_CLASS(klass), migration_properties);
}

static GType migration_device_get_type(void);
DEVICE_DEFINE_TYPE(MigrationDevice, migration_device, "migration", TYPE_DEVICE)

bool migration_init(Machine *machine, GError **error)
{
    device = (MigrationDevice *)device_new(migration_device_get_type(), error);
    if (!device) {
        return false;
    }
    format = (StreamFormat){
        .configuration = device->send_configuration,
        .footers = device->send_section_footer,
        .description = !device->suppress_vmdesc,
    };
    if (machine->config.uuid && parse_uuid(machine->config.uuid, uuid)) {
        format.uuid = uuid;
    }
    migration_global_state_init();
    return true;
}

bool migration_arrived(GError **error)
{
    Machine *machine = machine_current();
    MachineClass *klass = MACHINE_GET_CLASS(machine);

    return !klass->arrived || klass->arrived(machine, error);
}

const StreamFormat *migration_format(void)
{
    format.send_uuid = migration_capabilities()->validate_uuid;
    return &format;
}

bool migration_stores_global_state(void)
{
    return device && device->store_global_state;
}

const char *migration_status_name(MigrationStatus status)
{
    static const char *const names[MIGRATION_STATUSES] = {
        [MIGRATION_STATUS_NONE] = "none",
        [MIGRATION_STATUS_SETUP] = "setup",
        [MIGRATION_STATUS_CANCELLING] = "cancelling",
        [MIGRATION_STATUS_CANCELLED] = "cancelled",
        [MIGRATION_STATUS_ACTIVE] = "active",
        [MIGRATION_STATUS_COMPLETED] = "completed",
        [MIGRATION_STATUS_FAILED] = "failed",
        [MIGRATION_STATUS_PRE_SWITCHOVER] = "pre-switchover",
        [MIGRATION_STATUS_DEVICE] = "device",
    };

    return names[status];
}

void migration_set_event_handler(MigrationEventHandler handler)
{
    event_handler = handler;
}

void migration_tell(MigrationStatus status, uint64_t pass)
{
    if (event_handler) {
        event_handler(status, pass);
    }
}
