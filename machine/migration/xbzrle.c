/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/migration/xbzrle.h"

#include <glib.h>
#include <string.h>

#include "memory/region.h"

#define PAGE MEMORY_PAGE_SIZE

/* ULEB128 of two bytes holds 14 bits, more than the length of a page. */
static size_t put_length(uint8_t *out, size_t length)
{
    if (length < 0x80) {
        out[0] = (uint8_t)length;
        return 1;
    }
    out[0] = (uint8_t)(length | 0x80);
    out[1] = (uint8_t)(length >> 7);
    return 2;
}

static size_t get_length(const uint8_t *in, size_t left, size_t *length)
{
    if (left >= 1 && in[0] < 0x80) {
        *length = in[0];
        return 1;
    }
    if (left >= 2 && in[1] < 0x80) {
        *length = (in[0] & 0x7f) | (size_t)in[1] << 7;
        return 2;
    }
    return 0;
}

static uint64_t word_at(const uint8_t *bytes)
{
    uint64_t word;

    memcpy(&word, bytes, sizeof(word));
    return word;
}

/* The first byte at or after `at` that differs, or PAGE. */
static size_t find_change(const uint8_t *a, const uint8_t *b, size_t at)
{
    while (at + 8 <= PAGE) {
        uint64_t difference = word_at(a + at) ^ word_at(b + at);

        if (difference) { /* little-endian: the first byte is the lowest */
            return at + (size_t)__builtin_ctzll(difference) / 8;
        }
        at += 8;
    }
    while (at < PAGE && a[at] == b[at]) {
        at++;
    }
    return at;
}

/* A run of one or two bytes that stayed costs more to say than to send anew. */
#define SHORTEST_STAY 3

/* The end of a run of new bytes that starts at `at`. */
static size_t find_stay(const uint8_t *a, const uint8_t *b, size_t at)
{
    size_t end = at + 1;

    for (at++; at < PAGE && at - end < SHORTEST_STAY; at++) {
        if (a[at] != b[at]) {
            end = at + 1;
        }
    }
    return end;
}

int xbzrle_encode(const uint8_t *old_page, const uint8_t *new_page, uint8_t *out,
                  size_t out_size)
{
    size_t at = 0, used = 0;

    for (;;) {
        size_t start = find_change(old_page, new_page, at), end;

        if (start == PAGE) {
            return (int)used;
        }
        end = find_stay(old_page, new_page, start);
        if (used + 4 + (end - start) > out_size) {
            return -1;
        }
        used += put_length(out + used, start - at);
        used += put_length(out + used, end - start);
        memcpy(out + used, new_page + start, end - start);
        used += end - start;
        at = end;
    }
}

bool xbzrle_decode(const uint8_t *changes, size_t length, uint8_t *page)
{
    size_t in = 0, at = 0;

    while (in < length) {
        size_t stay, fresh, step = get_length(changes + in, length - in, &stay);
        bool first = in == 0;

        in += step;
        if (!step || (stay == 0 && !first) || stay > PAGE - at) {
            return false;
        }
        at += stay;
        if (in == length) {
            return true; /* the rest of the page stayed, said aloud */
        }
        step = get_length(changes + in, length - in, &fresh);
        in += step;
        if (!step || fresh == 0 || fresh > length - in || fresh > PAGE - at) {
            return false;
        }
        memcpy(page + at, changes + in, fresh);
        at += fresh;
        in += fresh;
    }
    return true;
}

/* -- The cache ------------------------------------------------------------------- */

typedef struct Entry {
    uint64_t number; /* of the page; UINT64_MAX: empty */
    uint64_t round;  /* when it was last sent */
    uint8_t *page;   /* allocated when first used */
} Entry;

struct XbzrleCache {
    uint64_t mask; /* entries - 1 */
    uint64_t round;
    Entry entries[];
};

/* An entry that was used so recently is not given away: two hot pages of one place would
 * throw each other out for ever. */
#define ROUNDS_KEPT 2

XbzrleCache *xbzrle_cache_new(uint64_t size)
{
    uint64_t entries = 1;
    XbzrleCache *cache;

    while (entries * 2 <= size / PAGE) {
        entries *= 2;
    }
    cache = g_malloc0(sizeof(*cache) + entries * sizeof(Entry));
    cache->mask = entries - 1;
    cache->round = ROUNDS_KEPT;
    for (uint64_t i = 0; i < entries; i++) {
        cache->entries[i].number = UINT64_MAX;
    }
    return cache;
}

void xbzrle_cache_free(XbzrleCache *cache)
{
    for (uint64_t i = 0; cache && i <= cache->mask; i++) {
        g_free(cache->entries[i].page);
    }
    g_free(cache);
}

uint8_t *xbzrle_cache_find(XbzrleCache *cache, uint64_t number)
{
    Entry *entry = &cache->entries[number & cache->mask];

    if (entry->number != number) {
        return NULL;
    }
    entry->round = cache->round;
    return entry->page;
}

uint8_t *xbzrle_cache_claim(XbzrleCache *cache, uint64_t number)
{
    Entry *entry = &cache->entries[number & cache->mask];

    if (entry->number != UINT64_MAX && entry->number != number &&
        entry->round + ROUNDS_KEPT > cache->round) {
        return NULL;
    }
    if (!entry->page) {
        entry->page = g_malloc(PAGE);
    }
    entry->number = number;
    entry->round = cache->round;
    return entry->page;
}

void xbzrle_cache_next_round(XbzrleCache *cache)
{
    cache->round++;
}
