/* A bad argument is answered with a status: topics. */
#include "tests/support/probe.h"

static void probe_topics_spawn(struct probe *probe)
{
    th_addr addr = probe_untouched;

    want(th_topics_spawn(NULL, NULL, &addr), TH_E_INVALID);
    want(th_topics_spawn(probe->me, NULL, NULL), TH_E_INVALID);
    claim(th_addr_equal(addr, probe_untouched));
}

static void probe_topics_spec(struct probe *probe)
{
    th_spawn_options spawn;

    want(th_topics_spec(NULL, NULL, &spawn), TH_E_INVALID);
    want(th_topics_spec(probe->me, NULL, NULL), TH_E_INVALID);
}

static void probe_publish(struct probe *probe)
{
    want(th_publish(NULL, probe->live, "a", NULL, 0), TH_E_INVALID);
    want(th_publish(probe->me, probe->live, "a", NULL, 0), TH_E_INVALID);
    want(th_publish(probe->me, probe->live, "a", th_msg_create(probe->me, &th_poison_type), 0),
         TH_E_NOT_ALLOWED); /* what made it NULL */
    want(th_publish(probe->me, probe->live, NULL, probe_word(probe), 0), TH_E_INVALID);
    want(th_publish(probe->me, probe->live, "", probe_word(probe), 0), TH_E_INVALID);
    want(th_publish(probe->me, probe->live, "a/+", probe_word(probe), 0), TH_E_INVALID);
    want(th_publish(probe->me, probe->live, "a", probe_word(probe), 1u << 31), TH_E_INVALID);
    want(th_publish(probe->me, probe->none, "a", probe_word(probe), 0), TH_E_INVALID);
    want(th_publish(probe->me, probe->dead, "a", probe_word(probe), 0), TH_OK);
}

static void probe_retract(struct probe *probe)
{
    want(th_retract(NULL, probe->live, "a"), TH_E_INVALID);
    want(th_retract(probe->me, probe->live, NULL), TH_E_INVALID);
    want(th_retract(probe->me, probe->live, "#"), TH_E_INVALID);
    want(th_retract(probe->me, probe->none, "a"), TH_E_INVALID);
}

static void probe_subscribe_to(struct probe *probe)
{
    want(th_subscribe_to(NULL, probe->live, "a", probe->live), TH_E_INVALID);
    want(th_subscribe_to(probe->me, probe->live, NULL, probe->live), TH_E_INVALID);
    want(th_subscribe_to(probe->me, probe->live, "a#", probe->live), TH_E_INVALID);
    want(th_subscribe_to(probe->me, probe->none, "a", probe->live), TH_E_INVALID);
    want(th_subscribe_to(probe->me, probe->dead, "#", probe->none), TH_OK);
}

static void probe_unsubscribe_from(struct probe *probe)
{
    want(th_unsubscribe_from(NULL, probe->live, "a", probe->live), TH_E_INVALID);
    want(th_unsubscribe_from(probe->me, probe->live, NULL, probe->live), TH_E_INVALID);
    want(th_unsubscribe_from(probe->me, probe->live, "", probe->live), TH_E_INVALID);
    want(th_unsubscribe_from(probe->me, probe->none, "a", probe->live), TH_E_INVALID);
}

static void probe_topic_is_name(struct probe *probe)
{
    claim(!th_topic_is_name(NULL));
}

static void probe_topic_is_filter(struct probe *probe)
{
    claim(!th_topic_is_filter(NULL));
}

static void probe_topic_matches(struct probe *probe)
{
    claim(!th_topic_matches(NULL, "a"));
    claim(!th_topic_matches("a", NULL));
    claim(!th_topic_matches(NULL, NULL));
}

/* ---- the table ---- */

#define ROW(name)                                                                                  \
    {                                                                                              \
        "th_" #name, probe_##name                                                                  \
    }
static const struct probe_row rows[] = {
    ROW(topics_spawn),  ROW(topics_spec),     ROW(publish),
    ROW(retract),       ROW(subscribe_to),    ROW(unsubscribe_from),
    ROW(topic_is_name), ROW(topic_is_filter), ROW(topic_matches),
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

BOTH_BASES(bad_input_topic, every_function_as_an_endpoint)
{
    probe_as_endpoint(ts, rows, ROWS);
}

BOTH_BASES(bad_input_topic, every_function_in_an_actor)
{
    probe_in_actor(ts, rows, ROWS);
}

Test(bad_input_topic, no_function_of_the_headers_is_missing)
{
    static const char *const headers[] = { "topic.h", NULL };

    probe_headers(headers, rows, ROWS);
}
