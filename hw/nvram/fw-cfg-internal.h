/*
 * What the two files of the fw_cfg device share: its state and its items.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_NVRAM_FW_CFG_INTERNAL_H
#define HW_NVRAM_FW_CFG_INTERNAL_H

#include "hw/core/vmstate.h"
#include "hw/nvram/fw-cfg.h"

/* Once asked for a writable item; ignored since QEMU 2.4. */
#define FW_CFG_WRITE_BIT 0x4000

/* One item: bytes under a key. A file has a name too, and its key is its place in
 * `files`. */
typedef struct FWCfgItem {
    char *name; /* NULL: a numbered item */
    uint8_t *data;
    size_t length;
    size_t room;   /* not owned: how long a migration stream may make it; 0: no other */
    bool users;    /* given by the user; matters in the legacy order alone */
    bool owned;    /* data is the device's copy */
    bool writable; /* by the guest, through DMA */
    void (*select)(void *opaque);
    void (*written)(void *opaque, size_t start, size_t length);
    void *opaque;
} FWCfgItem;

struct FWCfg {
    Device parent;
    MemoryRegion ports;
    MemoryRegion dma_port;
    MemoryRegion *io; /* where the ports show */
    AddressSpace *dma;

    bool dma_enabled;
    bool legacy_order;
    bool acpi_mr_restore; /* streams say how long the ACPI files are */
    uint16_t file_slots;

    GHashTable *items; /* key -> FWCfgItem *, the numbered ones */
    GPtrArray *files;  /* FWCfgItem *, in order of key */

    uint16_t selected; /* the key, as the guest wrote it without the write bit */
    uint32_t offset;   /* of the next byte in the selected item */
    void (*on_reset)(void *opaque);
    void *on_reset_opaque;
    uint64_t dma_address; /* the descriptor's, as far as the guest has written it */
};

/* Makes `key` the current item and starts at its first byte; a file's select callback
 * runs. */
void fw_cfg_select(FWCfg *cfg, uint16_t key);

/* The current item, or NULL where the key means nothing: it reads as zeroes. */
FWCfgItem *fw_cfg_current_item(FWCfg *cfg);

/* fw_cfg_add_file() for a file that the user gave. */
bool fw_cfg_add_users_file(FWCfg *cfg, const char *name, const void *data, size_t length,
                           GError **error);

/* Its state in a stream: hw/nvram/fw-cfg-vmstate.c. */
extern const VMStateDescription vmstate_fw_cfg;

/* Puts the files' lengths into the directory. */
void fw_cfg_update_directory(FWCfg *cfg);
FWCfgItem *fw_cfg_find_item(FWCfg *cfg, const char *name);

/* The DMA register's region, of 8 bytes. */
void fw_cfg_dma_init_region(FWCfg *cfg);

#endif
