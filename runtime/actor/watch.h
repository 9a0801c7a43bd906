/* runtime/actor/watch.h: descriptors and signals to messages.
 *
 * A watch is a row in the table, which its owner, the poller's thread and whoever adds a watch of
 * the same number touch under one lock; nothing is posted and no handler runs while it is held.
 *
 * H1. A watch has one message about at a time: only who turns QUIET into POSTED (or SHORT, without
 *     memory) makes one. What comes meanwhile is added to what the message will say.
 * H2. What it says is filled in when it arrives, in its owner's turn, and so is the question
 *     whether the number is still the file that was watched (E2 of sched/poller.h): a handler is
 *     not told of another file, nor of one its actor closed while the message was on its way.
 * H3. The row has the last word, as with wakeups: a message that finds none, or not POSTED, goes no
 *     further. So an unwatch holds, whatever the poller is at.
 * H4. A level watch is armed again after its handler, so the kernel says at once what is still so.
 *     An edge watch is always armed; what came while its message was handled makes the next one.
 *
 * On the pool the poller's thread notes and posts; on the simple base whoever drives, between
 * turns and while it waits. */
#ifndef THI_ACTOR_WATCH_H
#define THI_ACTOR_WATCH_H

#include "runtime/actor/endpoint.h"
#include "runtime/actor/watch_table.h"
#include "runtime/base/signals.h"
#include "runtime/sched/poller.h"

struct thi_watches {
    pthread_mutex_t lock; /* the table; opening the poller, starting threads */
    struct thi_watch_table table;
    struct thi_poller poller;     /* opened by the first watch; pumped: at start */
    struct thi_signals signals;   /* its thread: since the first who wants one */
    _Atomic bool is_signalled;    /* some signal came: look at the counts */
    _Atomic uint32_t short_count; /* rows SHORT of memory */
    struct thi_endpoint speaker;  /* who posts: on the poller's thread, or the driver's */
    struct thi_heap heap;         /* the speaker's */
    uint32_t max;
};

/* At start. */
TH_NODISCARD th_err thi_watches_init(struct thi_stage *stage);

/* At shutdown, when no actor is left: the threads end. Nothing to do without. */
void thi_watches_stop(struct thi_stage *stage);

/* At destroy, and after a start that failed: the descriptors go. */
void thi_watches_fini(struct thi_stage *stage);

/* Has signals looked for; TH_E_THREAD. */
TH_NODISCARD th_err thi_watches_hear_signals(struct thi_stage *stage);

/* Waits at most @timeout_ns for what is watched, and posts what came; whether anything did. By the
 * one who drives, under step.lock unless @timeout_ns is more than 0: then the lock is not held, and
 * what came is kept in @events for thi_watches_take_in(). */
struct thi_watch_news {
    unsigned count;
    struct thi_poll_event events[32];
};
void thi_watches_await(struct thi_stage *stage, uint64_t timeout_ns, struct thi_watch_news *news);
bool thi_watches_take_in(struct thi_stage *stage, const struct thi_watch_news *news);

/* What thi_watches_arrived() found. */
enum thi_arrival {
    THI_ARRIVAL_NONE,  /* it was called off on its way: drop it */
    THI_ARRIVAL_OURS,  /* handle it, then call thi_watches_handled() */
    THI_ARRIVAL_OTHERS /* forwarded, or sent again: a message like any other */
};

/* @msg is a th_fd_ready or th_os_signal that arrived at its target, whose handle is @self. */
enum thi_arrival thi_watches_arrived(th_self *self, struct thi_cell *cell, th_msg *msg);
void thi_watches_handled(th_self *self, struct thi_cell *cell, uint64_t id);

/* At an actor's exit or restart: all its watches end. */
void thi_watches_clear(th_self *self, struct thi_cell *cell);

/* Those alive. */
uint32_t thi_watches_count(struct thi_stage *stage);

/* ---- between watch.c, watch_news.c and watch_signal.c ---- */

/* A watch whose message is to be made. */
struct thi_notice {
    th_addr owner;
    uint64_t id;
    uint8_t kind;
};

/* Under the lock: it is SHORT, or not. */
void thi_watches_set_short(struct thi_watches *watches, struct thi_watch *watch, bool is_short);

/* Under the lock: @watch has something to say. True: *@notice_out is to be announced, when the lock
 * is not held any more; false: its message is about already (H1). */
bool thi_watches_claim(struct thi_watches *watches, struct thi_watch *watch,
                       struct thi_notice *notice_out);

/* @self speaks. Without memory the watch is SHORT, and tried again. */
void thi_watches_announce(struct thi_stage *stage, th_self *self, const struct thi_notice *notice);

/* Under the lock: opens the poller, starts its thread where it has one. TH_E_THREAD. */
TH_NODISCARD th_err thi_watches_open(struct thi_stage *stage);

/* Whether @self may speak of watches: what a call has to answer otherwise. */
TH_NODISCARD th_err thi_watches_check(th_self *self);

/* Under the lock: a watch of @kind for the caller. NULL with *@why. */
struct thi_watch *thi_watches_take(th_self *self, enum thi_watch_kind kind, int number,
                                   th_err *why);

#endif
