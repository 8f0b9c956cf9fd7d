/*
 * The sections of the machine's stream: who has registered, under which names.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/core/vmstate.h"

#include <string.h>

#include "hw/core/bus.h"
#include "memory/ram-block.h"

static GPtrArray *entries; /* VMStateEntry *, in order; a process runs one machine */

static void entry_free(gpointer data)
{
    VMStateEntry *entry = data;

    g_free(entry->id);
    g_free(entry->compat_id);
    g_free(entry);
}

/* The owner's address on its bus, or NULL where the bus has none that streams use. */
static char *path_of(Device *owner)
{
    Bus *bus = owner ? owner->bus : NULL;
    BusClass *klass = bus ? BUS_GET_CLASS(bus) : NULL;

    return klass && klass->get_dev_path ? klass->get_dev_path(owner) : NULL;
}

void vmstate_register_ram(MemoryRegion *mr, Device *owner)
{
    RAMBlock *block = memory_region_ram_block(mr);
    g_autofree char *path = path_of(owner);
    g_autofree char *name = path ? g_strdup_printf("%s/%s", path, mr->name) : NULL;

    if (name && block) {
        ram_block_rename(block, name);
    }
}

/* One more than the highest so far; ids and compat ids are counted apart. */
static uint32_t next_instance(const char *id, bool compat)
{
    uint32_t next = 0;

    for (guint i = 0; i < entries->len; i++) {
        const VMStateEntry *entry = entries->pdata[i];
        uint32_t used = compat ? entry->compat_instance_id : entry->instance_id;

        if (g_strcmp0(compat ? entry->compat_id : entry->id, id) == 0 && used >= next) {
            next = used + 1;
        }
    }
    return next;
}

static void insert(VMStateEntry *entry)
{
    guint at = entries->len;

    while (at > 0 && ((VMStateEntry *)entries->pdata[at - 1])->vmsd->priority <
                         entry->vmsd->priority) {
        at--;
    }
    g_ptr_array_insert(entries, (gint)at, entry);
}

void vmstate_register_with_alias_id(Device *owner, int instance_id,
                                    const VMStateDescription *vmsd, void *opaque,
                                    int alias_id)
{
    g_autofree char *path = path_of(owner);
    VMStateEntry *entry = g_new0(VMStateEntry, 1);

    if (!entries) {
        entries = g_ptr_array_new_with_free_func(entry_free);
    }
    entry->owner = owner;
    entry->vmsd = vmsd;
    entry->opaque = opaque;
    entry->alias_id = alias_id;
    if (path) {
        entry->id = g_strdup_printf("%s/%s", path, vmsd->name);
        entry->compat_id = g_strdup(vmsd->name);
        entry->compat_instance_id = instance_id == VMSTATE_INSTANCE_ID_ANY
                                        ? next_instance(vmsd->name, true)
                                        : (uint32_t)instance_id;
        instance_id = VMSTATE_INSTANCE_ID_ANY;
    } else {
        entry->id = g_strdup(vmsd->name);
    }
    entry->instance_id = instance_id == VMSTATE_INSTANCE_ID_ANY
                             ? next_instance(entry->id, false)
                             : (uint32_t)instance_id;
    insert(entry);
}

void vmstate_register(Device *owner, int instance_id, const VMStateDescription *vmsd,
                      void *opaque)
{
    vmstate_register_with_alias_id(owner, instance_id, vmsd, opaque, -1);
}

void vmstate_unregister(Device *owner, const VMStateDescription *vmsd, void *opaque)
{
    for (guint i = 0; entries && i < entries->len; i++) {
        const VMStateEntry *entry = entries->pdata[i];

        if (entry->owner == owner && entry->vmsd == vmsd && entry->opaque == opaque) {
            g_ptr_array_remove_index(entries, i);
            return;
        }
    }
}

void vmstate_foreach(bool (*func)(VMStateEntry *entry, void *opaque), void *opaque)
{
    for (guint i = 0; entries && i < entries->len; i++) {
        if (!func(entries->pdata[i], opaque)) {
            break;
        }
    }
}

static bool is_meant(const VMStateEntry *entry, const char *id, uint32_t instance_id)
{
    bool by_id = strcmp(entry->id, id) == 0;
    bool by_compat_id = g_strcmp0(entry->compat_id, id) == 0;

    return (by_id && entry->instance_id == instance_id) ||
           (by_compat_id && entry->compat_instance_id == instance_id) ||
           ((by_id || by_compat_id) && entry->alias_id >= 0 &&
            (uint32_t)entry->alias_id == instance_id);
}

VMStateEntry *vmstate_find(const char *id, uint32_t instance_id, GHashTable *but)
{
    VMStateEntry *found = NULL;

    for (guint i = 0; entries && i < entries->len; i++) {
        VMStateEntry *entry = entries->pdata[i];

        if (is_meant(entry, id, instance_id)) {
            if (!but || !g_hash_table_contains(but, entry)) {
                return entry;
            }
            found = entry;
        }
    }
    return found;
}
