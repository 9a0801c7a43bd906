/* SIGUSR1 has the status written, also when every worker hangs. */
#include "tests/support/system.h"
#include "tests/support/talk.h"

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
    _Atomic unsigned in;
    _Atomic bool may_go;
} gate;

static th_err hang_receive(th_self *self, void *state, const th_msg *msg)
{
    (void)self;
    (void)state;
    if (!talk_is(msg, "hang"))
        return TH_OK;
    atomic_fetch_add(&gate.in, 1);
    while (!atomic_load(&gate.may_go))
        sched_yield();
    return TH_OK;
}

static const th_class hang_class = { .name = "hanging", .receive = hang_receive };

/* Reads until @text ends in @end. */
static void read_until(int fd, const char *end, char *text, size_t size)
{
    size_t length = 0, tail = strlen(end);

    while (length < tail || strcmp(text + length - tail, end) != 0) {
        ssize_t got = read(fd, text + length, size - 1 - length);

        cr_assert_gt(got, 0);
        length += (size_t)got;
        text[length] = '\0';
    }
}

static const char last_line[] = "  actors not listed            0\n";

Test(status_signal, is_written_when_all_workers_hang, .timeout = 60)
{
    th_options options = { .workers = 2, .signals = TH_SIGNAL_STATUS };
    struct test_system ts;
    static char text[65536];
    struct sigaction now;
    int fds[2];

    cr_assert_eq(pipe(fds), 0);
    options.status_fd = fds[1];
    ts = test_system_open_with(&options);
    for (int i = 0; i < 2; i++)
        must(talk_say(ts.me, talk_create(ts.me, &hang_class), "hang"));
    while (atomic_load(&gate.in) < 2)
        sched_yield();
    kill(getpid(), SIGUSR1);
    read_until(fds[0], last_line, text, sizeof(text));
    cr_assert_not_null(strstr(text, "  system                       thespis\n"));
    cr_assert_not_null(strstr(text, "  worker, 0, running, runs hanging, "), "%s", text);
    cr_assert_not_null(strstr(text, "  worker, 1, running, runs hanging, "), "%s", text);
    cr_assert_not_null(strstr(text, "\nactors\n  hanging, "), "%s", text);
    cr_assert_not_null(strstr(text, ", running, busy, "), "%s", text);
    atomic_store(&gate.may_go, true);
    test_system_close(&ts);
    cr_assert_eq(sigaction(SIGUSR1, NULL, &now), 0);
    cr_assert(now.sa_handler == SIG_DFL, "put back");
    close(fds[0]);
    close(fds[1]);
}

/* Each of two systems writes its own, each time. */
Test(status_signal, every_system_writes_its_own, .timeout = 60)
{
    th_options options = { .base = TH_BASE_SIMPLE, .signals = TH_SIGNAL_STATUS };
    th_system *systems[2];
    static char text[65536];
    int fds[2][2];

    for (int i = 0; i < 2; i++) {
        cr_assert_eq(pipe(fds[i]), 0);
        options.status_fd = fds[i][1];
        options.name = i ? "second" : "first";
        systems[i] = th_system_create(&options);
        must(th_system_start(systems[i]));
    }
    for (int round = 0; round < 3; round++) {
        kill(getpid(), SIGUSR1);
        for (int i = 0; i < 2; i++) {
            read_until(fds[i][0], last_line, text, sizeof(text));
            cr_assert_not_null(strstr(text, i ? " second\n" : " first\n"));
        }
    }
    for (int i = 0; i < 2; i++) {
        must(th_system_shutdown(systems[i], TALK_PATIENCE, NULL, NULL));
        must(th_system_destroy(systems[i]));
        close(fds[i][0]);
        close(fds[i][1]);
    }
}

Test(status_signal, is_appended_to_a_file, .timeout = 60)
{
    char path[] = "/tmp/thespis-status-XXXXXX";
    th_options options = { .workers = 1, .signals = TH_SIGNAL_STATUS, .status_path = path };
    int fd = mkstemp(path);
    struct test_system ts = test_system_open_with(&options);
    char text[8192] = "";

    kill(getpid(), SIGUSR1);
    while (!strstr(text, last_line)) {
        ssize_t got = pread(fd, text, sizeof(text) - 1, 0);

        text[got > 0 ? got : 0] = '\0';
        sched_yield();
    }
    test_system_close(&ts);
    unlink(path);
    close(fd);
}
