/* transport/link/transfer.h: messages that are larger than one frame.
 *
 * Going out, such a message is encoded once and cut into pieces that smaller messages overtake.
 * Coming in, its bytes are gathered until the last piece is there. Both kinds are few at a time
 * (TH_LINK_TRANSFERS_MAX).
 *
 * A sender does not begin a message of a pair of actors while one before it is unfinished: order
 * per pair is the sender's to keep, and whoever receives has nothing to hold back.
 *
 * X1. What is gathered takes no more than twice the bytes that came, whatever was announced.
 * X2. One for which there is no memory is gathered without its bytes: the last piece has to come
 *     before it can be returned. */
#ifndef THI_LINK_TRANSFER_H
#define THI_LINK_TRANSFER_H

#include <stdbool.h>

#include "mailbox/msg.h"
#include <thespis/config.h>

/* ---- out ---- */

struct thi_transfer {
    struct thi_transfer *next;
    th_msg *msg;
    uint8_t *bytes;
    size_t size;
    size_t at;     /* what comes before is numbered */
    uint32_t id;   /* among those under way on this link */
    uint32_t code; /* the type's number on this link */
};

/* @msg [take] with room for @size bytes; NULL: no memory, and @msg is still the caller's. */
struct thi_transfer *thi_transfer_create(struct thi_memory *memory, th_msg *msg, size_t size);
/* Its message is the caller's [give]. */
th_msg *thi_transfer_destroy(struct thi_memory *memory, struct thi_transfer *transfer);

/* The piece of a record of kind PIECE: how long, and whether it is the last. */
static inline size_t thi_transfer_piece(const struct thi_transfer *transfer, size_t begin)
{
    size_t left = transfer->size - begin;

    return left < TH_LINK_PIECE_SIZE ? left : TH_LINK_PIECE_SIZE;
}

static inline bool thi_transfer_ends(const struct thi_transfer *transfer, size_t begin)
{
    return transfer->size - begin <= TH_LINK_PIECE_SIZE;
}

/* ---- in ---- */

struct thi_assembly {
    struct thi_assembly *next;
    th_addr from, to;
    uint32_t id;
    uint32_t code;
    uint64_t total;
    uint64_t have;
    uint8_t *bytes; /* room of them; NULL although have > 0: X2 */
    uint64_t room;
};

struct thi_assemblies {
    struct thi_memory *memory;
    struct thi_assembly *first;
    uint32_t count;
};

void thi_assemblies_init(struct thi_assemblies *assemblies, struct thi_memory *memory);
/* Drops all that is unfinished. */
void thi_assemblies_clear(struct thi_assemblies *assemblies);

struct thi_assembly *thi_assemblies_find(struct thi_assemblies *assemblies, uint32_t id);
/* TH_E_EXISTS: that id is under way. TH_E_LIMIT: too many are. TH_E_NOMEM. */
th_err thi_assemblies_begin(struct thi_assemblies *assemblies, uint32_t id, uint64_t total,
                            struct thi_assembly **out);
/* A further piece. TH_E_TOO_BIG: more than was announced. */
th_err thi_assembly_add(struct thi_assemblies *assemblies, struct thi_assembly *assembly,
                        const void *bytes, size_t size);
void thi_assemblies_drop(struct thi_assemblies *assemblies, struct thi_assembly *assembly);

#endif
