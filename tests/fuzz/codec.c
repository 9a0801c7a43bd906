/* codec.c: bodies of messages. The first byte is the type's number in the vectors' session, the
 * rest the body. What was taken is a message like any other: it can be sent on, and arrives the
 * same. */
#include "target.h"

#include <string.h>

#include "../support/vectors.h"
#include "transport/wire/codec.h"

#define MEMORY_MAX (256u * 1024)

struct room {
    struct thi_memory memory;
    struct thi_depot depot;
    struct thi_heap heap;
    struct thi_types types;
};

static void open_room(struct room *room)
{
    DEMAND(thi_memory_init(&room->memory, NULL, 0) == TH_OK);
    thi_depot_init(&room->depot, &room->memory);
    thi_heap_init(&room->heap, &room->memory, &room->depot);
    thi_types_init(&room->types, &room->memory, vector_type, NULL);
    DEMAND(vector_session(&room->types));
}

static void close_room(struct room *room)
{
    thi_types_fini(&room->types);
    thi_heap_fini(&room->heap);
    DEMAND(thi_depot_fini(&room->depot) == 0);
    DEMAND(thi_memory_fini(&room->memory) == 0);
}

static th_msg *decode(struct room *room, const th_type *type, const uint8_t *bytes, size_t size)
{
    struct thi_fault fault = { "" };
    th_msg *msg = NULL;
    th_err err =
        thi_codec_decode(&room->types, type, bytes, size, MEMORY_MAX, &room->heap, &msg, &fault);

    if (err == TH_OK)
        return msg;
    DEMAND(err == TH_E_PARSE || err == TH_E_LIMIT);
    DEMAND(fault.words[0] && thi_text_is_plain(fault.words, strlen(fault.words)));
    return NULL;
}

/* Encodes @msg to @at; it is never longer than the spelling it came in. */
static size_t encode(struct room *room, const th_msg *msg, uint8_t *at, size_t least)
{
    struct thi_fault fault;
    size_t size = 0;

    DEMAND(thi_codec_encode(&room->types, msg, at, least, &size, &fault) == TH_OK);
    DEMAND(size <= least);
    return size;
}

static void there_and_back(struct room *room, th_msg *msg, size_t size)
{
    static char text[4096];
    uint8_t *once = malloc(size), *twice = malloc(size);
    size_t once_size, twice_size;
    th_msg *again;

    DEMAND(once && twice);
    th_msg_describe(msg, text, sizeof(text));
    once_size = encode(room, msg, once, size);
    again = decode(room, msg->thi_type, once, once_size);
    DEMAND(again);
    twice_size = encode(room, again, twice, once_size);
    DEMAND(once_size == twice_size && memcmp(once, twice, once_size) == 0);
    thi_msg_destroy(&room->heap, again);
    free(once);
    free(twice);
}

static void look_at(struct room *room, const th_type *type, const uint8_t *bytes, size_t size)
{
    uint64_t before = thi_memory_bytes(&room->memory);
    th_msg *msg = decode(room, type, bytes, size);

    /* a heap takes slabs, not blocks: one more than the message's own bytes */
    DEMAND(thi_memory_bytes(&room->memory) <= before + 2 * MEMORY_MAX);
    if (msg)
        there_and_back(room, msg, size);
    thi_msg_destroy(&room->heap, msg);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    enum { RUNS = 8 }; /* a room costs more than a run; what leaked is noticed when it closes */
    static struct room room;
    static unsigned runs;
    struct thi_fault fault;
    const th_type *type;

    if (size == 0)
        return 0;
    if (runs++ % RUNS == 0)
        open_room(&room);
    type = thi_types_find(&room.types, bytes[0], &fault);
    if (type)
        look_at(&room, type, bytes + 1, size - 1);
    if (runs % RUNS == 0)
        close_room(&room);
    return 0;
}
