/* runtime/actor/log.c: thresholds, and records on their way into the queue. */
#include "runtime/actor/log.h"

#include <stdio.h>
#include <string.h>

#include "runtime/actor/deputy.h"
#include "runtime/actor/mail.h"
#include "runtime/actor/send.h"
#include "mailbox/msg.h"
#include <thespis/assert.h>

const th_type thi_log_entry_type = { "thi_log_entry",
                                     NULL,
                                     NULL,
                                     0,
                                     (uint32_t)sizeof(th_log_record),
                                     TH_TYPE_SYSTEM | TH_TYPE_LOCAL | TH_TYPE_REST,
                                     NULL,
                                     NULL };

/* ---- life ---- */

void thi_log_init(struct thi_log *log, const th_log_options *options, const char *system)
{
    log->system = system;
    log->queue_max = options->queue_max ? options->queue_max : TH_LOG_QUEUE_DEFAULT;
    log->rate_max = options->rate_max ? options->rate_max : TH_LOG_RATE_DEFAULT;
    log->rules.threshold = options->threshold ? options->threshold : TH_LOG_WARN;
    log->sink_count = options->sink_count;
    log->is_off = true;
    for (uint32_t i = 0; i < options->sink_count; i++) {
        thi_log_sink_init(&log->sinks[i], &options->sinks[i]);
        log->is_off = log->is_off && options->sinks[i].kind == TH_LOG_SINK_NONE;
    }
    if (options->rules && thi_log_rules_parse(&log->rules, options->rules))
        TH_NEVER("the options were checked");
    pthread_mutex_init(&log->lock, NULL);
    thi_log_rate_init(&log->rate);
    thi_log_open(log);
}

void thi_log_fini(struct thi_log *log)
{
    thi_log_rate_fini(&log->rate);
    pthread_mutex_destroy(&log->lock);
}

void thi_log_open(struct thi_log *log)
{
    thi_inbox_init(&log->queue, THI_INBOX_ASLEEP);
    /* relaxed, all: no other thread knows the system yet */
    atomic_store_explicit(&log->waiting, 0, memory_order_relaxed);
    atomic_store_explicit(&log->number, 0, memory_order_relaxed);
    atomic_store_explicit(&log->lost, 0, memory_order_relaxed);
    atomic_store_explicit(&log->logger, 0, memory_order_relaxed);
    atomic_store_explicit(&log->thread, 0, memory_order_relaxed);
    atomic_store_explicit(&log->is_unheard, false, memory_order_relaxed);
}

void thi_log_close(struct thi_stage *stage)
{
    struct thi_log *log = &stage->log;
    th_msg *urgent, *tail, *next;
    th_msg *msg = thi_inbox_reverse(thi_inbox_close_owner(&log->queue), &urgent, &tail);

    for (; msg; msg = next) {
        next = msg->thi_next;
        thi_stats_add_shared(&stage->stats, THI_STAT_LOG_DROPPED, 1);
        /* relaxed: L3; a figure */
        atomic_fetch_sub_explicit(&log->waiting, 1, memory_order_relaxed);
        thi_msg_destroy(&stage->ticker_heap, msg);
    }
}

/* ---- thresholds ---- */

/* L1: an actor's gate is found by a walk over the directory, an endpoint's by its system. */
static bool keeps_gate(const th_self *self)
{
    return self->worker || thi_endpoint_of_self(self)->keeps_gate;
}

th_log_level thi_log_gate(th_self *self)
{
    struct thi_stage *stage = thi_stage_of(self);
    struct thi_log *log = &stage->log;
    /* relaxed: as in th_log_is_on() */
    uint32_t gate = atomic_load_explicit(&self->voice.log_gate, memory_order_relaxed);
    const char *name;

    if (thi_stage_check(stage) == TH_E_FORKED)
        return TH_LOG_OFF; /* no lock: who held it is not there */
    if (gate)
        return (th_log_level)gate;
    name = thi_speaker_class_name(self);
    pthread_mutex_lock(&log->lock);
    gate = log->is_off ? TH_LOG_OFF
                       : thi_log_rules_find(&log->rules, thi_self_addr(self), name ? name : "");
    if (keeps_gate(self))
        /* relaxed: under the lock (L1) */
        atomic_store_explicit(&self->voice.log_gate, (uint8_t)gate, memory_order_relaxed);
    pthread_mutex_unlock(&log->lock);
    return (th_log_level)gate;
}

/* Cells that are not shown yet have no gate (cell.c clears them), and in a read section those that
 * are shown are not cleared; on the simple base not while the step's lock is ours. */
void thi_log_forget_gates(struct thi_stage *stage)
{
    uint32_t slots = thi_directory_slots(&stage->directory);

    for (uint32_t slot = 0; slot < slots; slot++) {
        struct thi_cell *cell = thi_directory_at(&stage->directory, slot);
        enum thi_cell_kind kind;

        if (!cell)
            continue;
        thi_reclaim_enter();
        kind = thi_cell_kind_shown(cell);
        if (kind == THI_CELL_ACTOR || kind == THI_CELL_OWN)
            /* relaxed: under the lock (L1) */
            atomic_store_explicit(&cell->self.voice.log_gate, 0, memory_order_relaxed);
        thi_reclaim_leave();
    }
}

bool th_log_enabled(th_self *self, th_log_level level)
{
    return self && level >= TH_LOG_TRACE && level < TH_LOG_OFF && level >= thi_log_gate(self);
}

/* ---- telling the logger ---- */

th_addr thi_log_logger(struct thi_stage *stage)
{
    /* acquire: the cell that the address names; pairs with the release in init() of
     * admin/logger.c */
    uint64_t logger = atomic_load_explicit(&stage->log.logger, memory_order_acquire);
    th_addr addr = { logger ? stage->id : 0, (uint32_t)(logger >> 32), (uint32_t)logger };

    return addr;
}

/* Between th_blocking_begin() and _end() an actor's worker is out of the game: it reads nothing of
 * the directory, and what it queued would wait for the end of the call. */
static void post_aside(th_self *self, struct thi_stage *stage, th_addr to, th_msg *msg)
{
    struct thi_cell *cell;
    enum thi_push push = THI_PUSH_CLOSED;

    msg->thi_from = thi_self_addr(self);
    msg->thi_to = to;
    thi_count(self, THI_STAT_ACCEPTED);
    thi_reclaim_enter();
    cell = thi_directory_find(&stage->directory, to);
    if (cell)
        push = thi_inbox_push(&cell->inbox, msg, true);
    if (push == THI_PUSH_WOKE) {
        if (thi_cell_kind(cell) == THI_CELL_OWN)
            thi_pool_own_wake(cell->extra->own);
        else
            thi_pool_submit(&stage->pool, &cell->task);
    }
    thi_reclaim_leave();
    if (push != THI_PUSH_CLOSED)
        return;
    /* nobody there: the next record tries again */
    thi_count(self, THI_STAT_HANDLED);
    thi_msg_destroy(self->voice.heap, msg);
    atomic_store_explicit(&stage->log.is_unheard, true, memory_order_relaxed);
}

void thi_log_wake(th_self *self)
{
    struct thi_stage *stage = thi_stage_of(self);
    th_addr to = thi_log_logger(stage);
    th_msg *msg;

    if (th_addr_is_none(to))
        to = stage->admin;
    thi_voice_enter(&self->voice);
    msg = thi_msg_create(self->voice.heap, &thi_log_ready_type, 0);
    thi_voice_leave(&self->voice);
    if (!msg) {
        /* relaxed, here and below: who sees it only sends the message that was not sent */
        atomic_store_explicit(&stage->log.is_unheard, true, memory_order_relaxed);
        return;
    }
    if (self->worker && self->worker->is_blocking)
        post_aside(self, stage, to, msg);
    else
        thi_post_to(self, thi_self_addr(self), to, msg);
}

/* ---- a record ---- */

/* What a record will hold, measured. */
struct draft {
    const struct thi_log_what *what;
    const char *class_name;
    const char *file; /* without its folders; may be NULL */
    const char *text;
    size_t text_size;
    uint32_t fields; /* that fit */
    size_t size;     /* of all text, with each one's NUL */
};

static size_t length_within(const char *text, size_t most)
{
    return text ? strnlen(text, most) : 0;
}

/* A field's own text; @cut_out: it is longer than it may be. */
static size_t field_text(const th_log_field *field, bool *cut_out)
{
    size_t size = field->kind == TH_LOG_KIND_STR && field->value.s ? field->size : 0;

    *cut_out = size > TH_LOG_FIELD_TEXT_MAX;
    return *cut_out ? TH_LOG_FIELD_TEXT_MAX : size;
}

enum { KEY_MAX = 64 };

static const char cut_mark[] = "...";

static void measure_fields(struct draft *draft)
{
    const struct thi_log_what *what = draft->what;
    uint32_t most = what->field_count < TH_LOG_FIELDS_MAX ? what->field_count : TH_LOG_FIELDS_MAX;
    size_t sum = 0;

    for (draft->fields = 0; draft->fields < most; draft->fields++) {
        const th_log_field *field = &what->fields[draft->fields];
        bool cut;
        size_t size =
            length_within(field->key, KEY_MAX) + 1 + field_text(field, &cut) + sizeof(cut_mark);

        if (sum + size > TH_LOG_FIELDS_BYTES_MAX)
            break;
        sum += size;
    }
    draft->size += sum;
}

/* Copies @size bytes and a NUL to *@at, and moves it on. */
static const char *keep(char **at, const char *text, size_t size, const char *mark)
{
    char *kept = *at;

    memcpy(kept, text ? text : "", size);
    *at += size;
    if (mark) {
        memcpy(*at, mark, strlen(mark));
        *at += strlen(mark);
    }
    *(*at)++ = '\0';
    return kept;
}

static void fill_fields(const struct draft *draft, th_log_record *record, th_log_field *fields,
                        char **at)
{
    const struct thi_log_what *what = draft->what;

    for (uint32_t i = 0; i < draft->fields; i++) {
        const th_log_field *field = &what->fields[i];
        bool cut;
        size_t size = field_text(field, &cut);

        fields[i] = *field;
        fields[i].key = keep(at, field->key, length_within(field->key, KEY_MAX), NULL);
        if (field->kind != TH_LOG_KIND_STR || !field->value.s)
            continue;
        fields[i].value.s = keep(at, field->value.s, size, cut ? cut_mark : NULL);
        fields[i].size = size + (cut ? sizeof(cut_mark) - 1 : 0);
    }
    record->field_count = draft->fields;
    if (draft->fields < what->field_count)
        fields[record->field_count++] =
            th_kv_u64("fields_left_out", what->field_count - draft->fields);
    record->fields = record->field_count ? fields : NULL;
}

/* NULL: no memory. */
static th_msg *make_entry(th_self *self, struct draft *draft, uint64_t now_ns, uint64_t held)
{
    const struct thi_log_what *what = draft->what;
    struct thi_log *log = &thi_stage_of(self)->log;
    size_t class_size = length_within(draft->class_name, TH_NAME_MAX);
    size_t file_size = length_within(draft->file, TH_NAME_MAX);
    size_t fields_size, rest;
    th_log_record *record;
    char *at;
    th_msg *msg;

    draft->size = class_size + 1 + file_size + 1 + draft->text_size + 1;
    measure_fields(draft);
    fields_size = (draft->fields + (draft->fields < what->field_count)) * sizeof(th_log_field);
    rest = fields_size + draft->size;
    thi_voice_enter(&self->voice);
    msg = thi_msg_create(self->voice.heap, &thi_log_entry_type, rest);
    thi_voice_leave(&self->voice);
    if (!msg)
        return NULL;
    record = th_msg_body(msg);
    at = (char *)(record + 1) + fields_size;
    *record = (th_log_record){
        .time_ns = thi_clock_wall(&thi_stage_of(self)->clock),
        .clock_ns = now_ns,
        .level = what->level,
        .actor = thi_self_addr(self),
        .system = log->system,
        .worker = self->worker ? (int32_t)self->worker->index : -1,
        .line = what->site ? what->site->line : 0,
        .suppressed = held,
        .text_size = draft->text_size,
    };
    record->class_name = keep(&at, draft->class_name, class_size, NULL);
    if (draft->file)
        record->file = keep(&at, draft->file, file_size, NULL);
    record->text = keep(&at, draft->text, draft->text_size, NULL);
    fill_fields(draft, record, (th_log_field *)(void *)(record + 1), &at);
    return msg;
}

/* ---- its way ---- */

static const char *base_name(const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;

    return slash ? slash + 1 : path;
}

static size_t format_text(char *text, size_t size, const char *format, va_list args)
    TH_PRINTF(3, 0);

/* What is longer than @size is cut between two characters, and says so. */
static size_t format_text(char *text, size_t size, const char *format, va_list args)
{
    char mark[40];
    int full = vsnprintf(text, size, format, args);
    size_t at;

    if (full < 0) {
        snprintf(text, size, "(a text that cannot be printed: %.*s)", 100, format);
        return strlen(text);
    }
    if ((size_t)full < size)
        return (size_t)full;
    snprintf(mark, sizeof(mark), "...(%d bytes in all)", full);
    at = size - 1 - strlen(mark);
    while (at > 0 && ((unsigned char)text[at] & 0xc0) == 0x80)
        at--;
    memcpy(text + at, mark, strlen(mark) + 1);
    return at + strlen(mark);
}

/* Whether the rate lets it pass, and how many it did not before. */
static bool may_pass(th_self *self, const struct draft *draft, uint64_t now_ns, uint64_t *held_out)
{
    struct thi_log *log = &thi_stage_of(self)->log;
    const struct thi_log_what *what = draft->what;
    uint32_t rate = what->per_second;
    uint64_t key = what->key;
    th_addr me = thi_self_addr(self);
    char label[THI_LOG_LABEL_SIZE];

    if (!rate && what->site)
        rate = what->site->per_second;
    if (!rate)
        rate = log->rate_max;
    *held_out = 0;
    if (rate == UINT32_MAX)
        return true;
    if (!key && what->site)
        key = thi_log_rate_mix(1, (uint64_t)(uintptr_t)what->site);
    if (!key)
        key = thi_log_rate_mix_text(thi_log_rate_mix(me.slot, me.generation), draft->text);
    if (what->key)
        snprintf(label, sizeof(label), "%s", what->label);
    else if (draft->file)
        snprintf(label, sizeof(label), "%s:%u", draft->file, what->site->line);
    else
        snprintf(label, sizeof(label), "%.*s", (int)sizeof(label) - 1, draft->text);
    switch (thi_log_rate_ask(&log->rate, key, rate, now_ns, what->level, label, held_out)) {
    case THI_LOG_PASS: return true;
    case THI_LOG_HELD: break;
    case THI_LOG_HELD_FIRST: thi_log_wake(self); break;
    }
    thi_count(self, THI_STAT_LOG_SUPPRESSED);
    return false;
}

static th_err drop(th_self *self, th_err why)
{
    /* relaxed: a count, said by the logger */
    atomic_fetch_add_explicit(&thi_stage_of(self)->log.lost, 1, memory_order_relaxed);
    thi_count(self, THI_STAT_LOG_DROPPED);
    return why;
}

/* relaxed, all here: L3; a bound that is exact to the number of threads that log right now */
static bool take_place(struct thi_log *log)
{
    if (atomic_fetch_add_explicit(&log->waiting, 1, memory_order_relaxed) < log->queue_max)
        return true;
    atomic_fetch_sub_explicit(&log->waiting, 1, memory_order_relaxed);
    return false;
}

static th_err enqueue(th_self *self, struct thi_log *log, th_msg *msg)
{
    /* relaxed: only distinct; the queue's order is what the logger sees */
    ((th_log_record *)th_msg_body(msg))->number =
        atomic_fetch_add_explicit(&log->number, 1, memory_order_relaxed) + 1;
    switch (thi_inbox_push(&log->queue, msg, false)) {
    case THI_PUSH_WOKE: thi_log_wake(self); return TH_OK;
    case THI_PUSH_QUEUED:
        /* relaxed, both: see thi_log_wake() */
        if (TH_UNLIKELY(atomic_load_explicit(&log->is_unheard, memory_order_relaxed)) &&
            atomic_exchange_explicit(&log->is_unheard, false, memory_order_relaxed))
            thi_log_wake(self);
        return TH_OK;
    case THI_PUSH_CLOSED:
    case THI_PUSH_ALIAS: break;
    }
    atomic_fetch_sub_explicit(&log->waiting, 1, memory_order_relaxed); /* L3 */
    th_msg_destroy(self, msg);
    return drop(self, TH_E_CLOSED);
}

static bool is_logger_writing(struct thi_log *log)
{
    /* relaxed: our own thread wrote it, or the answer is no */
    return atomic_load_explicit(&log->thread, memory_order_relaxed) == (uintptr_t)pthread_self();
}

th_err thi_log_put(th_self *self, const struct thi_log_what *what, const char *format, va_list args)
{
    struct thi_stage *stage = thi_stage_of(self);
    struct thi_log *log = &stage->log;
    char text[TH_LOG_TEXT_SIZE];
    struct draft draft = { .what = what,
                           .class_name = thi_speaker_class_name(self),
                           .file = base_name(what->site ? what->site->file : NULL),
                           .text = text };
    uint64_t now = thi_clock_steady(&stage->clock), held;
    th_msg *msg;

    thi_count(self, THI_STAT_LOG_ACCEPTED);
    if (thi_stage_is_down(stage) || (!self->worker && thi_outsider_check(self)))
        return drop(self, TH_E_CLOSED);
    if (is_logger_writing(log)) { /* L4 */
        thi_count(self, THI_STAT_LOG_SUPPRESSED);
        return TH_E_STATE;
    }
    if (what->site || what->key) /* a flood need not even be put into words */
        text[0] = '\0';
    else
        draft.text_size = format_text(text, sizeof(text), format, args);
    if (!may_pass(self, &draft, now, &held))
        return TH_E_LIMIT;
    if (!take_place(log))
        return drop(self, TH_E_LIMIT);
    if (what->site || what->key)
        draft.text_size = format_text(text, sizeof(text), format, args);
    msg = make_entry(self, &draft, thi_clock_now(&stage->clock), held);
    if (!msg) {
        atomic_fetch_sub_explicit(&log->waiting, 1, memory_order_relaxed); /* L3 */
        return drop(self, TH_E_NOMEM);
    }
    return enqueue(self, log, msg);
}

th_err th_log_write(th_self *self, th_log_level level, const th_log_site *site,
                    const th_log_field *fields, uint32_t field_count, const char *format, ...)
{
    struct thi_log_what what = {
        .level = level, .site = site, .fields = fields, .field_count = field_count
    };
    va_list args;
    th_err err;

    if (!self || !format || (field_count && !fields) || level < TH_LOG_TRACE || level >= TH_LOG_OFF)
        return TH_E_INVALID;
    if (thi_stage_check(thi_stage_of(self)) == TH_E_FORKED)
        return TH_E_FORKED;
    if (level < thi_log_gate(self))
        return TH_OK;
    va_start(args, format);
    err = thi_log_put(self, &what, format, args);
    va_end(args);
    return err;
}
