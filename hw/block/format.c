/*
 * Which driver opens an image.
 *
 * A guest can write another format's header into sector 0 of its raw disk. If the next
 * start believed that header, the guest would choose which host files are opened as
 * backing files. So the content is looked at only to refuse, never to choose.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/block/backend.h"

#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

#include "hw/core/property.h"

static const BlockDriver *const drivers[] = {&block_driver_raw, &block_driver_null};

/* How the images of other formats begin, from their specifications. */
static const struct {
    const char *format;
    unsigned offset;
    const char *magic;
    unsigned length;
} magics[] = {
    {"qcow2", 0, "QFI\xfb", 4},
    {"vmdk", 0, "KDMV", 4},
    {"vmdk", 0, "COWD", 4},
    {"vmdk", 0, "# Disk DescriptorFile", 21},
    {"vdi", 64, "\x7f\x10\xda\xbe", 4},
    {"vhdx", 0, "vhdxfile", 8},
    {"vpc", 0, "conectix", 8},
    {"qed", 0, "QED\0", 4},
    {"luks", 0, "LUKS\xba\xbe", 6},
};

static const char *format_of_content(const char *file)
{
    uint8_t head[512] = {0};
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0) {
        return NULL;
    }

    ssize_t n = pread(fd, head, sizeof head, 0);

    close(fd);
    for (unsigned i = 0; n > 0 && i < G_N_ELEMENTS(magics); i++) {
        if (memcmp(head + magics[i].offset, magics[i].magic, magics[i].length) == 0) {
            return magics[i].format;
        }
    }
    return NULL;
}

const BlockDriver *block_driver_find(const DriveOptions *options, const char *file,
                                     GError **error)
{
    const char *names[G_N_ELEMENTS(drivers) + 1] = {0};

    if (!options->format) {
        const char *content = format_of_content(file);

        if (g_str_has_prefix(file, "null-co://")) {
            return &block_driver_null;
        }
        if (content) {
            g_set_error(
                error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                "'%s' looks like a %s image; say format=raw if the guest is to see "
                "its bytes as they are",
                file, content);
            return NULL;
        }
        return &block_driver_raw;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(drivers); i++) {
        names[i] = drivers[i]->name;
        if (strcmp(options->format, names[i]) == 0) {
            return drivers[i];
        }
    }

    char *known = g_strjoinv(", ", (char **)names);

    g_set_error(
        error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
        "Unknown format '%s'; known ones: %s (`qemu-img convert -O raw` makes raw "
        "images of others)",
        options->format, known);
    g_free(known);
    return NULL;
}
