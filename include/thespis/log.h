/* log.h: what actors have to say to people.
 *
 *     th_log_info(self, "listening on port %d", port);
 *     th_log_with(self, TH_LOG_WARN, "retry", th_kv_str("peer", name), th_kv_u64("attempt", n));
 *
 * A record that passes its threshold is made where it is logged and waits in a bounded queue of
 * the system; the logger, an actor with a thread of its own, writes it to the sinks. So logging
 * never waits for a file or a socket, and what does not fit is counted and said later: written +
 * suppressed + dropped + waiting = accepted (status.h), always. The logger starts with the first
 * record; a system that logs nothing has none.
 *
 * Thresholds. What is below is not evaluated: the macros load one byte of the handle and skip
 * their arguments. A record needs at least the threshold of its actor, else of the first rule that
 * fits the actor's class, else of the system. All can change at run time. Handles of threads that
 * are no actors have the class "" (the rule "" is theirs).
 *
 * Environment. A system whose th_options.log is NULL, or does not say ignore_environment, reads
 *     THESPIS_LOG               "info", or rules: "warn,counter=debug,net.*=trace"
 *     THESPIS_LOG_THRESHOLD     only a level: CRITICAL, ERROR, WARNING, INFO, DEBUG, as Thespian's
 *     THESPIS_LOG_SINK          of stderr, file, syslog, journald, none; several by commas
 *     THESPIS_LOG_FILE          a path; the sink is a file then, unless THESPIS_LOG_SINK says else
 *     THESPIS_LOG_FILE_MAXSIZE  bytes; below TH_LOG_FILE_SIZE_LEAST there is no log file
 *     THESPIS_LOG_FORMAT        text or json
 * in th_system_create(), and nothing of it in a program that runs with somebody else's privileges
 * (secure_getenv). What options say explicitly comes first; what cannot be read is said at WARN
 * once the system has started.
 *
 * Without either: WARN and above, to stderr. */
#ifndef THESPIS_LOG_H
#define THESPIS_LOG_H

#ifndef __cplusplus
#include <stdatomic.h>
#endif

#include <thespis/actor.h>

typedef enum th_log_level {
    TH_LOG_DEFAULT, /* in options and rules: whatever holds otherwise */
    TH_LOG_TRACE,
    TH_LOG_DEBUG,
    TH_LOG_INFO,
    TH_LOG_WARN,
    TH_LOG_ERROR,
    TH_LOG_CRITICAL,
    TH_LOG_OFF /* as a threshold: nothing */
} th_log_level;

typedef enum th_log_format { TH_LOG_FORMAT_TEXT, TH_LOG_FORMAT_JSON } th_log_format;

/* ---- fields: what a record says beside its text ---- */

typedef enum th_log_kind {
    TH_LOG_KIND_BOOL,
    TH_LOG_KIND_I64,
    TH_LOG_KIND_U64,
    TH_LOG_KIND_F64,
    TH_LOG_KIND_STR,
    TH_LOG_KIND_ADDR
} th_log_kind;

/** key=value. Made by th_kv_...(); read by sinks of your own. */
typedef struct th_log_field {
    const char *key;
    th_log_kind kind;
    union {
        bool b;
        int64_t i;
        uint64_t u;
        double f;
        const char *s; /* STR: @size bytes, any; a NULL s is "(null)" */
        th_addr addr;
    } value;
    size_t size;
} th_log_field;

/** Where in the source, and how much of it a second. Static; made by the macros. */
typedef struct th_log_site {
    const char *file;
    uint32_t line;
    uint32_t per_second; /* 0: the system's rate_max */
} th_log_site;

/** One record, as sinks see it. All of it [lend], for the call. */
typedef struct th_log_record {
    uint64_t number;   /* of this system's records, in the order they were queued for the logger;
                           what it says itself has 0 */
    uint64_t time_ns;  /* since 1970, UTC; on the simple base, too */
    uint64_t clock_ns; /* th_now(): monotonic, or virtual */
    th_log_level level;
    th_addr actor;          /* or endpoint; none: the logger or the watchdog */
    const char *class_name; /* "" for handles that are no actor's */
    const char *system;     /* its name */
    int32_t worker;         /* index; -1: none */
    const char *file;       /* NULL: unknown */
    uint32_t line;
    uint64_t suppressed; /* records like this one left out before it */
    const char *text;    /* NUL-terminated; may hold anything else, also invalid UTF-8 */
    size_t text_size;    /* without the NUL */
    const th_log_field *fields;
    uint32_t field_count;
} th_log_record;

/* ---- sinks ---- */

typedef enum th_log_sink_kind {
    TH_LOG_SINK_NONE,     /* nothing; alone, nothing is worth logging */
    TH_LOG_SINK_STDERR,   /* descriptor 2 */
    TH_LOG_SINK_FILE,     /* appended; at size_max it becomes path.1, that path.2, ... path.keep */
    TH_LOG_SINK_SYSLOG,   /* RFC 5424 in datagrams to path ("/dev/log") */
    TH_LOG_SINK_JOURNALD, /* its native protocol, to path ("/run/systemd/journal/socket") */
    TH_LOG_SINK_FUNCTION  /* yours */
} th_log_sink_kind;

/** Where records go. Zero is the default everywhere. Copied by th_system_create(). */
typedef struct th_log_sink {
    th_log_sink_kind kind;
    th_log_level threshold; /* this sink takes only these; DEFAULT: all */
    th_log_format format;   /* STDERR and FILE */
    const char *path;       /* FILE: needed. SYSLOG, JOURNALD: another socket than the usual */
    uint64_t size_max;      /* FILE: bytes; 0: TH_LOG_FILE_SIZE_DEFAULT */
    uint32_t keep;          /* FILE: old files; 0: TH_LOG_FILE_KEEP_DEFAULT */
    /** FUNCTION: gets each record, on the logger's thread (simple base: on whoever drives), one at
     * a time. Not TH_OK: it was not taken. Must not block: what waits behind it is dropped in the
     * end, and a shutdown waits for it. What it logs itself is suppressed. */
    th_err (*write)(void *context, const th_log_record *record);
    void *context; /* [keep] until th_system_destroy() */
} th_log_sink;

/** th_options.log. Zero is the default everywhere. Copied by th_system_create(). */
typedef struct th_log_options {
    th_log_level threshold;   /* DEFAULT: WARN */
    const char *rules;        /* "class=level,...": see th_log_rules(); NULL: none */
    const th_log_sink *sinks; /* at most TH_LOG_SINKS_MAX; NULL: stderr */
    uint32_t sink_count;
    uint32_t queue_max; /* records that may wait; 0: TH_LOG_QUEUE_DEFAULT */
    uint32_t rate_max;  /* records a second from one call site; 0: TH_LOG_RATE_DEFAULT;
                           UINT32_MAX: any number */
    bool ignore_environment;
} th_log_options;

/** Records of one system since its start (status.h). */
typedef struct th_log_counts {
    uint64_t accepted;   /* passed their threshold */
    uint64_t written;    /* taken by a sink, or wanted by none */
    uint64_t suppressed; /* past their rate, or logged by a sink */
    uint64_t dropped;    /* the queue was full, no memory, no sink took it, or it came too late */
    uint64_t waiting;  /* in the queue now; at any quiet moment the sum of these four is accepted */
    uint64_t refusals; /* times a sink could not take a record */
    uint64_t loggers;  /* started; more than one: it died and was started again */
} th_log_counts;

TH_BEGIN_C

/* ---- logging ---- */

/** Whether @self's records of @level pass their threshold. From the thread that holds @self.
 * NULL: no. What the macros ask first is th_log_is_on(), which is quicker and may say yes once too
 * often. */
TH_API bool th_log_enabled(th_self *self, th_log_level level);

/** Logs, if the threshold lets it pass (TH_OK, too, if it does not). Works in init, receive and
 * exit functions, between th_blocking_begin() and _end(), and on endpoints. Never blocks. @site may
 * be NULL: then a rate is kept for each (actor, text). @fields [lend]; more than TH_LOG_FIELDS_MAX
 * are counted only. A text longer than TH_LOG_TEXT_SIZE is cut, and says so.
 * TH_E_LIMIT: suppressed or dropped, and counted. TH_E_NOMEM: dropped. TH_E_CLOSED: the system has
 * shut down, dropped. TH_E_STATE: a sink logs. TH_E_FORKED. */
TH_API th_err th_log_write(th_self *self, th_log_level level, const th_log_site *site,
                           const th_log_field *fields, uint32_t field_count, const char *format,
                           ...) TH_PRINTF(6, 7);

/* ---- thresholds, at run time, from any thread ---- */

/** The system's threshold. TH_E_INVALID: no level. TH_E_STATE: it is being started. */
TH_API TH_NODISCARD th_err th_log_threshold(th_system *system, th_log_level level);

/** Replaces the rules: "pattern=level" by commas, the first that fits a class's name counts; in a
 * pattern * is any text and ? any character. A level alone is the system's threshold. "" takes all
 * rules away. TH_E_PARSE: nothing was changed. TH_E_LIMIT: more than TH_LOG_RULES_MAX. */
TH_API TH_NODISCARD th_err th_log_rules(th_system *system, const char *rules);

/** One actor's threshold, before all rules; DEFAULT takes it away. TH_E_FOREIGN. TH_E_LIMIT:
 * TH_LOG_ACTORS_MAX others have one. */
TH_API TH_NODISCARD th_err th_log_actor_threshold(th_system *system, th_addr actor,
                                                  th_log_level level);

/** Waits until all records accepted before are written or given up. TH_E_TIMEOUT.
 * TH_E_NOT_ALLOWED: from an actor. TH_E_CLOSED. */
TH_API TH_NODISCARD th_err th_log_flush(th_system *system, uint64_t timeout_ns);

/* ---- for sinks ---- */

/** @record as one line without its end, in UTF-8: every control character and invalid byte is
 * escaped. As snprintf(). */
TH_API size_t th_log_record_print(const th_log_record *record, th_log_format format, char *text,
                                  size_t size);

/** "trace" to "critical", "off", "default"; never NULL. */
TH_API const char *th_log_level_name(th_log_level level);

/** Reads a level's name in any case; "warning" is warn. TH_E_PARSE. */
TH_API TH_NODISCARD th_err th_log_level_parse(const char *text, th_log_level *level_out);

TH_END_C

/* ---- fields ---- */

static inline th_log_field th_kv_bool(const char *key, bool value)
{
    th_log_field field;

    field.key = key;
    field.kind = TH_LOG_KIND_BOOL;
    field.value.b = value;
    field.size = 0;
    return field;
}

static inline th_log_field th_kv_i64(const char *key, int64_t value)
{
    th_log_field field;

    field.key = key;
    field.kind = TH_LOG_KIND_I64;
    field.value.i = value;
    field.size = 0;
    return field;
}

static inline th_log_field th_kv_u64(const char *key, uint64_t value)
{
    th_log_field field;

    field.key = key;
    field.kind = TH_LOG_KIND_U64;
    field.value.u = value;
    field.size = 0;
    return field;
}

static inline th_log_field th_kv_f64(const char *key, double value)
{
    th_log_field field;

    field.key = key;
    field.kind = TH_LOG_KIND_F64;
    field.value.f = value;
    field.size = 0;
    return field;
}

/** @size bytes, which may be anything. */
static inline th_log_field th_kv_bytes(const char *key, const char *value, size_t size)
{
    th_log_field field;

    field.key = key;
    field.kind = TH_LOG_KIND_STR;
    field.value.s = value;
    field.size = value ? size : 0;
    return field;
}

static inline th_log_field th_kv_str(const char *key, const char *value)
{
    return th_kv_bytes(key, value, value ? strlen(value) : 0);
}

static inline th_log_field th_kv_addr(const char *key, th_addr value)
{
    th_log_field field;

    field.key = key;
    field.kind = TH_LOG_KIND_ADDR;
    field.value.addr = value;
    field.size = 0;
    return field;
}

/* ---- the macros ---- */

/** Whether a record of @level is worth making: the byte that every handle begins with is its
 * threshold, or 0 as long as nobody worked it out. */
#ifdef __cplusplus
static inline bool th_log_is_on(th_self *self, th_log_level level)
{
    return th_log_enabled(self, level);
}
#else
static inline bool th_log_is_on(th_self *self, th_log_level level)
{
    /* relaxed: a threshold that just changed may be seen a moment later; th_log_write() decides */
    return self && (uint32_t)level >=
                       atomic_load_explicit((_Atomic uint8_t *)(void *)self, memory_order_relaxed);
}
#endif

/* What the three below become. The arguments are evaluated only if the record passes. */
#define TH_LOG_MAKE(self, level, rate, fields, ...)                                                \
    do {                                                                                           \
        th_self *th_log_self_ = (self);                                                            \
        if (TH_UNLIKELY(th_log_is_on(th_log_self_, (level)))) {                                    \
            static const th_log_site th_log_site_ = { __FILE__, __LINE__, (rate) };                \
            (void)th_log_write(th_log_self_, (level), &th_log_site_, fields, __VA_ARGS__);         \
        }                                                                                          \
    } while (0)

/* Two arguments of th_log_write() each: an array for as long as the call, and its length. */
#define TH_LOG_NO_FIELDS NULL, 0
#define TH_LOG_FIELDS(...)                                                                         \
    TH_LOG_ARRAY(__VA_ARGS__), (uint32_t)(sizeof(TH_LOG_ARRAY(__VA_ARGS__)) / sizeof(th_log_field))
#ifdef __cplusplus
extern "C++" {
template <class... Fields> struct thi_log_array {
    th_log_field all[sizeof...(Fields)];
};
template <class... Fields> inline thi_log_array<Fields...> thi_log_array_of(Fields... fields)
{
    return { { fields... } };
}
}
#define TH_LOG_ARRAY(...) thi_log_array_of(__VA_ARGS__).all
#else
#define TH_LOG_ARRAY(...) ((const th_log_field[]){ __VA_ARGS__ })
#endif

/** A printf-like text. */
#define th_log(self, level, ...) TH_LOG_MAKE(self, level, 0, TH_LOG_NO_FIELDS, __VA_ARGS__)

/** The same, at most @rate times a second from this line. */
#define th_log_limited(self, level, rate, ...)                                                     \
    TH_LOG_MAKE(self, level, rate, TH_LOG_NO_FIELDS, __VA_ARGS__)

/** A text as it is, and fields: th_kv_...() by commas. */
#define th_log_with(self, level, text, ...)                                                        \
    TH_LOG_MAKE(self, level, 0, TH_LOG_FIELDS(__VA_ARGS__), "%s", (text))

#define th_log_trace(self, ...)    th_log(self, TH_LOG_TRACE, __VA_ARGS__)
#define th_log_debug(self, ...)    th_log(self, TH_LOG_DEBUG, __VA_ARGS__)
#define th_log_info(self, ...)     th_log(self, TH_LOG_INFO, __VA_ARGS__)
#define th_log_warn(self, ...)     th_log(self, TH_LOG_WARN, __VA_ARGS__)
#define th_log_error(self, ...)    th_log(self, TH_LOG_ERROR, __VA_ARGS__)
#define th_log_critical(self, ...) th_log(self, TH_LOG_CRITICAL, __VA_ARGS__)

#endif
