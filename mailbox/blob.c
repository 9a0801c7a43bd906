/* blob.c: shared immutable buffers.
 *
 * A blob knows its memory, not a heap: it may lose its last owner on any thread, at any time the
 * system lives. It is header, data and a NUL in one piece. */
#include <stdatomic.h>
#include <string.h>

#include <thespis/alloc.h>

#include "mailbox/alloc.h"
#include "mailbox/voice.h"

struct thi_blob {
    th_blob front; /* what the user sees; first, so that one pointer is both */
    struct thi_memory *memory;
    _Atomic uint32_t owners;
};

static struct thi_blob *blob_of(th_blob *front)
{
    return (struct thi_blob *)(void *)front;
}

th_blob *th_blob_reserve(th_self *self, size_t size, char **data_out)
{
    struct thi_voice *voice = thi_voice_of(self);
    struct thi_blob *blob;
    char *data;

    if (!voice || !data_out || size > PTRDIFF_MAX - sizeof(*blob) - 1)
        return NULL;
    blob = thi_memory_take_raw(voice->heap->memory, sizeof(*blob) + size + 1);
    if (!blob)
        return NULL;
    data = (char *)(blob + 1);
    data[size] = '\0';
    blob->front.data = data;
    blob->front.size = size;
    blob->memory = voice->heap->memory;
    /* relaxed: nobody else has it yet; what hands it on publishes it */
    atomic_init(&blob->owners, 1);
    *data_out = data;
    return &blob->front;
}

th_blob *th_blob_create(th_self *self, const void *data, size_t size)
{
    th_blob *blob;
    char *room;

    if (!data && size > 0)
        return NULL;
    blob = th_blob_reserve(self, size, &room);
    if (blob && size > 0)
        memcpy(room, data, size);
    return blob;
}

th_blob *th_blob_text(th_self *self, const char *text)
{
    return text ? th_blob_create(self, text, strlen(text)) : NULL;
}

th_blob *th_blob_ref(th_blob *blob)
{
    /* relaxed: who refs is an owner, so the count is not zero and the buffer not going */
    if (blob)
        atomic_fetch_add_explicit(&blob_of(blob)->owners, 1, memory_order_relaxed);
    return blob;
}

void th_blob_unref(th_blob *front)
{
    struct thi_blob *blob;

    if (!front)
        return;
    blob = blob_of(front);
    /* release: our last reads come before the last owner's free.
     * acquire: the last owner frees after everybody's reads. Each pairs with the other owners'
     *          own unref; one operation is both because nobody knows beforehand who is last. */
    if (atomic_fetch_sub_explicit(&blob->owners, 1, memory_order_acq_rel) == 1)
        thi_memory_give(blob->memory, blob, sizeof(*blob) + blob->front.size + 1);
}
