/* transport/link/aside.h: messages that were taken from the host's queue and cannot be sent yet:
 * there is no connection, or an unfinished message of the same pair of actors is before them.
 *
 * A ring in order of arrival, each with the time at which it is a dead letter. One may be taken out
 * of the middle, and leaves a hole. At most TH_LINK_ASIDE_MAX places. */
#ifndef THI_LINK_ASIDE_H
#define THI_LINK_ASIDE_H

#include "mailbox/msg.h"
#include <thespis/config.h>

struct thi_aside_place {
    th_msg *msg;   /* NULL: a hole */
    uint32_t size; /* of its body as it travels, if that is known to take a transfer, else 0 */
    uint64_t until;
};

struct thi_aside {
    struct thi_memory *memory;
    struct thi_aside_place *ring;
    uint32_t room; /* a power of two, or 0 */
    uint32_t begin;
    uint32_t places; /* holes included, but the first is none */
    uint32_t count;
    uint32_t large; /* with a size */
};

void thi_aside_init(struct thi_aside *aside, struct thi_memory *memory);
/* Must be empty. */
void thi_aside_fini(struct thi_aside *aside);

static inline bool thi_aside_is_full(const struct thi_aside *aside)
{
    return aside->places == TH_LINK_ASIDE_MAX;
}

/* Puts @msg [take] behind the others. false: no memory; it is still the caller's. Not when full. */
bool thi_aside_put(struct thi_aside *aside, th_msg *msg, uint32_t size, uint64_t until);

/* The message at @index is so large. */
void thi_aside_weigh(struct thi_aside *aside, uint32_t index, uint32_t size);

/* The @index-th place, below `places`: to be looked at. */
static inline struct thi_aside_place *thi_aside_at(struct thi_aside *aside, uint32_t index)
{
    return &aside->ring[(aside->begin + index) & (aside->room - 1)];
}

/* Its message [give]; the place is a hole, and holes at the beginning go: other indices are void.
 */
th_msg *thi_aside_take(struct thi_aside *aside, uint32_t index);

/* When the first is a dead letter; UINT64_MAX: none waits. */
static inline uint64_t thi_aside_until(struct thi_aside *aside)
{
    return aside->count ? thi_aside_at(aside, 0)->until : UINT64_MAX;
}

#endif
