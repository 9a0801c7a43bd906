/* tests/vectors, from the C side: each means what it says and is written as it is read; each that
 * is broken is refused in its words; and none of them, cut off anywhere or with any bit turned,
 * does more than be refused. */
#include "../../mailbox/mailroom.h"

#include <stdlib.h>

#include "../../support/vectors.h"
#include "transport/wire/codec.h"
#include "transport/wire/frame.h"

static const struct thi_frame_limits limits = { TH_WIRE_FRAME_MAX, TH_WIRE_MESSAGE_MAX };

/* What a decoded message may take, here: the vectors' own are far below. */
#define MEMORY_MAX (64 * 1024)

/* A copy of the first @size bytes with nothing behind them, so that a sanitizer sees who reads
 * on. */
static unsigned char *exactly(const unsigned char *bytes, size_t size)
{
    unsigned char *copy = malloc(size ? size : 1);

    cr_assert_not_null(copy);
    memcpy(copy, bytes, size);
    return copy;
}

/* ---- frames ---- */

/* Writes what was read, and compares. */
static void writes_again(const struct vector *vector, const struct thi_frame *frame)
{
    static unsigned char again[VECTOR_BYTES_MAX];
    size_t size = thi_frame_write(again, sizeof(again), frame);
    const void *body = NULL;
    size_t body_size = 0;

    if (frame->kind == THI_FRAME_DATA) {
        body = frame->as.data.body;
        body_size = frame->as.data.size;
    } else if (frame->kind == THI_FRAME_MORE) {
        body = frame->as.more.body;
        body_size = frame->as.more.size;
    }
    cr_assert_leq(size + body_size, sizeof(again));
    if (body_size > 0)
        memcpy(again + size, body, body_size);
    cr_assert_eq(size + body_size, vector->size, "%s", vector->frame);
    cr_assert_arr_eq(again, vector->bytes, vector->size, "%s", vector->frame);
}

/* Whatever comes of these bytes: if a frame, its ranges are inside and can be read. */
static enum thi_frame_answer survives_frame(const unsigned char *bytes, size_t size)
{
    unsigned char *copy = exactly(bytes, size);
    static char text[VECTOR_TEXT_MAX * 4];
    struct thi_frame frame;
    struct thi_fault fault;
    size_t need = 0;
    enum thi_frame_answer answer = thi_frame_read(copy, size, &limits, &frame, &need, &fault);

    switch (answer) {
    case THI_FRAME_WHOLE:
        cr_assert_leq(frame.size, size);
        vector_frame_text(&frame, text, sizeof(text));
        break;
    case THI_FRAME_SHORT:
        cr_assert_gt(need, size);
        cr_assert_leq(need, THI_FRAME_HEADER_SIZE + limits.frame);
        break;
    case THI_FRAME_BAD:
        cr_assert(fault.words[0] != '\0');
        cr_assert(thi_text_is_plain(fault.words, strlen(fault.words)));
        break;
    }
    free(copy);
    return answer;
}

static void check_frame(const struct vector *vector)
{
    static char text[VECTOR_TEXT_MAX];
    struct thi_frame frame;
    struct thi_fault fault = { "" };
    size_t need = 0, size, bit;
    static unsigned char turned[VECTOR_BYTES_MAX];
    enum thi_frame_answer answer =
        thi_frame_read(vector->bytes, vector->size, &limits, &frame, &need, &fault);

    if (vector->error[0]) {
        cr_assert_eq(answer, THI_FRAME_BAD, "%s", vector->frame);
        cr_assert_str_eq(fault.words, vector->error, "%s: %s", vector->frame, fault.words);
    } else {
        cr_assert_eq(answer, THI_FRAME_WHOLE, "%s: %s", vector->frame, fault.words);
        cr_assert_eq(frame.size, vector->size, "%s", vector->frame);
        vector_frame_text(&frame, text, sizeof(text));
        cr_assert_str_eq(text, vector->value, "%s: %s", vector->frame, text);
        if (vector->again)
            writes_again(vector, &frame);
        for (size = 0; size < vector->size; size++)
            cr_assert_eq(survives_frame(vector->bytes, size), THI_FRAME_SHORT);
    }
    memcpy(turned, vector->bytes, vector->size);
    for (bit = 0; bit < 8 * vector->size; bit++) {
        turned[bit / 8] ^= (unsigned char)(1u << bit % 8);
        survives_frame(turned, vector->size);
        turned[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
}

static void check_frames(const char *name, int least)
{
    static struct vector vector;
    struct vectors vectors;
    int count = 0;

    cr_assert(vectors_open(&vectors, name));
    for (; vectors_next(&vectors, &vector); count++)
        check_frame(&vector);
    cr_assert_geq(count, least);
}

Test(vectors, of_frames_mean_what_they_say)
{
    check_frames("frames.txt", 20);
}

Test(vectors, of_broken_frames_are_refused_in_words)
{
    check_frames("frames_bad.txt", 30);
}

/* ---- messages ---- */

struct session {
    struct mailroom room;
    struct thi_types types;
};

static void open_session(struct session *session)
{
    mailroom_open(&session->room, 0);
    thi_types_init(&session->types, &session->room.memory, vector_type, NULL);
    cr_assert(vector_session(&session->types));
}

static void close_session(struct session *session)
{
    thi_types_fini(&session->types);
    mailroom_close(&session->room);
}

/* Whatever comes of these bytes: a message that can be looked at and sent on, or words. Either way
 * no more memory than it may take. */
static th_err survives_message(struct session *session, const th_type *type,
                               const unsigned char *bytes, size_t size)
{
    unsigned char *copy = exactly(bytes, size);
    static unsigned char again[VECTOR_BYTES_MAX];
    static char text[VECTOR_TEXT_MAX];
    struct thi_fault fault = { "" };
    size_t again_size;
    th_msg *msg = NULL;
    th_err err = thi_codec_decode(&session->types, type, copy, size, MEMORY_MAX,
                                  &session->room.heap, &msg, &fault);

    if (err == TH_OK) {
        th_msg_describe(msg, text, sizeof(text));
        cr_assert_eq(
            thi_codec_encode(&session->types, msg, again, sizeof(again), &again_size, &fault),
            TH_OK);
        cr_assert_leq(again_size, size);
        thi_msg_destroy(&session->room.heap, msg);
    } else {
        cr_assert(fault.words[0] != '\0');
        cr_assert(thi_text_is_plain(fault.words, strlen(fault.words)));
    }
    free(copy);
    return err;
}

static void check_good(struct session *session, const struct vector *vector, const th_type *type)
{
    static unsigned char again[VECTOR_BYTES_MAX];
    static char text[VECTOR_TEXT_MAX];
    struct thi_fault fault = { "" };
    size_t size, room;
    th_msg *msg = NULL;

    cr_assert_eq(thi_codec_decode(&session->types, type, vector->bytes, vector->size, MEMORY_MAX,
                                  &session->room.heap, &msg, &fault),
                 TH_OK, "%s: %s", vector->message, fault.words);
    th_msg_describe(msg, text, sizeof(text));
    cr_assert_str_eq(text, vector->says, "%s: %s", vector->message, text);
    for (room = 0; vector->again && room <= vector->size; room++) {
        again[room] = 0xee;
        cr_assert_eq(thi_codec_encode(&session->types, msg, again, room, &size, &fault), TH_OK);
        cr_assert_eq(size, vector->size, "%s", vector->message);
        cr_assert_eq(again[room], 0xee, "written past its room");
    }
    if (vector->again)
        cr_assert_arr_eq(again, vector->bytes, vector->size, "%s", vector->message);
    thi_msg_destroy(&session->room.heap, msg);
    for (size = 0; size < vector->size; size++)
        cr_assert_eq(survives_message(session, type, vector->bytes, size), TH_E_PARSE);
}

static void check_bad(struct session *session, const struct vector *vector, const th_type *type)
{
    struct thi_fault fault = { "" };
    th_msg *msg = NULL;

    cr_assert_eq(thi_codec_decode(&session->types, type, vector->bytes, vector->size, MEMORY_MAX,
                                  &session->room.heap, &msg, &fault),
                 TH_E_PARSE, "%s", vector->message);
    cr_assert_str_eq(fault.words, vector->error, "%s: %s", vector->message, fault.words);
}

static void check_message(const struct vector *vector)
{
    const th_type *type = vector_type(NULL, vector->type);
    static unsigned char turned[VECTOR_BYTES_MAX];
    struct session session;
    size_t bit;

    cr_assert_not_null(type, "%s", vector->type);
    open_session(&session);
    if (vector->error[0])
        check_bad(&session, vector, type);
    else
        check_good(&session, vector, type);
    memcpy(turned, vector->bytes, vector->size);
    for (bit = 0; bit < 8 * vector->size; bit++) {
        turned[bit / 8] ^= (unsigned char)(1u << bit % 8);
        survives_message(&session, type, turned, vector->size);
        turned[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
    close_session(&session);
}

/* A block that declares a type: ours has that shape, and that place. */
static void check_type(const struct vector *vector, int number)
{
    const th_type *type = vector_type(NULL, vector->type);
    struct thi_frame_type said;
    struct session session;
    struct thi_fault fault;
    uint32_t ours;

    cr_assert_not_null(type, "%s", vector->type);
    open_session(&session);
    cr_assert_eq(thi_types_number(&session.types, type, &ours, &fault), TH_OK);
    cr_assert_eq((int)ours, number);
    thi_types_reset(&session.types);
    cr_assert_eq(thi_types_number(&session.types, type, &ours, &fault), TH_OK);
    cr_assert(thi_types_news(&session.types, &said));
    cr_assert_eq(said.shape.size, strlen(vector->shape), "%s", said.shape.at);
    cr_assert_arr_eq(said.shape.at, vector->shape, said.shape.size, "%s", said.shape.at);
    close_session(&session);
}

static void check_messages(const char *name, int least)
{
    static struct vector vector;
    struct vectors vectors;
    int count = 0, types = 0;

    cr_assert(vectors_open(&vectors, name));
    while (vectors_next(&vectors, &vector)) {
        if (vector.shape[0]) {
            check_type(&vector, ++types);
        } else {
            check_message(&vector);
            count++;
        }
    }
    cr_assert_geq(count, least);
    cr_assert_geq(types, 8);
}

Test(vectors, of_messages_mean_what_they_say)
{
    check_messages("messages.txt", 15);
}

Test(vectors, of_broken_messages_are_refused_in_words)
{
    check_messages("messages_bad.txt", 30);
}
