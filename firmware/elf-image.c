/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "firmware/elf-image.h"

#include <elf.h>
#include <gio/gio.h>
#include <string.h>

#include "firmware/kernel-boot.h"

#define XEN_NOTE "Xen"
#define XEN_ELFNOTE_PHYS32_ENTRY 18 /* xen/include/public/elfnote.h */
#define NOTE_ALIGNMENT 4u

bool elf_image_probe(GBytes *file)
{
    size_t size;
    const void *bytes = g_bytes_get_data(file, &size);

    return size >= EI_NIDENT && memcmp(bytes, ELFMAG, SELFMAG) == 0;
}

/* The program headers of either class, in the wider one's words. */
typedef struct Headers {
    const uint8_t *bytes;
    size_t size;
    bool is_64, executable;
    uint64_t entry, table;
    unsigned count, entry_size;
} Headers;

static bool read_header(Headers *headers, GError **error)
{
    const uint8_t *bytes = headers->bytes;
    bool is_64 = bytes[EI_CLASS] == ELFCLASS64;
    Elf64_Ehdr wide;
    Elf32_Ehdr narrow;

    if (headers->size < (is_64 ? sizeof(wide) : sizeof(narrow))) {
        return kernel_fail(error, "truncated: it ends within its ELF header");
    }
    memcpy(&narrow, bytes, sizeof(narrow)); /* both begin alike */
    headers->executable = narrow.e_type == ET_EXEC;
    if (bytes[EI_DATA] != ELFDATA2LSB ||
        narrow.e_machine != (is_64 ? EM_X86_64 : EM_386)) {
        return kernel_fail(error,
                           "an ELF file of another processor: kernels here are for x86");
    }
    headers->is_64 = is_64;
    if (is_64) {
        memcpy(&wide, bytes, sizeof(wide));
        headers->entry = wide.e_entry;
        headers->table = wide.e_phoff;
        headers->count = wide.e_phnum;
        headers->entry_size = wide.e_phentsize;
    } else {
        headers->entry = narrow.e_entry;
        headers->table = narrow.e_phoff;
        headers->count = narrow.e_phnum;
        headers->entry_size = narrow.e_phentsize;
    }
    if (headers->count &&
        headers->entry_size < (is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr))) {
        return kernel_fail(error, "its ELF program headers are of %u bytes, too few",
                           headers->entry_size);
    }
    return true;
}

static bool read_program_header(const Headers *headers, unsigned i, Elf64_Phdr *segment,
                                GError **error)
{
    uint64_t offset = (uint64_t)i * headers->entry_size;
    size_t needed = headers->is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
    Elf32_Phdr narrow;

    if (headers->table > headers->size || offset > headers->size - headers->table ||
        needed > headers->size - headers->table - offset) {
        return kernel_fail(error,
                           "truncated: its ELF program headers are beyond its end");
    }
    if (headers->is_64) {
        memcpy(segment, headers->bytes + headers->table + offset, sizeof(*segment));
    } else {
        memcpy(&narrow, headers->bytes + headers->table + offset, sizeof(narrow));
        *segment = (Elf64_Phdr){
            .p_type = narrow.p_type,
            .p_offset = narrow.p_offset,
            .p_vaddr = narrow.p_vaddr,
            .p_paddr = narrow.p_paddr,
            .p_filesz = narrow.p_filesz,
            .p_memsz = narrow.p_memsz,
        };
    }
    if (segment->p_offset > headers->size ||
        segment->p_filesz > headers->size - segment->p_offset) {
        return kernel_fail(error, "truncated: its ELF segment %u is beyond its end", i);
    }
    return true;
}

static uint64_t note_align(uint64_t size)
{
    return (size + NOTE_ALIGNMENT - 1) & ~(uint64_t)(NOTE_ALIGNMENT - 1);
}

/* A run of notes: name size, description size, type, name, description. */
static bool read_notes(ElfImage *image, const uint8_t *bytes, size_t size, GError **error)
{
    while (size >= sizeof(Elf64_Nhdr)) {
        Elf64_Nhdr note;
        uint64_t name_size, whole;

        memcpy(&note, bytes, sizeof(note));
        name_size = note_align(note.n_namesz);
        whole = sizeof(note) + name_size + note.n_descsz;
        if (whole > size) {
            return kernel_fail(error,
                               "truncated: an ELF note reaches beyond its segment");
        }
        if (note.n_type == XEN_ELFNOTE_PHYS32_ENTRY &&
            note.n_namesz == sizeof(XEN_NOTE) &&
            memcmp(bytes + sizeof(note), XEN_NOTE, sizeof(XEN_NOTE)) == 0) {
            if (note.n_descsz != 4 && note.n_descsz != 8) {
                return kernel_fail(
                    error,
                    "its PHYS32_ENTRY note has %u bytes, where an address is wanted",
                    note.n_descsz);
            }
            image->has_phys32_entry = true;
            image->phys32_entry = 0;
            memcpy(&image->phys32_entry, bytes + sizeof(note) + name_size, note.n_descsz);
        }
        whole = MIN(note_align(whole), size);
        bytes += whole;
        size -= whole;
    }
    return true;
}

static bool add_segment(ElfImage *image, const Headers *headers, const Elf64_Phdr *header,
                        unsigned i, GError **error)
{
    ElfSegment *segment = &image->segments[image->count];

    if (header->p_filesz > header->p_memsz) {
        return kernel_fail(
            error, "its ELF segment %u has more bytes in the file than in memory", i);
    }
    if (header->p_paddr + header->p_memsz < header->p_paddr) {
        return kernel_fail(error, "its ELF segment %u reaches around the end of memory",
                           i);
    }
    if (image->count == ELF_IMAGE_SEGMENTS) {
        return kernel_fail(error, "more than %d ELF segments to load",
                           ELF_IMAGE_SEGMENTS);
    }
    for (size_t other = 0; other < image->count; other++) {
        if (header->p_paddr <
                image->segments[other].address + image->segments[other].size &&
            image->segments[other].address < header->p_paddr + header->p_memsz) {
            return kernel_fail(error, "its ELF segment %u overlaps another one in memory",
                               i);
        }
    }
    if (headers->entry >= header->p_vaddr &&
        headers->entry - header->p_vaddr < header->p_memsz) {
        image->entry = headers->entry - header->p_vaddr + header->p_paddr;
    }
    *segment = (ElfSegment){.address = header->p_paddr,
                            .linked = header->p_vaddr,
                            .size = header->p_memsz,
                            .bytes = headers->bytes + header->p_offset,
                            .file_size = header->p_filesz};
    image->start = MIN(image->start, segment->address);
    image->end = MAX(image->end, segment->address + segment->size);
    image->count++;
    return true;
}

bool elf_image_parse(ElfImage *image, GBytes *file, GError **error)
{
    Headers headers = {0};

    memset(image, 0, sizeof(*image));
    if (!elf_image_probe(file)) {
        return kernel_fail(error, "not an ELF file");
    }
    headers.bytes = g_bytes_get_data(file, &headers.size);
    if (!read_header(&headers, error)) {
        return false;
    }
    image->is_64 = headers.is_64;
    image->entry = image->linked_entry = headers.entry;
    image->executable = headers.executable;
    image->start = UINT64_MAX;
    for (unsigned i = 0; i < headers.count; i++) {
        Elf64_Phdr header;

        if (!read_program_header(&headers, i, &header, error)) {
            return false;
        }
        if (header.p_type == PT_NOTE &&
            !read_notes(image, headers.bytes + header.p_offset, header.p_filesz, error)) {
            return false;
        }
        if (header.p_type == PT_LOAD && header.p_memsz != 0 &&
            !add_segment(image, &headers, &header, i, error)) {
            return false;
        }
    }
    return image->count || kernel_fail(error, "its ELF header has no segment to load");
}

const ElfSegment *elf_image_find(const ElfImage *image, uint64_t address)
{
    for (size_t i = 0; i < image->count; i++) {
        const ElfSegment *segment = &image->segments[i];

        if (address >= segment->address && address - segment->address < segment->size) {
            return segment;
        }
    }
    return NULL;
}
