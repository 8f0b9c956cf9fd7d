/*
 * fw_cfg: the device through which firmware reads what the machine tells it
 * (docs/specs/fw_cfg of QEMU gives the interface; selectors and files are its).
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_NVRAM_FW_CFG_H
#define HW_NVRAM_FW_CFG_H

#include "hw/core/device.h"
#include "memory/address-space.h"

typedef struct FWCfg FWCfg;

/* Selector keys. */
enum {
    FW_CFG_SIGNATURE = 0x00,
    FW_CFG_ID = 0x01,
    FW_CFG_UUID = 0x02,
    FW_CFG_RAM_SIZE = 0x03,
    FW_CFG_NOGRAPHIC = 0x04,
    FW_CFG_NB_CPUS = 0x05,
    FW_CFG_MACHINE_ID = 0x06,
    FW_CFG_KERNEL_ADDR = 0x07,
    FW_CFG_KERNEL_SIZE = 0x08,
    FW_CFG_KERNEL_CMDLINE = 0x09,
    FW_CFG_INITRD_ADDR = 0x0a,
    FW_CFG_INITRD_SIZE = 0x0b,
    FW_CFG_BOOT_DEVICE = 0x0c,
    FW_CFG_NUMA = 0x0d,
    FW_CFG_BOOT_MENU = 0x0e,
    FW_CFG_MAX_CPUS = 0x0f,
    FW_CFG_KERNEL_ENTRY = 0x10,
    FW_CFG_KERNEL_DATA = 0x11,
    FW_CFG_INITRD_DATA = 0x12,
    FW_CFG_CMDLINE_ADDR = 0x13,
    FW_CFG_CMDLINE_SIZE = 0x14,
    FW_CFG_CMDLINE_DATA = 0x15,
    FW_CFG_SETUP_ADDR = 0x16,
    FW_CFG_SETUP_SIZE = 0x17,
    FW_CFG_SETUP_DATA = 0x18,
    FW_CFG_FILE_DIR = 0x19,
    FW_CFG_FILE_FIRST = 0x20,
    FW_CFG_ARCH_LOCAL = 0x8000,
    FW_CFG_ACPI_TABLES = FW_CFG_ARCH_LOCAL + 0,
    FW_CFG_SMBIOS_ENTRIES = FW_CFG_ARCH_LOCAL + 1,
    FW_CFG_IRQ0_OVERRIDE = FW_CFG_ARCH_LOCAL + 2,
    FW_CFG_HPET = FW_CFG_ARCH_LOCAL + 4,
};

GType fw_cfg_get_type(void);
#define TYPE_FW_CFG (fw_cfg_get_type())
#define FW_CFG(object) (G_TYPE_CHECK_INSTANCE_CAST((object), TYPE_FW_CFG, FWCfg))

/* Realizes the device at ports 0x510/0x511 and, unless dma is NULL or property
 * dma_enabled off, the DMA register at 0x514 whose transfers reach `dma`. Adds SIGNATURE,
 * ID and FILE_DIR. */
FWCfg *fw_cfg_new_io(MemoryRegion *io, AddressSpace *dma, GError **error);

bool fw_cfg_has_dma(const FWCfg *cfg);

/* Items. The device copies the data; a key or name given again replaces it. */
void fw_cfg_add_bytes(FWCfg *cfg, uint16_t key, const void *data, size_t length);
void fw_cfg_add_string(FWCfg *cfg, uint16_t key, const char *text); /* with its NUL */
void fw_cfg_add_i16(FWCfg *cfg, uint16_t key, uint16_t value);
void fw_cfg_add_i32(FWCfg *cfg, uint16_t key, uint32_t value);
void fw_cfg_add_i64(FWCfg *cfg, uint16_t key, uint64_t value);

/* Adds a file, or replaces its data and keeps its callbacks. Keys are given in order of
 * name, as QEMU does since machine types 2.6 (property x-legacy-order: as before that),
 * so a key is final once all files are there. False and *error: the name is longer than
 * 55 characters, or no slot is left (property x-file-slots). */
bool fw_cfg_add_file(FWCfg *cfg, const char *name, const void *data, size_t length,
                     GError **error);

/* A file that is made or read when the guest selects it (`select` runs first, and may
 * call fw_cfg_add_file() for the same name), and that the guest may write by DMA where
 * `writable`
 * (`written` runs after, with the range in bytes). `data` stays the caller's; given
 * again, all of it is replaced. Callbacks run with the machine lock held and may be NULL.
 */
bool fw_cfg_add_file_callback(FWCfg *cfg, const char *name, void (*select)(void *opaque),
                              void (*written)(void *opaque, size_t start, size_t length),
                              void *opaque, void *data, size_t length, bool writable,
                              GError **error);

/* `data` of that file has room for so many bytes: a migration stream may make the file
 * longer or shorter. */
void fw_cfg_set_file_room(FWCfg *cfg, const char *name, size_t room);

/* Called at each reset of the device; one callback. */
void fw_cfg_on_reset(FWCfg *cfg, void (*func)(void *opaque), void *opaque);

/* -fw_cfg's text: a name, and a host file or a string (without a NUL) as its contents. */
bool fw_cfg_add_from_text(FWCfg *cfg, const char *text, GError **error);

/* The bytes of a file (host's view, for tests and `umbra`), or NULL. */
const void *fw_cfg_find_file(FWCfg *cfg, const char *name, size_t *length);
void fw_cfg_foreach_file(FWCfg *cfg,
                         void (*func)(const char *name, uint16_t key, size_t length,
                                      void *opaque),
                         void *opaque);

#endif
