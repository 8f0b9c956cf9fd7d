/*
 * The PC's two 8237A DMA controllers: channels 0-3 move bytes, 5-7 words.
 *
 * A device raises its channel's DREQ; when the guest has programmed and unmasked the
 * channel, the controller calls the device's `ready`, and the device moves as much as it
 * has with isa_dma_transfer(). Nothing takes time. Machine lock for all of it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_DMA_I8257_H
#define HW_DMA_I8257_H

#include "hw/isa/isa-bus.h"
#include "memory/address-space.h"

#define DMA_CHANNELS 4 /* of one controller */

typedef struct DMAChannel {
    uint16_t base_address, base_count;
    uint16_t address, count; /* count: transfers left, less one */
    uint8_t mode, page;
    bool request; /* the device's DREQ */
    void (*ready)(void *opaque);
    void *opaque;
} DMAChannel;

typedef struct DMAController {
    ISADevice parent;
    int32_t base, page_base, pageh_base;
    int32_t dshift; /* 1: moves words, and its registers are two ports apart */
    MemoryRegion channel_io, control_io, page_io[2];
    AddressSpace *memory;

    DMAChannel channels[DMA_CHANNELS];
    uint8_t page_scratch[8]; /* page ports that belong to no channel */
    uint8_t command, status; /* status: bits 0-3, terminal counts reached */
    uint8_t mask;
    uint8_t soft_request;
    bool high_byte_next; /* the byte pointer flip-flop */
} DMAController;

GType i8257_get_type(void);
#define TYPE_I8257 (i8257_get_type())

/* Both controllers on `bus`, which remembers them; they move data in `memory`. */
bool i8257_new_pair(ISABus *bus, AddressSpace *memory, GError **error);

/* What follows takes channel 0-7 of the bus; a bus without DMA has no channels, and the
 * calls do nothing (a transfer moves 0 bytes). */

/* Says whom to call when the channel can move data; NULL: nobody. */
void isa_dma_connect(ISABus *bus, unsigned channel, void (*ready)(void *opaque),
                     void *opaque);

/* Raises and lowers the channel's DREQ; may call `ready` before it returns. */
void isa_dma_request(ISABus *bus, unsigned channel, bool request);

/* Whether the guest lets the channel move data now. */
bool isa_dma_is_ready(ISABus *bus, unsigned channel);

/*
 * Moves up to `length` bytes between `buffer` and guest memory, in the direction that the
 * guest programmed: into memory if `to_memory`, and the channel must agree. Returns how
 * many bytes moved: fewer at the channel's terminal count, which *terminal_count (may be
 * NULL) tells, and 0 when the channel is masked or programmed the other way. A verify
 * transfer counts and moves nothing.
 */
unsigned isa_dma_transfer(ISABus *bus, unsigned channel, void *buffer, unsigned length,
                          bool to_memory, bool *terminal_count);

#endif
