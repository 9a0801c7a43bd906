#include "tests/support/shortage.h"

#include <stdatomic.h>

#include <thespis/log.h>
#include <thespis/testkit.h>

#include "tests/support/talk.h"

enum { SHORTAGES_MAX = 2000 };

/* ---- a stretch ---- */

struct shortage shortage_begin(th_system *sys, uint64_t nth, bool for_good)
{
    struct shortage shortage = { .sys = sys, .nth = nth };

    must(th_allocations(sys, &shortage.before));
    must(th_inject_nomem(sys, nth, for_good));
    return shortage;
}

bool shortage_end(const struct shortage *shortage)
{
    uint64_t after = 0;

    must(th_allocations(shortage->sys, &after));
    must(th_inject_nomem(shortage->sys, 0, false));
    return after - shortage->before >= shortage->nth;
}

/* ---- the log ---- */

static _Atomic uint64_t records; /* that the sink took and that are in the books */

static th_err take_record(void *context, const th_log_record *record)
{
    atomic_fetch_add(&records, record->number != 0); /* the logger's own have none */
    return TH_OK;
}

void shortage_log(th_options *options)
{
    static const th_log_sink sink = { .kind = TH_LOG_SINK_FUNCTION, .write = take_record };
    static const th_log_options log = { .threshold = TH_LOG_INFO,
                                        .sinks = &sink,
                                        .sink_count = 1,
                                        .rate_max = 3,
                                        .ignore_environment = true };

    atomic_store(&records, 0);
    options->log = &log;
}

/* A record that was taken is written, or in a count; one allocation costs one record at most. */
static void check_log(struct test_system *ts, const struct shortage_story *story, bool for_good)
{
    th_system_status status;

    must(th_system_shutdown(ts->sys, TALK_PATIENCE, NULL, NULL));
    must_be(th_system_status_read(ts->sys, &status), TH_E_CLOSED);
    cr_assert_eq(status.log.waiting, 0);
    cr_assert_eq(status.log.accepted,
                 status.log.written + status.log.suppressed + status.log.dropped);
    cr_assert(for_good || status.log.dropped <= 1, "%llu", (unsigned long long)status.log.dropped);
    if (story->equip)
        cr_assert_eq(status.log.written, atomic_load(&records));
}

/* ---- a story ---- */

bool shortage_play(th_base base, uint64_t nth, bool for_good, const struct shortage_story *story)
{
    th_options options = { .base = base, .workers = 2, .seed = 1 };
    struct shortage shortage;
    struct test_system ts;
    bool is_short;

    if (story->equip)
        story->equip(&options);
    ts = test_system_open_with(&options);
    shortage = shortage_begin(ts.sys, nth, for_good);
    story->play(&ts);
    is_short = shortage_end(&shortage);
    check_log(&ts, story, for_good);
    test_system_close(&ts);
    if (story->after)
        story->after();
    return is_short;
}

void shortage_sweep(const struct shortage_story *story)
{
    uint64_t nth = 1;

    while (nth < SHORTAGES_MAX && shortage_play(TH_BASE_SIMPLE, nth, false, story))
        nth++;
    cr_assert_lt(nth, SHORTAGES_MAX);
    cr_assert_gt(nth, 1, "a story that allocates nothing");
    for (uint64_t i = 1; i <= nth; i += 1 + i / 4) /* each spins until its limits pass */
        shortage_play(TH_BASE_SIMPLE, i, true, story);
    for (uint64_t i = 1; i <= nth && i <= 20; i++)
        shortage_play(TH_BASE_POOL, i, false, story);
}

/* ---- what stories say ---- */

void shortage_ask(th_self *me, th_addr to, const char *question)
{
    th_msg *answer = NULL;

    whatever(th_ask(me, to, talk_word(me, question), TALK_SILENCE, &answer));
    th_msg_destroy(me, answer);
}

void shortage_listen(th_self *me, uint64_t limit)
{
    th_msg *msg = NULL;

    whatever(th_listen(me, limit, &msg));
    th_msg_destroy(me, msg);
}
