/* What sinks make of a world that does not always listen. */
#include "runtime/base/log_sink.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char line[THI_LOG_LINE_SIZE];

static th_log_record record_of(const char *text)
{
    return (th_log_record){ .number = 7,
                            .level = TH_LOG_WARN,
                            .class_name = "a \"class\"]",
                            .system = "test",
                            .worker = -1,
                            .text = text,
                            .text_size = strlen(text) };
}

static bool put(struct thi_log_sink *sink, const char *text)
{
    th_log_record record = record_of(text);
    struct thi_log_guard guard;
    bool taken;

    thi_log_guard_begin(&guard);
    taken = thi_log_sink_write(sink, &record, line);
    thi_log_guard_end(&guard);
    return taken;
}

/* ---- a daemon that listens ---- */

static char folder[64], path[100];

static int daemon_listen(void)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

    snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
    cr_assert_eq(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
    return fd;
}

static void folder_open(void)
{
    snprintf(folder, sizeof(folder), "/tmp/thespis-sink-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/s", folder);
}

static void folder_close(void)
{
    (void)unlink(path);
    cr_assert_eq(rmdir(folder), 0);
}

static struct thi_log_sink sink_to(th_log_sink_kind kind)
{
    th_log_sink options = { .kind = kind, .path = path };
    struct thi_log_sink sink;

    cr_assert_null(thi_log_sink_fault(&options));
    thi_log_sink_init(&sink, &options);
    return sink;
}

static char heard[65536];

static ssize_t hear(int daemon)
{
    ssize_t size = recv(daemon, heard, sizeof(heard) - 1, 0);

    heard[size > 0 ? size : 0] = '\0';
    return size;
}

Test(log_sink, syslog_gets_rfc_5424)
{
    struct thi_log_sink sink;
    int daemon;

    folder_open();
    daemon = daemon_listen();
    sink = sink_to(TH_LOG_SINK_SYSLOG);
    cr_assert(put(&sink, "two\nlines"));
    cr_assert_gt(hear(daemon), 0);
    cr_assert_eq(strncmp(heard, "<12>1 1970-01-01T00:00:00.000000Z - test ", 40), 0, "%s", heard);
    cr_assert_not_null(strstr(heard, "[thespis@32473 number=\"7\" class=\"a \\\"class\\\"\\]\"]"),
                       "%s", heard);
    cr_assert_not_null(strstr(heard, "] two\\nlines"), "%s", heard);
    thi_log_sink_close(&sink);
    close(daemon);
    folder_close();
}

/* Within a datagram that every daemon takes; at each place within a character of three bytes. */
Test(log_sink, syslog_cuts_a_text_between_characters)
{
    static char text[9001];
    struct thi_log_sink sink;
    int daemon;

    folder_open();
    daemon = daemon_listen();
    sink = sink_to(TH_LOG_SINK_SYSLOG);
    for (size_t shift = 0; shift < 3; shift++) {
        const char *first;
        ssize_t size;

        memset(text, 'x', 3);
        for (size_t i = shift; i + 3 < sizeof(text); i += 3)
            memcpy(text + i, "\xe2\x82\xac", 3);
        cr_assert(put(&sink, text));
        size = hear(daemon);
        cr_assert_leq(size, 8192);
        cr_assert_geq(size, 8192 - 2);
        cr_assert_str_eq(heard + size - 3, "...");
        first = strstr(heard, "\xe2\x82\xac");
        cr_assert_eq((heard + size - 3 - first) % 3, 0);
    }
    thi_log_sink_close(&sink);
    close(daemon);
    folder_close();
}

/* Structured data that is cut is none. */
Test(log_sink, syslog_leaves_out_fields_that_do_not_fit)
{
    static char value[1000];
    th_log_field fields[12];
    th_log_record record = record_of("the text is there");
    struct thi_log_sink sink;
    const char *end;
    int daemon;

    memset(value, 0x1b, sizeof(value)); /* escaped, hence longer */
    fields[0] = th_kv_u64("first", 1);
    for (int i = 1; i < 11; i++)
        fields[i] = th_kv_bytes("long", value, sizeof(value));
    fields[11] = th_kv_u64("last", 12);
    record.fields = fields;
    record.field_count = 12;
    folder_open();
    daemon = daemon_listen();
    sink = sink_to(TH_LOG_SINK_SYSLOG);
    cr_assert(thi_log_sink_write(&sink, &record, line));
    cr_assert_gt(hear(daemon), 0);
    cr_assert_not_null(strstr(heard, "[fields@32473 first=\"1\" long=\""), "%.200s", heard);
    end = strstr(heard, " last=\"12\" left_out=\"");
    cr_assert_not_null(end, "%.200s", heard);
    cr_assert_not_null(strstr(end, "\"] the text is there"), "%s", end);
    thi_log_sink_close(&sink);
    close(daemon);
    folder_close();
}

Test(log_sink, a_daemon_that_starts_anew_is_found)
{
    struct thi_log_sink sink;
    int daemon;

    folder_open();
    sink = sink_to(TH_LOG_SINK_SYSLOG);
    cr_assert_not(put(&sink, "nobody listens"));
    daemon = daemon_listen();
    cr_assert(put(&sink, "one"));
    close(daemon);
    (void)unlink(path);
    cr_assert_not(put(&sink, "nobody again"));
    daemon = daemon_listen();
    cr_assert(put(&sink, "two"));
    cr_assert_gt(hear(daemon), 0);
    cr_assert_not_null(strstr(heard, "two"));
    thi_log_sink_close(&sink);
    close(daemon);
    folder_close();
}

Test(log_sink, a_daemon_that_does_not_read_costs_one_wait)
{
    struct thi_log_sink sink;
    int daemon, taken = 0;

    folder_open();
    daemon = daemon_listen();
    sink = sink_to(TH_LOG_SINK_SYSLOG);
    while (taken < 100000 && put(&sink, "on and on"))
        taken++;
    cr_assert_lt(taken, 100000);
    cr_assert(sink.is_stuck);
    for (int i = 0; i < 1000; i++) /* each would wait, if it did: past every limit */
        cr_assert_not(put(&sink, "not taken"));
    while (hear(daemon) > 0)
        continue;
    cr_assert(put(&sink, "taken again"));
    thi_log_sink_close(&sink);
    close(daemon);
    folder_close();
}

Test(log_sink, journald_gets_its_own_protocol)
{
    static const char text[] = "two\nlines";
    struct thi_log_sink sink;
    int daemon;

    folder_open();
    daemon = daemon_listen();
    sink = sink_to(TH_LOG_SINK_JOURNALD);
    cr_assert(put(&sink, text));
    cr_assert_gt(hear(daemon), 0);
    cr_assert_arr_eq(heard, "MESSAGE\n\x09\0\0\0\0\0\0\0two\nlines\n", 26);
    cr_assert_not_null(strstr(heard + 26, "PRIORITY=4\n"));
    cr_assert_not_null(strstr(heard + 26, "THESPIS_CLASS=a \"class\"]\n"));
    cr_assert_not_null(strstr(heard + 26, "THESPIS_NUMBER=7\n"));
    thi_log_sink_close(&sink);
    close(daemon);
    folder_close();
}

/* The descriptor that came with a datagram of nothing. */
static int hear_descriptor(int daemon)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control = { .room = { 0 } };
    struct iovec piece = { heard, sizeof(heard) };
    struct msghdr message = { .msg_iov = &piece,
                              .msg_iovlen = 1,
                              .msg_control = &control,
                              .msg_controllen = sizeof(control) };
    int fd = -1;

    cr_assert_eq(recvmsg(daemon, &message, MSG_CMSG_CLOEXEC), 0);
    cr_assert_eq(control.header.cmsg_type, SCM_RIGHTS);
    memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
    return fd;
}

/* The kernel takes no datagram of that size, so the record goes as a file in memory, sealed. */
Test(log_sink, journald_gets_what_is_too_large_as_a_memfd)
{
    enum { SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL };
    static char text[12000], got[20000];
    int daemon, fd, small = 1;
    struct thi_log_sink sink;
    ssize_t size;

    memset(text, 'x', sizeof(text) - 1);
    folder_open();
    daemon = daemon_listen();
    sink = sink_to(TH_LOG_SINK_JOURNALD);
    cr_assert(put(&sink, "small"));
    cr_assert_gt(hear(daemon), 0);
    cr_assert_eq(setsockopt(sink.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
    cr_assert(put(&sink, text));
    fd = hear_descriptor(daemon);
    cr_assert_geq(fd, 0);
    cr_assert_eq(fcntl(fd, F_GET_SEALS) & SEALS, SEALS);
    size = pread(fd, got, sizeof(got) - 1, 0);
    cr_assert_gt(size, (ssize_t)sizeof(text));
    cr_assert_eq(strncmp(got, "MESSAGE=xxx", 11), 0);
    cr_assert_eq(strncmp(got + 8 + sizeof(text) - 1, "\nPRIORITY=4\n", 12), 0);
    close(fd);
    cr_assert(put(&sink, "small again"));
    cr_assert_gt(hear(daemon), 0);
    cr_assert_eq(strncmp(heard, "MESSAGE=small again\n", 20), 0);
    thi_log_sink_close(&sink);
    close(daemon);
    folder_close();
}

/* ---- descriptors ---- */

/* Descriptor 2 becomes @fd until stderr_restore(). */
static int stderr_become(int fd)
{
    int saved = dup(STDERR_FILENO);

    if (fd < 0)
        close(STDERR_FILENO);
    else
        dup2(fd, STDERR_FILENO);
    return saved;
}

static void stderr_restore(int saved)
{
    dup2(saved, STDERR_FILENO);
    close(saved);
}

Test(log_sink, a_closed_stderr_refuses)
{
    struct thi_log_sink sink;
    int saved;
    bool taken;

    thi_log_sink_init(&sink, &(th_log_sink){ .kind = TH_LOG_SINK_STDERR });
    saved = stderr_become(-1);
    taken = put(&sink, "nobody");
    stderr_restore(saved);
    cr_assert_not(taken);
}

Test(log_sink, a_pipe_that_nobody_reads_costs_one_wait_and_a_closed_one_no_signal)
{
    struct thi_log_sink sink;
    int ends[2], saved, taken = 0, late = 0;
    bool again, broken;

    thi_log_sink_init(&sink, &(th_log_sink){ .kind = TH_LOG_SINK_STDERR });
    cr_assert_eq(pipe(ends), 0);
    saved = stderr_become(ends[1]);
    while (taken < 100000 && put(&sink, "on and on and on"))
        taken++;
    for (int i = 0; i < 1000; i++)
        late += put(&sink, "not taken");
    while (read(ends[0], heard, sizeof(heard)) == (ssize_t)sizeof(heard))
        continue;
    again = put(&sink, "taken again");
    close(ends[0]);
    broken = put(&sink, "nobody will ever read this");
    stderr_restore(saved);
    close(ends[1]);
    cr_assert_lt(taken, 100000);
    cr_assert_eq(late, 0);
    cr_assert(again);
    cr_assert_not(broken);
}

Test(log_sink, a_file_past_what_the_process_may_write_is_no_signal)
{
    struct rlimit before, small;
    struct thi_log_sink sink;
    int taken = 0;

    folder_open();
    sink = sink_to(TH_LOG_SINK_FILE);
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 1000;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    while (taken < 100 && put(&sink, "a line of some length"))
        taken++;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    cr_assert_gt(taken, 2);
    cr_assert_lt(taken, 100);
    cr_assert(put(&sink, "it begins on a new line"));
    thi_log_sink_close(&sink);
    folder_close();
}

Test(log_sink, faults_are_named)
{
    char longest[THI_LOG_PATH_SIZE + 1];
    th_log_sink options = { .kind = TH_LOG_SINK_SYSLOG, .path = longest };

    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    cr_assert_not_null(thi_log_sink_fault(&options));
    options.kind = TH_LOG_SINK_FILE;
    cr_assert_not_null(thi_log_sink_fault(&options));
    options.path = "";
    cr_assert_not_null(thi_log_sink_fault(&options));
    options = (th_log_sink){ .kind = TH_LOG_SINK_STDERR, .keep = TH_LOG_FILE_KEEP_MAX + 1 };
    cr_assert_not_null(thi_log_sink_fault(&options));
    options = (th_log_sink){ .kind = TH_LOG_SINK_STDERR, .threshold = (th_log_level)99 };
    cr_assert_not_null(thi_log_sink_fault(&options));
    options = (th_log_sink){ .kind = TH_LOG_SINK_STDERR, .format = (th_log_format)9 };
    cr_assert_not_null(thi_log_sink_fault(&options));
}
