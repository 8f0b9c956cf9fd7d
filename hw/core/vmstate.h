/*
 * VMState: a device's state described once, as a table, which saves it, loads it and
 * prints it. The vocabulary is QEMU's (VMSTATE_UINT8, VMSTATE_STRUCT_ARRAY, subsections,
 * ...), and names, versions and widths in a table are those of QEMU 7.2, so that streams
 * fit.
 *
 * How to describe a device:
 *
 *  1. Write a table of fields, in the order of the wire, and name it in class_init:
 *
 *         static const VMStateDescription vmstate_port92 = {
 *             .name = "port92", .version_id = 1, .minimum_version_id = 1,
 *             .fields = (const VMStateField[]){
 *                 VMSTATE_UINT8(outport, Port92), VMSTATE_END_OF_LIST()}};
 *         klass->vmsd = &vmstate_port92;
 *
 *     device_realize() registers it. State that is no device's: vmstate_register().
 *  2. A member of another name or width than QEMU's: VMSTATE_AS(member, Struct,
 *     "qemus_name", uint8) converts any integer, bool or enum, and refuses what does
 *     not fit. A field that we have no use for: VMSTATE_CONSTANT("pageh", uint8, 0).
 *  3. State of another shape than QEMU's: a wire object. Declare a structure that has
 *     the wire's fields, say .wire_size = sizeof(WirePIT), fill it in .to_wire and take
 *     it back in .from_wire. Fields, their tests and subsections then mean the wire
 *     object (see hw/dma/i8257.c).
 *  4. What one only sometimes has to send is a subsection with `needed`. .from_wire and
 *     .post_load check whatever is used as an index or a size: a stream is not to be
 *     trusted. They return false and one clear sentence in *error.
 *  5. qtests/vmstate-fixture.h tests it against bytes; `-dump-vmstate FILE` shows it.
 *
 * Everything here runs with the machine lock held, the vCPUs paused and their registers
 * current.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_CORE_VMSTATE_H
#define HW_CORE_VMSTATE_H

#include "hw/core/clock.h"
#include "hw/core/device.h"
#include "hw/core/wire.h"

typedef struct VMStateField VMStateField;
typedef struct VMStateInfo VMStateInfo;
typedef struct VMStateDescription VMStateDescription;

/* Sections of higher priority come first in the stream. */
typedef enum MigrationPriority {
    MIG_PRI_DEFAULT,
    MIG_PRI_IOMMU,
    MIG_PRI_PCI_BUS,
    MIG_PRI_VIRTIO_MEM,
} MigrationPriority;

struct VMStateDescription {
    const char *name;
    int version_id;         /* that we write */
    int minimum_version_id; /* the oldest that we read */
    MigrationPriority priority;
    bool unmigratable; /* a machine that has one refuses to migrate */
    bool extension;    /* a subsection that QEMU 7.2 has not: -dump-vmstate leaves it out */
    /* Whether to send it at all: of a subsection or a whole section. NULL: always. */
    bool (*needed)(void *opaque);
    void (*pre_save)(void *opaque);
    void (*post_save)(void *opaque);
    void (*pre_load)(void *opaque);
    /* After all fields and subsections of it; version_id is the stream's. */
    bool (*post_load)(void *opaque, int version_id, GError **error);
    /* A wire object (0: none): zeroed, then filled by to_wire, for saving as for loading,
     * so that what a stream leaves out stays as it is. from_wire runs before post_load.
     */
    size_t wire_size;
    void (*to_wire)(void *opaque, void *wire);
    bool (*from_wire)(void *opaque, void *wire, int version_id, GError **error);
    const VMStateField *fields;                   /* ended by VMSTATE_END_OF_LIST() */
    const VMStateDescription *const *subsections; /* named "NAME/sub"; NULL-terminated */
};

/* How values of a type go over the wire. */
struct VMStateInfo {
    const char *name; /* in the stream's JSON description */
    uint8_t bytes;    /* integers: how wide they are; else 0 */
    bool is_signed;
    /* `size` bytes at value; failures go to the wire. */
    void (*get)(Wire *wire, void *value, size_t size, const VMStateField *field);
    void (*put)(Wire *wire, const void *value, size_t size, const VMStateField *field);
};

typedef enum VMStateFlags {
    VMS_SINGLE = 1 << 0,
    VMS_POINTER = 1 << 1, /* the member points to the value */
    VMS_ARRAY = 1 << 2,   /* `num` values */
    VMS_STRUCT = 1 << 3,  /* `vmsd` describes it */
    VMS_VARRAY = 1 << 4,  /* the member at num_offset has the number of values */
    VMS_BUFFER = 1 << 5,
    VMS_ARRAY_OF_POINTER = 1 << 6,
    VMS_VBUFFER = 1 << 7,  /* the int32 or uint32 at size_offset has the size in bytes */
    VMS_MULTIPLY = 1 << 8, /* ... in units of `size` bytes */
    VMS_MUST_EXIST = 1 << 9,
    VMS_ALLOC = 1 << 10,   /* loading allocates what the member points to */
    VMS_VSTRUCT = 1 << 11, /* a VMS_STRUCT of version struct_version_id */
} VMStateFlags;

/* What a converted member is in the host's structure. */
typedef enum VMStateHost {
    VMSTATE_HOST_SAME, /* as the info says */
    VMSTATE_HOST_BOOL,
    VMSTATE_HOST_UNSIGNED,
    VMSTATE_HOST_SIGNED,
    VMSTATE_HOST_CONSTANT, /* there is no member: `constant` is written */
} VMStateHost;

struct VMStateField {
    const char *name;
    size_t offset;
    size_t size; /* of one value, as QEMU counts it */
    const VMStateInfo *info;
    const VMStateDescription *vmsd;
    int version_id; /* of the section: where the field first appeared */
    int struct_version_id;
    bool (*field_exists)(void *opaque, int version_id); /* in place of version_id */
    unsigned flags;
    int num;           /* VMS_ARRAY: how many; VMS_VARRAY in place: at most so many */
    size_t num_offset; /* VMS_VARRAY: the member that says how many */
    uint8_t num_bytes; /*   its width */
    size_t size_offset;
    size_t start; /* VMS_VBUFFER: leaves out so many bytes at the front */
    VMStateHost host;
    uint8_t host_size; /* converted members: bytes from one to the next */
    uint64_t constant;
};

/* -- Checks at compile time --------------------------------------------------------- */

#define VMSTATE_MEMBER(Struct, member) (((Struct *)NULL)->member)
#define VMSTATE_COUNT(Struct, member)                                                    \
    (sizeof(VMSTATE_MEMBER(Struct, member)) / sizeof(VMSTATE_MEMBER(Struct, member)[0]))
/* The member's offset, if it is of exactly that type. */
#define VMSTATE_AT(Struct, member, ...)                                                  \
    (offsetof(Struct, member) +                                                          \
     0 * sizeof(struct {                                                                 \
         _Static_assert(__builtin_types_compatible_p(                                    \
                            __typeof__(VMSTATE_MEMBER(Struct, member)), __VA_ARGS__),    \
                        "the type of " #member " is not " #__VA_ARGS__);                 \
         int unused;                                                                     \
     }))
#define VMSTATE_AT_ARRAY(Struct, member, type, num)                                      \
    VMSTATE_AT(Struct, member, __typeof__(__typeof__(type)[num]))
#define VMSTATE_AT_2DARRAY(Struct, member, type, n1, n2)                                 \
    VMSTATE_AT(Struct, member, __typeof__(__typeof__(type)[n1][n2]))
#define VMSTATE_HOST_OF(value)                                                           \
    _Generic((value), bool                                                               \
             : VMSTATE_HOST_BOOL, int8_t                                                 \
             : VMSTATE_HOST_SIGNED, int16_t                                              \
             : VMSTATE_HOST_SIGNED, int32_t                                              \
             : VMSTATE_HOST_SIGNED, int64_t                                              \
             : VMSTATE_HOST_SIGNED, default                                              \
             : VMSTATE_HOST_UNSIGNED)

/* One row. What follows the name is designated initializers. */
#define VMSTATE_ROW(name_, version, test, ...)                                           \
    {                                                                                    \
        .name = name_, .version_id = version, .field_exists = test, __VA_ARGS__          \
    }
#define VMSTATE_END_OF_LIST()                                                            \
    {                                                                                    \
        .name = NULL                                                                     \
    }

/* -- Values of a type with an info -------------------------------------------------- */

#define VMSTATE_SINGLE_TEST(member, Struct, test, version, info_, type)                  \
    VMSTATE_ROW(#member, version, test, .flags = VMS_SINGLE, .info = &info_,             \
                .size = sizeof(type), .offset = VMSTATE_AT(Struct, member, type))
#define VMSTATE_SINGLE(member, Struct, version, info, type)                              \
    VMSTATE_SINGLE_TEST(member, Struct, NULL, version, info, type)
#define VMSTATE_POINTER_TEST_V(member, Struct, test, version, info_, type)               \
    VMSTATE_ROW(#member, version, test, .flags = VMS_SINGLE | VMS_POINTER,               \
                .info = &info_, .size = sizeof(type),                                    \
                .offset = VMSTATE_AT(Struct, member, type))
#define VMSTATE_POINTER(member, Struct, version, info, type)                             \
    VMSTATE_POINTER_TEST_V(member, Struct, NULL, version, info, type)
#define VMSTATE_POINTER_TEST(member, Struct, test, info, type)                           \
    VMSTATE_POINTER_TEST_V(member, Struct, test, 0, info, type)
#define VMSTATE_ARRAY_TEST_V(member, Struct, num_, test, version, info_, type)           \
    VMSTATE_ROW(#member, version, test, .flags = VMS_ARRAY, .info = &info_, .num = num_, \
                .size = sizeof(type),                                                    \
                .offset = VMSTATE_AT_ARRAY(Struct, member, type, num_))
#define VMSTATE_ARRAY(member, Struct, num, version, info, type)                          \
    VMSTATE_ARRAY_TEST_V(member, Struct, num, NULL, version, info, type)
#define VMSTATE_ARRAY_TEST(member, Struct, num, test, info, type)                        \
    VMSTATE_ARRAY_TEST_V(member, Struct, num, test, 0, info, type)
#define VMSTATE_2DARRAY(member, Struct, n1, n2, version, info_, type)                    \
    VMSTATE_ROW(#member, version, NULL, .flags = VMS_ARRAY, .info = &info_,              \
                .num = (n1) * (n2), .size = sizeof(type),                                \
                .offset = VMSTATE_AT_2DARRAY(Struct, member, type, n1, n2))
#define VMSTATE_SUB_ARRAY(member, Struct, start_, num_, version, info_, type)            \
    VMSTATE_ROW(#member, version, NULL, .flags = VMS_ARRAY, .info = &info_,              \
                .size = sizeof(type),                                                    \
                .num = (num_) + 0 * sizeof(struct {                                      \
                                    _Static_assert((start_) + (num_) <=                  \
                                                       VMSTATE_COUNT(Struct, member),    \
                                                   #member " is shorter");               \
                                    int unused;                                          \
                                }),                                                      \
                .offset = VMSTATE_AT_ARRAY(Struct, member, type,                         \
                                           VMSTATE_COUNT(Struct, member)) +              \
                          (start_) * sizeof(type))
#define VMSTATE_ARRAY_OF_POINTER(member, Struct, num_, version, info_, type)             \
    VMSTATE_ROW(#member, version, NULL, .flags = VMS_ARRAY | VMS_ARRAY_OF_POINTER,       \
                .info = &info_, .num = num_, .size = sizeof(type *),                     \
                .offset = VMSTATE_AT_ARRAY(Struct, member, type *, num_))

/* Variable arrays. The number may not be larger than it was before loading began (what a
 * pointer points to has room for so many), or than the array in place. */
#define VMSTATE_VARRAY_COUNTED(member, Struct, number, number_type, version, info_,      \
                               type, flags_)                                             \
    VMSTATE_ROW(#member, version, NULL, .flags = VMS_VARRAY | VMS_POINTER | (flags_),    \
                .info = &info_, .size = sizeof(type),                                    \
                .num_offset = VMSTATE_AT(Struct, number, number_type),                   \
                .num_bytes = sizeof(number_type),                                        \
                .offset = VMSTATE_AT(Struct, member, type *))
#define VMSTATE_VARRAY_INT32(member, Struct, number, version, info, type)                \
    VMSTATE_VARRAY_COUNTED(member, Struct, number, int32_t, version, info, type, 0)
#define VMSTATE_VARRAY_UINT32(member, Struct, number, version, info, type)               \
    VMSTATE_VARRAY_COUNTED(member, Struct, number, uint32_t, version, info, type, 0)
#define VMSTATE_VARRAY_INT32_ALLOC(member, Struct, number, version, info, type)          \
    VMSTATE_VARRAY_COUNTED(member, Struct, number, int32_t, version, info, type,         \
                           VMS_ALLOC)
#define VMSTATE_VARRAY_UINT32_ALLOC(member, Struct, number, version, info, type)         \
    VMSTATE_VARRAY_COUNTED(member, Struct, number, uint32_t, version, info, type,        \
                           VMS_ALLOC)
#define VMSTATE_VARRAY_UINT16_ALLOC(member, Struct, number, version, info, type)         \
    VMSTATE_VARRAY_COUNTED(member, Struct, number, uint16_t, version, info, type,        \
                           VMS_ALLOC)
#define VMSTATE_VARRAY_UINT16_UNSAFE(member, Struct, number, version, info_, type)       \
    VMSTATE_ROW(                                                                         \
        #member, version, NULL, .flags = VMS_VARRAY, .info = &info_,                     \
        .size = sizeof(type), .num = VMSTATE_COUNT(Struct, member),                      \
        .num_offset = VMSTATE_AT(Struct, number, uint16_t), .num_bytes = 2,              \
        .offset = VMSTATE_AT_ARRAY(Struct, member, type, VMSTATE_COUNT(Struct, member)))

/* -- Structures, described by a table of their own ---------------------------------- */

#define VMSTATE_STRUCT_TEST(member, Struct, test, version, vmsd_, type)                  \
    VMSTATE_ROW(#member, version, test, .flags = VMS_STRUCT, .vmsd = &vmsd_,             \
                .size = sizeof(type), .offset = VMSTATE_AT(Struct, member, type))
#define VMSTATE_STRUCT(member, Struct, version, vmsd, type)                              \
    VMSTATE_STRUCT_TEST(member, Struct, NULL, version, vmsd, type)
#define VMSTATE_VSTRUCT_TEST(member, Struct, test, version, vmsd_, type, struct_version) \
    VMSTATE_ROW(#member, version, test, .flags = VMS_STRUCT | VMS_VSTRUCT,               \
                .vmsd = &vmsd_, .struct_version_id = struct_version,                     \
                .size = sizeof(type), .offset = VMSTATE_AT(Struct, member, type))
#define VMSTATE_VSTRUCT_V(member, Struct, version, vmsd, type, struct_version)           \
    VMSTATE_VSTRUCT_TEST(member, Struct, NULL, version, vmsd, type, struct_version)
#define VMSTATE_VSTRUCT(member, Struct, vmsd, type, struct_version)                      \
    VMSTATE_VSTRUCT_TEST(member, Struct, NULL, 0, vmsd, type, struct_version)
#define VMSTATE_STRUCT_POINTER_TEST_V(member, Struct, test, version, vmsd_, type)        \
    VMSTATE_ROW(#member, version, test, .flags = VMS_STRUCT | VMS_POINTER,               \
                .vmsd = &vmsd_, .size = sizeof(type *),                                  \
                .offset = VMSTATE_AT(Struct, member, type *))
#define VMSTATE_STRUCT_POINTER_V(member, Struct, version, vmsd, type)                    \
    VMSTATE_STRUCT_POINTER_TEST_V(member, Struct, NULL, version, vmsd, type)
#define VMSTATE_STRUCT_POINTER_TEST(member, Struct, test, vmsd, type)                    \
    VMSTATE_STRUCT_POINTER_TEST_V(member, Struct, test, 0, vmsd, type)
#define VMSTATE_STRUCT_POINTER(member, Struct, vmsd, type)                               \
    VMSTATE_STRUCT_POINTER_TEST_V(member, Struct, NULL, 0, vmsd, type)
#define VMSTATE_STRUCT_ARRAY_TEST(member, Struct, num_, test, version, vmsd_, type)      \
    VMSTATE_ROW(#member, version, test, .flags = VMS_STRUCT | VMS_ARRAY, .vmsd = &vmsd_, \
                .num = num_, .size = sizeof(type),                                       \
                .offset = VMSTATE_AT_ARRAY(Struct, member, type, num_))
#define VMSTATE_STRUCT_ARRAY(member, Struct, num, version, vmsd, type)                   \
    VMSTATE_STRUCT_ARRAY_TEST(member, Struct, num, NULL, version, vmsd, type)
#define VMSTATE_STRUCT_2DARRAY_TEST(member, Struct, n1, n2, test, version, vmsd_, type)  \
    VMSTATE_ROW(#member, version, test, .flags = VMS_STRUCT | VMS_ARRAY, .vmsd = &vmsd_, \
                .num = (n1) * (n2), .size = sizeof(type),                                \
                .offset = VMSTATE_AT_2DARRAY(Struct, member, type, n1, n2))
#define VMSTATE_STRUCT_2DARRAY(member, Struct, n1, n2, version, vmsd, type)              \
    VMSTATE_STRUCT_2DARRAY_TEST(member, Struct, n1, n2, NULL, version, vmsd, type)
#define VMSTATE_STRUCT_SUB_ARRAY(member, Struct, start_, num_, version, vmsd_, type)     \
    VMSTATE_ROW(#member, version, NULL, .flags = VMS_STRUCT | VMS_ARRAY, .vmsd = &vmsd_, \
                .num = num_, .size = sizeof(type),                                       \
                .offset = VMSTATE_AT_ARRAY(Struct, member, type,                         \
                                           VMSTATE_COUNT(Struct, member)) +              \
                          (start_) * sizeof(type))
#define VMSTATE_ARRAY_OF_POINTER_TO_STRUCT(member, Struct, num_, version, vmsd_, type)   \
    VMSTATE_ROW(#member, version, NULL,                                                  \
                .flags = VMS_ARRAY | VMS_STRUCT | VMS_ARRAY_OF_POINTER, .vmsd = &vmsd_,  \
                .num = num_, .size = sizeof(type *),                                     \
                .offset = VMSTATE_AT_ARRAY(Struct, member, type *, num_))
#define VMSTATE_STRUCT_VARRAY(member, Struct, number, number_type, version, vmsd_, type) \
    VMSTATE_ROW(                                                                         \
        #member, version, NULL, .flags = VMS_STRUCT | VMS_VARRAY, .vmsd = &vmsd_,        \
        .size = sizeof(type), .num = VMSTATE_COUNT(Struct, member),                      \
        .num_offset = VMSTATE_AT(Struct, number, number_type),                           \
        .num_bytes = sizeof(number_type),                                                \
        .offset = VMSTATE_AT_ARRAY(Struct, member, type, VMSTATE_COUNT(Struct, member)))
#define VMSTATE_STRUCT_VARRAY_UINT8(member, Struct, number, version, vmsd, type)         \
    VMSTATE_STRUCT_VARRAY(member, Struct, number, uint8_t, version, vmsd, type)
#define VMSTATE_STRUCT_VARRAY_INT32(member, Struct, number, version, vmsd, type)         \
    VMSTATE_STRUCT_VARRAY(member, Struct, number, int32_t, version, vmsd, type)
#define VMSTATE_STRUCT_VARRAY_UINT32(member, Struct, number, version, vmsd, type)        \
    VMSTATE_STRUCT_VARRAY(member, Struct, number, uint32_t, version, vmsd, type)
#define VMSTATE_STRUCT_VARRAY_POINTER(member, Struct, number, number_type, version,      \
                                      vmsd_, type, flags_)                               \
    VMSTATE_ROW(                                                                         \
        #member, version, NULL,                                                          \
        .flags = VMS_STRUCT | VMS_VARRAY | VMS_POINTER | (flags_), .vmsd = &vmsd_,       \
        .size = sizeof(type), .num_offset = VMSTATE_AT(Struct, number, number_type),     \
        .num_bytes = sizeof(number_type), .offset = VMSTATE_AT(Struct, member, type *))
#define VMSTATE_STRUCT_VARRAY_POINTER_UINT16(member, Struct, number, vmsd, type)         \
    VMSTATE_STRUCT_VARRAY_POINTER(member, Struct, number, uint16_t, 0, vmsd, type, 0)
#define VMSTATE_STRUCT_VARRAY_POINTER_INT32(member, Struct, number, vmsd, type)          \
    VMSTATE_STRUCT_VARRAY_POINTER(member, Struct, number, int32_t, 0, vmsd, type, 0)
#define VMSTATE_STRUCT_VARRAY_POINTER_UINT32(member, Struct, number, vmsd, type)         \
    VMSTATE_STRUCT_VARRAY_POINTER(member, Struct, number, uint32_t, 0, vmsd, type, 0)
#define VMSTATE_STRUCT_VARRAY_ALLOC(member, Struct, number, version, vmsd, type)         \
    VMSTATE_STRUCT_VARRAY_POINTER(member, Struct, number, int32_t, version, vmsd, type,  \
                                  VMS_ALLOC)

/* The fields of vmsd, which has a wire object and sees the whole structure, in line. */
#define VMSTATE_WITH_TMP_TEST(Struct, test, TmpType, vmsd_)                              \
    VMSTATE_ROW("tmp", 0, test, .flags = VMS_STRUCT, .info = &vmstate_info_tmp,          \
                .vmsd = &vmsd_, .size = sizeof(TmpType), .offset = 0 * sizeof(Struct))
#define VMSTATE_WITH_TMP(Struct, TmpType, vmsd)                                          \
    VMSTATE_WITH_TMP_TEST(Struct, NULL, TmpType, vmsd)

/* -- Buffers ------------------------------------------------------------------------ */

#define VMSTATE_STATIC_BUFFER(member, Struct, version, test, start_, size_)              \
    VMSTATE_ROW(#member, version, test, .flags = VMS_BUFFER,                             \
                .info = &vmstate_info_buffer, .size = (size_) - (start_),                \
                .offset = VMSTATE_AT_ARRAY(Struct, member, uint8_t,                      \
                                           sizeof(VMSTATE_MEMBER(Struct, member))) +     \
                          (start_))
#define VMSTATE_BUFFER_TEST_V(member, Struct, test, version)                             \
    VMSTATE_STATIC_BUFFER(member, Struct, version, test, 0,                              \
                          sizeof(VMSTATE_MEMBER(Struct, member)))
#define VMSTATE_BUFFER(member, Struct) VMSTATE_BUFFER_TEST_V(member, Struct, NULL, 0)
#define VMSTATE_BUFFER_V(member, Struct, version)                                        \
    VMSTATE_BUFFER_TEST_V(member, Struct, NULL, version)
#define VMSTATE_BUFFER_TEST(member, Struct, test)                                        \
    VMSTATE_BUFFER_TEST_V(member, Struct, test, 0)
#define VMSTATE_PARTIAL_BUFFER(member, Struct, size)                                     \
    VMSTATE_STATIC_BUFFER(member, Struct, 0, NULL, 0, size)
#define VMSTATE_BUFFER_START_MIDDLE_V(member, Struct, start, version)                    \
    VMSTATE_STATIC_BUFFER(member, Struct, version, NULL, start,                          \
                          sizeof(VMSTATE_MEMBER(Struct, member)))
#define VMSTATE_BUFFER_START_MIDDLE(member, Struct, start)                               \
    VMSTATE_BUFFER_START_MIDDLE_V(member, Struct, start, 0)
/* A member of any type: its bytes as they are. */
#define VMSTATE_BUFFER_UNSAFE_INFO_TEST(member, Struct, test, version, info_, size_)     \
    VMSTATE_ROW(#member, version, test, .flags = VMS_BUFFER, .info = &info_,             \
                .size = size_, .offset = offsetof(Struct, member))
#define VMSTATE_BUFFER_UNSAFE_INFO(member, Struct, version, info, size)                  \
    VMSTATE_BUFFER_UNSAFE_INFO_TEST(member, Struct, NULL, version, info, size)
#define VMSTATE_BUFFER_UNSAFE(member, Struct, version, size)                             \
    VMSTATE_BUFFER_UNSAFE_INFO(member, Struct, version, vmstate_info_buffer, size)
#define VMSTATE_BUFFER_POINTER_UNSAFE(member, Struct, version, size_)                    \
    VMSTATE_ROW(#member, version, NULL, .flags = VMS_BUFFER | VMS_POINTER,               \
                .info = &vmstate_info_buffer, .size = size_,                             \
                .offset = offsetof(Struct, member))
/* A pointer to as many bytes as another member says. The stream may not make it larger
 * than it was before loading began, unless _ALLOC. */
#define VMSTATE_VBUFFER_COUNTED(member, Struct, version, test, bytes, bytes_type,        \
                                flags_, size_)                                           \
    VMSTATE_ROW(#member, version, test, .flags = VMS_VBUFFER | VMS_POINTER | (flags_),   \
                .info = &vmstate_info_buffer, .size = size_,                             \
                .size_offset = VMSTATE_AT(Struct, bytes, bytes_type),                    \
                .offset = offsetof(Struct, member))
#define VMSTATE_VBUFFER(member, Struct, version, test, bytes)                            \
    VMSTATE_VBUFFER_COUNTED(member, Struct, version, test, bytes, int32_t, 0, 0)
#define VMSTATE_VBUFFER_UINT32(member, Struct, version, test, bytes)                     \
    VMSTATE_VBUFFER_COUNTED(member, Struct, version, test, bytes, uint32_t, 0, 0)
#define VMSTATE_VBUFFER_ALLOC_UINT32(member, Struct, version, test, bytes)               \
    VMSTATE_VBUFFER_COUNTED(member, Struct, version, test, bytes, uint32_t, VMS_ALLOC, 0)
#define VMSTATE_VBUFFER_MULTIPLY(member, Struct, version, test, count, multiple)         \
    VMSTATE_VBUFFER_COUNTED(member, Struct, version, test, count, uint32_t,              \
                            VMS_MULTIPLY, multiple)
/* Room in the stream that nobody uses: zeroes, ignored when read. */
#define VMSTATE_UNUSED_BUFFER(test, version, size_)                                      \
    VMSTATE_ROW("unused", version, test, .flags = VMS_BUFFER,                            \
                .info = &vmstate_info_unused_buffer, .size = size_)
#define VMSTATE_UNUSED_V(version, size) VMSTATE_UNUSED_BUFFER(NULL, version, size)
#define VMSTATE_UNUSED(size) VMSTATE_UNUSED_V(0, size)
#define VMSTATE_UNUSED_TEST(test, size) VMSTATE_UNUSED_BUFFER(test, 0, size)
/* A bitmap of 64-bit words; `bits` is the int32_t member that says how many bits. */
#define VMSTATE_BITMAP_TEST(member, Struct, test, version, bits)                         \
    VMSTATE_ROW(#member, version, test, .flags = VMS_VBUFFER | VMS_POINTER,              \
                .info = &vmstate_info_bitmap,                                            \
                .size_offset = VMSTATE_AT(Struct, bits, int32_t),                        \
                .offset = VMSTATE_AT(Struct, member, unsigned long *))
#define VMSTATE_BITMAP(member, Struct, version, bits)                                    \
    VMSTATE_BITMAP_TEST(member, Struct, NULL, version, bits)

/* Nothing on the wire: loading fails unless the test holds. */
#define VMSTATE_VALIDATE(name, test)                                                     \
    VMSTATE_ROW(name, 0, test, .flags = VMS_ARRAY | VMS_MUST_EXIST)

/* -- Members that are not as QEMU has them --------------------------------------- */

/* `type` is the wire's: bool int8 int16 int32 int64 uint8 uint16 uint32 uint64. A value
 * that the member cannot hold is refused. */
#define VMSTATE_AS_TEST_V(member, Struct, name_, type, test, version)                    \
    VMSTATE_ROW(name_, version, test, .flags = VMS_SINGLE, .info = &vmstate_info_##type, \
                .size = sizeof(VMStateWire_##type), .offset = offsetof(Struct, member),  \
                .host = VMSTATE_HOST_OF(VMSTATE_MEMBER(Struct, member)),                 \
                .host_size = sizeof(VMSTATE_MEMBER(Struct, member)))
#define VMSTATE_AS(member, Struct, name, type)                                           \
    VMSTATE_AS_TEST_V(member, Struct, name, type, NULL, 0)
#define VMSTATE_AS_V(member, Struct, name, type, version)                                \
    VMSTATE_AS_TEST_V(member, Struct, name, type, NULL, version)
#define VMSTATE_AS_TEST(member, Struct, name, type, test)                                \
    VMSTATE_AS_TEST_V(member, Struct, name, type, test, 0)
/* The whole array. */
#define VMSTATE_ARRAY_AS_V(member, Struct, name_, type, version)                         \
    VMSTATE_ROW(name_, version, NULL, .flags = VMS_ARRAY, .info = &vmstate_info_##type,  \
                .size = sizeof(VMStateWire_##type),                                      \
                .num = VMSTATE_COUNT(Struct, member),                                    \
                .offset = offsetof(Struct, member),                                      \
                .host = VMSTATE_HOST_OF(VMSTATE_MEMBER(Struct, member)[0]),              \
                .host_size = sizeof(VMSTATE_MEMBER(Struct, member)[0]))
#define VMSTATE_ARRAY_AS(member, Struct, name, type)                                     \
    VMSTATE_ARRAY_AS_V(member, Struct, name, type, 0)
/* Written always; ignored when read. */
#define VMSTATE_CONSTANT(name_, type, value)                                             \
    VMSTATE_ROW(name_, 0, NULL, .flags = VMS_SINGLE, .info = &vmstate_info_##type,       \
                .size = sizeof(VMStateWire_##type), .host = VMSTATE_HOST_CONSTANT,       \
                .constant = (uint64_t)(value))
#define VMSTATE_CONSTANT_ARRAY(name_, type, num_, value)                                 \
    VMSTATE_ROW(name_, 0, NULL, .flags = VMS_ARRAY, .info = &vmstate_info_##type,        \
                .size = sizeof(VMStateWire_##type), .num = num_,                         \
                .host = VMSTATE_HOST_CONSTANT, .constant = (uint64_t)(value))
#define VMSTATE_STRUCT_AS(member, Struct, name_, version, vmsd_, type)                   \
    VMSTATE_ROW(name_, version, NULL, .flags = VMS_STRUCT, .vmsd = &vmsd_,               \
                .size = sizeof(type), .offset = VMSTATE_AT(Struct, member, type))
#define VMSTATE_STRUCT_ARRAY_AS(member, Struct, name_, num_, version, vmsd_, type)       \
    VMSTATE_ROW(name_, version, NULL, .flags = VMS_STRUCT | VMS_ARRAY, .vmsd = &vmsd_,   \
                .num = num_, .size = sizeof(type),                                       \
                .offset = VMSTATE_AT_ARRAY(Struct, member, type, num_))
#define VMSTATE_BUFFER_AS(member, Struct, name_)                                         \
    VMSTATE_ROW(name_, 0, NULL, .flags = VMS_BUFFER, .info = &vmstate_info_buffer,       \
                .size = sizeof(VMSTATE_MEMBER(Struct, member)),                          \
                .offset = offsetof(Struct, member))
#define VMSTATE_TIMER_AS(member, Struct, name_, version)                                 \
    VMSTATE_ROW(name_, version, NULL, .flags = VMS_SINGLE, .info = &vmstate_info_timer,  \
                .size = sizeof(Timer *), .offset = VMSTATE_AT(Struct, member, Timer))

/* -- Numbers ------------------------------------------------------------------------ */

typedef bool VMStateWire_bool;
typedef int8_t VMStateWire_int8;
typedef int16_t VMStateWire_int16;
typedef int32_t VMStateWire_int32;
typedef int64_t VMStateWire_int64;
typedef uint8_t VMStateWire_uint8;
typedef uint16_t VMStateWire_uint16;
typedef uint32_t VMStateWire_uint32;
typedef uint64_t VMStateWire_uint64;

extern const VMStateInfo vmstate_info_bool;
extern const VMStateInfo vmstate_info_int8, vmstate_info_int16;
extern const VMStateInfo vmstate_info_int32, vmstate_info_int64;
extern const VMStateInfo vmstate_info_uint8, vmstate_info_uint16;
extern const VMStateInfo vmstate_info_uint32, vmstate_info_uint64;
/* What arrives must equal what is there ("_le": be at most and not negative). */
extern const VMStateInfo vmstate_info_int32_equal, vmstate_info_uint8_equal;
extern const VMStateInfo vmstate_info_uint16_equal, vmstate_info_uint32_equal;
extern const VMStateInfo vmstate_info_uint64_equal, vmstate_info_int32_le;
extern const VMStateInfo vmstate_info_cpudouble; /* double, its high half first */
extern const VMStateInfo vmstate_info_timer;     /* Timer: when it is due */
extern const VMStateInfo vmstate_info_deadline;  /* the same as int64_t; -1: never */
extern const VMStateInfo vmstate_info_buffer, vmstate_info_unused_buffer;
extern const VMStateInfo vmstate_info_bitmap, vmstate_info_tmp, vmstate_info_nullptr;

#define VMSTATE_NUMBER(member, Struct, test, version, type)                              \
    VMSTATE_SINGLE_TEST(member, Struct, test, version, vmstate_info_##type,              \
                        VMStateWire_##type)
#define VMSTATE_NUMBER_ARRAY(member, Struct, num, test, version, type)                   \
    VMSTATE_ARRAY_TEST_V(member, Struct, num, test, version, vmstate_info_##type,        \
                         VMStateWire_##type)
#define VMSTATE_NUMBER_2DARRAY(member, Struct, n1, n2, version, type)                    \
    VMSTATE_2DARRAY(member, Struct, n1, n2, version, vmstate_info_##type,                \
                    VMStateWire_##type)
#define VMSTATE_NUMBER_SUB_ARRAY(member, Struct, start, num, type)                       \
    VMSTATE_SUB_ARRAY(member, Struct, start, num, 0, vmstate_info_##type,                \
                      VMStateWire_##type)

#define VMSTATE_BOOL(member, Struct) VMSTATE_NUMBER(member, Struct, NULL, 0, bool)
#define VMSTATE_BOOL_V(member, Struct, version)                                          \
    VMSTATE_NUMBER(member, Struct, NULL, version, bool)
#define VMSTATE_BOOL_TEST(member, Struct, test)                                          \
    VMSTATE_NUMBER(member, Struct, test, 0, bool)
#define VMSTATE_BOOL_ARRAY(member, Struct, num)                                          \
    VMSTATE_NUMBER_ARRAY(member, Struct, num, NULL, 0, bool)
#define VMSTATE_BOOL_ARRAY_V(member, Struct, num, version)                               \
    VMSTATE_NUMBER_ARRAY(member, Struct, num, NULL, version, bool)
#define VMSTATE_BOOL_ARRAY_TEST(member, Struct, num, test)                               \
    VMSTATE_NUMBER_ARRAY(member, Struct, num, test, 0, bool)
#define VMSTATE_BOOL_2DARRAY(member, Struct, n1, n2)                                     \
    VMSTATE_NUMBER_2DARRAY(member, Struct, n1, n2, 0, bool)
#define VMSTATE_BOOL_2DARRAY_V(member, Struct, n1, n2, version)                          \
    VMSTATE_NUMBER_2DARRAY(member, Struct, n1, n2, version, bool)
#define VMSTATE_BOOL_SUB_ARRAY(member, Struct, start, num)                               \
    VMSTATE_NUMBER_SUB_ARRAY(member, Struct, start, num, bool)

#define VMSTATE_INT8(member, Struct) VMSTATE_NUMBER(member, Struct, NULL, 0, int8)
#define VMSTATE_INT8_V(member, Struct, version)                                          \
    VMSTATE_NUMBER(member, Struct, NULL, version, int8)
#define VMSTATE_INT8_TEST(member, Struct, test)                                          \
    VMSTATE_NUMBER(member, Struct, test, 0, int8)
#define VMSTATE_INT8_ARRAY(member, Struct, num)                                          \
    VMSTATE_NUMBER_ARRAY(member, Struct, num, NULL, 0, int8)
#define VMSTATE_INT8_ARRAY_V(member, Struct, num, version)                               \
    VMSTATE_NUMBER_ARRAY(member, Struct, num, NULL, version, int8)
#define VMSTATE_INT8_ARRAY_TEST(member, Struct, num, test)                               \
    VMSTATE_NUMBER_ARRAY(member, Struct, num, test, 0, int8)
#define VMSTATE_INT8_2DARRAY(member, Struct, n1, n2)                                     \
    VMSTATE_NUMBER_2DARRAY(member, Struct, n1, n2, 0, int8)
#define VMSTATE_INT8_2DARRAY_V(member, Struct, n1, n2, version)                          \
    VMSTATE_NUMBER_2DARRAY(member, Struct, n1, n2, version, int8)
#define VMSTATE_INT8_SUB_ARRAY(member, Struct, start, num)                               \
    VMSTATE_NUMBER_SUB_ARRAY(member, Struct, start, num, int8)

#define VMSTATE_INT16(member, Struct) VMSTATE_NUMBER(member, Struct, NULL, 0, int16)
#define VMSTATE_INT16_V(member, Struct, version)                                         \
    VMSTATE_NUMBER(member, Struct, NULL, version, int16)
#define VMSTATE_INT16_TEST(member, Struct, test)                                         \
    VMSTATE_NUMBER(member, Struct, test, 0, int16)
#define VMSTATE_INT16_ARRAY(member, Struct, num)                                         \
    VMSTATE_NUMBER_ARRAY(member, Struct, num, NULL, 0, int16)
#define VMSTATE_INT16_ARRAY_V(member, Struct, num, version)                              \
    VMSTATE_NUMBER_ARRAY(member, Struct, num, NULL, version, int16)
#define VMSTATE_INT16_ARRAY_TEST(member, Struct, num, test)                              \
    VMSTATE_NUMBER_ARRAY(member, Struct, num, test, 0, int16)
#define VMSTATE_INT16_2DARRAY(member, Struct, n1, n2)                                    \
    VMSTATE_NUMBER_2DARRAY(member, Struct, n1, n2, 0, int16)
#define VMSTATE_INT16_2DARRAY_V(member, Struct, n1, n2, version)                         \
    VMSTATE_NUMBER_2DARRAY(member, Struct, n1, n2, version, int16)
#define VMSTATE_INT16_SUB_ARRAY(member, Struct, start, num)                              \
    VMSTATE_NUMBER_SUB_ARRAY(member, Struct, start, num, int16)

#define VMSTATE_INT32(member, Struct) VMSTATE_NUMBER(member, Struct, NULL, 0, int32)
#define VMSTATE_INT32_V(member, Struct, version)                                         \
    VMSTATE_NUMBER(member, Struct, NULL, version, int32)
#define VMSTATE_INT32_TEST(member, Struct, test)                                         \
    VMSTATE_NUMBER(member, Struct, test, 0, int32)
#define VMSTATE_INT32_ARRAY(member, Struct, num)                                         \
    VMSTATE_NUMBER_ARRAY(member, Struct, num, NULL, 0, int32)
#define VMSTATE_INT32_ARRAY_V(member, Struct, num, version)                              \
    VMSTATE_NUMBER_ARRAY(member, Struct, num, NULL, version, int32)
#define VMSTATE_INT32_ARRAY_TEST(member, Struct, num, test)                              \
    VMSTATE_NUMBER_ARRAY(member, Struct, num, test, 0, int32)
#define VMSTATE_INT32_2DARRAY(member, Struct, n1, n2)                                    \
    VMSTATE_NUMBER_2DARRAY(member, Struct, n1, n2, 0, int32)
#define VMSTATE_INT32_2DARRAY_V(member, Struct, n1, n2, version)                         \
    VMSTATE_NUMBER_2DARRAY(member, Struct, n1, n2, version, int32)
#define VMSTATE_INT32_SUB_ARRAY(member, Struct, start, num)                              \
    VMSTATE_NUMBER_SUB_ARRAY(member, Struct, start, num, int32)

#define VMSTATE_INT64(member, Struct) VMSTATE_NUMBER(member, Struct, NULL, 0, int64)
#define VMSTATE_INT64_V(member, Struct, version)                                         \
    VMSTATE_NUMBER(member, Struct, NULL, version, int64)
#define VMSTATE_INT64_TEST(member, Struct, test)                                         \
    VMSTATE_NUMBER(member, Struct, test, 0, int64)
#define VMSTATE_INT64_ARRAY(member, Struct, num)                                         \
    VMSTATE_NUMBER_ARRAY(member, Struct, num, NULL, 0, int64)
#define VMSTATE_INT64_ARRAY_V(member, Struct, num, version)                              \
    VMSTATE_NUMBER_ARRAY(member, Struct, num, NULL, version, int64)
#define VMSTATE_INT64_ARRAY_TEST(member, Struct, num, test)                              \
    VMSTATE_NUMBER_ARRAY(member, Struct, num, test, 0, int64)
#define VMSTATE_INT64_2DARRAY(member, Struct, n1, n2)                                    \
    VMSTATE_NUMBER_2DARRAY(member, Struct, n1, n2, 0, int64)
#define VMSTATE_INT64_2DARRAY_V(member, Struct, n1, n2, version)                         \
    VMSTATE_NUMBER_2DARRAY(member, Struct, n1, n2, version, int64)
#define VMSTATE_INT64_SUB_ARRAY(member, Struct, start, num)                              \
    VMSTATE_NUMBER_SUB_ARRAY(member, Struct, start, num, int64)

#define VMSTATE_UINT8(member, Struct) VMSTATE_NUMBER(member, Struct, NULL, 0, uint8)
#define VMSTATE_UINT8_V(member, Struct, version)                                         \
    VMSTATE_NUMBER(member, Struct, NULL, version, uint8)
#define VMSTATE_UINT8_TEST(member, Struct, test)                                         \
    VMSTATE_NUMBER(member, Struct, test, 0, uint8)
#define VMSTATE_UINT8_ARRAY(member, Struct, num)                                         \
    VMSTATE_NUMBER_ARRAY(member, Struct, num, NULL, 0, uint8)
#define VMSTATE_UINT8_ARRAY_V(member, Struct, num, version)                              \
    VMSTATE_NUMBER_ARRAY(member, Struct, num, NULL, version, uint8)
#define VMSTATE_UINT8_ARRAY_TEST(member, Struct, num, test)                              \
    VMSTATE_NUMBER_ARRAY(member, Struct, num, test, 0, uint8)
#define VMSTATE_UINT8_2DARRAY(member, Struct, n1, n2)                                    \
    VMSTATE_NUMBER_2DARRAY(member, Struct, n1, n2, 0, uint8)
#define VMSTATE_UINT8_2DARRAY_V(member, Struct, n1, n2, version)                         \
    VMSTATE_NUMBER_2DARRAY(member, Struct, n1, n2, version, uint8)
#define VMSTATE_UINT8_SUB_ARRAY(member, Struct, start, num)                              \
    VMSTATE_NUMBER_SUB_ARRAY(member, Struct, start, num, uint8)

#define VMSTATE_UINT16(member, Struct) VMSTATE_NUMBER(member, Struct, NULL, 0, uint16)
#define VMSTATE_UINT16_V(member, Struct, version)                                        \
    VMSTATE_NUMBER(member, Struct, NULL, version, uint16)
#define VMSTATE_UINT16_TEST(member, Struct, test)                                        \
    VMSTATE_NUMBER(member, Struct, test, 0, uint16)
#define VMSTATE_UINT16_ARRAY(member, Struct, num)                                        \
    VMSTATE_NUMBER_ARRAY(member, Struct, num, NULL, 0, uint16)
#define VMSTATE_UINT16_ARRAY_V(member, Struct, num, version)                             \
    VMSTATE_NUMBER_ARRAY(member, Struct, num, NULL, version, uint16)
#define VMSTATE_UINT16_ARRAY_TEST(member, Struct, num, test)                             \
    VMSTATE_NUMBER_ARRAY(member, Struct, num, test, 0, uint16)
#define VMSTATE_UINT16_2DARRAY(member, Struct, n1, n2)                                   \
    VMSTATE_NUMBER_2DARRAY(member, Struct, n1, n2, 0, uint16)
#define VMSTATE_UINT16_2DARRAY_V(member, Struct, n1, n2, version)                        \
    VMSTATE_NUMBER_2DARRAY(member, Struct, n1, n2, version, uint16)
#define VMSTATE_UINT16_SUB_ARRAY(member, Struct, start, num)                             \
    VMSTATE_NUMBER_SUB_ARRAY(member, Struct, start, num, uint16)

#define VMSTATE_UINT32(member, Struct) VMSTATE_NUMBER(member, Struct, NULL, 0, uint32)
#define VMSTATE_UINT32_V(member, Struct, version)                                        \
    VMSTATE_NUMBER(member, Struct, NULL, version, uint32)
#define VMSTATE_UINT32_TEST(member, Struct, test)                                        \
    VMSTATE_NUMBER(member, Struct, test, 0, uint32)
#define VMSTATE_UINT32_ARRAY(member, Struct, num)                                        \
    VMSTATE_NUMBER_ARRAY(member, Struct, num, NULL, 0, uint32)
#define VMSTATE_UINT32_ARRAY_V(member, Struct, num, version)                             \
    VMSTATE_NUMBER_ARRAY(member, Struct, num, NULL, version, uint32)
#define VMSTATE_UINT32_ARRAY_TEST(member, Struct, num, test)                             \
    VMSTATE_NUMBER_ARRAY(member, Struct, num, test, 0, uint32)
#define VMSTATE_UINT32_2DARRAY(member, Struct, n1, n2)                                   \
    VMSTATE_NUMBER_2DARRAY(member, Struct, n1, n2, 0, uint32)
#define VMSTATE_UINT32_2DARRAY_V(member, Struct, n1, n2, version)                        \
    VMSTATE_NUMBER_2DARRAY(member, Struct, n1, n2, version, uint32)
#define VMSTATE_UINT32_SUB_ARRAY(member, Struct, start, num)                             \
    VMSTATE_NUMBER_SUB_ARRAY(member, Struct, start, num, uint32)

#define VMSTATE_UINT64(member, Struct) VMSTATE_NUMBER(member, Struct, NULL, 0, uint64)
#define VMSTATE_UINT64_V(member, Struct, version)                                        \
    VMSTATE_NUMBER(member, Struct, NULL, version, uint64)
#define VMSTATE_UINT64_TEST(member, Struct, test)                                        \
    VMSTATE_NUMBER(member, Struct, test, 0, uint64)
#define VMSTATE_UINT64_ARRAY(member, Struct, num)                                        \
    VMSTATE_NUMBER_ARRAY(member, Struct, num, NULL, 0, uint64)
#define VMSTATE_UINT64_ARRAY_V(member, Struct, num, version)                             \
    VMSTATE_NUMBER_ARRAY(member, Struct, num, NULL, version, uint64)
#define VMSTATE_UINT64_ARRAY_TEST(member, Struct, num, test)                             \
    VMSTATE_NUMBER_ARRAY(member, Struct, num, test, 0, uint64)
#define VMSTATE_UINT64_2DARRAY(member, Struct, n1, n2)                                   \
    VMSTATE_NUMBER_2DARRAY(member, Struct, n1, n2, 0, uint64)
#define VMSTATE_UINT64_2DARRAY_V(member, Struct, n1, n2, version)                        \
    VMSTATE_NUMBER_2DARRAY(member, Struct, n1, n2, version, uint64)
#define VMSTATE_UINT64_SUB_ARRAY(member, Struct, start, num)                             \
    VMSTATE_NUMBER_SUB_ARRAY(member, Struct, start, num, uint64)
#define VMSTATE_INT32_EQUAL(member, Struct)                                              \
    VMSTATE_SINGLE(member, Struct, 0, vmstate_info_int32_equal, int32_t)
#define VMSTATE_UINT8_EQUAL(member, Struct)                                              \
    VMSTATE_SINGLE(member, Struct, 0, vmstate_info_uint8_equal, uint8_t)
#define VMSTATE_UINT16_EQUAL_V(member, Struct, version)                                  \
    VMSTATE_SINGLE(member, Struct, version, vmstate_info_uint16_equal, uint16_t)
#define VMSTATE_UINT16_EQUAL(member, Struct) VMSTATE_UINT16_EQUAL_V(member, Struct, 0)
#define VMSTATE_UINT32_EQUAL_V(member, Struct, version)                                  \
    VMSTATE_SINGLE(member, Struct, version, vmstate_info_uint32_equal, uint32_t)
#define VMSTATE_UINT32_EQUAL(member, Struct) VMSTATE_UINT32_EQUAL_V(member, Struct, 0)
#define VMSTATE_UINT64_EQUAL_V(member, Struct, version)                                  \
    VMSTATE_SINGLE(member, Struct, version, vmstate_info_uint64_equal, uint64_t)
#define VMSTATE_UINT64_EQUAL(member, Struct) VMSTATE_UINT64_EQUAL_V(member, Struct, 0)
#define VMSTATE_INT32_POSITIVE_LE(member, Struct)                                        \
    VMSTATE_SINGLE(member, Struct, 0, vmstate_info_int32_le, int32_t)
#define VMSTATE_CPU_DOUBLE_ARRAY(member, Struct, num)                                    \
    VMSTATE_ARRAY(member, Struct, num, 0, vmstate_info_cpudouble, double)

/* When the timer is due, on its clock; loading arms or stops it. Our timers are members,
 * QEMU's pointers, hence the size. */
#define VMSTATE_TIMER_TEST(member, Struct, test)                                         \
    VMSTATE_ROW(#member, 0, test, .flags = VMS_SINGLE, .info = &vmstate_info_timer,      \
                .size = sizeof(Timer *), .offset = VMSTATE_AT(Struct, member, Timer))
#define VMSTATE_TIMER_V(member, Struct, version)                                         \
    VMSTATE_TIMER_AS(member, Struct, #member, version)
#define VMSTATE_TIMER(member, Struct) VMSTATE_TIMER_V(member, Struct, 0)
/* In a wire object, for from_wire to look at before it arms a timer: int64_t, ns on the
 * timer's clock, or -1. */
#define VMSTATE_DEADLINE(member, Struct, name_, version)                                 \
    VMSTATE_ROW(name_, version, NULL, .flags = VMS_SINGLE,                               \
                .info = &vmstate_info_deadline, .size = sizeof(Timer *),                 \
                .offset = VMSTATE_AT(Struct, member, int64_t))
#define VMSTATE_TIMER_PTR_TEST(member, Struct, test)                                     \
    VMSTATE_POINTER_TEST(member, Struct, test, vmstate_info_timer, Timer *)
#define VMSTATE_TIMER_PTR_V(member, Struct, version)                                     \
    VMSTATE_POINTER(member, Struct, version, vmstate_info_timer, Timer *)
#define VMSTATE_TIMER_PTR(member, Struct) VMSTATE_TIMER_PTR_V(member, Struct, 0)

/* -- Registration ---------------------------------------------------------------- */

#define VMSTATE_INSTANCE_ID_ANY (-1)

/* A section of the stream: what (id, instance_id) of a section header stand for. */
typedef struct VMStateEntry {
    char *id; /* "0000:00:01.3/piix4_pm", "serial", ... */
    uint32_t instance_id;
    /* What old streams call it: the name without the path, counted by itself.
     * NULL: none. */
    char *compat_id;
    uint32_t compat_instance_id;
    int alias_id; /* another instance_id that means it; -1: none */
    Device *owner;
    const VMStateDescription *vmsd;
    void *opaque;
} VMStateEntry;

/*
 * Adds a section. Its id is vmsd->name, after the owner's place on a bus that has
 * addresses (PCI) and a slash. instance_id: the number among sections of that id, or
 * VMSTATE_INSTANCE_ID_ANY for the next free one. `opaque` is what the fields are in;
 * `owner` may be NULL. device_realize() does this for DeviceClass.vmsd.
 */
void vmstate_register(Device *owner, int instance_id, const VMStateDescription *vmsd,
                      void *opaque);
void vmstate_register_with_alias_id(Device *owner, int instance_id,
                                    const VMStateDescription *vmsd, void *opaque,
                                    int alias_id);
void vmstate_unregister(Device *owner, const VMStateDescription *vmsd, void *opaque);

/* The region's memory goes into streams under its name after the owner's place, as in
 * "0000:00:02.0/vga.vram". Once the owner is on its bus. */
void vmstate_register_ram(MemoryRegion *mr, Device *owner);

/* Sections in the order of the stream: by priority, then as registered. */
void vmstate_foreach(bool (*func)(VMStateEntry *entry, void *opaque), void *opaque);

/* The section that a stream's header means, by id, compat id or alias; NULL: none. Where
 * several were registered alike, the first that is not among `but` (a set, or NULL). */
VMStateEntry *vmstate_find(const char *id, uint32_t instance_id, GHashTable *but);

#endif
