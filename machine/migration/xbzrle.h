/*
 * XBZRLE: a page as what changed in it since it was last sent.
 *
 * The wire form is runs, in turn of bytes that stayed and of bytes that are new: the
 * length of each as ULEB128 of at most two bytes, the new ones followed by their values.
 * What follows the last run stayed (QEMU, docs/xbzrle.txt).
 *
 * The cache holds pages as the other side has them. It is used by one thread.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_MIGRATION_XBZRLE_H
#define MACHINE_MIGRATION_XBZRLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The page `new_page` as changes to `old_page`. Returns the bytes written to `out`, 0
 * where the pages are equal, or -1 where `out_size` bytes are not enough. */
int xbzrle_encode(const uint8_t *old_page, const uint8_t *new_page, uint8_t *out,
                  size_t out_size);

/* Applies changes to `page`. False where they are malformed or leave the page, which is
 * then changed in part. */
bool xbzrle_decode(const uint8_t *changes, size_t length, uint8_t *page);

typedef struct XbzrleCache XbzrleCache;

/* A cache of `size` bytes, rounded down to a power of two of pages, at least one. */
XbzrleCache *xbzrle_cache_new(uint64_t size);
void xbzrle_cache_free(XbzrleCache *cache);

/* The page of that number as the other side has it, for the caller to read and update; or
 * NULL: not known. */
uint8_t *xbzrle_cache_find(XbzrleCache *cache, uint64_t number);

/* Where to put a page that is being sent, or NULL: what has the place was used in this
 * round or the last, and stays. */
uint8_t *xbzrle_cache_claim(XbzrleCache *cache, uint64_t number);

/* Another pass over the memory begins. */
void xbzrle_cache_next_round(XbzrleCache *cache);

#endif
