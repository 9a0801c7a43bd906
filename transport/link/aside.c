#include "transport/link/aside.h"

#include <string.h>

#define ROOM_LEAST 8

_Static_assert((TH_LINK_ASIDE_MAX & (TH_LINK_ASIDE_MAX - 1)) == 0, "the ring's room is a power");

void thi_aside_init(struct thi_aside *aside, struct thi_memory *memory)
{
    memset(aside, 0, sizeof(*aside));
    aside->memory = memory;
}

void thi_aside_fini(struct thi_aside *aside)
{
    TH_ASSERT(aside->count == 0);
    thi_memory_give(aside->memory, aside->ring, aside->room * sizeof(*aside->ring));
    aside->ring = NULL;
    aside->room = 0;
}

static bool grow(struct thi_aside *aside)
{
    uint32_t room = aside->room ? aside->room * 2 : ROOM_LEAST;
    struct thi_aside_place *ring = thi_memory_take_raw(aside->memory, room * sizeof(*ring));
    uint32_t i;

    if (!ring)
        return false;
    for (i = 0; i < aside->places; i++)
        ring[i] = *thi_aside_at(aside, i);
    thi_memory_give(aside->memory, aside->ring, aside->room * sizeof(*ring));
    aside->ring = ring;
    aside->room = room;
    aside->begin = 0;
    return true;
}

bool thi_aside_put(struct thi_aside *aside, th_msg *msg, uint32_t size, uint64_t until)
{
    struct thi_aside_place *place;

    TH_ASSERT(!thi_aside_is_full(aside));
    if (aside->places == aside->room && !grow(aside))
        return false;
    place = thi_aside_at(aside, aside->places);
    place->msg = msg;
    place->size = size;
    place->until = until;
    aside->places++;
    aside->count++;
    aside->large += size > 0;
    return true;
}

void thi_aside_weigh(struct thi_aside *aside, uint32_t index, uint32_t size)
{
    struct thi_aside_place *place = thi_aside_at(aside, index);

    aside->large += place->size == 0;
    place->size = size;
}

th_msg *thi_aside_take(struct thi_aside *aside, uint32_t index)
{
    struct thi_aside_place *place = thi_aside_at(aside, index);
    th_msg *msg = place->msg;

    aside->large -= place->size > 0;
    aside->count--;
    place->msg = NULL;
    while (aside->places > 0 && !thi_aside_at(aside, 0)->msg) {
        aside->begin = (aside->begin + 1) & (aside->room - 1);
        aside->places--;
    }
    return msg;
}
