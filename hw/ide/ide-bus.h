/*
 * The IDE channel: one cable with up to two drives, its command and control block
 * registers (ATA/ATAPI-6, section 7) and its interrupt line. What a board and a host
 * adapter need of IDE is here.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_IDE_IDE_BUS_H
#define HW_IDE_IDE_BUS_H

#include "hw/block/block.h"
#include "hw/core/bus.h"
#include "memory/region.h"

typedef struct IDEBus IDEBus;
typedef struct IDEDrive IDEDrive;

/*
 * The host adapter's side of DMA, for adapters that have it. A drive with a DMA command
 * calls request(); the adapter, once its guest has started the engine, calls
 * ide_bus_dma_run(), which in turn calls move() until the command is done.
 */
typedef struct IDEDMAOps {
    void (*request)(void *opaque);
    /* Moves `length` bytes between `data` and guest memory. Returns how many there was
     * room for: fewer mean that the guest's descriptors have run out. */
    unsigned (*move)(void *opaque, uint8_t *data, unsigned length, bool to_memory);
} IDEDMAOps;

/* After a migration: the next change is to be told to the line in any case. */
#define IDE_IRQ_LEVEL_UNKNOWN (-1)

struct IDEBus {
    Bus parent;
    unsigned number;     /* of the channel in the machine: "ide.0" is 0 */
    IDEDrive *drives[2]; /* by unit; NULL: none */
    unsigned selected;   /* the unit that the Device register's DEV bit names */
    uint8_t control;     /* the Device Control register as last written */
    IRQ *irq;            /* INTRQ; NULL: not connected */
    int irq_level; /* or IDE_IRQ_LEVEL_UNKNOWN */
    const IDEDMAOps *dma; /* NULL: the adapter has no DMA */
    void *dma_opaque;
    MemoryRegion command_block, control_block;
};

GType ide_bus_get_type(void);
#define TYPE_IDE_BUS (ide_bus_get_type())
#define IDE_BUS(object) (G_TYPE_CHECK_INSTANCE_CAST((object), TYPE_IDE_BUS, IDEBus))

/* The devices that plug into it: "ide-hd" and "ide-cd". */
GType ide_hd_get_type(void);
GType ide_cd_get_type(void);
#define TYPE_IDE_HD (ide_hd_get_type())
#define TYPE_IDE_CD (ide_cd_get_type())

/* The adapters: the PCI function of the 82371SB ("piix3-ide", both channels), and a lone
 * channel on the ISA bus ("isa-ide"; properties iobase, iobase2, irq). */
GType piix3_ide_get_type(void);
GType isa_ide_get_type(void);
#define TYPE_PIIX3_IDE (piix3_ide_get_type())
#define TYPE_ISA_IDE (isa_ide_get_type())

/* -- For boards ---------------------------------------------------------------------- */

/* The 82371SB's IDE function at 01.1, with the channels ide.0 and ide.1. Its ports and
 * interrupts 14 and 15 are those of the machine's ISA bus, which must be there. */
struct PCIBus;
Device *piix3_ide_new(struct PCIBus *bus, GError **error);

/* Plugs the drives of -drive if=ide,bus=NUMBER into the channel of that number, as ide-hd
 * or ide-cd. False and *error when one cannot be used. */
bool ide_bus_attach_drives(IDEBus *bus, GError **error);

/* The channel "ide.NUMBER", or NULL. */
IDEBus *ide_bus_find(unsigned number);

typedef enum IDETranslation {
    IDE_TRANSLATION_NONE,
    IDE_TRANSLATION_LBA,
    IDE_TRANSLATION_LARGE,
    IDE_TRANSLATION_RECHS,
} IDETranslation;

/* A disk's default geometry, and how the BIOS is to translate it for INT 13h. */
typedef struct IDEGeometry {
    uint32_t cylinders, heads, sectors;
    IDETranslation translation;
} IDEGeometry;

/* False where there is no disk (nothing, or a CD-ROM). */
bool ide_bus_get_geometry(const IDEBus *bus, unsigned unit, IDEGeometry *geometry);

/* Tells the CMOS what the disks of ide.0 and ide.1 are, as a PC's set-up program does:
 * calls set for bytes 0x12, 0x19-0x2c and 0x39. */
void ide_write_cmos(void (*set)(void *opaque, uint8_t address, uint8_t value),
                    void *opaque);

/* -- For host adapters --------------------------------------------------------------- */

/* A channel that `adapter` keeps, with the next free number. */
IDEBus *ide_bus_new(Device *adapter);

/* Shows the registers at their ports: eight at `command`, one at `control`. */
void ide_bus_map_ports(IDEBus *bus, GObject *owner, MemoryRegion *io, uint16_t command,
                       uint16_t control);

/* Power-on state of the channel itself; its drives have their own reset. */
void ide_bus_reset(IDEBus *bus);

/* Whether the selected drive waits for DMA (asserts DMARQ). */
bool ide_bus_dma_requested(const IDEBus *bus);

typedef enum IDEDMAResult {
    IDE_DMA_COMPLETE, /* the command has ended, well or not, and interrupts */
    IDE_DMA_SHORT,    /* move() stopped before the command's end: no interrupt */
    IDE_DMA_WAITS,    /* for the image: request() comes again */
} IDEDMAResult;

/* Runs the waiting DMA command. Only while ide_bus_dma_requested(). */
IDEDMAResult ide_bus_dma_run(IDEBus *bus);

#endif
