/* tests of transport/wire/codec.h: what the vectors do not say: limits, depth, size, memory */
#include "../../mailbox/mailroom.h"

#include <stdlib.h>

#include "transport/wire/codec.h"

#define POINT_FIELDS(F, S) F(S, i32, x) F(S, i32, y)
TH_MESSAGE(point, POINT_FIELDS);
TH_MESSAGE_TYPE(point, POINT_FIELDS)

#define FILE_FIELDS(F, S) F(S, u64, id)
TH_MESSAGE(file, FILE_FIELDS);
TH_MESSAGE_TYPE_AS(file, FILE_FIELDS, TH_TYPE_REST, NULL)

#define WRAP_FIELDS(F, S) F(S, msg, inner) F(S, str, text) F(S, bytes, data)
TH_MESSAGE(wrap, WRAP_FIELDS);
TH_MESSAGE_TYPE(wrap, WRAP_FIELDS)

#define CARD_FIELDS(F, S) F(S, chars, name, 4) F(S, bool_, good)
TH_MESSAGE(card, CARD_FIELDS);
TH_MESSAGE_TYPE(card, CARD_FIELDS)

struct handle {
    int number;
};
TH_MESSAGE_LOCAL(handle);
TH_MESSAGE_LOCAL_TYPE(handle, NULL)

static const th_type *find(void *host, const char *name)
{
    static const th_type *const all[] = { &point_type, &file_type, &wrap_type, &card_type };
    size_t i;

    for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (strcmp(all[i]->name, name) == 0)
            return all[i];
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
    mailroom_open(&session->room, 0);
    thi_types_init(&session->types, &session->room.memory, find, NULL);
}

static void close_session(struct session *session)
{
    thi_types_fini(&session->types);
    mailroom_close(&session->room);
}

static th_self *self_of(struct session *session)
{
    return mailroom_self(&session->room);
}

/* What was numbered is announced to ourselves. */
static void announce(struct session *session)
{
    struct thi_frame_type said;

    while (thi_types_news(&session->types, &said)) {
        cr_assert_eq(thi_types_learn(&session->types, &said, &session->fault), TH_OK);
        thi_types_told(&session->types);
    }
}

static th_err encode(struct session *session, const th_msg *msg, void *at, size_t room,
                     size_t *size_out)
{
    session->fault.words[0] = '\0';
    return thi_codec_encode(&session->types, msg, at, room, size_out, &session->fault);
}

static th_err decode(struct session *session, const th_type *type, const void *bytes, size_t size,
                     uint64_t memory_max, th_msg **msg_out)
{
    session->fault.words[0] = '\0';
    return thi_codec_decode(&session->types, type, bytes, size, memory_max, &session->room.heap,
                            msg_out, &session->fault);
}

/* ---- what cannot be sent ---- */

Test(codec, names_the_type_that_never_leaves_its_system)
{
    struct session session;
    struct wrap *wrap;
    unsigned char bytes[64];
    size_t size;
    th_msg *msg;

    open_session(&session);
    msg = th_msg_create(self_of(&session), &handle_type);
    cr_assert_eq(encode(&session, msg, bytes, sizeof(bytes), &size), TH_E_NOT_ALLOWED);
    cr_assert_str_eq(session.fault.words,
                     "type handle has no field table, so it never leaves its system");
    th_msg_destroy(self_of(&session), msg);

    msg = wrap_new(self_of(&session), &wrap);
    wrap->inner = th_msg_create(self_of(&session), &handle_type);
    cr_assert_eq(encode(&session, msg, bytes, sizeof(bytes), &size), TH_E_NOT_ALLOWED);
    cr_assert_str_eq(session.fault.words,
                     "wrap: inner: type handle has no field table, so it never leaves its system");
    th_msg_destroy(self_of(&session), msg);
    close_session(&session);
}

Test(codec, does_not_send_chars_without_an_end)
{
    struct session session;
    struct card *card;
    unsigned char bytes[64];
    size_t size;
    th_msg *msg;

    open_session(&session);
    msg = card_new(self_of(&session), &card);
    memcpy(card->name, "four", 4);
    cr_assert_eq(encode(&session, msg, bytes, sizeof(bytes), &size), TH_E_INVALID);
    cr_assert_str_eq(session.fault.words, "card: name: no NUL within its 4 bytes");
    th_msg_destroy(self_of(&session), msg);
    close_session(&session);
}

/* A bool whose byte is neither 0 nor 1 travels as true, and is 1 there. */
Test(codec, makes_a_bool_of_any_byte)
{
    struct session session;
    struct card *card;
    unsigned char bytes[64];
    unsigned char truth = 0x40;
    size_t size;
    th_msg *msg;

    open_session(&session);
    msg = card_new(self_of(&session), &card);
    memcpy(&card->good, &truth, 1);
    cr_assert_eq(encode(&session, msg, bytes, sizeof(bytes), &size), TH_OK);
    th_msg_destroy(self_of(&session), msg);
    cr_assert_eq(decode(&session, &card_type, bytes, size, 4096, &msg), TH_OK);
    memcpy(&truth, &card_of(msg)->good, 1);
    cr_assert_eq(truth, 1);
    th_msg_destroy(self_of(&session), msg);
    close_session(&session);
}

/* ---- depth ---- */

/* @depth messages, each in the next. */
static th_msg *nest(struct session *session, unsigned depth)
{
    th_msg *msg = NULL;

    while (depth-- > 0) {
        struct wrap *wrap;
        th_msg *outer = wrap_new(self_of(session), &wrap);

        wrap->inner = msg;
        msg = outer;
    }
    return msg;
}

Test(codec, nests_as_deep_as_the_limit_and_no_deeper)
{
    struct session session;
    unsigned char bytes[4096];
    size_t size;
    th_msg *msg, *back = NULL;

    open_session(&session);
    msg = nest(&session, TH_NESTING_MAX + 1);
    cr_assert_eq(encode(&session, msg, bytes, sizeof(bytes), &size), TH_OK);
    announce(&session);
    cr_assert_eq(decode(&session, &wrap_type, bytes, size, 65536, &back), TH_OK, "%s",
                 session.fault.words);
    th_msg_destroy(self_of(&session), back);
    th_msg_destroy(self_of(&session), msg);

    msg = nest(&session, TH_NESTING_MAX + 2);
    cr_assert_eq(encode(&session, msg, bytes, sizeof(bytes), &size), TH_E_TOO_BIG);
    th_msg_destroy(self_of(&session), msg);
    msg = nest(&session, 100000); /* no recursion as deep as memory goes */
    cr_assert_eq(encode(&session, msg, bytes, sizeof(bytes), &size), TH_E_TOO_BIG);
    th_msg_destroy(self_of(&session), msg);
    close_session(&session);
}

Test(codec, of_a_nesting_bomb_stops_at_the_limit)
{
    /* what a level of nest() takes: array, its message inside: array, type, from, to */
    static const unsigned char level[37] = { [0] = 0x83, 0x84, 0x01, [3] = 0x50, [20] = 0x50 };
    const size_t levels = 20000, size = levels * sizeof(level);
    unsigned char *bytes = malloc(size);
    struct session session;
    th_msg *msg = NULL;
    uint32_t number;
    size_t i;

    cr_assert_not_null(bytes);
    for (i = 0; i < levels; i++)
        memcpy(bytes + i * sizeof(level), level, sizeof(level));
    open_session(&session);
    cr_assert_eq(thi_types_number(&session.types, &wrap_type, &number, &session.fault), TH_OK);
    announce(&session);
    cr_assert_eq(decode(&session, &wrap_type, bytes, size, UINT64_MAX, &msg), TH_E_PARSE);
    cr_assert_not_null(strstr(session.fault.words, "nested more than 32 deep"));
    close_session(&session);
    free(bytes);
}

/* ---- size ---- */

Test(codec, takes_the_largest_message_there_and_back, .timeout = 60)
{
    size_t rest = TH_MESSAGE_SIZE_MAX - sizeof(struct file), size, again;
    unsigned char *bytes = malloc(TH_WIRE_MESSAGE_MAX);
    struct session session;
    th_msg *msg, *back = NULL;

    cr_assert_not_null(bytes);
    open_session(&session);
    msg = th_msg_create_sized(self_of(&session), &file_type, rest);
    cr_assert_not_null(msg);
    ((char *)th_msg_rest(msg, NULL))[rest - 1] = 7;
    cr_assert_eq(encode(&session, msg, NULL, 0, &size), TH_OK);
    cr_assert_leq(size, TH_WIRE_MESSAGE_MAX);
    cr_assert_eq(encode(&session, msg, bytes, size, &again), TH_OK);
    cr_assert_eq(again, size);
    th_msg_destroy(self_of(&session), msg);
    cr_assert_eq(decode(&session, &file_type, bytes, size, TH_WIRE_DECODED_MAX, &back), TH_OK, "%s",
                 session.fault.words);
    cr_assert_eq(th_msg_size(back), TH_MESSAGE_SIZE_MAX);
    cr_assert_eq(((char *)th_msg_rest(back, NULL))[rest - 1], 7);
    th_msg_destroy(self_of(&session), back);
    close_session(&session);
    free(bytes);
}

/* ---- memory ---- */

/* Its message, three blobs and a message inside. */
static size_t make_wrap(struct session *session, unsigned char *bytes, size_t room)
{
    struct wrap *wrap, *inner;
    th_msg *msg = wrap_new(self_of(session), &wrap);
    size_t size;

    wrap->text = th_blob_text(self_of(session), "text");
    wrap->data = th_blob_create(self_of(session), "data", 4);
    wrap->inner = wrap_new(self_of(session), &inner);
    inner->text = th_blob_text(self_of(session), "inner text");
    cr_assert_eq(encode(session, msg, bytes, room, &size), TH_OK);
    cr_assert_leq(size, room);
    announce(session);
    th_msg_destroy(self_of(session), msg);
    return size;
}

Test(codec, takes_no_more_memory_than_it_is_told_to)
{
    struct session session;
    unsigned char bytes[256];
    size_t size;
    uint64_t max, before;
    th_msg *msg = NULL;
    th_err err = TH_E_LIMIT;

    open_session(&session);
    size = make_wrap(&session, bytes, sizeof(bytes));
    before = thi_memory_bytes(&session.room.memory);
    for (max = 0; err != TH_OK; max++) {
        cr_assert_lt(max, 4096);
        err = decode(&session, &wrap_type, bytes, size, max, &msg);
        cr_assert(err == TH_OK || err == TH_E_LIMIT);
        if (err == TH_E_LIMIT)
            cr_assert_eq(thi_memory_bytes(&session.room.memory), before);
    }
    /* two envelopes and three blobs, and what was counted is not less than what was taken */
    cr_assert_geq(max, 2 * (sizeof(th_msg) + sizeof(struct wrap)) + 3 * 24);
    th_msg_destroy(self_of(&session), msg);
    close_session(&session);
}

Test(codec, survives_every_lack_of_memory)
{
    struct session session;
    unsigned char bytes[256];
    th_msg *msg = NULL;
    th_err err = TH_E_NOMEM;
    size_t size;
    unsigned nth;

    open_session(&session);
    size = make_wrap(&session, bytes, sizeof(bytes));
    for (nth = 1; err != TH_OK; nth++) {
        cr_assert_lt(nth, 100);
        thi_memory_inject(&session.room.memory, nth, false);
        err = decode(&session, &wrap_type, bytes, size, 4096, &msg);
        cr_assert(err == TH_OK || err == TH_E_NOMEM);
    }
    thi_memory_inject(&session.room.memory, 0, false);
#if THI_CHECKED
    cr_assert_gt(nth, 5); /* two envelopes, three blobs */
#else
    cr_assert_gt(nth, 3);
#endif
    th_msg_destroy(self_of(&session), msg);
    close_session(&session);
}

/* ---- senders and targets of what is inside ---- */

Test(codec, keeps_who_sent_what_is_inside)
{
    struct session session;
    unsigned char bytes[256];
    struct wrap *wrap;
    struct point *point;
    size_t size;
    th_msg *msg, *back = NULL;

    open_session(&session);
    msg = wrap_new(self_of(&session), &wrap);
    wrap->inner = point_new(self_of(&session), &point);
    point->x = -7;
    wrap->inner->thi_from = (th_addr){ 1, 2, 3 };
    wrap->inner->thi_to = (th_addr){ UINT64_MAX, UINT32_MAX, 5 };
    cr_assert_eq(encode(&session, msg, bytes, sizeof(bytes), &size), TH_OK);
    announce(&session);
    th_msg_destroy(self_of(&session), msg);
    cr_assert_eq(decode(&session, &wrap_type, bytes, size, 4096, &back), TH_OK);
    msg = wrap_of(back)->inner;
    cr_assert_eq(point_of(msg)->x, -7);
    cr_assert(th_addr_equal(th_msg_sender(msg), (th_addr){ 1, 2, 3 }));
    cr_assert(th_addr_equal(th_msg_target(msg), (th_addr){ UINT64_MAX, UINT32_MAX, 5 }));
    th_msg_destroy(self_of(&session), back);
    close_session(&session);
}
