/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/pci/i440fx.h"

#include "hw/pci/pci-regs.h"
#include "hw/pci/pci-vmstate.h"
#include "memory/explain.h"

DEVICE_DEFINE_TYPE(I440FX, i440fx, "i440FX", TYPE_PCI_DEVICE)

/* Registers of the 82441FX beyond the header. */
enum {
    RAM_SIZE_8MIB = 0x57, /* QEMU's: how many times 8 MiB there are, at most 255 */
    SMRAM = 0x72,         /* section 3.2.22 */
};

enum {
    SMRAM_C_BASE_SEG = 2 << 0, /* 0xa0000, and nothing else */
    SMRAM_G_SMRAME = 1 << 3,
    SMRAM_D_LCK = 1 << 4,
    SMRAM_D_CLS = 1 << 5,
    SMRAM_D_OPEN = 1 << 6,
};

#define SMRAM_DEFAULT SMRAM_C_BASE_SEG
#define SMRAM_BASE 0xa0000
#define SMRAM_SIZE KiB(128)

/* -- SMRAM --------------------------------------------------------------------------- */

/* Compatible SMRAM is there at all with G_SMRAME only. D_OPEN shows it outside SMM too,
 * unless D_CLS closes it to data. In SMM, D_CLS would still let code be fetched; an
 * access does not say here which of the two it is, and SMM code must run: it stays. */
static void update_smram(I440FX *fx)
{
    uint8_t smram = fx->parent.config[SMRAM];
    bool there = smram & SMRAM_G_SMRAME;
    bool open = there && (smram & (SMRAM_D_OPEN | SMRAM_D_CLS)) == SMRAM_D_OPEN;

    memory_region_transaction_begin();
    memory_region_set_enabled(&fx->smram_region, !open);
    memory_region_set_enabled(&fx->smram, there);
    memory_region_transaction_commit();
}

/* D_LCK takes D_OPEN away and makes all but D_CLS read-only until a hard reset. */
static void lock_smram(I440FX *fx)
{
    fx->parent.writable[SMRAM] = 0xff;
    if (fx->parent.config[SMRAM] & SMRAM_D_LCK) {
        fx->parent.config[SMRAM] &= ~SMRAM_D_OPEN;
        fx->parent.writable[SMRAM] = SMRAM_D_CLS;
    }
}

/* Which register decides what 0xa0000-0xbffff shows. */
static void explain_smram(Explanation *explanation, void *opaque)
{
    const I440FX *fx = opaque;
    uint8_t smram = fx->parent.config[SMRAM];
    ExplainNote *note;

    if (explanation->addr - SMRAM_BASE >= SMRAM_SIZE ||
        !explain_mentions(explanation, &fx->smram_region)) {
        return;
    }
    note = explain_note(explanation, "register", &fx->smram_region,
                        "SMRAM 0x%02x = 0x%02x: %s (0x%08x-0x%08x)", SMRAM, smram,
                        fx->smram_region.enabled
                            ? "closed, outside SMM reads and writes go to PCI"
                            : "open, reads and writes go to RAM",
                        SMRAM_BASE, (unsigned)(SMRAM_BASE + SMRAM_SIZE - 1));
    explain_note_value(note, "register", SMRAM);
    explain_note_value(note, "value", smram);
}

static void init_smram(I440FX *fx)
{
    GObject *owner = G_OBJECT(fx);

    memory_region_init_alias(&fx->smram_region, owner, "smram-region", &fx->host->memory,
                             SMRAM_BASE, SMRAM_SIZE);
    memory_region_add_subregion_overlap(fx->system_memory, SMRAM_BASE, &fx->smram_region,
                                        1);

    memory_region_init(&fx->smram, owner, "smram", GiB(4));
    memory_region_init_alias(&fx->smram_low, owner, "smram-low", fx->ram, SMRAM_BASE,
                             SMRAM_SIZE);
    memory_region_add_subregion(&fx->smram, SMRAM_BASE, &fx->smram_low);
    explain_add_hook(explain_smram, fx);
}

/* -- Configuration space ------------------------------------------------------------- */

static void i440fx_config_write(PCIDevice *dev, unsigned address, uint32_t value,
                                unsigned size)
{
    I440FX *fx = I440FX(dev);

    pci_default_config_write(dev, address, value, size);
    if (fx->pam_present &&
        pci_access_touches(address, size, PAM_REGISTER_FIRST, PAM_REGISTER_LAST)) {
        pam_set_registers(&fx->pam, dev->config + PAM_REGISTER_FIRST);
    }
    if (pci_access_touches(address, size, SMRAM, SMRAM)) {
        lock_smram(fx);
        update_smram(fx);
    }
}

/* -- Life ---------------------------------------------------------------------------- */

static void reset_smram(I440FX *fx)
{
    fx->parent.config[SMRAM] = SMRAM_DEFAULT;
    fx->parent.writable[SMRAM] = 0xff;
    update_smram(fx);
}

static bool i440fx_realize(Device *dev, GError **error)
{
    I440FX *fx = I440FX(dev);

    if (!pci_device_realize(dev, error)) {
        return false;
    }
    fx->parent.config[RAM_SIZE_8MIB] = (uint8_t)MIN(fx->ram_size / MiB(8), 255);
    init_smram(fx);
    reset_smram(fx);
    if (fx->pam_present) {
        pam_init(&fx->pam, G_OBJECT(fx->host), fx->ram, fx->system_memory,
                 &fx->host->memory, fx->pam_exact);
    }
    return true;
}

/* PAM survives a reset as it does on QEMU, whose firmware images rely on it: they find
 * their shadow still there and restore it from below 4 GiB themselves. On the data
 * sheet's terms (pam-reset=on) RST# clears it. SMRAM's register stays with PAM, as on QEMU,
 * but where it is locked: nothing else could open it again. */
static void i440fx_reset(Device *dev)
{
    I440FX *fx = I440FX(dev);

    if (fx->pam_reset) {
        memset(fx->parent.config + PAM_REGISTER_FIRST, 0, PAM_REGISTERS);
        if (fx->pam_present) {
            pam_set_registers(&fx->pam, fx->parent.config + PAM_REGISTER_FIRST);
        }
    }
    if (fx->pam_reset || fx->parent.config[SMRAM] & SMRAM_D_LCK) {
        reset_smram(fx);
    }
    pci_device_reset(dev);
}

static bool i440fx_post_load(void *opaque, int version_id, GError **error)
{
    I440FX *fx = opaque;

    memory_region_transaction_begin();
    pam_set_registers(&fx->pam, fx->parent.config + PAM_REGISTER_FIRST);
    lock_smram(fx);
    update_smram(fx);
    memory_region_transaction_commit();
    return true;
}

static const VMStateDescription vmstate_i440fx = {
    .name = "I440FX",
    .version_id = 3,
    .minimum_version_id = 3,
    .post_load = i440fx_post_load,
    .fields =
        (const VMStateField[]){
            VMSTATE_PCI_DEVICE(parent, I440FX, "parent_obj"),
            VMSTATE_UNUSED(1), /* once whether the CPU was in SMM */
            VMSTATE_END_OF_LIST(),
        },
};

static const Property i440fx_properties[] = {
    PROP_BOOL("pam", I440FX, pam_present, true,
              "PAM registers decide what the first megabyte shows; off: they are memory"),
    PROP_BOOL(
        "pam-exact", I440FX, pam_exact, true,
        "PAM mode 2 reads PCI and writes RAM, as the data sheet says; off: as QEMU"),
    PROP_BOOL("pam-reset", I440FX, pam_reset, false,
              "a reset clears PAM and SMRAM registers, as RST# does; off: as QEMU"),
    PROP_END,
};

static void i440fx_class_init(DeviceClass *klass)
{
    PCIDeviceClass *pci = PCI_DEVICE_CLASS(klass);

    pci->vendor_id = PCI_VENDOR_INTEL;
    pci->device_id = 0x1237;
    pci->revision = 2;
    pci->class_id = 0x0600;
    pci->config_write = i440fx_config_write;
    klass->desc = "Host bridge";
    klass->vmsd = &vmstate_i440fx;
    klass->realize = i440fx_realize;
    klass->reset = i440fx_reset;
    property_install_table(G_OBJECT_CLASS(klass), i440fx_properties);
}

I440FX *i440fx_new(MemoryRegion *system_memory, MemoryRegion *io, uint64_t below_4g,
                   uint64_t above_4g, MemoryRegion *ram, GError **error)
{
    PCIHost *host = pci_host_new(system_memory, io, error);
    Device *dev = host ? device_new(TYPE_I440FX, error) : NULL;
    I440FX *fx;

    if (!dev) {
        return NULL;
    }
    fx = I440FX(dev);
    fx->host = host;
    fx->system_memory = system_memory;
    fx->ram = ram;
    fx->ram_size = below_4g + above_4g;
    if (!property_set_string(G_OBJECT(dev), "addr", "0.0", error)) {
        g_object_unref(dev);
        return NULL;
    }
    return device_realize(dev, BUS(host->bus), error) ? fx : NULL;
}
