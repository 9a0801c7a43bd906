#include "transport/ties.h"

#include "runtime/actor/mail.h"

/* Which notice ends a tie, of those that @type makes or undoes; NULL: it is none. */
static const th_type *notice_of(const th_type *type)
{
    if (type == &thi_watch_type || type == &thi_unwatch_type || type == &thi_gone_type)
        return &thi_gone_type;
    if (type == &thi_link_type || type == &thi_unlink_type || type == &thi_link_gone_type)
        return &thi_link_gone_type;
    return NULL;
}

static bool is_request(const th_type *type)
{
    return type == &thi_watch_type || type == &thi_link_type;
}

static th_msg **bucket(struct thi_ties *ties, th_addr here, th_addr there)
{
    uint64_t hash = th_addr_hash(here) ^ (th_addr_hash(there) >> 7);

    return &ties->buckets[hash & (ties->bucket_count - 1)];
}

/* Twice the buckets, or the first. */
static bool grow(struct thi_ties *ties, struct thi_memory *memory)
{
    enum { FIRST = 16 };
    struct thi_ties old = *ties;
    uint32_t count = old.bucket_count ? 2 * old.bucket_count : FIRST;
    th_msg **buckets = thi_memory_take(memory, count * sizeof(*buckets));

    if (!buckets)
        return old.bucket_count != 0; /* the chains get longer, that is all */
    ties->buckets = buckets;
    ties->bucket_count = count;
    for (uint32_t i = 0; i < old.bucket_count; i++)
        for (th_msg *tie = old.buckets[i], *next; tie; tie = next) {
            th_msg **place = bucket(ties, tie->thi_to, tie->thi_from);

            next = tie->thi_next;
            tie->thi_next = *place;
            *place = tie;
        }
    thi_memory_give(memory, old.buckets, old.bucket_count * sizeof(*buckets));
    return true;
}

/* The link that leads to it, or to the end of where it would be. */
static th_msg **find(struct thi_ties *ties, const th_type *notice, th_addr here, th_addr there)
{
    th_msg **link = bucket(ties, here, there);

    while (*link && ((*link)->thi_type != notice || !th_addr_equal((*link)->thi_to, here) ||
                     !th_addr_equal((*link)->thi_from, there)))
        link = &(*link)->thi_next;
    return link;
}

/* A watch of somebody here is the other side's to end: it is noted as what calls it off. */
static const th_type *kept_as(const th_type *type, bool is_inbound)
{
    return is_inbound && type == &thi_watch_type ? &thi_unwatch_type : notice_of(type);
}

bool thi_ties_note(struct thi_ties *ties, struct thi_memory *memory, struct thi_heap *heap,
                   const th_msg *msg, bool is_inbound)
{
    th_addr here = is_inbound ? msg->thi_to : msg->thi_from;
    th_addr there = is_inbound ? msg->thi_from : msg->thi_to;
    const th_type *type = msg->thi_type;
    bool ends_watch_here = type == &thi_unwatch_type && is_inbound;
    bool told_there = type == &thi_gone_type && !is_inbound;
    const th_type *kept;
    struct th_actor_gone *body;
    th_msg **link, *tie;

    if (TH_LIKELY(!(type->flags & TH_TYPE_SYSTEM)) || !notice_of(type))
        return true;
    if (is_request(type) && ties->count >= ties->bucket_count && !grow(ties, memory))
        return false;
    if (!ties->bucket_count)
        return true;
    kept = ends_watch_here || told_there ? &thi_unwatch_type : kept_as(type, is_inbound);
    link = find(ties, kept, here, there);
    tie = *link;
    if (!is_request(type)) {
        if (tie) {
            *link = tie->thi_next;
            thi_msg_destroy(heap, tie);
            ties->count--;
        }
        return true;
    }
    if (tie)
        return true;
    tie = thi_msg_create(heap, kept, 0);
    if (!tie)
        return false;
    tie->thi_to = here;
    tie->thi_from = there;
    body = th_msg_body(tie);
    body->actor = there;
    body->reason = TH_EXIT_GONE;
    body->linked = kept == &thi_link_gone_type;
    tie->thi_next = *link;
    *link = tie;
    ties->count++;
    return true;
}

th_msg *thi_ties_end(struct thi_ties *ties, struct thi_memory *memory)
{
    th_msg *chain = NULL, *tie;

    for (uint32_t i = 0; i < ties->bucket_count; i++)
        while ((tie = ties->buckets[i])) {
            ties->buckets[i] = tie->thi_next;
            tie->thi_next = chain;
            chain = tie;
        }
    thi_memory_give(memory, ties->buckets, ties->bucket_count * sizeof(*ties->buckets));
    *ties = (struct thi_ties){ 0 };
    return chain;
}
