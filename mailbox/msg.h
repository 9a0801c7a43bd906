/* msg.h: an envelope's life, as the runtime sees it.
 *
 * An envelope is one block: a header of 64 bytes, one cache line, and the body behind it. The
 * common life (a small body that owns nothing) is inline here and costs a pop, a line of stores,
 * and a push.
 *
 * Sharing. th_msg_dup() copies a small body. A large one, or one that owns something, is shared:
 * the new envelope is a header only, and its thi_body points into the first one, the root, whose
 * thi_refs counts the envelopes that use the body.
 *
 * E1. thi_body is always right behind the header of the root, which may be the message itself. So
 *     the root is found from the body, and a copy of a copy shares with the root, not with the
 *     copy.
 * E2. The root's block lives until its last sharer is destroyed, also when the root as an envelope
 *     is long destroyed. From then on only thi_refs of it is touched.
 * E3. Of an envelope, thi_next, thi_from and thi_to belong to its one owner; thi_type, thi_body and
 *     thi_size never change; thi_refs is anybody's who shares.
 * E4. What a body owns goes when its last envelope goes: once.
 * E5. A message inside a message is owned by that body and in no queue, so its thi_next is free. */
#ifndef MAILBOX_MSG_H
#define MAILBOX_MSG_H

#include "mailbox/alloc.h"

#include <thespis/config.h>
#include <thespis/msg.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

_Static_assert(sizeof(th_msg) == TH_CACHE_LINE, "the header is one cache line");
_Static_assert(sizeof(_Atomic uint32_t) == sizeof(uint32_t), "see thi_msg_refs()");
_Static_assert(_Alignof(_Atomic uint32_t) == _Alignof(uint32_t), "see thi_msg_refs()");

#define THI_MSG_SIZE_BITS 0x7ffffffu
_Static_assert(TH_MESSAGE_SIZE_MAX <= THI_MSG_SIZE_BITS, "thi_size holds every size");

/** How many envelopes share the body of @root. C++ has no _Atomic, so the public struct has a plain
 * integer; every access of ours comes through here, and gcc and clang give both the same size,
 * alignment and representation (asserted above). */
static inline _Atomic uint32_t *thi_msg_refs(const th_msg *root)
{
    return (_Atomic uint32_t *)(uintptr_t)&root->thi_refs;
}

/** The envelope whose block holds the body of @msg (E1). */
static inline th_msg *thi_msg_root(const th_msg *msg)
{
    return (th_msg *)msg->thi_body - 1;
}

static inline bool thi_msg_is_shared(const th_msg *msg)
{
    /* acquire: after "no", the caller may free or reuse what the others read; pairs with the
     * release in the destroy of the sharer that left */
    return atomic_load_explicit(thi_msg_refs(thi_msg_root(msg)), memory_order_acquire) != 1;
}

/* Zeroes what the body needs, in units of 32 bytes, which is what block sizes are made of. */
static inline void thi_msg_clear(char *body, size_t size)
{
    if (size == 0)
        return;
    memset(body, 0, 32);
    if (size <= 32)
        return;
    memset(body + 32, 0, 32);
    if (TH_UNLIKELY(size > 64))
        memset(body + 64, 0, size - 64);
}

/* Writes the header; the body behind it is left as it is. */
static inline th_msg *thi_msg_head(void *at, unsigned block, const th_type *type, size_t size)
{
    th_msg *msg = at;

    msg->thi_next = NULL;
    msg->thi_type = type;
    msg->thi_body = msg + 1;
    msg->thi_from = th_addr_none();
    msg->thi_to = th_addr_none();
    msg->thi_size = (uint32_t)size & THI_MSG_SIZE_BITS;
    msg->thi_block = block & 31;
    msg->thi_refs = 1; /* plain: nobody else has it yet */
    return msg;
}

/** Makes the block at @at, of class @block, an envelope with a zeroed body of @size bytes. */
static inline th_msg *thi_msg_dress(void *at, unsigned block, const th_type *type, size_t size)
{
    th_msg *msg = thi_msg_head(at, block, type, size);
    char *body = (char *)(msg + 1);

    thi_msg_clear(body, size);
    THI_POISON(body + size, thi_heap_block_sizes[block] - sizeof(*msg) - size);
    return msg;
}

/** As thi_msg_create(), for a body of @size bytes that no block holds. */
th_msg *thi_msg_create_large(struct thi_heap *heap, const th_type *type, size_t size);

/** An envelope of @type with @rest bytes behind the struct, all zeroed [give]; NULL: no memory. Any
 * type, no questions: @type is checked and struct and rest are within TH_MESSAGE_SIZE_MAX. */
static inline th_msg *thi_msg_create(struct thi_heap *heap, const th_type *type, size_t rest)
{
    size_t size = type->size + rest;
    unsigned block = thi_heap_block(sizeof(th_msg) + size);
    void *at;

    if (TH_UNLIKELY(block == 0))
        return thi_msg_create_large(heap, type, size);
    at = thi_heap_take(heap, block);
    return TH_LIKELY(at != NULL) ? thi_msg_dress(at, block, type, size) : NULL;
}

/** As th_msg_dup() [give]; NULL: no memory. @msg [lend]. The copy keeps sender and target. */
th_msg *thi_msg_dup(struct thi_heap *heap, const th_msg *msg);

/** As thi_msg_destroy(), for what owns, shares, is shared or is large. */
void thi_msg_destroy_slow(struct thi_heap *heap, th_msg *msg);

/** Frees @msg [take] and, with its last sharer, what the body owns. NULL is nothing to do. */
static inline void thi_msg_destroy(struct thi_heap *heap, th_msg *msg)
{
    if (TH_UNLIKELY(!msg))
        return;
    if (TH_LIKELY(msg->thi_block != 0 && msg->thi_body == (void *)(msg + 1) &&
                  !(msg->thi_type->flags & TH_TYPE_OWNS) && !thi_msg_is_shared(msg)))
        thi_heap_give(heap, msg, msg->thi_block);
    else
        thi_msg_destroy_slow(heap, msg);
}

#endif
