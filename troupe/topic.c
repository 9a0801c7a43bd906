/* topic.c: an actor that knows who wants to hear of what.
 *
 * The tree decides who hears (topic_tree.h); this file watches subscribers and forwards
 * publications. A publication is forwarded as it came: everybody has the same body and the same
 * sender.
 *
 * B1. Watched is exactly who is in the tree.
 * B2. Of a publication that met a lack of memory part-way, each subscriber gets one: the runtime
 *     delivers it to us again, and we go on where we stopped. */
#include "troupe/topic_tree.h"

#include <thespis/config.h>
#include <thespis/dispatch.h>
#include <thespis/ties.h>
#include <thespis/topic.h>

#include <string.h>

TH_MESSAGE_TYPE(th_publication, TH_PUBLICATION_FIELDS)
TH_MESSAGE_TYPE(th_subscribe, TH_SUBSCRIBE_FIELDS)
TH_MESSAGE_TYPE(th_unsubscribe, TH_SUBSCRIBE_FIELDS)
TH_MESSAGE_TYPE(th_subscribed, TH_SUBSCRIBED_FIELDS)
TH_MESSAGE_TYPE(th_topics_set, TH_TOPICS_LIMITS_FIELDS)
TH_MESSAGE_TYPE(th_topics_limits, TH_TOPICS_LIMITS_FIELDS)
TH_SIGNAL_TYPE(th_topics_ask_status)
TH_MESSAGE_TYPE(th_topics_status, TH_TOPICS_STATUS_FIELDS)

/* What it is given at init: all limits are set. */
TH_MESSAGE(topics_start, TH_TOPICS_LIMITS_FIELDS);
TH_MESSAGE_TYPE(topics_start, TH_TOPICS_LIMITS_FIELDS)

struct topics {
    struct thi_topic_tree tree;
    th_allocator allocator; /* th_alloc() for the tree; its context is the handler's self */
    uint64_t publications, heard, unheard, failed, deliveries, refused;

    const th_msg *trying; /* the publication at hand has failed before */
    uint32_t tries;
    struct thi_topic_subscriber *left; /* those who have it not yet, B2 */
    bool is_heard;                     /* somebody has */
};

static void *tree_alloc(void *context, size_t size)
{
    return th_alloc(context, size);
}

static void tree_free(void *context, void *memory, size_t size)
{
    th_free(context, memory, size);
}

/* ---- publications ---- */

static th_err retain(th_self *self, struct topics *topics, const struct th_publication *news,
                     const th_msg *msg)
{
    th_msg *copy = th_msg_dup(self, msg);
    void *old = NULL;
    th_err err;

    if (!copy)
        return TH_E_NOMEM;
    err = thi_topic_tree_keep(&topics->tree, news->topic, copy, &old);
    th_msg_destroy(self, err ? copy : old);
    return err == TH_E_LIMIT ? th_fail(self, err, "no room to retain '%s'", news->topic) : err;
}

/* What comes before anybody hears of it. */
static th_err look_at(th_self *self, struct topics *topics, const th_msg *msg)
{
    const struct th_publication *news = th_publication_of(msg);

    topics->left = NULL;
    topics->is_heard = false;
    if (!th_topic_is_name(news->topic))
        return th_fail(self, TH_E_INVALID, "'%.*s' is not a topic's name", TH_TOPIC_SIZE - 1,
                       news->topic);
    if (!news->payload) {
        th_msg_destroy(self, thi_topic_tree_forget(&topics->tree, news->topic));
        return TH_OK;
    }
    if (news->retain) {
        th_err err = retain(self, topics, news, msg);

        if (err)
            return err;
    }
    topics->left = thi_topic_tree_match(&topics->tree, news->topic);
    return TH_OK;
}

/* B2. One that refuses is passed over. */
static th_err tell(th_self *self, struct topics *topics, const th_msg *msg)
{
    for (; topics->left; topics->left = topics->left->next_hit) {
        th_err err = th_forward(self, topics->left->addr, msg);

        if (err == TH_E_NOMEM)
            return th_fail(self, err, "some have heard of it, others not");
        topics->deliveries += !err;
        topics->refused += err != TH_OK;
        topics->is_heard = true;
    }
    return TH_OK;
}

static th_err on_publication(th_self *self, struct topics *topics, const th_msg *msg)
{
    bool again = topics->trying == msg && topics->left;
    th_err err = TH_OK;

    if (topics->trying != msg) {
        topics->publications++;
        topics->tries = 0;
    }
    if (!again)
        err = look_at(self, topics, msg);
    if (!err)
        err = tell(self, topics, msg);
    topics->trying = err ? msg : NULL;
    if (!err) {
        topics->heard += topics->is_heard;
        topics->unheard += !topics->is_heard;
    } else if (++topics->tries == TH_DELIVERIES_MAX) {
        topics->trying = NULL;
        topics->left = NULL;
        topics->failed++;
    }
    return err;
}

/* ---- subscriptions: an answer is had first, so that what was done is also said ---- */

static void release(th_self *self, const struct topics *topics, th_addr who)
{
    if (!thi_topic_tree_knows(&topics->tree, who)) /* B1 */
        (void)!th_unwatch_actor(self, who);
}

static th_err tell_retained(th_self *self, struct topics *topics, const char *filter, th_addr who)
{
    struct thi_topic_node *node = thi_topic_tree_kept(&topics->tree, filter);

    for (; node; node = node->next_kept) {
        th_err err = th_forward(self, who, node->kept);

        if (err == TH_E_NOMEM)
            return err;
        topics->deliveries += !err;
        topics->refused += err != TH_OK;
    }
    return TH_OK;
}

static th_err subscribe(th_self *self, struct topics *topics, const char *filter, th_addr who)
{
    th_err err = thi_topic_tree_knows(&topics->tree, who) ? TH_OK : th_watch_actor(self, who);

    if (err)
        return err;
    err = thi_topic_tree_subscribe(&topics->tree, filter, who);
    if (!err) {
        err = tell_retained(self, topics, filter, who);
        if (err)
            (void)!thi_topic_tree_unsubscribe(&topics->tree, filter, who);
    }
    release(self, topics, who);
    return err;
}

static th_err unsubscribe(th_self *self, struct topics *topics, const char *filter, th_addr who)
{
    th_err err = thi_topic_tree_unsubscribe(&topics->tree, filter, who);

    if (!err)
        release(self, topics, who);
    return err;
}

/* Nobody may be there to be answered. */
static th_err answer(th_self *self, const th_msg *question, th_msg *msg)
{
    (void)!th_send(self, th_msg_sender(question), msg);
    return TH_OK;
}

static th_err on_subscription(th_self *self, struct topics *topics, const th_msg *msg)
{
    const struct th_subscribe *ask = th_msg_body(msg); /* or th_unsubscribe */
    struct th_subscribed *body;
    th_msg *subscribed = th_subscribed_new(self, &body);

    if (!subscribed)
        return TH_E_NOMEM;
    memcpy(body->filter, ask->filter, sizeof(body->filter));
    body->filter[sizeof(body->filter) - 1] = '\0';
    body->subscriber = th_addr_is_none(ask->subscriber) ? th_msg_sender(msg) : ask->subscriber;
    if (!th_topic_is_filter(ask->filter))
        body->err = TH_E_INVALID;
    else if (th_subscribe_of(msg))
        body->err = subscribe(self, topics, ask->filter, body->subscriber);
    else
        body->err = unsubscribe(self, topics, ask->filter, body->subscriber);
    return answer(self, msg, subscribed);
}

/* ---- control ---- */

static th_err on_set(th_self *self, struct topics *topics, const th_msg *msg)
{
    const struct th_topics_set *set = th_topics_set_of(msg);
    struct thi_topic_tree *tree = &topics->tree;
    struct th_topics_limits *body;
    th_msg *limits = th_topics_limits_new(self, &body);

    if (!limits)
        return TH_E_NOMEM;
    if (set->topics_max)
        tree->topics_max = set->topics_max;
    if (set->subscriptions_max)
        tree->subscriptions_max = set->subscriptions_max;
    *body = (struct th_topics_limits){ .topics_max = tree->topics_max,
                                       .subscriptions_max = tree->subscriptions_max };
    return answer(self, msg, limits);
}

static th_msg *topics_status(th_self *self, const void *state)
{
    const struct topics *topics = state;
    const struct thi_topic_tree *tree = &topics->tree;
    struct th_topics_status *body;
    th_msg *status = th_topics_status_new(self, &body);

    if (!status)
        return NULL;
    *body = (struct th_topics_status){ .topics = tree->topics,
                                       .topics_max = tree->topics_max,
                                       .subscriptions = tree->subscriptions,
                                       .subscriptions_max = tree->subscriptions_max,
                                       .subscribers = tree->subscriber_count,
                                       .retained = tree->kept,
                                       .publications = topics->publications,
                                       .heard = topics->heard,
                                       .unheard = topics->unheard,
                                       .failed = topics->failed,
                                       .deliveries = topics->deliveries,
                                       .refused = topics->refused };
    return status;
}

static th_err on_ask_status(th_self *self, const struct topics *topics, const th_msg *msg)
{
    th_msg *status = topics_status(self, topics);

    return status ? answer(self, msg, status) : TH_E_NOMEM;
}

/* ---- the class ---- */

static th_err topics_init(th_self *self, void *state, const th_msg *arg)
{
    struct topics *topics = state;
    const struct topics_start *start = topics_start_of(arg);

    topics->allocator = (th_allocator){ .alloc = tree_alloc, .free = tree_free, .context = self };
    thi_topic_tree_init(&topics->tree, &topics->allocator, start->topics_max,
                        start->subscriptions_max);
    return TH_OK;
}

static th_err topics_receive(th_self *self, void *state, const th_msg *msg)
{
    const th_type *type = th_msg_type(msg);
    struct topics *topics = state;

    topics->allocator.context = self;
    if (type == &th_publication_type)
        return on_publication(self, topics, msg);
    if (type == &th_subscribe_type || type == &th_unsubscribe_type)
        return on_subscription(self, topics, msg);
    if (type == &th_topics_set_type)
        return on_set(self, topics, msg);
    if (type == &th_topics_ask_status_type)
        return on_ask_status(self, topics, msg);
    if (type == &th_actor_gone_type) /* its watch is over, so B1 holds */
        (void)thi_topic_tree_drop(&topics->tree, th_actor_gone_of(msg)->actor);
    return TH_OK;
}

static void topics_exit(th_self *self, void *state)
{
    struct topics *topics = state;
    th_msg *kept;

    topics->allocator.context = self;
    while ((kept = thi_topic_tree_clear(&topics->tree)))
        th_msg_destroy(self, kept);
    thi_topic_tree_fini(&topics->tree);
}

static const th_class topics_class = { .name = "topics",
                                       .state_size = sizeof(struct topics),
                                       .init = topics_init,
                                       .receive = topics_receive,
                                       .exit = topics_exit,
                                       .on_failure = TH_ON_FAILURE_KEEP,
                                       .status = topics_status };

/* ---- the front door ---- */

th_err th_topics_spec(th_self *self, const th_topics_options *options, th_spawn_options *spawn_out)
{
    static const th_topics_options none;
    struct topics_start *start;
    th_msg *msg;

    if (!self || !spawn_out)
        return TH_E_INVALID;
    if (!options)
        options = &none;
    msg = topics_start_new(self, &start);
    if (!msg)
        return TH_E_NOMEM;
    start->topics_max = options->topics_max ? options->topics_max : TH_TOPICS_DEFAULT;
    start->subscriptions_max =
        options->subscriptions_max ? options->subscriptions_max : TH_TOPICS_SUBSCRIPTIONS_DEFAULT;
    *spawn_out = (th_spawn_options){ .klass = &topics_class, .arg = msg };
    return TH_OK;
}

th_err th_topics_spawn(th_self *self, const th_topics_options *options, th_addr *addr_out)
{
    th_spawn_options spawn;
    th_err err = th_topics_spec(self, options, addr_out ? &spawn : NULL);

    return err ? err : th_spawn_with(self, &spawn, addr_out);
}

/* @payload [take]; @topic is a name. */
static th_err publish(th_self *self, th_addr topics, const char *topic, th_msg *payload,
                      bool retain)
{
    struct th_publication *body;
    th_msg *msg = th_publication_new(self, &body);

    if (!msg) {
        th_msg_destroy(self, payload);
        return TH_E_NOMEM;
    }
    memcpy(body->topic, topic, strlen(topic));
    body->retain = retain;
    body->payload = payload;
    return th_send(self, topics, msg);
}

th_err th_publish(th_self *self, th_addr topics, const char *topic, th_msg *payload, uint32_t flags)
{
    if (!self)
        return TH_E_INVALID; /* and without a handle the payload cannot be freed */
    if (!payload)
        return th_send(self, topics, NULL);
    if (!th_topic_is_name(topic) || (flags & ~(uint32_t)TH_PUBLISH_RETAIN)) {
        th_msg_destroy(self, payload);
        return TH_E_INVALID;
    }
    return publish(self, topics, topic, payload, flags & TH_PUBLISH_RETAIN);
}

th_err th_retract(th_self *self, th_addr topics, const char *topic)
{
    if (!self || !th_topic_is_name(topic))
        return TH_E_INVALID;
    return publish(self, topics, topic, NULL, false);
}

static th_err send_filter(th_self *self, th_addr topics, const th_type *type, const char *filter,
                          th_addr subscriber)
{
    th_msg *msg;

    if (!self || !th_topic_is_filter(filter))
        return TH_E_INVALID;
    msg = th_msg_create(self, type);
    if (msg) {
        struct th_subscribe *body = th_msg_body(msg);

        memcpy(body->filter, filter, strlen(filter));
        body->subscriber = subscriber;
    }
    return th_send(self, topics, msg);
}

th_err th_subscribe_to(th_self *self, th_addr topics, const char *filter, th_addr subscriber)
{
    return send_filter(self, topics, &th_subscribe_type, filter, subscriber);
}

th_err th_unsubscribe_from(th_self *self, th_addr topics, const char *filter, th_addr subscriber)
{
    return send_filter(self, topics, &th_unsubscribe_type, filter, subscriber);
}
