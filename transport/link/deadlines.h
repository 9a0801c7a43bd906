/* transport/link/deadlines.h: who is waiting until when, where all wait about as long.
 *
 * A list in order of time. Those of one list wait for one reason (a handshake, a last word), so for
 * about the same time, and a new one belongs at the end or near it: it is sought from there. The
 * entries are embedded in what they are for; nothing can fail. On the loop. */
#ifndef THI_LINK_DEADLINES_H
#define THI_LINK_DEADLINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct thi_deadline {
    struct thi_deadline *before, *after; /* NULL both, and not `first`: nowhere */
    uint64_t when_ns;
    bool is_set;
};

struct thi_deadlines {
    struct thi_deadline *first, *last;
};

static inline void thi_deadline_clear(struct thi_deadlines *list, struct thi_deadline *entry)
{
    if (!entry->is_set)
        return;
    *(entry->before ? &entry->before->after : &list->first) = entry->after;
    *(entry->after ? &entry->after->before : &list->last) = entry->before;
    *entry = (struct thi_deadline){ 0 };
}

static inline void thi_deadline_set(struct thi_deadlines *list, struct thi_deadline *entry,
                                    uint64_t when_ns)
{
    struct thi_deadline *before;

    thi_deadline_clear(list, entry);
    for (before = list->last; before && before->when_ns > when_ns;)
        before = before->before;
    *entry = (struct thi_deadline){ before, before ? before->after : list->first, when_ns, true };
    *(before ? &before->after : &list->first) = entry;
    *(entry->after ? &entry->after->before : &list->last) = entry;
}

/* The first, if it is over; it is out of the list then. */
static inline struct thi_deadline *thi_deadlines_take(struct thi_deadlines *list, uint64_t now_ns)
{
    struct thi_deadline *first = list->first;

    if (!first || first->when_ns > now_ns)
        return NULL;
    thi_deadline_clear(list, first);
    return first;
}

/* UINT64_MAX: nobody waits. */
static inline uint64_t thi_deadlines_next(const struct thi_deadlines *list)
{
    return list->first ? list->first->when_ns : UINT64_MAX;
}

#endif
