/*
 * screendump: the guest's screen into a file of the host's, as PPM or PNG.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <errno.h>
#include <gio/gio.h>
#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include "hw/display/console.h"
#include "machine/monitor/hmp.h"
#include "machine/monitor/qmp.h"

/* Rows of red, green, blue: what both formats take. */
static void copy_row(pixman_image_t *image, int y, uint8_t *row)
{
    const uint32_t *pixels = pixman_image_get_data(image) +
                             (size_t)y * (size_t)pixman_image_get_stride(image) / 4;

    for (int x = 0; x < pixman_image_get_width(image); x++) {
        *row++ = (uint8_t)(pixels[x] >> 16);
        *row++ = (uint8_t)(pixels[x] >> 8);
        *row++ = (uint8_t)pixels[x];
    }
}

static bool write_ppm(pixman_image_t *image, uint8_t *row, FILE *file)
{
    int width = pixman_image_get_width(image), height = pixman_image_get_height(image);
    bool written = fprintf(file, "P6\n%d %d\n255\n", width, height) > 0;

    for (int y = 0; y < height && written; y++) {
        copy_row(image, y, row);
        written = fwrite(row, 3, (size_t)width, file) == (size_t)width;
    }
    return written;
}

/* libpng leaves by longjmp where it cannot write. */
static bool write_png(pixman_image_t *image, uint8_t *row, FILE *file)
{
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png ? png_create_info_struct(png) : NULL;

    if (!info || setjmp(png_jmpbuf(png))) {
        png_destroy_write_struct(&png, &info);
        return false;
    }
    png_init_io(png, file);
    png_set_IHDR(png, info, (png_uint_32)pixman_image_get_width(image),
                 (png_uint_32)pixman_image_get_height(image), 8, PNG_COLOR_TYPE_RGB,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_BASE, PNG_FILTER_TYPE_BASE);
    png_write_info(png, info);
    for (int y = 0; y < pixman_image_get_height(image); y++) {
        copy_row(image, y, row);
        png_write_row(png, row);
    }
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
    return true;
}

/* device NULL: the first console. format NULL: PPM. */
static bool screendump(const char *filename, const char *format, const char *device,
                       gint64 head, GError **error)
{
    bool png = g_strcmp0(format, "png") == 0, written;
    g_autofree uint8_t *row = NULL;
    DisplayConsole *console;
    pixman_image_t *image;
    FILE *file;

    if (format && !png && strcmp(format, "ppm") != 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "Parameter 'format' does not accept value '%s'; it is ppm or png",
                    format);
        return false;
    }
    console = display_console_find(device, error);
    if (!console) {
        return false;
    }
    if (head != 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "Device has no head %" G_GINT64_FORMAT "; its only one is 0", head);
        return false;
    }
    file = fopen(filename, "wbe");
    if (!file) {
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno),
                    "failed to open file '%s': %s", filename, g_strerror(errno));
        return false;
    }
    image = display_console_image(console);
    row = g_malloc((size_t)pixman_image_get_width(image) * 3);
    written = png ? write_png(image, row, file) : write_ppm(image, row, file);
    if (fclose(file) != 0 || !written) {
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno),
                    "writing the screen to '%s' failed: %s", filename, g_strerror(errno));
        return false;
    }
    return true;
}

static void run_hmp_screendump(Hmp *hmp, const HmpArgs *args)
{
    GError *error = NULL;

    if (!screendump(hmp_arg_text(args, "filename"), hmp_arg_text(args, "format"),
                    hmp_arg_text(args, "device"), (gint64)hmp_arg_number(args, "head"),
                    &error)) {
        hmp_report(hmp, error);
    }
}

static JsonNode *run_qmp_screendump(JsonObject *args, GError **error)
{
    const char *device = json_object_get_string_member_with_default(args, "device", NULL);

    if (!device && json_object_has_member(args, "head")) {
        g_set_error_literal(error, QMP_ERROR, QMP_GENERIC_ERROR,
                            "'head' must be specified together with 'device'");
        return NULL;
    }
    screendump(json_object_get_string_member(args, "filename"),
               json_object_get_string_member_with_default(args, "format", NULL), device,
               json_object_get_int_member_with_default(args, "head", 0), error);
    return NULL;
}

const HmpCommand hmp_screendump_commands[] = {
    {"screendump", "filename:s,format:-fs,device:s?,head:i?",
     "filename [-f format] [device [head]]",
     "save screen from head 'head' of display device 'device' in to image 'filename' in "
     "format 'format' (default is ppm)",
     run_hmp_screendump},
    {NULL},
};

const QmpCommand qmp_screendump_commands[] = {
    {"screendump", "filename:str,device:str?,head:int?,format:ImageFormat?",
     run_qmp_screendump},
    {NULL},
};
