#include "runtime/admin/logger.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "runtime/actor/ask.h"
#include "runtime/actor/log.h"
#include "runtime/actor/mail.h"
#include "runtime/actor/send.h"
#include "mailbox/msg.h"
#include <thespis/assert.h>

struct logger {
    char *line;  /* THI_LOG_LINE_SIZE bytes to put a record together in */
    bool sweeps; /* a wakeup is set, to say what was suppressed */
};

/* ---- writing ---- */

static bool write_to(struct thi_log *log, uint32_t i, const th_log_record *record, char *line)
{
    char text[96];
    th_log_record news = *record;

    if (!thi_log_sink_write(&log->sinks[i], record, line)) {
        log->missed[i]++;
        return false;
    }
    if (!log->missed[i])
        return true;
    snprintf(text, sizeof(text), "%" PRIu64 " records before this could not be written here",
             log->missed[i]);
    news = (th_log_record){
        .time_ns = record->time_ns,
        .clock_ns = record->clock_ns,
        .level = TH_LOG_WARN,
        .system = log->system,
        .class_name = thi_logger_class.name,
        .worker = -1,
        .text = text,
        .text_size = strlen(text),
    };
    if (thi_log_sink_write(&log->sinks[i], &news, line))
        log->missed[i] = 0;
    return true;
}

/* To every sink that wants it. Whether one took it, or none wanted it. */
static bool write_record(th_self *self, struct thi_log *log, const th_log_record *record,
                         char *line)
{
    bool is_wanted = false, is_taken = false;

    for (uint32_t i = 0; i < log->sink_count; i++) {
        if (!thi_log_sink_wants(&log->sinks[i], record->level))
            continue;
        is_wanted = true;
        if (write_to(log, i, record, line))
            is_taken = true;
        else
            thi_count(self, THI_STAT_LOG_REFUSALS);
    }
    return is_taken || !is_wanted;
}

/* The logger's own word, which is in no count. */
static void say(th_self *self, struct logger *logger, th_log_level level, const char *text)
{
    struct thi_stage *stage = thi_stage_of(self);
    th_log_record record = {
        .time_ns = thi_clock_wall(&stage->clock),
        .clock_ns = thi_clock_now(&stage->clock),
        .level = level,
        .system = stage->log.system,
        .class_name = thi_logger_class.name,
        .worker = -1,
        .text = text,
        .text_size = strlen(text),
    };

    (void)write_record(self, &stage->log, &record, logger->line);
}

static void write_batch(th_self *self, struct logger *logger, th_msg *msg)
{
    struct thi_log *log = &thi_stage_of(self)->log;
    th_msg *next;

    for (; msg; msg = next) {
        next = msg->thi_next;
        thi_count(self, write_record(self, log, th_msg_body(msg), logger->line)
                            ? THI_STAT_LOG_WRITTEN
                            : THI_STAT_LOG_DROPPED);
        /* relaxed: L3; the count above is seen by whoever synchronises with us, as any count is */
        atomic_fetch_sub_explicit(&log->waiting, 1, memory_order_relaxed);
        thi_msg_destroy(self->voice.heap, msg);
    }
}

static void say_lost(th_self *self, struct logger *logger)
{
    struct thi_log *log = &thi_stage_of(self)->log;
    uint64_t lost = atomic_exchange_explicit(&log->lost, 0, memory_order_relaxed); /* a count */
    char text[96];

    if (!lost)
        return;
    snprintf(text, sizeof(text), "%" PRIu64 " records suppressed: the queue of %u was full", lost,
             log->queue_max);
    say(self, logger, TH_LOG_WARN, text);
}

/* What rates held back and nobody said since. */
static void say_held(th_self *self, struct logger *logger, bool all)
{
    struct thi_stage *stage = thi_stage_of(self);
    uint64_t now = thi_clock_steady(&stage->clock);
    struct thi_log_rate_slot slot;
    char text[THI_LOG_LABEL_SIZE + 64];
    unsigned index = 0;

    while (thi_log_rate_sweep(&stage->log.rate, now, all, &index, &slot)) {
        snprintf(text, sizeof(text), "%" PRIu64 " records suppressed: %s", slot.held, slot.label);
        say(self, logger, slot.level, text);
    }
}

/* Around all writing: signals (K3), our own records (L4), and the grace periods that must not wait
 * for a sink. */
static void begin_writing(th_self *self, struct thi_log_guard *guard)
{
    thi_log_guard_begin(guard);
    /* relaxed: only compared with the id of who asks */
    atomic_store_explicit(&thi_stage_of(self)->log.thread, (uintptr_t)pthread_self(),
                          memory_order_relaxed);
    if (self->worker->kind == THI_WORKER_OWN)
        thi_reclaim_offline(); /* until end_writing() nothing is looked up */
}

static void end_writing(th_self *self, const struct thi_log_guard *guard)
{
    if (self->worker->kind == THI_WORKER_OWN)
        thi_reclaim_online();
    atomic_store_explicit(&thi_stage_of(self)->log.thread, 0, memory_order_relaxed); /* as above */
    thi_log_guard_end(guard);
}

/* Everything in the queue, until it sleeps. false: it fills as fast, and others should have a
 * turn. */
static bool drain(th_self *self, struct logger *logger)
{
    struct thi_log *log = &thi_stage_of(self)->log;
    struct thi_log_guard guard;
    bool is_asleep = false;
    th_msg *urgent, *tail;

    begin_writing(self, &guard);
    for (int rounds = 0; rounds < 16 && !is_asleep; rounds++) {
        uintptr_t taken;

        if (!thi_inbox_has_mail(&log->queue)) {
            say_lost(self, logger);
            is_asleep = thi_inbox_sleep_owner(&log->queue);
            continue;
        }
        taken = thi_inbox_take_owner(&log->queue);
        write_batch(self, logger, thi_inbox_reverse(taken, &urgent, &tail));
    }
    say_held(self, logger, false);
    end_writing(self, &guard);
    return is_asleep;
}

/* ---- the actor ---- */

static bool is_queue_asleep(struct thi_log *log)
{
    /* relaxed: only the logger wakes what it took up; others change it to mail */
    return atomic_load_explicit(&log->queue.top, memory_order_relaxed) == THI_INBOX_ASLEEP;
}

static void work(th_self *self, struct logger *logger)
{
    struct thi_log *log = &thi_stage_of(self)->log;
    uint64_t unused;

    /* L2: whoever told us ended its sleep, or is late and it sleeps on */
    if (is_queue_asleep(log)) {
        struct thi_log_guard guard;

        begin_writing(self, &guard);
        say_lost(self, logger);
        say_held(self, logger, false);
        end_writing(self, &guard);
    } else if (!drain(self, logger)) {
        thi_log_wake(self);
    }
    if (!logger->sweeps && thi_log_rate_holds(&log->rate))
        logger->sweeps = th_wakeup_after(self, TH_S(1), NULL, &unused) == TH_OK;
}

static th_err init(th_self *self, void *state, const th_msg *arg)
{
    struct logger *logger = state;
    struct thi_log *log = &thi_stage_of(self)->log;
    th_addr me = th_self_addr(self);

    (void)arg;
    logger->line = th_alloc(self, THI_LOG_LINE_SIZE);
    if (!logger->line)
        return TH_E_NOMEM;
    thi_count(self, THI_STAT_LOG_LOGGERS);
    /* release: pairs with the acquire in thi_log_logger() */
    atomic_store_explicit(&log->logger, (uint64_t)me.slot << 32 | me.generation,
                          memory_order_release);
    work(self, logger);
    return TH_OK;
}

static th_err receive(th_self *self, void *state, const th_msg *msg)
{
    struct logger *logger = state;
    th_msg *answer;

    if (th_wakeup_of(msg))
        logger->sweeps = false;
    else if (th_msg_type(msg) != &thi_log_ready_type && th_msg_type(msg) != &thi_log_flush_type)
        return TH_OK;
    work(self, logger);
    if (th_msg_type(msg) != &thi_log_flush_type)
        return TH_OK;
    answer = thi_msg_create(self->voice.heap, &thi_log_ready_type, 0);
    if (answer)
        thi_post_to(self, th_self_addr(self), th_msg_sender(msg), answer);
    else
        thi_alias_give_up(self, th_msg_sender(msg), TH_E_NOMEM);
    return TH_OK;
}

static void leave(th_self *self, void *state)
{
    struct logger *logger = state;
    struct thi_stage *stage = thi_stage_of(self);
    struct thi_log *log = &stage->log;
    struct thi_log_guard guard;
    /* relaxed: a hint */
    bool is_end = atomic_load_explicit(&stage->closing, memory_order_relaxed);

    if (!logger->line)
        return; /* init failed */
    if (!is_queue_asleep(log))
        (void)drain(self, logger);
    begin_writing(self, &guard);
    if (is_end) {
        say_held(self, logger, true);
        pthread_mutex_lock(&log->lock);
        is_end = log->rules.threshold <= TH_LOG_INFO;
        pthread_mutex_unlock(&log->lock);
    }
    if (is_end)
        say(self, logger, TH_LOG_INFO, "system stopped");
    end_writing(self, &guard);
    for (uint32_t i = 0; i < log->sink_count; i++)
        thi_log_sink_close(&log->sinks[i]);
    /* relaxed: nobody learns of anything by it; L2 has the rest */
    atomic_store_explicit(&log->logger, 0, memory_order_relaxed);
    th_free(self, logger->line, THI_LOG_LINE_SIZE);
}

const th_class thi_logger_class = {
    .name = "thespis.logger",
    .state_size = sizeof(struct logger),
    .init = init,
    .receive = receive,
    .exit = leave,
    .on_failure = TH_ON_FAILURE_STOP,
    .flags = TH_CLASS_OWN_THREAD,
};

/* ---- the admin's care ---- */

static bool is_exiting(th_self *self)
{
    return thi_cell_life(thi_cell_of_self(self)) == THI_CELL_EXITING;
}

/* Whether the logger takes mail. What it gives back comes to us ahead of the news of its end, so
 * without this the two of us would play ball for ever. Whoever was given something back sees that
 * it is exiting: that was written before its mailbox was closed, or before it gave it back. */
static bool is_listening(th_self *self, const struct thi_logger_keeper *keeper)
{
    struct thi_cell *cell =
        th_addr_is_none(keeper->logger)
            ? NULL
            : thi_directory_find(&thi_stage_of(self)->directory, keeper->logger);

    return cell && thi_cell_life(cell) < THI_CELL_EXITING;
}

/* Passes @type on to the logger, with its first sender. */
static void tell(th_self *self, const struct thi_logger_keeper *keeper, const th_type *type,
                 th_addr from)
{
    th_msg *msg = thi_msg_create(self->voice.heap, type, 0);

    if (msg)
        thi_post_to(self, from, keeper->logger, msg);
    else if (type == &thi_log_flush_type)
        thi_alias_give_up(self, from, TH_E_NOMEM);
    else /* relaxed: see thi_log_wake() */
        atomic_store_explicit(&thi_stage_of(self)->log.is_unheard, true, memory_order_relaxed);
}

static void pause_before_start(struct thi_logger_keeper *keeper, th_self *self)
{
    uint64_t pause = keeper->pause_ns ? keeper->pause_ns : TH_LOG_BACKOFF_MIN_NS;

    keeper->pause_ns = pause * 2 < TH_LOG_BACKOFF_MAX_NS ? pause * 2 : TH_LOG_BACKOFF_MAX_NS;
    if (th_wakeup_after(self, pause, NULL, &keeper->wakeup) == TH_OK)
        return;
    keeper->wakeup = 0; /* the next record tries again */
    /* relaxed: see thi_log_wake() */
    atomic_store_explicit(&thi_stage_of(self)->log.is_unheard, true, memory_order_relaxed);
}

static void start(struct thi_logger_keeper *keeper, th_self *self)
{
    struct thi_stage *stage = thi_stage_of(self);

    if (is_exiting(self) && ++keeper->late > THI_LOGGER_LATE_STARTS)
        return; /* what waits is dropped, and counted */
    if (th_spawn(self, &thi_logger_class, NULL, &keeper->logger)) {
        keeper->logger = th_addr_none();
        pause_before_start(keeper, self);
        return;
    }
    stage->last_child = keeper->logger.slot;
    keeper->started_ns = thi_clock_steady(&stage->clock);
    for (uint32_t i = 0; i < keeper->asker_count; i++)
        tell(self, keeper, &thi_log_flush_type, keeper->askers[i]);
    keeper->asker_count = 0;
}

static void wanted(struct thi_logger_keeper *keeper, th_self *self)
{
    if (is_listening(self, keeper))
        tell(self, keeper, &thi_log_ready_type, th_self_addr(self));
    else if (th_addr_is_none(keeper->logger) && !keeper->wakeup)
        start(keeper, self);
    /* else: the next one looks what there is */
}

static void flush(struct thi_logger_keeper *keeper, th_self *self, th_addr asker)
{
    if (is_listening(self, keeper)) {
        tell(self, keeper, &thi_log_flush_type, asker);
        return;
    }
    if (keeper->asker_count == THI_LOGGER_ASKERS) {
        thi_alias_give_up(self, asker, TH_E_LIMIT);
        return;
    }
    keeper->askers[keeper->asker_count++] = asker;
    wanted(keeper, self);
}

static void exited(struct thi_logger_keeper *keeper, th_self *self)
{
    struct thi_stage *stage = thi_stage_of(self);

    keeper->logger = th_addr_none();
    stage->last_child = 0;
    if (is_exiting(self)) {
        if (thi_inbox_has_mail(&stage->log.queue))
            start(keeper, self);
        while (keeper->asker_count) /* of whom nobody else is going to hear */
            thi_alias_give_up(self, keeper->askers[--keeper->asker_count], TH_E_CLOSED);
        return;
    }
    if (thi_clock_steady(&stage->clock) - keeper->started_ns > TH_LOG_BACKOFF_MAX_NS)
        keeper->pause_ns = 0;
    pause_before_start(keeper, self);
}

void thi_logger_keep(struct thi_logger_keeper *keeper, th_self *self, const th_msg *msg)
{
    const th_type *type = th_msg_type(msg);

    if (type == &thi_log_ready_type) {
        wanted(keeper, self);
    } else if (type == &thi_log_flush_type) {
        flush(keeper, self, th_msg_sender(msg));
    } else if (type == &th_wakeup_type) {
        if (!keeper->wakeup || th_wakeup_of(msg)->id != keeper->wakeup)
            return;
        keeper->wakeup = 0;
        start(keeper, self);
    } else if (type == &th_child_exited_type) {
        if (th_addr_equal(th_child_exited_of(msg)->child, keeper->logger))
            exited(keeper, self);
    } else if (type == &th_exit_request_type && keeper->wakeup) {
        /* an exiting actor's wakeups are gone: now or never */
        keeper->wakeup = 0;
        start(keeper, self);
    }
}
