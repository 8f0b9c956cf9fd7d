/*
 * Words that every room shares: guest addresses, sizes, and what a memory transaction
 * carries and returns.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MEMORY_TYPES_H
#define MEMORY_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

#define KiB(n) ((uint64_t)(n) << 10)
#define MiB(n) ((uint64_t)(n) << 20)
#define GiB(n) ((uint64_t)(n) << 30)

/* A guest physical address, or an offset into a region: bytes. */
typedef uint64_t hwaddr;

/*
 * A region may be 2^64 bytes long, which 64 bits cannot count; sizes and the sums of
 * addresses and sizes are therefore 128 bits wide inside the tree.
 */
__extension__ typedef unsigned __int128 uint128;
__extension__ typedef __int128 int128;

#define MEMORY_SIZE_ALL ((uint128)1 << 64)

/* The guest page, in bytes: the grain of dirty bitmaps and of accelerators' mappings. */
#define MEMORY_PAGE_BITS 12
#define MEMORY_PAGE_SIZE ((uint64_t)1 << MEMORY_PAGE_BITS)

/* Who issues a transaction; devices that care get it in their _with_attrs callbacks. */
typedef struct MemTxAttrs {
    unsigned unspecified : 1;  /* the issuer says nothing about itself */
    unsigned secure : 1;       /* on x86: issued in system management mode */
    unsigned user : 1;         /* issued in user mode */
    unsigned memory : 1;       /* must not reach a device: RAM or an error */
    unsigned requester_id : 16; /* PCI bus/device/function of a bus master */
} MemTxAttrs;

#define MEMTXATTRS_UNSPECIFIED ((MemTxAttrs){.unspecified = 1})

/* A set of bits: 0 is success, and results of the parts of an access are or-ed. */
typedef uint32_t MemTxResult;
#define MEMTX_OK 0u
#define MEMTX_ERROR (1u << 0)        /* the device answered with an error */
#define MEMTX_DECODE_ERROR (1u << 1) /* nobody answers at that address */
#define MEMTX_ACCESS_ERROR (1u << 2) /* attrs.memory was set and a device answered */

enum device_endian {
    DEVICE_NATIVE_ENDIAN, /* the guest's: little on x86 */
    DEVICE_BIG_ENDIAN,
    DEVICE_LITTLE_ENDIAN,
};

#endif
