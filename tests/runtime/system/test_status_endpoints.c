/* Endpoints in the status: who they are, and what waits in them. */
#include "../../support/json.h"
#include "../../support/system.h"
#include "../../support/talk.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct seen {
    int count;
    th_endpoint_status of; /* the one that is looked for */
    th_addr wanted;
};

static void see(void *context, const th_endpoint_status *status)
{
    struct seen *seen = context;

    seen->count++;
    if (th_addr_equal(status->addr, seen->wanted))
        seen->of = *status;
}

static struct seen look(struct test_system *ts, th_self *endpoint)
{
    struct seen seen = { .wanted = th_self_addr(endpoint) };

    must(th_endpoints_each(ts->sys, see, &seen, NULL));
    cr_assert_str_neq(seen.of.kind ? seen.of.kind : "", "");
    return seen;
}

struct opening {
    th_system *system;
    th_self *self;
    th_err err;
};

static void *open_one(void *context)
{
    struct opening *opening = context;

    pthread_setname_np(pthread_self(), "front desk");
    opening->err = th_endpoint_open(opening->system, &opening->self);
    return NULL;
}

static th_self *open_elsewhere(struct test_system *ts)
{
    struct opening opening = { .system = ts->sys };
    pthread_t thread;

    cr_assert_eq(pthread_create(&thread, NULL, open_one, &opening), 0);
    pthread_join(thread, NULL);
    must(opening.err);
    return opening.self;
}

BOTH_BASES(endpoints, say_who_they_are_and_what_waits)
{
    th_self *own = open_elsewhere(ts);
    struct seen seen;
    th_msg *msg;

    for (int i = 0; i < 3; i++)
        must(talk_say(ts->me, th_self_addr(own), "word"));
    seen = look(ts, own);
    cr_assert_eq(seen.count, 2);
    cr_assert_str_eq(seen.of.kind, "private");
    cr_assert_str_eq(seen.of.opened_by, "front desk");
    cr_assert_eq(seen.of.waiting, 3);
    cr_assert_eq(seen.of.waiters, 0);
    must(th_listen(own, 0, &msg)); /* takes all in, gives one */
    th_msg_destroy(own, msg);
    must(talk_say(ts->me, th_self_addr(own), "word"));
    cr_assert_eq(look(ts, own).of.waiting, 3);
    cr_assert_str_eq(look(ts, ts->me).of.kind, "default");
    cr_assert_eq(look(ts, ts->me).of.waiting, 0);
    must(th_endpoint_close(own));
    cr_assert_eq(look(ts, ts->me).count, 1);
}

static void *listen_once(void *context)
{
    th_msg *msg = NULL;
    th_err err = th_listen(context, TALK_PATIENCE, &msg);

    th_msg_destroy(context, msg);
    return err ? context : NULL;
}

Test(endpoints, say_who_waits_in_them)
{
    struct test_system ts = test_system_open(TH_BASE_POOL, 0);
    pthread_t thread;
    void *failed;
    th_self *own;

    must(th_endpoint_open(ts.sys, &own));
    cr_assert_eq(pthread_create(&thread, NULL, listen_once, own), 0);
    while (look(&ts, own).of.waiters == 0)
        continue;
    cr_assert_eq(look(&ts, own).of.waiters, 1);
    must(talk_say(ts.me, th_self_addr(own), "word"));
    pthread_join(thread, &failed);
    cr_assert_null(failed);
    cr_assert_eq(look(&ts, own).of.waiters, 0);
    must(th_endpoint_close(own));
    test_system_close(&ts);
}

Test(endpoints, past_the_limit_are_counted)
{
    enum { MORE = 5 };
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 0);
    th_self **own = calloc(TH_STATUS_ENDPOINTS_MAX + MORE, sizeof(*own));
    struct seen seen = { 0 };
    uint64_t left_out = 0;

    for (int i = 0; i < TH_STATUS_ENDPOINTS_MAX + MORE; i++)
        must(th_endpoint_open(ts.sys, &own[i]));
    must(th_endpoints_each(ts.sys, see, &seen, &left_out));
    cr_assert_eq(seen.count, TH_STATUS_ENDPOINTS_MAX);
    cr_assert_eq(left_out, MORE + 1, "the default one, too");
    for (int i = 0; i < TH_STATUS_ENDPOINTS_MAX + MORE; i++)
        must(th_endpoint_close(own[i]));
    free(own);
    test_system_close(&ts);
}

/* ---- as text and JSON ---- */

struct text {
    char bytes[20000];
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

BOTH_BASES(endpoints, are_written)
{
    th_self *own = open_elsewhere(ts);
    static struct text text;

    text.length = 0;
    must(talk_say(ts->me, th_self_addr(own), "word"));
    must(th_status_write(ts->sys, TH_STATUS_JSON, TH_STATUS_ENDPOINTS, append, &text));
    cr_assert(json_is_valid(text.bytes), "%s", text.bytes);
    cr_assert_eq(json_count(text.bytes, "endpoints"), 2);
    cr_assert(json_says(text.bytes, "endpoints.0.kind", "private"));
    cr_assert(json_says(text.bytes, "endpoints.0.opened_by", "front desk"));
    cr_assert_eq(json_number(text.bytes, "endpoints.0.waiting"), 1);
    cr_assert_eq(json_number(text.bytes, "endpoints.0.waiters"), 0);
    cr_assert(json_says(text.bytes, "endpoints.1.kind", "default"));
    cr_assert_eq(json_number(text.bytes, "endpoints_unlisted"), 0);
    text.length = 0;
    must(th_status_write(ts->sys, TH_STATUS_TEXT, TH_STATUS_ENDPOINTS, append, &text));
    cr_assert_not_null(strstr(text.bytes, "endpoints\n  private, "), "%s", text.bytes);
    cr_assert_not_null(strstr(text.bytes, "opened by front desk, waiting 1, threads that wait 0"),
                       "%s", text.bytes);
    must(th_endpoint_close(own));
}

BOTH_BASES(endpoints, bad_arguments_are_answers)
{
    struct seen seen = { 0 };
    uint64_t left_out = 7;

    must_be(th_endpoints_each(NULL, see, &seen, &left_out), TH_E_INVALID);
    cr_assert_eq(left_out, 0);
    must_be(th_endpoints_each(ts->sys, NULL, NULL, NULL), TH_E_INVALID);
    must(th_inject_nomem(ts->sys, 1, true));
    must_be(th_endpoints_each(ts->sys, see, &seen, &left_out), TH_E_NOMEM);
    must(th_inject_nomem(ts->sys, 0, false));
    cr_assert_eq(seen.count, 0);
}
