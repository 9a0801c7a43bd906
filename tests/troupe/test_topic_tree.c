/* The tree of subscriptions: by hand, and over random events against a list that is searched. */
#include "troupe/topic_tree.h"

#include "runtime/base/random.h"

#include <thespis/topic.h>

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct thi_topic_tree tree;
static uint64_t left_to_give, taken;

static void *get(void *context, size_t size)
{
    (void)context;
    if (!left_to_give)
        return NULL;
    left_to_give--;
    taken += size;
    return malloc(size);
}

static void give_back(void *context, void *memory, size_t size)
{
    (void)context;
    taken -= size;
    free(memory);
}

static th_allocator allocator = { .alloc = get, .free = give_back };

static void begin(void)
{
    left_to_give = UINT64_MAX;
    taken = 0;
    thi_topic_tree_init(&tree, &allocator, 1000, 1000);
}

static void end(void)
{
    while (thi_topic_tree_clear(&tree))
        ;
    cr_assert_eq(tree.topics, 0);
    cr_assert_eq(tree.node_count, 0, "T1");
    cr_assert_eq(tree.subscriber_count, 0, "T2");
    thi_topic_tree_fini(&tree);
    cr_assert_eq(taken, 0);
}

static th_addr addr_of(uint32_t slot)
{
    return (th_addr){ 1, slot, 1 };
}

/* Who hears of @topic, as a set of bits; each once. */
static uint64_t heard(const char *topic)
{
    uint64_t who = 0;

    for (struct thi_topic_subscriber *hit = thi_topic_tree_match(&tree, topic); hit;
         hit = hit->next_hit) {
        cr_assert_eq(who >> hit->addr.slot & 1, 0, "twice");
        who |= (uint64_t)1 << hit->addr.slot;
    }
    return who;
}

static th_err subscribe(const char *filter, uint32_t slot)
{
    return thi_topic_tree_subscribe(&tree, filter, addr_of(slot));
}

Test(topic_tree, exact_topics, .init = begin, .fini = end)
{
    cr_assert_eq(subscribe("a/b", 1), TH_OK);
    cr_assert_eq(subscribe("a/b", 2), TH_OK);
    cr_assert_eq(subscribe("a", 3), TH_OK);
    cr_assert_eq(subscribe("a/b", 1), TH_E_EXISTS);
    cr_assert_eq(heard("a/b"), 1 << 1 | 1 << 2);
    cr_assert_eq(heard("a"), 1 << 3);
    cr_assert_eq(heard("a/b/c"), 0);
    cr_assert_eq(tree.topics, 2);
    cr_assert_eq(tree.subscriptions, 3);
    cr_assert_eq(thi_topic_tree_unsubscribe(&tree, "a/b", addr_of(1)), TH_OK);
    cr_assert_eq(thi_topic_tree_unsubscribe(&tree, "a/b", addr_of(1)), TH_E_STATE);
    cr_assert_eq(thi_topic_tree_unsubscribe(&tree, "x", addr_of(2)), TH_E_STATE);
    cr_assert_eq(heard("a/b"), 1 << 2);
    cr_assert_not(thi_topic_tree_knows(&tree, addr_of(1)));
}

Test(topic_tree, who_has_several_filters_hears_once, .init = begin, .fini = end)
{
    cr_assert_eq(subscribe("a/b", 1), TH_OK);
    cr_assert_eq(subscribe("a/+", 1), TH_OK);
    cr_assert_eq(subscribe("#", 1), TH_OK);
    cr_assert_eq(heard("a/b"), 1 << 1);
    cr_assert(thi_topic_tree_drop(&tree, addr_of(1)));
    cr_assert_not(thi_topic_tree_drop(&tree, addr_of(1)));
    cr_assert_eq(heard("a/b"), 0);
    cr_assert_eq(tree.node_count, 0);
}

Test(topic_tree, hits_are_in_the_order_of_subscription, .init = begin, .fini = end)
{
    struct thi_topic_subscriber *hit;

    for (uint32_t i = 40; i > 0; i--)
        cr_assert_eq(subscribe("a", i), TH_OK);
    hit = thi_topic_tree_match(&tree, "a");
    for (uint32_t i = 40; i > 0; i--, hit = hit->next_hit)
        cr_assert_eq(hit->addr.slot, i);
}

Test(topic_tree, has_limits, .init = begin, .fini = end)
{
    void *old;

    tree.topics_max = 2;
    tree.subscriptions_max = 3;
    cr_assert_eq(subscribe("a/b/c", 1), TH_OK);
    cr_assert_eq(thi_topic_tree_keep(&tree, "d", &tree, &old), TH_OK);
    cr_assert_eq(subscribe("e", 1), TH_E_LIMIT);
    cr_assert_eq(thi_topic_tree_keep(&tree, "e", &tree, &old), TH_E_LIMIT);
    cr_assert_eq(subscribe("a/b", 1), TH_E_LIMIT, "a node on the way is no topic yet");
    cr_assert_eq(subscribe("a/b/c", 2), TH_OK);
    cr_assert_eq(subscribe("d", 2), TH_OK);
    cr_assert_eq(subscribe("d", 3), TH_E_LIMIT, "of subscriptions");
    cr_assert_eq(tree.node_count, 4);
}

Test(topic_tree, keeps_the_last_value, .init = begin, .fini = end)
{
    static int one, two;
    void *old;

    cr_assert_eq(thi_topic_tree_keep(&tree, "a/b", &one, &old), TH_OK);
    cr_assert_null(old);
    cr_assert_eq(thi_topic_tree_keep(&tree, "a/b", &two, &old), TH_OK);
    cr_assert_eq(old, &one);
    cr_assert_eq(thi_topic_tree_kept(&tree, "a/+")->kept, &two);
    cr_assert_eq(tree.kept, 1);
    cr_assert_null(thi_topic_tree_forget(&tree, "a"));
    cr_assert_null(thi_topic_tree_forget(&tree, "b"));
    cr_assert_eq(thi_topic_tree_forget(&tree, "a/b"), &two);
    cr_assert_eq(tree.node_count, 0);
}

/* ---- against a naive account ---- */

enum { WHO = 24, FACTS_MAX = 400 };

static struct fact {
    char filter[TH_TOPIC_SIZE];
    uint32_t who; /* WHO: retained */
} facts[FACTS_MAX];
static int fact_count;

/* By whole levels, from the words of the standard. */
static bool naive(const char *filter, const char *topic, bool is_first)
{
    size_t f = strcspn(filter, "/"), t = strcspn(topic, "/");
    bool hidden = is_first && topic[0] == '$';

    if (strcmp(filter, "#") == 0)
        return !hidden;
    if (f == 1 && filter[0] == '+' ? hidden : f != t || strncmp(filter, topic, t) != 0)
        return false;
    if (!topic[t])
        return !filter[f] || strcmp(filter + f, "/#") == 0;
    return filter[f] && naive(filter + f + 1, topic + t + 1, false);
}

static void random_name(struct thi_random *random, bool wild, char *name)
{
    static const char *const levels[] = { "a", "b", "", "$a", "aa", "+", "#" };
    uint64_t count = 1 + thi_random_below(random, 4);

    *name = '\0';
    for (uint64_t i = 0; i < count; i++) {
        uint64_t pick = thi_random_below(random, wild ? (i + 1 == count ? 7 : 6) : 5);

        if (i > 0)
            strcat(name, "/");
        strcat(name, levels[pick]);
    }
    if (!*name)
        strcpy(name, "b");
}

static int find_fact(const char *filter, uint32_t who)
{
    int i = 0;

    while (i < fact_count && !(facts[i].who == who && strcmp(facts[i].filter, filter) == 0))
        i++;
    return i;
}

static void add_fact(const char *filter, uint32_t who)
{
    strcpy(facts[fact_count].filter, filter);
    facts[fact_count++].who = who;
}

static void remove_fact(int i)
{
    facts[i] = facts[--fact_count];
}

static void check_topic(const char *topic)
{
    uint64_t expected = 0;

    for (int i = 0; i < fact_count; i++) {
        bool is_match = naive(facts[i].filter, topic, true);

        if (facts[i].who < WHO && is_match)
            expected |= (uint64_t)1 << facts[i].who;
        cr_assert_eq(th_topic_matches(facts[i].filter, topic), is_match, "%s and %s",
                     facts[i].filter, topic);
    }
    cr_assert_eq(heard(topic), expected, "%s", topic);
}

static void check_kept(const char *filter)
{
    int expected = 0, found = 0;

    for (int i = 0; i < fact_count; i++)
        expected += facts[i].who == WHO && naive(filter, facts[i].filter, true);
    for (struct thi_topic_node *node = thi_topic_tree_kept(&tree, filter); node;
         node = node->next_kept)
        found++;
    cr_assert_eq(found, expected, "%s: %d, not %d", filter, found, expected);
}

static void change_subscription(struct thi_random *random)
{
    char filter[TH_TOPIC_SIZE];
    uint32_t who = (uint32_t)thi_random_below(random, WHO);
    int fact;
    th_err err;

    random_name(random, true, filter);
    fact = find_fact(filter, who);
    if (thi_random_below(random, 3)) {
        err = subscribe(filter, who);
        cr_assert(err == (fact < fact_count ? TH_E_EXISTS : TH_OK) || !left_to_give);
        if (!err)
            add_fact(filter, who);
    } else {
        err = thi_topic_tree_unsubscribe(&tree, filter, addr_of(who));
        cr_assert_eq(err, fact < fact_count ? TH_OK : TH_E_STATE);
        if (!err)
            remove_fact(fact);
    }
}

static void change_kept(struct thi_random *random)
{
    char topic[TH_TOPIC_SIZE];
    int fact;
    void *old = NULL;

    random_name(random, false, topic);
    fact = find_fact(topic, WHO);
    if (thi_random_below(random, 2)) {
        cr_assert_eq(thi_topic_tree_forget(&tree, topic) != NULL, fact < fact_count);
        if (fact < fact_count)
            remove_fact(fact);
    } else if (thi_topic_tree_keep(&tree, topic, &tree, &old) == TH_OK) {
        cr_assert_eq(old != NULL, fact < fact_count);
        if (!old)
            add_fact(topic, WHO);
    }
}

static void drop(struct thi_random *random)
{
    uint32_t who = (uint32_t)thi_random_below(random, WHO);
    bool had = false;

    for (int i = fact_count; i-- > 0;) {
        if (facts[i].who == who) {
            remove_fact(i);
            had = true;
        }
    }
    cr_assert_eq(thi_topic_tree_drop(&tree, addr_of(who)), had);
}

Test(topic_tree, is_what_a_list_would_be)
{
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct thi_random random;
        char name[TH_TOPIC_SIZE];

        thi_random_init(&random, seed);
        fact_count = 0;
        begin();
        for (int i = 0; i < 300; i++) {
            /* memory runs out now and then, at any allocation */
            left_to_give = thi_random_below(&random, 4) ? UINT64_MAX : thi_random_below(&random, 4);
            switch (thi_random_below(&random, 16)) {
            case 0: drop(&random); break;
            case 1:
            case 2:
            case 3: change_kept(&random); break;
            default: change_subscription(&random); break;
            }
            random_name(&random, false, name);
            check_topic(name);
            random_name(&random, true, name);
            check_kept(name);
        }
        cr_assert_leq(tree.subscriptions + tree.kept, (uint32_t)fact_count);
        end();
    }
}
