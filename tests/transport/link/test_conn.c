/* tests of connections: what a peer may say when, and what becomes of one that says otherwise
 *
 * Past 500 lines: each case is one thing that a peer may not do. */
#include "impostor.h"

static struct impostor us;

/* The connection is closed with words, the fault is counted, nothing was delivered. */
static void assert_refused(const char *words)
{
    cr_assert_eq(us.close_reason, THI_CLOSE_PROTOCOL, "%s", us.close_words);
    cr_assert_not_null(strstr(us.close_words, words), "%s", us.close_words);
    cr_assert_eq(us.delivered, 0);
}

static void say(struct thi_frame frame)
{
    impostor_say(&us, &frame);
}

Test(conn, greets_and_is_up_for_who_decides)
{
    impostor_open(&us, LESSER);
    cr_assert_eq(us.hellos, 1);
    say(impostor_hello(&us));
    cr_assert_eq(us.resumes, 0); /* we decide, so we wait */
    cr_assert_eq(us.ups, 0);
    say(impostor_resume(&us));
    cr_assert_eq(us.resumes, 1);
    cr_assert_eq(us.ups, 1);
    impostor_close(&us);
}

Test(conn, greets_and_is_up_for_who_does_not)
{
    impostor_open(&us, GREATER);
    say(impostor_hello(&us));
    cr_assert_eq(us.resumes, 1);
    cr_assert_eq(us.ups, 0);
    say(impostor_resume(&us));
    cr_assert_eq(us.ups, 1);
    impostor_close(&us);
}

Test(conn, a_message_comes_and_is_acknowledged)
{
    impostor_open(&us, GREATER);
    impostor_greet_and_type(&us);
    say(impostor_data(&us, 2, 7));
    cr_assert_eq(us.delivered, 1);
    cr_assert_eq(us.last_value, 7);
    cr_assert_eq(us.acked, 0); /* it may ride on an answer */
    impostor_wait(&us, TH_LINK_ACK_NS);
    cr_assert_eq(us.acked, 2);
    impostor_close(&us);
}

Test(conn, a_message_goes_and_is_settled_when_it_is_acknowledged)
{
    struct thi_frame ack = { .kind = THI_FRAME_ACK, .as.ack.up_to = 2 };

    impostor_open(&us, GREATER);
    impostor_greet(&us);
    impostor_post(&us, 5);
    cr_assert_eq(us.types, 1);
    cr_assert_eq(us.datas, 1);
    cr_assert_eq(us.settled, 0);
    say(ack);
    cr_assert_eq(us.settled, 1);
    cr_assert_eq(us.undelivered, 0);
    impostor_close(&us);
}

Test(conn, what_was_seen_is_dropped)
{
    impostor_open(&us, GREATER);
    impostor_greet_and_type(&us);
    say(impostor_data(&us, 2, 1));
    say(impostor_data(&us, 2, 9));
    cr_assert_eq(us.delivered, 1);
    cr_assert_eq(us.last_value, 1);
    cr_assert_eq(thi_hub_find(&us.hub, GREATER)->counters.duplicates, 1);
    impostor_close(&us);
}

Test(conn, a_gap_closes_it)
{
    impostor_open(&us, GREATER);
    impostor_greet_and_type(&us);
    say(impostor_data(&us, 3, 1));
    assert_refused("frame 3 follows 1");
    cr_assert_eq(thi_hub_find(&us.hub, GREATER)->counters.faults, 1);
    impostor_close(&us);
}

Test(conn, frames_before_the_greeting_is_over_close_it)
{
    struct thi_frame frames[] = { { .kind = THI_FRAME_ACK },
                                  { .kind = THI_FRAME_PING },
                                  { .kind = THI_FRAME_PONG } };
    unsigned i;

    for (i = 0; i < 3; i++) {
        impostor_open(&us, GREATER);
        say(frames[i]);
        assert_refused("in the greeting");
        impostor_close(&us);

        impostor_open(&us, GREATER);
        say(impostor_hello(&us));
        say(frames[i]);
        assert_refused("in the greeting");
        impostor_close(&us);
    }
    impostor_open(&us, GREATER);
    say(impostor_hello(&us));
    say(impostor_data(&us, 1, 1));
    assert_refused("DATA in the greeting");
    impostor_close(&us);
}

Test(conn, a_second_greeting_closes_it)
{
    impostor_open(&us, GREATER);
    say(impostor_hello(&us));
    say(impostor_hello(&us));
    assert_refused("HELLO in the greeting");
    impostor_close(&us);

    impostor_open(&us, GREATER);
    impostor_greet(&us);
    say(impostor_resume(&us));
    assert_refused("RESUME after the greeting");
    impostor_close(&us);
}

Test(conn, a_resume_of_a_session_that_is_not_ours_closes_it)
{
    struct thi_frame frame;

    impostor_open(&us, GREATER);
    say(impostor_hello(&us));
    frame = impostor_resume(&us);
    frame.as.resume.yours++;
    say(frame);
    assert_refused("does not name our session");
    cr_assert_eq(us.ups, 0);
    impostor_close(&us);
}

Test(conn, an_acknowledgement_of_what_was_never_sent_closes_it)
{
    struct thi_frame ack = { .kind = THI_FRAME_ACK, .as.ack.up_to = 3 };
    struct thi_frame returned = { .kind = THI_FRAME_RETURNED, .as.returned.up_to = 3 };

    impostor_open(&us, GREATER);
    impostor_greet(&us);
    impostor_post(&us, 5);
    say(ack);
    assert_refused("it acknowledges 3, and 2 was the last");
    impostor_close(&us);

    impostor_open(&us, GREATER);
    impostor_greet(&us);
    impostor_post(&us, 5);
    returned.as.returned.words = thi_text_of("no");
    say(returned);
    assert_refused("it acknowledges 3");
    impostor_close(&us);
}

Test(conn, a_message_that_comes_back_is_poison_once)
{
    struct thi_frame returned = { .kind = THI_FRAME_RETURNED, .as.returned.up_to = 2 };

    impostor_open(&us, GREATER);
    impostor_greet(&us);
    impostor_post(&us, 5);
    returned.as.returned.words = thi_text_of("no such type");
    say(returned);
    cr_assert_eq(us.poisoned, 1);
    cr_assert_eq(us.settled, 1);
    say(returned);
    cr_assert_eq(us.poisoned, 1);
    cr_assert_not_null(us.conn);
    impostor_close(&us);
}

Test(conn, a_frame_that_is_no_message_cannot_come_back)
{
    struct thi_frame returned = { .kind = THI_FRAME_RETURNED, .as.returned.up_to = 1 };

    impostor_open(&us, GREATER);
    impostor_greet(&us);
    impostor_post(&us, 5);
    returned.as.returned.words = thi_text_of("I do not like TYPE");
    say(returned);
    assert_refused("where no message ended");
    impostor_close(&us);
}

Test(conn, what_cannot_be_read_goes_back_by_its_number)
{
    struct thi_frame pong = { .kind = THI_FRAME_PONG, .as.pong.token = 1 };

    impostor_open(&us, GREATER);
    impostor_greet(&us);
    say(impostor_type(1, 1, "nobody_knows"));
    say(impostor_data(&us, 2, 1));
    cr_assert_eq(us.delivered, 0);
    cr_assert_eq(us.returneds, 1);
    cr_assert_eq(us.returned, 2);
    cr_assert_eq(us.pings, 1); /* whose answer says that it has arrived */
    cr_assert_not_null(thi_hub_find(&us.hub, GREATER)->returned);
    say(pong);
    cr_assert_null(thi_hub_find(&us.hub, GREATER)->returned);
    impostor_close(&us);
}

/* L3: a RESUME does not acknowledge past what may not have come back. */
Test(conn, what_went_back_goes_back_again_after_a_resume)
{
    impostor_open(&us, LESSER);
    impostor_greet(&us);
    say(impostor_type(1, 1, "nobody_knows"));
    say(impostor_data(&us, 2, 1));
    cr_assert_eq(us.returneds, 1);
    thi_conn_closed(us.conn, "test", false, us.now);
    cr_assert_eq(thi_session_settled(thi_hub_find(&us.hub, LESSER)), 1);
    impostor_call(&us);
    impostor_greet(&us);
    cr_assert_eq(us.returneds, 2);
    cr_assert_eq(us.returned, 2);
    impostor_close(&us);
}

Test(conn, pieces_that_do_not_fit_close_it)
{
    struct thi_frame first, more = { .kind = THI_FRAME_MORE };
    static uint8_t bytes[100];

    /* one more than announced */
    impostor_open(&us, GREATER);
    impostor_greet_and_type(&us);
    first = impostor_data(&us, 2, 1);
    first.as.data.has_more = true;
    first.as.data.transfer = 5;
    first.as.data.total = 10;
    say(first);
    more.as.more.number = 3;
    more.as.more.transfer = 5;
    more.as.more.size = 9;
    more.as.more.body = bytes;
    say(more);
    assert_refused("has not the 10 bytes announced");
    impostor_close(&us);

    /* the last, and not all are there */
    impostor_open(&us, GREATER);
    impostor_greet_and_type(&us);
    say(first);
    more.as.more.size = 7;
    say(more);
    assert_refused("has not the 10 bytes announced");
    impostor_close(&us);

    /* of a transfer that nobody began */
    impostor_open(&us, GREATER);
    impostor_greet_and_type(&us);
    more.as.more.number = 2;
    say(more);
    assert_refused("not under way");
    impostor_close(&us);

    /* begun twice */
    impostor_open(&us, GREATER);
    impostor_greet_and_type(&us);
    say(first);
    first.as.data.number = 3;
    say(first);
    assert_refused("begins twice");
    impostor_close(&us);
}

Test(conn, pieces_come_together)
{
    struct thi_frame first, more = { .kind = THI_FRAME_MORE };
    static const uint8_t rest[] = { 9 };

    impostor_open(&us, GREATER);
    impostor_greet_and_type(&us);
    first = impostor_data(&us, 2, 9);
    first.as.data.has_more = true;
    first.as.data.transfer = 1;
    first.as.data.total = 2;
    first.as.data.size = 1;
    say(first);
    cr_assert_eq(us.delivered, 0);
    more.as.more.number = 3;
    more.as.more.transfer = 1;
    more.as.more.size = 1;
    more.as.more.body = rest;
    say(more);
    cr_assert_eq(us.delivered, 1);
    cr_assert_eq(us.last_value, 9);
    impostor_close(&us);
}

Test(conn, too_many_transfers_at_once_close_it)
{
    uint32_t i;

    impostor_open(&us, GREATER);
    impostor_greet_and_type(&us);
    for (i = 0; i <= TH_LINK_TRANSFERS_MAX; i++) {
        struct thi_frame first = impostor_data(&us, 2 + i, 1);

        cr_assert_eq(us.close_reason, 0);
        first.as.data.has_more = true;
        first.as.data.transfer = i;
        first.as.data.total = TH_WIRE_MESSAGE_MAX;
        say(first);
    }
    assert_refused("transfers at once");
    impostor_close(&us);
}

Test(conn, a_length_beyond_the_limit_closes_it_before_a_byte_of_it_has_come)
{
    static const uint32_t lengths[] = { TH_WIRE_FRAME_MAX + 1, 1u << 31, UINT32_MAX };
    unsigned i;

    for (i = 0; i < 3; i++) {
        uint8_t header[8] = { 0 };
        uint64_t before;

        impostor_open(&us, GREATER);
        impostor_greet(&us);
        memcpy(header, &lengths[i], 4);
        header[4] = THI_FRAME_DATA;
        before = thi_memory_bytes(&us.room.memory);
        impostor_feed(&us, header, sizeof(header));
        cr_assert_eq(us.close_reason, THI_CLOSE_PROTOCOL);
        cr_assert_leq(thi_memory_bytes(&us.room.memory), before + 4096);
        impostor_close(&us);
    }
}

/* C2: whatever it announces, a frame takes room as it comes. */
Test(conn, memory_grows_with_what_came)
{
    uint8_t header[8] = { 0 };
    uint32_t length = TH_WIRE_FRAME_MAX, i;
    uint64_t before;

    impostor_open(&us, GREATER);
    impostor_greet(&us);
    memcpy(header, &length, 4);
    header[4] = THI_FRAME_DATA;
    before = thi_memory_bytes(&us.room.memory);
    impostor_feed(&us, header, sizeof(header));
    for (i = 0; i < 1000; i++) {
        impostor_feed(&us, "x", 1);
        cr_assert_leq(thi_memory_bytes(&us.room.memory), before + 512 + 2 * i);
    }
    impostor_close(&us);
}

Test(conn, a_stranger_is_worth_so_many_bytes_and_so_much_time)
{
    uint8_t header[8] = { 0 };
    uint32_t length = TH_WIRE_GREETING_MAX + 1;

    impostor_open(&us, GREATER);
    memcpy(header, &length, 4);
    header[4] = THI_FRAME_HELLO;
    impostor_feed(&us, header, sizeof(header));
    cr_assert_eq(us.close_reason, THI_CLOSE_PROTOCOL);
    impostor_close(&us);

    /* one byte at a time does not prolong it */
    impostor_open(&us, GREATER);
    header[0] = 100;
    header[1] = 0;
    impostor_feed(&us, header, 1);
    impostor_wait(&us, TH_LINK_GREETING_NS - 1);
    cr_assert_not_null(us.conn);
    impostor_feed(&us, header + 1, 1);
    impostor_wait(&us, 1);
    cr_assert_null(us.conn);
    cr_assert_eq(us.hub.stranger_count, 0);
    cr_assert_eq(us.hub.counters.greetings_failed, 1);
    impostor_close(&us);
}

Test(conn, garbage_closes_it)
{
    uint64_t seed = 5;
    uint8_t bytes[64];
    unsigned round, i;

    for (round = 0; round < 500; round++) {
        impostor_open(&us, GREATER);
        if (round % 2)
            impostor_greet(&us);
        for (i = 0; i < sizeof(bytes); i++)
            bytes[i] = (uint8_t)mailroom_random(&seed);
        bytes[6] = 1; /* which is always 0: so that it is garbage by construction */
        impostor_feed(&us, bytes, sizeof(bytes));
        cr_assert_eq(us.close_reason, THI_CLOSE_PROTOCOL);
        cr_assert_eq(us.delivered, 0);
        impostor_close(&us);
    }
}

Test(conn, a_peer_that_asks_and_never_reads_takes_no_memory)
{
    struct thi_frame ping = { .kind = THI_FRAME_PING }, where = { .kind = THI_FRAME_WHERE };
    static uint8_t bytes[200];
    size_t size;
    uint64_t before;
    unsigned i;

    impostor_open(&us, GREATER);
    impostor_greet(&us);
    size = impostor_write(bytes, sizeof(bytes), &ping, NULL, 0);
    where.as.where.system = 4;
    size += impostor_write(bytes + size, sizeof(bytes) - size, &where, NULL, 0);
    before = thi_memory_bytes(&us.room.memory);
    for (i = 0; i < 10000; i++)
        cr_assert(thi_conn_feed(us.conn, bytes, size, us.now));
    cr_assert_leq(thi_memory_bytes(&us.room.memory), before);
    impostor_listen(&us);
    cr_assert_eq(us.pongs, 1);
    cr_assert_eq(us.heres, 1);
    impostor_close(&us);
}

Test(conn, one_that_is_silent_is_asked_and_then_cut)
{
    impostor_open(&us, GREATER);
    impostor_greet(&us);
    impostor_wait(&us, TH_LINK_PING_NS);
    cr_assert_eq(us.pings, 1);
    impostor_wait(&us, 2 * TH_LINK_PING_NS - 1);
    cr_assert_not_null(us.conn);
    impostor_wait(&us, 1);
    cr_assert_null(us.conn);
    impostor_close(&us);
}

/* Bytes that come say nothing of whether ours arrive. */
Test(conn, one_that_talks_and_does_not_listen_is_cut)
{
    struct thi_frame ping = { .kind = THI_FRAME_PING };
    unsigned i;

    impostor_open(&us, GREATER);
    impostor_greet(&us);
    impostor_post(&us, 1);
    for (i = 0; i < 40 && us.conn; i++) {
        say(ping);
        impostor_wait(&us, TH_LINK_PING_NS / 10);
    }
    cr_assert_null(us.conn);
    impostor_close(&us);
}

Test(conn, what_another_system_calls_itself_is_refused_if_it_is_us)
{
    impostor_open(&us, OURS);
    say(impostor_hello(&us));
    cr_assert_eq(us.close_reason, THI_CLOSE_SELF);
    impostor_close(&us);
}

Test(conn, no_version_in_common_is_said)
{
    struct thi_frame hello;

    impostor_open(&us, GREATER);
    hello = impostor_hello(&us);
    hello.as.hello.version_low = 2;
    hello.as.hello.version_high = 9;
    say(hello);
    cr_assert_eq(us.close_reason, THI_CLOSE_VERSION);
    impostor_close(&us);
}

Test(conn, a_peer_that_says_it_is_gone_takes_the_link_with_it)
{
    struct thi_frame close = { .kind = THI_FRAME_CLOSE, .as.close.reason = THI_CLOSE_GONE };

    impostor_open(&us, GREATER);
    impostor_greet(&us);
    impostor_post(&us, 1);
    impostor_post(&us, 2);
    close.as.close.words = thi_text_of("good night");
    say(close);
    cr_assert_eq(us.gones, 1);
    cr_assert_eq(us.undelivered, 2);
    cr_assert_eq(us.settled, 2);
    cr_assert_null(thi_hub_find(&us.hub, GREATER));
    impostor_close(&us);
}

/* A peer that ends at every byte of everything it could say. */
Test(conn, any_cut_anywhere_leaves_nothing_behind)
{
    static uint8_t bytes[4096];
    static size_t ends[32];
    struct thi_frame frames[12];
    size_t size = 0, cut;
    unsigned count = 0, i, seen;

    impostor_open(&us, LESSER); /* so that what it says does not depend on what we say */
    frames[count++] = impostor_hello(&us);
    frames[count++] = impostor_resume(&us);
    frames[count++] = impostor_type(1, 1, "greeted");
    frames[count++] = impostor_data(&us, 2, 3);
    frames[count] = impostor_data(&us, 3, 3);
    frames[count].as.data.has_more = true;
    frames[count].as.data.size = 1;
    frames[count++].as.data.total = 2;
    frames[count] = (struct thi_frame){ .kind = THI_FRAME_MORE };
    frames[count].as.more.number = 4;
    frames[count].as.more.size = 1;
    frames[count++].as.more.body = "\3";
    frames[count++] = (struct thi_frame){ .kind = THI_FRAME_PING };
    frames[count] = (struct thi_frame){ .kind = THI_FRAME_WHERE };
    frames[count++].as.where.system = 3;
    frames[count] = (struct thi_frame){ .kind = THI_FRAME_HERE };
    frames[count++].as.here.system = 3;
    frames[count++] = (struct thi_frame){ .kind = THI_FRAME_ACK };
    frames[count] = (struct thi_frame){ .kind = THI_FRAME_CLOSE };
    frames[count].as.close.words = thi_text_of("enough");
    frames[count++].as.close.reason = THI_CLOSE_IDLE;
    for (i = 0; i < count; i++) {
        const struct thi_frame *frame = &frames[i];
        const void *body = frame->kind == THI_FRAME_DATA   ? frame->as.data.body
                           : frame->kind == THI_FRAME_MORE ? frame->as.more.body
                                                           : NULL;
        size_t body_size = frame->kind == THI_FRAME_DATA   ? frame->as.data.size
                           : frame->kind == THI_FRAME_MORE ? frame->as.more.size
                                                           : 0;

        /* body is one buffer, and holds the same for all */
        size += impostor_write(bytes + size, sizeof(bytes) - size, frame, body, body_size);
        ends[i] = size;
    }
    impostor_close(&us);
    for (cut = 0; cut <= size; cut++) {
        impostor_open(&us, LESSER);
        impostor_feed(&us, bytes, cut);
        if (us.conn)
            thi_conn_closed(us.conn, "reset", false, us.now);
        us.conn = NULL;
        seen = (cut >= ends[3]) + (cut >= ends[5]); /* whole DATA; DATA and MORE */
        cr_assert_eq(us.delivered, seen, "cut at %zu", cut);
        cr_assert_eq(us.close_reason, 0, "cut at %zu: %s", cut, us.close_words);
        impostor_close(&us);
    }
}
