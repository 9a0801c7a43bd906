/* topic_tree.h: who has subscribed to what, and what is retained.
 *
 * A tree of levels: a filter or a topic is a way from the root, '+' and '#' are levels like any
 * other, and matching a topic takes the ways "this level", "+" and "#" at each node. So it costs a
 * few look-ups for each level and those who match, however many subscribe to something else. It
 * knows no actors and no messages: a subscriber is an address, what is retained a pointer.
 *
 * T1. A node is there as long as it has a subscription, something retained, or a node below it.
 * T2. A subscriber is there as long as it has a subscription.
 * T3. All walks go by the order in which things came, never by a hash: equal histories give equal
 *     orders. */
#ifndef THI_TROUPE_TOPIC_TREE_H
#define THI_TROUPE_TOPIC_TREE_H

#include <stdbool.h>
#include <string.h>

#include <thespis/addr.h>
#include <thespis/alloc.h>

struct thi_topic_node {
    struct thi_topic_node *parent;
    struct thi_topic_node *first, *last; /* below it */
    struct thi_topic_node *next, *prev;  /* beside it */
    struct thi_topic_node *next_in_bucket;
    struct thi_topic_node *next_kept; /* in an answer of thi_topic_tree_kept() */
    struct thi_topic_subscription *subscriptions, *subscriptions_last;
    void *kept;
    uint64_t id, hash;
    size_t length;
    const char *text; /* of this level, without a NUL; behind the node */
};

struct thi_topic_subscriber {
    th_addr addr;
    struct thi_topic_subscriber *next_in_bucket;
    struct thi_topic_subscriber *next_hit; /* in an answer of thi_topic_tree_match() */
    struct thi_topic_subscription *subscriptions;
    uint64_t round; /* the last match it was a hit of */
};

struct thi_topic_subscription {
    struct thi_topic_subscriber *subscriber;
    struct thi_topic_node *node;
    struct thi_topic_subscription *next, *prev;       /* of the node, in the order they came */
    struct thi_topic_subscription *next_of, *prev_of; /* of the subscriber */
};

struct thi_topic_tree {
    th_allocator *allocator; /* the owner's */
    struct thi_topic_node root;
    struct thi_topic_node **nodes; /* by parent and text */
    struct thi_topic_subscriber **subscribers;
    uint32_t node_buckets, subscriber_buckets; /* powers of two, or 0 */
    uint32_t node_count, subscriber_count;     /* without the root */
    uint32_t topics, subscriptions, kept;      /* names in use; ... */
    uint32_t topics_max, subscriptions_max;
    uint64_t last_id, round;
};

/** @allocator [keep]. */
void thi_topic_tree_init(struct thi_topic_tree *tree, th_allocator *allocator, uint32_t topics_max,
                         uint32_t subscriptions_max);

/** For the end: ends all subscriptions, takes out something retained [give]; NULL: nothing is. */
void *thi_topic_tree_clear(struct thi_topic_tree *tree);
/** After that. */
void thi_topic_tree_fini(struct thi_topic_tree *tree);

/** @filter is one. TH_E_EXISTS, TH_E_LIMIT, TH_E_NOMEM. */
TH_NODISCARD th_err thi_topic_tree_subscribe(struct thi_topic_tree *tree, const char *filter,
                                             th_addr addr);
/** TH_E_STATE: it is not subscribed to that. */
TH_NODISCARD th_err thi_topic_tree_unsubscribe(struct thi_topic_tree *tree, const char *filter,
                                               th_addr addr);
/** All of its subscriptions. false: it has none. */
bool thi_topic_tree_drop(struct thi_topic_tree *tree, th_addr addr);
bool thi_topic_tree_knows(const struct thi_topic_tree *tree, th_addr addr);

/** Those who want to hear of @topic, each once, as a chain through next_hit that is good until
 * something changes. */
struct thi_topic_subscriber *thi_topic_tree_match(struct thi_topic_tree *tree, const char *topic);

/** Retains @value [take if TH_OK], not NULL, for @topic; *@old_out is what was [give], or NULL.
 * TH_E_LIMIT, TH_E_NOMEM. */
TH_NODISCARD th_err thi_topic_tree_keep(struct thi_topic_tree *tree, const char *topic, void *value,
                                        void **old_out);
/** What was retained [give], or NULL. */
void *thi_topic_tree_forget(struct thi_topic_tree *tree, const char *topic);
/** The nodes of retained topics that @filter matches, as a chain through next_kept. */
struct thi_topic_node *thi_topic_tree_kept(struct thi_topic_tree *tree, const char *filter);

/* ---- for topic_tree.c and topic_match.c ---- */

struct thi_topic_level {
    const char *text;
    size_t length;
    const char *rest; /* of the name, behind its '/'; NULL: it is the last */
};

/** The first level of @name. */
static inline struct thi_topic_level thi_topic_level_of(const char *name)
{
    struct thi_topic_level level = { .text = name, .length = strcspn(name, "/") };

    level.rest = name[level.length] ? name + level.length + 1 : NULL;
    return level;
}

/** The node of that level right below @parent, or NULL. */
struct thi_topic_node *thi_topic_tree_find(const struct thi_topic_tree *tree,
                                           const struct thi_topic_node *parent, const char *text,
                                           size_t length);

#endif
