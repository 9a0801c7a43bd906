/* Actors that say more of themselves, in the status of their system. */
#include "../../support/json.h"
#include "../../support/system.h"
#include "../../support/talk.h"

#include "runtime/system/report.h"
#include "runtime/system/system.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define TILL_FIELDS(F, S)                                                                          \
    F(S, u64, coins)                                                                               \
    F(S, u32, coins_max) F(S, u16, drawers) F(S, u8, keys) F(S, bool_, open) F(S, chars, owner, 16)
TH_MESSAGE(till, TILL_FIELDS);
TH_MESSAGE_TYPE(till, TILL_FIELDS)

static struct {
    _Atomic bool is_in, may_go;
} gate;

static th_err till_receive(th_self *self, void *state, const th_msg *msg)
{
    uint64_t *coins = state;

    *coins += talk_is(msg, "coin");
    if (talk_is(msg, "stick")) {
        atomic_store(&gate.is_in, true);
        while (!atomic_load(&gate.may_go))
            continue;
    }
    return TH_OK;
}

static th_msg *till_status(th_self *self, const void *state)
{
    struct till *body;
    th_msg *msg = till_new(self, &body);

    if (msg)
        *body = (struct till){ *(const uint64_t *)state, 100, 7, 3, true, "A. \"Smith\"" };
    return msg;
}

static const th_class till_class = {
    .name = "till", .state_size = sizeof(uint64_t), .receive = till_receive, .status = till_status
};
static const th_class heir_class = {
    .name = "heir", .state_size = sizeof(uint64_t), .receive = till_receive, .base = &till_class
};
static const th_class plain_class = { .name = "plain" };

/* ---- as calls ---- */

struct seen {
    int count, known;
    uint64_t coins;
    bool has_troupe, has_router, has_topics, has_supervisor;
};

static void see(void *context, const th_service_status *status)
{
    struct seen *seen = context;

    seen->count++;
    if (!status->figures)
        return;
    seen->known++;
    if (till_of(status->figures))
        seen->coins += till_of(status->figures)->coins;
    if (th_troupe_status_of(status->figures))
        seen->has_troupe = th_troupe_status_of(status->figures)->workers_max == 3;
    if (th_router_status_of(status->figures))
        seen->has_router = th_router_status_of(status->figures)->routees == 2;
    if (th_topics_status_of(status->figures))
        seen->has_topics = th_topics_status_of(status->figures)->topics == 0;
    if (th_supervisor_status_of(status->figures))
        seen->has_supervisor = th_supervisor_status_of(status->figures)->children == 0;
}

static struct seen look(struct test_system *ts)
{
    struct seen seen = { 0 };

    must(th_services_each(ts->sys, see, &seen));
    return seen;
}

/* All that was sent to @actor is handled. */
static void settle(struct test_system *ts, th_addr actor)
{
    struct th_ask_handled *body;
    th_msg *question = th_ask_handled_new(ts->me, &body), *answer;

    must(th_ask(ts->me, actor, question, TALK_PATIENCE, &answer));
    th_msg_destroy(ts->me, answer);
}

BOTH_BASES(services, are_those_whose_class_has_something_to_say)
{
    th_addr till = talk_create(ts->me, &till_class), heir = talk_create(ts->me, &heir_class);
    struct seen seen;

    (void)talk_create(ts->me, &plain_class);
    must(talk_say(ts->me, till, "coin"));
    must(talk_say(ts->me, heir, "coin"));
    must(talk_say(ts->me, heir, "coin"));
    settle(ts, till);
    settle(ts, heir);
    seen = look(ts);
    cr_assert_eq(seen.count, 2);
    cr_assert_eq(seen.known, 2);
    cr_assert_eq(seen.coins, 3);
}

BOTH_BASES(services, are_the_librarys_own)
{
    th_troupe_options crew = { .workers_max = 3, .idle_max = 1 };
    th_router_options way = { .routing = TH_ROUTE_IN_TURN, .klass = &plain_class, .children = 2 };
    th_addr addr[4];
    struct seen seen;

    must(th_troupe_spawn(ts->me, &plain_class, NULL, &crew, &addr[0]));
    must(th_router_spawn(ts->me, &way, &addr[1]));
    must(th_topics_spawn(ts->me, NULL, &addr[2]));
    must(th_supervisor_spawn(ts->me, NULL, 0, NULL, &addr[3]));
    do { /* they may be about to start */
        if (test_is_simple(ts))
            must(th_run_until_idle(ts->sys, 0, NULL));
        seen = look(ts);
    } while (!test_is_simple(ts) && seen.known < 4);
    cr_assert_eq(seen.count, 4);
    cr_assert(seen.has_troupe && seen.has_router && seen.has_topics && seen.has_supervisor);
}

Test(services, that_are_stuck_are_listed_all_the_same)
{
    struct test_system ts = test_system_open(TH_BASE_POOL, 0);
    th_addr till = talk_create(ts.me, &till_class);
    struct seen seen;

    atomic_store(&gate.is_in, false);
    atomic_store(&gate.may_go, false);
    must(talk_say(ts.me, till, "stick"));
    while (!atomic_load(&gate.is_in))
        continue;
    seen = look(&ts);
    cr_assert_eq(seen.count, 1);
    cr_assert_eq(seen.known, 0);
    atomic_store(&gate.may_go, true);
    test_system_close(&ts);
}

/* ---- as text and JSON ---- */

struct text {
    char bytes[60000];
    size_t length;
};

static void append(void *context, const char *bytes, size_t size)
{
    struct text *text = context;

    cr_assert_lt(text->length + size, sizeof(text->bytes));
    memcpy(text->bytes + text->length, bytes, size);
    text->length += size;
    text->bytes[text->length] = '\0';
}

static const char *write_status(struct test_system *ts, th_status_format format, uint32_t parts)
{
    static struct text text;

    text.length = 0;
    must(th_status_write(ts->sys, format, parts, append, &text));
    if (format == TH_STATUS_JSON)
        cr_assert(json_is_valid(text.bytes), "%s", text.bytes);
    return text.bytes;
}

BOTH_BASES(services, are_written_field_by_field)
{
    th_addr till = talk_create(ts->me, &till_class);
    char addr[TH_ADDR_TEXT_SIZE];
    const char *text;

    must(talk_say(ts->me, till, "coin"));
    settle(ts, till);
    text = write_status(ts, TH_STATUS_JSON, TH_STATUS_SERVICES);
    th_addr_print(till, addr, sizeof(addr));
    cr_assert_eq(json_count(text, "services"), 1);
    cr_assert(json_says(text, "services.0.class", "till"));
    cr_assert(json_says(text, "services.0.address", addr));
    cr_assert_eq(json_number(text, "services.0.coins"), 1);
    cr_assert_eq(json_number(text, "services.0.coins_max"), 100);
    cr_assert_eq(json_number(text, "services.0.drawers"), 7);
    cr_assert_eq(json_number(text, "services.0.keys"), 3);
    cr_assert_eq(strncmp(json_at(text, "services.0.open"), "true", 4), 0);
    cr_assert(json_says(text, "services.0.owner", "A. \\\"Smith\\\""));
    cr_assert_eq(json_number(text, "services_unlisted"), 0);
    text = write_status(ts, TH_STATUS_TEXT, TH_STATUS_SERVICES);
    cr_assert_not_null(strstr(text, "services\n  till, "), "%s", text);
    cr_assert_not_null(
        strstr(text, ", coins 1, coins max 100, drawers 7, keys 3, open yes, owner "), "%s", text);
}

static void count_one(void *context, const th_service_status *status)
{
    ++*(int *)context;
    cr_assert_str_eq(status->class_name, "till");
}

BOTH_BASES(services, past_the_limit_are_counted)
{
    uint64_t more;

    for (int i = 0; i < 5; i++)
        (void)talk_create(ts->me, &till_class);
    for (int may_ask = 0; may_ask < 2; may_ask++) {
        int count = 0;

        must(thi_services_walk(ts->sys, count_one, &count, 2, may_ask, &more));
        cr_assert_eq(count, 2);
        cr_assert_eq(more, 3);
    }
}

/* From a signal or by the system's own actor nobody is asked. */
BOTH_BASES(services, are_listed_without_asking)
{
    static struct text text;

    (void)talk_create(ts->me, &till_class);
    text.length = 0;
    thi_status_report(ts->sys, TH_STATUS_JSON, TH_STATUS_SERVICES | TH_STATUS_ENDPOINTS, append,
                      &text);
    cr_assert(json_is_valid(text.bytes), "%s", text.bytes);
    cr_assert(json_says(text.bytes, "services.0.class", "till"));
    cr_assert_null(json_at(text.bytes, "services.0.coins"));
    cr_assert(json_says(text.bytes, "endpoints.0.kind", "default"));
}

BOTH_BASES(services, without_memory_say_nothing)
{
    th_addr till = talk_create(ts->me, &till_class);

    (void)till;
    for (uint64_t nth = 1; nth < 20; nth++) {
        struct seen seen = { 0 };
        th_err err;

        must(th_inject_nomem(ts->sys, nth, true));
        err = th_services_each(ts->sys, see, &seen);
        must(th_inject_nomem(ts->sys, 0, false));
        must(err);
        cr_assert_eq(seen.count, 1, "listed at least");
    }
    cr_assert_eq(look(ts).known, 1);
}

BOTH_BASES(services, bad_arguments_are_answers)
{
    must_be(th_services_each(NULL, see, NULL), TH_E_INVALID);
    must_be(th_services_each(ts->sys, NULL, NULL), TH_E_INVALID);
    must(th_system_shutdown(ts->sys, TEST_PATIENCE, NULL, NULL));
    must_be(th_services_each(ts->sys, see, NULL), TH_E_CLOSED);
}
