/* runtime/actor/wakeup.c: deadlines that become messages. */
#include "runtime/actor/wakeup.h"

#include "runtime/actor/ask.h"
#include "runtime/actor/deputy.h"
#include "runtime/actor/record.h"
#include "runtime/actor/send.h"
#include "runtime/actor/transient.h"
#include "runtime/actor/stall.h"
#include "runtime/base/trace.h"
#include "mailbox/msg.h"
#include <thespis/assert.h>

/* ---- an actor's table ---- */

static struct thi_wakeup **bucket(struct thi_wakeup_table *table, uint64_t id)
{
    return &table->buckets[id &
                           (table->bucket_count - 1)]; /* ids count up: they spread by themselves */
}

/* Twice the buckets, or the first. Without memory the chains get longer, that is all. */
static void grow(struct thi_memory *memory, struct thi_wakeup_table *table)
{
    enum { FIRST = 4 };
    struct thi_wakeup_table old = *table;
    uint32_t count = old.bucket_count ? 2 * old.bucket_count : FIRST;
    struct thi_wakeup **buckets = thi_memory_take(memory, count * sizeof(struct thi_wakeup *));
    struct thi_wakeup *wakeup;

    if (!buckets)
        return;
    table->buckets = buckets;
    table->bucket_count = count;
    for (uint32_t i = 0; i < old.bucket_count; i++)
        while ((wakeup = old.buckets[i])) {
            old.buckets[i] = wakeup->next;
            wakeup->next = *bucket(table, wakeup->id);
            *bucket(table, wakeup->id) = wakeup;
        }
    thi_memory_give(memory, old.buckets, old.bucket_count * sizeof(struct thi_wakeup *));
}

static bool insert(struct thi_memory *memory, struct thi_wakeup_table *table,
                   struct thi_wakeup *wakeup)
{
    if (table->count >= table->bucket_count)
        grow(memory, table);
    if (!table->buckets)
        return false;
    wakeup->next = *bucket(table, wakeup->id);
    *bucket(table, wakeup->id) = wakeup;
    table->count++;
    return true;
}

/* The link that leads to it; NULL: it is not there. */
static struct thi_wakeup **find(struct thi_wakeup_table *table, uint64_t id)
{
    struct thi_wakeup **link;

    if (!table || !table->buckets)
        return NULL;
    for (link = bucket(table, id); *link; link = &(*link)->next)
        if ((*link)->id == id)
            return link;
    return NULL;
}

static struct thi_wakeup *take(struct thi_wakeup_table *table, uint64_t id)
{
    struct thi_wakeup **link = find(table, id);
    struct thi_wakeup *wakeup = link ? *link : NULL;

    if (wakeup) {
        *link = wakeup->next;
        table->count--;
    }
    return wakeup;
}

/* Around the use of a table by whoever speaks. */
static void enter(th_self *self)
{
    struct thi_office *office = thi_office_of_self(self);

    thi_voice_enter(&self->voice);
    if (office)
        pthread_mutex_lock(&office->lock);
}

static void leave(th_self *self)
{
    struct thi_office *office = thi_office_of_self(self);

    if (office)
        pthread_mutex_unlock(&office->lock);
    thi_voice_leave(&self->voice);
}

/* The table of whoever speaks; made if @make. NULL: none, or no memory. */
static struct thi_wakeup_table *table_of(th_self *self, bool make)
{
    struct thi_office *office = thi_office_of_self(self);
    struct thi_cell *cell =
        self->worker ? thi_cell_of_self(self) : thi_endpoint_of_self(self)->cell;

    if (office)
        return &office->wakeups;
    if (make && !thi_cell_extra(thi_stage_of(self), cell))
        return NULL;
    return cell->extra ? &cell->extra->wakeups : NULL;
}

/* ---- firing ---- */

/* What a periodic one sends this time; NULL: no memory. */
static th_msg *make_copy(struct thi_heap *heap, const struct thi_wakeup *wakeup)
{
    const struct th_wakeup *body = th_wakeup_of(wakeup->msg);
    th_msg *msg = thi_msg_create(heap, &th_wakeup_type, 0);
    th_msg *payload = NULL;
    struct th_wakeup *copy;

    if (msg && body->payload && !(payload = thi_msg_dup(heap, body->payload))) {
        thi_msg_destroy(heap, msg);
        return NULL;
    }
    if (!msg)
        return NULL;
    copy = th_msg_body(msg);
    *copy = *body;
    copy->payload = payload;
    copy->count = wakeup->count;
    return msg;
}

static void fire_periodic(struct thi_stage *stage, struct thi_wakeup *wakeup)
{
    th_self *self = &stage->ticker.self;
    uint64_t next = thi_clock_after(wakeup->timer.deadline, wakeup->period_ns);
    th_addr owner = wakeup->owner;
    uint64_t id = wakeup->id;
    th_msg *msg = wakeup->msg, *copy;

    /* ours until again() below (T2), so the copy is made before, and posted after */
    wakeup->count++;
    copy = make_copy(self->voice.heap, wakeup);
    if (!thi_timers_again(&stage->timers, &wakeup->timer, next)) {
        thi_msg_destroy(self->voice.heap, msg);
        thi_msg_destroy(self->voice.heap, copy);
        return;
    }
    if (!copy)
        return; /* no memory: this firing is lost, the number of the next one shows it */
    thi_point_wakeup_fire(thi_point_addr(owner), id);
    if (TH_UNLIKELY(thi_record_is_on(self)))
        thi_record(self, THI_TRACE_WAKEUP_FIRE, NULL, owner, owner, id);
    thi_count(self, THI_STAT_WAKEUPS_FIRED);
    thi_post_to(self, owner, owner, copy);
}

static void fire_once(struct thi_stage *stage, struct thi_wakeup *wakeup)
{
    th_self *self = &stage->ticker.self;
    th_msg *msg = wakeup->msg;
    th_addr owner = wakeup->owner;
    uint64_t id = wakeup->id;

    if (!thi_timers_done(&stage->timers, &wakeup->timer)) {
        thi_msg_destroy(self->voice.heap, msg);
        return;
    }
    thi_point_wakeup_fire(thi_point_addr(owner), id);
    if (TH_UNLIKELY(thi_record_is_on(self)))
        thi_record(self, THI_TRACE_WAKEUP_FIRE, NULL, owner, owner, id);
    thi_count(self, THI_STAT_WAKEUPS_FIRED);
    thi_post_to(self, owner, owner, msg); /* K2 */
}

void thi_timer_fire(void *context, struct thi_timer *timer)
{
    struct thi_stage *stage = context;
    struct thi_wakeup *wakeup = (struct thi_wakeup *)(void *)timer;

    if (timer->kind == THI_TIMER_ALIAS)
        thi_alias_fire(stage, &stage->ticker.self, timer);
    else if (timer->kind == THI_TIMER_STALL)
        thi_stall_fire(stage);
    else if (timer->kind == THI_TIMER_TRANSIENT)
        thi_transient_fire(stage, timer);
    else if (wakeup->period_ns)
        fire_periodic(stage, wakeup);
    else
        fire_once(stage, wakeup);
}

/* ---- the actor's side ---- */

/* Whether it is in there, where it stays if there is more to come of it. */
static bool arrived_in(struct thi_wakeup_table *table, uint64_t id)
{
    struct thi_wakeup **link = find(table, id);

    if (link && !(*link)->period_ns)
        (void)take(table, id);
    return link != NULL;
}

static bool arrived_for_deputy(struct thi_cell *cell, uint64_t id)
{
    struct thi_office *office = cell->extra ? cell->extra->office : NULL;
    bool is_in;

    if (!office)
        return false;
    pthread_mutex_lock(&office->lock);
    is_in = arrived_in(&office->wakeups, id);
    pthread_mutex_unlock(&office->lock);
    return is_in;
}

bool thi_wakeup_arrived(th_self *self, struct thi_cell *cell, const th_msg *msg)
{
    uint64_t id = th_wakeup_of(msg)->id;
    bool is_in;

    if (!th_addr_equal(msg->thi_from, th_self_addr(self)))
        return true;
    thi_voice_enter(&self->voice);
    is_in = arrived_in(cell->extra ? &cell->extra->wakeups : NULL, id);
    thi_voice_leave(&self->voice);
    return is_in || arrived_for_deputy(cell, id);
}

/* @wakeup is out of its table, or the table goes. The answer is for the caller to destroy, or NULL;
 * @wakeup is not ours to touch any more. */
static th_msg *call_off(th_self *self, struct thi_wakeup *wakeup)
{
    th_msg *msg = wakeup->msg;
    enum thi_cancel cancel = thi_timers_cancel(&thi_stage_of(self)->timers, &wakeup->timer);

    if (cancel == THI_CANCEL_GONE)
        return NULL; /* K2: counted as fired, and dropped when it arrives (K3) */
    thi_count(self, THI_STAT_WAKEUPS_CANCELLED);
    return cancel == THI_CANCEL_TAKEN ? msg : NULL; /* REVOKED: its fire destroys it */
}

static void clear(th_self *self, struct thi_wakeup_table *table)
{
    struct thi_stage *stage = thi_stage_of(self);
    struct thi_wakeup *wakeup, *next;

    if (!table->buckets)
        return;
    for (uint32_t i = 0; i < table->bucket_count; i++)
        for (wakeup = table->buckets[i]; wakeup; wakeup = next) {
            next = wakeup->next; /* first: after the cancel it may be freed at any moment */
            th_msg_destroy(self, call_off(self, wakeup));
        }
    thi_memory_give(&stage->memory, table->buckets,
                    table->bucket_count * sizeof(struct thi_wakeup *));
    *table = (struct thi_wakeup_table){ 0 };
}

void thi_wakeups_clear(th_self *self, struct thi_cell *cell)
{
    struct thi_office *office = cell->extra ? cell->extra->office : NULL;

    if (cell->extra)
        clear(self, &cell->extra->wakeups);
    if (!office)
        return;
    pthread_mutex_lock(&office->lock);
    clear(self, &office->wakeups);
    pthread_mutex_unlock(&office->lock);
}

uint32_t thi_wakeups_count(struct thi_cell *cell)
{
    struct thi_office *office = cell->extra ? cell->extra->office : NULL;
    uint32_t count = cell->extra ? cell->extra->wakeups.count : 0;

    if (!office)
        return count;
    pthread_mutex_lock(&office->lock);
    count += office->wakeups.count;
    pthread_mutex_unlock(&office->lock);
    return count;
}

static th_err set(th_self *self, uint64_t delay_ns, uint64_t period_ns, th_msg *payload,
                  uint64_t *id_out)
{
    struct thi_stage *stage = thi_stage_of(self);
    uint64_t now = thi_clock_now(&stage->clock);
    uint64_t deadline = thi_clock_after(now, delay_ns);
    struct thi_wakeup *wakeup;
    struct thi_wakeup_table *table;
    struct th_wakeup *body;
    bool wakes = false, is_in, is_late;
    uint64_t id;
    th_msg *msg;
    th_err err;

    enter(self);
    is_late = thi_office_of_self(self) && thi_office_life(thi_office_of_self(self)); /* O3 */
    table = is_late ? NULL : table_of(self, true);
    msg = table ? thi_msg_create(self->voice.heap, &th_wakeup_type, sizeof(*wakeup)) : NULL;
    if (!msg) {
        leave(self);
        th_msg_destroy(self, payload);
        return is_late ? TH_E_CLOSED : TH_E_NOMEM;
    }
    msg->thi_size = sizeof(*body); /* what lies behind is nobody's business */
    body = th_msg_body(msg);
    wakeup = (struct thi_wakeup *)(void *)(body + 1);
    wakeup->msg = msg;
    wakeup->owner = thi_self_addr(self);
    wakeup->period_ns = period_ns;
    /* relaxed: a number nobody else has */
    id = wakeup->id = 1 + atomic_fetch_add_explicit(&stage->wakeup_ids, 1, memory_order_relaxed);
    body->id = id;
    body->delay_ns = delay_ns;
    body->count = 1;
    body->payload = payload;
    wakeup->timer.kind = THI_TIMER_WAKEUP;
    is_in = insert(&stage->memory, table, wakeup);
    err = is_in ? thi_timers_add(&stage->timers, &wakeup->timer, deadline, &wakes) : TH_E_NOMEM;
    if (err && is_in)
        (void)take(table, id);
    leave(self);
    if (err) {
        th_msg_destroy(self, msg);
        return err;
    }
    if (id_out)
        *id_out = id;
    thi_point_wakeup_set(self, id, delay_ns);
    if (TH_UNLIKELY(thi_record_is_on(self)))
        thi_record(self, THI_TRACE_WAKEUP_SET, NULL, thi_self_addr(self), th_addr_none(), delay_ns);
    thi_count(self, THI_STAT_WAKEUPS_SET);
    if (wakes)
        thi_stage_timer_added(stage, self->worker != NULL);
    return TH_OK;
}

/* ---- the front door ---- */

static th_err check(th_self *self, const th_msg *payload)
{
    if (payload && (payload->thi_type->flags & TH_TYPE_SYSTEM))
        return TH_E_INVALID;
    if (!self->worker)
        return thi_outsider_check(self);
    if (thi_cell_life(thi_cell_of_self(self)) >= THI_CELL_EXITING)
        return TH_E_CLOSED; /* it would end with the actor anyway */
    return TH_OK;
}

th_err th_wakeup_after(th_self *self, uint64_t delay_ns, th_msg *payload, uint64_t *id_out)
{
    th_err err = self ? check(self, payload) : TH_E_INVALID;

    if (!err)
        return set(self, delay_ns, 0, payload, id_out);
    if (self)
        th_msg_destroy(self, payload);
    return err;
}

th_err th_wakeup_every(th_self *self, uint64_t period_ns, th_msg *payload, uint64_t *id_out)
{
    th_err err = self ? check(self, payload) : TH_E_INVALID;

    if (!err && (period_ns < TH_US(1) || period_ns > INT64_MAX))
        err = TH_E_INVALID;
    if (!err)
        return set(self, period_ns, period_ns, payload, id_out);
    if (self)
        th_msg_destroy(self, payload);
    return err;
}

/* An actor cancels what its deputies asked for, too. */
static struct thi_wakeup *cancel_of_deputy(th_self *self, uint64_t id, th_msg **msg_out)
{
    struct thi_cell_extra *extra = thi_cell_of_self(self)->extra;
    struct thi_office *office = extra ? extra->office : NULL;
    struct thi_wakeup *wakeup;

    if (!office)
        return NULL;
    pthread_mutex_lock(&office->lock);
    wakeup = take(&office->wakeups, id);
    if (wakeup)
        *msg_out = call_off(self, wakeup);
    pthread_mutex_unlock(&office->lock);
    return wakeup;
}

th_err th_wakeup_cancel(th_self *self, uint64_t id)
{
    struct thi_wakeup *wakeup;
    th_msg *msg = NULL;
    th_err err;

    if (!self)
        return TH_E_INVALID;
    err = self->worker ? TH_OK : thi_outsider_check(self);
    if (err)
        return err;
    /* On a voice that several threads share, whoever hears it may free it once it has passed
     * thi_wakeup_arrived(): so it is touched under the lock only, and found before. */
    enter(self);
    wakeup = take(table_of(self, false), id);
    if (wakeup)
        msg = call_off(self, wakeup);
    leave(self);
    if (!wakeup && self->worker)
        wakeup = cancel_of_deputy(self, id, &msg);
    th_msg_destroy(self, msg);
    return wakeup ? TH_OK : TH_E_NO_TIMER;
}
