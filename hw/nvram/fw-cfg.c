/*
 * fw_cfg: what the machine tells its firmware, behind a selector and a data port.
 *
 * Port 0x510 takes a 16-bit key; port 0x511 then gives the item's bytes one by one, and
 * zeroes after its end. Keys below 0x20 are fixed; files have the keys from 0x20 on, in
 * the order of the directory, which is item 0x19 (fw_cfg specification, "Selector
 * (Control) Register" to "File Directory").
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/nvram/fw-cfg-internal.h"

#include <gio/gio.h>
#include <string.h>

#define FW_CFG_PORT 0x510
#define FW_CFG_DMA_PORT 0x514

#define KEY_INVALID 0xffff

enum {
    ID_PORTS = 1 << 0,
    ID_DMA = 1 << 1,
};

/* A directory entry: big-endian, the name NUL-terminated. */
typedef struct DirectoryEntry {
    uint32_t size;
    uint16_t key;
    uint16_t reserved;
    char name[56];
} DirectoryEntry;

G_STATIC_ASSERT(sizeof(DirectoryEntry) == 64);

DEVICE_DEFINE_TYPE(FWCfg, fw_cfg, "fw_cfg_io", TYPE_DEVICE)

/* -- The guest's side ------------------------------------------------------------------
 */

FWCfgItem *fw_cfg_current_item(FWCfg *cfg)
{
    if (cfg->selected >= FW_CFG_FILE_FIRST && !(cfg->selected & FW_CFG_ARCH_LOCAL)) {
        guint place = cfg->selected - FW_CFG_FILE_FIRST;

        return place < cfg->files->len ? cfg->files->pdata[place] : NULL;
    }
    return g_hash_table_lookup(cfg->items, GUINT_TO_POINTER(cfg->selected));
}

void fw_cfg_select(FWCfg *cfg, uint16_t key)
{
    FWCfgItem *item;

    cfg->selected = key & ~FW_CFG_WRITE_BIT;
    cfg->offset = 0;
    if ((cfg->selected & ~FW_CFG_ARCH_LOCAL) >= FW_CFG_FILE_FIRST + cfg->file_slots) {
        cfg->selected = KEY_INVALID;
    }
    item = fw_cfg_current_item(cfg);
    if (item && item->select) {
        item->select(item->opaque);
    }
}

static uint64_t ports_read(void *opaque, hwaddr offset, unsigned size)
{
    FWCfg *cfg = opaque;
    FWCfgItem *item = fw_cfg_current_item(cfg);

    return item && cfg->offset < item->length ? item->data[cfg->offset++] : 0;
}

static void ports_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    if (size == 2) {
        fw_cfg_select(opaque, value);
    }
    /* A byte was once written to the item; QEMU has ignored it since 2.4. */
}

static bool ports_accept(void *opaque, hwaddr offset, unsigned size, bool is_write,
                         MemTxAttrs attrs)
{
    return size == 1 || (is_write && size == 2);
}

static const MemoryRegionOps ports_ops = {
    .read = ports_read,
    .write = ports_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = {.min_access_size = 1, .max_access_size = 2, .accepts = ports_accept},
    .impl = {.min_access_size = 1, .max_access_size = 2},
};

/* -- Items -----------------------------------------------------------------------------
 */

static void item_set_data(FWCfgItem *item, const void *data, size_t length)
{
    uint8_t *old = item->owned ? item->data : NULL;

    item->data = g_memdup2(data, length); /* before the free: data may be the old bytes */
    item->length = length;
    item->owned = true;
    g_free(old);
}

static void item_free(gpointer data)
{
    FWCfgItem *item = data;

    if (item->owned) {
        g_free(item->data);
    }
    g_free(item->name);
    g_free(item);
}

void fw_cfg_add_bytes(FWCfg *cfg, uint16_t key, const void *data, size_t length)
{
    FWCfgItem *item = g_hash_table_lookup(cfg->items, GUINT_TO_POINTER(key));

    if (!item) {
        item = g_new0(FWCfgItem, 1);
        g_hash_table_insert(cfg->items, GUINT_TO_POINTER(key), item);
    }
    item_set_data(item, data, length);
}

void fw_cfg_add_string(FWCfg *cfg, uint16_t key, const char *text)
{
    fw_cfg_add_bytes(cfg, key, text, strlen(text) + 1);
}

void fw_cfg_add_i16(FWCfg *cfg, uint16_t key, uint16_t value)
{
    value = GUINT16_TO_LE(value);
    fw_cfg_add_bytes(cfg, key, &value, sizeof(value));
}

void fw_cfg_add_i32(FWCfg *cfg, uint16_t key, uint32_t value)
{
    value = GUINT32_TO_LE(value);
    fw_cfg_add_bytes(cfg, key, &value, sizeof(value));
}

void fw_cfg_add_i64(FWCfg *cfg, uint16_t key, uint64_t value)
{
    value = GUINT64_TO_LE(value);
    fw_cfg_add_bytes(cfg, key, &value, sizeof(value));
}

/* -- Files -----------------------------------------------------------------------------
 */

void fw_cfg_update_directory(FWCfg *cfg)
{
    uint32_t count = GUINT32_TO_BE(cfg->files->len);
    GByteArray *directory = g_byte_array_new();

    g_byte_array_append(directory, (uint8_t *)&count, sizeof(count));
    for (guint i = 0; i < cfg->files->len; i++) {
        const FWCfgItem *item = cfg->files->pdata[i];
        DirectoryEntry entry = {
            .size = GUINT32_TO_BE((uint32_t)item->length),
            .key = GUINT16_TO_BE(FW_CFG_FILE_FIRST + i),
        };

        g_strlcpy(entry.name, item->name, sizeof(entry.name));
        g_byte_array_append(directory, (uint8_t *)&entry, sizeof(entry));
    }
    fw_cfg_add_bytes(cfg, FW_CFG_FILE_DIR, directory->data, directory->len);
    g_byte_array_unref(directory);
}

FWCfgItem *fw_cfg_find_item(FWCfg *cfg, const char *name)
{
    for (guint i = 0; i < cfg->files->len; i++) {
        FWCfgItem *item = cfg->files->pdata[i];

        if (!strcmp(item->name, name)) {
            return item;
        }
    }
    return NULL;
}

/* Machine types up to 2.5 gave keys in the order in which QEMU of their time happened to
 * add the files, and a migrated guest remembers keys. Files that the list has not come
 * after those that it has, in order of adding. The user's files share a row. */
#define LEGACY_USER "-fw_cfg"

static const char *const legacy_names[] = {
    "etc/boot-menu-wait",
    "bootsplash.jpg",
    "bootsplash.bmp",
    "etc/boot-fail-wait",
    "etc/smbios/smbios-tables",
    "etc/smbios/smbios-anchor",
    "etc/e820",
    "etc/reserved-memory-end",
    "genroms/kvmvapic.bin",
    "genroms/linuxboot.bin",
    "etc/system-states",
    LEGACY_USER,
    "etc/pvpanic-port",
    "etc/extra-pci-roots",
    "etc/acpi/tables",
    "etc/table-loader",
    "etc/tpm/log",
    "etc/acpi/rsdp",
    "bootorder",
};

static guint legacy_rank(const FWCfgItem *item)
{
    const char *name = item->users ? LEGACY_USER : item->name;
    guint rank = 0;

    while (rank < G_N_ELEMENTS(legacy_names) && strcmp(name, legacy_names[rank])) {
        rank++;
    }
    return rank;
}

static bool file_goes_after(FWCfg *cfg, const FWCfgItem *item, const FWCfgItem *other)
{
    if (cfg->legacy_order) {
        return legacy_rank(item) >= legacy_rank(other);
    }
    return strcmp(item->name, other->name) > 0;
}

/* A new file in its place, without data; the keys of those behind it move up by one. */
static FWCfgItem *insert_file(FWCfg *cfg, const char *name, bool users, GError **error)
{
    FWCfgItem *item;
    guint place = 0;

    if (strlen(name) == 0 || strlen(name) >= sizeof(((DirectoryEntry *)NULL)->name)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "fw_cfg file name '%s' is %s; use 1 to 55 characters", name,
                    *name ? "too long" : "empty");
        return NULL;
    }
    if (cfg->files->len >= cfg->file_slots) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
                    "no fw_cfg file slot is left for '%s'; raise fw_cfg_io.x-file-slots "
                    "(now %u)",
                    name, cfg->file_slots);
        return NULL;
    }
    item = g_new0(FWCfgItem, 1);
    item->name = g_strdup(name);
    item->users = users;
    while (place < cfg->files->len &&
           file_goes_after(cfg, item, cfg->files->pdata[place])) {
        place++;
    }
    g_ptr_array_insert(cfg->files, place, item);
    return item;
}

static bool length_fits(const char *name, size_t length, GError **error)
{
    if (length > UINT32_MAX) { /* the directory's size field */
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "fw_cfg file '%s' is larger than 4 GiB", name);
        return false;
    }
    return true;
}

static bool add_file(FWCfg *cfg, const char *name, const void *data, size_t length,
                     bool users, GError **error)
{
    FWCfgItem *item = fw_cfg_find_item(cfg, name);

    if (!length_fits(name, length, error) ||
        (!item && !(item = insert_file(cfg, name, users, error)))) {
        return false;
    }
    item_set_data(item, data, length);
    fw_cfg_update_directory(cfg);
    return true;
}

bool fw_cfg_add_file(FWCfg *cfg, const char *name, const void *data, size_t length,
                     GError **error)
{
    return add_file(cfg, name, data, length, false, error);
}

bool fw_cfg_add_users_file(FWCfg *cfg, const char *name, const void *data, size_t length,
                           GError **error)
{
    return add_file(cfg, name, data, length, true, error);
}

bool fw_cfg_add_file_callback(FWCfg *cfg, const char *name, void (*select)(void *opaque),
                              void (*written)(void *opaque, size_t start, size_t length),
                              void *opaque, void *data, size_t length, bool writable,
                              GError **error)
{
    FWCfgItem *item = fw_cfg_find_item(cfg, name);

    if (!length_fits(name, length, error) ||
        (!item && !(item = insert_file(cfg, name, false, error)))) {
        return false;
    }
    if (item->owned) {
        g_free(item->data);
    }
    item->data = data;
    item->length = length;
    item->owned = false;
    item->writable = writable;
    item->select = select;
    item->written = written;
    item->opaque = opaque;
    fw_cfg_update_directory(cfg);
    return true;
}

const void *fw_cfg_find_file(FWCfg *cfg, const char *name, size_t *length)
{
    FWCfgItem *item = fw_cfg_find_item(cfg, name);

    if (!item) {
        return NULL;
    }
    *length = item->length;
    return item->data ? item->data : (const void *)"";
}

void fw_cfg_foreach_file(FWCfg *cfg,
                         void (*func)(const char *name, uint16_t key, size_t length,
                                      void *opaque),
                         void *opaque)
{
    for (guint i = 0; i < cfg->files->len; i++) {
        const FWCfgItem *item = cfg->files->pdata[i];

        func(item->name, FW_CFG_FILE_FIRST + i, item->length, opaque);
    }
}

/* -- The device ------------------------------------------------------------------------
 */

static bool fw_cfg_realize(Device *dev, GError **error)
{
    FWCfg *cfg = FW_CFG(dev);
    bool dma = cfg->dma && cfg->dma_enabled;

    if (cfg->file_slots < 0x10 ||
        cfg->file_slots > FW_CFG_WRITE_BIT - FW_CFG_FILE_FIRST) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "fw_cfg_io.x-file-slots is %u; give 16 to %u", cfg->file_slots,
                    FW_CFG_WRITE_BIT - FW_CFG_FILE_FIRST);
        return false;
    }
    cfg->items = g_hash_table_new_full(NULL, NULL, NULL, item_free);
    cfg->files = g_ptr_array_new_with_free_func(item_free);
    fw_cfg_add_bytes(cfg, FW_CFG_SIGNATURE, "QEMU", 4);
    fw_cfg_add_i32(cfg, FW_CFG_ID, ID_PORTS | (dma ? ID_DMA : 0));
    fw_cfg_update_directory(cfg);

    memory_region_init_io(&cfg->ports, G_OBJECT(cfg), &ports_ops, cfg, "fwcfg", 2);
    memory_region_add_subregion(cfg->io, FW_CFG_PORT, &cfg->ports);
    if (dma) {
        fw_cfg_dma_init_region(cfg);
        memory_region_add_subregion(cfg->io, FW_CFG_DMA_PORT, &cfg->dma_port);
    }
    return true;
}

bool fw_cfg_has_dma(const FWCfg *cfg)
{
    return cfg->dma && cfg->dma_enabled;
}

static void fw_cfg_unrealize(Device *dev)
{
    FWCfg *cfg = FW_CFG(dev);
    MemoryRegion *regions[] = {&cfg->dma_port, &cfg->ports};

    for (size_t i = 0; i < G_N_ELEMENTS(regions); i++) {
        if (memory_region_is_mapped(regions[i])) {
            memory_region_del_subregion(cfg->io, regions[i]);
            memory_region_destroy(regions[i]);
        }
    }
    g_clear_pointer(&cfg->items, g_hash_table_unref);
    g_clear_pointer(&cfg->files, g_ptr_array_unref);
}

static void fw_cfg_reset(Device *dev)
{
    FWCfg *cfg = FW_CFG(dev);

    fw_cfg_select(cfg, FW_CFG_SIGNATURE);
    cfg->dma_address = 0;
    if (cfg->on_reset) {
        cfg->on_reset(cfg->on_reset_opaque);
    }
}

void fw_cfg_on_reset(FWCfg *cfg, void (*func)(void *opaque), void *opaque)
{
    cfg->on_reset = func;
    cfg->on_reset_opaque = opaque;
}

void fw_cfg_set_file_room(FWCfg *cfg, const char *name, size_t room)
{
    FWCfgItem *item = fw_cfg_find_item(cfg, name);

    g_return_if_fail(item && !item->owned);
    item->room = room;
}

static const Property fw_cfg_properties[] = {
    PROP_BOOL("dma_enabled", FWCfg, dma_enabled, true, "the DMA interface answers"),
    PROP_UINT16("x-file-slots", FWCfg, file_slots, 0x20, "how many files there can be"),
    PROP_BOOL("x-legacy-order", FWCfg, legacy_order, false,
              "files have the keys of machine types up to 2.5"),
    PROP_BOOL("acpi-mr-restore", FWCfg, acpi_mr_restore, true,
              "migration streams say how long the ACPI tables are"),
    PROP_END,
};

static void fw_cfg_class_init(DeviceClass *klass)
{
    klass->desc = "Firmware configuration";
    klass->vmsd = &vmstate_fw_cfg;
    klass->realize = fw_cfg_realize;
    klass->unrealize = fw_cfg_unrealize;
    klass->reset = fw_cfg_reset;
    property_install_table(G_OBJECT_CLASS(klass), fw_cfg_properties);
}

FWCfg *fw_cfg_new_io(MemoryRegion *io, AddressSpace *dma, GError **error)
{
    Device *dev = device_new(TYPE_FW_CFG, error);
    FWCfg *cfg;

    if (!dev) {
        return NULL;
    }
    cfg = FW_CFG(dev);
    cfg->io = io;
    cfg->dma = dma;
    device_set_name(dev, NULL, "fw_cfg");
    return device_realize(dev, NULL, error) ? cfg : NULL;
}
