/* Descriptors, and who waits for them: once for each arming, never for another file, never deaf. */
#include "runtime/sched/poller.h"
#include "runtime/base/clock.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { TOKEN = THI_POLL_TOKENS + 40 };

static struct thi_poller poller;
static struct thi_poll_event events[8];
static int ends[2];

static void open_all(void)
{
    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(thi_poller_open(&poller, false), TH_OK);
}

static void close_all(void)
{
    thi_poller_close(&poller);
    close(ends[0]);
    close(ends[1]);
}

static unsigned look(void)
{
    return thi_poller_wait(&poller, events, 8, 0);
}

static void fill(void)
{
    cr_assert_eq(write(ends[1], "x", 1), 1);
}

/* E1 */
Test(poller, what_nobody_handles_is_reported_once, .init = open_all, .fini = close_all)
{
    cr_assert_eq(thi_poller_add(&poller, ends[0], THI_POLL_READ, TOKEN), TH_OK);
    cr_assert_eq(look(), 0);
    fill();
    cr_assert_eq(look(), 1);
    cr_assert_eq(events[0].token, TOKEN);
    cr_assert_eq(events[0].bits, THI_POLL_READ);
    cr_assert_eq(look(), 0);
    cr_assert(thi_poller_arm(&poller, ends[0], THI_POLL_READ, TOKEN + 1));
    cr_assert_eq(look(), 1, "it is still readable");
    cr_assert_eq(events[0].token, TOKEN + 1);
    cr_assert_eq(look(), 0);
}

Test(poller, an_edge_is_reported_for_each_change, .init = open_all, .fini = close_all)
{
    cr_assert_eq(thi_poller_add(&poller, ends[0], THI_POLL_READ | THI_POLL_EDGE, TOKEN), TH_OK);
    for (int i = 0; i < 3; i++) {
        fill();
        cr_assert_eq(look(), 1);
        cr_assert_eq(look(), 0);
    }
}

Test(poller, what_is_not_armed_is_silent, .init = open_all, .fini = close_all)
{
    cr_assert_eq(thi_poller_add(&poller, ends[0], 0, TOKEN), TH_OK);
    fill();
    cr_assert_eq(look(), 0);
    cr_assert(thi_poller_arm(&poller, ends[0], THI_POLL_READ, TOKEN));
    cr_assert_eq(look(), 1);
}

Test(poller, a_hangup_comes_unasked, .init = open_all, .fini = close_all)
{
    cr_assert_eq(thi_poller_add(&poller, ends[0], 0, TOKEN), TH_OK);
    close(ends[1]);
    cr_assert_eq(look(), 1);
    cr_assert_eq(events[0].bits, THI_POLL_HANGUP);
    ends[1] = dup(ends[0]);
}

Test(poller, what_cannot_be_watched_is_named, .init = open_all, .fini = close_all)
{
    int file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);

    cr_assert_eq(thi_poller_add(&poller, -1, THI_POLL_READ, TOKEN), TH_E_BAD_FD);
    cr_assert_eq(thi_poller_add(&poller, poller.epoll, THI_POLL_READ, TOKEN), TH_E_BAD_FD);
    cr_assert_eq(thi_poller_add(&poller, ends[0], THI_POLL_READ, TOKEN), TH_OK);
    cr_assert_eq(thi_poller_add(&poller, ends[0], THI_POLL_WRITE, TOKEN), TH_E_EXISTS);
    close(file);
    file = open("/", O_RDONLY | O_CLOEXEC | O_DIRECTORY);
    cr_assert_eq(thi_poller_add(&poller, file, THI_POLL_READ, TOKEN), TH_E_NOT_POLLABLE);
    close(file);
}

/* E2, E3: the number is the same, the file is not; the old one lives on as a copy. */
Test(poller, a_number_used_again_is_not_what_was_added, .init = open_all, .fini = close_all)
{
    int copy, other[2];

    cr_assert_eq(thi_poller_add(&poller, ends[0], THI_POLL_READ, TOKEN), TH_OK);
    cr_assert(thi_poller_has(&poller, ends[0]));
    copy = dup(ends[0]);
    cr_assert_eq(pipe(other), 0);
    cr_assert_eq(dup2(other[0], ends[0]), ends[0]);
    fill();
    cr_assert_eq(look(), 1, "the copy's file reports under the old token");
    cr_assert_not(thi_poller_has(&poller, ends[0]));
    cr_assert_not(thi_poller_has(&poller, ends[0]), "asking changes nothing");
    cr_assert_not(thi_poller_arm(&poller, ends[0], THI_POLL_READ, TOKEN));
    thi_poller_remove(&poller, ends[0]);
    close(copy);
    close(other[0]);
    close(other[1]);
}

Test(poller, what_was_removed_is_silent, .init = open_all, .fini = close_all)
{
    cr_assert_eq(thi_poller_add(&poller, ends[0], THI_POLL_READ, TOKEN), TH_OK);
    thi_poller_remove(&poller, ends[0]);
    thi_poller_remove(&poller, ends[0]);
    thi_poller_remove(&poller, -1);
    fill();
    cr_assert_eq(look(), 0);
    cr_assert_not(thi_poller_has(&poller, ends[0]));
}

/* ---- the bell and the timer ---- */

Test(poller, a_ring_ends_one_wait_whenever_it_comes, .init = open_all, .fini = close_all,
     .timeout = 60)
{
    for (int i = 0; i < 3; i++) {
        thi_poller_ring(&poller);
        thi_poller_ring(&poller);
        cr_assert_eq(thi_poller_wait(&poller, events, 8, UINT64_MAX), 0);
        cr_assert_eq(atomic_load(&poller.rung), 0);
    }
    cr_assert_eq(look(), 0);
}

Test(poller, a_timer_ends_a_wait_that_would_be_for_ever, .timeout = 60)
{
    cr_assert_eq(thi_poller_open(&poller, true), TH_OK);
    thi_poller_set_timer(&poller, 0); /* long ago */
    cr_assert_eq(thi_poller_wait(&poller, events, 8, UINT64_MAX), 0);
    cr_assert_eq(poller.timer_ns, UINT64_MAX);
    for (int i = 0; i < 2; i++) { /* the same moment again is news, since it has passed */
        uint64_t soon = thi_clock_monotonic() + 1000000u;

        thi_poller_set_timer(&poller, soon);
        cr_assert_eq(thi_poller_wait(&poller, events, 8, UINT64_MAX), 0);
        cr_assert_geq(thi_clock_monotonic(), soon);
    }
    thi_poller_close(&poller);
}

/* ---- life ---- */

static unsigned turns;

static void turn(void *context)
{
    cr_assert_eq(context, &turns);
    (void)thi_poller_wait(&poller, events, 8, UINT64_MAX);
    turns++;
}

Test(poller, its_thread_ends_though_it_waits_for_ever, .init = open_all, .fini = close_all,
     .timeout = 60)
{
    thi_poller_stop(&poller); /* it never started */
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(thi_poller_start(&poller, turn, &turns), TH_OK);
        thi_poller_stop(&poller);
        thi_poller_stop(&poller);
    }
}

/* With one descriptor fewer each time, down to none. */
Test(poller, an_open_that_fails_leaves_nothing_open)
{
    struct rlimit before, fewer;
    int next = dup(STDERR_FILENO), after;

    close(next);
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    for (int room = 2; room >= 0; room--) {
        fewer = before;
        fewer.rlim_cur = (rlim_t)(next + room);
        cr_assert_eq(setrlimit(RLIMIT_NOFILE, &fewer), 0);
        cr_expect_eq(thi_poller_open(&poller, true), TH_E_THREAD);
        cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
        cr_assert_not(poller.is_open);
        after = dup(STDERR_FILENO);
        close(after);
        cr_assert_eq(after, next);
    }
    thi_poller_close(&poller);
}
