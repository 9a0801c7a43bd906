/* impostor.h: a hub, and a peer who says whatever a test wants.
 *
 * One hub, one connection that somebody dialled us on, no network: frames are written by
 * thi_frame_write() and fed as bytes; what the hub writes is pulled and read back. The impostor's
 * system has a greater id (it decides) or a lesser one. */
#ifndef TESTS_TRANSPORT_LINK_IMPOSTOR_H
#define TESTS_TRANSPORT_LINK_IMPOSTOR_H

#include "tests/mailbox/mailroom.h"

#include <stdio.h>

#include <thespis/type.h>

#include "transport/link/link.h"
#include "transport/wire/codec.h"
#include "transport/wire/shape.h"

#define GREETED_FIELDS(F, S) F(S, u64, value)
TH_MESSAGE(greeted, GREETED_FIELDS);
TH_MESSAGE_TYPE(greeted, GREETED_FIELDS)

enum { OURS = 1000, GREATER = 2000, LESSER = 500 };
#define THEIR_SESSION UINT64_C(77)

struct impostor {
    struct thi_carrier carrier;
    struct mailroom room;
    struct thi_hub hub;
    struct thi_conn *conn; /* NULL: the hub let go of it */
    uint64_t system;
    uint64_t now;
    uint64_t session; /* the hub's, from its RESUME */
    uint64_t acked;   /* by the hub */
    unsigned hellos, resumes, datas, pings, pongs, heres, wheres, returneds, types;
    uint64_t returned; /* the last number */
    uint32_t close_reason;
    char close_words[TH_WIRE_WORDS_MAX + 1];
    uint8_t read[1 << 20];
    size_t read_size;
    /* the host's */
    unsigned ups, gones, delivered, undelivered, poisoned, settled;
    uint64_t last_value;
    th_addr last_from;
    th_msg *queue, **queue_end;
};

static struct impostor *impostor_of(struct thi_carrier *carrier)
{
    return (struct impostor *)(void *)carrier;
}

static th_err impostor_dial(struct thi_carrier *carrier, struct thi_conn *conn, const char *address,
                            const char **why_out)
{
    (void)carrier;
    (void)conn;
    (void)address;
    *why_out = "no network here";
    return TH_E_FILE;
}

static void impostor_kick(struct thi_carrier *carrier, struct thi_conn *conn)
{
    (void)carrier;
    (void)conn;
}

static void impostor_pause(struct thi_carrier *carrier, struct thi_conn *conn, bool pause)
{
    (void)carrier;
    (void)conn;
    (void)pause;
}

static void impostor_closed(struct thi_carrier *carrier, struct thi_conn *conn, uint64_t linger_ns)
{
    struct impostor *us = impostor_of(carrier);

    (void)linger_ns;
    if (us->conn == conn)
        us->conn = NULL;
}

static void impostor_timer(struct thi_carrier *carrier, uint64_t when_ns)
{
    (void)carrier;
    (void)when_ns;
}

static const struct thi_carrier_ops impostor_carrier = { impostor_dial, impostor_kick,
                                                         impostor_pause, impostor_closed,
                                                         impostor_timer };

static void impostor_deliver(void *host, struct thi_link *link, th_msg *msg)
{
    struct impostor *us = host;

    (void)link;
    us->delivered++;
    us->last_value = greeted_of(msg)->value;
    us->last_from = msg->thi_from;
    thi_msg_destroy(&us->room.heap, msg);
}

static void impostor_undelivered(void *host, struct thi_link *link, th_msg *msg,
                                 th_dead_reason reason)
{
    struct impostor *us = host;

    (void)link;
    (void)reason;
    us->undelivered++;
    thi_msg_destroy(&us->room.heap, msg);
}

static void impostor_poisoned(void *host, struct thi_link *link, th_msg *msg, const char *why)
{
    struct impostor *us = host;

    (void)link;
    (void)why;
    us->poisoned++;
    thi_msg_destroy(&us->room.heap, msg);
}

static void impostor_settled(void *host, struct thi_link *link, uint32_t count)
{
    (void)link;
    ((struct impostor *)host)->settled += count;
}

static th_msg *impostor_next(void *host, struct thi_link *link)
{
    struct impostor *us = host;
    th_msg *msg = us->queue;

    (void)link;
    if (msg) {
        us->queue = msg->thi_next;
        msg->thi_next = NULL;
        if (!us->queue)
            us->queue_end = &us->queue;
    }
    return msg;
}

static void impostor_up(void *host, struct thi_link *link)
{
    (void)link;
    ((struct impostor *)host)->ups++;
}

static void impostor_gone(void *host, struct thi_link *link, const char *why)
{
    (void)link;
    (void)why;
    ((struct impostor *)host)->gones++;
}

static void impostor_unreachable(void *host, const char *address, const char *why)
{
    (void)host;
    (void)address;
    (void)why;
}

static void impostor_met(void *host, struct thi_link *link, const char *address)
{
    (void)host;
    (void)link;
    (void)address;
}

static const th_type *impostor_find_type(void *host, const char *name)
{
    (void)host;
    return strcmp(name, "greeted") == 0 ? &greeted_type : NULL;
}

static void impostor_note(void *host, struct thi_link *link, int level, const char *text)
{
    (void)host;
    (void)link;
    (void)level;
    (void)text;
}

static const struct thi_host_ops impostor_host = {
    .deliver = impostor_deliver,
    .undelivered = impostor_undelivered,
    .poisoned = impostor_poisoned,
    .settled = impostor_settled,
    .next = impostor_next,
    .up = impostor_up,
    .gone = impostor_gone,
    .unreachable = impostor_unreachable,
    .met = impostor_met,
    .find_type = impostor_find_type,
    .note = impostor_note,
};

/* ---- what the hub says ---- */

static void impostor_heard(struct impostor *us, const struct thi_frame *frame)
{
    switch (frame->kind) {
    case THI_FRAME_HELLO: us->hellos++; break;
    case THI_FRAME_RESUME:
        us->resumes++;
        us->session = frame->as.resume.mine;
        break;
    case THI_FRAME_ACK: us->acked = frame->as.ack.up_to; break;
    case THI_FRAME_PING: us->pings++; break;
    case THI_FRAME_PONG: us->pongs++; break;
    case THI_FRAME_CLOSE:
        us->close_reason = frame->as.close.reason;
        memcpy(us->close_words, frame->as.close.words.at, frame->as.close.words.size);
        us->close_words[frame->as.close.words.size] = '\0';
        break;
    case THI_FRAME_WHERE: us->wheres++; break;
    case THI_FRAME_HERE: us->heres++; break;
    case THI_FRAME_RETURNED:
        us->returneds++;
        us->returned = frame->as.returned.up_to;
        break;
    case THI_FRAME_TYPE: us->types++; break;
    case THI_FRAME_DATA:
    case THI_FRAME_MORE: us->datas++; break;
    }
}

/* Pulls and reads all that the hub has to say just now. */
TH_UNUSED static void impostor_listen(struct impostor *us)
{
    struct thi_frame_limits limits = { TH_WIRE_FRAME_MAX, TH_WIRE_MESSAGE_MAX };
    struct thi_fault fault;
    struct thi_frame frame;
    struct iovec piece;
    size_t need, at = 0;

    while (us->conn && thi_conn_pull(us->conn, &piece, 1, us->now) == 1) {
        cr_assert_leq(us->read_size + piece.iov_len, sizeof(us->read));
        memcpy(us->read + us->read_size, piece.iov_base, piece.iov_len);
        us->read_size += piece.iov_len;
        thi_conn_pulled(us->conn, piece.iov_len, us->now);
    }
    while (at < us->read_size && thi_frame_read(us->read + at, us->read_size - at, &limits, &frame,
                                                &need, &fault) == THI_FRAME_WHOLE) {
        impostor_heard(us, &frame);
        at += frame.size;
    }
    cr_assert_eq(at, us->read_size); /* the hub says whole frames */
    us->read_size = 0;
}

/* ---- what the impostor says ---- */

TH_UNUSED static void impostor_feed(struct impostor *us, const void *bytes, size_t size)
{
    if (us->conn && !thi_conn_feed(us->conn, bytes, size, us->now))
        us->conn = NULL;
    impostor_listen(us);
}

/* @body [lend], for DATA and MORE. */
TH_UNUSED static size_t impostor_write(uint8_t *at, size_t room, const struct thi_frame *frame,
                                       const void *body, size_t size)
{
    size_t head = thi_frame_write(at, room, frame);

    cr_assert_leq(head + size, room);
    if (size > 0)
        memcpy(at + head, body, size);
    return head + size;
}

TH_UNUSED static void impostor_say(struct impostor *us, const struct thi_frame *frame)
{
    static uint8_t bytes[TH_WIRE_FRAME_MAX + 100];
    size_t size = 0;
    const void *body = NULL;

    if (frame->kind == THI_FRAME_DATA) {
        size = frame->as.data.size;
        body = frame->as.data.body;
    } else if (frame->kind == THI_FRAME_MORE) {
        size = frame->as.more.size;
        body = frame->as.more.body;
    }
    impostor_feed(us, bytes, impostor_write(bytes, sizeof(bytes), frame, body, size));
}

TH_UNUSED static struct thi_frame impostor_hello(const struct impostor *us)
{
    struct thi_frame frame = { .kind = THI_FRAME_HELLO };

    frame.as.hello.version_low = frame.as.hello.version_high = 1;
    frame.as.hello.system = us->system;
    frame.as.hello.name = thi_text_of("impostor");
    frame.as.hello.frame_max = TH_WIRE_FRAME_MAX;
    frame.as.hello.message_max = TH_WIRE_MESSAGE_MAX;
    frame.as.hello.dialled = true;
    return frame;
}

TH_UNUSED static struct thi_frame impostor_resume(const struct impostor *us)
{
    struct thi_frame frame = { .kind = THI_FRAME_RESUME };

    frame.as.resume.version = 1;
    frame.as.resume.mine = THEIR_SESSION;
    frame.as.resume.yours = us->session;
    frame.as.resume.count = us->system > OURS ? 1 : 0;
    return frame;
}

TH_UNUSED static struct thi_frame impostor_type(uint64_t number, uint32_t type, const char *name)
{
    static char shape[100];
    struct thi_frame frame = { .kind = THI_FRAME_TYPE };

    thi_shape_write(&greeted_type, shape, sizeof(shape));
    frame.as.type.number = number;
    frame.as.type.type = type;
    frame.as.type.name = thi_text_of(name);
    frame.as.type.shape = thi_text_of(shape);
    return frame;
}

/* A message with @value, of type 1. */
TH_UNUSED static struct thi_frame impostor_data(const struct impostor *us, uint64_t number,
                                                uint64_t value)
{
    static uint8_t body[10];
    struct thi_frame frame = { .kind = THI_FRAME_DATA };

    body[0] = 0x81; /* [value] */
    body[1] = (uint8_t)value;
    cr_assert_lt(value, 24);
    frame.as.data.number = number;
    frame.as.data.from = (th_addr){ us->system, 1, 1 };
    frame.as.data.to = (th_addr){ OURS, 2, 1 };
    frame.as.data.type = 1;
    frame.as.data.size = 2;
    frame.as.data.body = body;
    return frame;
}

/* ---- life ---- */

TH_UNUSED static void impostor_call(struct impostor *us)
{
    struct thi_far_end far = { .address = "impostor" };

    us->conn = thi_hub_accepted(&us->hub, &far, us->now);
    if (us->conn)
        impostor_listen(us);
}

TH_UNUSED static void impostor_open(struct impostor *us, uint64_t system)
{
    struct thi_hub_options options = { 0 };

    memset(us, 0, sizeof(*us));
    mailroom_open(&us->room, 0);
    us->carrier.ops = &impostor_carrier;
    us->system = system;
    us->now = 1000000000;
    us->queue_end = &us->queue;
    options.host = us;
    options.host_ops = &impostor_host;
    options.carrier = &us->carrier;
    options.memory = &us->room.memory;
    options.heap = &us->room.heap;
    options.system = OURS;
    options.name = "honest";
    options.seed = 1;
    cr_assert_eq(thi_hub_init(&us->hub, &options, us->now), TH_OK);
    impostor_call(us);
}

/* Says what an honest peer says until the link is up. */
TH_UNUSED static void impostor_greet(struct impostor *us)
{
    struct thi_frame frame = impostor_hello(us);

    impostor_say(us, &frame);
    frame = impostor_resume(us);
    impostor_say(us, &frame);
}

/* And makes a type known, as frame 1. */
TH_UNUSED static void impostor_greet_and_type(struct impostor *us)
{
    struct thi_frame frame;

    impostor_greet(us);
    frame = impostor_type(1, 1, "greeted");
    impostor_say(us, &frame);
}

/* The hub has a message for the impostor. */
TH_UNUSED static void impostor_post(struct impostor *us, uint64_t value)
{
    struct thi_link *link = thi_hub_find(&us->hub, us->system);
    th_msg *msg = thi_msg_create(&us->room.heap, &greeted_type, 0);

    ((struct greeted *)msg->thi_body)->value = value;
    msg->thi_from = (th_addr){ OURS, 2, 1 };
    msg->thi_to = (th_addr){ us->system, 1, 1 };
    *us->queue_end = msg;
    us->queue_end = &msg->thi_next;
    thi_link_ready(link, us->now);
    impostor_listen(us);
}

/* Time passes, and the hub looks at it. */
TH_UNUSED static void impostor_wait(struct impostor *us, uint64_t ns)
{
    us->now += ns;
    thi_hub_tick(&us->hub, us->now);
    if (us->conn)
        impostor_listen(us);
    thi_hub_tick(&us->hub, us->now);
}

TH_UNUSED static void impostor_close(struct impostor *us)
{
    thi_hub_fini(&us->hub, us->now);
    while (us->queue)
        thi_msg_destroy(&us->room.heap, impostor_next(us, NULL));
    mailroom_close(&us->room);
}

#endif
