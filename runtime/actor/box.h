/* runtime/actor/box.h: where mail waits for a thread that is no actor and carries it elsewhere.
 *
 * A cell of kind ENDPOINT with credits. Nobody is told its address: mail for others is put into it
 * (route.h). One thread owns it, takes from it, and says when each message is settled. */
#ifndef THI_ACTOR_BOX_H
#define THI_ACTOR_BOX_H

#include "runtime/actor/stage.h"
#include <thespis/mailbox.h>

struct thi_box {
    struct thi_endpoint endpoint; /* first */
};

struct thi_box_options {
    uint32_t limit;        /* credits out, past which who can be held is, and others are refused */
    uint32_t most;         /* past which all are refused */
    struct thi_heap *heap; /* the owner's */
    void (*wake)(struct thi_endpoint *endpoint);    /* as in struct thi_endpoint */
    void (*release)(struct thi_endpoint *endpoint); /* as in struct thi_endpoint */
};

/* TH_E_NOMEM, TH_E_LIMIT: nothing was done. The owner is awake: it takes before it sleeps. */
th_err thi_box_open(struct thi_box *box, struct thi_stage *stage,
                    const struct thi_box_options *options);

/* All that waits, oldest first, urgent mail before the rest [give]. NULL: nothing; then the box is
 * asleep, and wake() will be called once. */
th_msg *thi_box_take(struct thi_box *box);

/* @count messages that took credits are settled. */
void thi_box_settle(struct thi_box *box, uint32_t count);

/* What waits in it becomes dead letters for @reason, who waits for it goes on, and after a grace
 * period release() is called. */
void thi_box_close(struct thi_box *box, th_dead_reason reason);

#endif
