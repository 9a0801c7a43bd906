/* The n-th allocation fails, for every n that a scenario has: each call answers, nobody hangs,
 * nothing leaks, and the books balance. */
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/random_actors.h"
#include "tests/support/system.h"
#include "tests/support/talk.h"
#include "tests/support/watcher.h"

enum { SHORTAGES_MAX = 2000 };

/* ---- scenarios ---- */

/* What a call answers here is its own affair, as long as it answers. */
static void whatever(th_err err)
{
}

static void ask(th_self *me, th_addr to, const char *text)
{
    th_msg *answer = NULL;

    whatever(th_ask(me, to, talk_word(me, text), TALK_SILENCE, &answer));
    th_msg_destroy(me, answer);
}

static void listen(th_self *me, uint64_t limit)
{
    th_msg *msg = NULL;

    whatever(th_listen(me, limit, &msg));
    th_msg_destroy(me, msg);
}

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
    ask(ts->me, addr, "hello?");
    whatever(th_stop(ts->me, addr));
    ask(ts->me, addr, "gone?");
    listen(ts->me, 0);
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
        ask(ts->me, addr, "fail");
        listen(ts->me, TALK_SILENCE);
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
    listen(ts->me, TALK_SILENCE);
    whatever(th_stop(ts->me, one));
    ask(ts->me, two, "there?");
}

static const th_class asker = { .name = "asker", .receive = asker_receive };

static void questions_between_actors(struct test_system *ts)
{
    th_addr one, two;

    if (th_spawn(ts->me, &asker, NULL, &one) || th_spawn(ts->me, &talk_echo, NULL, &two))
        return;
    for (int i = 0; i < 3; i++)
        whatever(talk_whom_send(ts->me, one, (struct talk_whom){ .addr = i == 1 ? one : two }));
    listen(ts->me, TALK_SILENCE);
}

static void wakeups(struct test_system *ts)
{
    uint64_t id = 0;

    whatever(th_wakeup_after(ts->me, TH_US(10), talk_word(ts->me, "tea"), NULL));
    if (th_wakeup_every(ts->me, TH_US(10), talk_word(ts->me, "tick"), &id) == TH_OK) {
        for (int i = 0; i < 3; i++)
            listen(ts->me, TH_MS(1));
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
    ask(ts->me, handler, "read");
    whatever(th_stop(ts->me, dead));
    for (int i = 0; i < 3; i++)
        whatever(talk_say(ts->me, dead, "too late"));
    ask(ts->me, dead, "gone?");
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
    listen(other, 0);
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
    listen(ts->me, TALK_SILENCE);
    whatever(th_watch_actor(ts->me, one));
    listen(ts->me, TALK_SILENCE);
}

static th_err kin_receive(th_self *self, void *state, const th_msg *msg)
{
    return talk_is(msg, "die") ? th_exit_because(self, TH_E_FAILED, NULL) : TH_OK;
}

static const th_class kin = { .name = "kin", .receive = kin_receive };

static void supervisors(struct test_system *ts)
{
    th_child_spec children[] = { { .id = "a", .klass = &kin }, { .id = "b", .klass = &kin } };
    th_addr supervisor;

    for (int i = 0; i < 2; i++)
        children[i].arg = talk_word(ts->me, "argument");
    if (th_supervisor_spawn(ts->me, children, 2,
                            &(th_supervisor_options){ .strategy = TH_ALL_FOR_ONE }, &supervisor))
        return;
    for (int i = 0; i < 2; i++) {
        struct th_supervisor_find *body;
        th_msg *question = th_supervisor_find_new(ts->me, &body), *answer = NULL;

        listen(ts->me, TALK_SILENCE);
        if (!question)
            continue;
        body->id[0] = 'a';
        if (th_ask(ts->me, supervisor, question, TALK_SILENCE, &answer) == TH_OK &&
            th_supervisor_child_of(answer))
            whatever(talk_say(ts->me, th_supervisor_child_of(answer)->addr, "die"));
        th_msg_destroy(ts->me, answer);
    }
    whatever(th_supervisor_add(ts->me, supervisor, &(th_child_spec){ .id = "c", .klass = &kin }));
    whatever(th_stop(ts->me, supervisor));
    listen(ts->me, TALK_SILENCE);
}

static void troupes(struct test_system *ts)
{
    th_addr leader;

    if (th_troupe_spawn(ts->me, &talk_echo, NULL, &(th_troupe_options){ .workers_max = 3 },
                        &leader))
        return;
    for (int i = 0; i < 6; i++)
        whatever(talk_say(ts->me, leader, "job"));
    ask(ts->me, leader, "job?");
    whatever(th_stop(ts->me, leader));
    for (int i = 0; i < 6; i++)
        listen(ts->me, TALK_SILENCE);
}

static void routers(struct test_system *ts)
{
    static const th_routing routings[] = { TH_ROUTE_IN_TURN, TH_ROUTE_TO_ALL, TH_ROUTE_BY_LOAD };
    th_addr guest = th_addr_none(), router;

    whatever(th_spawn(ts->me, &talk_echo, NULL, &guest));
    for (int i = 0; i < 3; i++) {
        if (th_router_spawn(ts->me,
                            &(th_router_options){ .routing = routings[i],
                                                  .klass = &kin,
                                                  .arg = talk_word(ts->me, "argument"),
                                                  .children = 2,
                                                  .waiting_max = 2 },
                            &router))
            continue;
        if (!th_addr_is_none(guest))
            whatever(th_router_join_send(ts->me, router, (struct th_router_join){ guest }));
        whatever(talk_say(ts->me, router, "hello"));
        whatever(talk_say(ts->me, router, "die"));
        whatever(th_router_set_send(ts->me, router, (struct th_router_set){ .children = 3 }));
        ask(ts->me, router, "hello?");
        whatever(th_router_leave_send(ts->me, router, (struct th_router_leave){ guest }));
        whatever(th_tell(ts->me, router, th_msg_create(ts->me, &th_router_ask_status_type)));
        for (int j = 0; j < 5; j++)
            listen(ts->me, TH_MS(1));
        whatever(th_stop(ts->me, router));
    }
}

static void topics(struct test_system *ts)
{
    th_addr topics, readers[2];

    if (th_topics_spawn(ts->me, NULL, &topics))
        return;
    for (int i = 0; i < 2; i++) {
        if (th_spawn(ts->me, &kin, NULL, &readers[i]))
            return;
        whatever(th_subscribe_to(ts->me, topics, "a/+", readers[i]));
        whatever(th_subscribe_to(ts->me, topics, "a/b/#", readers[i]));
        whatever(th_publish(ts->me, topics, "a/b", talk_word(ts->me, "die"), TH_PUBLISH_RETAIN));
        listen(ts->me, TH_MS(1));
    }
    whatever(th_unsubscribe_from(ts->me, topics, "a/+", readers[0]));
    whatever(th_tell(ts->me, topics, th_msg_create(ts->me, &th_topics_ask_status_type)));
    whatever(th_topics_set_send(ts->me, topics, (struct th_topics_set){ .topics_max = 5 }));
    whatever(th_stop(ts->me, readers[1]));
    whatever(th_retract(ts->me, topics, "a/b"));
    whatever(th_publish(ts->me, topics, "c", talk_word(ts->me, "kept"), TH_PUBLISH_RETAIN));
    for (int i = 0; i < 6; i++)
        listen(ts->me, TH_MS(1));
    whatever(th_stop(ts->me, topics));
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
        ask(ts->me, first, "hello?");
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

/* ---- logging, and who looks at the system ---- */

static struct {
    _Atomic uint64_t records; /* that the sink took and that are in the books */
} seen;

static th_err take_record(void *context, const th_log_record *record)
{
    atomic_fetch_add(&seen.records, record->number != 0); /* the logger's own have none */
    return TH_OK;
}

static void with_log(th_options *options)
{
    static const th_log_sink sink = { .kind = TH_LOG_SINK_FUNCTION, .write = take_record };
    static const th_log_options log = { .threshold = TH_LOG_INFO,
                                        .sinks = &sink,
                                        .sink_count = 1,
                                        .rate_max = 3,
                                        .ignore_environment = true };

    atomic_store(&seen.records, 0);
    options->log = &log;
}

static th_err wordy_receive(th_self *self, void *state, const th_msg *msg)
{
    char long_text[600];

    memset(long_text, 'x', sizeof(long_text));
    th_log_warn(self, "%.*s", (int)sizeof(long_text), long_text);
    th_log_with(self, TH_LOG_WARN, "a word", th_kv_bytes("long", long_text, sizeof(long_text)));
    return talk_is(msg, "fail") ? TH_E_FAILED : TH_OK;
}

static const th_class wordy = { .name = "wordy", .receive = wordy_receive };

/* The logger is started by the first record, and again after its end. */
static void logging(struct test_system *ts)
{
    th_addr addr;

    for (int i = 0; i < 5; i++)
        th_log_warn(ts->me, "one of many: %d", i);
    whatever(th_log_threshold(ts->sys, TH_LOG_WARN));
    whatever(th_log_rules(ts->sys, "wordy=info"));
    if (th_spawn(ts->me, &wordy, NULL, &addr))
        return;
    whatever(th_log_actor_threshold(ts->sys, addr, TH_LOG_WARN));
    for (int i = 0; i < 3; i++)
        whatever(talk_say(ts->me, addr, i ? "hello" : "fail"));
    listen(ts->me, TALK_SILENCE);
    whatever(th_log_flush(ts->sys, TALK_SILENCE));
    for (int i = 0; i < 50; i++)
        th_log_with(ts->me, TH_LOG_ERROR, "the last", th_kv_u64("of", 50), th_kv_i64("at", i));
}

static void with_measuring(th_options *options)
{
    with_log(options);
    options->measure = true;
}

static void ask_status(struct test_system *ts, th_addr whom, uint32_t format)
{
    struct th_ask_status *body;
    th_msg *question = th_ask_status_new(ts->me, &body), *answer = NULL;

    if (question)
        *body = (struct th_ask_status){ .format = format, .parts = TH_STATUS_ALL };
    whatever(th_ask(ts->me, whom, question, TALK_SILENCE, &answer));
    th_msg_destroy(ts->me, answer);
}

static void count_actor(void *context, const th_actor_status *status)
{
    (*(unsigned *)context)++;
}

static void status_of_everything(struct test_system *ts)
{
    unsigned count = 0;
    th_addr addr;

    if (th_spawn(ts->me, &family, NULL, &addr))
        addr = th_system_addr(ts->me);
    ask_status(ts, addr, 0);
    ask_status(ts, th_system_addr(ts->me), TH_STATUS_TEXT);
    ask_status(ts, th_system_addr(ts->me), TH_STATUS_JSON);
    whatever(th_ask_actor_status(ts->me, addr));
    whatever(th_ask_system_status(ts->me, TH_STATUS_JSON, TH_STATUS_SYSTEM));
    listen(ts->me, TALK_SILENCE);
    listen(ts->me, TALK_SILENCE);
    whatever(th_actors_each(ts->sys, count_actor, &count));
}

static void with_watchdog(th_options *options)
{
    with_log(options);
    options->watchdog_ns = TH_WATCHDOG_NS_MIN;
}

/* Until the watchdog has looked at it a few times. What it cannot log it writes elsewhere. */
static th_err hang_receive(th_self *self, void *state, const th_msg *msg)
{
    uint64_t until = th_now(self) + 3 * TH_WATCHDOG_NS_MIN;

    while (th_now(self) < until)
        continue;
    return TH_OK;
}

static const th_class hangs = { .name = "hangs", .receive = hang_receive };

static void watchdog(struct test_system *ts)
{
    th_addr addr;

    if (th_spawn(ts->me, &hangs, NULL, &addr) == TH_OK)
        ask(ts->me, addr, "hang");
}

/* ---- watches ---- */

/* Open from before the system until after it: nobody waits for the watcher's end where there is no
 * memory to ask for it. */
static int ends[2];

static void with_pipe(th_options *options)
{
    with_log(options);
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
            listen(ts->me, TH_MS(4));
        whatever(th_stop(ts->me, watcher));
        ask(ts->me, watcher, "gone?");
    }
}

/* ---- traces ---- */

static void tracing(struct test_system *ts)
{
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    th_trace_options where = { .fd = fd };
    bool is_traced = th_trace_start(ts->sys, &where) == TH_OK;

    spawn_tell_ask_stop(ts);
    if (is_traced)
        must(th_trace_stop(ts->sys));
    close(fd);
}

/* ---- the sweep ---- */

struct scenario {
    void (*play)(struct test_system *ts);
    void (*equip)(th_options *options); /* with a log at least; may be NULL */
    void (*after)(void);                /* the system is gone; may be NULL */
};

/* A record that was taken is written, or in a count; one allocation costs one record at most. */
static void check_log(struct test_system *ts, const struct scenario *scenario, bool for_good)
{
    th_system_status status;

    must(th_system_shutdown(ts->sys, TALK_PATIENCE, NULL, NULL));
    must_be(th_system_status_read(ts->sys, &status), TH_E_CLOSED);
    cr_assert_eq(status.log.waiting, 0);
    cr_assert_eq(status.log.accepted,
                 status.log.written + status.log.suppressed + status.log.dropped);
    cr_assert(for_good || status.log.dropped <= 1, "%llu", (unsigned long long)status.log.dropped);
    if (scenario->equip)
        cr_assert_eq(status.log.written, atomic_load(&seen.records));
}

/* With the @nth allocation failing, and if @for_good all after it until the scenario is over.
 * Whether it came to that. */
static bool run_short(th_base base, uint64_t nth, bool for_good, const struct scenario *scenario)
{
    th_options options = { .base = base, .workers = 2, .seed = 1 };
    struct test_system ts;
    uint64_t before = 0, after = 0;

    if (scenario->equip)
        scenario->equip(&options);
    ts = test_system_open_with(&options);
    must(th_allocations(ts.sys, &before));
    must(th_inject_nomem(ts.sys, nth, for_good));
    scenario->play(&ts);
    must(th_allocations(ts.sys, &after));
    must(th_inject_nomem(ts.sys, 0, false));
    check_log(&ts, scenario, for_good);
    test_system_close(&ts);
    if (scenario->after)
        scenario->after();
    return after - before >= nth;
}

static void sweep(const struct scenario *scenario)
{
    uint64_t nth = 1;

    while (nth < SHORTAGES_MAX && run_short(TH_BASE_SIMPLE, nth, false, scenario))
        nth++;
    cr_assert_lt(nth, SHORTAGES_MAX);
    cr_assert_gt(nth, 1, "a scenario that allocates nothing");
    for (uint64_t i = 1; i <= nth; i += 1 + i / 4) /* each spins until its limits pass */
        run_short(TH_BASE_SIMPLE, i, true, scenario);
    for (uint64_t i = 1; i <= nth && i <= 20; i++)
        run_short(TH_BASE_POOL, i, false, scenario);
}

#define SWEEP_WITH(name, equip, after)                                                             \
    Test(nomem, name, .timeout = 100)                                                              \
    {                                                                                              \
        sweep(&(struct scenario){ name, equip, after });                                           \
    }
#define SWEEP(name) SWEEP_WITH(name, NULL, NULL)

SWEEP(spawn_tell_ask_stop)
SWEEP(create_and_why)
SWEEP(failures_of_every_kind)
SWEEP(questions_between_actors)
SWEEP(bounded_mailboxes)
SWEEP(wakeups)
SWEEP(dead_letters)
SWEEP(large_messages_and_memory)
SWEEP(endpoints)
SWEEP(troupes)
SWEEP(supervisors)
SWEEP(routers)
SWEEP(topics)
SWEEP(watches_and_links)
SWEEP_WITH(watches, with_pipe, close_pipe)
SWEEP(get_by_name)
SWEEP(needs_and_capabilities)
SWEEP_WITH(logging, with_log, NULL)
SWEEP_WITH(status_of_everything, with_measuring, NULL)
SWEEP(tracing)

/* The simple base has nobody to watch. */
Test(nomem, watchdog, .timeout = 100)
{
    for (uint64_t nth = 1; nth <= 20; nth++)
        run_short(TH_BASE_POOL, nth, nth % 4 == 0,
                  &(struct scenario){ watchdog, with_watchdog, NULL });
}

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

    with_log(&options);
    start_short(options);
    leaks_check(before);
}
