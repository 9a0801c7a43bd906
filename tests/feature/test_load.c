/* Many messages along a chain of actors: forgotten, forgotten but for the last, and each answered.
 * The counts are Thespian's times a thousand, asking times a hundred. */
#include "tests/support/system.h"
#include "tests/support/talk.h"

enum { DEPTH_MAX = 5 };

/* Passes along @hops and then to @asker, unless it is none. */
#define LOAD_FIELDS(F, S)                                                                          \
    F(S, i64, sum)                                                                                 \
    F(S, addr, asker)                                                                              \
    F(S, bool_, is_discarded) F(S, u32, next) F(S, u32, count) F(S, array, addr, hops, DEPTH_MAX)
TH_MESSAGE(load, LOAD_FIELDS);
TH_MESSAGE_TYPE(load, LOAD_FIELDS)

struct loaded {
    int64_t sum;
};

static th_err load_receive(th_self *self, void *state, const th_msg *msg)
{
    struct loaded *loaded = state;
    struct load load;

    if (!load_of(msg))
        return TH_OK;
    load = *load_of(msg);
    if (th_addr_is_none(load.asker))
        load.asker = th_msg_sender(msg);
    load.sum = ++loaded->sum;
    if (load.next < load.count)
        return load_send(self, load.hops[load.next++], load);
    return load.is_discarded ? TH_OK : load_send(self, load.asker, load);
}

static const th_class load_class = { .name = "load",
                                     .state_size = sizeof(struct loaded),
                                     .receive = load_receive };

static struct load make_load(const th_addr *chain, uint32_t depth, bool is_discarded)
{
    struct load load = { .is_discarded = is_discarded, .next = 1, .count = depth };

    memcpy(load.hops, chain, depth * sizeof(chain[0]));
    return load;
}

static void ask_load(th_self *me, const th_addr *chain, uint32_t depth, int64_t expected)
{
    struct load *body;
    th_msg *question = load_new(me, &body), *answer = NULL;

    cr_assert_not_null(question);
    *body = make_load(chain, depth, false);
    must(th_ask(me, chain[0], question, TALK_PATIENCE, &answer));
    cr_assert_not_null(load_of(answer));
    cr_assert_eq(load_of(answer)->sum, expected);
    th_msg_destroy(me, answer);
}

static void discard(th_self *me, const th_addr *chain, uint32_t depth, int count)
{
    for (int i = 0; i < count; i++)
        must(load_send(me, chain[0], make_load(chain, depth, true)));
}

enum how { DISCARD, DISCARD_THEN_ASK, ASK };

static void run(struct test_system *ts, enum how how, int count, uint32_t depth)
{
    th_addr guardian = talk_create(ts->me, &talk_guardian), chain[DEPTH_MAX];
    struct th_counts before = talk_counts(ts->sys), after;

    for (uint32_t i = 0; i < depth; i++)
        chain[i] = talk_raise(ts->me, guardian, &load_class);
    if (how != ASK)
        discard(ts->me, chain, depth, count);
    if (how == DISCARD_THEN_ASK)
        ask_load(ts->me, chain, depth, count + 1);
    for (int i = 0; how == ASK && i < count; i++)
        ask_load(ts->me, chain, depth, i + 1);
    for (uint32_t i = 0; i < depth; i++)
        must(th_stop(ts->me, chain[i]));
    talk_wait_for(ts->me, guardian, depth);
    after = talk_counts(ts->sys);
    cr_assert_geq(after.accepted - before.accepted, (uint64_t)count);
    if (how == ASK)
        cr_assert_eq(after.dead, before.dead);
}

static void run_all(struct test_system *ts, enum how how, int scale)
{
    const int counts[] = { 5, 20, 50 };
    const uint32_t depths[] = { 2, 3, 5 };

    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++)
            run(ts, how, counts[i] * scale, depths[j]);
    }
}

BOTH_BASES(load, same_path_and_discard)
{
    run_all(ts, DISCARD, 1000);
}

BOTH_BASES(load, same_path_and_discard_and_final_ask)
{
    run_all(ts, DISCARD_THEN_ASK, 1000);
}

BOTH_BASES(load, same_path_asking)
{
    run_all(ts, ASK, 100);
}
