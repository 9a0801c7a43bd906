/* One actor per name, whoever asks for it, and a name that is free again when its actor is gone.
 *
 * Past 500 lines: those who have a name and those who race for it are the same few classes. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/system.h"
#include "tests/support/talk.h"

/* ---- those who have a name ---- */

/* Answers every word with "ONE: " before it. */
static th_err only_receive(th_self *self, void *state, const th_msg *msg)
{
    char text[TALK_TEXT_SIZE + 8];

    if (!talk_word_of(msg))
        return TH_OK;
    snprintf(text, sizeof(text), "ONE: %.50s", talk_word_of(msg)->text);
    return talk_say(self, th_msg_sender(msg), text);
}

static const th_class only_class = { .name = "only", .receive = only_receive };

static th_addr get(th_self *me, const char *name, const th_class *klass)
{
    th_spawn_options options = { .klass = klass, .global_name = name };
    th_addr addr = th_addr_none();

    must(th_create(me, &options, TALK_PATIENCE, &addr, NULL));
    return addr;
}

/* "child": answers the address of the one named "the one", whom it greets twice. "relative": that
 * of a child of its own. "heard?": how many greetings came back. */
struct asker {
    int64_t heard;
    struct talk_waiter waiter;
};

static th_err asker_spawn(th_self *self, th_addr for_whom, const char *name)
{
    th_spawn_options options = { .klass = &only_class, .global_name = name };
    struct talk_whom whom;
    th_err err = th_spawn_with(self, &options, &whom.addr);

    if (!err && name)
        err = talk_say(self, whom.addr, "hi");
    if (!err && name)
        err = talk_say(self, whom.addr, "ho");
    return err ? err : talk_whom_send(self, for_whom, whom);
}

static th_err asker_receive(th_self *self, void *state, const th_msg *msg)
{
    struct asker *asker = state;

    if (talk_is(msg, "child"))
        return asker_spawn(self, th_msg_sender(msg), "the one");
    if (talk_is(msg, "relative"))
        return asker_spawn(self, th_msg_sender(msg), NULL);
    if (talk_is(msg, "ONE: hi") || talk_is(msg, "ONE: ho"))
        return talk_waiter_check(self, &asker->waiter, ++asker->heard);
    if (talk_number_of(msg))
        return talk_waiter_set(self, &asker->waiter, msg, asker->heard);
    return talk_word_of(msg) ? talk_say(self, th_msg_sender(msg), "an asker") : TH_OK;
}

static const th_class asker_class = { .name = "asker",
                                      .state_size = sizeof(struct asker),
                                      .receive = asker_receive };

/* ---- as Thespian's own tests have it ---- */

BOTH_BASES(global_name, the_first_asker_creates_and_the_next_finds)
{
    th_addr one = get(ts->me, "the one", &only_class), uno, dos, tres;

    talk_expect(ts->me, one, "yes", "ONE: yes");
    uno = get(ts->me, "the one", &only_class);
    cr_assert(th_addr_equal(one, uno));
    dos = get(ts->me, "not the one", &only_class);
    cr_assert(!th_addr_equal(dos, uno), "another name is another actor");
    tres = get(ts->me, NULL, &only_class);
    cr_assert(!th_addr_equal(tres, uno) && !th_addr_equal(tres, dos), "and so is none");
    talk_expect(ts->me, uno, "time", "ONE: time");
    talk_expect(ts->me, dos, "day", "ONE: day");
    talk_expect(ts->me, tres, "year", "ONE: year");
}

BOTH_BASES(global_name, actors_find_the_one_that_actors_created)
{
    th_addr pa = talk_create(ts->me, &asker_class), uno, dos, child;

    uno = talk_ask_addr(ts->me, pa, "child");
    talk_expect(ts->me, uno, "me", "ONE: me");
    dos = talk_ask_addr(ts->me, pa, "child");
    cr_assert(th_addr_equal(uno, dos));
    child = talk_ask_addr(ts->me, pa, "relative");
    cr_assert(!th_addr_equal(child, uno));
    talk_wait_for(ts->me, pa, 4); /* what was sent to it before it had run is not lost */
}

BOTH_BASES(global_name, outsiders_find_the_one_that_an_actor_created)
{
    th_addr pa = talk_create(ts->me, &asker_class);
    th_addr uno = talk_ask_addr(ts->me, pa, "child");
    th_addr dos = get(ts->me, "the one", &asker_class);

    cr_assert(th_addr_equal(uno, dos));
    talk_expect(ts->me, dos, "balance", "ONE: balance");
    talk_wait_for(ts->me, pa, 2);
}

BOTH_BASES(global_name, actors_find_the_one_that_an_outsider_created)
{
    th_addr uno = get(ts->me, "the one", &only_class);
    th_addr pa = talk_create(ts->me, &asker_class);

    cr_assert(th_addr_equal(uno, talk_ask_addr(ts->me, pa, "child")));
    talk_wait_for(ts->me, pa, 2);
}

BOTH_BASES(global_name, beats_a_class_that_does_not_exist)
{
    th_spawn_options bogus = { .class_name = "This.is.bogus", .global_name = "mine" };
    th_spawn_options nothing = { .global_name = "mine" };
    th_addr named = get(ts->me, "mine", &only_class), found;

    bogus.arg = talk_word(ts->me, "an argument, to be freed");
    must(th_spawn_with(ts->me, &bogus, &found));
    cr_assert(th_addr_equal(named, found));
    must(th_spawn_with(ts->me, &nothing, &found));
    cr_assert(th_addr_equal(named, found));
    bogus.global_name = "nobody's";
    bogus.arg = NULL;
    must_be(th_spawn_with(ts->me, &bogus, &found), TH_E_NO_CLASS);
}

/* Answers "name?" with its name; its init's word too. */
static th_err teller_receive(th_self *self, void *state, const th_msg *msg)
{
    const char *name = th_self_name(self);

    if (talk_is(msg, "fail"))
        return TH_E_FAILED;
    return talk_is(msg, "name?") ? talk_say(self, th_msg_sender(msg), name ? name : "(none)")
                                 : TH_OK;
}

static const th_class teller_class = { .name = "teller", .receive = teller_receive };

BOTH_BASES(global_name, an_actor_knows_its_own)
{
    talk_expect(ts->me, get(ts->me, "My Name", &teller_class), "name?", "My Name");
    talk_expect(ts->me, get(ts->me, NULL, &teller_class), "name?", "(none)");
    cr_assert_null(th_self_name(ts->me));
}

/* Eight named children are made in a burst, told to start, and answer. */
static th_err worker_receive(th_self *self, void *state, const th_msg *msg)
{
    return talk_is(msg, "start") ? talk_say(self, th_msg_sender(msg), "started") : TH_OK;
}

static const th_class worker_class = { .name = "worker", .receive = worker_receive };

struct controller {
    th_addr workers[8];
    bool started[8];
    th_addr requester;
};

static th_err control(th_self *self, struct controller *controller)
{
    char name[64];
    th_err err = TH_OK;

    for (int i = 0; i < 8 && !err; i++) {
        th_spawn_options options = { .klass = &worker_class, .global_name = name };

        snprintf(name, sizeof(name), "/rally/driver/worker/%d", i);
        err = th_spawn_with(self, &options, &controller->workers[i]);
    }
    for (int i = 0; i < 8 && !err; i++)
        err = talk_say(self, controller->workers[i], "start");
    return err;
}

static th_err controller_receive(th_self *self, void *state, const th_msg *msg)
{
    struct controller *controller = state;
    int missing = 0;

    if (talk_is(msg, "go")) {
        controller->requester = th_msg_sender(msg);
        return control(self, controller);
    }
    if (!talk_is(msg, "started"))
        return TH_OK;
    for (int i = 0; i < 8; i++) {
        if (th_addr_equal(th_msg_sender(msg), controller->workers[i]))
            controller->started[i] = true;
        missing += !controller->started[i];
    }
    return missing ? TH_OK : talk_say(self, controller->requester, "done");
}

static const th_class controller_class = { .name = "controller",
                                           .state_size = sizeof(struct controller),
                                           .receive = controller_receive };

BOTH_BASES(global_name, many_are_made_in_a_burst)
{
    talk_expect(ts->me, talk_create(ts->me, &controller_class), "go", "done");
}

/* ---- whose child it is ---- */

BOTH_BASES(global_name, it_outlives_who_asked_first)
{
    th_addr guardian = talk_create(ts->me, &talk_guardian);
    th_addr asker = talk_raise(ts->me, guardian, &asker_class);
    th_addr one = talk_ask_addr(ts->me, asker, "child");
    th_actor_status status;

    talk_wait_for(ts->me, asker, 2);
    must(th_stop(ts->me, asker));
    talk_wait_for(ts->me, guardian, 1);
    talk_expect(ts->me, one, "alive?", "ONE: alive?");
    must(th_actor_status_read(ts->sys, one, &status));
    cr_assert(!th_addr_equal(status.parent, asker) && !th_addr_is_none(status.parent));
}

BOTH_BASES(global_name, a_restart_keeps_it)
{
    static const th_class restarts = { .name = "restarts",
                                       .receive = teller_receive,
                                       .on_failure = TH_ON_FAILURE_RESTART };
    th_addr named = get(ts->me, "phoenix", &restarts), found;

    must(talk_say(ts->me, named, "fail"));
    talk_expect(ts->me, named, "name?", "phoenix");
    must(th_name_find(ts->me, "phoenix", &found));
    cr_assert(th_addr_equal(named, found));
}

/* ---- finding ---- */

static void note_name(void *context, const char *name, th_addr addr)
{
    unsigned *seen = context;

    for (unsigned i = 0; i < 3; i++)
        if (strcmp(name, (const char *[]){ "a", "b", "c" }[i]) == 0)
            *seen += 1u << (4 * i);
    if (th_addr_is_none(addr))
        *seen += 1u << 12;
}

BOTH_BASES(global_name, is_found_and_listed)
{
    th_addr a = get(ts->me, "a", &only_class), found = a;
    unsigned seen = 0;
    th_system_status status;

    must_be(th_name_find(ts->me, "b", &found), TH_E_NO_NAME);
    cr_assert(th_addr_equal(found, a), "untouched");
    get(ts->me, "b", &only_class);
    get(ts->me, "c", &only_class);
    must(th_name_find(ts->me, "a", &found));
    cr_assert(th_addr_equal(found, a));
    must(th_names_each(ts->me, note_name, &seen));
    cr_assert_eq(seen, 0x111u, "%x", seen);
    must(th_system_status_read(ts->sys, &status));
    cr_assert_eq(status.names, 3);
}

/* A callback may do what it likes, also end those it is told of. */
static void stop_each(void *context, const char *name, th_addr addr)
{
    (void)name;
    must(th_stop(context, addr));
}

BOTH_BASES(global_name, a_list_may_be_acted_on)
{
    char name[32];
    th_addr addr;
    uint64_t left = 1;

    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), "name %d", i);
        get(ts->me, name, &only_class);
    }
    must(th_names_each(ts->me, stop_each, ts->me));
    while (left) {
        th_system_status status;

        must(th_system_status_read(ts->sys, &status));
        left = status.names;
        /* lets the simple base run */
        talk_create(ts->me, &only_class);
    }
    must_be(th_name_find(ts->me, "name 7", &addr), TH_E_NO_NAME);
}

/* ---- when it is free ---- */

/* In its exit function it still has its name. */
static _Atomic int had_name, lost_name;

static void leaver_exit(th_self *self, void *state)
{
    th_addr found = th_addr_none();
    bool mine = th_name_find(self, "leaver", &found) == TH_OK &&
                th_addr_equal(found, th_self_addr(self)) && th_self_name(self) &&
                strcmp(th_self_name(self), "leaver") == 0;

    atomic_fetch_add(mine ? &had_name : &lost_name, 1);
}

static const th_class leaver_class = { .name = "leaver",
                                       .receive = only_receive,
                                       .exit = leaver_exit };

static void reset_leaver(void)
{
    atomic_store(&had_name, 0);
    atomic_store(&lost_name, 0);
}

BOTH_BASES(global_name, is_its_own_until_its_exit_function_returns, .init = reset_leaver)
{
    th_addr first = get(ts->me, "leaver", &leaver_class), second, found;

    must(th_stop(ts->me, first));
    talk_expect_gone(ts->me, first, "gone?");
    while (th_name_find(ts->me, "leaver", &found) == TH_OK)
        talk_expect(ts->me, get(ts->me, NULL, &only_class), "a turn", "ONE: a turn");
    cr_assert_eq(atomic_load(&had_name), 1);
    second = get(ts->me, "leaver", &leaver_class);
    cr_assert(!th_addr_equal(first, second));
    talk_expect(ts->me, second, "new", "ONE: new");
    cr_assert_eq(atomic_load(&lost_name), 0);
}

/* Listens to dead letters, and has the named one made again when it hears of one that waited:
 * answers each letter, with the new one or with nobody. */
static th_err heir_receive(th_self *self, void *state, const th_msg *msg)
{
    th_addr *asker = state;
    th_spawn_options options = { .klass = &leaver_class, .global_name = "leaver" };
    struct talk_whom whom = { 0 };

    if (talk_is(msg, "listen")) {
        *asker = th_msg_sender(msg);
        return th_dead_letters_to_me(self, true) ? TH_OK : talk_say(self, *asker, "I do");
    }
    if (!th_dead_letter_of(msg))
        return TH_OK;
    if (th_dead_letter_of(msg)->reason == TH_DEAD_WAITING &&
        th_spawn_with(self, &options, &whom.addr))
        return TH_OK;
    return talk_whom_send(self, *asker, whom);
}

static const th_class heir_class = { .name = "heir",
                                     .state_size = sizeof(th_addr),
                                     .receive = heir_receive };

BOTH_BASES(global_name, is_free_for_who_hears_of_the_end, .init = reset_leaver)
{
    th_addr heir = talk_create(ts->me, &heir_class), old;
    th_spawn_options options = { .klass = &leaver_class, .global_name = "leaver" };
    const struct talk_whom *whom;
    th_msg *answer;

    must(talk_say(ts->me, heir, "listen"));
    must(th_listen(ts->me, TALK_PATIENCE, &answer));
    th_msg_destroy(ts->me, answer);
    for (int round = 0; round < 20;) {
        must(th_spawn_with(ts->me, &options, &old));
        must(th_stop(ts->me, old));
        must(talk_say(ts->me, old, "too late"));
        /* to each word one answer: from the leaver, or from the heir that heard of its end */
        must(th_listen(ts->me, TALK_PATIENCE, &answer));
        whom = talk_whom_of(answer);
        if (whom && !th_addr_is_none(whom->addr)) {
            cr_assert(!th_addr_equal(whom->addr, old));
            round++;
        }
        th_msg_destroy(ts->me, answer);
    }
}

/* ---- with an init ---- */

static _Atomic int inits;

static th_err slow_init(th_self *self, void *state, const th_msg *arg)
{
    atomic_fetch_add(&inits, 1);
    return arg ? th_fail(self, TH_E_FAILED, "as it was told") : TH_OK;
}

static const th_class slow_class = { .name = "slow", .init = slow_init, .receive = only_receive };

static void reset_inits(void)
{
    atomic_store(&inits, 0);
}

BOTH_BASES(global_name, th_create_waits_for_an_init_under_way, .init = reset_inits)
{
    th_spawn_options options = { .klass = &slow_class, .global_name = "slow" };
    th_addr first, second;

    must(th_spawn_with(ts->me, &options, &first));
    must(th_create(ts->me, &options, TALK_PATIENCE, &second, NULL));
    cr_assert(th_addr_equal(first, second));
    cr_assert_eq(atomic_load(&inits), 1, "init has run, once");
}

Test(global_name, th_create_hears_of_an_init_that_fails)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 0);
    th_spawn_options options = { .klass = &slow_class, .global_name = "slow" };
    th_addr addr;

    options.arg = talk_word(ts.me, "fail");
    must(th_spawn_with(ts.me, &options, &addr));
    options.arg = NULL;
    must_be(th_create(ts.me, &options, TALK_PATIENCE, &addr, NULL), TH_E_INIT);
    must(th_create(ts.me, &options, TALK_PATIENCE, &addr, NULL));
    test_system_close(&ts);
}

/* ---- limits ---- */

BOTH_BASES(global_name, has_a_length)
{
    char name[TH_NAME_MAX + 2] = "";
    th_spawn_options options = { .klass = &only_class, .global_name = name };
    th_addr addr, found;

    memset(name, 'x', TH_NAME_MAX + 1);
    must_be(th_spawn_with(ts->me, &options, &addr), TH_E_INVALID);
    name[TH_NAME_MAX] = '\0';
    must(th_spawn_with(ts->me, &options, &addr));
    must(th_name_find(ts->me, name, &found));
    cr_assert(th_addr_equal(addr, found));
    options.global_name = "";
    must_be(th_spawn_with(ts->me, &options, &addr), TH_E_INVALID);
}

Test(global_name, there_are_so_many_and_no_more, .timeout = 60)
{
    struct test_system ts = test_system_open(TH_BASE_POOL, 0);
    char name[32];
    th_spawn_options options = { .klass = &only_class, .global_name = name };
    th_addr addr, first = th_addr_none();

    for (unsigned i = 0; i < TH_NAMES_MAX; i++) {
        snprintf(name, sizeof(name), "%u", i);
        must(th_spawn_with(ts.me, &options, &addr));
        if (i == 0)
            first = addr;
    }
    snprintf(name, sizeof(name), "one more");
    must_be(th_spawn_with(ts.me, &options, &addr), TH_E_LIMIT);
    snprintf(name, sizeof(name), "0");
    must(th_spawn_with(ts.me, &options, &addr));
    cr_assert(th_addr_equal(addr, first), "one that is there is found as ever");
    options.global_name = NULL;
    must(th_spawn_with(ts.me, &options, &addr));
    test_system_close(&ts);
}

/* ---- races ---- */

enum { THREADS = 4, ROUNDS = 100 };

/* How many of one name are between init and exit. */
static _Atomic int alive, alive_most, born;

static th_err single_init(th_self *self, void *state, const th_msg *arg)
{
    int now = atomic_fetch_add(&alive, 1) + 1, most = atomic_load(&alive_most);

    atomic_fetch_add(&born, 1);
    while (now > most && !atomic_compare_exchange_weak(&alive_most, &most, now))
        ;
    return TH_OK;
}

static void single_exit(th_self *self, void *state)
{
    atomic_fetch_sub(&alive, 1);
}

static const th_class single_class = {
    .name = "single", .init = single_init, .receive = only_receive, .exit = single_exit
};

static void reset_single(void)
{
    atomic_store(&alive, 0);
    atomic_store(&alive_most, 0);
    atomic_store(&born, 0);
}

struct racer {
    pthread_t thread;
    th_system *sys;
    pthread_barrier_t *start;
    th_addr got[ROUNDS];
    const char *wrong;
};

static void *race_for_names(void *context)
{
    struct racer *racer = context;
    th_self *me;
    char name[32];

    if (th_endpoint_open(racer->sys, &me)) {
        racer->wrong = "no endpoint";
        return NULL;
    }
    pthread_barrier_wait(racer->start);
    for (int i = 0; i < ROUNDS; i++) {
        th_spawn_options options = { .klass = &single_class, .global_name = name };

        snprintf(name, sizeof(name), "race %d", i);
        if (th_spawn_with(me, &options, &racer->got[i]))
            racer->wrong = "no actor";
    }
    if (th_endpoint_close(me))
        racer->wrong = "an endpoint that cannot be closed";
    return NULL;
}

static void race(struct test_system *ts, struct racer *racers, void *(*run)(void *context))
{
    pthread_barrier_t start;

    pthread_barrier_init(&start, NULL, THREADS);
    for (int i = 0; i < THREADS; i++) {
        racers[i] = (struct racer){ .sys = ts->sys, .start = &start };
        cr_assert_eq(pthread_create(&racers[i].thread, NULL, run, &racers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(racers[i].thread, NULL);
    for (int i = 0; i < THREADS; i++)
        cr_assert_null(racers[i].wrong, "%s", racers[i].wrong);
    pthread_barrier_destroy(&start);
}

Test(global_name, a_race_ends_in_one_actor, .init = reset_single, .timeout = 60)
{
    static struct racer racers[THREADS];
    struct test_system ts = test_system_open(TH_BASE_POOL, 0);
    th_counts counts;

    race(&ts, racers, race_for_names);
    for (int i = 0; i < ROUNDS; i++)
        for (int j = 1; j < THREADS; j++)
            cr_assert(th_addr_equal(racers[0].got[i], racers[j].got[i]), "round %d", i);
    counts = test_system_counts(&ts);
    cr_assert_eq(counts.spawned, ROUNDS);
    test_system_close(&ts);
    cr_assert_eq(atomic_load(&born), ROUNDS);
}

/* The moment between looking for a name and taking it, held open: while one thread asks for memory
 * for its actor, another gets its own under the same name. */
struct overtaker {
    _Atomic bool is_armed;
    th_self *me;
    th_addr got;
    th_err err;
};

static void *overtake(void *context)
{
    struct overtaker *overtaker = context;
    th_spawn_options options = { .klass = &single_class, .global_name = "single" };

    overtaker->err = th_spawn_with(overtaker->me, &options, &overtaker->got);
    return NULL;
}

static void *alloc_slowly(void *context, size_t size)
{
    struct overtaker *overtaker = context;
    pthread_t thread;

    if (atomic_exchange(&overtaker->is_armed, false)) {
        if (pthread_create(&thread, NULL, overtake, overtaker))
            return NULL;
        pthread_join(thread, NULL);
    }
    return calloc(1, size);
}

static void free_at_once(void *context, void *memory, size_t size)
{
    free(memory);
}

Test(global_name, who_is_overtaken_gets_the_other, .init = reset_single)
{
    struct overtaker overtaker = { .err = TH_E_FAILED };
    const th_allocator allocator = { alloc_slowly, free_at_once, &overtaker };
    struct test_system ts = test_system_open_with(
        &(th_options){ .base = TH_BASE_POOL, .workers = 2, .allocator = &allocator });
    th_spawn_options options = { .klass = &single_class, .global_name = "single" };
    th_addr addr;

    must(th_endpoint_open(ts.sys, &overtaker.me));
    get(ts.me, "somebody", &only_class); /* so that there are cells and buckets */
    get(overtaker.me, "somebody else", &only_class);
    options.arg = talk_word(ts.me, "an argument, to be freed");
    atomic_store(&overtaker.is_armed, true);
    must(th_spawn_with(ts.me, &options, &addr));
    cr_assert(!atomic_load(&overtaker.is_armed), "no memory was asked for");
    must(overtaker.err);
    cr_assert(th_addr_equal(addr, overtaker.got));
    must(th_endpoint_close(overtaker.me));
    test_system_close(&ts);
    cr_assert_eq(atomic_load(&born), 1);
}

static void *churn(void *context)
{
    struct racer *racer = context;
    th_spawn_options options = { .klass = &single_class, .global_name = "single" };
    th_self *me;
    th_addr addr;

    if (th_endpoint_open(racer->sys, &me)) {
        racer->wrong = "no endpoint";
        return NULL;
    }
    pthread_barrier_wait(racer->start);
    for (int i = 0; atomic_load(&born) < ROUNDS; i++) {
        if (th_spawn_with(me, &options, &addr))
            racer->wrong = "no actor";
        if (i % 8 == 0 && th_stop(me, addr))
            racer->wrong = "it cannot be stopped";
        if (th_name_find(me, "single", &addr) == TH_OK && th_addr_is_none(addr))
            racer->wrong = "nobody's address";
    }
    if (th_endpoint_close(me))
        racer->wrong = "an endpoint that cannot be closed";
    return NULL;
}

Test(global_name, two_of_one_name_never_run_side_by_side, .init = reset_single, .timeout = 60)
{
    static struct racer racers[THREADS];
    struct test_system ts = test_system_open(TH_BASE_POOL, 0);

    race(&ts, racers, churn);
    test_system_close(&ts);
    cr_assert_eq(atomic_load(&alive), 0);
    cr_assert_eq(atomic_load(&alive_most), 1);
    cr_assert(atomic_load(&born) >= ROUNDS, "it came and went");
}

/* ---- asked by message, as another system would ---- */

BOTH_BASES(global_name, the_admin_answers_who_has_it)
{
    th_addr one = get(ts->me, "the one", &only_class);
    const char *names[] = { "the one", "nobody", NULL };
    struct th_whereis *body;
    th_msg *answer;

    for (uint64_t i = 0; i < 3; i++) {
        th_msg *question = th_whereis_new(ts->me, &body);

        body->name = names[i] ? th_blob_text(ts->me, names[i]) : NULL;
        body->token = 70 + i;
        must(th_ask(ts->me, th_system_admin(ts->sys), question, TALK_PATIENCE, &answer));
        cr_assert_eq(th_found_of(answer)->token, 70 + i);
        cr_assert(th_addr_equal(th_found_of(answer)->actor, i ? th_addr_none() : one));
        if (names[i])
            cr_assert_str_eq(th_found_of(answer)->name->data, names[i]);
        th_msg_destroy(ts->me, answer);
    }
}

/* ---- the end ---- */

BOTH_BASES(global_name, is_found_but_not_made_while_the_system_shuts_down)
{
    th_spawn_options options = { .klass = &only_class, .global_name = "late" };
    th_addr addr;

    get(ts->me, "early", &only_class);
    must(th_request_shutdown(ts->me));
    must_be(th_spawn_with(ts->me, &options, &addr), TH_E_CLOSED);
    must(th_system_shutdown(ts->sys, TALK_PATIENCE, NULL, NULL));
    must_be(th_name_find(ts->me, "early", &addr), TH_E_CLOSED);
}
