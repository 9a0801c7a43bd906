/* runtime/actor/watch.c: what actors say of their watches, and what the watches tell them. */
#include "runtime/actor/watch.h"

#include <fcntl.h>

#include "runtime/actor/send.h"
#include "mailbox/msg.h"
#include <thespis/watch.h>

static uint32_t to_bits(uint32_t events, th_watch_mode mode)
{
    return (events & TH_FD_READABLE ? (uint32_t)THI_POLL_READ : 0) |
           (events & TH_FD_WRITABLE ? (uint32_t)THI_POLL_WRITE : 0) |
           (mode == TH_WATCH_EDGE ? (uint32_t)THI_POLL_EDGE : 0);
}

/* What came and is of interest; the rest is as if it had not. */
static uint32_t of_interest(const struct thi_watch *watch)
{
    return watch->came & (watch->bits | THI_POLL_HANGUP | THI_POLL_ERROR);
}

/* ---- under the lock ---- */

/* Its message is done with. True: there is another one to be made. */
static bool settle(struct thi_watches *watches, struct thi_watch *watch,
                   struct thi_notice *notice_out)
{
    bool is_armed;

    watch->state = THI_WATCH_QUIET;
    if (watch->is_closed)
        return thi_watches_claim(watches, watch, notice_out);
    if (watch->kind == THI_WATCH_SIGNAL)
        return thi_signals_count(watch->number) != watch->came &&
               thi_watches_claim(watches, watch, notice_out);
    if (watch->mode == TH_WATCH_EDGE)
        return of_interest(watch) && thi_watches_claim(watches, watch, notice_out);
    if (!watch->bits || (watch->mode == TH_WATCH_ONCE && !watch->is_again))
        return false;
    watch->is_again = false;
    watch->came = 0;
    is_armed = thi_poller_arm(&watches->poller, watch->number, watch->bits,
                              thi_watch_id(&watches->table, watch));
    watch->is_closed = !is_armed;
    return !is_armed && thi_watches_claim(watches, watch, notice_out);
}

/* The caller's watch of that id; NULL: it has none. */
static struct thi_watch *find_own(th_self *self, uint64_t id)
{
    struct thi_watch *watch = thi_watch_find(&thi_stage_of(self)->watches.table, id);

    return watch && th_addr_equal(watch->owner, thi_self_addr(self)) ? watch : NULL;
}

static void end(struct thi_watches *watches, struct thi_cell *cell, struct thi_watch *watch)
{
    if (watch->kind == THI_WATCH_SIGNAL)
        thi_signals_unwant(watch->number);
    else if (thi_watch_of_fd(&watches->table, watch->number) == watch)
        thi_poller_remove(&watches->poller, watch->number);
    thi_watches_set_short(watches, watch, false);
    thi_watch_give(&watches->table, &cell->extra->watches, watch);
}

/* ---- the actor's side ---- */

static void tell_fd(struct th_fd_ready *body, struct thi_watch *watch)
{
    uint32_t came = of_interest(watch);

    if (came & (THI_POLL_HANGUP | THI_POLL_ERROR))
        came |= watch->bits;
    body->fd = watch->number;
    body->closed = watch->is_closed;
    body->readable = !watch->is_closed && came & THI_POLL_READ;
    body->writable = !watch->is_closed && came & THI_POLL_WRITE;
    body->hangup = !watch->is_closed && came & THI_POLL_HANGUP;
    body->error = !watch->is_closed && came & THI_POLL_ERROR;
    watch->came = 0;
}

static void tell_signal(struct th_os_signal *body, struct thi_watch *watch)
{
    uint32_t now = thi_signals_count(watch->number);

    body->number = watch->number;
    body->count = now - watch->came;
    watch->came = now;
}

/* Fills in what @msg says (H2). False: nothing, after all. */
static bool tell(struct thi_watches *watches, struct thi_cell *cell, struct thi_watch *watch,
                 th_msg *msg)
{
    if (watch->kind == THI_WATCH_SIGNAL) {
        tell_signal(th_msg_body(msg), watch);
        return true;
    }
    watch->is_closed = watch->is_closed || !thi_poller_has(&watches->poller, watch->number);
    if (!watch->is_closed && !of_interest(watch))
        return false; /* it was rearmed for something else while the message was on its way */
    tell_fd(th_msg_body(msg), watch);
    if (watch->is_closed)
        end(watches, cell, watch);
    return true;
}

static bool is_told(const th_msg *msg)
{
    return th_fd_ready_of(msg) ? th_fd_ready_of(msg)->fd >= 0 : th_os_signal_of(msg)->number != 0;
}

static uint64_t id_of(const th_msg *msg)
{
    return th_fd_ready_of(msg) ? th_fd_ready_of(msg)->id : th_os_signal_of(msg)->id;
}

enum thi_arrival thi_watches_arrived(th_self *self, struct thi_cell *cell, th_msg *msg)
{
    struct thi_stage *stage = self->worker->stage;
    struct thi_watches *watches = &stage->watches;
    enum thi_arrival arrival = THI_ARRIVAL_NONE;
    struct thi_notice notice;
    bool is_more = false;
    struct thi_watch *watch;

    if (!th_addr_equal(msg->thi_from, thi_self_addr(self)))
        return THI_ARRIVAL_OTHERS;
    pthread_mutex_lock(&watches->lock);
    watch = find_own(self, id_of(msg));
    if (watch && is_told(msg)) {
        arrival = THI_ARRIVAL_OTHERS; /* the actor sent it to itself, to see it later */
    } else if (watch && watch->state == THI_WATCH_POSTED) {
        watch->state = THI_WATCH_HANDLING;
        if (tell(watches, cell, watch, msg))
            arrival = THI_ARRIVAL_OURS;
        else
            is_more = settle(watches, watch, &notice);
    }
    pthread_mutex_unlock(&watches->lock);
    if (is_more)
        thi_watches_announce(stage, self, &notice);
    return arrival;
}

void thi_watches_handled(th_self *self, struct thi_cell *cell, uint64_t id)
{
    struct thi_stage *stage = self->worker->stage;
    struct thi_watches *watches = &stage->watches;
    struct thi_notice notice;
    struct thi_watch *watch;
    bool is_more;

    (void)cell;
    pthread_mutex_lock(&watches->lock);
    watch = find_own(self, id);
    is_more = watch && watch->state == THI_WATCH_HANDLING && settle(watches, watch, &notice);
    pthread_mutex_unlock(&watches->lock);
    if (is_more)
        thi_watches_announce(stage, self, &notice);
}

void thi_watches_clear(th_self *self, struct thi_cell *cell)
{
    struct thi_watches *watches = &thi_stage_of(self)->watches;

    if (!cell->extra || !cell->extra->watches)
        return;
    pthread_mutex_lock(&watches->lock);
    while (cell->extra->watches)
        end(watches, cell, thi_watch_at(&watches->table, cell->extra->watches));
    pthread_mutex_unlock(&watches->lock);
}

/* ---- the front door ---- */

th_err thi_watches_check(th_self *self)
{
    if (!self)
        return TH_E_INVALID;
    if (!self->worker)
        return TH_E_NOT_HERE;
    if (self->worker->is_blocking)
        return TH_E_STATE;
    return thi_cell_life(thi_cell_of_self(self)) >= THI_CELL_EXITING ? TH_E_CLOSED : TH_OK;
}

/* The poller's own cannot be watched by itself, and what epoll calls them would mislead. */
static bool is_open_fd(const struct thi_poller *poller, int fd)
{
    return fd >= 0 && fcntl(fd, F_GETFD) >= 0 &&
           !(poller->is_open && (fd == poller->epoll || fd == poller->bell || fd == poller->timer));
}

/* Has the kernel watch what @watch is of. *@old_out: whoever watched that number until it became
 * another file. */
static th_err enroll(struct thi_watches *watches, struct thi_watch *watch,
                     struct thi_watch **old_out)
{
    struct thi_watch *old = thi_watch_of_fd(&watches->table, watch->number);
    uint64_t id = thi_watch_id(&watches->table, watch);
    th_err err = thi_poller_add(&watches->poller, watch->number, watch->bits, id);

    *old_out = NULL;
    if (err == TH_E_EXISTS && !old) /* left over by a number that was closed and came back (E2) */
        err =
            thi_poller_arm(&watches->poller, watch->number, watch->bits, id) ? TH_OK : TH_E_BAD_FD;
    if (err)
        return err;
    *old_out = old;
    thi_watch_own_fd(&watches->table, watch);
    return TH_OK;
}

struct thi_watch *thi_watches_take(th_self *self, enum thi_watch_kind kind, int number, th_err *why)
{
    struct thi_stage *stage = self->worker->stage;
    struct thi_cell *cell = thi_cell_of_self(self);
    struct thi_watch *watch;

    *why = thi_watches_open(stage);
    if (*why)
        return NULL;
    *why = TH_E_NOMEM;
    if (!thi_cell_extra(stage, cell))
        return NULL;
    watch = thi_watch_take(&stage->watches.table, &cell->extra->watches, kind, number, why);
    if (watch)
        watch->owner = thi_self_addr(self);
    return watch;
}

static th_err watch_fd(th_self *self, int fd, uint32_t bits, th_watch_mode mode, uint64_t *id_out)
{
    struct thi_stage *stage = self->worker->stage;
    struct thi_watches *watches = &stage->watches;
    struct thi_cell *cell = thi_cell_of_self(self);
    struct thi_watch *watch, *old = NULL;
    struct thi_notice notice;
    bool is_news = false;
    th_err err = TH_E_BAD_FD;

    pthread_mutex_lock(&watches->lock);
    watch =
        is_open_fd(&watches->poller, fd) ? thi_watches_take(self, THI_WATCH_FD, fd, &err) : NULL;
    if (watch) {
        watch->bits = bits;
        watch->mode = (uint8_t)mode;
        err = enroll(watches, watch, &old);
        *id_out = thi_watch_id(&watches->table, watch);
        if (err)
            thi_watch_give(&watches->table, &cell->extra->watches, watch);
    }
    if (old) {
        old->is_closed = true;
        is_news = thi_watches_claim(watches, old, &notice);
    }
    pthread_mutex_unlock(&watches->lock);
    if (is_news)
        thi_watches_announce(stage, self, &notice);
    return err;
}

th_err th_watch_fd(th_self *self, int fd, uint32_t events, th_watch_mode mode, uint64_t *id_out)
{
    uint64_t id = 0;
    th_err err = thi_watches_check(self);

    if (err)
        return err;
    if (events & ~(uint32_t)(TH_FD_READABLE | TH_FD_WRITABLE) || (unsigned)mode > TH_WATCH_ONCE)
        return TH_E_INVALID;
    err = watch_fd(self, fd, to_bits(events, mode), mode, &id);
    if (!err && id_out)
        *id_out = id;
    return err;
}

/* Under the lock. */
static th_err rearm(th_self *self, struct thi_watch *watch, uint32_t events)
{
    struct thi_watches *watches = &thi_stage_of(self)->watches;
    bool is_about = watch->state == THI_WATCH_POSTED || watch->state == THI_WATCH_HANDLING;

    watch->bits = to_bits(events, (th_watch_mode)watch->mode);
    watch->is_again = is_about;
    if (is_about && watch->mode != TH_WATCH_EDGE)
        return TH_OK; /* settle() will see to it */
    if (!watch->is_closed && thi_poller_arm(&watches->poller, watch->number, watch->bits,
                                            thi_watch_id(&watches->table, watch)))
        return TH_OK;
    end(watches, thi_cell_of_self(self), watch);
    return TH_E_BAD_FD;
}

th_err th_watch_rearm(th_self *self, uint64_t id, uint32_t events)
{
    struct thi_watches *watches;
    struct thi_watch *watch;
    th_err err = thi_watches_check(self);

    if (err)
        return err;
    if (events & ~(uint32_t)(TH_FD_READABLE | TH_FD_WRITABLE))
        return TH_E_INVALID;
    watches = &thi_stage_of(self)->watches;
    pthread_mutex_lock(&watches->lock);
    watch = find_own(self, id);
    if (watch && watch->kind == THI_WATCH_FD)
        err = rearm(self, watch, events);
    else
        err = TH_E_NO_WATCH;
    pthread_mutex_unlock(&watches->lock);
    return err;
}

th_err th_unwatch(th_self *self, uint64_t id)
{
    struct thi_watches *watches;
    struct thi_watch *watch;
    th_err err = thi_watches_check(self);

    if (err)
        return err;
    watches = &thi_stage_of(self)->watches;
    pthread_mutex_lock(&watches->lock);
    watch = find_own(self, id);
    if (watch)
        end(watches, thi_cell_of_self(self), watch);
    pthread_mutex_unlock(&watches->lock);
    return watch ? TH_OK : TH_E_NO_WATCH;
}
