#include "runtime/actor/tie.h"

#include "runtime/actor/deputy.h"
#include "runtime/actor/exit.h"
#include "runtime/actor/mail.h"
#include "runtime/actor/reason.h"
#include "runtime/actor/route.h"
#include "runtime/actor/send.h"
#include "runtime/actor/stall.h"
#include "mailbox/msg.h"
#include <thespis/config.h>
#include <thespis/ties.h>

/* ---- the table: by the other's slot ---- */

static th_msg **bucket(struct thi_tie_table *table, th_addr peer)
{
    if (!table->buckets)
        return &table->only;
    return &table->buckets[peer.slot & (table->bucket_count - 1)];
}

static void put(struct thi_tie_table *table, th_msg *tie)
{
    th_msg **place = bucket(table, tie->thi_to);

    tie->thi_next = *place;
    *place = tie;
}

/* Twice the buckets, or the first. Without memory the chains get longer, that is all. */
static void grow(struct thi_memory *memory, struct thi_tie_table *table)
{
    enum { FIRST = 8 };
    struct thi_tie_table old = *table;
    uint32_t count = old.bucket_count ? 2 * old.bucket_count : FIRST;
    th_msg **buckets = thi_memory_take(memory, count * sizeof(*buckets));
    th_msg *tie;

    if (!buckets)
        return;
    table->buckets = buckets;
    table->bucket_count = count;
    while ((tie = old.only)) {
        old.only = tie->thi_next;
        put(table, tie);
    }
    table->only = NULL;
    for (uint32_t i = 0; i < old.bucket_count; i++)
        while ((tie = old.buckets[i])) {
            old.buckets[i] = tie->thi_next;
            put(table, tie);
        }
    thi_memory_give(memory, old.buckets, old.bucket_count * sizeof(*buckets));
}

static void insert(struct thi_memory *memory, struct thi_tie_table *table, th_msg *tie)
{
    if (table->count >= 4 && table->count >= table->bucket_count)
        grow(memory, table);
    put(table, tie);
    table->count++;
}

/* The link that leads to it; NULL: it is not there. */
static th_msg **find(struct thi_tie_table *table, const th_type *type, th_addr peer)
{
    th_msg **link;

    if (!table)
        return NULL;
    for (link = bucket(table, peer); *link; link = &(*link)->thi_next)
        if ((*link)->thi_type == type && th_addr_equal((*link)->thi_to, peer))
            return link;
    return NULL;
}

/* Takes it out [give]; NULL: it is not there. */
static th_msg *take(struct thi_tie_table *table, const th_type *type, th_addr peer)
{
    th_msg **link = find(table, type, peer);
    th_msg *tie = link ? *link : NULL;

    if (tie) {
        *link = tie->thi_next;
        table->count--;
    }
    return tie;
}

static struct thi_tie_table *table_of(struct thi_cell *cell)
{
    return cell->extra ? &cell->extra->ties : NULL;
}

/* Everything that is in it, as a chain; it is as new then. */
static th_msg *take_all(struct thi_memory *memory, struct thi_tie_table *table)
{
    th_msg *chain = table->only, *tie;

    for (uint32_t i = 0; i < table->bucket_count; i++)
        while ((tie = table->buckets[i])) {
            table->buckets[i] = tie->thi_next;
            tie->thi_next = chain;
            chain = tie;
        }
    thi_memory_give(memory, table->buckets, table->bucket_count * sizeof(*table->buckets));
    *table = (struct thi_tie_table){ 0 };
    return chain;
}

/* ---- what becomes of a tie ---- */

static void finished(th_self *self, th_msg *msg)
{
    thi_count(self, THI_STAT_HANDLED);
    th_msg_destroy(self, msg);
}

/* A tie turns into the notice that @actor has ended, for @to. */
static void tell(th_self *self, th_msg *tie, th_addr actor, th_addr to,
                 const struct th_child_exited *why)
{
    struct th_actor_gone *body = th_msg_body(tie);

    body->actor = actor;
    body->linked = tie->thi_type == &thi_link_type;
    body->reason = why ? why->reason : TH_EXIT_GONE;
    body->err = why ? why->err : TH_OK;
    body->details = why ? th_blob_ref(why->details) : NULL;
    tie->thi_type = body->linked ? &thi_link_gone_type : &thi_gone_type;
    thi_count(self, THI_STAT_GONE_TOLD);
    thi_post_to(self, actor, to, tie);
}

static bool is_request(const th_type *type)
{
    return type == &thi_watch_type || type == &thi_link_type;
}

static bool is_rest(const th_type *type)
{
    return type == &thi_unwatch_type || type == &thi_unlink_type || type == &thi_gone_type ||
           type == &thi_link_gone_type;
}

bool thi_tie_refused(th_self *self, th_msg *msg, const struct th_child_exited *why)
{
    if (is_request(msg->thi_type)) { /* W2 */
        thi_count(self, THI_STAT_HANDLED);
        tell(self, msg, msg->thi_to, msg->thi_from, why);
        return true;
    }
    if (is_rest(msg->thi_type)) {
        finished(self, msg);
        return true;
    }
    return false;
}

bool thi_tie_undeliverable(th_self *self, th_msg *msg)
{
    return thi_tie_refused(self, msg, NULL);
}

/* Keeps @msg, a watch or a link that another asked for. */
static void keep(th_self *self, struct thi_cell *cell, th_msg *msg)
{
    struct thi_stage *stage = self->worker->stage;

    if (!thi_cell_extra(stage, cell)) {
        thi_stall_post(stage, msg); /* W3 */
        return;
    }
    thi_count(self, THI_STAT_HANDLED);
    msg->thi_to = msg->thi_from;
    if (find(&cell->extra->ties, msg->thi_type, msg->thi_to))
        th_msg_destroy(self, msg);
    else
        insert(&stage->memory, &cell->extra->ties, msg);
}

/* The other end of a link is gone. */
static enum thi_tie_news link_gone(th_self *self, struct thi_cell *cell, th_msg *msg)
{
    const struct th_actor_gone *gone = th_msg_body(msg);
    th_msg *link = take(table_of(cell), &thi_link_type, gone->actor);

    if (!link || thi_cell_life(cell) != THI_CELL_RUNNING) {
        th_msg_destroy(self, link);
        finished(self, msg);
        return THI_TIE_DONE;
    }
    th_msg_destroy(self, link);
    if (cell->extra->traps) {
        msg->thi_type = &th_actor_gone_type;
        return THI_TIE_GONE;
    }
    if (th_exit_is_failure((th_exit_reason)gone->reason)) {
        thi_reason_linked(self, cell, (th_err)gone->err, gone->details);
        thi_exit_begin(self, cell, TH_EXIT_LINK);
    }
    finished(self, msg);
    return THI_TIE_DONE;
}

enum thi_tie_news thi_tie_arrived(th_self *self, struct thi_cell *cell, th_msg *msg)
{
    const th_type *type = msg->thi_type;

    if (is_request(type)) {
        keep(self, cell, msg);
        return THI_TIE_DONE;
    }
    if (type == &thi_gone_type) {
        if (thi_tie_shown(self, cell, msg))
            return THI_TIE_GONE;
        finished(self, msg);
        return THI_TIE_DONE;
    }
    if (type == &thi_link_gone_type)
        return link_gone(self, cell, msg);
    if (type != &thi_unwatch_type && type != &thi_unlink_type)
        return THI_TIE_NONE;
    th_msg_destroy(self, take(table_of(cell),
                              type == &thi_unwatch_type ? &thi_watch_type : &thi_link_type,
                              msg->thi_from));
    finished(self, msg);
    return THI_TIE_DONE;
}

bool thi_tie_shown(th_self *self, struct thi_cell *cell, th_msg *msg)
{
    const struct th_actor_gone *gone = th_msg_body(msg);
    th_msg *record;

    thi_voice_enter(&self->voice);
    record = take(table_of(cell), &thi_unwatch_type, gone->actor);
    thi_voice_leave(&self->voice);
    msg->thi_type = &th_actor_gone_type;
    th_msg_destroy(self, record);
    return record != NULL; /* W1 */
}

/* ---- the end of one of the two ---- */

void thi_ties_drop(th_self *self, struct thi_cell *cell)
{
    struct thi_stage *stage = thi_stage_of(self);
    struct thi_tie_table *table = table_of(cell);
    th_msg *chain, *tie;

    if (!table || (!table->count && !table->buckets))
        return;
    thi_voice_enter(&self->voice);
    chain = take_all(&stage->memory, table);
    thi_voice_leave(&self->voice);
    while ((tie = chain)) {
        chain = tie->thi_next;
        if (tie->thi_type == &thi_unwatch_type)
            thi_post_to(self, thi_self_addr(self), tie->thi_to, tie);
        else
            insert(&stage->memory, table, tie);
    }
}

th_msg *thi_ties_take(th_self *self, struct thi_cell *cell)
{
    struct thi_stage *stage = self->worker->stage;

    return cell->extra ? take_all(&stage->memory, &cell->extra->ties) : NULL;
}

void thi_ties_tell(th_self *self, th_msg *chain, const struct th_child_exited *why)
{
    th_addr me = thi_self_addr(self);
    th_msg *tie;

    while ((tie = chain)) {
        chain = tie->thi_next;
        tell(self, tie, me, tie->thi_to, why);
    }
}

/* ---- the front door ---- */

/* The other system says what @actor is; here it is enough that there is a way to it. */
static th_err check_foreign(th_self *self, th_addr actor)
{
    struct thi_stage *stage = thi_stage_of(self);
    th_err err;

    thi_reclaim_enter();
    err = thi_route_box(stage, actor) ? TH_OK : TH_E_FOREIGN;
    thi_reclaim_leave();
    return err;
}

/* Whether @actor is somebody to be tied to. */
static th_err check_peer(th_self *self, th_addr actor)
{
    struct thi_stage *stage = thi_stage_of(self);
    struct thi_cell *cell;
    th_err err = TH_OK;

    if (th_addr_is_none(actor) || th_addr_equal(actor, thi_self_addr(self)))
        return TH_E_INVALID;
    if (actor.system != stage->id)
        return check_foreign(self, actor);
    if (th_addr_equal(actor, stage->admin))
        return TH_E_NOT_ALLOWED;
    if (actor.generation & THI_GENERATION_ALIAS)
        return TH_E_NO_ACTOR;
    thi_reclaim_enter();
    cell = thi_directory_find(&stage->directory, actor);
    if (cell && thi_cell_kind(cell) == THI_CELL_ENDPOINT)
        err = TH_E_NO_ACTOR;
    thi_reclaim_leave();
    return err;
}

static th_err check(th_self *self, th_addr actor)
{
    th_err err;

    if (!self)
        return TH_E_INVALID;
    if (!self->worker && (err = thi_endpoint_check(self)))
        return err;
    if (self->worker && self->worker->is_blocking)
        return TH_E_STATE;
    if (self->worker && thi_cell_life(thi_cell_of_self(self)) >= THI_CELL_EXITING)
        return TH_E_CLOSED;
    return check_peer(self, actor);
}

static struct thi_cell *cell_of(th_self *self)
{
    return self->worker ? thi_cell_of_self(self) : thi_endpoint_of_self(self)->cell;
}

static th_msg *make(th_self *self, const th_type *type, th_addr to)
{
    th_msg *msg = thi_msg_create(self->voice.heap, type, 0);

    if (msg)
        msg->thi_to = to;
    return msg;
}

/* Under the voice's lock: keeps a tie of type @kept to @actor, unless there is one, and makes the
 * request [give] for the other side. */
static th_err begin(th_self *self, th_addr actor, const th_type *kept, const th_type *asked,
                    th_msg **request_out)
{
    struct thi_stage *stage = thi_stage_of(self);
    struct thi_cell *cell = cell_of(self);
    th_msg *own = NULL;
    bool is_there;

    if (!thi_cell_extra(stage, cell))
        return TH_E_NOMEM;
    is_there = find(&cell->extra->ties, kept, actor) != NULL;
    if (is_there && kept == &thi_unwatch_type)
        return TH_OK; /* one notice will come */
    if (!is_there && cell->extra->ties.count >= TH_TIES_MAX)
        return TH_E_LIMIT;
    *request_out = make(self, asked, actor);
    if (*request_out && !is_there)
        own = make(self, kept, actor);
    if (!*request_out || (!is_there && !own)) {
        thi_msg_destroy(self->voice.heap, *request_out);
        return TH_E_NOMEM;
    }
    if (own) {
        insert(&stage->memory, &cell->extra->ties, own);
        thi_count(self, kept == &thi_link_type ? THI_STAT_LINKS : THI_STAT_WATCHES);
    }
    return TH_OK;
}

static th_err tie(th_self *self, th_addr actor, const th_type *kept, const th_type *asked)
{
    th_msg *request = NULL;
    th_err err;

    thi_voice_enter(&self->voice);
    err = begin(self, actor, kept, asked, &request);
    thi_voice_leave(&self->voice);
    if (!err && request)
        thi_post_to(self, thi_self_addr(self), actor, request);
    return err;
}

/* Takes the tie to @actor out, and sends it on as what undoes it. */
static th_err untie(th_self *self, th_addr actor, const th_type *kept, const th_type *undone)
{
    th_msg *msg;
    th_err err;

    if (!self->worker && (err = thi_endpoint_check(self)))
        return err;
    if (self->worker && self->worker->is_blocking)
        return TH_E_STATE;
    thi_voice_enter(&self->voice);
    msg = take(table_of(cell_of(self)), kept, actor);
    thi_voice_leave(&self->voice);
    if (!msg)
        return TH_E_STATE;
    msg->thi_type = undone;
    thi_post_to(self, thi_self_addr(self), actor, msg);
    return TH_OK;
}

th_err th_watch_actor(th_self *self, th_addr actor)
{
    th_err err = check(self, actor);

    return err ? err : tie(self, actor, &thi_unwatch_type, &thi_watch_type);
}

th_err th_unwatch_actor(th_self *self, th_addr actor)
{
    return self ? untie(self, actor, &thi_unwatch_type, &thi_unwatch_type) : TH_E_INVALID;
}

th_err th_link(th_self *self, th_addr actor)
{
    th_err err = self && !self->worker ? TH_E_NOT_HERE : check(self, actor);

    return err ? err : tie(self, actor, &thi_link_type, &thi_link_type);
}

th_err th_unlink(th_self *self, th_addr actor)
{
    if (!self)
        return TH_E_INVALID;
    return self->worker ? untie(self, actor, &thi_link_type, &thi_unlink_type) : TH_E_NOT_HERE;
}

th_err th_trap_links(th_self *self, bool on)
{
    struct thi_cell *cell;

    if (!self)
        return TH_E_INVALID;
    if (!self->worker)
        return TH_E_NOT_HERE;
    cell = thi_cell_of_self(self);
    if (!on && !cell->extra)
        return TH_OK;
    if (!thi_cell_extra(self->worker->stage, cell))
        return TH_E_NOMEM;
    cell->extra->traps = on;
    return TH_OK;
}
