/* Two lovers and a nurse: actors exchange sequences of messages, know who they are, and have
 * children. */
#include "tests/support/system.h"
#include "tests/support/talk.h"

/* ---- the cast ---- */

TH_MESSAGE(juliet_appears, TALK_WHOM_FIELDS);
TH_MESSAGE_TYPE(juliet_appears, TALK_WHOM_FIELDS)

#define BEGIN_FIELDS(F, S) F(S, addr, romeo) F(S, addr, juliet)
TH_MESSAGE(begin, BEGIN_FIELDS);
TH_MESSAGE_TYPE(begin, BEGIN_FIELDS)

static const th_class rosaline = { .name = "rosaline" };

/* Replies by the book: @line is answered with @reply, NULL says nothing. */
struct cue {
    const char *line;
    const char *reply;
};

static th_err by_the_book(th_self *self, const th_msg *msg, const struct cue *cues)
{
    for (const struct cue *cue = cues; cue->line; cue++) {
        if (talk_is(msg, cue->line))
            return cue->reply ? talk_say(self, th_msg_sender(msg), cue->reply) : TH_OK;
    }
    if (talk_is(msg, "who are you?"))
        return talk_whom_send(self, th_msg_sender(msg),
                              (struct talk_whom){ .addr = th_self_addr(self) });
    return TH_OK;
}

static const struct cue romeos_cues[] = {
    { "Ay me!", "She speaks!" },
    { "O Romeo, Romeo! wherefore art thou Romeo?", "Shall I hear more, or shall I speak at this?" },
    { "What's in a name? That which we call a rose", NULL }, /* he waits for the end of it */
    { "By any other name would smell as sweet", "Like softest music to attending ears!" },
    { NULL, NULL }
};

static th_err romeo_receive(th_self *self, void *state, const th_msg *msg)
{
    const struct juliet_appears *appears = juliet_appears_of(msg);

    if (appears)
        return talk_say(self, appears->addr, "But, soft! what light through yonder window?");
    return by_the_book(self, msg, romeos_cues);
}

static const th_class romeo_class = { .name = "romeo", .receive = romeo_receive };

struct juliet {
    th_addr nurse;
    bool was_called;
};

static const struct cue juliets_cues[] = {
    { "But, soft! what light through yonder window?", "Ay me!" },
    { "what light?", "Ay me!" },
    { "She speaks!", "O Romeo, Romeo! wherefore art thou Romeo?" },
    { NULL, NULL }
};

static th_err juliet_receive(th_self *self, void *state, const th_msg *msg)
{
    struct juliet *juliet = state;
    th_addr sender = th_msg_sender(msg);
    th_err err;

    if (talk_is(msg, "Shall I hear more, or shall I speak at this?")) {
        err = talk_say(self, sender, "What's in a name? That which we call a rose");
        return err ? err : talk_say(self, sender, "By any other name would smell as sweet");
    }
    if (talk_is(msg, "Like softest music to attending ears!")) {
        juliet->was_called = true;
        return th_addr_is_none(juliet->nurse) ? TH_OK
                                              : talk_say(self, juliet->nurse, "Anon, good nurse!");
    }
    if (talk_is(msg, "Mistress!")) {
        juliet->nurse = sender;
        return juliet->was_called ? talk_say(self, sender, "Anon, good nurse!") : TH_OK;
    }
    return by_the_book(self, msg, juliets_cues);
}

static const th_class juliet_class = { .name = "juliet",
                                       .state_size = sizeof(struct juliet),
                                       .receive = juliet_receive };

struct nurse {
    int64_t heard;
    struct talk_waiter waiter;
};

static th_err nurse_receive(th_self *self, void *state, const th_msg *msg)
{
    struct nurse *nurse = state;
    const struct begin *begin = begin_of(msg);
    th_err err;

    if (begin) {
        err = juliet_appears_send(self, begin->romeo,
                                  (struct juliet_appears){ .addr = begin->juliet });
        return err ? err : talk_say(self, begin->juliet, "Mistress!");
    }
    if (talk_is(msg, "Anon, good nurse!"))
        return talk_waiter_check(self, &nurse->waiter, ++nurse->heard);
    if (talk_is(msg, "done?"))
        return talk_say(self, th_msg_sender(msg), nurse->heard ? "Fini" : "not yet");
    if (talk_number_of(msg))
        return talk_waiter_set(self, &nurse->waiter, msg, nurse->heard);
    return TH_OK;
}

static const th_class nurse_class = { .name = "nurse",
                                      .state_size = sizeof(struct nurse),
                                      .receive = nurse_receive };

static th_err capulet_receive(th_self *self, void *state, const th_msg *msg)
{
    th_addr juliet;
    th_err err;

    if (!talk_is(msg, "has a daughter?"))
        return TH_OK;
    err = th_spawn(self, &juliet_class, NULL, &juliet);
    return err ? err
               : talk_whom_send(self, th_msg_sender(msg), (struct talk_whom){ .addr = juliet });
}

static const th_class capulet_class = { .name = "capulet", .receive = capulet_receive };

/* ---- scenes ---- */

BOTH_BASES(actors, a_system_with_an_actor_starts_and_stops)
{
    talk_create(ts->me, &rosaline);
    must(th_system_shutdown(ts->sys, TALK_PATIENCE, NULL, NULL));
}

BOTH_BASES(actors, a_second_shutdown_is_harmless)
{
    talk_create(ts->me, &rosaline);
    must(th_system_shutdown(ts->sys, TALK_PATIENCE, NULL, NULL));
    must_be(th_system_shutdown(ts->sys, TALK_PATIENCE, NULL, NULL), TH_E_STATE);
    must_be(th_system_shutdown(ts->sys, 0, NULL, NULL), TH_E_STATE);
}

BOTH_BASES(actors, two_classes_make_two_actors)
{
    th_addr romeo = talk_create(ts->me, &romeo_class);
    th_addr juliet = talk_create(ts->me, &juliet_class);

    cr_assert(!th_addr_equal(romeo, juliet));
}

BOTH_BASES(actors, one_class_makes_two_actors)
{
    th_addr romeo = talk_create(ts->me, &romeo_class);
    th_addr juliet = talk_create(ts->me, &juliet_class);
    th_addr second = talk_create(ts->me, &romeo_class);

    cr_assert(!th_addr_equal(romeo, juliet));
    cr_assert(!th_addr_equal(romeo, second));
    cr_assert(!th_addr_equal(juliet, second));
}

BOTH_BASES(actors, many_actors_have_unique_addresses)
{
    enum { COUNT = 500 };
    static th_addr all[COUNT];

    for (int i = 0; i < COUNT; i++) {
        all[i] = talk_create(ts->me, &juliet_class);
        for (int j = 0; j < i; j++)
            cr_assert(!th_addr_equal(all[i], all[j]), "actors %d and %d share an address", i, j);
    }
}

BOTH_BASES(actors, many_addresses_are_printable)
{
    for (int i = 0; i < 100; i++) {
        th_addr addr = talk_create(ts->me, &juliet_class), again = th_addr_none();
        char text[TH_ADDR_TEXT_SIZE];
        size_t length = th_addr_print(addr, text, sizeof(text));

        cr_assert_lt(length, sizeof(text));
        cr_assert_eq(strlen(text), length);
        cr_assert_eq(strspn(text, "0123456789abcdef."), length, "odd characters in %s", text);
        must(th_addr_parse(text, &again));
        cr_assert(th_addr_equal(addr, again));
    }
}

BOTH_BASES(actors, telling_an_actor_that_does_not_listen_is_fine)
{
    th_addr actor = talk_create(ts->me, &rosaline);

    must(th_tell(ts->me, actor, talk_word(ts->me, "hello")));
    talk_expect_silence(ts->me, actor, "hello?");
}

BOTH_BASES(actors, a_single_actor_is_told)
{
    th_addr romeo = talk_create(ts->me, &romeo_class);

    must(th_tell(ts->me, romeo, talk_word(ts->me, "hello")));
    talk_hear_nothing(ts->me);
}

static const char *const wherefore = "O Romeo, Romeo! wherefore art thou Romeo?";
static const char *const hear_more = "Shall I hear more, or shall I speak at this?";

BOTH_BASES(actors, a_single_actor_is_asked)
{
    talk_expect(ts->me, talk_create(ts->me, &romeo_class), wherefore, hear_more);
}

BOTH_BASES(actors, no_answer_then_an_answer)
{
    th_addr romeo = talk_create(ts->me, &romeo_class);

    talk_expect_silence(ts->me, romeo, "What's in a name? That which we call a rose");
    talk_expect(ts->me, romeo, wherefore, hear_more);
}

BOTH_BASES(actors, one_actor_is_asked_many_times)
{
    th_addr romeo = talk_create(ts->me, &romeo_class);

    talk_expect(ts->me, romeo, wherefore, hear_more);
    talk_expect(ts->me, romeo, wherefore, hear_more);
    talk_expect(ts->me, romeo, "Ay me!", "She speaks!");
    talk_expect(ts->me, romeo, wherefore, hear_more);
}

BOTH_BASES(actors, many_actors_are_asked_many_times)
{
    th_addr romeo = talk_create(ts->me, &romeo_class);
    th_addr juliet;

    talk_expect(ts->me, romeo, wherefore, hear_more);
    juliet = talk_create(ts->me, &juliet_class);
    talk_expect(ts->me, romeo, wherefore, hear_more);
    talk_expect(ts->me, romeo, "Ay me!", "She speaks!");
    talk_expect(ts->me, juliet, "She speaks!", wherefore);
    talk_expect(ts->me, romeo, "Ay me!", "She speaks!");
    talk_expect(ts->me, juliet, "what light?", "Ay me!");
}

BOTH_BASES(actors, an_actor_has_children)
{
    th_addr capulet = talk_create(ts->me, &capulet_class);
    th_addr first = talk_ask_addr(ts->me, capulet, "has a daughter?"), second;
    th_actor_status status;

    talk_expect(ts->me, first, "what light?", "Ay me!");
    second = talk_ask_addr(ts->me, capulet, "has a daughter?");
    cr_assert(!th_addr_equal(first, second));
    talk_expect(ts->me, second, "what light?", "Ay me!");
    talk_expect(ts->me, first, "what light?", "Ay me!");

    must(th_actor_status_read(ts->sys, first, &status));
    cr_assert(th_addr_equal(status.parent, capulet));
    must(th_actor_status_read(ts->sys, capulet, &status));
    cr_assert_eq(status.children, 2);
}

BOTH_BASES(actors, the_entire_act)
{
    th_addr romeo = talk_create(ts->me, &romeo_class);
    th_addr juliet = talk_create(ts->me, &juliet_class);
    th_addr nurse = talk_create(ts->me, &nurse_class);

    talk_expect(ts->me, nurse, "done?", "not yet");
    must(begin_send(ts->me, nurse, (struct begin){ .romeo = romeo, .juliet = juliet }));
    talk_wait_for(ts->me, nurse, 1);
    talk_expect(ts->me, nurse, "done?", "Fini");
}

BOTH_BASES(actors, the_act_with_a_late_nurse)
{
    th_addr romeo = talk_create(ts->me, &romeo_class);
    th_addr juliet = talk_create(ts->me, &juliet_class);
    th_addr nurse;

    must(juliet_appears_send(ts->me, romeo, (struct juliet_appears){ .addr = juliet }));
    nurse = talk_create(ts->me, &nurse_class);
    talk_expect(ts->me, nurse, "done?", "not yet");
    must(begin_send(ts->me, nurse, (struct begin){ .romeo = romeo, .juliet = juliet }));

    /* The act is played twice; whether the first ends before she calls is nobody's promise. */
    talk_wait_for(ts->me, nurse, 1);
    talk_expect(ts->me, nurse, "done?", "Fini");
}

BOTH_BASES(actors, an_actor_knows_who_it_is)
{
    th_addr romeo = talk_create(ts->me, &romeo_class);
    th_addr juliet = talk_create(ts->me, &juliet_class);

    cr_assert(th_addr_equal(talk_ask_addr(ts->me, romeo, "who are you?"), romeo));
    cr_assert(th_addr_equal(talk_ask_addr(ts->me, juliet, "who are you?"), juliet));
    cr_assert(!th_addr_equal(romeo, juliet));
}
