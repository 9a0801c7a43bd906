/* msg.c: creating by the user's rules, sharing, and destroying what owns.
 *
 * Destroying is where depth is an enemy: a message may hold a message, which may hold a message,
 * as deep as memory goes, and each level may be freed by the last of several sharers. So nothing
 * recurses over messages: those to be destroyed wait in a list through their thi_next (E5), and
 * one loop works it off. Nested structs do recurse, to at most TH_NESTING_MAX.
 *
 * User code (a local type's fini) runs between heap calls, never under a voice's lock. */
#include "mailbox/msg.h"

#include <thespis/config.h>
#include <thespis/status.h>

#include "mailbox/type.h"
#include "mailbox/voice.h"

/* ---- create ---- */

th_msg *thi_msg_create_large(struct thi_heap *heap, const th_type *type, size_t size)
{
    /* the allocator zeroes: of fresh pages it knows that they are */
    void *at = thi_memory_take(heap->memory, sizeof(th_msg) + size);

    return at ? thi_msg_head(at, 0, type, size) : NULL;
}

static void *locked_take(struct thi_voice *voice, unsigned block)
{
    void *at;

    thi_voice_enter(voice);
    at = thi_heap_take(voice->heap, block);
    thi_voice_leave(voice);
    return at;
}

static th_msg *refuse(struct thi_voice *voice, th_err why)
{
    thi_voice_set_why(voice, why);
    return NULL;
}

static th_msg *create(struct thi_voice *voice, const th_type *type, size_t rest)
{
    size_t size = type->size + rest;
    unsigned block = thi_heap_block(sizeof(th_msg) + size);
    th_msg *msg;
    void *at;

    if (TH_UNLIKELY(block == 0)) {
        msg = thi_msg_create_large(voice->heap, type, size);
    } else {
        at = locked_take(voice, block);
        msg = at ? thi_msg_dress(at, block, type, size) : NULL;
    }
    return TH_LIKELY(msg != NULL) ? msg : refuse(voice, TH_E_NOMEM);
}

static bool is_systems_own(const th_type *type)
{
    return type->flags & TH_TYPE_SYSTEM && type != &th_exit_request_type &&
           type != &th_ask_status_type && type != &th_ask_handled_type;
}

/* What nearly every message is: small, the user's, from a voice that nobody shares. */
static inline bool is_plain(const struct thi_voice *voice, const th_type *type)
{
    enum { SMALL = 1024 - sizeof(th_msg) };

    return !(type->flags & TH_TYPE_SYSTEM) && type->size <= SMALL && !voice->lock;
}

static __attribute__((noinline)) th_msg *create_checked(th_self *self, const th_type *type)
{
    struct thi_voice *voice = thi_voice_of(self);

    if (TH_UNLIKELY(!voice))
        return NULL;
    if (TH_UNLIKELY(!type))
        return refuse(voice, TH_E_INVALID);
    if (TH_UNLIKELY(is_systems_own(type)))
        return refuse(voice, TH_E_NOT_ALLOWED);
    if (TH_UNLIKELY(type->size > TH_MESSAGE_SIZE_MAX))
        return refuse(voice, TH_E_TOO_BIG);
    return create(voice, type, 0);
}

th_msg *th_msg_create(th_self *self, const th_type *type)
{
    struct thi_voice *voice = thi_voice_of(self);
    unsigned block;
    void *at;

    if (TH_UNLIKELY(!voice || !type || !is_plain(voice, type)))
        return create_checked(self, type);
    block = thi_heap_small_blocks[(sizeof(th_msg) + type->size + 31) / 32];
    at = thi_heap_take(voice->heap, block);
    return TH_LIKELY(at != NULL) ? thi_msg_dress(at, block, type, type->size)
                                 : refuse(voice, TH_E_NOMEM);
}

th_msg *th_msg_create_sized(th_self *self, const th_type *type, size_t rest)
{
    struct thi_voice *voice = thi_voice_of(self);

    if (!voice)
        return NULL;
    if (!type || !(type->flags & TH_TYPE_REST || type->size == 0))
        return refuse(voice, TH_E_INVALID);
    if (is_systems_own(type))
        return refuse(voice, TH_E_NOT_ALLOWED);
    if (type->size > TH_MESSAGE_SIZE_MAX || rest > TH_MESSAGE_SIZE_MAX - type->size)
        return refuse(voice, TH_E_TOO_BIG);
    return create(voice, type, rest);
}

/* ---- dup ---- */

static bool is_copied(const th_msg *msg)
{
    return msg->thi_size <= TH_MESSAGE_COPY_MAX && !(msg->thi_type->flags & TH_TYPE_OWNS);
}

static unsigned dup_block(const th_msg *msg)
{
    return thi_heap_block(sizeof(th_msg) + (is_copied(msg) ? msg->thi_size : 0));
}

/* Makes the block at @at another envelope of @msg. */
static th_msg *dup_into(void *at, unsigned block, const th_msg *msg)
{
    th_msg *dup = thi_msg_dress(at, block, msg->thi_type, 0);

    dup->thi_from = msg->thi_from;
    dup->thi_to = msg->thi_to;
    dup->thi_size = msg->thi_size;
    if (is_copied(msg)) {
        THI_UNPOISON(dup->thi_body, msg->thi_size);
        memcpy(dup->thi_body, msg->thi_body, msg->thi_size);
    } else {
        dup->thi_body = msg->thi_body;
        /* relaxed: @msg is one of the sharers, so the count is not zero and the root stays */
        atomic_fetch_add_explicit(thi_msg_refs(thi_msg_root(msg)), 1, memory_order_relaxed);
    }
    return dup;
}

th_msg *thi_msg_dup(struct thi_heap *heap, const th_msg *msg)
{
    unsigned block = dup_block(msg);
    void *at = thi_heap_take(heap, block);

    return at ? dup_into(at, block, msg) : NULL;
}

th_msg *th_msg_dup(th_self *self, const th_msg *msg)
{
    struct thi_voice *voice = thi_voice_of(self);
    unsigned block;
    void *at;

    if (!voice)
        return NULL;
    if (!msg)
        return refuse(voice, TH_E_INVALID);
    block = dup_block(msg);
    at = locked_take(voice, block);
    return at ? dup_into(at, block, msg) : refuse(voice, TH_E_NOMEM);
}

/* ---- destroy ---- */

/* Drops what the struct at @body owns; messages in it go to the front of @waiting. */
static void release_fields(const th_type *type, char *body, unsigned depth, th_msg **waiting)
{
    uint32_t i, n;

    if (depth > TH_NESTING_MAX) /* no checked type comes here: better a leak than a crash */
        return;
    for (i = 0; i < type->field_count; i++) {
        const th_field *field = &type->fields[i];
        char *at = body + field->offset;

        if (!thi_kind_owns(field->kind) &&
            (field->kind != TH_KIND_nested || !(field->nested->flags & TH_TYPE_OWNS)))
            continue;
        for (n = 0; n < field->count; n++, at += field->size) {
            if (field->kind == TH_KIND_nested) {
                release_fields(field->nested, at, depth + 1, waiting);
            } else if (field->kind == TH_KIND_msg) {
                th_msg *inner = *(th_msg **)(void *)at;

                if (inner) {
                    inner->thi_next = *waiting;
                    *waiting = inner;
                }
            } else {
                th_blob_unref(*(th_blob **)(void *)at);
            }
        }
    }
}

static void release_body(const th_msg *msg, th_msg **waiting)
{
    const th_type *type = msg->thi_type;

    if (!(type->flags & TH_TYPE_OWNS))
        return;
    if (type->fini)
        type->fini(msg->thi_body);
    release_fields(type, msg->thi_body, 0, waiting);
}

/* Frees the block of an envelope, not what its body owns. */
static void free_block(struct thi_heap *heap, struct thi_voice *voice, th_msg *msg)
{
    if (msg->thi_block == 0) {
        thi_memory_give(heap->memory, msg, sizeof(*msg) + msg->thi_size);
        return;
    }
    if (voice)
        thi_voice_enter(voice);
    thi_heap_give(heap, msg, msg->thi_block);
    if (voice)
        thi_voice_leave(voice);
}

/* @voice: whose lock guards @heap, or NULL. */
static void destroy(struct thi_heap *heap, struct thi_voice *voice, th_msg *msg)
{
    th_msg *waiting = msg;

    msg->thi_next = NULL;
    while ((msg = waiting)) {
        th_msg *root = thi_msg_root(msg);

        waiting = msg->thi_next;
        /* Alone, the count needs no write. Else:
         * release: our last reads of the body come before the last sharer's free.
         * acquire: the last sharer frees after everybody's reads. Each pairs with the other
         *          sharers' own, and with the load in thi_msg_is_shared(). */
        if (!thi_msg_is_shared(msg) ||
            atomic_fetch_sub_explicit(thi_msg_refs(root), 1, memory_order_acq_rel) == 1) {
            release_body(msg, &waiting);
            if (root != msg)
                free_block(heap, voice, root);
            free_block(heap, voice, msg);
        } else if (root != msg) {
            free_block(heap, voice, msg);
        }
    }
}

void thi_msg_destroy_slow(struct thi_heap *heap, th_msg *msg)
{
    destroy(heap, NULL, msg);
}

void th_msg_destroy(th_self *self, th_msg *msg)
{
    struct thi_voice *voice = thi_voice_of(self);

    if (voice && msg)
        destroy(voice->heap, voice, msg);
}
