/*
 * The configuration header, PCI Local Bus 2.1 section 6.2, and what revision 2.3 added.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_PCI_PCI_REGS_H
#define HW_PCI_PCI_REGS_H

enum {
    PCI_VENDOR_ID = 0x00,
    PCI_DEVICE_ID = 0x02,
    PCI_COMMAND = 0x04,
    PCI_STATUS = 0x06,
    PCI_REVISION_ID = 0x08,
    PCI_PROG_IF = 0x09,
    PCI_CLASS_DEVICE = 0x0a, /* subclass, class */
    PCI_CACHE_LINE_SIZE = 0x0c,
    PCI_HEADER_TYPE = 0x0e,
    PCI_BASE_ADDRESS_0 = 0x10,
    PCI_SUBSYSTEM_VENDOR_ID = 0x2c,
    PCI_SUBSYSTEM_ID = 0x2e,
    PCI_ROM_ADDRESS = 0x30,
    PCI_CAPABILITY_LIST = 0x34,
    PCI_INTERRUPT_LINE = 0x3c,
    PCI_INTERRUPT_PIN = 0x3d, /* 0: none; 1..4: INTA# .. INTD# */
    PCI_HEADER_SIZE = 0x40,   /* from here on, what the device likes */
};

enum {
    PCI_COMMAND_IO = 1 << 0,
    PCI_COMMAND_MEMORY = 1 << 1,
    PCI_COMMAND_MASTER = 1 << 2,
    PCI_COMMAND_SERR = 1 << 8,
    PCI_COMMAND_INTX_DISABLE = 1 << 10, /* revision 2.3 */
};

enum {
    PCI_STATUS_INTERRUPT = 1 << 3, /* revision 2.3 */
    PCI_STATUS_CAPABILITIES = 1 << 4,
    PCI_STATUS_FAST_BACK = 1 << 7,
    PCI_STATUS_DEVSEL_MEDIUM = 1 << 9,
    PCI_STATUS_ERRORS = 0xf900, /* all that writing 1 clears */
};

enum {
    PCI_BAR_IO = 1 << 0,
    PCI_BAR_MEMORY_64 = 1 << 2,
    PCI_BAR_PREFETCH = 1 << 3,
    PCI_ROM_ENABLE = 1 << 0,
};

#define PCI_HEADER_MULTIFUNCTION 0x80
#define PCI_VENDOR_INTEL 0x8086

/* Where BAR n (PCI_ROM_BAR: the ROM's) has its register. */
static inline unsigned pci_bar_register(unsigned n)
{
    return n == 6 ? PCI_ROM_ADDRESS : PCI_BASE_ADDRESS_0 + 4 * n;
}

#endif
