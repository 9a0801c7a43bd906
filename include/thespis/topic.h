/* topic.h: publish and subscribe by topic, inside one system.
 *
 * A topics actor knows who wants to hear of what. Whoever publishes sends it a th_publication, a
 * topic with a message as payload; everybody who has subscribed to the topic gets that same
 * th_publication, with its first sender: one body, shared by all. Poison goes to the publisher, as
 * always. There may be any number of topics actors; one is found by a global name (name.h).
 *
 * Names are MQTT's (OASIS MQTT 5.0, 4.7): levels divided by '/', which may be empty. A filter may
 * have '+' in place of a level, and '#' as its last one, which is any number of levels, none too:
 * "a/#" matches "a". Neither matches a first level that begins with '$'. Who has several filters
 * that match a publication gets it once.
 *
 * Why an actor, and no table that publishers read without a lock and send from themselves? A
 * publication has one hop more. For that all subscribers of a topic see it in one order; a
 * subscription has its place in that order, so that whatever a sender publishes after subscribing
 * somebody reaches it; a publisher's handler is as long as one send, however many subscribe; ends,
 * limits and retained values need no protocol between threads; and on the simple base a seed
 * decides it all. A delivery costs some 45 ns, the subscriber's handling included (bench publish);
 * where that is too much for one, use several, each for its part of the topics.
 *
 * Order: publications of one sender reach each subscriber in the order they were published; two
 * subscribers of the same topics see them in the same order.
 *
 * Subscriptions end with the subscriber, which is watched (ties.h), so it has to be an actor of
 * this system: a thread subscribes one. What is on its way to it when it ends is a dead letter, as
 * with any message. A slow subscriber's mail waits in its own mailbox and holds up nobody. If that
 * has a limit, its policy decides: what is dropped is a dead letter; a send that fails is counted
 * (refused) and passed over; but a policy that holds senders would hold the topics actor, and with
 * it everybody, so it is not for subscribers. */
#ifndef THESPIS_TOPIC_H
#define THESPIS_TOPIC_H

#include <thespis/actor.h>
#include <thespis/config.h>

/** Zero means the default of config.h. */
typedef struct th_topics_options {
    uint32_t topics_max;        /* names that are subscribed to or retained: filters and topics */
    uint32_t subscriptions_max; /* of all subscribers together */
} th_topics_options;

/** What is published, and what subscribers get. Without a payload: what is retained of the topic
 * is forgotten, and nobody told. A topic that is no name (th_topic_is_name()) fails: poison. */
#define TH_PUBLICATION_FIELDS(F, S)                                                                \
    F(S, chars, topic, TH_TOPIC_SIZE)                                                              \
    F(S, bool_,                                                                                    \
      retain) /* kept, in place of what was kept of the topic; and sent to those who will \
                           subscribe, first of all */        \
    F(S, msg, payload)
TH_MESSAGE(th_publication, TH_PUBLICATION_FIELDS);

/** Has an actor get publications, or no more. Answered with th_subscribed. */
#define TH_SUBSCRIBE_FIELDS(F, S)                                                                  \
    F(S, chars, filter, TH_TOPIC_SIZE)                                                             \
    F(S, addr, subscriber) /* none: who sends this */
TH_MESSAGE(th_subscribe, TH_SUBSCRIBE_FIELDS);
TH_MESSAGE(th_unsubscribe, TH_SUBSCRIBE_FIELDS);

#define TH_SUBSCRIBED_FIELDS(F, S)                                                                 \
    F(S, chars, filter, TH_TOPIC_SIZE)                                                             \
    F(S, addr, subscriber)                                                                         \
    F(S, u32,                                                                                      \
      err) /* subscribe: TH_E_EXISTS, TH_E_INVALID (no filter), TH_E_LIMIT, TH_E_NOMEM     \
                      (not subscribed, though retained publications may have come), or what        \
                      th_watch_actor() says. unsubscribe: TH_E_STATE (was not subscribed) */
TH_MESSAGE(th_subscribed, TH_SUBSCRIBED_FIELDS);

/** Changes limits: a 0 leaves that one. Answered with th_topics_limits: those in force. Below what
 * there is, only nothing is added. */
#define TH_TOPICS_LIMITS_FIELDS(F, S) F(S, u32, topics_max) F(S, u32, subscriptions_max)
TH_MESSAGE(th_topics_set, TH_TOPICS_LIMITS_FIELDS);
TH_MESSAGE(th_topics_limits, TH_TOPICS_LIMITS_FIELDS);

/** Asks how it is; answered with th_topics_status. */
TH_SIGNAL(th_topics_ask_status);

/* clang-format off: one field a line */
#define TH_TOPICS_STATUS_FIELDS(F, S)                                                              \
    F(S, u32, topics)                                                                              \
    F(S, u32, topics_max)                                                                          \
    F(S, u32, subscriptions)                                                                       \
    F(S, u32, subscriptions_max)                                                                   \
    F(S, u32, subscribers)                                                                         \
    F(S, u32, retained)                                                                            \
    F(S, u64, publications) /* = heard + unheard + failed */                                       \
    F(S, u64, heard)        /* by somebody */                                                      \
    F(S, u64, unheard)      /* nobody had subscribed, or there was nothing to hear */              \
    F(S, u64, failed)       /* poison: no name, no room to retain it, no memory */                 \
    F(S, u64, deliveries)   /* sent to subscribers */                                              \
    F(S, u64, refused)      /* that a subscriber's mailbox did not take */
/* clang-format on */
TH_MESSAGE(th_topics_status, TH_TOPICS_STATUS_FIELDS);

enum th_publish_flags {
    TH_PUBLISH_RETAIN = 1 << 0 /* see th_publication */
};

TH_BEGIN_C

/** A topics actor, as a child of the caller. @options may be NULL. As th_spawn(). */
TH_API TH_NODISCARD th_err th_topics_spawn(th_self *self, const th_topics_options *options,
                                           th_addr *addr_out);

/** The same as a class and an argument [give], for th_spawn_with() under a global name, or for a
 * supervisor's th_child_spec. */
TH_API TH_NODISCARD th_err th_topics_spec(th_self *self, const th_topics_options *options,
                                          th_spawn_options *spawn_out);

/** Publishes @payload [take]; NULL is answered with what made it NULL. From actors and from
 * threads. TH_E_INVALID: @topic is no name, or unknown @flags. Else as th_send(). */
TH_API TH_NODISCARD th_err th_publish(th_self *self, th_addr topics, const char *topic,
                                      th_msg *payload, uint32_t flags);

/** Has what is retained of @topic forgotten. As th_publish(). */
TH_API TH_NODISCARD th_err th_retract(th_self *self, th_addr topics, const char *topic);

/** Subscribes @subscriber, or if it is none the caller; a th_subscribed comes. TH_E_INVALID:
 * @filter is none. Else as th_send(). */
TH_API TH_NODISCARD th_err th_subscribe_to(th_self *self, th_addr topics, const char *filter,
                                           th_addr subscriber);
TH_API TH_NODISCARD th_err th_unsubscribe_from(th_self *self, th_addr topics, const char *filter,
                                               th_addr subscriber);

/** Whether @topic can be published to: 1 to TH_TOPIC_SIZE - 1 bytes, at most TH_TOPIC_LEVELS_MAX
 * levels, no '+' and no '#'. NULL cannot. */
TH_API bool th_topic_is_name(const char *topic);

/** Whether @filter can be subscribed to: '+' and '#' have a level for themselves, '#' the last. */
TH_API bool th_topic_is_filter(const char *filter);

/** Whether @filter matches @topic. What is no filter or no name does not. */
TH_API bool th_topic_matches(const char *filter, const char *topic);

TH_END_C
#endif
