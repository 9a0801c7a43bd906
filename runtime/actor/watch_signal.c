/* runtime/actor/watch_signal.c: signals of the process, for the actors that asked. */
#include "runtime/actor/stage.h"
#include <thespis/watch.h>

/* On the signals' thread. */
static void told(void *context)
{
    struct thi_stage *stage = context;
    struct thi_watches *watches = &stage->watches;

    /* release: the counts; pairs with the acquire in thi_watches_take_in() */
    atomic_store_explicit(&watches->is_signalled, true, memory_order_release);
    pthread_mutex_lock(&watches->lock);
    if (watches->poller.is_open)
        thi_poller_ring(&watches->poller);
    pthread_mutex_unlock(&watches->lock);
    stage->signalled(stage->system);
}

th_err thi_watches_hear_signals(struct thi_stage *stage)
{
    return thi_signals_start(&stage->watches.signals, "th/signals", told, stage);
}

th_err th_watch_signal(th_self *self, int number, uint64_t *id_out)
{
    struct thi_stage *stage;
    struct thi_watches *watches;
    struct thi_watch *watch = NULL;
    th_err err = thi_watches_check(self);

    if (err)
        return err;
    stage = thi_stage_of(self);
    watches = &stage->watches;
    pthread_mutex_lock(&watches->lock);
    err = thi_signals_want(number);
    if (!err && (err = thi_watches_hear_signals(stage)) != TH_OK)
        thi_signals_unwant(number);
    if (!err && !(watch = thi_watches_take(self, THI_WATCH_SIGNAL, number, &err)))
        thi_signals_unwant(number);
    if (watch) {
        watch->came = thi_signals_count(number);
        if (id_out)
            *id_out = thi_watch_id(&watches->table, watch);
    }
    pthread_mutex_unlock(&watches->lock);
    return err;
}
