/* runtime/system/external.c: endpoints, and what is said and heard through them. */
#include "runtime/system/external.h"

#include <thespis/external.h>

#include <stdio.h>

#include "runtime/system/drive.h"
#include "runtime/actor/ask.h"
#include "runtime/actor/dead_letter.h"
#include "runtime/actor/mail.h"
#include "runtime/actor/send.h"
#include "runtime/actor/spawn.h"
#include "runtime/actor/tie.h"
#include "runtime/actor/wakeup.h"
#include "mailbox/msg.h"

static bool is_simple(const struct thi_external *external)
{
    return external->endpoint.stage->base == TH_BASE_SIMPLE;
}

static th_self *speaker(struct thi_external *external)
{
    return &external->endpoint.self;
}

/* ---- life ---- */

/* In a read section, so that it cannot go meanwhile (thi_external_close()). */
static void wake(struct thi_endpoint *endpoint)
{
    struct thi_external *external = (struct thi_external *)(void *)endpoint;

    thi_bell_ring(&external->bell);
}

void thi_external_unmake(struct thi_external *external)
{
    thi_heap_fini(&external->heap);
    if (external->is_default)
        thi_voice_lock_fini(&external->shared);
    pthread_mutex_destroy(&external->lock);
    thi_memory_give(&external->endpoint.stage->memory, external, sizeof(*external));
}

/* A grace period after the close: no wake() is under way any more. */
static void release(struct thi_endpoint *endpoint)
{
    thi_external_unmake((struct thi_external *)(void *)endpoint);
}

static void enlist(struct thi_external *external)
{
    th_system *system = external->system;

    external->next = system->externals;
    if (external->next)
        external->next->prev = external;
    system->externals = external;
}

static void delist(struct thi_external *external)
{
    th_system *system = external->system;

    pthread_mutex_lock(&system->lock);
    if (external->next)
        external->next->prev = external->prev;
    if (external->prev)
        external->prev->next = external->next;
    else
        system->externals = external->next;
    pthread_mutex_unlock(&system->lock);
}

struct thi_external *thi_external_make(th_system *system, bool is_default)
{
    struct thi_stage *stage = &system->stage;
    struct thi_external *external = thi_memory_take(&stage->memory, sizeof(*external));
    struct thi_endpoint *endpoint;

    if (!external)
        return NULL;
    if (is_default && thi_voice_lock_init(&external->shared)) {
        thi_memory_give(&stage->memory, external, sizeof(*external));
        return NULL;
    }
    endpoint = &external->endpoint;
    endpoint->stage = stage;
    endpoint->wake = wake;
    endpoint->release = release;
    endpoint->keeps_gate = true; /* it is in the system's list */
    endpoint->self.voice.heap = &external->heap;
    endpoint->self.voice.lock = is_default ? &external->shared : NULL;
    external->system = system;
    external->is_default = is_default;
    thi_thread_name(external->opened_by);
    thi_heap_init(&external->heap, &stage->memory, &stage->depot);
    thi_bell_init(&external->bell);
    pthread_mutex_init(&external->lock, NULL);
    return external;
}

th_err thi_external_move_in(struct thi_external *external)
{
    struct thi_endpoint *endpoint = &external->endpoint;
    struct thi_cell *cell;
    th_err err;

    cell = thi_cell_take(&endpoint->self, THI_CELL_ENDPOINT, &err);
    if (!cell)
        return err;
    cell->state = endpoint;
    endpoint->cell = cell;
    /* relaxed: nobody else knows the cell yet */
    endpoint->addr = (th_addr){ endpoint->stage->id, cell->slot,
                                atomic_load_explicit(&cell->generation, memory_order_relaxed) };
    thi_inbox_init(&cell->inbox, THI_INBOX_EMPTY);
    enlist(external);
    return TH_OK;
}

/* A wakeup that was cancelled on its way, or a notice that was; one that was not is a th_actor_gone
 * from here on. */
static bool is_void(struct thi_external *external, const th_msg *msg)
{
    if (th_msg_type(msg) == &thi_gone_type)
        return !thi_tie_shown(speaker(external), external->endpoint.cell, (th_msg *)(uintptr_t)msg);
    return th_msg_type(msg) == &th_wakeup_type &&
           !thi_wakeup_arrived(speaker(external), external->endpoint.cell, msg);
}

static void bury(struct thi_external *external, th_msg *msg)
{
    th_dead_reason reason = thi_system_state(external->system) == THI_SYSTEM_RUNNING
                                ? TH_DEAD_WAITING
                                : TH_DEAD_SHUTDOWN;

    while (msg) {
        th_msg *next = msg->thi_next;

        /* asked first: a wakeup may not be freed while it is in the table */
        if (is_void(external, msg)) {
            thi_count(speaker(external), THI_STAT_HANDLED);
            th_msg_destroy(speaker(external), msg);
        } else {
            thi_undeliverable(speaker(external), msg, reason);
        }
        msg = next;
    }
}

void thi_external_empty(struct thi_external *external)
{
    th_msg *mail;

    pthread_mutex_lock(&external->lock);
    thi_waiting_pump(external);
    mail = external->mail_head;
    external->mail_head = external->mail_tail = NULL;
    bury(external, mail);
    pthread_mutex_unlock(&external->lock);
}

void thi_external_close(struct thi_external *external)
{
    th_self *self = speaker(external);
    struct thi_cell *cell = external->endpoint.cell;
    struct thi_stage *stage = external->endpoint.stage;
    th_msg *mail, *urgent, *tail;
    th_err err = TH_OK;

    thi_wakeups_clear(self, cell);
    thi_ties_drop(self, cell);
    /* relaxed: a hint; ours would be in it */
    if (atomic_load_explicit(&stage->letter_handlers, memory_order_relaxed))
        err = th_dead_letters_to_me(self, false);
    (void)err; /* without memory the admin finds out by itself */
    mail = thi_inbox_reverse(thi_inbox_close_owner(&cell->inbox), &urgent, &tail);
    bury(external, external->mail_head);
    external->mail_head = external->mail_tail = NULL;
    bury(external, urgent);
    bury(external, mail);
    thi_memory_give(&stage->memory, cell->extra, sizeof(*cell->extra));
    cell->extra = NULL;
    delist(external);
    thi_cell_retire(self, cell); /* from here on it may be released at any moment */
}

void thi_external_hang_up(struct thi_external *external)
{
    pthread_mutex_lock(&external->lock);
    thi_waiting_end(external);
    pthread_mutex_unlock(&external->lock);
}

th_err th_endpoint_open(th_system *system, th_self **self_out)
{
    struct thi_external *external;
    th_err err = thi_system_check(system);

    if (!err && !self_out)
        err = TH_E_INVALID;
    if (err)
        return err;
    pthread_mutex_lock(&system->lock);
    err = thi_system_check(system); /* nothing is opened behind a shutdown's back */
    external = err ? NULL : thi_external_make(system, false);
    if (!err)
        err = external ? thi_external_move_in(external) : TH_E_NOMEM;
    pthread_mutex_unlock(&system->lock);
    if (err) {
        if (external)
            thi_external_unmake(external);
        return err;
    }
    /* relaxed: a count */
    atomic_fetch_add_explicit(&system->stage.open_endpoints, 1, memory_order_relaxed);
    *self_out = speaker(external);
    return TH_OK;
}

th_err th_endpoint_close(th_self *self)
{
    struct thi_external *external;
    th_system *system;

    if (!self)
        return TH_E_INVALID;
    if (self->worker || thi_endpoint_of_self(self)->office)
        return TH_E_NOT_HERE;
    external = (struct thi_external *)(void *)thi_endpoint_of_self(self);
    if (external->is_default)
        return TH_E_NOT_HERE;
    system = external->system;
    if (thi_system_state(system) == THI_SYSTEM_FORKED)
        return TH_E_FORKED;
    if (is_simple(external))
        pthread_mutex_lock(&system->stage.step.lock);
    thi_external_close(external);
    if (system->stage.base == TH_BASE_SIMPLE)
        pthread_mutex_unlock(&system->stage.step.lock);
    /* release: th_system_destroy() frees what we used; pairs with its acquire */
    atomic_fetch_sub_explicit(&system->stage.open_endpoints, 1, memory_order_release);
    return TH_OK;
}
/* ---- the front door's way in ---- */

static th_err find(th_self *self, struct thi_external **external_out)
{
    struct thi_external *external;

    if (!self)
        return TH_E_INVALID;
    if (self->worker || thi_endpoint_of_self(self)->office)
        return TH_E_NOT_HERE;
    external = (struct thi_external *)(void *)thi_endpoint_of_self(self);
    *external_out = external;
    return thi_system_check(external->system);
}

/* Before waiting: the locks, in their order. */
static th_err enter(struct thi_external *external)
{
    th_err err = is_simple(external) ? thi_drive_enter(external->system) : TH_OK;

    if (!err)
        pthread_mutex_lock(&external->lock);
    return err;
}

static void exit_from(struct thi_external *external)
{
    pthread_mutex_unlock(&external->lock);
    if (is_simple(external))
        thi_drive_leave(external->system);
}

th_err th_tell(th_self *self, th_addr to, th_msg *msg)
{
    struct thi_external *external;
    th_err err = find(self, &external);

    if (!err)
        return th_send(self, to, msg);
    th_msg_destroy(self, msg);
    return err;
}

/* The alias decides who is first; what it let through before we closed it is in the inbox. */
static th_err ask_over(struct thi_external *external, struct thi_waiter *waiter,
                       struct thi_alias *alias, th_err err)
{
    thi_alias_close(speaker(external), alias);
    thi_waiting_pump(external);
    thi_waiting_leave(external, waiter);
    return waiter->got ? TH_OK : err;
}

/* Counts what @waiter got; the runtime's news become the error they stand for. */
static th_err judge(struct thi_external *external, struct thi_waiter *waiter, th_msg **answer_out)
{
    th_self *self = speaker(external);
    const struct thi_ask_over *over = thi_ask_over_of(waiter->got);
    th_err err = over ? (th_err)over->err : TH_OK;

    thi_count(self, THI_STAT_HANDLED);
    if (over)
        th_msg_destroy(self, waiter->got);
    else
        *answer_out = waiter->got;
    return err;
}

th_err thi_external_ask(struct thi_external *external, th_addr to, th_msg *msg, uint64_t timeout_ns,
                        th_msg **answer_out)
{
    th_self *self = speaker(external);
    struct thi_waiter waiter = { 0 };
    struct thi_alias *alias;
    th_err err = enter(external);

    if (err) {
        th_msg_destroy(self, msg);
        return err;
    }
    /* the time limit is ours: a bell that waits needs no timer */
    alias = thi_alias_open(self, TH_FOREVER, &err);
    if (!alias) {
        exit_from(external);
        th_msg_destroy(self, msg);
        return err;
    }
    waiter.want = alias->addr;
    thi_waiting_join(external, &waiter);
    thi_post_to(self, alias->addr, to, msg);
    err = thi_waiting_await(external, &waiter, timeout_ns);
    err = ask_over(external, &waiter, alias, err);
    exit_from(external);
    return err ? err : judge(external, &waiter, answer_out);
}

th_err th_ask(th_self *self, th_addr to, th_msg *msg, uint64_t timeout_ns, th_msg **answer_out)
{
    struct thi_external *external;
    th_err err = find(self, &external);

    if (answer_out)
        *answer_out = NULL;
    else if (!err)
        err = TH_E_INVALID;
    if (!err)
        err = thi_send_check(self, to, msg);
    if (!err)
        return thi_external_ask(external, to, msg, timeout_ns, answer_out);
    th_msg_destroy(self, msg);
    return err;
}

/* One message of the endpoint's own, whatever it is. */
static th_err hear(struct thi_external *external, uint64_t timeout_ns, th_msg **msg_out)
{
    struct thi_waiter waiter = { 0 };
    th_err err = enter(external);

    if (err)
        return err;
    thi_waiting_pump(external);
    waiter.want = external->endpoint.addr;
    waiter.got = thi_waiting_take(external);
    if (!waiter.got) {
        thi_waiting_join(external, &waiter);
        err = thi_waiting_await(external, &waiter, timeout_ns);
        thi_waiting_leave(external, &waiter);
    }
    exit_from(external);
    if (!err)
        thi_count(&external->endpoint.self, THI_STAT_HANDLED);
    *msg_out = waiter.got;
    return err;
}

th_err th_listen(th_self *self, uint64_t timeout_ns, th_msg **msg_out)
{
    struct thi_external *external;
    struct thi_clock *clock;
    uint64_t deadline, now;
    th_msg *msg;
    th_err err = find(self, &external);

    if (msg_out)
        *msg_out = NULL;
    else if (!err)
        err = TH_E_INVALID;
    if (err)
        return err;
    clock = &external->endpoint.stage->clock;
    deadline = thi_clock_after(thi_clock_steady(clock), timeout_ns);
    while (!(err = hear(external, timeout_ns, &msg)) && is_void(external, msg)) {
        th_msg_destroy(self, msg);
        now = thi_clock_steady(clock);
        if (deadline != UINT64_MAX)
            timeout_ns = deadline > now ? deadline - now : 0;
    }
    if (!err)
        *msg_out = msg;
    return err;
}

static th_err started(th_self *self, th_msg *answer, char *why_out)
{
    const struct thi_started *news = thi_started_of(answer);
    th_err err = news                    ? (th_err)news->err
                 : thi_status_of(answer) ? TH_OK /* wait_for_init() */
                                         : TH_E_INIT;

    if (err && why_out)
        snprintf(why_out, TH_DETAILS_SIZE, "%s",
                 news && news->details ? news->details->data : th_strerror(err));
    th_msg_destroy(self, answer);
    return err ? TH_E_INIT : TH_OK;
}

static void say_missing(th_self *self, const th_spawn_options *options, char *why_out)
{
    const char *missing = NULL;

    if (why_out && th_fits(self, options, &missing) == TH_E_UNFIT)
        snprintf(why_out, TH_DETAILS_SIZE, "%s: %s", th_strerror(TH_E_UNFIT),
                 missing ? missing : "its class says so");
}

/* The actor that has the name is asked how it is: it answers after its init. */
static th_err wait_for_init(struct thi_external *external, th_addr from, th_addr to)
{
    th_self *self = speaker(external);
    th_msg *question;

    thi_voice_enter(&self->voice);
    question = thi_msg_create(self->voice.heap, &thi_ask_status_type, 0);
    thi_voice_leave(&self->voice);
    if (!question)
        return TH_E_NOMEM;
    thi_post_to(self, from, to, question);
    return TH_OK;
}

/* thi_external_ask() with a spawn in place of the question: the new actor's report is the
 * answer. */
th_err th_create(th_self *self, const th_spawn_options *options, uint64_t timeout_ns,
                 th_addr *addr_out, char *why_out)
{
    struct thi_external *external;
    struct thi_waiter waiter = { 0 };
    struct thi_alias *alias;
    enum thi_spawned spawned = THI_SPAWNED_NEW;
    th_msg *answer = NULL;
    th_err err = find(self, &external);

    if (why_out)
        *why_out = '\0';
    if (!err && (!options || !addr_out))
        err = TH_E_INVALID;
    if (!err)
        err = enter(external);
    if (err) {
        if (options)
            th_msg_destroy(self, options->arg);
        return err;
    }
    alias = thi_alias_open(self, TH_FOREVER, &err);
    if (!alias) {
        th_msg_destroy(self, options->arg);
        exit_from(external);
        return err;
    }
    waiter.want = alias->addr;
    thi_waiting_join(external, &waiter);
    err = thi_spawn(self, options, alias->addr, addr_out, &spawned);
    if (!err && spawned == THI_SPAWNED_FOUND_STARTING)
        err = wait_for_init(external, alias->addr, *addr_out);
    if (!err && spawned != THI_SPAWNED_FOUND)
        err = thi_waiting_await(external, &waiter, timeout_ns);
    err = ask_over(external, &waiter, alias, err);
    exit_from(external);
    if (err == TH_E_UNFIT)
        say_missing(self, options, why_out);
    if (err || !waiter.got)
        return err;
    err = judge(external, &waiter, &answer);
    if (!err)
        return started(self, answer, why_out);
    return spawned == THI_SPAWNED_FOUND_STARTING && err == TH_E_NO_ACTOR ? TH_E_INIT : err;
}
