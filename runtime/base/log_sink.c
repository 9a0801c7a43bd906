#include "runtime/base/log_sink.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "runtime/base/clock.h"

/* ---- those that are only a line or two ---- */

static bool none_write(struct thi_log_sink *sink, const th_log_record *record, char *line)
{
    (void)sink;
    (void)record;
    (void)line;
    return true;
}

static bool function_write(struct thi_log_sink *sink, const th_log_record *record, char *line)
{
    (void)line;
    return sink->options.write(sink->options.context, record) == TH_OK;
}

static void nothing_to_close(struct thi_log_sink *sink)
{
    (void)sink;
}

static bool stderr_write(struct thi_log_sink *sink, const th_log_record *record, char *line)
{
    size_t length = th_log_record_print(record, sink->options.format, line, THI_LOG_LINE_SIZE - 2);

    sink->fd = STDERR_FILENO; /* not ours: whatever it is now, as for anybody who writes there */
    return thi_log_sink_put_line(sink, line, length);
}

static const struct thi_log_sink_ops none_ops = { none_write, nothing_to_close };
static const struct thi_log_sink_ops function_ops = { function_write, nothing_to_close };
const struct thi_log_sink_ops thi_log_stderr_ops = { stderr_write, nothing_to_close };

/* ---- life ---- */

static const struct thi_log_sink_ops *ops_of(th_log_sink_kind kind)
{
    switch (kind) {
    case TH_LOG_SINK_NONE: return &none_ops;
    case TH_LOG_SINK_STDERR: return &thi_log_stderr_ops;
    case TH_LOG_SINK_FILE: return &thi_log_file_ops;
    case TH_LOG_SINK_SYSLOG: return &thi_log_syslog_ops;
    case TH_LOG_SINK_JOURNALD: return &thi_log_journald_ops;
    case TH_LOG_SINK_FUNCTION: return &function_ops;
    }
    return NULL;
}

static bool is_socket(th_log_sink_kind kind)
{
    return kind == TH_LOG_SINK_SYSLOG || kind == TH_LOG_SINK_JOURNALD;
}

const char *thi_log_sink_fault(const th_log_sink *options)
{
    size_t room =
        is_socket(options->kind) ? sizeof(((struct sockaddr_un *)0)->sun_path) : THI_LOG_PATH_SIZE;

    if (!ops_of(options->kind))
        return "log: a sink of no known kind";
    if (options->threshold > TH_LOG_OFF)
        return "log: a sink's threshold is no level";
    if (options->format != TH_LOG_FORMAT_TEXT && options->format != TH_LOG_FORMAT_JSON)
        return "log: a sink's format is neither text nor JSON";
    if (options->path && (!*options->path || strnlen(options->path, room) == room))
        return "log: a sink's path is empty or too long";
    if (options->kind == TH_LOG_SINK_FILE && !options->path)
        return "log: a file without a path";
    if (options->size_max && options->size_max < TH_LOG_FILE_SIZE_LEAST)
        return "log: size_max is below TH_LOG_FILE_SIZE_LEAST";
    if (options->keep > TH_LOG_FILE_KEEP_MAX)
        return "log: keep is above TH_LOG_FILE_KEEP_MAX";
    if (options->kind == TH_LOG_SINK_FUNCTION && !options->write)
        return "log: a function sink without a function";
    return NULL;
}

void thi_log_sink_init(struct thi_log_sink *sink, const th_log_sink *options)
{
    const char *path = options->path ? options->path : "";

    memset(sink, 0, sizeof(*sink));
    sink->ops = ops_of(options->kind);
    sink->options = *options;
    if (!*path && options->kind == TH_LOG_SINK_SYSLOG)
        path = "/dev/log";
    if (!*path && options->kind == TH_LOG_SINK_JOURNALD)
        path = "/run/systemd/journal/socket";
    snprintf(sink->path, sizeof(sink->path), "%s", path);
    sink->options.path = NULL; /* sink->path: this struct may be copied */
    if (!sink->options.size_max)
        sink->options.size_max = TH_LOG_FILE_SIZE_DEFAULT;
    if (!sink->options.keep)
        sink->options.keep = TH_LOG_FILE_KEEP_DEFAULT;
    sink->fd = -1;
}

bool thi_log_sink_write(struct thi_log_sink *sink, const th_log_record *record, char *line)
{
    return sink->ops->write(sink, record, line);
}

void thi_log_sink_close(struct thi_log_sink *sink)
{
    sink->ops->close(sink);
    sink->fd = -1;
    sink->is_torn = sink->is_stuck = false;
}

/* ---- signals ---- */

static void fill_guarded(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGPIPE);
    sigaddset(set, SIGXFSZ);
}

void thi_log_guard_begin(struct thi_log_guard *guard)
{
    sigset_t guarded;

    fill_guarded(&guarded);
    sigpending(&guard->pending_before);
    pthread_sigmask(SIG_BLOCK, &guarded, &guard->before);
}

/* What came meanwhile was ours; what waited before is left to whom it was for. */
void thi_log_guard_end(const struct thi_log_guard *guard)
{
    static const struct timespec at_once = { 0, 0 };
    int signals[] = { SIGPIPE, SIGXFSZ };
    sigset_t pending, one;

    sigpending(&pending);
    for (int i = 0; i < 2; i++)
        if (sigismember(&pending, signals[i]) && !sigismember(&guard->pending_before, signals[i])) {
            sigemptyset(&one);
            sigaddset(&one, signals[i]);
            (void)sigtimedwait(&one, NULL, &at_once);
        }
    pthread_sigmask(SIG_SETMASK, &guard->before, NULL);
}

/* ---- descriptors ---- */

/* Until @fd takes something; K2. */
static bool wait_writable(struct thi_log_sink *sink, uint64_t deadline_ns)
{
    struct pollfd poller = { .fd = sink->fd, .events = POLLOUT };
    uint64_t now = sink->is_stuck ? deadline_ns : thi_clock_monotonic();
    int ready;

    do {
        int left_ms = now < deadline_ns ? (int)((deadline_ns - now) / 1000000u) : 0;

        ready = poll(&poller, 1, left_ms);
        now = thi_clock_monotonic();
    } while (ready < 0 && errno == EINTR);
    sink->is_stuck = ready == 0;
    return ready > 0;
}

/* How much of it the kernel took. In pieces that a pipe which says it is writable takes without
 * blocking. */
static size_t write_some(struct thi_log_sink *sink, const char *data, size_t size)
{
    enum { PIECE = 4096 };
    uint64_t deadline = thi_clock_monotonic() + TH_LOG_SINK_WAIT_NS;
    size_t done = 0;

    while (done < size) {
        size_t piece = size - done < PIECE ? size - done : PIECE;
        ssize_t wrote;

        if (!sink->is_regular && !wait_writable(sink, deadline))
            break;
        wrote = write(sink->fd, data + done, piece);
        if (wrote < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (wrote <= 0)
            break;
        done += (size_t)wrote;
    }
    return done;
}

bool thi_log_sink_put_line(struct thi_log_sink *sink, char *line, size_t length)
{
    size_t done;

    if (length > THI_LOG_LINE_SIZE - 3)
        length = THI_LOG_LINE_SIZE - 3; /* cannot be: see THI_LOG_LINE_SIZE */
    line[length++] = '\n';
    if (sink->is_torn) {
        if (write_some(sink, "\n", 1) != 1)
            return false;
        sink->is_torn = false;
        sink->size++;
    }
    done = write_some(sink, line, length);
    sink->size += done;
    sink->is_torn = done > 0 && done < length;
    return done == length;
}

/* ---- datagrams ---- */

static int connect_to(struct thi_log_sink *sink)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return errno;
    snprintf(to.sun_path, sizeof(to.sun_path), "%.*s", (int)sizeof(to.sun_path) - 1, sink->path);
    if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0) {
        int why = errno;

        close(fd);
        return why;
    }
    sink->fd = fd;
    return 0;
}

static int send_once(struct thi_log_sink *sink, const char *data, size_t size, int pass)
{
    struct iovec piece = { (void *)(uintptr_t)data, size };
    struct msghdr message = { .msg_iov = &piece, .msg_iovlen = size ? 1 : 0 };
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control = { .room = { 0 } };

    if (pass >= 0) {
        message.msg_control = &control;
        message.msg_controllen = sizeof(control);
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(&control.header), &pass, sizeof(pass));
    }
    return sendmsg(sink->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? errno : 0;
}

static bool is_gone(int why)
{
    return why == ECONNREFUSED || why == ENOTCONN || why == ECONNRESET || why == EPIPE ||
           why == EBADF;
}

int thi_log_sink_send(struct thi_log_sink *sink, const char *data, size_t size, int pass)
{
    uint64_t deadline = thi_clock_monotonic() + TH_LOG_SINK_WAIT_NS;
    bool was_open = sink->fd >= 0;
    int why = was_open ? 0 : connect_to(sink);

    if (why)
        return why;
    why = send_once(sink, data, size, pass);
    if (is_gone(why)) { /* whoever listened was started anew, at best */
        close(sink->fd);
        sink->fd = -1;
        if (!was_open || (why = connect_to(sink)))
            return why;
        why = send_once(sink, data, size, pass);
    }
    while (why == EAGAIN && wait_writable(sink, deadline))
        why = send_once(sink, data, size, pass);
    if (!why)
        sink->is_stuck = false;
    return why;
}
