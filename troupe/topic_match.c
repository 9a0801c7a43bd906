/* topic_match.c: the two walks through the tree: from a topic to its subscribers, and from a filter
 * to what is retained.
 *
 * Both go as deep as names have levels. A first level that begins with '$' is hidden from wildcards
 * in its place. */
#include "troupe/topic_tree.h"

/* ---- who wants to hear ---- */

struct hits {
    const struct thi_topic_tree *tree;
    struct thi_topic_subscriber *first, **end;
    bool is_hidden; /* the topic begins with '$' */
};

static void hit(struct hits *hits, const struct thi_topic_node *node)
{
    struct thi_topic_subscription *one = node ? node->subscriptions : NULL;

    for (; one; one = one->next) {
        struct thi_topic_subscriber *who = one->subscriber;

        if (who->round == hits->tree->round)
            continue; /* by another filter */
        who->round = hits->tree->round;
        who->next_hit = NULL;
        *hits->end = who;
        hits->end = &who->next_hit;
    }
}

/* Recursion goes as deep as the topic has levels. */
static void match(struct hits *hits, const struct thi_topic_node *node, const char *rest)
{
    bool wild = !(hits->is_hidden && node == &hits->tree->root);
    const struct thi_topic_node *next;
    struct thi_topic_level level;

    if (wild)
        hit(hits, thi_topic_tree_find(hits->tree, node, "#", 1));
    if (!rest) {
        hit(hits, node);
        return;
    }
    level = thi_topic_level_of(rest);
    next = thi_topic_tree_find(hits->tree, node, level.text, level.length);
    if (next)
        match(hits, next, level.rest);
    next = wild ? thi_topic_tree_find(hits->tree, node, "+", 1) : NULL;
    if (next)
        match(hits, next, level.rest);
}

struct thi_topic_subscriber *thi_topic_tree_match(struct thi_topic_tree *tree, const char *topic)
{
    struct hits hits = { .tree = tree, .is_hidden = *topic == '$' };

    tree->round++;
    hits.end = &hits.first;
    match(&hits, &tree->root, topic);
    return hits.first;
}

/* ---- what is retained ---- */

struct found {
    const struct thi_topic_tree *tree;
    struct thi_topic_node *first, **end;
};

/* @node and, if @all, what is below it. */
static void find_kept(struct found *found, struct thi_topic_node *node, bool all)
{
    if (node->kept) {
        node->next_kept = NULL;
        *found->end = node;
        found->end = &node->next_kept;
    }
    for (node = all ? node->first : NULL; node; node = node->next)
        find_kept(found, node, true);
}

static bool level_is(const struct thi_topic_level *level, char wildcard)
{
    return level->length == 1 && *level->text == wildcard;
}

static bool is_hidden(const struct found *found, const struct thi_topic_node *node)
{
    return node->parent == &found->tree->root && node->length && *node->text == '$';
}

static void match_kept(struct found *found, struct thi_topic_node *node, const char *rest)
{
    struct thi_topic_level level = thi_topic_level_of(rest);
    struct thi_topic_node *next = node->first;

    if (level_is(&level, '#')) {
        find_kept(found, node, false);
        for (; next; next = next->next)
            if (!is_hidden(found, next))
                find_kept(found, next, true);
        return;
    }
    if (!level_is(&level, '+')) {
        next = thi_topic_tree_find(found->tree, node, level.text, level.length);
        if (next && level.rest)
            match_kept(found, next, level.rest);
        else if (next)
            find_kept(found, next, false);
        return;
    }
    for (; next; next = next->next) {
        if (is_hidden(found, next))
            continue;
        if (level.rest)
            match_kept(found, next, level.rest);
        else
            find_kept(found, next, false);
    }
}

struct thi_topic_node *thi_topic_tree_kept(struct thi_topic_tree *tree, const char *filter)
{
    struct found found = { .tree = tree };

    found.end = &found.first;
    match_kept(&found, &tree->root, filter);
    return found.first;
}
