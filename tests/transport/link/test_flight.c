/* tests of transport/link/flight.c */
#include "tests/mailbox/mailroom.h"

#include "transport/link/flight.h"

static void add(struct thi_flights *flights, uint32_t code)
{
    struct thi_flight *flight = thi_flights_add(flights, 10);

    cr_assert_not_null(flight);
    flight->code = code;
}

Test(flight, records_are_found_by_number_however_the_ring_grows)
{
    struct mailroom room;
    struct thi_flights flights;
    uint32_t next = 1, oldest = 1, round;

    mailroom_open(&room, 0);
    thi_flights_init(&flights, &room.memory);
    for (round = 0; round < 100; round++) {
        uint32_t i;

        for (i = 0; i < round; i++)
            add(&flights, next++);
        for (i = oldest; i < next; i++)
            cr_assert_eq(thi_flights_at(&flights, i)->code, i);
        cr_assert_eq(flights.bytes, 10 * thi_flights_count(&flights));
        for (i = 0; i < round - round / 8; i++)
            cr_assert_eq(thi_flights_settle(&flights)->code, oldest++);
    }
    while (thi_flights_settle(&flights))
        oldest++;
    cr_assert_eq(oldest, next);
    cr_assert_eq(flights.bytes, 0);
    thi_flights_fini(&flights);
    mailroom_close(&room);
}

Test(flight, what_is_settled_was_sent)
{
    struct mailroom room;
    struct thi_flights flights;

    mailroom_open(&room, 0);
    thi_flights_init(&flights, &room.memory);
    add(&flights, 1);
    add(&flights, 2);
    thi_flights_settle(&flights);
    cr_assert_eq(flights.sent, 1); /* F1: never below acked */
    flights.sent = 2;
    thi_flights_settle(&flights);
    cr_assert_eq(flights.sent, 2);
    thi_flights_restart(&flights);
    cr_assert_eq(flights.last, 0);
    thi_flights_fini(&flights);
    mailroom_close(&room);
}

Test(flight, the_last_can_be_weighed_and_taken_back)
{
    struct mailroom room;
    struct thi_flights flights;

    mailroom_open(&room, 0);
    thi_flights_init(&flights, &room.memory);
    add(&flights, 1);
    thi_flights_weigh(&flights, 300);
    cr_assert_eq(flights.bytes, 300);
    add(&flights, 2);
    thi_flights_undo(&flights);
    cr_assert_eq(flights.last, 1);
    cr_assert_eq(flights.bytes, 300);
    thi_flights_settle(&flights);
    thi_flights_fini(&flights);
    mailroom_close(&room);
}

Test(flight, without_memory_there_is_no_record_and_nothing_is_lost)
{
    struct mailroom room;
    struct thi_flights flights;
    uint32_t i;

    mailroom_open(&room, 0);
    thi_flights_init(&flights, &room.memory);
    for (i = 1; i <= 16; i++)
        add(&flights, i);
    thi_memory_inject(&room.memory, 1, false);
    cr_assert_null(thi_flights_add(&flights, 10));
    cr_assert_eq(thi_flights_count(&flights), 16);
    add(&flights, 17);
    for (i = 1; i <= 17; i++)
        cr_assert_eq(thi_flights_settle(&flights)->code, i);
    thi_flights_fini(&flights);
    mailroom_close(&room);
}
