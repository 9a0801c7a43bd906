#include "transport/link/spool.h"

#include <string.h>

#include <thespis/config.h>

struct thi_spool_chunk {
    struct thi_spool_chunk *next;
    size_t begin; /* what comes before is written */
    size_t end;
    uint8_t bytes[TH_LINK_CHUNK_SIZE];
};

void thi_spool_init(struct thi_spool *spool, struct thi_memory *memory)
{
    memset(spool, 0, sizeof(*spool));
    spool->memory = memory;
}

void thi_spool_fini(struct thi_spool *spool)
{
    while (spool->first) {
        struct thi_spool_chunk *chunk = spool->first;

        spool->first = chunk->next;
        thi_memory_give(spool->memory, chunk, sizeof(*chunk));
    }
    spool->last = NULL;
    spool->size = 0;
}

uint8_t *thi_spool_room(struct thi_spool *spool, size_t least, size_t *room_out)
{
    struct thi_spool_chunk *chunk = spool->last;

    TH_ASSERT(least <= sizeof(chunk->bytes));
    if (!chunk || sizeof(chunk->bytes) - chunk->end < least) {
        chunk = thi_memory_take_raw(spool->memory, sizeof(*chunk));
        if (!chunk)
            return NULL;
        chunk->next = NULL;
        chunk->begin = chunk->end = 0;
        if (spool->last)
            spool->last->next = chunk;
        else
            spool->first = chunk;
        spool->last = chunk;
    }
    *room_out = sizeof(chunk->bytes) - chunk->end;
    return chunk->bytes + chunk->end;
}

void thi_spool_wrote(struct thi_spool *spool, size_t size)
{
    spool->last->end += size;
    spool->size += size;
}

unsigned thi_spool_pull(const struct thi_spool *spool, struct iovec *pieces, unsigned count)
{
    struct thi_spool_chunk *chunk;
    unsigned used = 0;

    for (chunk = spool->first; chunk && used < count; chunk = chunk->next) {
        if (chunk->end == chunk->begin)
            continue;
        pieces[used].iov_base = chunk->bytes + chunk->begin;
        pieces[used].iov_len = chunk->end - chunk->begin;
        used++;
    }
    return used;
}

void thi_spool_pulled(struct thi_spool *spool, size_t size)
{
    TH_ASSERT(size <= spool->size);
    spool->size -= size;
    while (spool->first) {
        struct thi_spool_chunk *chunk = spool->first;
        size_t here = chunk->end - chunk->begin;

        if (size < here) {
            chunk->begin += size;
            return;
        }
        size -= here;
        spool->first = chunk->next;
        thi_memory_give(spool->memory, chunk, sizeof(*chunk));
    }
    spool->last = NULL;
}
