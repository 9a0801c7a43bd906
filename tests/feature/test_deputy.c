/* Threads inside an actor: they speak in its name, and it is the actor that hears.
 *
 * Past 500 lines: the actor with its threads is what every part begins with. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/system.h"
#include "tests/support/talk.h"

/* ---- an actor with threads ---- */

enum { CREW_MAX = 10 };

struct hand {
    th_self *deputy;
    th_addr host;
    pthread_t thread;
    int number;
};

/* Shared between a test and its foreman, who fills it in before he answers. */
struct crew {
    struct hand hands[CREW_MAX];
    th_addr host;
    int woken;
};

#define ORDER_FIELDS(F, S) F(S, u64, crew) F(S, i32, hands)
TH_MESSAGE(order, ORDER_FIELDS);
TH_MESSAGE_TYPE(order, ORDER_FIELDS)

struct foreman {
    struct crew *crew; /* until the test ends, before which it has said its last to us */
    bool stays;        /* puts exit requests off until told "done" */
};

static void *say_hello(void *arg)
{
    struct hand *hand = arg;
    char text[40];

    snprintf(text, sizeof(text), "thread %d", hand->number);
    if (talk_say(hand->deputy, hand->host, text) || th_deputy_close(hand->deputy))
        hand->number = -1;
    return NULL;
}

/* Starts a thread for each hand; 0: opens deputies for the test to use, and starts none. */
static th_err begin(th_self *self, struct foreman *foreman, const th_msg *msg)
{
    const struct order *order = order_of(msg);
    struct crew *crew = foreman->crew = (struct crew *)(uintptr_t)order->crew;
    th_err err;

    crew->host = th_msg_sender(msg);
    for (int i = 0; i < (order->hands ? order->hands : CREW_MAX); i++) {
        struct hand *hand = &crew->hands[i];

        hand->number = i;
        hand->host = crew->host;
        err = th_deputy_open(self, &hand->deputy);
        if (err)
            return err;
        if (order->hands && pthread_create(&hand->thread, NULL, say_hello, hand))
            return TH_E_THREAD;
    }
    return talk_say(self, crew->host, "begun");
}

static th_err foreman_receive(th_self *self, void *state, const th_msg *msg)
{
    struct foreman *foreman = state;
    const struct th_wakeup *wakeup = th_wakeup_of(msg);

    if (order_of(msg))
        return begin(self, foreman, msg);
    if (wakeup) {
        foreman->crew->woken++;
        return wakeup->payload ? th_forward(self, foreman->crew->host, wakeup->payload) : TH_OK;
    }
    if (th_exit_request_of(msg))
        return foreman->stays ? th_exit_later(self) : TH_OK;
    if (talk_is(msg, "stay")) {
        foreman->stays = true;
        return TH_OK;
    }
    if (talk_is(msg, "done"))
        return th_exit(self);
    if (talk_is(msg, "fail"))
        return TH_E_FAILED;
    if (talk_is(msg, "woken?"))
        return talk_count(self, th_msg_sender(msg), foreman->crew->woken);
    if (talk_number_of(msg)) /* the wakeup to cancel */
        return talk_count(self, th_msg_sender(msg),
                          th_wakeup_cancel(self, (uint64_t)talk_number_of(msg)->value));
    return th_poison_of(msg) ? talk_say(self, foreman->crew->host, "poisoned")
                             : th_forward(self, th_msg_sender(msg), msg);
}

static const th_class foreman_class = { .name = "foreman",
                                        .state_size = sizeof(struct foreman),
                                        .receive = foreman_receive };

/* Its threads are under way, or its deputies open. */
static void order_begin(struct test_system *ts, th_addr foreman, struct crew *crew, int hands)
{
    struct order *order;
    th_msg *msg = order_new(ts->me, &order);

    *crew = (struct crew){ 0 };
    order->crew = (uintptr_t)crew;
    order->hands = hands;
    must(th_send(ts->me, foreman, msg));
    if (hands == 0)
        talk_hear(ts->me, "begun");
}

static void close_all(struct crew *crew)
{
    for (int i = 0; i < CREW_MAX; i++)
        must(th_deputy_close(crew->hands[i].deputy));
}

/* @guardian's child has gone. */
static void stop(struct test_system *ts, th_addr guardian, th_addr foreman)
{
    must(th_stop(ts->me, foreman));
    talk_wait_for(ts->me, guardian, 1);
}

/* ---- sending ---- */

/* A scenario of Thespian's: the answers of an actor's threads come from the actor. */
static void hear_threads(struct test_system *ts, int count)
{
    th_addr foreman = talk_create(ts->me, &foreman_class);
    bool heard[CREW_MAX] = { false }, begun = false;
    struct crew crew;
    th_msg *msg;
    int number;

    order_begin(ts, foreman, &crew, count);
    for (int i = 0; i <= count; i++) {
        /* the simple base gives up when it has nothing to run, and threads come when they come */
        while (th_listen(ts->me, TALK_PATIENCE, &msg))
            ;
        cr_assert(th_addr_equal(th_msg_sender(msg), foreman));
        if (talk_is(msg, "begun")) {
            begun = true;
        } else {
            cr_assert_eq(sscanf(talk_word_of(msg)->text, "thread %d", &number), 1);
            cr_assert(number >= 0 && number < count && !heard[number]);
            heard[number] = true;
        }
        th_msg_destroy(ts->me, msg);
    }
    cr_assert(begun);
    for (int i = 0; i < count; i++) {
        cr_assert_eq(pthread_join(crew.hands[i].thread, NULL), 0);
        cr_assert_eq(crew.hands[i].number, i);
    }
    talk_expect(ts->me, foreman, "well?", "well?");
}

BOTH_BASES(deputy, one_thread)
{
    hear_threads(ts, 1);
}

BOTH_BASES(deputy, ten_threads)
{
    hear_threads(ts, CREW_MAX);
}

BOTH_BASES(deputy, has_its_actors_address_and_poison_goes_there)
{
    th_addr foreman = talk_create(ts->me, &foreman_class);
    th_addr other = talk_create(ts->me, &foreman_class);
    struct crew crew;
    th_self *deputy;

    order_begin(ts, foreman, &crew, 0);
    deputy = crew.hands[0].deputy;
    cr_assert(th_self_is_deputy(deputy) && !th_self_is_deputy(ts->me) && !th_self_is_deputy(NULL));
    cr_assert(th_addr_equal(th_self_addr(deputy), foreman));
    cr_assert_eq(th_self_system(deputy), ts->sys);
    must(talk_say(deputy, other, "fail"));
    talk_hear(ts->me, "poisoned");
    close_all(&crew);
}

/* ---- wakeups ---- */

BOTH_BASES(deputy, its_wakeups_come_to_the_actor)
{
    th_addr foreman = talk_create(ts->me, &foreman_class);
    struct crew crew;
    uint64_t id, last = 0;

    order_begin(ts, foreman, &crew, 0);
    for (int i = 0; i < CREW_MAX; i++) {
        th_self *deputy = crew.hands[i].deputy;

        must(th_wakeup_after(deputy, TH_US(1), talk_word(deputy, "wake up"), &id));
        cr_assert_neq(id, last);
        last = id;
    }
    close_all(&crew); /* they stay */
    for (int i = 0; i < CREW_MAX; i++)
        talk_hear(ts->me, "wake up");
    cr_assert_eq(talk_ask_number(ts->me, foreman, "woken?"), CREW_MAX);
}

static void expect_no_timer(struct test_system *ts, th_self *deputy, uint64_t id)
{
    must_be(th_wakeup_cancel(deputy, id), TH_E_NO_TIMER);
    cr_assert_eq(talk_counts(ts->sys).wakeups_cancelled, 1);
}

BOTH_BASES(deputy, its_wakeup_is_cancelled_by_any_deputy)
{
    th_addr foreman = talk_create(ts->me, &foreman_class);
    struct crew crew;
    uint64_t id;

    order_begin(ts, foreman, &crew, 0);
    must(th_wakeup_every(crew.hands[0].deputy, TH_S(3600), NULL, &id));
    must(th_wakeup_cancel(crew.hands[1].deputy, id));
    expect_no_timer(ts, crew.hands[0].deputy, id);
    must_be(th_wakeup_every(crew.hands[0].deputy, 0, NULL, &id), TH_E_INVALID);
    close_all(&crew);
}

BOTH_BASES(deputy, its_wakeup_is_cancelled_by_the_actor)
{
    th_addr foreman = talk_create(ts->me, &foreman_class);
    th_actor_status status;
    struct crew crew;
    th_msg *answer, *question;
    struct talk_number *body;
    uint64_t id;

    order_begin(ts, foreman, &crew, 0);
    must(th_wakeup_after(crew.hands[0].deputy, TH_S(3600), talk_word(ts->me, "never"), &id));
    must(th_actor_status_read(ts->sys, foreman, &status));
    cr_assert_eq(status.wakeups, 1);
    question = talk_number_new(ts->me, &body);
    body->value = (int64_t)id;
    must(th_ask(ts->me, foreman, question, TALK_PATIENCE, &answer));
    cr_assert_eq(talk_number_of(answer)->value, TH_OK);
    th_msg_destroy(ts->me, answer);
    expect_no_timer(ts, crew.hands[0].deputy, id);
    must(th_actor_status_read(ts->sys, foreman, &status));
    cr_assert_eq(status.wakeups, 0);
    close_all(&crew);
}

/* ---- what it does not do ---- */

static th_err hear_nothing(th_self *self, void *state, const th_msg *answer, th_err err,
                           uint64_t token)
{
    return TH_OK;
}

static void expect_refused(struct test_system *ts, th_self *deputy, th_addr other)
{
    static const th_behaviour behaviour = { .receive = foreman_receive };
    th_spawn_options how = { .klass = &talk_echo };
    th_addr addr;
    th_msg *msg;
    uint64_t id;

    must_be(th_listen(deputy, 0, &msg), TH_E_NOT_HERE);
    must_be(th_ask(deputy, other, talk_word(deputy, "?"), 0, &msg), TH_E_NOT_HERE);
    must_be(th_ask_then(deputy, other, talk_word(deputy, "?"), 0, hear_nothing, 0), TH_E_NOT_HERE);
    must_be(th_tell(deputy, other, talk_word(deputy, "?")), TH_E_NOT_HERE);
    must_be(th_endpoint_close(deputy), TH_E_NOT_HERE);
    must_be(th_spawn(deputy, &talk_echo, talk_word(deputy, "arg"), &addr), TH_E_NOT_HERE);
    must_be(th_create(deputy, &how, 0, &addr, NULL), TH_E_NOT_HERE);
    must_be(th_exit(deputy), TH_E_NOT_HERE);
    must_be(th_become(deputy, &behaviour), TH_E_NOT_HERE);
    must_be(th_watch_actor(deputy, other), TH_E_NOT_HERE);
    must_be(th_unwatch_actor(deputy, other), TH_E_NOT_HERE);
    must_be(th_link(deputy, other), TH_E_NOT_HERE);
    must_be(th_dead_letters_to_me(deputy, true), TH_E_NOT_HERE);
    must_be(th_watch_signal(deputy, 1, &id), TH_E_NOT_HERE);
    must_be(th_blocking_begin(deputy), TH_E_NOT_HERE);
    must_be(th_deputy_open(deputy, &deputy), TH_E_NOT_HERE);
    cr_assert_null(th_self_state(deputy));
    cr_assert_null(th_self_class(deputy));
}

BOTH_BASES(deputy, does_not_receive)
{
    th_addr foreman = talk_create(ts->me, &foreman_class);
    th_addr other = talk_create(ts->me, &talk_echo);
    struct crew crew;

    order_begin(ts, foreman, &crew, 0);
    expect_refused(ts, crew.hands[0].deputy, other);
    close_all(&crew);
    talk_expect(ts->me, other, "well?", "well?");
}

BOTH_BASES(deputy, is_an_actors)
{
    th_self *deputy = NULL;

    must_be(th_deputy_open(NULL, &deputy), TH_E_INVALID);
    must_be(th_deputy_open(ts->me, NULL), TH_E_INVALID);
    must_be(th_deputy_open(ts->me, &deputy), TH_E_NOT_HERE);
    must_be(th_deputy_close(NULL), TH_E_INVALID);
    must_be(th_deputy_close(ts->me), TH_E_NOT_HERE);
    cr_assert_null(deputy);
}

/* ---- the end ---- */

static void expect_closed(th_self *deputy, th_addr to)
{
    th_msg *msg = talk_word(deputy, "kept");
    th_addr addr;
    uint64_t id;

    must_be(talk_say(deputy, to, "too late"), TH_E_CLOSED);
    must_be(th_forward(deputy, to, msg), TH_E_CLOSED);
    must_be(th_stop(deputy, to), TH_E_CLOSED);
    must_be(th_when_writable(deputy, to), TH_E_CLOSED);
    must_be(th_wakeup_after(deputy, 1, talk_word(deputy, "too late"), &id), TH_E_CLOSED);
    must_be(th_wakeup_cancel(deputy, 1), TH_E_CLOSED);
    must_be(th_request_shutdown(deputy), TH_E_CLOSED);
    must_be(th_name_find(deputy, "nobody", &addr), TH_E_CLOSED);
    must_be(th_capability_remove(deputy, "nothing"), TH_E_CLOSED);
    th_msg_destroy(deputy, msg);
}

BOTH_BASES(deputy, is_told_that_its_actor_is_gone)
{
    th_addr guardian = talk_create(ts->me, &talk_guardian);
    th_addr foreman = talk_raise(ts->me, guardian, &foreman_class);
    th_addr other = talk_create(ts->me, &talk_counter);
    struct crew crew;
    uint64_t id;

    order_begin(ts, foreman, &crew, 0);
    must(th_wakeup_after(crew.hands[0].deputy, TH_S(3600), talk_word(ts->me, "never"), &id));
    must(th_wakeup_every(crew.hands[1].deputy, TH_S(3600), NULL, &id));
    stop(ts, guardian, foreman); /* and waits for none of them */
    for (int i = 0; i < CREW_MAX; i++)
        expect_closed(crew.hands[i].deputy, other);
    cr_assert_eq(talk_ask_number(ts->me, other, "count?"), 0);
    cr_assert_eq(talk_counts(ts->sys).wakeups_cancelled, 2);
    close_all(&crew);
}

/* Its last words are heard: it is the actor that decides when it is over. */
BOTH_BASES(deputy, speaks_while_its_actor_puts_off_its_exit)
{
    th_addr guardian = talk_create(ts->me, &talk_guardian);
    th_addr foreman = talk_raise(ts->me, guardian, &foreman_class);
    struct crew crew;

    order_begin(ts, foreman, &crew, 0);
    must(talk_say(ts->me, foreman, "stay"));
    must(th_stop(ts->me, foreman));
    talk_expect(ts->me, foreman, "still there", "still there");
    must(talk_say(crew.hands[3].deputy, th_self_addr(ts->me), "last words"));
    talk_hear(ts->me, "last words");
    must(talk_say(crew.hands[3].deputy, foreman, "done"));
    talk_wait_for(ts->me, guardian, 1);
    close_all(&crew);
}

/* Wakeups end with the beginning of the exit, speaking with its end. */
static th_err exit_with_deputy(th_self *self, void *state, const th_msg *msg)
{
    struct foreman *foreman = state;
    th_self *deputy;
    uint64_t id;

    if (!th_child_exited_of(msg))
        return foreman_receive(self, state, msg);
    deputy = foreman->crew->hands[0].deputy;
    if (th_deputy_open(self, &deputy) != TH_E_CLOSED ||
        th_wakeup_after(deputy, 1, NULL, &id) != TH_E_CLOSED)
        return TH_E_FAILED;
    return talk_say(deputy, foreman->crew->host, "my last child is gone");
}

static th_err have_child(th_self *self, void *state, const th_msg *arg)
{
    th_addr child;

    return th_spawn(self, &talk_echo, NULL, &child);
}

BOTH_BASES(deputy, speaks_while_its_actor_exits)
{
    static const th_class klass = { .name = "father",
                                    .state_size = sizeof(struct foreman),
                                    .init = have_child,
                                    .receive = exit_with_deputy };
    th_addr foreman = talk_create(ts->me, &klass);
    struct crew crew;

    order_begin(ts, foreman, &crew, 0);
    must(th_stop(ts->me, foreman));
    talk_hear(ts->me, "my last child is gone");
    close_all(&crew);
}

/* A restart changes the state, not who it is. */
BOTH_BASES(deputy, stays_when_its_actor_starts_afresh)
{
    static const th_class klass = { .name = "reborn",
                                    .state_size = sizeof(struct foreman),
                                    .receive = foreman_receive,
                                    .on_failure = TH_ON_FAILURE_RESTART };
    th_addr foreman = talk_create(ts->me, &klass);
    struct crew crew;

    order_begin(ts, foreman, &crew, 0);
    must(talk_say(ts->me, foreman, "fail"));
    for (th_msg *msg = NULL; !msg;) { /* our poison */
        must(th_listen(ts->me, TALK_PATIENCE, &msg));
        cr_assert_not_null(th_poison_of(msg));
        th_msg_destroy(ts->me, msg);
    }
    must(talk_say(crew.hands[0].deputy, th_self_addr(ts->me), "the same"));
    talk_hear(ts->me, "the same");
    close_all(&crew);
}

static void outlive_the_shutdown(th_base base)
{
    struct test_system ts = test_system_open(base, 1);
    th_addr foreman = talk_create(ts.me, &foreman_class);
    th_system_status status;
    struct crew crew;

    order_begin(&ts, foreman, &crew, 0);
    must(th_system_status_read(ts.sys, &status));
    cr_assert_eq(status.deputies, CREW_MAX);
    must(th_system_shutdown(ts.sys, TALK_PATIENCE, NULL, NULL));
    must_be(talk_say(crew.hands[0].deputy, foreman, "too late"), TH_E_CLOSED);
    must_be(th_system_destroy(ts.sys), TH_E_STATE);
    close_all(&crew);
    test_system_close(&ts);
}

Test(deputy, outlives_its_system_pool)
{
    outlive_the_shutdown(TH_BASE_POOL);
}

Test(deputy, outlives_its_system_simple)
{
    outlive_the_shutdown(TH_BASE_SIMPLE);
}

/* ---- limits ---- */

static th_err open_many(th_self *self, void *state, const th_msg *msg)
{
    static th_self *deputies[TH_DEPUTIES_MAX + 1];
    th_err err = TH_OK;
    int count = 0;

    if (!talk_is(msg, "many"))
        return TH_OK;
    while (count <= TH_DEPUTIES_MAX && !(err = th_deputy_open(self, &deputies[count])))
        count++;
    if (err == TH_E_LIMIT && !th_deputy_close(deputies[count - 1]))
        err = th_deputy_open(self, &deputies[count - 1]); /* there is room again */
    for (int i = 0; i < count; i++)
        if (th_deputy_close(deputies[i]))
            err = TH_E_FAILED;
    return err ? err : talk_count(self, th_msg_sender(msg), count);
}

BOTH_BASES(deputy, are_limited)
{
    static const th_class klass = { .name = "many", .receive = open_many };
    th_addr actor = talk_create(ts->me, &klass);
    th_counts counts;

    cr_assert_eq(talk_ask_number(ts->me, actor, "many"), TH_DEPUTIES_MAX);
    counts = talk_counts(ts->sys);
    cr_assert_eq(counts.deputies_opened, TH_DEPUTIES_MAX + 1);
    cr_assert_eq(counts.deputies_refused, 1);
}

/* ---- logging ---- */

struct journal {
    _Atomic int records;
    th_addr actor;
    char class_name[40];
};

static th_err write_down(void *context, const th_log_record *record)
{
    struct journal *journal = context;

    if (strcmp(record->text, "from a thread") != 0)
        return TH_OK;
    journal->actor = record->actor;
    snprintf(journal->class_name, sizeof(journal->class_name), "%s", record->class_name);
    atomic_fetch_add(&journal->records, 1);
    return TH_OK;
}

static void log_from_deputy(th_base base)
{
    struct journal journal = { 0 };
    th_log_sink sink = { .kind = TH_LOG_SINK_FUNCTION, .write = write_down, .context = &journal };
    const th_log_options log = {
        .sinks = &sink, .sink_count = 1, .rules = "foreman=info", .ignore_environment = true
    };
    struct test_system ts =
        test_system_open_with(&(th_options){ .base = base, .seed = 1, .workers = 2, .log = &log });
    th_addr guardian = talk_create(ts.me, &talk_guardian);
    th_addr foreman = talk_raise(ts.me, guardian, &foreman_class);
    struct crew crew;

    order_begin(&ts, foreman, &crew, 0);
    th_log_info(crew.hands[0].deputy, "from a thread"); /* by the class's threshold */
    th_log_debug(crew.hands[0].deputy, "from a thread");
    stop(&ts, guardian, foreman);
    must_be(th_log_write(crew.hands[0].deputy, TH_LOG_ERROR, NULL, NULL, 0, "from a thread"),
            TH_E_CLOSED);
    close_all(&crew);
    must(th_system_shutdown(ts.sys, TALK_PATIENCE, NULL, NULL));
    cr_assert_eq(journal.records, 1);
    cr_assert(th_addr_equal(journal.actor, foreman));
    cr_assert_str_eq(journal.class_name, "foreman");
    test_system_close(&ts);
}

Test(deputy, logs_as_its_actor_pool)
{
    log_from_deputy(TH_BASE_POOL);
}

Test(deputy, logs_as_its_actor_simple)
{
    log_from_deputy(TH_BASE_SIMPLE);
}

/* ---- other threads and processes ---- */

/* An actor of one system that speaks for one of another. */
static th_err envoy_receive(th_self *self, void *state, const th_msg *msg)
{
    const struct order *order = order_of(msg);
    struct crew *crew = order ? (struct crew *)(uintptr_t)order->crew : NULL;

    return crew ? talk_say(crew->hands[1].deputy, crew->host, "from abroad") : TH_OK;
}

BOTH_BASES(deputy, is_used_by_an_actor_of_another_system)
{
    static const th_class klass = { .name = "envoy", .receive = envoy_receive };
    struct test_system other = test_system_open(TH_BASE_POOL, 0);
    th_addr envoy = talk_create(other.me, &klass);
    th_addr foreman = talk_create(ts->me, &foreman_class);
    struct crew crew;
    struct order *order;
    th_msg *msg;

    order_begin(ts, foreman, &crew, 0);
    msg = order_new(other.me, &order);
    order->crew = (uintptr_t)&crew;
    must(th_send(other.me, envoy, msg));
    while (th_listen(ts->me, TALK_PATIENCE, &msg)) /* the simple base has nothing to run yet */
        ;
    cr_assert(talk_is(msg, "from abroad"));
    cr_assert(th_addr_equal(th_msg_sender(msg), foreman));
    th_msg_destroy(ts->me, msg);
    test_system_close(&other);
    close_all(&crew);
}

BOTH_BASES(deputy, in_a_forked_child_is_told)
{
    th_addr foreman = talk_create(ts->me, &foreman_class);
    struct crew crew;
    th_self *deputy;
    int status;
    pid_t child;

    order_begin(ts, foreman, &crew, 0);
    deputy = crew.hands[0].deputy;
    child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        alarm(20);
        _exit(talk_say(deputy, foreman, "hello") == TH_E_FORKED &&
                      th_wakeup_after(deputy, 1, NULL, NULL) == TH_E_FORKED &&
                      th_deputy_close(deputy) == TH_E_FORKED
                  ? 0
                  : 1);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close_all(&crew);
}

/* ---- many at once ---- */

enum { TALKERS = 6, WORDS = 300, ROUNDS = 12 };

static void *talk_until_closed(void *arg)
{
    struct hand *hand = arg;
    uint64_t id;
    th_err err = TH_OK;

    for (int i = 0; i < WORDS && !err; i++) {
        err = talk_say(hand->deputy, hand->host, "word");
        if (!err && i % 7 == 0)
            err = th_wakeup_after(hand->deputy, TH_US(1) * (uint64_t)(i + 1), NULL, &id);
        if (!err && i % 21 == 0 && th_wakeup_cancel(hand->deputy, id) == TH_E_CLOSED)
            err = TH_E_CLOSED;
    }
    if (err && err != TH_E_CLOSED)
        hand->number = -1;
    if (th_deputy_close(hand->deputy))
        hand->number = -1;
    return NULL;
}

/* Two threads on each deputy would be as good; here some actors end while their threads talk. */
BOTH_BASES(deputy, talk_while_their_actors_exit, .timeout = 100)
{
    th_addr counter = talk_create(ts->me, &talk_counter), echo = talk_create(ts->me, &talk_echo);
    static struct crew crews[ROUNDS];

    for (int i = 0; i < ROUNDS; i++) {
        th_addr foreman = talk_create(ts->me, &foreman_class);

        order_begin(ts, foreman, &crews[i], 0);
        for (int j = TALKERS; j < CREW_MAX; j++)
            must(th_deputy_close(crews[i].hands[j].deputy));
        for (int j = 0; j < TALKERS; j++) {
            crews[i].hands[j].host = counter;
            cr_assert_eq(pthread_create(&crews[i].hands[j].thread, NULL, talk_until_closed,
                                        &crews[i].hands[j]),
                         0);
        }
        if (i % 3)
            must(th_stop(ts->me, foreman));
        talk_expect(ts->me, echo, "go on", "go on");
    }
    for (int i = 0; i < ROUNDS; i++)
        for (int j = 0; j < TALKERS; j++) {
            cr_assert_eq(pthread_join(crews[i].hands[j].thread, NULL), 0);
            cr_assert_eq(crews[i].hands[j].number, j);
        }
}

static void *talk_on_one(void *arg)
{
    struct hand *hand = arg;

    for (int i = 0; i < WORDS; i++)
        if (talk_say(hand->deputy, hand->host, "word") ||
            th_wakeup_after(hand->deputy, TH_US(50), talk_word(hand->deputy, "woken"), NULL))
            hand->number = -1;
    return NULL;
}

BOTH_BASES(deputy, is_shared_by_threads, .timeout = 100)
{
    th_addr foreman = talk_create(ts->me, &foreman_class);
    th_addr counter = talk_create(ts->me, &talk_counter);
    struct crew crew;

    order_begin(ts, foreman, &crew, 0);
    crew.host = counter; /* payloads go there, too */
    for (int j = 0; j < TALKERS; j++) {
        if (j > 0)
            must(th_deputy_close(crew.hands[j].deputy));
        crew.hands[j].deputy = crew.hands[0].deputy;
        crew.hands[j].host = counter;
        cr_assert_eq(pthread_create(&crew.hands[j].thread, NULL, talk_on_one, &crew.hands[j]), 0);
    }
    for (int j = 0; j < TALKERS; j++) {
        cr_assert_eq(pthread_join(crew.hands[j].thread, NULL), 0);
        cr_assert_eq(crew.hands[j].number, j);
    }
    talk_wait_for(ts->me, counter, 2 * TALKERS * WORDS);
    must(th_deputy_close(crew.hands[0].deputy));
    for (int j = TALKERS; j < CREW_MAX; j++)
        must(th_deputy_close(crew.hands[j].deputy));
}
