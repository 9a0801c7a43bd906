#include "transport/link/flight.h"

#include <string.h>

#define ROOM_LEAST 16

void thi_flights_init(struct thi_flights *flights, struct thi_memory *memory)
{
    memset(flights, 0, sizeof(*flights));
    flights->memory = memory;
}

static void give_ring(struct thi_flights *flights)
{
    thi_memory_give(flights->memory, flights->ring, flights->room * sizeof(*flights->ring));
    flights->ring = NULL;
    flights->room = 0;
}

void thi_flights_fini(struct thi_flights *flights)
{
    TH_ASSERT(thi_flights_count(flights) == 0);
    give_ring(flights);
}

/* Twice the room, each record where its number puts it. */
static bool grow(struct thi_flights *flights)
{
    uint32_t room = flights->room ? flights->room * 2 : ROOM_LEAST;
    struct thi_flight *ring = thi_memory_take_raw(flights->memory, room * sizeof(*ring));
    uint64_t number;

    if (!ring)
        return false;
    for (number = flights->acked + 1; number <= flights->last; number++)
        ring[number & (room - 1)] = *thi_flights_at(flights, number);
    give_ring(flights);
    flights->ring = ring;
    flights->room = room;
    return true;
}

struct thi_flight *thi_flights_add(struct thi_flights *flights, uint32_t size)
{
    struct thi_flight *flight;

    if (thi_flights_count(flights) == flights->room && !grow(flights))
        return NULL;
    flights->last++;
    flights->bytes += size;
    flight = thi_flights_at(flights, flights->last);
    memset(flight, 0, sizeof(*flight));
    flight->size = size;
    return flight;
}

void thi_flights_weigh(struct thi_flights *flights, uint32_t size)
{
    struct thi_flight *flight = thi_flights_at(flights, flights->last);

    flights->bytes = flights->bytes - flight->size + size;
    flight->size = size;
}

void thi_flights_undo(struct thi_flights *flights)
{
    TH_ASSERT(flights->sent < flights->last && flights->acked < flights->last);
    thi_flights_weigh(flights, 0);
    flights->last--;
}

struct thi_flight *thi_flights_settle(struct thi_flights *flights)
{
    struct thi_flight *flight;

    if (thi_flights_count(flights) == 0)
        return NULL;
    flight = thi_flights_at(flights, ++flights->acked);
    flights->bytes -= flight->size;
    if (flights->sent < flights->acked)
        flights->sent = flights->acked; /* it had come, but we did not know */
    return flight;
}

void thi_flights_restart(struct thi_flights *flights)
{
    TH_ASSERT(thi_flights_count(flights) == 0);
    flights->acked = flights->sent = flights->last = 0;
}
