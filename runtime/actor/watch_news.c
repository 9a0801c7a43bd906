/* runtime/actor/watch_news.c: what the poller saw becomes messages.
 *
 * The lock is held by short functions only, and what is to be posted leaves them as a notice. */
#include "runtime/actor/watch.h"

#include "runtime/actor/send.h"
#include "mailbox/msg.h"
#include <thespis/config.h>
#include <thespis/watch.h>

enum { NOTICES = sizeof(((struct thi_watch_news *)0)->events) / sizeof(struct thi_poll_event) };

/* ---- under the lock ---- */

void thi_watches_set_short(struct thi_watches *watches, struct thi_watch *watch, bool is_short)
{
    if ((watch->state == THI_WATCH_SHORT) == is_short)
        return;
    watch->state = is_short ? THI_WATCH_SHORT : THI_WATCH_QUIET;
    /* relaxed: a hint how long to wait; who sets it rings */
    atomic_fetch_add_explicit(&watches->short_count, is_short ? 1 : (uint32_t)-1,
                              memory_order_relaxed);
}

/* @watch has something to say; false: its message is about already (H1). */
bool thi_watches_claim(struct thi_watches *watches, struct thi_watch *watch,
                       struct thi_notice *notice_out)
{
    if (watch->state == THI_WATCH_POSTED || watch->state == THI_WATCH_HANDLING)
        return false;
    thi_watches_set_short(watches, watch, false);
    watch->state = THI_WATCH_POSTED;
    *notice_out =
        (struct thi_notice){ watch->owner, thi_watch_id(&watches->table, watch), watch->kind };
    return true;
}

/* ---- posting ---- */

static bool post(th_self *self, const struct thi_notice *notice)
{
    const th_type *type = notice->kind == THI_WATCH_FD ? &th_fd_ready_type : &th_os_signal_type;
    th_msg *msg = thi_msg_create(self->voice.heap, type, 0);

    if (!msg)
        return false;
    if (notice->kind == THI_WATCH_FD)
        *(struct th_fd_ready *)th_msg_body(msg) =
            (struct th_fd_ready){ .id = notice->id, .fd = -1 };
    else
        ((struct th_os_signal *)th_msg_body(msg))->id = notice->id;
    thi_count(self, THI_STAT_WATCH_MESSAGES);
    thi_post_to(self, notice->owner, notice->owner, msg);
    return true;
}

void thi_watches_announce(struct thi_stage *stage, th_self *self, const struct thi_notice *notice)
{
    struct thi_watches *watches = &stage->watches;
    struct thi_watch *watch;

    if (post(self, notice))
        return;
    pthread_mutex_lock(&watches->lock);
    watch = thi_watch_find(&watches->table, notice->id);
    if (watch && watch->state == THI_WATCH_POSTED)
        thi_watches_set_short(watches, watch, true);
    pthread_mutex_unlock(&watches->lock);
    if (self->worker)
        thi_poller_ring(&watches->poller); /* so that its next wait is a short one */
}

static void announce_all(struct thi_stage *stage, const struct thi_notice *notices, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        thi_watches_announce(stage, &stage->watches.speaker.self, &notices[i]);
}

/* ---- what the poller saw ---- */

static bool take_in_events(struct thi_stage *stage, const struct thi_watch_news *news)
{
    struct thi_watches *watches = &stage->watches;
    struct thi_notice notices[NOTICES];
    struct thi_watch *watch;
    unsigned count = 0;

    pthread_mutex_lock(&watches->lock);
    for (unsigned i = 0; i < news->count; i++) {
        watch = thi_watch_find(&watches->table, news->events[i].token);
        if (!watch || watch->kind != THI_WATCH_FD)
            continue;
        watch->came |= news->events[i].bits;
        count += thi_watches_claim(watches, watch, &notices[count]);
    }
    pthread_mutex_unlock(&watches->lock);
    announce_all(stage, notices, count);
    return count > 0;
}

static bool take_in_signals(struct thi_stage *stage)
{
    struct thi_watches *watches = &stage->watches;
    struct thi_notice notices[NOTICES];
    struct thi_watch *watch;
    unsigned count = 0;

    pthread_mutex_lock(&watches->lock);
    for (uint32_t at = watches->table.signals; at && count < NOTICES; at = watch->next_signal) {
        watch = thi_watch_at(&watches->table, at);
        /* QUIET: what is SHORT is for later, or without memory this never ended */
        if (watch->state == THI_WATCH_QUIET && thi_signals_count(watch->number) != watch->came)
            count += thi_watches_claim(watches, watch, &notices[count]);
    }
    pthread_mutex_unlock(&watches->lock);
    announce_all(stage, notices, count);
    return count > 0;
}

/* Those for whose message there was no memory. */
static bool take_in_short(struct thi_stage *stage)
{
    struct thi_watches *watches = &stage->watches;
    struct thi_notice notices[NOTICES];
    unsigned count = 0;

    pthread_mutex_lock(&watches->lock);
    for (uint32_t i = 0; i < watches->table.used && count < NOTICES; i++)
        if (watches->table.slots[i].kind != THI_WATCH_FREE &&
            watches->table.slots[i].state == THI_WATCH_SHORT)
            count += thi_watches_claim(watches, &watches->table.slots[i], &notices[count]);
    pthread_mutex_unlock(&watches->lock);
    announce_all(stage, notices, count);
    return count > 0;
}

static bool is_short(struct thi_watches *watches)
{
    return atomic_load_explicit(&watches->short_count, memory_order_relaxed) != 0; /* a hint */
}

void thi_watches_await(struct thi_stage *stage, uint64_t timeout_ns, struct thi_watch_news *news)
{
    struct thi_watches *watches = &stage->watches;

    if (is_short(watches) && timeout_ns > TH_WATCH_RETRY_NS)
        timeout_ns = TH_WATCH_RETRY_NS;
    news->count = thi_poller_wait(&watches->poller, news->events, NOTICES, timeout_ns);
}

bool thi_watches_take_in(struct thi_stage *stage, const struct thi_watch_news *news)
{
    struct thi_watches *watches = &stage->watches;
    bool any = news->count > 0 && take_in_events(stage, news);

    /* acquire: the counts of the signals; pairs with the release in told() of watch_signal.c */
    if (atomic_exchange_explicit(&watches->is_signalled, false, memory_order_acquire))
        while (take_in_signals(stage))
            any = true;
    if (is_short(watches))
        any = take_in_short(stage) || any;
    return any;
}

/* ---- the poller's thread ---- */

static void turn(void *context)
{
    struct thi_stage *stage = context;
    struct thi_watch_news news;

    thi_reclaim_offline();
    thi_watches_await(stage, UINT64_MAX, &news);
    thi_reclaim_online();
    (void)thi_watches_take_in(stage, &news);
    thi_reclaim_quiescent();
}

/* Under the lock. */
th_err thi_watches_open(struct thi_stage *stage)
{
    struct thi_poller *poller = &stage->watches.poller;
    th_err err = poller->is_open ? TH_OK : thi_poller_open(poller, stage->is_pumped);

    if (!err && stage->base == TH_BASE_POOL && !poller->is_running)
        err = thi_poller_start(poller, turn, stage);
    return err;
}

/* ---- life ---- */

th_err thi_watches_init(struct thi_stage *stage)
{
    struct thi_watches *watches = &stage->watches;
    th_err err = TH_OK;

    thi_watch_table_init(&watches->table, &stage->memory, watches->max);
    thi_heap_init(&watches->heap, &stage->memory, &stage->depot);
    watches->speaker = (struct thi_endpoint){ .self.voice.heap = &watches->heap, .stage = stage };
    pthread_mutex_init(&watches->lock, NULL);
    if (stage->is_pumped)
        err = thi_watches_open(stage);
    if (err)
        thi_watches_fini(stage);
    return err;
}

void thi_watches_stop(struct thi_stage *stage)
{
    thi_signals_stop(&stage->watches.signals);
    thi_poller_stop(&stage->watches.poller);
}

void thi_watches_fini(struct thi_stage *stage)
{
    struct thi_watches *watches = &stage->watches;

    thi_poller_close(&watches->poller);
    thi_watch_table_fini(&watches->table);
    thi_heap_fini(&watches->heap);
    pthread_mutex_destroy(&watches->lock);
}

uint32_t thi_watches_count(struct thi_stage *stage)
{
    return atomic_load_explicit(&stage->watches.table.count, memory_order_relaxed); /* a figure */
}
