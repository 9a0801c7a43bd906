/* tests of transport/wire/types.h and shape.h */
#include "../../mailbox/mailroom.h"

#include <stdio.h>

#include <thespis/msg.h>

#include "transport/wire/shape.h"
#include "transport/wire/types.h"

#define POINT_FIELDS(F, S) F(S, i32, x) F(S, i32, y)
TH_MESSAGE(point, POINT_FIELDS);
TH_MESSAGE_TYPE(point, POINT_FIELDS)

TH_SIGNAL(stop);
TH_SIGNAL_TYPE(stop)

#define LINE_FIELDS(F, S)                                                                          \
    F(S, chars, name, 16)                                                                          \
    F(S, nested, point, from) F(S, nesteds, point, over, 3) F(S, array, addr, hops, 4)
TH_MESSAGE(line, LINE_FIELDS);
TH_MESSAGE_TYPE_AS(line, LINE_FIELDS, TH_TYPE_REST, NULL)

struct handle {
    int number;
};
TH_MESSAGE_LOCAL(handle);
TH_MESSAGE_LOCAL_TYPE(handle, NULL)

/* Of the same name as point, and another shape. */
static const th_field other_fields[] = { { "x", TH_KIND_i64, 0, 1, 8, NULL } };
static const th_type other_point = { "point", NULL, other_fields, 1, 8, 0, NULL, NULL };

static const th_type *known[4];

static const th_type *find(void *host, const char *name)
{
    size_t i;

    for (i = 0; i < 4; i++) {
        if (known[i] && strcmp(known[i]->name, name) == 0)
            return known[i];
    }
    return NULL;
}

struct session {
    struct mailroom room;
    struct thi_types types;
    struct thi_fault fault;
};

static void open_session(struct session *session)
{
    memset(known, 0, sizeof(known));
    mailroom_open(&session->room, 0);
    thi_types_init(&session->types, &session->room.memory, find, NULL);
}

static void close_session(struct session *session)
{
    thi_types_fini(&session->types);
    mailroom_close(&session->room);
}

static th_err learn(struct session *session, uint32_t number, const char *name, const char *shape)
{
    struct thi_frame_type said = {
        .number = 1, .type = number, .name = thi_text_of(name), .shape = thi_text_of(shape)
    };

    return thi_types_learn(&session->types, &said, &session->fault);
}

/* ---- shapes ---- */

Test(shape, is_the_table_as_text)
{
    static const char line_shape[] =
        "{name:chars[16],from:{x:i32,y:i32},over:{x:i32,y:i32}[3],hops:addr[4]}+";
    char text[128];
    size_t room;

    cr_assert_eq(thi_shape_write(&point_type, text, sizeof(text)), strlen("{x:i32,y:i32}"));
    cr_assert_str_eq(text, "{x:i32,y:i32}");
    thi_shape_write(&stop_type, text, sizeof(text));
    cr_assert_str_eq(text, "{}");
    for (room = 1; room < sizeof(text); room++) {
        cr_assert_eq(thi_shape_write(&line_type, text, room), strlen(line_shape));
        cr_assert_eq(strncmp(text, line_shape, room - 1), 0);
        cr_assert_eq(text[room - 1 < strlen(line_shape) ? room - 1 : strlen(line_shape)], '\0');
    }
}

/* ---- ours ---- */

Test(types, are_numbered_in_the_order_of_their_first_use)
{
    struct session session;
    struct thi_frame_type said;
    uint32_t number = 0;
    int round;

    open_session(&session);
    cr_assert(!thi_types_news(&session.types, &said));
    for (round = 0; round < 2; round++) {
        cr_assert_eq(thi_types_number(&session.types, &stop_type, &number, &session.fault), TH_OK);
        cr_assert_eq(number, 1);
        cr_assert_eq(thi_types_number(&session.types, &point_type, &number, &session.fault), TH_OK);
        cr_assert_eq(number, 2);
    }
    cr_assert(thi_types_news(&session.types, &said));
    cr_assert_eq(said.type, 1);
    thi_types_told(&session.types);
    cr_assert(thi_types_news(&session.types, &said));
    cr_assert_eq(said.type, 2);
    cr_assert_eq(said.shape.size, strlen("{x:i32,y:i32}"));
    cr_assert_arr_eq(said.shape.at, "{x:i32,y:i32}", said.shape.size);
    cr_assert_arr_eq(said.name.at, "point", said.name.size);
    thi_types_told(&session.types);
    cr_assert(!thi_types_news(&session.types, &said));

    thi_types_reset(&session.types);
    cr_assert_eq(thi_types_number(&session.types, &point_type, &number, &session.fault), TH_OK);
    cr_assert_eq(number, 1, "a new session begins anew");
    close_session(&session);
}

Test(types, that_cannot_travel_are_refused_by_name)
{
    static const th_field broken_fields[] = { { "x", TH_KIND_i32, 2, 1, 4, NULL } };
    static const th_type broken = { "broken", NULL, broken_fields, 1, 8, 0, NULL, NULL };
    static const th_field bell_fields[] = { { "x\a", TH_KIND_i32, 0, 1, 4, NULL } };
    static const th_type bell = { "bell", NULL, bell_fields, 1, 4, 0, NULL, NULL };
    struct session session;
    uint32_t number = 0;

    open_session(&session);
    cr_assert_eq(thi_types_number(&session.types, &handle_type, &number, &session.fault),
                 TH_E_NOT_ALLOWED);
    cr_assert_str_eq(session.fault.words,
                     "type handle has no field table, so it never leaves its system");
    cr_assert_eq(thi_types_number(&session.types, &broken, &number, &session.fault), TH_E_INVALID);
    cr_assert_str_eq(session.fault.words, "type broken: its table is broken");
    cr_assert_eq(thi_types_number(&session.types, NULL, &number, &session.fault), TH_E_INVALID);
    cr_assert_eq(thi_types_number(&session.types, &bell, &number, &session.fault), TH_E_INVALID);
    cr_assert_str_eq(session.fault.words, "type bell: a name in it is no plain text");
    cr_assert_eq(thi_types_number(&session.types, &point_type, &number, &session.fault), TH_OK);
    cr_assert_eq(number, 1, "a number was spent on one that was refused");
    close_session(&session);
}

/* More types than any program has; each finds its number again. */
static th_type many[TH_WIRE_TYPES_MAX + 1];
static char names[TH_WIRE_TYPES_MAX + 1][8];

Test(types, are_found_again_up_to_their_limit_and_no_further)
{
    struct session session;
    uint32_t number = 0, i;
    int round;

    open_session(&session);
    for (i = 0; i <= TH_WIRE_TYPES_MAX; i++) {
        snprintf(names[i], sizeof(names[i]), "t%u", (unsigned)i);
        many[i] = stop_type;
        many[i].name = names[i];
    }
    for (round = 0; round < 2; round++) {
        for (i = 0; i < TH_WIRE_TYPES_MAX; i++) {
            cr_assert_eq(thi_types_number(&session.types, &many[i], &number, &session.fault),
                         TH_OK);
            cr_assert_eq(number, i + 1);
        }
    }
    cr_assert_eq(thi_types_number(&session.types, &many[i], &number, &session.fault), TH_E_LIMIT);
    close_session(&session);
}

/* ---- the peer's ---- */

Test(types, of_the_peer_are_ours_when_name_and_shape_are)
{
    struct session session;

    open_session(&session);
    known[0] = &point_type;
    known[1] = &stop_type;
    cr_assert_eq(learn(&session, 1, "point", "{x:i32,y:i32}"), TH_OK);
    cr_assert_eq(learn(&session, 2, "stop", "{}"), TH_OK);
    cr_assert_eq(thi_types_find(&session.types, 1, &session.fault), &point_type);
    cr_assert_eq(thi_types_find(&session.types, 2, &session.fault), &stop_type);
    cr_assert_null(thi_types_find(&session.types, 3, &session.fault));
    cr_assert_str_eq(session.fault.words, "type 3 was never announced");
    cr_assert_null(thi_types_find(&session.types, 0, &session.fault));
    close_session(&session);
}

Test(types, of_another_shape_are_told_with_both)
{
    struct session session;

    open_session(&session);
    known[0] = &other_point;
    known[1] = &handle_type;
    cr_assert_eq(learn(&session, 1, "point", "{x:i32,y:i32}"), TH_OK);
    cr_assert_null(thi_types_find(&session.types, 1, &session.fault));
    cr_assert_str_eq(session.fault.words, "type point has another shape: the sender's is "
                                          "{x:i32,y:i32}, the receiver's {x:i64}");
    cr_assert_eq(learn(&session, 2, "handle", "{number:i32}"), TH_OK);
    cr_assert_eq(learn(&session, 3, "point", "{y:i64}"), TH_OK);
    cr_assert_null(thi_types_find(&session.types, 3, &session.fault), "of the same length");
    cr_assert_null(thi_types_find(&session.types, 2, &session.fault));
    cr_assert_str_eq(session.fault.words, "type handle has no field table here");
    close_session(&session);
}

Test(types, that_are_registered_later_are_found_later)
{
    struct session session;

    open_session(&session);
    cr_assert_eq(learn(&session, 1, "point", "{x:i32,y:i32}"), TH_OK);
    cr_assert_null(thi_types_find(&session.types, 1, &session.fault));
    cr_assert_str_eq(session.fault.words, "type point is not known here");
    known[0] = &point_type;
    cr_assert_eq(thi_types_find(&session.types, 1, &session.fault), &point_type);
    known[0] = NULL;
    cr_assert_eq(thi_types_find(&session.types, 1, &session.fault), &point_type);
    close_session(&session);
}

Test(types, out_of_their_turn_end_the_connection)
{
    struct session session;

    open_session(&session);
    cr_assert_eq(learn(&session, 2, "stop", "{}"), TH_E_INVALID);
    cr_assert_str_eq(session.fault.words, "TYPE: type 2 where 1 is next");
    cr_assert_eq(learn(&session, 1, "stop", "{}"), TH_OK);
    cr_assert_eq(learn(&session, 1, "stop", "{}"), TH_E_INVALID);
    close_session(&session);
}

Test(types, of_a_peer_without_end_end_the_connection)
{
    static char shape[TH_WIRE_SHAPE_MAX + 1];
    struct session session;
    uint32_t i;
    th_err err = TH_OK;

    open_session(&session);
    known[0] = &stop_type;
    for (i = 1; i <= TH_WIRE_TYPES_MAX; i++)
        cr_assert_eq(learn(&session, i, "stop", "{}"), TH_OK);
    cr_assert_eq(learn(&session, i, "stop", "{}"), TH_E_LIMIT);

    thi_types_reset(&session.types);
    memset(shape, 'x', TH_WIRE_SHAPE_MAX);
    for (i = 1; err == TH_OK; i++)
        err = learn(&session, i, "big", shape);
    cr_assert_eq(err, TH_E_LIMIT);
    cr_assert_leq(thi_memory_bytes(&session.room.memory),
                  TH_WIRE_TYPES_BYTES_MAX + 512 * (uint64_t)1024);
    /* what has become known makes room again */
    known[0] = NULL;
    thi_types_reset(&session.types);
    cr_assert_eq(learn(&session, 1, "big", shape), TH_OK);
    close_session(&session);
}

/* ---- without memory ---- */

Test(types, survive_every_lack_of_memory)
{
    struct session session;
    struct thi_frame_type said;
    uint32_t number = 0, i;
    unsigned nth;
    bool done = false;

    open_session(&session);
    known[0] = &point_type;
    for (i = 0; i < 40; i++) {
        many[i] = stop_type;
        many[i].name = "t";
    }
    for (nth = 1; !done; nth++) {
        cr_assert_lt(nth, 1000);
        thi_memory_inject(&session.room.memory, nth, false);
        done = true;
        for (i = 0; i < 40 && done; i++)
            done = thi_types_number(&session.types, &many[i], &number, &session.fault) == TH_OK;
        for (i = 1; i < 40 && done; i++)
            done = learn(&session, i, i % 2 ? "point" : "other", "{x:i32,y:i32}") == TH_OK;
        thi_memory_inject(&session.room.memory, 0, false);
        while (thi_types_news(&session.types, &said))
            thi_types_told(&session.types);
        thi_types_reset(&session.types);
    }
    cr_assert_gt(nth, 10);
    close_session(&session);
}
