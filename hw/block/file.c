/*
 * Files and block devices of the host's.
 *
 * Two emulators on one image destroy it, so the image is locked as QEMU locks it, byte
 * for byte, and the two respect each other: open file description locks (fcntl(2)), of
 * which byte 100 + n says "I do n" and byte 200 + n "I cannot stand others doing n", n
 * being 0: read, 1: write, 3: resize.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/block/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_BYTES_START 100
#define LOCK_BYTES_END 300
#define LOCK_BYTE_DOES 100
#define LOCK_BYTE_FORBIDS 200
#define ACCESS_READ (1u << 0)
#define ACCESS_WRITE (1u << 1)
#define ACCESS_RESIZE (1u << 3)
#define ACCESS_BITS 4

typedef struct HostFile {
    int fd;
    bool is_file; /* and not a block device: it can grow to a whole sector, have holes */
    bool locks, must_lock;
    bool lent; /* to a program of ours, which has its own locks */
} HostFile;

/* -- Locks --------------------------------------------------------------------------- */

/* Takes a shared lock of one byte. */
static int lock_byte(int fd, off_t byte)
{
    struct flock lock = {
        .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};

    return fcntl(fd, F_OFD_SETLK, &lock) < 0 ? errno : 0;
}

/* Whether another open file description holds that byte. */
static bool byte_is_locked(int fd, off_t byte)
{
    struct flock lock = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};

    return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

/* `must`: a file system without locks is an error. */
static bool lock_file(const BlockNode *node, int fd, bool must, GError **error)
{
    unsigned does = ACCESS_READ | (node->readonly ? 0 : ACCESS_WRITE);
    unsigned forbids = ACCESS_WRITE | ACCESS_RESIZE;
    int code = 0;

    for (unsigned n = 0; n < ACCESS_BITS && code == 0; n++) {
        if (does & (1u << n)) {
            code = lock_byte(fd, LOCK_BYTE_DOES + n);
        }
        if (code == 0 && (forbids & (1u << n))) {
            code = lock_byte(fd, LOCK_BYTE_FORBIDS + n);
        }
    }
    if (code != 0 && code != EAGAIN && code != EACCES) {
        if (!must) {
            return true;
        }
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(code),
                    "Could not lock '%s': %s; use file.locking=off to go without",
                    node->filename, g_strerror(code));
        return false;
    }
    for (unsigned n = 0; n < ACCESS_BITS && code == 0; n++) {
        if (((does & (1u << n)) && byte_is_locked(fd, LOCK_BYTE_FORBIDS + n)) ||
            ((forbids & (1u << n)) && byte_is_locked(fd, LOCK_BYTE_DOES + n))) {
            code = EAGAIN;
        }
    }
    if (code != 0) {
        g_set_error(
            error, G_IO_ERROR, G_IO_ERROR_BUSY,
            "Failed to get \"%s\" lock: another process is using the image '%s'; end "
            "it, or use snapshot=on or readonly=on here and there",
            node->readonly ? "shared read" : "write", node->filename);
        return false;
    }
    return true;
}

static bool take_locks(BlockNode *node, GError **error)
{
    const HostFile *file = node->state;

    return !file->locks || file->lent ||
           lock_file(node, file->fd, file->must_lock, error);
}

static void give_locks_up(BlockNode *node)
{
    struct flock all = {.l_type = F_UNLCK,
                        .l_whence = SEEK_SET,
                        .l_start = LOCK_BYTES_START,
                        .l_len = LOCK_BYTES_END - LOCK_BYTES_START};

    (void)!fcntl(((HostFile *)node->state)->fd, F_OFD_SETLK, &all);
}

void block_file_lend(BlockNode *node)
{
    ((HostFile *)node->state)->lent = true;
    give_locks_up(node);
}

/* -- Whose the images are ------------------------------------------------------------ */

static bool are_elsewhere;

static bool is_host_file(const BlockNode *node)
{
    return node->driver == &block_driver_file ||
           node->driver == &block_driver_host_device;
}

static void hand_over(BlockNode *node, void *opaque)
{
    if (is_host_file(node)) {
        if (!node->readonly) {
            node->driver->flush(node);
        }
        give_locks_up(node);
    }
}

void block_images_hand_over(void)
{
    are_elsewhere = true;
    block_node_foreach(hand_over, NULL);
}

typedef struct Taking {
    GError **error;
    bool failed;
} Taking;

static void take(BlockNode *node, void *opaque)
{
    Taking *taking = opaque;

    if (is_host_file(node) && !taking->failed) {
        taking->failed = !take_locks(node, taking->error);
    }
}

bool block_images_take(GError **error)
{
    Taking taking = {.error = error};

    if (are_elsewhere) {
        block_node_foreach(take, &taking);
        if (taking.failed) {
            block_images_hand_over();
        } else {
            are_elsewhere = false;
        }
    }
    return !taking.failed;
}

/* -- Open and close ------------------------------------------------------------------ */

static int open_host(BlockNode *node)
{
    int fd = open(node->filename,
                  (node->readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0 && !node->readonly && node->auto_readonly &&
        (errno == EACCES || errno == EROFS)) {
        node->readonly = true;
        fd = open(node->filename, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    }
    return fd;
}

static bool check_kind(BlockNode *node, int fd, int code, bool *is_file, GError **error)
{
    bool device = node->driver == &block_driver_host_device;
    struct stat status;

    /* A directory opened for writing says EISDIR; say the same for both. */
    if ((fd < 0 && code == EISDIR) ||
        (fd >= 0 && fstat(fd, &status) == 0 && !S_ISREG(status.st_mode) &&
         !S_ISBLK(status.st_mode))) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE,
                    "Could not open '%s': a drive needs a regular file or a block device",
                    node->filename);
        return false;
    }
    if (fd < 0) {
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(code),
                    "Could not open '%s': %s%s", node->filename, g_strerror(code),
                    code == EACCES && !node->readonly && access(node->filename, R_OK) == 0
                        ? "; use readonly=on or snapshot=on"
                        : "");
        return false;
    }
    *is_file = S_ISREG(status.st_mode);
    if (device == *is_file) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE,
                    "Could not open '%s': it is a %s; use driver=%s", node->filename,
                    *is_file ? "regular file" : "block device",
                    *is_file ? "file" : "host_device");
        return false;
    }
    return true;
}

static bool prepare(BlockNode *node, GError **error)
{
    const HostFile *file = node->state;
    off_t length = lseek(file->fd, 0, SEEK_END);

    if (length < 0) {
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno),
                    "Could not find the size of '%s': %s", node->filename,
                    g_strerror(errno));
        return false;
    }
    node->length = (uint64_t)length;
    return are_elsewhere || take_locks(node, error);
}

/* An option with words for values that change nothing here, or only whether it locks. */
static bool check_word(const char *key, const char *value, const char *const *words,
                       GError **error)
{
    g_autofree char *list = g_strjoinv(", ", (char **)words);

    if (value && !g_strv_contains(words, value)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "Parameter '%s' does not take '%s', but one of: %s", key, value,
                    list);
        return false;
    }
    return true;
}

static void file_close(BlockNode *node)
{
    HostFile *file = node->state;

    close(file->fd);
    g_free(file);
}

static bool file_open(BlockNode *node, OptionString *options, GError **error)
{
    static const char *const lockings[] = {"on", "off", "auto", NULL};
    static const char *const aios[] = {"threads", "native", "io_uring", NULL};
    g_autofree char *locking = option_string_take(options, "locking");
    g_autofree char *aio = option_string_take(options, "aio");
    bool is_file;
    int fd;

    node->filename = block_take_required(options, "filename", error);
    if (!node->filename || !check_word("locking", locking, lockings, error) ||
        !check_word("aio", aio, aios, error)) {
        return false;
    }
    fd = open_host(node);
    if (!check_kind(node, fd, errno, &is_file, error)) {
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    node->state = g_memdup2(&(HostFile){.fd = fd,
                                        .is_file = is_file,
                                        .locks = g_strcmp0(locking, "off") != 0,
                                        .must_lock = g_strcmp0(locking, "on") == 0},
                            sizeof(HostFile));
    if (!prepare(node, error)) {
        file_close(node);
        return false;
    }
    return true;
}

/* -- Reading and writing ------------------------------------------------------------- */

static bool file_read(BlockNode *node, uint64_t offset, void *buffer, size_t length)
{
    const HostFile *file = node->state;
    uint8_t *bytes = buffer;

    while (length > 0) {
        ssize_t n = pread(file->fd, bytes, length, (off_t)offset);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return false;
        }
        if (n == 0) { /* the padding of the last sector, or a file that has shrunk */
            memset(bytes, 0, length);
            return true;
        }
        bytes += n;
        offset += (uint64_t)n;
        length -= (size_t)n;
    }
    return true;
}

static bool file_write(BlockNode *node, uint64_t offset, const void *buffer,
                       size_t length)
{
    const HostFile *file = node->state;
    const uint8_t *bytes = buffer;

    while (length > 0) {
        ssize_t n = pwrite(file->fd, bytes, length, (off_t)offset);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        bytes += n;
        offset += (uint64_t)n;
        length -= (size_t)n;
    }
    return true;
}

static bool file_flush(BlockNode *node)
{
    const HostFile *file = node->state;

    return fdatasync(file->fd) == 0;
}

static bool file_discard(BlockNode *node, uint64_t offset, uint64_t length)
{
    const HostFile *file = node->state;

    /* Advice only: where the host cannot make holes, the sectors stay as they are. */
    if (file->is_file) {
        (void)!fallocate(file->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                         (off_t)offset, (off_t)length);
    }
    return true;
}

#define FILE_DRIVER(name_)                                                               \
    {                                                                                    \
        .name = name_, .open = file_open, .close = file_close, .read = file_read,        \
        .write = file_write, .flush = file_flush, .discard = file_discard                \
    }

const BlockDriver block_driver_file = FILE_DRIVER("file");
const BlockDriver block_driver_host_device = FILE_DRIVER("host_device");
