#include "runtime/system/logging.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/system/external.h"
#include "runtime/actor/mail.h"
#include "mailbox/msg.h"
#include <thespis/external.h>

/* ---- options ---- */

const char *thi_logging_fault(const th_log_options *options)
{
    struct thi_log_rules rules = { 0 };

    if (!options)
        return NULL;
    if (options->threshold > TH_LOG_OFF)
        return "log: the threshold is no level";
    if (options->rules && thi_log_rules_parse(&rules, options->rules))
        return "log: rules that cannot be read, or too many";
    if (options->sink_count > TH_LOG_SINKS_MAX)
        return "log: more sinks than TH_LOG_SINKS_MAX";
    if (options->sink_count && !options->sinks)
        return "log: sinks are counted, but not given";
    for (uint32_t i = 0; i < options->sink_count; i++) {
        const char *fault = thi_log_sink_fault(&options->sinks[i]);

        if (fault)
            return fault;
    }
    return NULL;
}

/* ---- the environment ---- */

/* Options put together from both, and room for what they point to. */
struct mixture {
    th_log_options options;
    th_log_sink sinks[TH_LOG_SINKS_MAX];
    char path[THI_LOG_PATH_SIZE];
    char complaint[128];
};

/* The first one stays. */
static void complain(struct mixture *mixture, const char *name)
{
    if (!mixture->complaint[0])
        snprintf(mixture->complaint, sizeof(mixture->complaint), "%s cannot be read", name);
}

static const char *look_up(const char *name)
{
    const char *value = secure_getenv(name);

    return value && *value ? value : NULL;
}

static void read_thresholds(struct mixture *mixture)
{
    const char *rules = look_up("THESPIS_LOG");
    const char *threshold = look_up("THESPIS_LOG_THRESHOLD");
    struct thi_log_rules parsed = { 0 };
    th_log_level level = TH_LOG_DEFAULT;

    if (threshold && th_log_level_parse(threshold, &level))
        complain(mixture, "THESPIS_LOG_THRESHOLD");
    if (rules && thi_log_rules_parse(&parsed, rules)) {
        complain(mixture, "THESPIS_LOG");
        rules = NULL;
    }
    if (!mixture->options.rules)
        mixture->options.rules = rules;
    if (!mixture->options.threshold && !parsed.threshold)
        mixture->options.threshold = level;
}

static th_log_format read_format(struct mixture *mixture)
{
    const char *format = look_up("THESPIS_LOG_FORMAT");

    if (format && strcmp(format, "json") == 0)
        return TH_LOG_FORMAT_JSON;
    if (format && strcmp(format, "text") != 0)
        complain(mixture, "THESPIS_LOG_FORMAT");
    return TH_LOG_FORMAT_TEXT;
}

/* 0: there is to be no file. */
static uint64_t read_size(struct mixture *mixture)
{
    const char *text = look_up("THESPIS_LOG_FILE_MAXSIZE");
    unsigned long long size;
    char *end;

    if (!text)
        return TH_LOG_FILE_SIZE_DEFAULT;
    size = strtoull(text, &end, 10);
    if (*end || *text == '-') {
        complain(mixture, "THESPIS_LOG_FILE_MAXSIZE");
        return TH_LOG_FILE_SIZE_DEFAULT;
    }
    return size < TH_LOG_FILE_SIZE_LEAST ? 0 : size;
}

static void add_sink(struct mixture *mixture, th_log_sink sink)
{
    const char *folder = look_up("TMPDIR"), *path = look_up("THESPIS_LOG_FILE");

    if (sink.kind == TH_LOG_SINK_FILE) {
        if (path)
            snprintf(mixture->path, sizeof(mixture->path), "%s", path);
        else
            snprintf(mixture->path, sizeof(mixture->path), "%s/thespis.log",
                     folder ? folder : "/tmp");
        sink.path = mixture->path;
        if (!(sink.size_max = read_size(mixture)))
            return;
    }
    if (thi_log_sink_fault(&sink) || (path && strlen(path) >= sizeof(mixture->path)))
        complain(mixture, "THESPIS_LOG_FILE");
    else if (mixture->options.sink_count < TH_LOG_SINKS_MAX)
        mixture->sinks[mixture->options.sink_count++] = sink;
}

static void read_sinks(struct mixture *mixture)
{
    static const struct {
        const char *name;
        th_log_sink_kind kind;
    } kinds[] = { { "none", TH_LOG_SINK_NONE },
                  { "stderr", TH_LOG_SINK_STDERR },
                  { "file", TH_LOG_SINK_FILE },
                  { "syslog", TH_LOG_SINK_SYSLOG },
                  { "journald", TH_LOG_SINK_JOURNALD } };
    const char *names = look_up("THESPIS_LOG_SINK");
    th_log_format format = read_format(mixture);

    if (!names)
        names = look_up("THESPIS_LOG_FILE") ? "file" : "stderr";
    while (*names) {
        size_t length = strcspn(names, ","), i = 0;
        size_t count = sizeof(kinds) / sizeof(kinds[0]);

        while (i < count &&
               (strlen(kinds[i].name) != length || strncmp(kinds[i].name, names, length) != 0))
            i++;
        if (i < count)
            add_sink(mixture, (th_log_sink){ .kind = kinds[i].kind, .format = format });
        else
            complain(mixture, "THESPIS_LOG_SINK");
        names += length + (names[length] == ',');
    }
}

void thi_logging_init(th_system *system, const th_log_options *options)
{
    struct mixture mixture = { .complaint = "" };
    struct thi_log *log = &system->stage.log;

    if (options)
        mixture.options = *options;
    if (!mixture.options.ignore_environment)
        read_thresholds(&mixture);
    if (!mixture.options.sinks) {
        mixture.options.sinks = mixture.sinks;
        if (mixture.options.ignore_environment)
            mixture.sinks[mixture.options.sink_count++].kind = TH_LOG_SINK_STDERR;
        else
            read_sinks(&mixture);
    }
    thi_log_init(log, &mixture.options, system->name);
    memcpy(log->complaint, mixture.complaint, sizeof(log->complaint));
}

void thi_logging_started(th_system *system)
{
    th_self *self = &system->self->endpoint.self;
    const char *complaint = system->stage.log.complaint;

    th_log_with(self, TH_LOG_INFO, "system started", th_kv_str("name", system->name),
                th_kv_str("version", th_version()),
                th_kv_str("base", system->stage.base == TH_BASE_SIMPLE ? "simple" : "pool"),
                th_kv_u64("workers", system->options.workers));
    if (*complaint)
        th_log_warn(self, "environment: %s", complaint);
    /* the watchdog speaks when the admin's worker may hang with the others */
    if (system->watchdog.is_started && !system->options.watchdog && !system->stage.log.is_off)
        thi_log_wake(self);
}

/* ---- thresholds at run time ---- */

/* Changes @rules; called under the log's lock. */
typedef th_err (*change)(struct thi_log_rules *rules, const void *how);

static void forget_endpoints(th_system *system)
{
    for (struct thi_external *external = system->externals; external; external = external->next)
        /* relaxed: under the lock (L1 of actor/log.h) */
        atomic_store_explicit(&external->endpoint.self.voice.log_gate, 0, memory_order_relaxed);
}

static th_err apply(th_system *system, change how, const void *what)
{
    struct thi_log *log = &system->stage.log;
    enum thi_system_state state = thi_system_state(system);
    bool is_simple;
    th_err err;

    if (state == THI_SYSTEM_FORKED)
        return TH_E_FORKED;
    if (state == THI_SYSTEM_STARTING)
        return TH_E_STATE;
    if (state == THI_SYSTEM_DOWN)
        return TH_E_CLOSED;
    is_simple = state == THI_SYSTEM_RUNNING && thi_system_is_simple(system);
    if (is_simple) /* where a cell is used again at once, and not after a grace period */
        thi_stage_enter(&system->stage);
    pthread_mutex_lock(&system->lock); /* the list of endpoints */
    pthread_mutex_lock(&log->lock);
    err = how(&log->rules, what);
    if (!err && state == THI_SYSTEM_RUNNING) {
        forget_endpoints(system);
        thi_log_forget_gates(&system->stage);
    }
    pthread_mutex_unlock(&log->lock);
    pthread_mutex_unlock(&system->lock);
    if (is_simple)
        thi_stage_leave(&system->stage);
    return err;
}

static th_err set_threshold(struct thi_log_rules *rules, const void *level)
{
    rules->threshold = *(const th_log_level *)level;
    return TH_OK;
}

th_err th_log_threshold(th_system *system, th_log_level level)
{
    if (!system || level < TH_LOG_TRACE || level > TH_LOG_OFF)
        return TH_E_INVALID;
    return apply(system, set_threshold, &level);
}

static th_err set_rules(struct thi_log_rules *rules, const void *text)
{
    return thi_log_rules_parse(rules, text);
}

th_err th_log_rules(th_system *system, const char *rules)
{
    if (!system || !rules)
        return TH_E_INVALID;
    return apply(system, set_rules, rules);
}

struct of_actor {
    th_addr actor;
    th_log_level level;
};

static th_err set_actor(struct thi_log_rules *rules, const void *of)
{
    const struct of_actor *actor = of;

    return thi_log_rules_set_actor(rules, actor->actor, actor->level);
}

th_err th_log_actor_threshold(th_system *system, th_addr actor, th_log_level level)
{
    struct of_actor of = { actor, level };

    if (!system || level > TH_LOG_OFF || th_addr_is_none(actor))
        return TH_E_INVALID;
    if (actor.system != system->stage.id)
        return TH_E_FOREIGN;
    return apply(system, set_actor, &of);
}

/* ---- flush ---- */

th_err th_log_flush(th_system *system, uint64_t timeout_ns)
{
    th_err err = thi_system_check(system);
    struct thi_external *external;
    th_msg *question, *answer = NULL;

    if (err)
        return err;
    if (thi_system_is_actors_thread(system))
        return TH_E_NOT_ALLOWED;
    /* acquire: the caller sees what the sinks did; relaxed would do for the count (L3) */
    if (atomic_load_explicit(&system->stage.log.waiting, memory_order_acquire) == 0)
        return TH_OK;
    external = system->self;
    thi_voice_enter(&external->endpoint.self.voice);
    question = thi_msg_create(&external->heap, &thi_log_flush_type, 0);
    thi_voice_leave(&external->endpoint.self.voice);
    if (!question)
        return TH_E_NOMEM;
    err = thi_external_ask(external, system->stage.admin, question, timeout_ns, &answer);
    th_msg_destroy(&external->endpoint.self, answer);
    return err == TH_E_NO_ACTOR ? TH_E_CLOSED : err;
}
