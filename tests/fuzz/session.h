/* tests/fuzz/session.h: a whole session with a peer, as some bytes tell it.
 *
 * The bytes are a script: what the peer says (whole frames with whatever in their fields, and raw
 * bytes), what the host does, when time passes and when the connection breaks. Whatever it is, the
 * hub must neither crash nor keep anything, and each message of the host's must be settled once. */
#ifndef TESTS_FUZZ_SESSION_H
#define TESTS_FUZZ_SESSION_H

#include "tests/transport/link/impostor.h"

struct script {
    const uint8_t *at, *end;
};

static uint8_t script_byte(struct script *script)
{
    return script->at < script->end ? *script->at++ : 0;
}

/* Mostly small, now and then anything. */
static uint64_t script_number(struct script *script)
{
    uint8_t first = script_byte(script);
    uint64_t number = 0;
    int i;

    if (first < 250)
        return first;
    for (i = 0; i < 8; i++)
        number = number << 8 | script_byte(script);
    return number;
}

/* What the peer would say next if it were honest, and a number on top. */
static uint64_t script_next(struct script *script, uint64_t honest)
{
    uint8_t off = script_byte(script);

    return off < 200 ? honest : off < 250 ? honest + off - 225 : script_number(script);
}

static void script_frame(struct impostor *us, struct script *script, uint64_t *number)
{
    static uint8_t body[4096];
    struct thi_frame frame = { .kind = THI_FRAME_PING };
    uint8_t what = script_byte(script);

    switch (what % 14) {
    case 0: frame = impostor_hello(us); break;
    case 1:
        frame = impostor_resume(us);
        frame.as.resume.last = script_next(script, us->acked);
        frame.as.resume.yours = script_next(script, us->session);
        frame.as.resume.mine = script_next(script, THEIR_SESSION);
        frame.as.resume.count = us->system > OURS ? script_next(script, us->resumes) : 0;
        if (frame.as.resume.mine == 0)
            frame.as.resume.mine = 1;
        break;
    case 2:
        frame = impostor_type(script_next(script, ++*number), (uint32_t)script_next(script, 1),
                              what & 16 ? "greeted" : "stranger");
        break;
    case 3:
    case 4:
    case 5: frame = impostor_data(us, script_next(script, ++*number), what % 23); break;
    case 6:
        frame = impostor_data(us, script_next(script, ++*number), what % 23);
        frame.as.data.has_more = true;
        frame.as.data.transfer = (uint32_t)script_number(script);
        frame.as.data.total = script_number(script);
        frame.as.data.size = script_byte(script);
        frame.as.data.body = body;
        break;
    case 7:
        frame.kind = THI_FRAME_MORE;
        frame.as.more.number = script_next(script, ++*number);
        frame.as.more.transfer = (uint32_t)script_number(script);
        frame.as.more.has_more = what & 16;
        frame.as.more.size = 1 + (size_t)script_byte(script);
        frame.as.more.body = body;
        break;
    case 8:
        frame.kind = THI_FRAME_ACK;
        frame.as.ack.up_to = script_number(script);
        break;
    case 9:
        frame.kind = THI_FRAME_RETURNED;
        frame.as.returned.up_to = script_number(script);
        frame.as.returned.words = thi_text_of("no");
        break;
    case 10:
        frame.kind = what & 16 ? THI_FRAME_PING : THI_FRAME_PONG;
        frame.as.ping.token = script_number(script);
        break;
    case 11:
        frame.kind = THI_FRAME_CLOSE;
        frame.as.close.reason = script_byte(script);
        frame.as.close.words = thi_text_of("because");
        break;
    case 12:
        frame.kind = THI_FRAME_WHERE;
        frame.as.where.system = script_number(script);
        break;
    case 13:
        frame.kind = THI_FRAME_HERE;
        frame.as.here.system = script_number(script);
        frame.as.here.address_count = what & 16 ? 1 : 0;
        frame.as.here.addresses[0] = thi_text_of("192.0.2.1:9");
        break;
    }
    impostor_say(us, &frame);
}

static void script_raw(struct impostor *us, struct script *script)
{
    size_t size = script_byte(script);
    size_t left = (size_t)(script->end - script->at);

    size = size < left ? size : left;
    impostor_feed(us, script->at, size);
    script->at += size;
}

static void script_step(struct impostor *us, struct script *script, uint64_t *number,
                        unsigned *posted)
{
    struct thi_link *link;

    switch (script_byte(script) % 16) {
    case 0: script_raw(us, script); break;
    case 1: impostor_wait(us, script_number(script) % 100000000000); break;
    case 2: /* it breaks, or is there again */
        if (us->conn)
            thi_conn_closed(us->conn, "cut", false, us->now);
        us->conn = NULL;
        break;
    case 3:
        if (!us->conn)
            impostor_call(us);
        break;
    case 4:
    case 5:
        if (thi_hub_find(&us->hub, us->system)) {
            impostor_post(us, 5);
            ++*posted;
        }
        break;
    case 6:
        link = thi_hub_find(&us->hub, us->system);
        if (link && script_byte(script) > 200)
            thi_link_give_up(link, "a whim", us->now);
        break;
    case 7: thi_hub_shed(&us->hub, us->now); break;
    case 8: *number = thi_hub_find(&us->hub, us->system) ? us->acked : 0; break;
    default:
        if (!us->conn)
            impostor_call(us);
        script_frame(us, script, number);
        break;
    }
}

/* Plays @size bytes of script. */
TH_UNUSED static void session_play(const uint8_t *bytes, size_t size)
{
    static struct impostor us;
    struct script script = { bytes, bytes + size };
    uint64_t number = 0;
    unsigned posted = 0, steps;

    impostor_open(&us, script_byte(&script) & 1 ? GREATER : LESSER);
    if (script_byte(&script) & 1)
        impostor_greet(&us);
    for (steps = 0; script.at < script.end && steps < 10000; steps++)
        script_step(&us, &script, &number, &posted);
    thi_hub_fini(&us.hub, us.now);
    cr_assert_eq(us.settled, posted);
    cr_assert_leq(us.undelivered + us.poisoned, posted);
    mailroom_close(&us.room);
}

#endif
