/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/plugin.h"

#include <elf.h>
#include <gio/gio.h>
#include <string.h>

#include "hw/core/module.h"

#define FILE_PREFIX "umbra-machine-"
#define FILE_SUFFIX ".so"

/* A plugin's file, loaded or not. GTypeModule ties the types to it. */
typedef struct PluginFile {
    GTypeModule parent;
    char *path, *name; /* name: between prefix and suffix */
    GModule *library;
    const MachinePlugin *plugin;
    MachineType *types; /* plugin->machines with their origin */
    GError *error;      /* why it cannot be used, or NULL */
} PluginFile;

typedef struct PluginFileClass {
    GTypeModuleClass parent;
} PluginFileClass;

static GType plugin_file_get_type(void);
#define PLUGIN_FILE(object)                                                              \
    (G_TYPE_CHECK_INSTANCE_CAST((object), plugin_file_get_type(), PluginFile))

G_DEFINE_TYPE(PluginFile, plugin_file, G_TYPE_TYPE_MODULE)

static const char *const *option_directories;
static GPtrArray *files; /* PluginFile *, in the order in which they were tried */

/* -- Loading --------------------------------------------------------------------- */

/* Whether all that an ELF file wants in memory is in the file: the dynamic linker maps
 * what is not, and the process dies of SIGBUS when it touches that. Whatever else is
 * wrong with a file, the linker says so itself. */
static bool elf_is_whole(const char *path)
{
    g_autoptr(GMappedFile) map = g_mapped_file_new(path, false, NULL);
    size_t size = map ? g_mapped_file_get_length(map) : 0;
    const char *bytes = map ? g_mapped_file_get_contents(map) : NULL;
    Elf64_Ehdr header;

    if (size < sizeof(header) || memcmp(bytes, ELFMAG, SELFMAG) != 0) {
        return true;
    }
    memcpy(&header, bytes, sizeof(header));
    for (size_t i = 0; i < header.e_phnum; i++) {
        Elf64_Phdr segment;
        uint64_t at;

        if (__builtin_add_overflow(header.e_phoff, i * sizeof(segment), &at) ||
            at > size - sizeof(segment)) {
            return false;
        }
        memcpy(&segment, bytes + at, sizeof(segment));
        if (segment.p_type == PT_LOAD &&
            (segment.p_offset > size || segment.p_filesz > size - segment.p_offset)) {
            return false;
        }
    }
    return true;
}

static bool refuse(PluginFile *file, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool refuse(PluginFile *file, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    file->error =
        g_error_new_valist(G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, format, arguments);
    va_end(arguments);
    g_prefix_error(&file->error, "%s: ", file->path);
    return false;
}

static bool check_plugin(PluginFile *file)
{
    const MachinePlugin *plugin = file->plugin;

    if (plugin->abi != MACHINE_PLUGIN_ABI) {
        return refuse(file,
                      "it is for plugin ABI %u and this Umbra has %u; compile it against "
                      "this Umbra's headers (pkg-config --cflags umbra)",
                      plugin->abi, MACHINE_PLUGIN_ABI);
    }
    if (plugin->layout != MACHINE_PLUGIN_LAYOUT) {
        return refuse(file,
                      "it was compiled against headers of another Umbra; compile it "
                      "again against this one's (pkg-config --cflags umbra)");
    }
    if (g_strcmp0(plugin->name, file->name) != 0 || !plugin->machines) {
        return refuse(file,
                      "it describes plugin '%s'; name its file " FILE_PREFIX
                      "%s" FILE_SUFFIX " and give it a table of machine types",
                      plugin->name ? plugin->name : "",
                      plugin->name ? plugin->name : "NAME");
    }
    return true;
}

/* Another's machine type of that name or alias would make -M ambiguous, and a name that
 * does not start with the plugin's would never be found. */
static bool check_machine_name(PluginFile *file, const char *name)
{
    const MachineType *taken = machine_type_find_known(name);
    size_t length = strlen(file->name);

    if (taken) {
        return refuse(file, "its machine type '%s' is there already (%s); rename it",
                      name, taken->origin ? taken->origin : "built in");
    }
    if (strncmp(name, file->name, length) != 0 || (name[length] && name[length] != '-')) {
        return refuse(file,
                      "its machine type '%s' must be called %s or %s-SOMETHING for -M "
                      "to find it in this file",
                      name, file->name, file->name);
    }
    return true;
}

static bool check_type(PluginFile *file, const char *what, const char *name, GType type,
                       GType base, const char *problem)
{
    if (problem) {
        return refuse(file, "%s", problem);
    }
    return g_type_is_a(type, base) || refuse(file,
                                             "its %s type '%s' is none: its get_type() "
                                             "does not give a descendant of '%s'",
                                             what, name, g_type_name(base));
}

static bool make_types(PluginFile *file, const char **problem)
{
    for (const DeviceTypeEntry *entry = file->plugin->devices; entry && entry->name;
         entry++) {
        GType type = entry->get_type();

        if (!check_type(file, "device", entry->name, type, TYPE_DEVICE, *problem)) {
            return false;
        }
    }
    for (const MachineType *row = file->plugin->machines; row->name; row++) {
        GType type = row->get_type();

        if (!check_machine_name(file, row->name) ||
            (row->alias && !check_machine_name(file, row->alias)) ||
            !check_type(file, "machine", row->name, type, TYPE_MACHINE, *problem)) {
            return false;
        }
    }
    return true;
}

static void keep_machines(PluginFile *file)
{
    GArray *types = g_array_new(true, true, sizeof(MachineType));

    for (const MachineType *type = file->plugin->machines; type->name; type++) {
        MachineType row = *type;

        row.origin = file->path;
        row.is_default = false; /* no plugin decides what runs without -M */
        g_array_append_val(types, row);
    }
    file->types = (MachineType *)(void *)g_array_free(types, false);
}

static gboolean plugin_file_load(GTypeModule *module)
{
    PluginFile *file = PLUGIN_FILE(module);
    const char *problem = NULL;
    bool made;

    if (!elf_is_whole(file->path)) {
        return refuse(file, "it cannot be loaded: the file is cut short; copy it again");
    }
    /* Every symbol is looked up now, so that a function which is not there is an error
     * here and not in the middle of a guest's access. */
    file->library = g_module_open(file->path, G_MODULE_BIND_LOCAL);
    if (!file->library) {
        const char *why = g_module_error();
        size_t length = strlen(file->path);

        if (strncmp(why, file->path, length) == 0 && why[length] == ':') {
            why += length + 2;
        }
        return refuse(file, "it cannot be loaded: %s; is it built for this Umbra?", why);
    }
    if (!g_module_symbol(file->library, MACHINE_PLUGIN_SYMBOL,
                         (gpointer *)(void *)&file->plugin)) {
        return refuse(file, "it has no symbol '" MACHINE_PLUGIN_SYMBOL
                            "'; use MACHINE_PLUGIN() of machine/plugin.h in it");
    }
    if (!check_plugin(file)) {
        return false;
    }
    device_types_begin_module(module, file->plugin, &problem);
    made = make_types(file, &problem);
    device_types_end_module();
    return made;
}

/* Only after a failure: types stay as long as the process, and so does their code. */
static void plugin_file_unload(GTypeModule *module)
{
    PluginFile *file = PLUGIN_FILE(module);

    g_clear_pointer(&file->library, g_module_close);
    file->plugin = NULL;
}

static void plugin_file_class_init(PluginFileClass *klass)
{
    klass->parent.load = plugin_file_load;
    klass->parent.unload = plugin_file_unload;
}

static void plugin_file_init(PluginFile *file)
{
}

/* The file as it was when it was first met. */
static PluginFile *load_file(const char *path, const char *name)
{
    PluginFile *file;

    for (guint i = 0; files && i < files->len; i++) {
        file = files->pdata[i];
        if (strcmp(file->name, name) == 0) {
            return file;
        }
    }
    file = g_object_new(plugin_file_get_type(), NULL);
    file->path = g_strdup(path);
    file->name = g_strdup(name);
    g_type_module_set_name(G_TYPE_MODULE(file), path);
    if (!files) {
        files = g_ptr_array_new();
    }
    g_ptr_array_add(files, file);
    if (g_type_module_use(G_TYPE_MODULE(file))) {
        g_module_make_resident(file->library);
        keep_machines(file);
        machine_types_add(file->types);
        if (file->plugin->devices) {
            device_types_add(file->plugin->devices);
        }
    } else {
        /* A GTypeModule that could not load has not been told to unload. */
        plugin_file_unload(G_TYPE_MODULE(file));
    }
    return file;
}

/* -- Finding --------------------------------------------------------------------- */

void machine_plugins_set_directories(const char *const *directories)
{
    option_directories = directories;
}

static PluginFile *find_file(const char *name)
{
    g_autoptr(GPtrArray) path = module_search_path(option_directories);

    for (guint i = 0; i < path->len; i++) {
        g_autofree char *base = g_strconcat(FILE_PREFIX, name, FILE_SUFFIX, NULL);
        g_autofree char *file = g_build_filename(path->pdata[i], base, NULL);

        if (g_file_test(file, G_FILE_TEST_EXISTS)) {
            return load_file(file, name);
        }
    }
    return NULL;
}

/* "a-b-c" is in the plugin of that name, or in "a-b", or in "a". */
bool machine_plugin_load_for(const char *name, GError **error)
{
    g_autofree char *family = g_strdup(name);

    if (strchr(name, '/')) {
        return false;
    }
    while (*family) {
        PluginFile *file = find_file(family);
        char *dash = strrchr(family, '-');

        if (file) {
            if (file->error && error) {
                *error = g_error_copy(file->error);
            }
            return !file->error;
        }
        *(dash ? dash : family) = '\0';
    }
    return false;
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* In the order of their names: a list looks the same on every file system. */
static void load_directory(const char *directory)
{
    g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    const char *base;

    while (dir && (base = g_dir_read_name(dir)) != NULL) {
        if (g_str_has_prefix(base, FILE_PREFIX) && g_str_has_suffix(base, FILE_SUFFIX)) {
            g_ptr_array_add(names, g_strdup(base));
        }
    }
    g_ptr_array_sort(names, compare_names);
    for (guint i = 0; i < names->len; i++) {
        const char *start = (const char *)names->pdata[i] + strlen(FILE_PREFIX);
        g_autofree char *path = g_build_filename(directory, names->pdata[i], NULL);
        g_autofree char *name = g_strndup(start, strlen(start) - strlen(FILE_SUFFIX));

        load_file(path, name);
    }
}

void machine_plugins_load_all(void)
{
    g_autoptr(GPtrArray) path = module_search_path(option_directories);

    for (guint i = 0; i < path->len; i++) {
        load_directory(path->pdata[i]);
    }
}

void machine_plugins_foreach_broken(void (*func)(const char *path, const GError *why,
                                                 void *opaque),
                                    void *opaque)
{
    for (guint i = 0; files && i < files->len; i++) {
        PluginFile *file = files->pdata[i];

        if (file->error) {
            func(file->path, file->error, opaque);
        }
    }
}
