/* Readers that subscribe, unsubscribe and die, and players that publish numbers on a few topics.
 * Nobody gets a publication twice, none that is not of a filter it ever asked for, and of each
 * player's numbers none out of order. */
#include "tests/support/extras/extras.h"

enum { READERS = 4, WRITERS_MAX = 32, TOPICS = 4, FILTERS = 5 };

static const char *const names[TOPICS] = { "a", "a/b", "c/b", "$c" };
static const char *const filters[FILTERS] = { "a", "a/#", "+/b", "#", "$c" };

#define NUMBER_FIELDS(F, S) F(S, u32, number) F(S, u32, writer)
TH_MESSAGE(random_topic_number, NUMBER_FIELDS);
TH_MESSAGE_TYPE(random_topic_number, NUMBER_FIELDS)

struct random_topic_arg {
    struct random_extra_run *run;
    uint32_t reader;
};
TH_MESSAGE_LOCAL(random_topic_arg);
TH_MESSAGE_LOCAL_TYPE(random_topic_arg, NULL)

/* A player is a writer by its address. */
struct news {
    th_addr topics, readers[READERS];
    _Atomic uint32_t asked[READERS];       /* a bit for each filter it was ever subscribed to */
    _Atomic uint64_t writers[WRITERS_MAX]; /* slot and generation of the player */
    _Atomic uint32_t numbers[WRITERS_MAX];
    _Atomic uint32_t wrong; /* a bit for each complaint */
};

enum complaint { OUT_OF_ORDER = 1, UNASKED = 2 };

static struct news *news_of(struct random_extra_run *run)
{
    return (struct news *)(void *)run->state;
}

/* ---- readers ---- */

struct reader {
    struct random_extra_run *run;
    uint32_t index;
    uint32_t last[WRITERS_MAX];
};

static th_err reader_init(th_self *self, void *state, const th_msg *arg)
{
    struct reader *reader = state;

    reader->run = random_topic_arg_of(arg)->run;
    reader->index = random_topic_arg_of(arg)->reader;
    return TH_OK;
}

static bool is_asked(uint32_t asked, const char *topic)
{
    for (int i = 0; i < FILTERS; i++)
        if (asked >> i & 1 && th_topic_matches(filters[i], topic))
            return true;
    return false;
}

/* A retained one may be old, and come again. */
static th_err reader_receive(th_self *self, void *state, const th_msg *msg)
{
    struct reader *reader = state;
    struct news *news = news_of(reader->run);
    const struct th_publication *publication = th_publication_of(msg);
    const struct random_topic_number *number;

    if (!publication || !publication->payload)
        return TH_OK;
    number = random_topic_number_of(publication->payload);
    if (!number)
        return TH_OK;
    if (!is_asked(atomic_load(&news->asked[reader->index]), publication->topic))
        atomic_fetch_or(&news->wrong, UNASKED);
    if (!publication->retain) {
        if (number->number <= reader->last[number->writer])
            atomic_fetch_or(&news->wrong, OUT_OF_ORDER);
        reader->last[number->writer] = number->number;
    }
    return number->number % 64 == 63 ? th_exit(self) : TH_OK;
}

static const th_class reader_class = { .name = "random.topic.reader",
                                       .state_size = sizeof(struct reader),
                                       .init = reader_init,
                                       .receive = reader_receive };

/* ---- the extra ---- */

static void close(th_self *me, struct random_extra_run *run)
{
    struct news *news = news_of(run);

    if (!th_addr_is_none(news->topics))
        (void)!th_stop(me, news->topics);
    for (int i = 0; i < READERS; i++)
        if (!th_addr_is_none(news->readers[i]))
            (void)!th_stop(me, news->readers[i]);
}

static th_err begin(th_self *me, struct random_extra_run *run)
{
    struct news *news = news_of(run);
    const th_topics_options options = { .topics_max = 4, .subscriptions_max = 12 };
    th_err err = th_topics_spawn(me, &options, &news->topics);

    for (uint32_t i = 0; i < READERS && !err; i++) {
        struct random_topic_arg *body;
        th_msg *arg = random_topic_arg_new(me, &body);

        if (arg)
            *body = (struct random_topic_arg){ run, i };
        err = arg ? th_spawn(me, &reader_class, arg, &news->readers[i]) : TH_E_NOMEM;
    }
    if (err)
        close(me, run);
    return err;
}

/* WRITERS_MAX: there are too many. */
static uint32_t writer_of(th_self *player, struct news *news)
{
    th_addr addr = th_self_addr(player);
    uint64_t id = (uint64_t)addr.slot << 32 | addr.generation;
    uint32_t i = 0;

    for (; i < WRITERS_MAX; i++) {
        uint64_t there = 0;

        if (atomic_compare_exchange_strong(&news->writers[i], &there, id) || there == id)
            return i;
    }
    return i;
}

static void publish(th_self *player, struct news *news, uint64_t pick)
{
    uint32_t writer = writer_of(player, news);
    struct random_topic_number *body;
    th_msg *payload;

    if (writer == WRITERS_MAX)
        return;
    payload = random_topic_number_new(player, &body);
    if (payload)
        *body =
            (struct random_topic_number){ .number = atomic_fetch_add(&news->numbers[writer], 1) + 1,
                                          .writer = writer };
    (void)!th_publish(player, news->topics, names[pick % TOPICS], payload,
                      pick >> 8 & 1 ? TH_PUBLISH_RETAIN : 0);
}

static void act(th_self *player, struct random_extra_run *run)
{
    struct news *news = news_of(run);
    uint64_t pick = th_random(player) >> 16;
    uint32_t filter = (uint32_t)(pick >> 8) % FILTERS, reader = (uint32_t)(pick >> 16) % READERS;

    switch (pick % 8) {
    case 0:
    case 1:
    case 2:
        atomic_fetch_or(&news->asked[reader], 1u << filter);
        (void)!th_subscribe_to(player, news->topics, filters[filter], news->readers[reader]);
        break;
    case 3:
        (void)!th_unsubscribe_from(player, news->topics, filters[filter], news->readers[reader]);
        break;
    case 4: (void)!th_retract(player, news->topics, names[(pick >> 8) % TOPICS]); break;
    default: publish(player, news, pick >> 8); break;
    }
}

static const char *verdict(struct random_extra_run *run, bool is_exact)
{
    uint32_t wrong = atomic_load(&news_of(run)->wrong);

    if (wrong & UNASKED)
        return "a publication reached somebody who never subscribed to it";
    return wrong & OUT_OF_ORDER ? "a publication came twice, or out of order" : NULL;
}

const struct random_extra random_extra_topic = {
    .name = "topic",
    .state_size = sizeof(struct news),
    .begin = begin,
    .act = act,
    .close = close,
    .verdict = verdict,
};
