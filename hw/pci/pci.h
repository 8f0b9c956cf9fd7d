/*
 * PCI: the bus, its devices and their configuration space (PCI Local Bus 2.1, section 6).
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_PCI_PCI_H
#define HW_PCI_PCI_H

#include "hw/core/bus.h"
#include "memory/address-space.h"

#define PCI_CONFIG_SIZE 256
#define PCI_BARS 7 /* six and the expansion ROM */
#define PCI_ROM_BAR 6
#define PCI_DEVFN(slot, function) ((uint8_t)(((slot) << 3) | (function)))
#define PCI_SLOT(devfn) ((devfn) >> 3)
#define PCI_FUNCTION(devfn) ((devfn) & 7)

typedef struct PCIDevice PCIDevice;
typedef struct PCIDeviceClass PCIDeviceClass;
typedef struct PCIBus PCIBus;

typedef struct PCIBar {
    MemoryRegion *region; /* NULL: no such BAR */
    uint8_t type;         /* the BAR's low bits: I/O, 64-bit, prefetchable */
    uint64_t size;        /* bytes, a power of two */
    uint64_t address;     /* where the guest has it, or PCI_BAR_UNMAPPED */
} PCIBar;

#define PCI_BAR_UNMAPPED UINT64_MAX

/* A configuration register in which firmware tells the device what memory of the guest's it
 * has reserved for it. Explanations of addresses there name it. */
typedef struct PCIMemoryPointer {
    const char *name; /* "BDSM" */
    const char *what; /* "its stolen memory" */
    uint8_t at;       /* the register, 4 bytes; 0 in it: nothing yet */
    uint32_t mask;    /* its address bits */
    uint64_t size;    /* bytes from that address on */
} PCIMemoryPointer;

struct PCIDevice {
    Device parent;
    uint8_t devfn;
    char *addr; /* the property "addr": "1.3", "slot.function"; empty: the first free */
    bool multifunction;
    char *romfile; /* the expansion ROM's image; empty: none; NULL: the class's */
    bool rombar;   /* whether the ROM is shown in the ROM BAR */
    MemoryRegion rom;
    uint8_t config[PCI_CONFIG_SIZE];
    uint8_t writable[PCI_CONFIG_SIZE]; /* bits that the guest can write */
    uint8_t write1_clear[PCI_CONFIG_SIZE];
    PCIBar bars[PCI_BARS];
    const PCIMemoryPointer *memory_pointers; /* the device's own; in its realize */
    unsigned memory_pointer_count;
    uint8_t irq_state; /* INTA# .. INTD#, a bit each */
    /* What the device masters: system memory while COMMAND.bus master is set. */
    AddressSpace bus_master_as;
    MemoryRegion bus_master_container;
    MemoryRegion bus_master_enable;
};

struct PCIDeviceClass {
    DeviceClass parent;
    uint16_t vendor_id, device_id, class_id; /* class and subclass */
    uint8_t revision, prog_if;
    uint16_t subsystem_vendor_id, subsystem_id; /* 0: QEMU's 1af4:1100 */
    const char *romfile; /* of the expansion ROM, or NULL */
    const char *addr;    /* its place unless the user names one; NULL: the first free slot */
    /* Configuration accesses of 1, 2 or 4 bytes inside the 256. NULL: the default. */
    uint32_t (*config_read)(PCIDevice *dev, unsigned address, unsigned size);
    void (*config_write)(PCIDevice *dev, unsigned address, uint32_t value, unsigned size);
};

GType pci_device_get_type(void);
GType pci_bus_get_type(void);
#define TYPE_PCI_DEVICE (pci_device_get_type())
#define TYPE_PCI_BUS (pci_bus_get_type())
#define PCI_DEVICE(object) (G_TYPE_CHECK_INSTANCE_CAST((object), TYPE_PCI_DEVICE, PCIDevice))
#define PCI_BUS(object) (G_TYPE_CHECK_INSTANCE_CAST((object), TYPE_PCI_BUS, PCIBus))
#define PCI_DEVICE_CLASS(klass)                                                            \
    (G_TYPE_CHECK_CLASS_CAST((klass), TYPE_PCI_DEVICE, PCIDeviceClass))
#define PCI_DEVICE_GET_CLASS(object)                                                       \
    (G_TYPE_INSTANCE_GET_CLASS((object), TYPE_PCI_DEVICE, PCIDeviceClass))

/* In a PCI device's class_init the DeviceClass is really a PCIDeviceClass:
 * PCI_DEVICE_CLASS(klass)->vendor_id = ... */

struct PCIBus {
    Bus parent;
    PCIDevice *devices[256]; /* by devfn */
    const char *root_path;   /* before slot and function in a migration stream */
    MemoryRegion *memory;    /* where memory BARs are mapped */
    MemoryRegion *io;        /* where I/O BARs are mapped */
    MemoryRegion *system_memory; /* what bus masters reach */
    /* Which of the bridge's interrupt lines a pin (0..3) of a slot is wired to, and what
     * sets that line; the counts make the lines shareable (level, wired-or). */
    int (*map_irq)(PCIDevice *dev, int pin);
    void (*set_irq)(void *opaque, int line, int level);
    void *irq_opaque;
    int irq_count[8];
};

PCIBus *pci_bus_new(Device *owner, const char *name, MemoryRegion *memory, MemoryRegion *io,
                    MemoryRegion *system_memory);
void pci_bus_set_irqs(PCIBus *bus, int (*map_irq)(PCIDevice *dev, int pin),
                      void (*set_irq)(void *opaque, int line, int level), void *opaque);
PCIBus *pci_device_bus(PCIDevice *dev);

/* "SLOT" or "SLOT.FUNCTION" in hexadecimal, up to "1f.7"; false: it is neither. */
bool pci_parse_addr(const char *addr, uint8_t *devfn);

/* Whether such a device may come and go while the machine runs: VGA adapters may not. */
bool pci_class_is_hotpluggable(const PCIDeviceClass *klass);

/* The device at bus 0's devfn, or NULL. */
PCIDevice *pci_find_device(PCIBus *bus, uint8_t devfn);

/* Gives the device BAR n; `type` as in the BAR's low bits (1: I/O; 0, 4, 8: memory). The region
 * appears where the guest puts it while COMMAND enables that space. Size: a power of two. */
void pci_register_bar(PCIDevice *dev, unsigned n, uint8_t type, MemoryRegion *region);

/* Drives the device's own pin (PCI_INTERRUPT_PIN). */
void pci_set_irq(PCIDevice *dev, int level);

/* What the class does at realize and reset, for subclasses to chain up to: realize fills
 * the header in from the class and must come before the subclass's own work; reset clears
 * what PCI defines (COMMAND, BARs, INTx#) and must come after it. */
bool pci_device_realize(Device *dev, GError **error);
void pci_device_unrealize(Device *dev);
void pci_device_reset(Device *dev);

/* Whether some device asserts the bridge's interrupt line. */
bool pci_bus_irq_level(const PCIBus *bus, unsigned line);

/* Whether an access of `size` bytes at `address` touches [first, last]. */
static inline bool pci_access_touches(unsigned address, unsigned size, unsigned first,
                                      unsigned last)
{
    return address <= last && first < address + size;
}

/* Configuration space by address: the default handlers, and the entry points that the
 * host bridge uses (bounds checked; an absent device reads all ones). */
uint32_t pci_default_config_read(PCIDevice *dev, unsigned address, unsigned size);
void pci_default_config_write(PCIDevice *dev, unsigned address, uint32_t value,
                              unsigned size);
uint32_t pci_bus_config_read(PCIBus *bus, uint32_t address, unsigned size);
void pci_bus_config_write(PCIBus *bus, uint32_t address, uint32_t value, unsigned size);

/* Bus-master DMA, guest physical addresses in system memory. */
uint32_t pci_dma_read(PCIDevice *dev, hwaddr addr, void *buffer, hwaddr length);
uint32_t pci_dma_write(PCIDevice *dev, hwaddr addr, const void *buffer, hwaddr length);

/* `info pci`, in QEMU 7.2's text. */
void pci_bus_print(PCIBus *bus, GString *out);

/* QEMU's words for a class ("IDE controller"), or NULL. */
const char *pci_class_name(uint16_t class_id);

static inline void pci_set_byte(uint8_t *config, uint8_t value)
{
    config[0] = value;
}
static inline void pci_set_word(uint8_t *config, uint16_t value)
{
    config[0] = (uint8_t)value;
    config[1] = (uint8_t)(value >> 8);
}
static inline void pci_set_long(uint8_t *config, uint32_t value)
{
    pci_set_word(config, (uint16_t)value);
    pci_set_word(config + 2, (uint16_t)(value >> 16));
}
static inline uint16_t pci_get_word(const uint8_t *config)
{
    return (uint16_t)(config[0] | config[1] << 8);
}
static inline uint32_t pci_get_long(const uint8_t *config)
{
    return pci_get_word(config) | (uint32_t)pci_get_word(config + 2) << 16;
}

#endif
