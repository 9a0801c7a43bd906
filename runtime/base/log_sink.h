/* log_sink.h: where records end up. Seam: log_file.c, log_syslog.c and log_journald.c fill it in.
 *
 * One thread, the logger's. A sink opens what it needs when it is first written to, and again when
 * that went away; no error of the outside world is more than a record not taken.
 *
 * K1. A record is taken whole or not at all; where the kernel took half a line, the next one taken
 *     begins on a new line.
 * K2. Nothing waits longer than TH_LOG_SINK_WAIT_NS, and once that has passed in vain not at all
 *     until something is taken again. (A user's function is beyond this.)
 * K3. SIGPIPE and SIGXFSZ reach nobody: thi_log_guard_begin() blocks them around all writing. */
#ifndef THI_BASE_LOG_SINK_H
#define THI_BASE_LOG_SINK_H

#include <signal.h>
#include <sys/types.h>

#include <thespis/config.h>
#include <thespis/log.h>

enum { THI_LOG_PATH_SIZE = 1024 };

/* A rendered record: all of TEXT and FIELDS as \u00xx, and what stands around them. */
#define THI_LOG_LINE_SIZE (6 * (TH_LOG_TEXT_SIZE + TH_LOG_FIELDS_BYTES_MAX) + 4096)

struct thi_log_sink;

struct thi_log_sink_ops {
    /* @line: THI_LOG_LINE_SIZE bytes to work in. Whether it was taken. */
    bool (*write)(struct thi_log_sink *sink, const th_log_record *record, char *line);
    void (*close)(struct thi_log_sink *sink);
};

struct thi_log_sink {
    const struct thi_log_sink_ops *ops;
    th_log_sink options; /* with defaults in place; the path is below */
    char path[THI_LOG_PATH_SIZE];

    int fd; /* -1: not open */
    bool is_torn;
    bool is_stuck;
    uint64_t size; /* FILE: of the open one */
    bool is_regular;
    dev_t device; /* and which it is */
    ino_t inode;
};

/* What find_fault() of config.c asks. NULL: nothing is wrong. */
const char *thi_log_sink_fault(const th_log_sink *options);

/* @options have no fault. */
void thi_log_sink_init(struct thi_log_sink *sink, const th_log_sink *options);

/* Whether @sink wants records of @level at all. */
static inline bool thi_log_sink_wants(const struct thi_log_sink *sink, th_log_level level)
{
    return level >= sink->options.threshold;
}

bool thi_log_sink_write(struct thi_log_sink *sink, const th_log_record *record, char *line);
void thi_log_sink_close(struct thi_log_sink *sink);

extern const struct thi_log_sink_ops thi_log_stderr_ops, thi_log_file_ops, thi_log_syslog_ops,
    thi_log_journald_ops;

/* ---- K3 ---- */

struct thi_log_guard {
    sigset_t before, pending_before;
};

void thi_log_guard_begin(struct thi_log_guard *guard);
void thi_log_guard_end(const struct thi_log_guard *guard);

/* ---- for those who fill it in ---- */

/* A line with its end, K1 and K2. */
bool thi_log_sink_put_line(struct thi_log_sink *sink, char *line, size_t length);

/* A datagram to sink->path, which is connected to first; again if nobody listens any more.
 * 0, or an errno. @pass: a descriptor to go with it, or -1. */
int thi_log_sink_send(struct thi_log_sink *sink, const char *data, size_t size, int pass);

#endif
