/* net_raw.c: what TCP over loopback costs without us: the limits for net-throughput and
 * net-pingpong. Two processes and bare system calls, nothing of the library. */
#include "registry.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAYLOAD = 64, WRITE_SIZE = 64 * 1024, READ_SIZE = 128 * 1024, SAMPLES_MAX = 100000 };

/* The two ends of a connection over loopback. */
static void connect_ends(int ends[2])
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(at);
    int door = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    BENCH_CHECK(bind(door, (struct sockaddr *)&at, sizeof(at)) == 0);
    BENCH_CHECK(listen(door, 1) == 0);
    BENCH_CHECK(getsockname(door, (struct sockaddr *)&at, &size) == 0);
    ends[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    BENCH_CHECK(connect(ends[0], (struct sockaddr *)&at, sizeof(at)) == 0);
    ends[1] = accept4(door, NULL, NULL, SOCK_CLOEXEC);
    BENCH_CHECK(ends[1] >= 0);
    close(door);
    for (unsigned i = 0; i < 2; i++)
        BENCH_CHECK(setsockopt(ends[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0);
}

static void wait_for(pid_t child)
{
    int status = 0;

    BENCH_CHECK(waitpid(child, &status, 0) == child);
    BENCH_CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void send_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t put = send(fd, bytes, size, MSG_NOSIGNAL);

        BENCH_CHECK(put > 0);
        bytes += put;
        size -= (size_t)put;
    }
}

/* ---- one way ---- */

/* Every 64 bytes begin with their number, so that the reader sees order and loss. */
static void write_numbers(int fd, uint64_t messages)
{
    static _Alignas(64) char block[WRITE_SIZE];

    for (uint64_t n = 0; n < messages;) {
        size_t used = 0;

        for (; used < sizeof(block) && n < messages; used += PAYLOAD, n++)
            memcpy(block + used, &n, sizeof(n));
        send_all(fd, block, used);
    }
}

/* Looks at the first whole message of what came. */
static void read_numbers(int fd, uint64_t messages)
{
    static _Alignas(64) char block[READ_SIZE];
    uint64_t total = 0;
    ssize_t got;

    while ((got = recv(fd, block, sizeof(block), 0)) > 0) {
        size_t at = (size_t)(PAYLOAD - total % PAYLOAD) % PAYLOAD;
        uint64_t n;

        if (at + sizeof(n) <= (size_t)got) {
            memcpy(&n, block + at, sizeof(n));
            BENCH_CHECK(n == (total + at) / PAYLOAD);
        }
        total += (uint64_t)got;
    }
    BENCH_CHECK(got == 0 && total == messages * PAYLOAD);
}

static void run_one_way(const struct bench_setup *setup, struct bench_result *result)
{
    uint64_t start;
    pid_t writer;
    int ends[2];

    result->messages = bench_scaled(setup, 32000000, 1024);
    connect_ends(ends);
    start = bench_now();
    writer = fork();
    BENCH_CHECK(writer >= 0);
    if (writer == 0) {
        close(ends[1]);
        write_numbers(ends[0], result->messages);
        _Exit(0);
    }
    close(ends[0]);
    read_numbers(ends[1], result->messages);
    result->ns = bench_now() - start;
    wait_for(writer);
    close(ends[1]);
    bench_figure_add(result, "mb_per_second",
                     (double)result->messages * PAYLOAD * 1000 / (double)result->ns);
}

/* ---- there and back ---- */

static bool receive(int epoll, int fd, char *bytes)
{
    struct epoll_event event;
    size_t got = 0;

    while (got < PAYLOAD) {
        ssize_t more;

        BENCH_CHECK(epoll_wait(epoll, &event, 1, -1) == 1);
        more = recv(fd, bytes + got, PAYLOAD - got, 0);
        if (more == 0)
            return false;
        BENCH_CHECK(more > 0);
        got += (size_t)more;
    }
    return true;
}

static int watch(int fd)
{
    struct epoll_event event = { .events = EPOLLIN };
    int epoll = epoll_create1(EPOLL_CLOEXEC);

    BENCH_CHECK(epoll >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
    return epoll;
}

static void give_back(int fd)
{
    char ball[PAYLOAD];
    int epoll = watch(fd);

    while (receive(epoll, fd, ball))
        send_all(fd, ball, sizeof(ball));
    close(epoll);
}

static void run_there_and_back(const struct bench_setup *setup, struct bench_result *result)
{
    uint64_t rounds = bench_scaled(setup, 100000, 1), start, sent;
    static uint64_t took[SAMPLES_MAX]; /* the last ones */
    char ball[PAYLOAD] = { 0 };
    int ends[2], epoll;
    pid_t other;

    connect_ends(ends);
    other = fork();
    BENCH_CHECK(other >= 0);
    if (other == 0) {
        close(ends[0]);
        give_back(ends[1]);
        _Exit(0);
    }
    close(ends[1]);
    epoll = watch(ends[0]);
    start = bench_now();
    for (uint64_t n = 0; n < rounds; n++) {
        uint64_t came;

        sent = bench_now();
        memcpy(ball, &n, sizeof(n));
        send_all(ends[0], ball, sizeof(ball));
        BENCH_CHECK(receive(epoll, ends[0], ball));
        memcpy(&came, ball, sizeof(came));
        BENCH_CHECK(came == n);
        took[n % SAMPLES_MAX] = bench_now() - sent;
    }
    result->ns = bench_now() - start;
    result->messages = 2 * rounds;
    close(epoll);
    close(ends[0]);
    wait_for(other);
    bench_figure_add(result, "round_trip_ns", (double)result->ns / (double)rounds);
    bench_percentiles_add(result, "round_trip", took, rounds < SAMPLES_MAX ? rounds : SAMPLES_MAX);
}

const struct bench bench_net_raw = { "net-raw",
                                     "2 processes, 32M times 64 bytes in writes of 64 KiB",
                                     "64 bytes", run_one_way };

const struct bench bench_net_raw_pingpong = {
    "net-raw-pingpong", "2 processes, 100k round trips of 64 bytes = 200k messages", "message",
    run_there_and_back
};
