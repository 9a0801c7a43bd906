#include "troupe/topic_tree.h"

#include "troupe/rendezvous.h"

#include <string.h>

void thi_topic_tree_init(struct thi_topic_tree *tree, th_allocator *allocator, uint32_t topics_max,
                         uint32_t subscriptions_max)
{
    memset(tree, 0, sizeof(*tree));
    tree->allocator = allocator;
    tree->topics_max = topics_max;
    tree->subscriptions_max = subscriptions_max;
}

static void *get(struct thi_topic_tree *tree, size_t size)
{
    void *memory = tree->allocator->alloc(tree->allocator->context, size);

    if (memory)
        memset(memory, 0, size);
    return memory;
}

static void give_back(struct thi_topic_tree *tree, void *memory, size_t size)
{
    if (memory)
        tree->allocator->free(tree->allocator->context, memory, size);
}

/* ---- nodes ---- */

static uint64_t hash_of(const struct thi_topic_node *parent, const char *text, size_t length)
{
    return thi_rendezvous_mix(parent->id) ^ thi_rendezvous_key(text, length);
}

struct thi_topic_node *thi_topic_tree_find(const struct thi_topic_tree *tree,
                                           const struct thi_topic_node *parent, const char *text,
                                           size_t length)
{
    uint64_t hash;
    struct thi_topic_node *node;

    if (!parent->first)
        return NULL;
    hash = hash_of(parent, text, length);
    node = tree->nodes[hash & (tree->node_buckets - 1)];
    while (node && !(node->hash == hash && node->parent == parent && node->length == length &&
                     memcmp(node->text, text, length) == 0))
        node = node->next_in_bucket;
    return node;
}

/* Whether there are buckets. More of them would be better, but if they cannot be had, longer chains
 * will do. */
static bool grow_nodes(struct thi_topic_tree *tree)
{
    uint32_t buckets = tree->node_buckets ? 2 * tree->node_buckets : 16;
    struct thi_topic_node **nodes;

    if (tree->node_count < tree->node_buckets)
        return true;
    nodes = get(tree, buckets * sizeof(struct thi_topic_node *));
    if (!nodes)
        return tree->node_buckets > 0;
    for (uint32_t i = 0; i < tree->node_buckets; i++) {
        struct thi_topic_node *node, *next;

        for (node = tree->nodes[i]; node; node = next) {
            next = node->next_in_bucket;
            node->next_in_bucket = nodes[node->hash & (buckets - 1)];
            nodes[node->hash & (buckets - 1)] = node;
        }
    }
    give_back(tree, tree->nodes, tree->node_buckets * sizeof(struct thi_topic_node *));
    tree->nodes = nodes;
    tree->node_buckets = buckets;
    return true;
}

static struct thi_topic_node *add_node(struct thi_topic_tree *tree, struct thi_topic_node *parent,
                                       const struct thi_topic_level *level)
{
    struct thi_topic_node *node, **bucket;

    if (!grow_nodes(tree) || !(node = get(tree, sizeof(*node) + level->length)))
        return NULL;
    node->parent = parent;
    node->id = ++tree->last_id;
    node->length = level->length;
    node->text = memcpy(node + 1, level->text, level->length);
    node->hash = hash_of(parent, level->text, level->length);
    bucket = &tree->nodes[node->hash & (tree->node_buckets - 1)];
    node->next_in_bucket = *bucket;
    *bucket = node;
    node->prev = parent->last;
    if (parent->last)
        parent->last->next = node;
    else
        parent->first = node;
    parent->last = node;
    tree->node_count++;
    return node;
}

static void remove_node(struct thi_topic_tree *tree, struct thi_topic_node *node)
{
    struct thi_topic_node **place = &tree->nodes[node->hash & (tree->node_buckets - 1)];

    while (*place != node)
        place = &(*place)->next_in_bucket;
    *place = node->next_in_bucket;
    if (node->prev)
        node->prev->next = node->next;
    else
        node->parent->first = node->next;
    if (node->next)
        node->next->prev = node->prev;
    else
        node->parent->last = node->prev;
    tree->node_count--;
    give_back(tree, node, sizeof(*node) + node->length);
}

static bool is_in_use(const struct thi_topic_node *node)
{
    return node->subscriptions || node->kept;
}

/* T1 */
static void prune(struct thi_topic_tree *tree, struct thi_topic_node *node)
{
    while (node->parent && !node->first && !is_in_use(node)) {
        struct thi_topic_node *parent = node->parent;

        remove_node(tree, node);
        node = parent;
    }
}

static struct thi_topic_node *look_up(const struct thi_topic_tree *tree, const char *name)
{
    const struct thi_topic_node *node = &tree->root;

    while (node && name) {
        struct thi_topic_level level = thi_topic_level_of(name);

        node = thi_topic_tree_find(tree, node, level.text, level.length);
        name = level.rest;
    }
    return (struct thi_topic_node *)(uintptr_t)node;
}

/* The node of @name, made if need be, and about to be used. */
static th_err make(struct thi_topic_tree *tree, const char *name, struct thi_topic_node **node_out)
{
    struct thi_topic_node *node = look_up(tree, name), *next;

    *node_out = node;
    if (node && is_in_use(node))
        return TH_OK;
    if (tree->topics >= tree->topics_max)
        return TH_E_LIMIT;
    for (node = &tree->root; name;) {
        struct thi_topic_level level = thi_topic_level_of(name);

        next = thi_topic_tree_find(tree, node, level.text, level.length);
        if (!next && !(next = add_node(tree, node, &level))) {
            prune(tree, node);
            return TH_E_NOMEM;
        }
        node = next;
        name = level.rest;
    }
    *node_out = node;
    return TH_OK;
}

/* ---- subscribers ---- */

static struct thi_topic_subscriber *find_subscriber(const struct thi_topic_tree *tree, th_addr addr)
{
    struct thi_topic_subscriber *subscriber;

    if (!tree->subscriber_buckets)
        return NULL;
    subscriber = tree->subscribers[th_addr_hash(addr) & (tree->subscriber_buckets - 1)];
    while (subscriber && !th_addr_equal(subscriber->addr, addr))
        subscriber = subscriber->next_in_bucket;
    return subscriber;
}

static bool grow_subscribers(struct thi_topic_tree *tree)
{
    uint32_t buckets = tree->subscriber_buckets ? 2 * tree->subscriber_buckets : 16;
    struct thi_topic_subscriber **subscribers;

    if (tree->subscriber_count < tree->subscriber_buckets)
        return true;
    subscribers = get(tree, buckets * sizeof(struct thi_topic_subscriber *));
    if (!subscribers)
        return tree->subscriber_buckets > 0;
    for (uint32_t i = 0; i < tree->subscriber_buckets; i++) {
        struct thi_topic_subscriber *one, *next, **bucket;

        for (one = tree->subscribers[i]; one; one = next) {
            next = one->next_in_bucket;
            bucket = &subscribers[th_addr_hash(one->addr) & (buckets - 1)];
            one->next_in_bucket = *bucket;
            *bucket = one;
        }
    }
    give_back(tree, tree->subscribers,
              tree->subscriber_buckets * sizeof(struct thi_topic_subscriber *));
    tree->subscribers = subscribers;
    tree->subscriber_buckets = buckets;
    return true;
}

static struct thi_topic_subscriber *add_subscriber(struct thi_topic_tree *tree, th_addr addr)
{
    struct thi_topic_subscriber *subscriber, **bucket;

    if (!grow_subscribers(tree) || !(subscriber = get(tree, sizeof(*subscriber))))
        return NULL;
    subscriber->addr = addr;
    bucket = &tree->subscribers[th_addr_hash(addr) & (tree->subscriber_buckets - 1)];
    subscriber->next_in_bucket = *bucket;
    *bucket = subscriber;
    tree->subscriber_count++;
    return subscriber;
}

/* T2 */
static void let_go(struct thi_topic_tree *tree, struct thi_topic_subscriber *subscriber)
{
    struct thi_topic_subscriber **place;

    if (subscriber->subscriptions)
        return;
    place = &tree->subscribers[th_addr_hash(subscriber->addr) & (tree->subscriber_buckets - 1)];
    while (*place != subscriber)
        place = &(*place)->next_in_bucket;
    *place = subscriber->next_in_bucket;
    tree->subscriber_count--;
    give_back(tree, subscriber, sizeof(*subscriber));
}

bool thi_topic_tree_knows(const struct thi_topic_tree *tree, th_addr addr)
{
    return find_subscriber(tree, addr) != NULL;
}

/* ---- subscriptions ---- */

static struct thi_topic_subscription *find_subscription(const struct thi_topic_node *node,
                                                        const struct thi_topic_subscriber *who)
{
    struct thi_topic_subscription *one = who->subscriptions;

    while (one && one->node != node)
        one = one->next_of;
    return one;
}

static void link_up(struct thi_topic_tree *tree, struct thi_topic_subscription *one)
{
    struct thi_topic_node *node = one->node;
    struct thi_topic_subscriber *who = one->subscriber;

    tree->topics += !is_in_use(node);
    tree->subscriptions++;
    one->prev = node->subscriptions_last;
    if (one->prev)
        one->prev->next = one;
    else
        node->subscriptions = one;
    node->subscriptions_last = one;
    one->next_of = who->subscriptions;
    if (one->next_of)
        one->next_of->prev_of = one;
    who->subscriptions = one;
}

static void end_subscription(struct thi_topic_tree *tree, struct thi_topic_subscription *one)
{
    struct thi_topic_node *node = one->node;

    if (one->prev)
        one->prev->next = one->next;
    else
        node->subscriptions = one->next;
    if (one->next)
        one->next->prev = one->prev;
    else
        node->subscriptions_last = one->prev;
    if (one->prev_of)
        one->prev_of->next_of = one->next_of;
    else
        one->subscriber->subscriptions = one->next_of;
    if (one->next_of)
        one->next_of->prev_of = one->prev_of;
    tree->subscriptions--;
    tree->topics -= !is_in_use(node);
    prune(tree, node);
    give_back(tree, one, sizeof(*one));
}

th_err thi_topic_tree_subscribe(struct thi_topic_tree *tree, const char *filter, th_addr addr)
{
    struct thi_topic_node *node = look_up(tree, filter);
    struct thi_topic_subscriber *who = find_subscriber(tree, addr);
    struct thi_topic_subscription *one;
    th_err err;

    if (node && who && find_subscription(node, who))
        return TH_E_EXISTS;
    if (tree->subscriptions >= tree->subscriptions_max)
        return TH_E_LIMIT;
    err = make(tree, filter, &node);
    if (err)
        return err;
    one = get(tree, sizeof(*one));
    if (one && !who)
        who = add_subscriber(tree, addr);
    if (!one || !who) {
        give_back(tree, one, sizeof(*one));
        prune(tree, node);
        return TH_E_NOMEM;
    }
    one->subscriber = who;
    one->node = node;
    link_up(tree, one);
    return TH_OK;
}

th_err thi_topic_tree_unsubscribe(struct thi_topic_tree *tree, const char *filter, th_addr addr)
{
    const struct thi_topic_node *node = look_up(tree, filter);
    struct thi_topic_subscriber *who = find_subscriber(tree, addr);
    struct thi_topic_subscription *one = node && who ? find_subscription(node, who) : NULL;

    if (!one)
        return TH_E_STATE;
    end_subscription(tree, one);
    let_go(tree, who);
    return TH_OK;
}

bool thi_topic_tree_drop(struct thi_topic_tree *tree, th_addr addr)
{
    struct thi_topic_subscriber *who = find_subscriber(tree, addr);

    if (!who)
        return false;
    while (who->subscriptions)
        end_subscription(tree, who->subscriptions);
    let_go(tree, who);
    return true;
}

/* ---- what is retained ---- */

th_err thi_topic_tree_keep(struct thi_topic_tree *tree, const char *topic, void *value,
                           void **old_out)
{
    struct thi_topic_node *node;
    th_err err = make(tree, topic, &node);

    if (err)
        return err;
    tree->topics += !is_in_use(node);
    tree->kept += !node->kept;
    *old_out = node->kept;
    node->kept = value;
    return TH_OK;
}

static void *take_kept(struct thi_topic_tree *tree, struct thi_topic_node *node)
{
    void *value = node->kept;

    if (!value)
        return NULL;
    node->kept = NULL;
    tree->kept--;
    tree->topics -= !is_in_use(node);
    prune(tree, node);
    return value;
}

void *thi_topic_tree_forget(struct thi_topic_tree *tree, const char *topic)
{
    struct thi_topic_node *node = look_up(tree, topic);

    return node ? take_kept(tree, node) : NULL;
}

/* ---- the end ---- */

static struct thi_topic_node *any_kept(struct thi_topic_node *node)
{
    struct thi_topic_node *found = node->kept ? node : NULL;

    for (node = node->first; node && !found; node = node->next)
        found = any_kept(node);
    return found;
}

static void drop_all(struct thi_topic_tree *tree)
{
    for (uint32_t i = 0; tree->subscriptions && i < tree->subscriber_buckets; i++)
        while (tree->subscribers[i])
            thi_topic_tree_drop(tree, tree->subscribers[i]->addr);
}

/* Without subscriptions every leaf retains something, so it is found at once. */
void *thi_topic_tree_clear(struct thi_topic_tree *tree)
{
    drop_all(tree);
    return tree->kept ? take_kept(tree, any_kept(&tree->root)) : NULL;
}

void thi_topic_tree_fini(struct thi_topic_tree *tree)
{
    drop_all(tree);
    give_back(tree, tree->subscribers,
              tree->subscriber_buckets * sizeof(struct thi_topic_subscriber *));
    give_back(tree, tree->nodes, tree->node_buckets * sizeof(struct thi_topic_node *));
    tree->subscribers = NULL;
    tree->nodes = NULL;
    tree->subscriber_buckets = tree->node_buckets = 0;
}
