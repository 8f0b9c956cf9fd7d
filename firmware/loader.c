/*
 * Loading firmware images: where they are looked for, and what they must be.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "firmware/loader.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "firmware/guest/guest.h"

const FirmwareRules firmware_rules_bios = {"firmware", KiB(64), MiB(16)};
const FirmwareRules firmware_rules_option_rom = {"option ROM", 0, MiB(16)};

/* Where Debian and others install SeaBIOS, SeaVGABIOS, QEMU's ROMs and iPXE. */
static const char *const distribution_directories[] = {
    "/usr/share/seabios",
    "/usr/share/qemu",
    "/usr/lib/ipxe/qemu",
    "/usr/share/qemu-kvm",
};

G_DEFINE_QUARK(firmware - error - quark, firmware_error)

/* -- Finding ---------------------------------------------------------------------------
 */

static bool is_file(const char *path)
{
    return g_file_test(path, G_FILE_TEST_EXISTS) &&
           !g_file_test(path, G_FILE_TEST_IS_DIR);
}

static void add_directory(GPtrArray *list, const char *directory)
{
    if (!g_ptr_array_find_with_equal_func(list, directory, g_str_equal, NULL)) {
        g_ptr_array_add(list, g_strdup(directory));
    }
}

static void add_data_directory(GPtrArray *list, const char *base)
{
    g_autofree char *directory = g_build_filename(base, "umbra", NULL);

    add_directory(list, directory);
}

/* -L's: the process's own. */
static const char *const *first_directories;

void firmware_set_directories(const char *const *directories)
{
    first_directories = directories;
}

static GPtrArray *search_path(const char *const *directories)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(g_free);

    for (const char *const *each = first_directories; each && *each; each++) {
        add_directory(list, *each);
    }
    for (; directories && *directories; directories++) {
        add_directory(list, *directories);
    }
    add_data_directory(list, g_get_user_data_dir());
#ifdef UMBRA_DATA_DIR
    add_directory(list, UMBRA_DATA_DIR);
#endif
    for (const char *const *base = g_get_system_data_dirs(); *base; base++) {
        add_data_directory(list, *base);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(distribution_directories); i++) {
        add_directory(list, distribution_directories[i]);
    }
    return list;
}

char *firmware_find_file(const char *name, const char *const *directories, GError **error)
{
    g_autoptr(GPtrArray) list = NULL;
    g_autofree char *looked = NULL;

    if (is_file(name)) {
        return g_strdup(name);
    }
    if (strchr(name, '/')) {
        g_set_error(error, FIRMWARE_ERROR, FIRMWARE_ERROR_NOT_FOUND, "'%s' %s", name,
                    g_file_test(name, G_FILE_TEST_IS_DIR) ? "is a directory, not an image"
                                                          : "does not exist");
        return NULL;
    }
    list = search_path(directories);
    for (guint i = 0; i < list->len; i++) {
        g_autofree char *path = g_build_filename(list->pdata[i], name, NULL);

        if (is_file(path)) {
            return g_steal_pointer(&path);
        }
    }
    g_ptr_array_add(list, NULL);
    looked = g_strjoinv(", ", (char **)list->pdata);
    g_set_error(error, FIRMWARE_ERROR, FIRMWARE_ERROR_NOT_FOUND,
                "'%s' was not found in the working directory or in %s; add its directory "
                "with -L",
                name, looked);
    return NULL;
}

/* -- Reading ---------------------------------------------------------------------------
 */

/* At most `limit` bytes and one more, by which the caller sees that there were more. */
static GByteArray *read_file(const char *path, uint64_t limit, GError **error)
{
    g_autoptr(GByteArray) data = NULL;
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0 || fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
        g_set_error(error, FIRMWARE_ERROR, FIRMWARE_ERROR_READ, "cannot read '%s': %s",
                    path, fd < 0 ? g_strerror(errno) : "it is not a regular file");
        if (fd >= 0) {
            close(fd);
        }
        return NULL;
    }
    data = g_byte_array_new();
    g_byte_array_set_size(data, MIN((uint64_t)status.st_size, limit) + 1);
    for (size_t have = 0;;) {
        ssize_t n = read(fd, data->data + have, data->len - have);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            g_set_error(error, FIRMWARE_ERROR, FIRMWARE_ERROR_READ,
                        "cannot read '%s': %s", path, g_strerror(errno));
            close(fd);
            return NULL;
        }
        have += n;
        if (n == 0 || have == data->len) {
            g_byte_array_set_size(data, have);
            break;
        }
    }
    close(fd);
    return g_steal_pointer(&data);
}

static bool is_gzip(const GByteArray *data)
{
    return data->len >= 2 && data->data[0] == 0x1f &&
           data->data[1] == 0x8b; /* RFC 1952 */
}

static bool gzip_error(GError **error, const char *path, const char *why)
{
    g_set_error(error, FIRMWARE_ERROR, FIRMWARE_ERROR_GZIP,
                "'%s' is a gzip file that %s; fetch or compress it again", path, why);
    return false;
}

/* Inflates every member of the file (gzip allows several), up to limit + 1 bytes. */
static bool inflate_members(z_stream *stream, GByteArray *out, uint64_t limit,
                            const char *path, GError **error)
{
    for (;;) {
        guint have = out->len;
        guint room = MIN(limit + 1 - have, KiB(256));
        int status;

        g_byte_array_set_size(out, have + room);
        stream->next_out = out->data + have;
        stream->avail_out = room;
        status = inflate(stream, Z_NO_FLUSH);
        g_byte_array_set_size(out, have + room - stream->avail_out);

        if (status == Z_STREAM_END) {
            while (stream->avail_in &&
                   *stream->next_in == 0) { /* padding, as gzip allows */
                stream->next_in++;
                stream->avail_in--;
            }
            if (stream->avail_in == 0 || out->len > limit) {
                return true;
            }
            inflateReset(stream);
        } else if (status == Z_BUF_ERROR ||
                   (status == Z_OK && stream->avail_in == 0 && stream->avail_out > 0)) {
            return gzip_error(error, path, "is cut short");
        } else if (status != Z_OK) {
            return gzip_error(error, path, "is damaged");
        }
        if (out->len > limit) {
            return true;
        }
    }
}

static GByteArray *decompress(GByteArray *in, uint64_t limit, const char *path,
                              GError **error)
{
    GByteArray *out = g_byte_array_new();
    z_stream stream = {.next_in = in->data, .avail_in = in->len};
    bool ok;

    if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) { /* 16: gzip framing */
        g_byte_array_unref(out);
        g_set_error(error, FIRMWARE_ERROR, FIRMWARE_ERROR_READ,
                    "no memory to decompress '%s'", path);
        return NULL;
    }
    ok = inflate_members(&stream, out, limit, path, error);
    inflateEnd(&stream);
    if (!ok) {
        g_byte_array_unref(out);
        return NULL;
    }
    return out;
}

static bool check_size(uint64_t size, const FirmwareRules *rules, const char *path,
                       GError **error)
{
    if (size == 0) {
        g_set_error(error, FIRMWARE_ERROR, FIRMWARE_ERROR_EMPTY, "%s '%s' is empty",
                    rules->what, path);
        return false;
    }
    if (size > rules->max_size) {
        g_set_error(error, FIRMWARE_ERROR, FIRMWARE_ERROR_SIZE,
                    "%s '%s' is larger than %" G_GUINT64_FORMAT " MiB", rules->what, path,
                    (guint64)(rules->max_size / MiB(1)));
        return false;
    }
    if (rules->granularity && size % rules->granularity) {
        g_set_error(error, FIRMWARE_ERROR, FIRMWARE_ERROR_SIZE,
                    "%s '%s' has %" G_GUINT64_FORMAT " bytes, not a multiple of "
                    "%" G_GUINT64_FORMAT " KiB; is it a %s image, and whole?",
                    rules->what, path, (guint64)size,
                    (guint64)(rules->granularity / KiB(1)), rules->what);
        return false;
    }
    return true;
}

GBytes *firmware_load(const char *name, const char *const *directories,
                      const FirmwareRules *rules, GError **error)
{
    GError *not_found = NULL;
    g_autofree char *path = firmware_find_file(name, directories, &not_found);
    g_autoptr(GByteArray) data = NULL;

    if (!path) {
        GBytes *guest = strchr(name, '/') ? NULL : firmware_guest_image(name);

        if (guest) {
            g_error_free(not_found);
            return guest;
        }
        g_propagate_error(error, not_found);
        g_prefix_error(error, "%s ", rules->what);
        return NULL;
    }
    data = read_file(path, rules->max_size, error);
    if (!data) {
        return NULL;
    }
    if (is_gzip(data)) {
        GByteArray *plain = decompress(data, rules->max_size, path, error);

        if (!plain) {
            return NULL;
        }
        g_byte_array_unref(data);
        data = plain;
    }
    if (!check_size(data->len, rules, path, error)) {
        return NULL;
    }
    return g_byte_array_free_to_bytes(g_steal_pointer(&data));
}
