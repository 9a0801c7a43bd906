/* Become and unbecome. */
#include "tests/support/system.h"
#include "tests/support/talk.h"

static th_err say_back(th_self *self, const th_msg *msg, const char *who)
{
    return talk_say(self, th_msg_sender(msg), who);
}

/* ---- become: a door ---- */

static th_err open_receive(th_self *self, void *state, const th_msg *msg);
static const th_behaviour open_behaviour = { .name = "open", .receive = open_receive };

static th_err locked_word(th_self *self, void *state, const th_msg *msg)
{
    th_err err = TH_OK;

    if (talk_is(msg, "key")) {
        err = th_become(self, &open_behaviour);
        return err ? err : say_back(self, msg, "unlocked");
    }
    return talk_is(msg, "push") ? say_back(self, msg, "stays shut") : TH_SUPER;
}

static const th_case locked_cases[] = { { &talk_word_type, locked_word }, { NULL, NULL } };
static const th_behaviour locked_behaviour = { .name = "locked", .cases = locked_cases };

static th_err open_receive(th_self *self, void *state, const th_msg *msg)
{
    th_err err = TH_OK;

    if (talk_is(msg, "push"))
        return say_back(self, msg, "opens");
    if (talk_is(msg, "lock"))
        err = th_become_over(self, &locked_behaviour);
    else if (talk_is(msg, "back"))
        err = th_unbecome(self);
    else
        return TH_SUPER;
    return err ? err : say_back(self, msg, "done");
}

static th_err door_receive(th_self *self, void *state, const th_msg *msg)
{
    const th_behaviour *now = th_self_behaviour(self);
    th_err err;

    if (talk_is(msg, "what?"))
        return say_back(self, msg, now ? now->name : "door");
    if (talk_is(msg, "push"))
        return say_back(self, msg, "is new");
    if (talk_is(msg, "lock")) {
        err = th_become(self, &locked_behaviour);
        return err ? err : say_back(self, msg, "locked");
    }
    if (talk_is(msg, "pile up")) {
        for (int i = 0; i < TH_BEHAVIOURS_MAX; i++)
            if ((err = th_become_over(self, &open_behaviour)))
                return err;
        return say_back(self, msg, th_err_name(th_become_over(self, &open_behaviour)));
    }
    if (talk_is(msg, "fail"))
        return TH_E_FAILED;
    return TH_OK;
}

static const th_class door_class = { .name = "door", .receive = door_receive };
static const th_class mended_class = { .name = "mended door",
                                       .receive = door_receive,
                                       .on_failure = TH_ON_FAILURE_RESTART };

static void check_door(struct test_system *ts, th_addr door)
{
    talk_expect(ts->me, door, "push", "is new");
    talk_expect(ts->me, door, "lock", "locked");
    talk_expect(ts->me, door, "push", "stays shut");
    talk_expect(ts->me, door, "what?", "locked"); /* passed on to the class */
    talk_expect(ts->me, door, "key", "unlocked");
    talk_expect(ts->me, door, "push", "opens");
    talk_expect(ts->me, door, "what?", "open");
}

BOTH_BASES(behaviour, becomes_and_returns)
{
    th_addr door = talk_create(ts->me, &door_class);

    check_door(ts, door);
    talk_expect(ts->me, door, "lock", "done"); /* on top of open */
    talk_expect(ts->me, door, "push", "stays shut");
    talk_expect(ts->me, door, "key", "unlocked"); /* in its place */
    talk_expect(ts->me, door, "back", "done");
    talk_expect(ts->me, door, "push", "opens");
    talk_expect(ts->me, door, "back", "done");
    talk_expect(ts->me, door, "push", "is new");
}

BOTH_BASES(behaviour, piles_up_to_a_limit_and_a_restart_forgets_it)
{
    th_addr door = talk_create(ts->me, &mended_class);
    th_msg *poison;

    talk_expect(ts->me, door, "pile up", "TH_E_LIMIT");
    talk_expect(ts->me, door, "push", "opens");
    poison = talk_ask(ts->me, door, "fail");
    cr_assert_not_null(th_poison_of(poison));
    th_msg_destroy(ts->me, poison);
    talk_expect(ts->me, door, "push", "is new");
}

BOTH_BASES(behaviour, a_troupes_worker_becomes_and_still_reports)
{
    th_troupe_options one = { .workers_max = 1, .idle_max = 1 };
    th_addr troupe;

    must(th_troupe_spawn(ts->me, &door_class, NULL, &one, &troupe));
    check_door(ts, troupe); /* each job is done, or the next would wait for ever */
}
