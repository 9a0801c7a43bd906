/* Publish and subscribe, through the front door, on both bases. */
#include <pthread.h>
#include <stdio.h>

#include "tests/support/shortage.h"
#include "tests/support/system.h"
#include "tests/support/talk.h"

#include <thespis/testkit.h>

/* ---- a reader that reports what it gets to its boss ---- */

#define REPORT_FIELDS(F, S)                                                                        \
    F(S, chars, topic, TH_TOPIC_SIZE) F(S, i64, value) F(S, u64, body) F(S, addr, publisher)
TH_MESSAGE(report, REPORT_FIELDS);
TH_MESSAGE_TYPE(report, REPORT_FIELDS)

struct reader {
    th_addr boss;
};

static th_err reader_init(th_self *self, void *state, const th_msg *arg)
{
    ((struct reader *)state)->boss = talk_whom_of(arg)->addr;
    return TH_OK;
}

static th_err reader_receive(th_self *self, void *state, const th_msg *msg)
{
    const struct th_publication *news = th_publication_of(msg);
    struct report report = { .publisher = th_msg_sender(msg) };

    if (talk_is(msg, "exit"))
        return th_exit(self);
    if (!news)
        return TH_OK;
    if (talk_is(news->payload, "fail"))
        return th_fail(self, TH_E_FAILED, "bad news");
    memcpy(report.topic, news->topic, sizeof(report.topic));
    if (talk_number_of(news->payload))
        report.value = talk_number_of(news->payload)->value;
    report.body = (uintptr_t)news->payload;
    return report_send(self, ((struct reader *)state)->boss, report);
}

static const th_class reader_class = { .name = "reader",
                                       .state_size = sizeof(struct reader),
                                       .init = reader_init,
                                       .receive = reader_receive };

/* ---- verbs ---- */

static th_addr reader(struct test_system *ts)
{
    struct talk_whom *body;
    th_msg *arg = talk_whom_new(ts->me, &body);
    th_addr addr;

    body->addr = th_self_addr(ts->me);
    must(th_spawn(ts->me, &reader_class, arg, &addr));
    return addr;
}

static th_addr topics(struct test_system *ts, const th_topics_options *options)
{
    th_addr addr;

    must(th_topics_spawn(ts->me, options, &addr));
    return addr;
}

static th_err ask(struct test_system *ts, th_addr to, const th_type *type, const char *filter,
                  th_addr who)
{
    th_msg *question = th_msg_create(ts->me, type), *answer;
    struct th_subscribe *body = th_msg_body(question);
    th_err err;

    strncpy(body->filter, filter, sizeof(body->filter) - 1);
    body->subscriber = who;
    must(th_ask(ts->me, to, question, TALK_PATIENCE, &answer));
    cr_assert_not_null(th_subscribed_of(answer));
    cr_assert_str_eq(th_subscribed_of(answer)->filter, filter);
    err = (th_err)th_subscribed_of(answer)->err;
    th_msg_destroy(ts->me, answer);
    return err;
}

static th_err subscribe(struct test_system *ts, th_addr to, const char *filter, th_addr who)
{
    return ask(ts, to, &th_subscribe_type, filter, who);
}

static th_err unsubscribe(struct test_system *ts, th_addr to, const char *filter, th_addr who)
{
    return ask(ts, to, &th_unsubscribe_type, filter, who);
}

static th_msg *number(th_self *me, int64_t value)
{
    struct talk_number *body;
    th_msg *msg = talk_number_new(me, &body);

    cr_assert_not_null(msg);
    body->value = value;
    return msg;
}

static void publish(struct test_system *ts, th_addr to, const char *topic, int64_t value,
                    uint32_t flags)
{
    must(th_publish(ts->me, to, topic, number(ts->me, value), flags));
}

static struct report hear(struct test_system *ts, const char *topic, int64_t value)
{
    struct report report;
    th_msg *msg;

    must(th_listen(ts->me, TALK_PATIENCE, &msg));
    cr_assert_not_null(report_of(msg), "%s", th_type_name(th_msg_type(msg)));
    report = *report_of(msg);
    th_msg_destroy(ts->me, msg);
    cr_assert_str_eq(report.topic, topic);
    cr_assert_eq(report.value, value, "%d, not %d", (int)report.value, (int)value);
    return report;
}

static struct th_topics_status status(struct test_system *ts, th_addr to)
{
    struct th_topics_status figures;
    th_msg *answer;

    must(th_ask(ts->me, to, th_msg_create(ts->me, &th_topics_ask_status_type), TALK_PATIENCE,
                &answer));
    cr_assert_not_null(th_topics_status_of(answer));
    figures = *th_topics_status_of(answer);
    th_msg_destroy(ts->me, answer);
    cr_assert_eq(figures.publications, figures.heard + figures.unheard + figures.failed);
    return figures;
}

/* ---- what is promised ---- */

BOTH_BASES(topic, who_has_subscribed_hears_until_it_unsubscribes)
{
    th_addr to = topics(ts, NULL), one = reader(ts), two = reader(ts);

    cr_assert_eq(subscribe(ts, to, "weather", one), TH_OK);
    cr_assert_eq(subscribe(ts, to, "sport", two), TH_OK);
    cr_assert_eq(subscribe(ts, to, "sport", two), TH_E_EXISTS);
    publish(ts, to, "weather", 1, 0);
    hear(ts, "weather", 1);
    publish(ts, to, "politics", 2, 0);
    publish(ts, to, "sport", 3, 0);
    hear(ts, "sport", 3);
    cr_assert_eq(unsubscribe(ts, to, "sport", two), TH_OK);
    cr_assert_eq(unsubscribe(ts, to, "sport", two), TH_E_STATE);
    publish(ts, to, "sport", 4, 0);
    publish(ts, to, "weather", 5, 0);
    hear(ts, "weather", 5);
    cr_assert_eq(status(ts, to).unheard, 2);
    cr_assert_eq(status(ts, to).heard, 3);
}

BOTH_BASES(topic, wildcards)
{
    th_addr to = topics(ts, NULL), one = reader(ts);

    cr_assert_eq(subscribe(ts, to, "sport/+", one), TH_OK);
    cr_assert_eq(subscribe(ts, to, "sport/#", one), TH_OK);
    publish(ts, to, "sport/tennis", 1, 0); /* once, though both match */
    publish(ts, to, "sport", 2, 0);
    publish(ts, to, "$sport", 3, 0);
    publish(ts, to, "sport/tennis/score", 4, 0);
    hear(ts, "sport/tennis", 1);
    hear(ts, "sport", 2);
    hear(ts, "sport/tennis/score", 4);
    talk_hear_nothing(ts->me);
}

BOTH_BASES(topic, one_payload_is_shared_by_all_and_has_its_publisher)
{
    th_addr to = topics(ts, NULL);
    struct report first, other;

    for (int i = 0; i < 5; i++)
        cr_assert_eq(subscribe(ts, to, "a", reader(ts)), TH_OK);
    publish(ts, to, "a", 1, 0);
    first = hear(ts, "a", 1);
    cr_assert(th_addr_equal(first.publisher, th_self_addr(ts->me)));
    for (int i = 1; i < 5; i++) {
        other = hear(ts, "a", 1);
        cr_assert_eq(other.body, first.body, "a copy");
    }
    cr_assert_eq(status(ts, to).deliveries, 5);
}

BOTH_BASES(topic, poison_goes_to_the_publisher)
{
    th_addr to = topics(ts, NULL);
    th_msg *msg;

    cr_assert_eq(subscribe(ts, to, "a", reader(ts)), TH_OK);
    must(th_publish(ts->me, to, "a", talk_word(ts->me, "fail"), 0));
    must(th_listen(ts->me, TALK_PATIENCE, &msg));
    cr_assert_not_null(th_poison_of(msg));
    cr_assert_str_eq(th_poison_of(msg)->details->data, "bad news");
    th_msg_destroy(ts->me, msg);
}

BOTH_BASES(topic, subscriptions_end_with_the_actor)
{
    th_addr to = topics(ts, NULL), one = reader(ts), two = reader(ts);
    uint64_t dead;

    for (int i = 0; i < 20; i++) {
        char filter[32];

        snprintf(filter, sizeof(filter), "a/%d/#", i);
        cr_assert_eq(subscribe(ts, to, filter, one), TH_OK);
    }
    cr_assert_eq(subscribe(ts, to, "a/1/#", two), TH_OK);
    must(talk_say(ts->me, one, "exit"));
    while (status(ts, to).subscribers == 2)
        ;
    cr_assert_eq(status(ts, to).subscriptions, 1);
    cr_assert_eq(status(ts, to).topics, 1);
    dead = talk_counts(ts->sys).dead;
    publish(ts, to, "a/1", 1, 0);
    hear(ts, "a/1", 1);
    cr_assert_eq(talk_counts(ts->sys).dead, dead);
    cr_assert_eq(subscribe(ts, to, "a", one), TH_OK, "its end is news again");
    while (status(ts, to).subscribers == 2)
        ;
}

/* ---- retained ---- */

BOTH_BASES(topic, the_last_value_is_retained)
{
    th_addr to = topics(ts, NULL), one = reader(ts);

    publish(ts, to, "t/1", 1, TH_PUBLISH_RETAIN);
    publish(ts, to, "t/1", 2, TH_PUBLISH_RETAIN);
    publish(ts, to, "t/2", 3, TH_PUBLISH_RETAIN);
    publish(ts, to, "t/2", 4, 0);
    cr_assert_eq(subscribe(ts, to, "t/+", one), TH_OK);
    hear(ts, "t/1", 2);
    hear(ts, "t/2", 3);
    cr_assert_eq(status(ts, to).retained, 2);
    must(th_retract(ts->me, to, "t/1"));
    must(th_retract(ts->me, to, "t/1"));
    cr_assert_eq(status(ts, to).retained, 1);
    cr_assert_eq(subscribe(ts, to, "t/1", one), TH_OK);
    publish(ts, to, "t/1", 5, 0);
    hear(ts, "t/1", 5);
}

/* ---- order, threads ---- */

enum { THREADS = 4, EACH = 500 };

struct writer {
    th_system *sys;
    th_addr to;
    int index;
};

static void *write_all(void *arg)
{
    struct writer *writer = arg;
    th_self *me;

    must(th_endpoint_open(writer->sys, &me));
    for (int64_t i = 0; i < EACH; i++)
        must(th_publish(me, writer->to, writer->index % 2 ? "odd" : "even",
                        number(me, writer->index * EACH + i), 0));
    must(th_endpoint_close(me));
    return NULL;
}

/* From outside threads: each publisher's order holds at each subscriber, and all subscribers see
 * one order. */
Test(topic, order_holds_for_publications_of_threads, .timeout = 50)
{
    struct test_system ts = test_system_open(TH_BASE_POOL, 0);
    static int64_t seen[2][THREADS * EACH];
    struct writer writers[THREADS];
    pthread_t threads[THREADS];
    th_addr to = topics(&ts, NULL), readers[2];
    int count[2] = { 0, 0 };

    for (int i = 0; i < 2; i++) {
        readers[i] = reader(&ts);
        cr_assert_eq(subscribe(&ts, to, "+", readers[i]), TH_OK);
    }
    for (int i = 0; i < THREADS; i++) {
        writers[i] = (struct writer){ ts.sys, to, i };
        cr_assert_eq(pthread_create(&threads[i], NULL, write_all, &writers[i]), 0);
    }
    for (int i = 0; i < 2 * THREADS * EACH; i++) {
        th_msg *msg;
        int by;

        must(th_listen(ts.me, TALK_PATIENCE, &msg));
        by = th_addr_equal(th_msg_sender(msg), readers[1]);
        seen[by][count[by]++] = report_of(msg)->value;
        th_msg_destroy(ts.me, msg);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    cr_assert_eq(memcmp(seen[0], seen[1], sizeof(seen[0])), 0, "one order for all");
    for (int64_t i = 0, next[THREADS] = { 0 }; i < THREADS * EACH; i++)
        cr_assert_eq(seen[0][i] % EACH, next[seen[0][i] / EACH]++, "a publisher's order");
    test_system_close(&ts);
}

/* An actor subscribes itself, and publishes right behind: it hears of that. */
static th_err diarist_receive(th_self *self, void *state, const th_msg *msg)
{
    struct talk_number *body;
    th_msg *payload;

    if (talk_whom_of(msg)) {
        th_addr to = talk_whom_of(msg)->addr;
        th_err err = th_subscribe_to(self, to, "diary", th_addr_none());

        ((struct reader *)state)->boss = th_msg_sender(msg);
        payload = talk_number_new(self, &body);
        return err ? err : th_publish(self, to, "diary", payload, 0);
    }
    if (th_publication_of(msg))
        return talk_say(self, ((struct reader *)state)->boss, "dear me");
    return TH_OK;
}

static const th_class diarist = { .name = "diarist",
                                  .state_size = sizeof(struct reader),
                                  .receive = diarist_receive };

BOTH_BASES(topic, a_subscription_has_its_place_among_what_its_sender_publishes)
{
    th_addr to = topics(ts, NULL), who = talk_create(ts->me, &diarist);

    must(talk_whom_send(ts->me, who, (struct talk_whom){ .addr = to }));
    talk_hear(ts->me, "dear me");
}

/* ---- limits, refusals ---- */

BOTH_BASES(topic, has_limits_that_change)
{
    th_addr to = topics(ts, &(th_topics_options){ .topics_max = 2, .subscriptions_max = 2 });
    th_addr one = reader(ts);
    struct th_topics_set *body;
    th_msg *set = th_topics_set_new(ts->me, &body), *answer;

    cr_assert_eq(subscribe(ts, to, "a", one), TH_OK);
    cr_assert_eq(subscribe(ts, to, "b", one), TH_OK);
    cr_assert_eq(subscribe(ts, to, "c", one), TH_E_LIMIT);
    publish(ts, to, "c", 1, TH_PUBLISH_RETAIN);
    must(th_listen(ts->me, TALK_PATIENCE, &answer));
    cr_assert_not_null(th_poison_of(answer));
    cr_assert_str_eq(th_poison_of(answer)->details->data, "no room to retain 'c'");
    th_msg_destroy(ts->me, answer);
    body->topics_max = 3;
    body->subscriptions_max = 3;
    must(th_ask(ts->me, to, set, TALK_PATIENCE, &answer));
    cr_assert_eq(th_topics_limits_of(answer)->topics_max, 3);
    cr_assert_eq(th_topics_limits_of(answer)->subscriptions_max, 3);
    th_msg_destroy(ts->me, answer);
    cr_assert_eq(subscribe(ts, to, "c", one), TH_OK);
    cr_assert_eq(status(ts, to).failed, 1);
}

BOTH_BASES(topic, refuses_with_a_reason)
{
    th_addr to = topics(ts, NULL), foreign = reader(ts);
    struct th_publication *body;
    th_msg *msg;

    cr_assert_eq(subscribe(ts, to, "a/#/b", foreign), TH_E_INVALID);
    cr_assert_eq(unsubscribe(ts, to, "", foreign), TH_E_INVALID);
    foreign.system ^= 1;
    cr_assert_eq(subscribe(ts, to, "a", foreign), TH_E_FOREIGN);
    cr_assert_eq(subscribe(ts, to, "a", th_self_addr(ts->me)), TH_E_NO_ACTOR);
    cr_assert_eq(subscribe(ts, to, "a", th_addr_none()), TH_E_NO_ACTOR, "a question");
    cr_assert_eq(status(ts, to).subscribers, 0);
    msg = th_publication_new(ts->me, &body);
    memset(body->topic, 'x', sizeof(body->topic)); /* no NUL */
    must(th_tell(ts->me, to, msg));
    must(th_listen(ts->me, TALK_PATIENCE, &msg));
    cr_assert_not_null(th_poison_of(msg));
    cr_assert_eq(th_poison_of(msg)->err, TH_E_INVALID);
    th_msg_destroy(ts->me, msg);
}

/* One allocation fails: nobody hears twice, and unless it is poison all hear. */
Test(topic, without_memory_nobody_hears_twice)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 1);
    th_addr to = topics(&ts, NULL);
    uint64_t nth = 0;
    bool is_short;

    for (int i = 0; i < 3; i++)
        cr_assert_eq(subscribe(&ts, to, "a", reader(&ts)), TH_OK);
    do {
        struct shortage shortage;
        int had = 0, poison = 0;
        th_msg *msg;

        publish(&ts, to, "a", 1, TH_PUBLISH_RETAIN);
        shortage = shortage_begin(ts.sys, ++nth, false);
        must(th_run_until_idle(ts.sys, 0, NULL));
        is_short = shortage_end(&shortage);
        while (th_listen(ts.me, 0, &msg) == TH_OK) {
            had += report_of(msg) != NULL;
            poison += th_poison_of(msg) != NULL;
            th_msg_destroy(ts.me, msg);
        }
        cr_assert_leq(had, 3, "heard twice");
        cr_assert(had == 3 || poison, "%d heard", had);
    } while (is_short);
    cr_assert_gt(nth, 1);
    test_system_close(&ts);
}

BOTH_BASES(topic, under_a_name)
{
    th_spawn_options spawn;
    th_addr to, same;

    must(th_topics_spec(ts->me, NULL, &spawn));
    spawn.global_name = "topics";
    must(th_spawn_with(ts->me, &spawn, &to));
    must(th_name_find(ts->me, "topics", &same));
    cr_assert_eq(subscribe(ts, same, "a", reader(ts)), TH_OK);
    publish(ts, to, "a", 1, 0);
    hear(ts, "a", 1);
}
