#include "runtime/system/external.h"

#include "runtime/system/drive.h"
#include "runtime/actor/dead_letter.h"
#include "runtime/actor/mail.h"
#include "runtime/actor/send.h"

static bool is_simple(const struct thi_external *external)
{
    return external->endpoint.stage->base == TH_BASE_SIMPLE;
}

static th_self *speaker(struct thi_external *external)
{
    return &external->endpoint.self;
}

/* ---- handing out mail ---- */

static void rouse(struct thi_external *external, struct thi_waiter *waiter)
{
    if (waiter->sleeps)
        thi_bell_ring(waiter->pumps ? &external->bell : &waiter->bell);
}

static struct thi_waiter *who_wants(struct thi_external *external, th_addr addr)
{
    struct thi_waiter *waiter = external->first;

    while (waiter && (waiter->got || !th_addr_equal(waiter->want, addr)))
        waiter = waiter->next;
    return waiter;
}

/* What the system sends, and code outside may see. */
static bool is_shown(const th_msg *msg)
{
    const th_type *type = th_msg_type(msg);

    if (!(type->flags & TH_TYPE_SYSTEM) || type == &th_wakeup_type ||
        type == &th_dead_letter_type || type == &thi_gone_type || type == &th_actor_gone_type)
        return true;
    if (type == &th_writable_type)
        return true;
    if (type == &th_poison_type) {
        const th_msg *inner = th_poison_of(msg)->message;

        return !inner || !(th_msg_type(inner)->flags & TH_TYPE_SYSTEM);
    }
    return false;
}

static void enqueue(struct thi_external *external, th_msg *msg)
{
    msg->thi_next = NULL;
    if (external->mail_tail)
        external->mail_tail->thi_next = msg;
    else
        external->mail_head = msg;
    external->mail_tail = msg;
}

th_msg *thi_waiting_take(struct thi_external *external)
{
    th_msg *msg = external->mail_head;

    if (msg) {
        external->mail_head = msg->thi_next;
        if (!external->mail_head)
            external->mail_tail = NULL;
        msg->thi_next = NULL;
    }
    return msg;
}

/* Answers that the runtime itself gives a thread which waits for one. */
static bool is_news(const th_msg *msg)
{
    return th_msg_type(msg) == &thi_ask_over_type || th_msg_type(msg) == &thi_started_type ||
           th_msg_type(msg) == &thi_status_type || th_msg_type(msg) == &thi_service_type ||
           th_msg_type(msg) == &thi_log_ready_type;
}

static void hand_out(struct thi_external *external, th_msg *msg)
{
    th_self *self = speaker(external);
    bool is_own = th_addr_equal(th_msg_target(msg), external->endpoint.addr);
    struct thi_waiter *waiter = who_wants(external, th_msg_target(msg));

    if (!is_shown(msg) && (is_own || !is_news(msg))) {
        thi_undeliverable(self, msg, TH_DEAD_FILTERED);
    } else if (waiter) {
        waiter->got = msg;
        rouse(external, waiter);
    } else if (is_own) {
        enqueue(external, msg);
    } else { /* for somebody who has given up */
        thi_undeliverable(self, msg, TH_DEAD_LATE);
    }
}

static void hand_out_chain(struct thi_external *external, th_msg *msg)
{
    while (msg) {
        th_msg *next = msg->thi_next;

        hand_out(external, msg);
        msg = next;
    }
}

void thi_waiting_pump(struct thi_external *external)
{
    struct thi_inbox *inbox = &external->endpoint.cell->inbox;
    th_msg *plain, *urgent, *tail;

    /* also says that it is awake: with mail it is, and only we take */
    if (!thi_inbox_has_mail(inbox))
        return;
    plain = thi_inbox_reverse(thi_inbox_take_owner(inbox), &urgent, &tail);
    hand_out_chain(external, urgent);
    hand_out_chain(external, plain);
}

/* ---- waiting ---- */

void thi_waiting_join(struct thi_external *external, struct thi_waiter *waiter)
{
    waiter->pumps = !external->first;
    waiter->next = NULL;
    waiter->prev = external->last;
    if (external->last)
        external->last->next = waiter;
    else
        external->first = waiter;
    external->last = waiter;
}

void thi_waiting_leave(struct thi_external *external, struct thi_waiter *waiter)
{
    if (waiter->prev)
        waiter->prev->next = waiter->next;
    else
        external->first = waiter->next;
    if (waiter->next)
        waiter->next->prev = waiter->prev;
    else
        external->last = waiter->prev;
    if (waiter->pumps && external->first) {
        rouse(external, external->first); /* on the bell it sleeps on, hence before */
        external->first->pumps = true;
    }
}

/* Looks a moment longer before it sleeps: an answer that comes at once is far cheaper without a
 * sleep and a wake-up. Without the lock. true: there is mail. */
static bool linger(struct thi_external *external)
{
    struct thi_stage *stage = external->endpoint.stage;
    struct thi_inbox *inbox = &external->endpoint.cell->inbox;
    uint64_t start = thi_cycles();

    do {
        for (int i = 0; i < 32; i++) {
            if (thi_inbox_has_mail(inbox))
                return true;
            ck_pr_stall();
        }
    } while (thi_cycles_to_ns(&stage->pool.rate, thi_cycles_since(start)) < TH_SPIN_NS);
    return false;
}

/* Until there may be something for @waiter. Under the lock, which is given up meanwhile. */
static void doze(struct thi_external *external, struct thi_waiter *waiter, uint64_t deadline)
{
    struct thi_inbox *inbox = &external->endpoint.cell->inbox;
    struct thi_bell *bell = waiter->pumps ? &external->bell : &waiter->bell;

    if (waiter->pumps) {
        bool came;

        pthread_mutex_unlock(&external->lock);
        came = linger(external);
        pthread_mutex_lock(&external->lock);
        if (came || waiter->got || external->over || !waiter->pumps)
            return;
        if (!thi_inbox_sleep_owner(inbox))
            return; /* mail came */
        bell = &external->bell;
    }
    waiter->sleeps = true;
    pthread_mutex_unlock(&external->lock);
    (void)thi_bell_wait(bell, deadline);
    pthread_mutex_lock(&external->lock);
    waiter->sleeps = false;
    if (waiter->pumps)
        /* X3. False is as good: who pushed has ended the sleep, or we became the pump just now. */
        (void)thi_inbox_wake(inbox);
}

th_err thi_waiting_await(struct thi_external *external, struct thi_waiter *waiter,
                         uint64_t timeout_ns)
{
    struct thi_clock *clock = &external->endpoint.stage->clock;
    uint64_t deadline = thi_clock_after(thi_clock_steady(clock), timeout_ns);

    for (;;) {
        thi_waiting_pump(external);
        if (waiter->got)
            return TH_OK;
        if (external->over)
            return TH_E_CLOSED;
        if (timeout_ns == 0)
            return TH_E_TIMEOUT;
        if (is_simple(external)) {
            bool ran;

            /* S3: actors take the system's lock; step.lock keeps everybody else out */
            pthread_mutex_unlock(&external->lock);
            ran = thi_drive_on(external->system, deadline);
            pthread_mutex_lock(&external->lock);
            /* what happens at the limit's very moment is in time, so the drive decides */
            if (!ran)
                return TH_E_TIMEOUT;
            continue;
        }
        if (deadline != UINT64_MAX && thi_clock_steady(clock) >= deadline)
            return TH_E_TIMEOUT;
        doze(external, waiter, deadline);
    }
}

void thi_waiting_end(struct thi_external *external)
{
    external->over = true;
    for (struct thi_waiter *waiter = external->first; waiter; waiter = waiter->next)
        rouse(external, waiter);
}
