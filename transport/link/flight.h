/* transport/link/flight.h: what is on its way: every numbered frame that is not acknowledged.
 *
 * A ring of records by number. A record says how its frame is made again, not the frame: the bytes
 * of a small message are encoded anew if they are sent again, which is seldom, and cost nothing
 * until then.
 *
 *     acked          sent                      last
 *       |  on its way  |  to be sent (again)     |
 *
 * F1. acked <= sent <= last. Numbers up to acked are settled and have no record.
 * F2. A record owns what it points to: the message; of a transfer the last piece does. */
#ifndef THI_LINK_FLIGHT_H
#define THI_LINK_FLIGHT_H

#include <stdbool.h>

#include "mailbox/msg.h"

struct thi_transfer;

enum thi_flight_kind { THI_FLIGHT_TYPE, THI_FLIGHT_WHOLE, THI_FLIGHT_PIECE };

struct thi_flight {
    union {
        const th_type *type;
        th_msg *msg;
        struct thi_transfer *transfer;
    };
    uint32_t kind; /* enum thi_flight_kind */
    uint32_t code; /* the type's number on this link; of a piece where it begins */
    uint32_t size; /* bytes of its frame, about */
};

struct thi_flights {
    struct thi_memory *memory;
    struct thi_flight *ring;
    uint32_t room;  /* a power of two, or 0 */
    uint64_t bytes; /* of all records */
    uint64_t acked;
    uint64_t sent; /* on the connection that is open */
    uint64_t last;
};

void thi_flights_init(struct thi_flights *flights, struct thi_memory *memory);
/* Nothing may be on its way. */
void thi_flights_fini(struct thi_flights *flights);

/* A record for the next number, to be filled in; NULL: no memory. */
struct thi_flight *thi_flights_add(struct thi_flights *flights, uint32_t size);

/* Says what the last one weighs in fact; takes it back, which leaves what it points to alone. It
 * was not written. */
void thi_flights_weigh(struct thi_flights *flights, uint32_t size);
void thi_flights_undo(struct thi_flights *flights);

/* The oldest record [lend until the next call], now settled; NULL: none is left. */
struct thi_flight *thi_flights_settle(struct thi_flights *flights);

/* Numbers begin at 1 again. Nothing may be on its way. */
void thi_flights_restart(struct thi_flights *flights);

static inline struct thi_flight *thi_flights_at(struct thi_flights *flights, uint64_t number)
{
    return &flights->ring[number & (flights->room - 1)];
}

static inline uint64_t thi_flights_count(const struct thi_flights *flights)
{
    return flights->last - flights->acked;
}

#endif
