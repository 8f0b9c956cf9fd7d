/*
 * A flash chip of one byte's width and 4 KiB blocks: its command user interface
 * (Intel 28F128J3, order 290667, section 4), and how it describes itself (Common Flash
 * Interface, JESD68.01 and JEP137).
 *
 * Two things are as in QEMU and not as in the data sheet, because OVMF finds out by them
 * whether it has a flash: the status register reads 0 after Clear Status Register, until
 * the next operation has set its ready bit, and the command returns to Read Array.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/block/pflash-cfi01.h"

#include <gio/gio.h>
#include <string.h>

#include "hw/block/block.h"

#define SECTORS_PER_BLOCK (PFLASH_CFI01_BLOCK_SIZE / BLOCK_SECTOR_SIZE)
#define BUFFER_SIZE 256 /* of Write to Buffer; CFI offset 2Ah is its power of two */
#define CHIP_SIZE_MAX MiB(256)

/* The first bus cycle of a command (table 4), and the second of those that have one. */
enum {
    COMMAND_PROGRAM = 0x40,
    COMMAND_PROGRAM_ALTERNATE = 0x10,
    COMMAND_BLOCK_ERASE = 0x20,
    COMMAND_CLEAR_STATUS = 0x50,
    COMMAND_LOCK = 0x60,
    COMMAND_READ_STATUS = 0x70,
    COMMAND_READ_IDENTIFIER = 0x90,
    COMMAND_READ_QUERY = 0x98,
    COMMAND_WRITE_BUFFER = 0xe8,
    COMMAND_READ_ARRAY = 0xff,
    CONFIRM = 0xd0,
    CONFIRM_LOCK = 0x01,
};

/* The status register (table 17). */
enum {
    STATUS_READY = 0x80,
    STATUS_ERASE_ERROR = 0x20,
    STATUS_PROGRAM_ERROR = 0x10,
    STATUS_LOCKED = 0x02,
    STATUS_SEQUENCE_ERROR = STATUS_ERASE_ERROR | STATUS_PROGRAM_ERROR,
};

typedef enum ReadMode { READ_ARRAY, READ_STATUS, READ_IDENTIFIER, READ_QUERY } ReadMode;

typedef enum Cycle { /* what the next write is */
                     CYCLE_COMMAND,
                     CYCLE_PROGRAM_DATA,
                     CYCLE_ERASE_CONFIRM,
                     CYCLE_LOCK_CONFIRM,
                     CYCLE_BUFFER_COUNT,
                     CYCLE_BUFFER_DATA,
                     CYCLE_BUFFER_CONFIRM,
} Cycle;

typedef struct Flash {
    Device parent;
    char *drive, *name;
    uint8_t id[4];
    BlockBackend *backend;
    MemoryRegion memory;
    uint8_t *bytes;
    uint32_t size;
    bool readonly;
    uint8_t *locked; /* a byte for each block */

    ReadMode mode;
    Cycle cycle;
    uint8_t status;
    uint8_t buffer[BUFFER_SIZE];
    uint32_t buffer_start;
    unsigned buffer_length, buffer_filled;
} Flash;

/* -- The array ----------------------------------------------------------------------- */

/* Writes the sectors of that range to the image; an error is `status_bit`. */
static void write_back(Flash *flash, uint32_t start, uint32_t length, uint8_t status_bit)
{
    uint32_t first = start / BLOCK_SECTOR_SIZE;
    uint32_t end = (start + length + BLOCK_SECTOR_SIZE - 1) / BLOCK_SECTOR_SIZE;

    memory_region_set_dirty(&flash->memory, start, length);
    if (!block_write(flash->backend, first,
                     flash->bytes + (size_t)first * BLOCK_SECTOR_SIZE, end - first)) {
        flash->status |= status_bit;
    }
}

/* Whether the block may be changed; says in the status register if not. */
static bool check_unlocked(Flash *flash, uint32_t offset, uint8_t status_bit)
{
    if (flash->readonly || flash->locked[offset / PFLASH_CFI01_BLOCK_SIZE]) {
        flash->status |= status_bit | STATUS_LOCKED;
        return false;
    }
    return true;
}

/* Programming turns ones into zeroes; only an erasure brings the ones back. */
static void program(Flash *flash, uint32_t offset, const uint8_t *data, unsigned length)
{
    if (check_unlocked(flash, offset, STATUS_PROGRAM_ERROR) &&
        check_unlocked(flash, offset + length - 1, STATUS_PROGRAM_ERROR)) {
        for (unsigned i = 0; i < length; i++) {
            flash->bytes[offset + i] &= data[i];
        }
        write_back(flash, offset, length, STATUS_PROGRAM_ERROR);
    }
}

static void erase_block(Flash *flash, uint32_t offset)
{
    uint32_t start = offset - offset % PFLASH_CFI01_BLOCK_SIZE;

    if (check_unlocked(flash, start, STATUS_ERASE_ERROR)) {
        memset(flash->bytes + start, 0xff, PFLASH_CFI01_BLOCK_SIZE);
        write_back(flash, start, PFLASH_CFI01_BLOCK_SIZE, STATUS_ERASE_ERROR);
    }
}

/* -- What reads give ----------------------------------------------------------------- */

/* Section 4.2: maker, device, and at offset 2 of each block its lock. */
static uint8_t identifier(const Flash *flash, uint32_t offset)
{
    switch (offset & 0xff) {
    case 0:
        return flash->id[1];
    case 1:
        return flash->id[3];
    case 2:
        return flash->locked[offset / PFLASH_CFI01_BLOCK_SIZE];
    default:
        return 0;
    }
}

/* The CFI query table, by its offsets in JESD68.01. A size that is no power of two, which
 * the table cannot tell, gives the largest power of two that divides it, as in QEMU. */
static uint8_t query(const Flash *flash, uint32_t offset)
{
    unsigned last_block = flash->size / PFLASH_CFI01_BLOCK_SIZE - 1;

    switch (offset & 0xff) {
    case 0x10:
        return 'Q';
    case 0x11:
        return 'R';
    case 0x12:
        return 'Y';
    case 0x13:
        return 0x01; /* Intel's extended command set */
    case 0x15:
        return 0x31; /* where the extended table is */
    case 0x1b:
        return 0x45; /* Vcc from 4.5 V, */
    case 0x1c:
        return 0x55; /* to 5.5 V */
    case 0x1f:
        return 7; /* a byte takes 2^7 us, */
    case 0x20:
        return 7; /* a buffer as well, */
    case 0x21:
        return 10; /* and an erasure 2^10 ms; */
    case 0x23:
    case 0x24:
    case 0x25:
        return 4; /* at most 2^4 times as long */
    case 0x27:
        return (uint8_t)__builtin_ctz(flash->size);
    case 0x28:
        return 2; /* x8 and x16 */
    case 0x2a:
        return (uint8_t)__builtin_ctz(BUFFER_SIZE);
    case 0x2c:
        return 1; /* all blocks are alike */
    case 0x2d:
        return (uint8_t)last_block;
    case 0x2e:
        return (uint8_t)(last_block >> 8);
    case 0x2f:
        return (uint8_t)(PFLASH_CFI01_BLOCK_SIZE / 256);
    case 0x30:
        return (uint8_t)(PFLASH_CFI01_BLOCK_SIZE / 256 >> 8);
    case 0x31:
        return 'P';
    case 0x32:
        return 'R';
    case 0x33:
        return 'I';
    case 0x34:
        return '1';
    case 0x35:
        return '0';
    case 0x3f:
        return 1; /* protection fields */
    default:
        return 0;
    }
}

static uint64_t flash_read(void *opaque, hwaddr offset, unsigned size)
{
    const Flash *flash = opaque;

    switch (flash->mode) {
    case READ_STATUS:
        return flash->status;
    case READ_IDENTIFIER:
        return identifier(flash, (uint32_t)offset);
    case READ_QUERY:
        return query(flash, (uint32_t)offset);
    default:
        return flash->bytes[offset];
    }
}

/* -- Commands ------------------------------------------------------------------------ */

/* The operation is over: status shows how it went. */
static void end_operation(Flash *flash)
{
    flash->status |= STATUS_READY;
    flash->cycle = CYCLE_COMMAND;
    flash->mode = READ_STATUS;
}

static void begin_operation(Flash *flash, Cycle next)
{
    flash->status |= STATUS_READY;
    flash->cycle = next;
    flash->mode = READ_STATUS;
}

static void begin_command(Flash *flash, uint8_t command)
{
    switch (command) {
    case COMMAND_PROGRAM:
    case COMMAND_PROGRAM_ALTERNATE:
        flash->cycle = CYCLE_PROGRAM_DATA;
        flash->mode = READ_STATUS;
        break;
    case COMMAND_BLOCK_ERASE:
        begin_operation(flash, CYCLE_ERASE_CONFIRM);
        break;
    case COMMAND_LOCK:
        begin_operation(flash, CYCLE_LOCK_CONFIRM);
        break;
    case COMMAND_WRITE_BUFFER: /* ready: a buffer is available */
        begin_operation(flash, CYCLE_BUFFER_COUNT);
        break;
    case COMMAND_CLEAR_STATUS:
        flash->status = 0;
        flash->mode = READ_ARRAY;
        break;
    case COMMAND_READ_STATUS:
        flash->mode = READ_STATUS;
        break;
    case COMMAND_READ_IDENTIFIER:
        flash->mode = READ_IDENTIFIER;
        break;
    case COMMAND_READ_QUERY:
        flash->mode = READ_QUERY;
        break;
    default: /* Read Array, and what is no command */
        flash->mode = READ_ARRAY;
    }
}

static void lock_cycle(Flash *flash, uint32_t offset, uint8_t value)
{
    if (value == CONFIRM_LOCK) {
        flash->locked[offset / PFLASH_CFI01_BLOCK_SIZE] = 1;
    } else if (value == CONFIRM) { /* clears all locks at once (section 4.11) */
        memset(flash->locked, 0, flash->size / PFLASH_CFI01_BLOCK_SIZE);
    } else {
        flash->status |= STATUS_SEQUENCE_ERROR;
    }
    end_operation(flash);
}

/* The count is that of the bytes that follow, less one (section 4.7). */
static void begin_buffer(Flash *flash, uint8_t count)
{
    flash->buffer_length = count + 1u;
    flash->buffer_filled = 0;
    flash->cycle = CYCLE_BUFFER_DATA;
    memset(flash->buffer, 0xff, sizeof flash->buffer);
}

/* The first byte's address is the buffer's; the others lie within its length. */
static void fill_buffer(Flash *flash, uint32_t offset, uint8_t value)
{
    if (flash->buffer_filled == 0) {
        flash->buffer_start = offset;
    }
    if (offset < flash->buffer_start ||
        offset - flash->buffer_start >= flash->buffer_length) {
        flash->status |= STATUS_SEQUENCE_ERROR;
        end_operation(flash);
        return;
    }
    flash->buffer[offset - flash->buffer_start] = value;
    if (++flash->buffer_filled == flash->buffer_length) {
        flash->cycle = CYCLE_BUFFER_CONFIRM;
    }
}

static void confirm_buffer(Flash *flash, uint8_t value)
{
    if (value == CONFIRM) {
        program(flash, flash->buffer_start, flash->buffer,
                MIN(flash->buffer_length, flash->size - flash->buffer_start));
    } else {
        flash->status |= STATUS_SEQUENCE_ERROR;
    }
    end_operation(flash);
}

static void flash_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    Flash *flash = opaque;
    uint32_t offset = (uint32_t)addr;
    uint8_t value = (uint8_t)data;

    switch (flash->cycle) {
    case CYCLE_COMMAND:
        begin_command(flash, value);
        break;
    case CYCLE_PROGRAM_DATA:
        program(flash, offset, &value, 1);
        end_operation(flash);
        break;
    case CYCLE_ERASE_CONFIRM:
        if (value == CONFIRM) {
            erase_block(flash, offset);
        } else {
            flash->status |= STATUS_SEQUENCE_ERROR;
        }
        end_operation(flash);
        break;
    case CYCLE_LOCK_CONFIRM:
        lock_cycle(flash, offset, value);
        break;
    case CYCLE_BUFFER_COUNT:
        begin_buffer(flash, value);
        break;
    case CYCLE_BUFFER_DATA:
        fill_buffer(flash, offset, value);
        break;
    case CYCLE_BUFFER_CONFIRM:
        confirm_buffer(flash, value);
        break;
    }
    memory_region_rom_device_set_romd(&flash->memory, flash->mode == READ_ARRAY);
}

/* The chip is as wide as a byte: wider accesses are several to it. */
static const MemoryRegionOps flash_ops = {
    .read = flash_read,
    .write = flash_write,
    .valid = {.min_access_size = 1, .max_access_size = 8, .unaligned = true},
    .impl = {.min_access_size = 1, .max_access_size = 1},
};

/* -- The device ---------------------------------------------------------------------- */

static void pflash_cfi01_reset(Device *dev)
{
    Flash *flash = (Flash *)dev;

    flash->mode = READ_ARRAY;
    flash->cycle = CYCLE_COMMAND;
    flash->status = STATUS_READY;
    memory_region_rom_device_set_romd(&flash->memory, true);
}

static bool check_size(const Flash *flash, GError **error)
{
    uint64_t size = block_size(flash->backend);

    if (!block_is_inserted(flash->backend)) {
        g_set_error(
            error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
            "can't get size of block device %s: No medium found; give the drive a "
            "file=",
            flash->drive);
        return false;
    }
    if (size == 0 || size % PFLASH_CFI01_BLOCK_SIZE || size > CHIP_SIZE_MAX) {
        g_set_error(
            error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
            "system firmware block device %s has invalid size %" PRIu64
            "; make it a non-zero multiple of 0x%x, for example with `truncate -s "
            "%%4K FILE`",
            flash->drive, size, PFLASH_CFI01_BLOCK_SIZE);
        return false;
    }
    return true;
}

static bool load_content(Flash *flash, GError **error)
{
    if (!check_size(flash, error)) {
        return false;
    }
    flash->size = (uint32_t)block_size(flash->backend);
    flash->readonly = block_is_readonly(flash->backend);
    if (!memory_region_init_rom_device(&flash->memory, G_OBJECT(flash), &flash_ops, flash,
                                       flash->name ? flash->name : "pflash", flash->size,
                                       error)) {
        return false;
    }
    flash->bytes = memory_region_get_ram_ptr(&flash->memory);
    if (!block_read(flash->backend, 0, flash->bytes, flash->size / BLOCK_SECTOR_SIZE)) {
        g_set_error(
            error, G_IO_ERROR, G_IO_ERROR_FAILED,
            "failed to read the initial flash content of drive %s; check its image",
            flash->drive);
        memory_region_destroy(&flash->memory);
        return false;
    }
    flash->locked = g_malloc0(flash->size / PFLASH_CFI01_BLOCK_SIZE);
    return true;
}

static bool pflash_cfi01_realize(Device *dev, GError **error)
{
    Flash *flash = (Flash *)dev;

    if (!flash->drive) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                            "cfi.pflash01 needs a drive; add drive=ID");
        return false;
    }
    flash->backend = drive_take_by_id(flash->drive, error);
    if (!flash->backend) {
        return false;
    }
    if (!load_content(flash, error)) {
        drive_release(flash->backend);
        return false;
    }
    return true;
}

static const Property pflash_cfi01_properties[] = {
    PROP_STRING("drive", Flash, drive, NULL, "the -drive with its content, by id"),
    PROP_UINT8("id0", Flash, id[0], 0, "not seen by a guest: the maker's upper half"),
    PROP_UINT8("id1", Flash, id[1], 0, "the maker, by JEP106: 0x89 is Intel"),
    PROP_UINT8("id2", Flash, id[2], 0, "not seen by a guest: the device's upper half"),
    PROP_UINT8("id3", Flash, id[3], 0, "the device, by the maker's numbers"),
    PROP_STRING("name", Flash, name, NULL, "of its memory region"),
    PROP_END,
};

/* GObject takes no dot in a name. */
DEVICE_DEFINE_TYPE(Flash, pflash_cfi01, "cfi-pflash01", TYPE_DEVICE)

static void pflash_cfi01_class_init(DeviceClass *klass)
{
    klass->desc = "parallel NOR flash with Intel's command set";
    klass->realize = pflash_cfi01_realize;
    klass->reset = pflash_cfi01_reset;
    property_install_table(G_OBJECT_CLASS(klass), pflash_cfi01_properties);
}

Device *pflash_cfi01_new(const char *name, const char *drive, GError **error)
{
    Device *dev = device_new(TYPE_PFLASH_CFI01, error);

    if (!dev) {
        return NULL;
    }
    device_set_name(dev, NULL, name);
    if (!property_set_string(G_OBJECT(dev), "name", name, error) ||
        !property_set_string(G_OBJECT(dev), "drive", drive, error)) {
        g_object_unref(dev);
        return NULL;
    }
    return device_realize(dev, NULL, error) ? dev : NULL;
}

MemoryRegion *pflash_cfi01_memory(Device *flash)
{
    return &((Flash *)flash)->memory;
}
