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
#include "hw/core/vmstate.h"

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
    uint32_t buffer_base; /* where the buffer's window begins in the array */
    uint32_t buffer_first, buffer_length; /* the bytes of it that the command names */
    unsigned buffer_left;                 /* of them, still to come */
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
static void begin_buffer(Flash *flash, uint32_t offset, uint8_t count)
{
    flash->buffer_base = offset - offset % BUFFER_SIZE;
    flash->buffer_left = flash->buffer_length = count + 1u;
    flash->cycle = CYCLE_BUFFER_DATA;
    memset(flash->buffer, 0xff, sizeof flash->buffer);
}

/* The first byte's address is the buffer's; the others lie within its length, and none
 * outside the window of a buffer's size. */
static void fill_buffer(Flash *flash, uint32_t offset, uint8_t value)
{
    if (flash->buffer_left == flash->buffer_length) {
        flash->buffer_first = offset;
        flash->buffer_base = offset - offset % BUFFER_SIZE;
    }
    if (offset < flash->buffer_first ||
        offset - flash->buffer_first >= flash->buffer_length ||
        offset - flash->buffer_base >= BUFFER_SIZE) {
        flash->status |= STATUS_SEQUENCE_ERROR;
        end_operation(flash);
        return;
    }
    flash->buffer[offset - flash->buffer_base] = value;
    if (--flash->buffer_left == 0) {
        flash->cycle = CYCLE_BUFFER_CONFIRM;
    }
}

/* What was not filled is all ones, and programs nothing. */
static void confirm_buffer(Flash *flash, uint8_t value)
{
    if (value == CONFIRM) {
        program(flash, flash->buffer_base, flash->buffer, BUFFER_SIZE);
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
        begin_buffer(flash, offset, value);
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

/* -- State --------------------------------------------------------------------------- */

/* QEMU's: the command that determines reads or waits for more, how many of its bus cycles
 * have been, and the window of the array as the buffer would make it. */
typedef struct WireFlash {
    uint8_t wcycle, cmd, status;
    uint64_t counter; /* bytes for the buffer, less one */
    uint32_t window_size; /* not sent: BUFFER_SIZE */
    uint8_t *blk_bytes;   /* window */
    uint8_t window[BUFFER_SIZE];
    uint32_t blk_offset;
} WireFlash;

#define NO_WINDOW UINT32_MAX

static const struct {
    Cycle cycle;
    uint8_t wcycle, cmd;
} cycles[] = {
    {CYCLE_PROGRAM_DATA, 1, COMMAND_PROGRAM},
    {CYCLE_PROGRAM_DATA, 1, 0x10},
    {CYCLE_ERASE_CONFIRM, 1, COMMAND_BLOCK_ERASE},
    {CYCLE_LOCK_CONFIRM, 1, COMMAND_LOCK},
    {CYCLE_BUFFER_COUNT, 1, COMMAND_WRITE_BUFFER},
    {CYCLE_BUFFER_DATA, 2, COMMAND_WRITE_BUFFER},
    {CYCLE_BUFFER_CONFIRM, 3, COMMAND_WRITE_BUFFER},
};

/* QEMU counts the cycle of commands that only choose what reads give, but for
 * the status. */
static const struct {
    uint8_t wcycle, cmd;
} reads[] = {
    [READ_ARRAY] = {0, 0},
    [READ_STATUS] = {0, COMMAND_READ_STATUS},
    [READ_IDENTIFIER] = {1, COMMAND_READ_IDENTIFIER},
    [READ_QUERY] = {1, COMMAND_READ_QUERY},
};

static bool has_window(const Flash *flash)
{
    return flash->cycle == CYCLE_BUFFER_DATA || flash->cycle == CYCLE_BUFFER_CONFIRM;
}

static void flash_to_wire(void *opaque, void *wire)
{
    const Flash *flash = opaque;
    WireFlash *to = wire;

    to->status = flash->status;
    to->wcycle = reads[flash->mode].wcycle;
    to->cmd = reads[flash->mode].cmd;
    for (size_t i = 0; i < G_N_ELEMENTS(cycles); i++) {
        if (flash->cycle == cycles[i].cycle) {
            to->wcycle = cycles[i].wcycle;
            to->cmd = cycles[i].cmd;
            break;
        }
    }
    to->counter = has_window(flash) ? (uint64_t)flash->buffer_left - 1 : 0;
    to->blk_offset = NO_WINDOW;
    to->window_size = BUFFER_SIZE;
    to->blk_bytes = to->window;
    if (has_window(flash)) {
        to->blk_offset = flash->buffer_base;
        for (unsigned i = 0; i < BUFFER_SIZE; i++) {
            to->window[i] = flash->bytes[flash->buffer_base + i] & flash->buffer[i];
        }
    }
}

/* A command in the midst, or one that is over and determines what reads give. */
static bool take_command(Flash *flash, const WireFlash *from)
{
    flash->cycle = CYCLE_COMMAND;
    flash->mode = READ_STATUS;
    for (size_t i = 0; from->wcycle && i < G_N_ELEMENTS(cycles); i++) {
        if (from->wcycle == cycles[i].wcycle && from->cmd == cycles[i].cmd) {
            flash->cycle = cycles[i].cycle;
            return true;
        }
    }
    for (size_t i = 0; i < G_N_ELEMENTS(reads); i++) {
        if (from->wcycle == reads[i].wcycle && from->cmd == reads[i].cmd) {
            flash->mode = (ReadMode)i;
            return true;
        }
    }
    return !from->wcycle;
}

static bool flash_from_wire(void *opaque, void *wire, int version_id, GError **error)
{
    Flash *flash = opaque;
    const WireFlash *from = wire;
    bool window = from->blk_offset != NO_WINDOW;

    if (!take_command(flash, from) ||
        (flash->cycle == CYCLE_BUFFER_DATA && from->counter >= BUFFER_SIZE) ||
        (window && (from->blk_offset % BUFFER_SIZE || from->blk_offset >= flash->size))) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                    "flash '%s': command 0x%02x in cycle %u is none, or its buffer lies "
                    "outside the chip; the stream is not of such a machine",
                    flash->name, from->cmd, from->wcycle);
        return false;
    }
    flash->status = from->status;
    flash->buffer_left = (unsigned)from->counter + 1;
    flash->buffer_length = window ? BUFFER_SIZE + 1 : flash->buffer_left;
    if (window) {
        flash->buffer_base = flash->buffer_first = from->blk_offset;
        memcpy(flash->buffer, from->window, BUFFER_SIZE);
    } else { /* of a source that programs without a buffer */
        memset(flash->buffer, 0xff, BUFFER_SIZE);
        flash->buffer_base = 0;
    }
    memory_region_rom_device_set_romd(&flash->memory, flash->mode == READ_ARRAY);
    return true;
}

static bool window_needed(void *wire)
{
    return ((const WireFlash *)wire)->blk_offset != NO_WINDOW;
}

static const VMStateDescription vmstate_flash_window = {
    .name = "pflash_cfi01_blk_write",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = window_needed,
    .fields =
        (const VMStateField[]){
            VMSTATE_VBUFFER_UINT32(blk_bytes, WireFlash, 0, NULL, window_size),
            VMSTATE_UINT32(blk_offset, WireFlash),
            VMSTATE_END_OF_LIST(),
        },
};

static const VMStateDescription vmstate_flash = {
    .name = "pflash_cfi01",
    .version_id = 1,
    .minimum_version_id = 1,
    .wire_size = sizeof(WireFlash),
    .to_wire = flash_to_wire,
    .from_wire = flash_from_wire,
    .fields =
        (const VMStateField[]){
            VMSTATE_UINT8(wcycle, WireFlash),
            VMSTATE_UINT8(cmd, WireFlash),
            VMSTATE_UINT8(status, WireFlash),
            VMSTATE_UINT64(counter, WireFlash),
            VMSTATE_END_OF_LIST(),
        },
    .subsections = (const VMStateDescription *const[]){&vmstate_flash_window, NULL},
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

/* It is soldered. */
static const BlockDeviceOps flash_block_ops = {.change_medium = NULL};

static bool pflash_cfi01_realize(Device *dev, GError **error)
{
    Flash *flash = (Flash *)dev;

    if (!flash->drive) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                            "cfi.pflash01 needs a drive; add drive=ID");
        return false;
    }
    flash->backend = drive_take_by_id(flash->drive, true, error);
    if (!flash->backend) {
        return false;
    }
    block_set_device(flash->backend, dev, &flash_block_ops, flash);
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
    klass->vmsd = &vmstate_flash;
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
