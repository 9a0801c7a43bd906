/* runtime/actor/deputy.h: threads that speak in an actor's name.
 *
 * A deputy is an endpoint without a cell: it has the actor's address, a heap and a lock of its own,
 * and nothing ever arrives at it. All deputies of an actor share its office, which the first one
 * opens and which outlives the actor, until the last of them is closed.
 *
 * O1. The office has one reference from the actor's extra and one from each deputy; who gives the
 *     last one back frees it.
 * O2. `life` goes forward only: THI_OFFICE_LEAVING when the actor's exit begins,
 *     THI_OFFICE_OVER when it ends.
 * O3. Wakeups that deputies asked for are in the office's table, under its lock (K1 to K3 of
 *     wakeup.h hold for it as for an actor's). None enters it after OPEN; the exit empties it. */
#ifndef THI_ACTOR_DEPUTY_H
#define THI_ACTOR_DEPUTY_H

#include "runtime/actor/stage.h"

#include <thespis/deputy.h>

enum thi_office_life { THI_OFFICE_OPEN, THI_OFFICE_LEAVING, THI_OFFICE_OVER };

struct thi_office {
    const th_class *klass; /* the actor's, for its records */
    _Atomic uint32_t refs; /* O1 */
    _Atomic uint32_t open; /* deputies */
    _Atomic uint8_t life;  /* enum thi_office_life; the actor writes, under the lock */
    pthread_mutex_t lock;
    struct thi_wakeup_table wakeups; /* under the lock */
};

/* NULL: @self is no deputy. */
static inline struct thi_office *thi_office_of_self(const th_self *self)
{
    return self->worker ? NULL : thi_endpoint_of_self(self)->office;
}

static inline enum thi_office_life thi_office_life(const struct thi_office *office)
{
    /* acquire: who sees the end has seen what came before; pairs with the release in set_life() */
    return (enum thi_office_life)atomic_load_explicit(&office->life, memory_order_acquire);
}

/* What its records say: a deputy's class is its actor's, an endpoint has none. */
static inline const char *thi_speaker_class_name(const th_self *self)
{
    const struct thi_office *office = thi_office_of_self(self);

    if (office)
        return office->klass->name;
    return self->worker ? thi_cell_of_self(self)->klass->name : "";
}

/* What any call of a handle without a worker has to answer first: TH_E_CLOSED, TH_E_FORKED. */
static inline th_err thi_outsider_check(const th_self *self)
{
    const struct thi_office *office = thi_endpoint_of_self(self)->office;
    th_err err = thi_stage_check(thi_endpoint_of_self(self)->stage);

    if (!err && office && thi_office_life(office) == THI_OFFICE_OVER)
        err = TH_E_CLOSED;
    return err;
}

/* The same for what needs an endpoint with a mailbox: TH_E_NOT_HERE for a deputy. */
static inline th_err thi_endpoint_check(const th_self *self)
{
    return thi_endpoint_of_self(self)->office ? TH_E_NOT_HERE
                                              : thi_stage_check(thi_endpoint_of_self(self)->stage);
}

/* The actor's exit begins: no more wakeups. Then, with all its code run, it ends. */
void thi_office_leave(struct thi_cell *cell);
void thi_office_close(struct thi_stage *stage, struct thi_cell *cell);

#endif
