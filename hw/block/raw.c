/*
 * Raw images: a file or a block device whose bytes are the disk's.
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

#define LOCK_BYTE_DOES 100
#define LOCK_BYTE_FORBIDS 200
#define ACCESS_READ (1u << 0)
#define ACCESS_WRITE (1u << 1)
#define ACCESS_RESIZE (1u << 3)
#define ACCESS_BITS 4

typedef struct RawImage {
    int fd;
    bool is_file; /* and not a block device: it can grow to a whole sector, have holes */
} RawImage;

/* -- Locks --------------------------------------------------------------------------- */

/* Takes a shared lock of one byte. */
static int raw_lock_byte(int fd, off_t byte)
{
    struct flock lock = {
        .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};

    return fcntl(fd, F_OFD_SETLK, &lock) < 0 ? errno : 0;
}

/* Whether another open file description holds that byte. */
static bool raw_byte_is_locked(int fd, off_t byte)
{
    struct flock lock = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};

    return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

static bool raw_lock(BlockBackend *backend, int fd, const char *file, GError **error)
{
    unsigned does = ACCESS_READ | (block_wants_write(backend) ? ACCESS_WRITE : 0);
    unsigned forbids = ACCESS_WRITE | ACCESS_RESIZE;
    int code = 0;

    for (unsigned n = 0; n < ACCESS_BITS && code == 0; n++) {
        if (does & (1u << n)) {
            code = raw_lock_byte(fd, LOCK_BYTE_DOES + n);
        }
        if (code == 0 && (forbids & (1u << n))) {
            code = raw_lock_byte(fd, LOCK_BYTE_FORBIDS + n);
        }
    }
    if (code != 0 && code != EAGAIN && code != EACCES) {
        if (g_strcmp0(backend->options.locking, "on") != 0) {
            return true; /* a file system without locks */
        }
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(code),
                    "Could not lock '%s': %s; use file.locking=off to go without", file,
                    g_strerror(code));
        return false;
    }
    for (unsigned n = 0; n < ACCESS_BITS && code == 0; n++) {
        if (((does & (1u << n)) && raw_byte_is_locked(fd, LOCK_BYTE_FORBIDS + n)) ||
            ((forbids & (1u << n)) && raw_byte_is_locked(fd, LOCK_BYTE_DOES + n))) {
            code = EAGAIN;
        }
    }
    if (code != 0) {
        g_set_error(
            error, G_IO_ERROR, G_IO_ERROR_BUSY,
            "Failed to get \"%s\" lock: another process is using the image '%s'; end "
            "it, or use snapshot=on or readonly=on here and there",
            block_wants_write(backend) ? "write" : "shared read", file);
        return false;
    }
    return true;
}

/* -- Open and close ------------------------------------------------------------------ */

static bool raw_open(BlockBackend *backend, const char *file, GError **error)
{
    bool write = block_wants_write(backend);
    struct stat status;
    int fd = open(file, (write ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK);
    int code = errno;

    /* A directory opened for writing says EISDIR; say the same for both. */
    if ((fd < 0 && code == EISDIR) ||
        (fd >= 0 && fstat(fd, &status) == 0 && !S_ISREG(status.st_mode) &&
         !S_ISBLK(status.st_mode))) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE,
                    "Could not open '%s': a drive needs a regular file or a block device",
                    file);
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    if (fd < 0) {
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(code),
                    "Could not open '%s': %s%s", file, g_strerror(code),
                    code == EACCES && write && access(file, R_OK) == 0
                        ? "; use readonly=on or snapshot=on"
                        : "");
        return false;
    }

    off_t length = lseek(fd, 0, SEEK_END);

    if (length < 0) {
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno),
                    "Could not find the size of '%s': %s", file, g_strerror(errno));
        close(fd);
        return false;
    }
    if (g_strcmp0(backend->options.locking, "off") != 0 &&
        !raw_lock(backend, fd, file, error)) {
        close(fd);
        return false;
    }

    RawImage *image = g_new(RawImage, 1);

    *image = (RawImage){.fd = fd, .is_file = S_ISREG(status.st_mode)};
    backend->medium.state = image;
    backend->medium.length = (uint64_t)length;
    return true;
}

static void raw_close(BlockBackend *backend)
{
    RawImage *image = backend->medium.state;

    close(image->fd);
    g_free(image);
}

/* -- Reading and writing ------------------------------------------------------------- */

static bool raw_read(BlockBackend *backend, uint64_t offset, void *buffer, size_t length)
{
    RawImage *image = backend->medium.state;
    uint8_t *bytes = buffer;

    while (length > 0) {
        ssize_t n = pread(image->fd, bytes, length, (off_t)offset);

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

static bool raw_write(BlockBackend *backend, uint64_t offset, const void *buffer,
                      size_t length)
{
    RawImage *image = backend->medium.state;
    const uint8_t *bytes = buffer;

    while (length > 0) {
        ssize_t n = pwrite(image->fd, bytes, length, (off_t)offset);

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

static bool raw_flush(BlockBackend *backend)
{
    RawImage *image = backend->medium.state;

    return fdatasync(image->fd) == 0;
}

static bool raw_discard(BlockBackend *backend, uint64_t offset, uint64_t length)
{
    RawImage *image = backend->medium.state;

    /* Advice only: where the host cannot make holes, the sectors stay as they are. */
    if (image->is_file) {
        (void)!fallocate(image->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                         (off_t)offset, (off_t)length);
    }
    return true;
}

const BlockDriver block_driver_raw = {
    .name = "raw",
    .open = raw_open,
    .close = raw_close,
    .read = raw_read,
    .write = raw_write,
    .flush = raw_flush,
    .discard = raw_discard,
};
