/*
 * Loads, stores and bulk accesses to an address space.
 *
 * All addresses are guest physical. RAM is accessed without a lock and from any thread
 * that is registered (memory_thread_register()); where a device answers, the machine lock
 * is taken around its callback unless the calling thread has it. An access that crosses
 * ranges is split; an access to a device is split or merged to what its `impl` takes.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MEMORY_ACCESS_H
#define MEMORY_ACCESS_H

#include "memory/address-space.h"

/* Bulk accesses of `length` bytes. Reads where nobody answers follow the policy below.
 * The results of all parts are or-ed. Bytes, in guest order. */
MemTxResult address_space_read(AddressSpace *as, hwaddr addr, MemTxAttrs attrs, void *buffer,
                               hwaddr length);
MemTxResult address_space_write(AddressSpace *as, hwaddr addr, MemTxAttrs attrs,
                                const void *buffer, hwaddr length);

/* As address_space_write, but writes ROM too and no device: for loaders and debuggers. */
MemTxResult address_space_write_rom(AddressSpace *as, hwaddr addr, MemTxAttrs attrs,
                                    const void *buffer, hwaddr length);

MemTxResult address_space_set(AddressSpace *as, hwaddr addr, uint8_t byte, hwaddr length,
                              MemTxAttrs attrs);

/* One access of `size` 1, 2, 4 or 8 bytes at any alignment, as a CPU makes it; the value
 * is in host order, the guest's is little-endian. */
MemTxResult address_space_load(AddressSpace *as, hwaddr addr, unsigned size, uint64_t *value,
                               MemTxAttrs attrs);
MemTxResult address_space_store(AddressSpace *as, hwaddr addr, unsigned size, uint64_t value,
                                MemTxAttrs attrs);

/* The same in QEMU's names, `result` may be NULL. _le and _be fix the byte order. */
uint8_t address_space_ldub(AddressSpace *as, hwaddr addr, MemTxAttrs attrs,
                           MemTxResult *result);
uint16_t address_space_lduw_le(AddressSpace *as, hwaddr addr, MemTxAttrs attrs,
                               MemTxResult *result);
uint32_t address_space_ldl_le(AddressSpace *as, hwaddr addr, MemTxAttrs attrs,
                              MemTxResult *result);
uint64_t address_space_ldq_le(AddressSpace *as, hwaddr addr, MemTxAttrs attrs,
                              MemTxResult *result);
uint16_t address_space_lduw_be(AddressSpace *as, hwaddr addr, MemTxAttrs attrs,
                               MemTxResult *result);
uint32_t address_space_ldl_be(AddressSpace *as, hwaddr addr, MemTxAttrs attrs,
                              MemTxResult *result);
uint64_t address_space_ldq_be(AddressSpace *as, hwaddr addr, MemTxAttrs attrs,
                              MemTxResult *result);
void address_space_stb(AddressSpace *as, hwaddr addr, uint8_t value, MemTxAttrs attrs,
                       MemTxResult *result);
void address_space_stw_le(AddressSpace *as, hwaddr addr, uint16_t value, MemTxAttrs attrs,
                          MemTxResult *result);
void address_space_stl_le(AddressSpace *as, hwaddr addr, uint32_t value, MemTxAttrs attrs,
                          MemTxResult *result);
void address_space_stq_le(AddressSpace *as, hwaddr addr, uint64_t value, MemTxAttrs attrs,
                          MemTxResult *result);
void address_space_stw_be(AddressSpace *as, hwaddr addr, uint16_t value, MemTxAttrs attrs,
                          MemTxResult *result);
void address_space_stl_be(AddressSpace *as, hwaddr addr, uint32_t value, MemTxAttrs attrs,
                          MemTxResult *result);
void address_space_stq_be(AddressSpace *as, hwaddr addr, uint64_t value, MemTxAttrs attrs,
                          MemTxResult *result);

/* Guest memory at a host address for direct access: up to *length bytes from addr, which
 * is cut to what is contiguous. RAM is mapped in place; anything else gets the bounce
 * buffer (filled for reads), of which there is a bounded number: NULL when none is free
 * (address_space_register_map_client()) or *length comes to 0. Unmap with how much was accessed: that marks it dirty or writes the
 * bounce buffer out. A mapped page stays valid across changes of the tree. */
void *address_space_map(AddressSpace *as, hwaddr addr, hwaddr *length, bool is_write,
                        MemTxAttrs attrs);
void address_space_unmap(AddressSpace *as, void *host, hwaddr length, bool is_write,
                         hwaddr access_length);

/* For who got NULL because no bounce buffer was free: `func` is called once, from the main
 * loop and with the machine lock held, when there may be one, and may map again, or wait again.
 * Several may be waiting, so the buffer may be gone by then. _unregister takes the wish back.
 * Any thread. */
void address_space_register_map_client(AddressSpace *as, void (*func)(void *opaque),
                                       void *opaque);
void address_space_unregister_map_client(AddressSpace *as, void (*func)(void *opaque),
                                         void *opaque);

/* What reads and writes do where nobody answers in this address space; the machine type
 * says so once, before the guest runs. `handler`, or NULL, hears of each. */
void address_space_set_unassigned_policy(AddressSpace *as, MemoryUnassignedPolicy policy,
                                         MemoryUnassignedHandler handler, void *opaque);

#endif
