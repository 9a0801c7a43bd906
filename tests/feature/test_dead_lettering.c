/* What cannot be delivered goes to every actor that registered for it. Thespian knows one handler
 * at a time, the last to register; here each handler hears of each letter, until it says stop or
 * exits. */
#include "tests/support/system.h"
#include "tests/support/talk.h"

struct handler {
    int64_t letters;
    int64_t wrong; /* letters that do not say what they should */
    struct talk_waiter waiter;
};

static bool is_good_letter(const struct th_dead_letter *letter)
{
    return !th_addr_is_none(letter->target) && letter->reason < TH_DEAD_COUNT && letter->message &&
           !th_addr_is_none(th_msg_sender(letter->message)) &&
           th_addr_equal(th_msg_target(letter->message), letter->target);
}

static th_err switch_letters(th_self *self, const th_msg *msg, bool on)
{
    th_err err = th_dead_letters_to_me(self, on);

    return err ? err : talk_say(self, th_msg_sender(msg), "done");
}

static th_err handler_receive(th_self *self, void *state, const th_msg *msg)
{
    struct handler *handler = state;

    if (talk_is(msg, "Start"))
        return switch_letters(self, msg, true);
    if (talk_is(msg, "Stop"))
        return switch_letters(self, msg, false);
    if (talk_is(msg, "Count"))
        return talk_count(self, th_msg_sender(msg), handler->letters);
    if (talk_is(msg, "Wrong"))
        return talk_count(self, th_msg_sender(msg), handler->wrong);
    if (talk_number_of(msg))
        return talk_waiter_set(self, &handler->waiter, msg, handler->letters);
    if (!th_dead_letter_of(msg))
        return TH_OK;
    handler->wrong += !is_good_letter(th_dead_letter_of(msg));
    return talk_waiter_check(self, &handler->waiter, ++handler->letters);
}

static const th_class handler_class = { .name = "handler",
                                        .state_size = sizeof(struct handler),
                                        .receive = handler_receive };

/* A parent hands everything to its one child, whatever has become of it. */
struct parent {
    th_addr child;
    int64_t exits;
    struct talk_waiter waiter;
};

static th_err parent_receive(th_self *self, void *state, const th_msg *msg)
{
    struct parent *parent = state;
    th_err err = TH_OK;

    if (th_child_exited_of(msg))
        return talk_waiter_check(self, &parent->waiter, ++parent->exits);
    if (th_exit_request_of(msg) || th_poison_of(msg))
        return TH_OK;
    if (th_addr_is_none(parent->child))
        err = th_spawn(self, &handler_class, NULL, &parent->child);
    if (err)
        return err;
    if (!talk_is(msg, "exit please"))
        return th_forward(self, parent->child, msg);
    parent->waiter = (struct talk_waiter){ .who = th_msg_sender(msg), .until = 1 };
    return th_stop(self, parent->child);
}

static const th_class parent_class = { .name = "parent",
                                       .state_size = sizeof(struct parent),
                                       .receive = parent_receive };

/* The five scenarios run on handlers and pawns that are top-level, or children of a parent. */
struct scene {
    th_self *me;
    const th_class *klass;
    th_addr guardian;
    th_addr witness; /* a handler throughout, so that one can tell when a letter was dealt with */
    int64_t witnessed;
};

static struct scene open_scene(th_self *me, const th_class *klass)
{
    struct scene scene = { .me = me, .klass = klass };

    scene.guardian = talk_create(me, &talk_guardian);
    scene.witness = talk_create(me, &handler_class);
    talk_expect(me, scene.witness, "Start", "done");
    return scene;
}

/* An address that is dead, or passes on to one that is. */
static th_addr dead_pawn(struct scene *scene)
{
    th_addr pawn;

    if (scene->klass == &handler_class) {
        pawn = talk_raise(scene->me, scene->guardian, &handler_class);
        must(th_stop(scene->me, pawn));
        talk_wait_for(scene->me, scene->guardian, 1);
        return pawn;
    }
    pawn = talk_create(scene->me, &parent_class);
    cr_assert_eq(talk_ask_number(scene->me, pawn, "exit please"), 1);
    return pawn;
}

/* A letter to the dead, over with when this returns, as far as the admin goes. */
static void write_to(struct scene *scene, th_addr pawn, const char *text)
{
    must(talk_say(scene->me, pawn, text));
    talk_wait_for(scene->me, scene->witness, ++scene->witnessed);
}

static int64_t count(struct scene *scene, th_addr handler)
{
    return talk_ask_number(scene->me, handler, "Count");
}

static void check_register(th_self *me, const th_class *klass)
{
    struct scene scene = open_scene(me, klass);
    th_addr handler = talk_create(me, klass);

    cr_assert_eq(count(&scene, handler), 0);
    talk_expect(me, handler, "Start", "done");
    cr_assert_eq(count(&scene, handler), 0);
    talk_expect(me, handler, "Stop", "done");
    cr_assert_eq(count(&scene, handler), 0);
    cr_assert_eq(count(&scene, scene.witness), 0);
}

static void check_letters(th_self *me, const th_class *klass)
{
    struct scene scene = open_scene(me, klass);
    th_addr handler = talk_create(me, klass), pawn;

    talk_expect(me, handler, "Start", "done");
    pawn = dead_pawn(&scene);
    write_to(&scene, pawn, "hello");
    talk_wait_for(me, handler, 1);
    write_to(&scene, pawn, "hi");
    talk_wait_for(me, handler, 2);
    cr_assert_eq(talk_ask_number(me, handler, "Wrong"), 0);

    talk_expect(me, handler, "Stop", "done");
    write_to(&scene, pawn, "another");
    write_to(&scene, pawn, "and another");
    cr_assert_eq(count(&scene, handler), 2);
    cr_assert_eq(talk_counts(th_self_system(me)).dead_by_reason[TH_DEAD_NO_ACTOR], 4);
}

static void check_register_twice(th_self *me, const th_class *klass)
{
    struct scene scene = open_scene(me, klass);
    th_addr handler = talk_create(me, klass), pawn;

    talk_expect(me, handler, "Start", "done");
    pawn = dead_pawn(&scene);
    write_to(&scene, pawn, "hello");
    write_to(&scene, pawn, "hi");
    talk_wait_for(me, handler, 2);
    talk_expect(me, handler, "Start", "done");
    write_to(&scene, pawn, "another");
    write_to(&scene, pawn, "and another");
    talk_wait_for(me, handler, 4);
    write_to(&scene, pawn, "last"); /* would show a second copy of the one before */
    talk_wait_for(me, handler, 5);
    cr_assert_eq(count(&scene, handler), 5);
    talk_expect(me, handler, "Stop", "done"); /* once is enough, too */
    write_to(&scene, pawn, "unheard");
    write_to(&scene, pawn, "of");
    cr_assert_eq(count(&scene, handler), 5);
}

static void check_several(th_self *me, const th_class *klass)
{
    struct scene scene = open_scene(me, klass);
    th_addr one = talk_create(me, klass), two = talk_create(me, klass), pawn;

    talk_expect(me, one, "Start", "done");
    pawn = dead_pawn(&scene);
    write_to(&scene, pawn, "hello");
    talk_wait_for(me, one, 1);
    cr_assert_eq(count(&scene, two), 0);

    talk_expect(me, two, "Start", "done");
    write_to(&scene, pawn, "another");
    talk_wait_for(me, one, 2);
    talk_wait_for(me, two, 1);

    talk_expect(me, one, "Stop", "done");
    write_to(&scene, pawn, "more");
    write_to(&scene, pawn, "more again");
    talk_wait_for(me, two, 3);
    cr_assert_eq(count(&scene, one), 2);

    talk_expect(me, two, "Stop", "done");
    write_to(&scene, pawn, "unheard");
    write_to(&scene, pawn, "of");
    cr_assert_eq(count(&scene, one), 2);
    cr_assert_eq(count(&scene, two), 3);

    talk_expect(me, one, "Start", "done");
    write_to(&scene, pawn, "reprise");
    talk_wait_for(me, one, 3);
    cr_assert_eq(count(&scene, two), 3);
}

static void check_removal(th_self *me, const th_class *klass)
{
    struct scene scene = open_scene(me, klass);
    th_addr one = talk_create(me, klass), pawn;
    th_addr guardian = talk_create(me, &talk_guardian);
    th_addr two = talk_raise(me, guardian, klass);
    uint64_t dead;

    talk_expect(me, one, "Start", "done");
    talk_expect(me, two, "Start", "done");
    pawn = dead_pawn(&scene);
    write_to(&scene, pawn, "hello");
    talk_wait_for(me, one, 1);
    talk_wait_for(me, two, 1);

    must(th_stop(me, two));
    talk_wait_for(me, guardian, 1);
    write_to(&scene, pawn, "another");
    write_to(&scene, pawn, "and another");
    talk_wait_for(me, one, 3);
    /* What was on its way to the handler that left makes at most a letter each, and no letter about
     * a letter goes round for ever. */
    dead = talk_counts(th_self_system(me)).dead;
    cr_assert_leq(dead, 3 + 2);
    talk_expect(me, one, "Stop", "done");
    write_to(&scene, pawn, "unheard");
    talk_expect(me, one, "Start", "done");
    write_to(&scene, pawn, "heard");
    talk_wait_for(me, one, 4);
    cr_assert_eq(count(&scene, one), 4);
}

#define DEAD_LETTER_TESTS(suffix, klass)                                                           \
    BOTH_BASES(dead_lettering, register_##suffix)                                                  \
    {                                                                                              \
        check_register(ts->me, klass);                                                             \
    }                                                                                              \
    BOTH_BASES(dead_lettering, letters_##suffix)                                                   \
    {                                                                                              \
        check_letters(ts->me, klass);                                                              \
    }                                                                                              \
    BOTH_BASES(dead_lettering, register_twice_##suffix)                                            \
    {                                                                                              \
        check_register_twice(ts->me, klass);                                                       \
    }                                                                                              \
    BOTH_BASES(dead_lettering, several_handlers_##suffix)                                          \
    {                                                                                              \
        check_several(ts->me, klass);                                                              \
    }                                                                                              \
    BOTH_BASES(dead_lettering, a_handler_exits_##suffix)                                           \
    {                                                                                              \
        check_removal(ts->me, klass);                                                              \
    }

DEAD_LETTER_TESTS(top_level, &handler_class)
DEAD_LETTER_TESTS(sub_actor, &parent_class)

/* ---- what a letter says ---- */

/* Passes on each letter's reason, target and text. */
#define REPORT_FIELDS(F, S) F(S, u32, reason) F(S, addr, target) F(S, chars, text, TALK_TEXT_SIZE)
TH_MESSAGE(report, REPORT_FIELDS);
TH_MESSAGE_TYPE(report, REPORT_FIELDS)

struct reporter {
    th_addr client;
};

static th_err reporter_receive(th_self *self, void *state, const th_msg *msg)
{
    struct reporter *reporter = state;
    const struct th_dead_letter *letter = th_dead_letter_of(msg);
    struct report report = { 0 };

    if (talk_is(msg, "Start")) {
        reporter->client = th_msg_sender(msg);
        return th_dead_letters_to_me(self, true);
    }
    if (!letter || !talk_word_of(letter->message))
        return TH_OK;
    report.reason = letter->reason;
    report.target = letter->target;
    memcpy(report.text, talk_word_of(letter->message)->text, sizeof(report.text));
    return report_send(self, reporter->client, report);
}

static const th_class reporter_class = { .name = "reporter",
                                         .state_size = sizeof(struct reporter),
                                         .receive = reporter_receive };

static void expect_report(th_self *me, th_addr target, const char *text, th_dead_reason reason)
{
    th_msg *msg = NULL;

    must(th_listen(me, TALK_PATIENCE, &msg));
    cr_assert_not_null(report_of(msg));
    cr_assert_str_eq(report_of(msg)->text, text);
    cr_assert_eq(report_of(msg)->reason, reason, "'%s' is dead since: %s", text,
                 th_dead_reason_text(report_of(msg)->reason));
    cr_assert(th_addr_equal(report_of(msg)->target, target));
    th_msg_destroy(me, msg);
}

static th_err init_fails(th_self *self, void *state, const th_msg *arg)
{
    return TH_E_FAILED;
}

static const th_class stillborn = { .name = "stillborn", .init = init_fails };

/* Answers twice. */
static th_err twice_receive(th_self *self, void *state, const th_msg *msg)
{
    th_err err;

    if (!talk_word_of(msg))
        return TH_OK;
    err = talk_say(self, th_msg_sender(msg), "first");
    return err ? err : talk_say(self, th_msg_sender(msg), "second");
}

static const th_class answers_twice = { .name = "answers_twice", .receive = twice_receive };

BOTH_BASES(dead_lettering, a_letter_says_why)
{
    th_addr reporter = talk_create(ts->me, &reporter_class), actor, nobody;
    th_addr guardian = talk_create(ts->me, &talk_guardian);
    th_msg *answer;

    must(talk_say(ts->me, reporter, "Start"));
    talk_expect_silence(ts->me, reporter, "Started?");

    actor = talk_raise(ts->me, guardian, &talk_echo);
    must(th_stop(ts->me, actor));
    talk_wait_for(ts->me, guardian, 1);
    must(talk_say(ts->me, actor, "to the dead"));
    expect_report(ts->me, actor, "to the dead", TH_DEAD_NO_ACTOR);

    nobody = actor;
    nobody.slot = UINT32_MAX; /* past every table */
    must(talk_say(ts->me, nobody, "to nobody"));
    expect_report(ts->me, nobody, "to nobody", TH_DEAD_NO_ACTOR);

    nobody.system ^= 1;
    must(talk_say(ts->me, nobody, "to the stars"));
    expect_report(ts->me, nobody, "to the stars", TH_DEAD_FOREIGN);

    actor = talk_create(ts->me, &answers_twice);
    answer = talk_ask(ts->me, actor, "well?");
    cr_assert(talk_is(answer, "first"));
    th_msg_destroy(ts->me, answer);
    must(th_listen(ts->me, TALK_PATIENCE, &answer));
    cr_assert_not_null(report_of(answer));
    cr_assert_str_eq(report_of(answer)->text, "second");
    cr_assert_eq(report_of(answer)->reason, TH_DEAD_LATE);
    th_msg_destroy(ts->me, answer);
}

BOTH_BASES(dead_lettering, mail_of_a_stillborn_actor)
{
    th_addr reporter = talk_create(ts->me, &reporter_class), actor;
    th_msg *msg = NULL;

    must(talk_say(ts->me, reporter, "Start"));
    talk_expect_silence(ts->me, reporter, "Started?");
    must(th_spawn(ts->me, &stillborn, NULL, &actor));
    must(talk_say(ts->me, actor, "hello"));
    /* sent before its init ran, or after */
    must(th_listen(ts->me, TALK_PATIENCE, &msg));
    cr_assert_not_null(report_of(msg));
    cr_assert(report_of(msg)->reason == TH_DEAD_INIT || report_of(msg)->reason == TH_DEAD_NO_ACTOR);
    cr_assert(th_addr_equal(report_of(msg)->target, actor));
    th_msg_destroy(ts->me, msg);
}

/* Mail that waits behind an exit request, or comes while the children exit, is not lost. */
BOTH_BASES(dead_lettering, mail_behind_an_exit_request)
{
    enum { COUNT = 100 };
    th_addr reporter = talk_create(ts->me, &reporter_class);
    th_addr actor = talk_create(ts->me, &talk_counter);

    must(talk_say(ts->me, reporter, "Start"));
    talk_expect_silence(ts->me, reporter, "Started?");
    must(th_stop(ts->me, actor));
    for (int i = 0; i < COUNT; i++)
        must(talk_say(ts->me, actor, "too late"));
    for (int i = 0; i < COUNT; i++) {
        th_msg *msg = NULL;

        must(th_listen(ts->me, TALK_PATIENCE, &msg));
        cr_assert_not_null(report_of(msg));
        cr_assert(report_of(msg)->reason == TH_DEAD_WAITING ||
                  report_of(msg)->reason == TH_DEAD_EXITING ||
                  report_of(msg)->reason == TH_DEAD_NO_ACTOR);
        th_msg_destroy(ts->me, msg);
    }
}

BOTH_BASES(dead_lettering, only_so_many_handlers)
{
    th_addr last = th_addr_none();
    th_msg *answer;

    for (int i = 0; i < TH_DEAD_LETTER_HANDLERS_MAX; i++)
        talk_expect(ts->me, talk_create(ts->me, &handler_class), "Start", "done");
    last = talk_create(ts->me, &handler_class);
    answer = talk_ask(ts->me, last, "Start");
    cr_assert_not_null(th_poison_of(answer));
    cr_assert_eq(th_poison_of(answer)->err, TH_E_LIMIT);
    th_msg_destroy(ts->me, answer);
}
