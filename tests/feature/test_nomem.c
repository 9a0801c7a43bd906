/* The n-th allocation fails, for every n that a story has (support/shortage.h): actors, messages,
 * names, ties, watches. The files beside this one have the other features. */
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/random_actors.h"
#include "tests/support/shortage.h"
#include "tests/support/talk.h"
#include "tests/support/watcher.h"

static th_err family_init(th_self *self, void *state, const th_msg *arg)
{
    th_addr child;

    return th_spawn(self, &talk_echo, NULL, &child);
}

static th_err family_receive(th_self *self, void *state, const th_msg *msg)
{
    if (th_exit_request_of(msg) || th_child_exited_of(msg) || th_poison_of(msg))
        return TH_OK;
    return th_forward(self, th_msg_sender(msg), msg);
}

static const th_class family = { .name = "family", .init = family_init, .receive = family_receive };

static void spawn_tell_ask_stop(struct test_system *ts)
{
    th_addr addr;

    if (th_spawn(ts->me, &family, talk_word(ts->me, "argument"), &addr))
        return;
    whatever(talk_say(ts->me, addr, "hello"));
    shortage_ask(ts->me, addr, "hello?");
    whatever(th_stop(ts->me, addr));
    shortage_ask(ts->me, addr, "gone?");
    shortage_listen(ts->me, 0);
}

static void create_and_why(struct test_system *ts)
{
    char why[TH_DETAILS_SIZE];
    th_addr addr;

    whatever(th_create(ts->me, &(th_spawn_options){ .klass = &family }, TALK_PATIENCE, &addr, why));
    whatever(th_class_register(ts->sys, &family));
    whatever(th_create(ts->me, &(th_spawn_options){ .class_name = "family" }, TALK_PATIENCE, &addr,
                       NULL));
}

static th_err fails(th_self *self, void *state, const th_msg *msg)
{
    return talk_word_of(msg) ? th_fail(self, TH_E_FAILED, "as it is told") : TH_OK;
}

static const th_class keeps = { .name = "keeps", .receive = fails };
static const th_class restarts = {
    .name = "restarts", .state_size = 64, .receive = fails, .on_failure = TH_ON_FAILURE_RESTART
};
static const th_class stops = { .name = "stops",
                                .receive = fails,
                                .on_failure = TH_ON_FAILURE_STOP };

static void failures_of_every_kind(struct test_system *ts)
{
    static const th_class *const classes[] = { &keeps, &restarts, &stops };
    th_addr addr;

    for (int i = 0; i < 3; i++) {
        if (th_spawn(ts->me, classes[i], NULL, &addr))
            continue;
        whatever(talk_say(ts->me, addr, "fail"));
        shortage_ask(ts->me, addr, "fail");
        shortage_listen(ts->me, TALK_SILENCE);
    }
}

static th_err then(th_self *self, void *state, const th_msg *answer, th_err err, uint64_t token)
{
    return err ? TH_OK : talk_say(self, th_self_addr(self), "answered");
}

static th_err asker_receive(th_self *self, void *state, const th_msg *msg)
{
    if (!talk_whom_of(msg))
        return TH_OK;
    return th_ask_then(self, talk_whom_of(msg)->addr, talk_word(self, "well?"), TH_MS(1), then, 0);
}

static th_err filler_receive(th_self *self, void *state, const th_msg *msg)
{
    th_verdict verdict;
    th_msg *offered;

    if (!talk_whom_of(msg))
        return TH_OK;
    for (int i = 0; i < 3; i++)
        whatever(talk_say(self, talk_whom_of(msg)->addr, "more"));
    whatever(th_when_writable(self, talk_whom_of(msg)->addr));
    offered = talk_word(self, "offered");
    if (th_offer(self, talk_whom_of(msg)->addr, offered, &verdict) == TH_OK &&
        verdict > TH_OFFER_HIGH)
        th_msg_destroy(self, offered);
    return TH_OK;
}

static const th_class filler = { .name = "filler", .receive = filler_receive };

static void bounded_mailboxes(struct test_system *ts)
{
    th_spawn_options bounded = { .klass = &talk_counter,
                                 .mailbox = { .limit = 1, .when_full = TH_WHEN_FULL_HOLD } };
    th_addr one, two;

    if (th_spawn_with(ts->me, &bounded, &one) || th_spawn(ts->me, &filler, NULL, &two))
        return;
    for (int i = 0; i < 2; i++)
        whatever(talk_whom_send(ts->me, two, (struct talk_whom){ .addr = one }));
    whatever(th_when_writable(ts->me, one));
    shortage_listen(ts->me, TALK_SILENCE);
    whatever(th_stop(ts->me, one));
    shortage_ask(ts->me, two, "there?");
}

static const th_class asker = { .name = "asker", .receive = asker_receive };

static void questions_between_actors(struct test_system *ts)
{
    th_addr one, two;

    if (th_spawn(ts->me, &asker, NULL, &one) || th_spawn(ts->me, &talk_echo, NULL, &two))
        return;
    for (int i = 0; i < 3; i++)
        whatever(talk_whom_send(ts->me, one, (struct talk_whom){ .addr = i == 1 ? one : two }));
    shortage_listen(ts->me, TALK_SILENCE);
}

static void wakeups(struct test_system *ts)
{
    uint64_t id = 0;

    whatever(th_wakeup_after(ts->me, TH_US(10), talk_word(ts->me, "tea"), NULL));
    if (th_wakeup_every(ts->me, TH_US(10), talk_word(ts->me, "tick"), &id) == TH_OK) {
        for (int i = 0; i < 3; i++)
            shortage_listen(ts->me, TH_MS(1));
        whatever(th_wakeup_cancel(ts->me, id));
    }
    if (th_wakeup_after(ts->me, TH_S(3600), talk_word(ts->me, "never"), &id) == TH_OK)
        whatever(th_wakeup_cancel(ts->me, id));
}

static th_err reader_receive(th_self *self, void *state, const th_msg *msg)
{
    return talk_is(msg, "read") ? th_dead_letters_to_me(self, true) : TH_OK;
}

static const th_class reader = { .name = "reader", .receive = reader_receive };

static void dead_letters(struct test_system *ts)
{
    th_addr handler, dead;

    if (th_spawn(ts->me, &reader, NULL, &handler) || th_spawn(ts->me, &keeps, NULL, &dead))
        return;
    shortage_ask(ts->me, handler, "read");
    whatever(th_stop(ts->me, dead));
    for (int i = 0; i < 3; i++)
        whatever(talk_say(ts->me, dead, "too late"));
    shortage_ask(ts->me, dead, "gone?");
    whatever(th_stop(ts->me, handler));
    whatever(talk_say(ts->me, dead, "and nobody reads it"));
}

TH_SIGNAL(large);
TH_SIGNAL_TYPE_AS(large, TH_TYPE_REST, NULL)

static void large_messages_and_memory(struct test_system *ts)
{
    th_blob *blob = th_blob_text(ts->me, "shared");
    void *memory = th_alloc(ts->me, 100000);
    th_addr echo;
    th_msg *answer = NULL, *copy;

    th_free(ts->me, memory, 100000);
    th_blob_unref(th_blob_ref(blob));
    th_blob_unref(blob);
    if (th_spawn(ts->me, &talk_echo, NULL, &echo))
        return;
    if (th_ask(ts->me, echo, th_msg_create_sized(ts->me, &large_type, 1 << 20), TALK_PATIENCE,
               &answer))
        return;
    copy = th_msg_dup(ts->me, answer);
    th_msg_destroy(ts->me, answer);
    th_msg_destroy(ts->me, copy);
}

static void endpoints(struct test_system *ts)
{
    th_self *other = NULL;

    if (th_endpoint_open(ts->sys, &other))
        return;
    whatever(talk_say(ts->me, th_self_addr(other), "hello"));
    shortage_listen(other, 0);
    whatever(talk_say(ts->me, th_self_addr(other), "unheard"));
    whatever(th_wakeup_after(other, TH_S(1), NULL, NULL));
    must(th_endpoint_close(other));
}

static th_err tied_receive(th_self *self, void *state, const th_msg *msg)
{
    if (!talk_whom_of(msg))
        return TH_OK;
    whatever(th_watch_actor(self, talk_whom_of(msg)->addr));
    return th_link(self, talk_whom_of(msg)->addr);
}

static const th_class tied = { .name = "tied", .receive = tied_receive };

static void watches_and_links(struct test_system *ts)
{
    th_addr one, two;

    if (th_spawn(ts->me, &tied, NULL, &one) || th_spawn(ts->me, &tied, NULL, &two))
        return;
    whatever(th_watch_actor(ts->me, one));
    whatever(th_watch_actor(ts->me, two));
    whatever(th_unwatch_actor(ts->me, two));
    whatever(talk_whom_send(ts->me, one, (struct talk_whom){ .addr = two }));
    whatever(talk_whom_send(ts->me, two, (struct talk_whom){ .addr = one }));
    whatever(th_stop_because(ts->me, one, TH_E_FAILED, "it is over"));
    shortage_listen(ts->me, TALK_SILENCE);
    whatever(th_watch_actor(ts->me, one));
    shortage_listen(ts->me, TALK_SILENCE);
}

static void get_by_name(struct test_system *ts)
{
    th_spawn_options options = { .klass = &talk_echo, .global_name = "the one" };
    th_addr first, second;

    options.arg = talk_word(ts->me, "argument");
    whatever(th_spawn_with(ts->me, &options, &first));
    options.arg = NULL;
    whatever(th_create(ts->me, &options, TALK_PATIENCE, &second, NULL));
    if (th_name_find(ts->me, "the one", &first) == TH_OK) {
        shortage_ask(ts->me, first, "hello?");
        whatever(th_stop(ts->me, first));
    }
    whatever(th_create(ts->me, &options, TALK_PATIENCE, &second, NULL));
}

static void needs_and_capabilities(struct test_system *ts)
{
    static const th_need needs[] = { { .name = "gpu" }, { .name = NULL } };
    static const th_fact told[] = { { "hue", TH_STRING("red") }, { .name = NULL } };
    th_spawn_options options = { .klass = &talk_echo, .needs = needs, .requirements = told };
    th_addr addr;

    whatever(th_capability_set(ts->me, "gpu", (th_value)TH_STRING("two of them")));
    for (int i = 0; i < 2; i++) {
        options.arg = talk_word(ts->me, "argument");
        whatever(th_spawn_with(ts->me, &options, &addr));
    }
    options.arg = NULL;
    whatever(th_fits(ts->me, &options, NULL));
    whatever(th_create(ts->me, &options, TALK_PATIENCE, &addr, NULL));
    whatever(th_capability_remove(ts->me, "gpu"));
    whatever(th_create(ts->me, &options, TALK_PATIENCE, &addr, NULL));
}
/* ---- watches ---- */

/* Open from before the system until after it: nobody waits for the watcher's end where there is no
 * memory to ask for it. */
static int ends[2];

static void with_pipe(th_options *options)
{
    shortage_log(options);
    watcher_pipe(ends);
}

static void close_pipe(void)
{
    close(ends[0]);
    close(ends[1]);
}

/* A watch for whose message there is no memory is tried again. */
static void watches(struct test_system *ts)
{
    struct watcher_order *order;
    struct talk_whom *boss;
    th_msg *msg = talk_whom_new(ts->me, &boss), *answer;
    th_addr watcher;

    signal(SIGUSR2, SIG_IGN);
    if (msg)
        boss->addr = th_self_addr(ts->me);
    if (msg && th_spawn(ts->me, &watcher_class, msg, &watcher) == TH_OK) {
        for (int verb = 0; verb < 2; verb++) {
            answer = NULL;
            msg = watcher_order_new(ts->me, &order);
            if (msg)
                *order = verb ? (struct watcher_order){ WATCHER_SIGNAL, .fd = SIGUSR2 }
                              : (struct watcher_order){ WATCHER_FD, .fd = ends[0],
                                                        .events = TH_FD_READABLE,
                                                        .mode = TH_WATCH_ONCE };
            whatever(th_ask(ts->me, watcher, msg, TALK_SILENCE, &answer));
            th_msg_destroy(ts->me, answer);
        }
        watcher_write(ends[1], 1);
        raise(SIGUSR2);
        for (int i = 0; i < 3; i++)
            shortage_listen(ts->me, TH_MS(4));
        whatever(th_stop(ts->me, watcher));
        shortage_ask(ts->me, watcher, "gone?");
    }
}
/* ---- the sweeps ---- */

SWEEP(nomem, spawn_tell_ask_stop)
SWEEP(nomem, create_and_why)
SWEEP(nomem, failures_of_every_kind)
SWEEP(nomem, questions_between_actors)
SWEEP(nomem, bounded_mailboxes)
SWEEP(nomem, wakeups)
SWEEP(nomem, dead_letters)
SWEEP(nomem, large_messages_and_memory)
SWEEP(nomem, endpoints)
SWEEP(nomem, watches_and_links)
SWEEP(nomem, get_by_name)
SWEEP(nomem, needs_and_capabilities)
SWEEP_WITH(nomem, watches, with_pipe, close_pipe)

/* The random program, short of one allocation: the model still holds, but for what was refused. */
Test(nomem, random_actors, .timeout = 100)
{
    static struct random_ledger ledger;

    for (uint64_t seed = 1; seed <= 10; seed++) {
        for (uint64_t nth = 1; nth <= 60; nth++) {
            const struct random_plan plan = {
                .base = TH_BASE_SIMPLE, .seed = seed, .openings = 16, .fuel = 4, .nomem_nth = nth
            };
            struct random_result result = random_actors_run(&plan, &ledger);

            cr_assert_null(result.wrong, "seed %llu, allocation %llu: %s", (unsigned long long)seed,
                           (unsigned long long)nth, result.wrong);
        }
    }
}
/* A system that cannot even start says so, and is as it was. */
static void *none(void *context, size_t size)
{
    _Atomic uint64_t *left = context;
    uint64_t was = atomic_load(left);

    while (was && !atomic_compare_exchange_weak(left, &was, was - 1))
        continue;
    return was ? malloc(size) : NULL;
}

static void give(void *context, void *memory, size_t size)
{
    free(memory);
}

/* Some thread of the system's may have taken the last of it. */
static void start_short(th_options options)
{
    th_err err = TH_E_NOMEM;

    for (uint64_t allowed = 0; err; allowed++) {
        _Atomic uint64_t left = allowed;
        const th_allocator allocator = { .alloc = none, .free = give, .context = &left };
        th_system *sys;

        options.allocator = &allocator;
        sys = th_system_create(&options);
        cr_assert_lt(allowed, 1000);
        if (!sys)
            continue;
        err = th_system_start(sys);
        cr_assert(err == TH_OK || err == TH_E_NOMEM, "%s", th_err_name(err));
        atomic_store(&left, 1000);
        if (!err)
            must(th_system_shutdown(sys, TALK_PATIENCE, NULL, NULL));
        must(th_system_destroy(sys));
    }
}

Test(nomem, a_start_that_fails_leaves_nothing, .timeout = 100)
{
    start_short((th_options){ .base = TH_BASE_SIMPLE, .actors_max = 4096 });
}

Test(nomem, a_start_with_everything_that_fails_leaves_nothing, .timeout = 100)
{
    static const th_fact facts[] = { { "hue", TH_STRING("red") }, { .name = NULL } };
    struct leaks before = leaks_look();
    th_options options = { .workers = 2,
                           .actors_max = 4096,
                           .measure = true,
                           .watchdog_ns = TH_S(1),
                           .watchdog_signal = SIGRTMIN + 3,
                           .signals = TH_SIGNAL_TERM | TH_SIGNAL_STATUS,
                           .capabilities = facts };

    shortage_log(&options);
    start_short(options);
    leaks_check(before);
}
