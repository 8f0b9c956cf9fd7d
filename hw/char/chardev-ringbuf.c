/*
 * A chardev that keeps the last bytes written to it for a monitor to read.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/char/chardev-backend.h"

#include <gio/gio.h>

#include "memory/types.h"

#define DEFAULT_SIZE 65536

typedef struct RingbufChardev {
    Chardev parent;
    uint8_t *bytes;
    size_t size;           /* a power of two */
    size_t written, taken; /* since it was made; at most `size` apart */
} RingbufChardev;

static bool ringbuf_open(Chardev *chardev, const Options *options, GError **error)
{
    RingbufChardev *ring = (RingbufChardev *)chardev;
    const char *text = options_get(options, "size");
    uint64_t size = DEFAULT_SIZE;

    if (text && !parse_size(text, 1, &size)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "Parameter 'size' expects a size, as 64K");
        return false;
    }
    if (size == 0 || size > GiB(1) || (size & (size - 1))) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "size of ringbuf chardev must be power of two");
        return false;
    }
    ring->size = size;
    ring->bytes = g_malloc(size);
    chardev->open = true;
    return true;
}

static ssize_t ringbuf_write(Chardev *chardev, const uint8_t *buffer, size_t length)
{
    RingbufChardev *ring = (RingbufChardev *)chardev;

    for (size_t i = 0; i < length; i++) {
        ring->bytes[ring->written++ & (ring->size - 1)] = buffer[i];
        if (ring->written - ring->taken > ring->size) {
            ring->taken = ring->written - ring->size;
        }
    }
    return (ssize_t)length;
}

GByteArray *chardev_ringbuf_read(Chardev *chardev, size_t length)
{
    RingbufChardev *ring = (RingbufChardev *)chardev;
    GByteArray *bytes;

    if (chardev->backend != &chardev_ringbuf_backend) {
        return NULL;
    }
    bytes = g_byte_array_new();
    for (; length && ring->taken != ring->written; length--) {
        g_byte_array_append(bytes, &ring->bytes[ring->taken++ & (ring->size - 1)], 1);
    }
    return bytes;
}

bool chardev_ringbuf_write(Chardev *chardev, const void *buffer, size_t length)
{
    return chardev->backend == &chardev_ringbuf_backend &&
           ringbuf_write(chardev, buffer, length) >= 0;
}

static void ringbuf_close(Chardev *chardev)
{
    g_free(((RingbufChardev *)chardev)->bytes);
}

static const char *const ringbuf_options[] = {"size", NULL};

const ChardevBackend chardev_ringbuf_backend = {
    .name = "ringbuf",
    .size = sizeof(RingbufChardev),
    .options = ringbuf_options,
    .open = ringbuf_open,
    .write = ringbuf_write,
    .close = ringbuf_close,
};
