/* The n-th allocation fails while somebody looks at the system: logs, status, traces, the
 * watchdog. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/shortage.h"
#include "tests/support/talk.h"

/* ---- who is looked at ---- */

/* It has a child, so that the tree has a branch. */
static th_err parent_init(th_self *self, void *state, const th_msg *arg)
{
    th_addr child;

    return th_spawn(self, &talk_echo, NULL, &child);
}

static th_err parent_receive(th_self *self, void *state, const th_msg *msg)
{
    return talk_word_of(msg) ? th_forward(self, th_msg_sender(msg), msg) : TH_OK;
}

static const th_class parent = { .name = "parent", .init = parent_init, .receive = parent_receive };

/* ---- logs ---- */

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
    shortage_listen(ts->me, TALK_SILENCE);
    whatever(th_log_flush(ts->sys, TALK_SILENCE));
    for (int i = 0; i < 50; i++)
        th_log_with(ts->me, TH_LOG_ERROR, "the last", th_kv_u64("of", 50), th_kv_i64("at", i));
}

/* ---- status ---- */

static void with_measuring(th_options *options)
{
    shortage_log(options);
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

    if (th_spawn(ts->me, &parent, NULL, &addr))
        addr = th_system_addr(ts->me);
    ask_status(ts, addr, 0);
    ask_status(ts, th_system_addr(ts->me), TH_STATUS_TEXT);
    ask_status(ts, th_system_addr(ts->me), TH_STATUS_JSON);
    whatever(th_ask_actor_status(ts->me, addr));
    whatever(th_ask_system_status(ts->me, TH_STATUS_JSON, TH_STATUS_SYSTEM));
    shortage_listen(ts->me, TALK_SILENCE);
    shortage_listen(ts->me, TALK_SILENCE);
    whatever(th_actors_each(ts->sys, count_actor, &count));
}

/* ---- the watchdog ---- */

static void with_watchdog(th_options *options)
{
    shortage_log(options);
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
        shortage_ask(ts->me, addr, "hang");
}
/* ---- traces ---- */

static void tracing(struct test_system *ts)
{
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    th_trace_options where = { .fd = fd };
    bool is_traced = th_trace_start(ts->sys, &where) == TH_OK;
    th_addr addr;

    if (th_spawn(ts->me, &parent, talk_word(ts->me, "argument"), &addr) == TH_OK) {
        whatever(talk_say(ts->me, addr, "hello"));
        shortage_ask(ts->me, addr, "hello?");
        whatever(th_stop(ts->me, addr));
        shortage_ask(ts->me, addr, "gone?");
    }
    if (is_traced)
        must(th_trace_stop(ts->sys));
    close(fd);
}
/* ---- the sweeps ---- */

SWEEP_WITH(nomem_log, logging, shortage_log, NULL)
SWEEP_WITH(nomem_log, status_of_everything, with_measuring, NULL)
SWEEP(nomem_log, tracing)

/* The simple base has nobody to watch. */
Test(nomem_log, watchdog, .timeout = 100)
{
    static const struct shortage_story story = { watchdog, with_watchdog, NULL };

    for (uint64_t nth = 1; nth <= 20; nth++)
        shortage_play(TH_BASE_POOL, nth, nth % 4 == 0, &story);
}
