/* A descriptor that is ready becomes a message: once for what happened, never for another file,
 * and never after the watch has ended.
 *
 * Past 500 lines: each kind of watch has the same life: armed, fired, closed, gone. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/watcher.h"

static void close_both(const int ends[2])
{
    close(ends[0]);
    close(ends[1]);
}

/* ---- level ---- */

BOTH_BASES(watch, a_descriptor_becomes_readable)
{
    th_addr watcher = watcher_create(ts->me, &watcher_class);
    struct watcher_report report;
    uint64_t id;
    int ends[2];

    watcher_pipe(ends);
    watcher_habits(ts->me, watcher, WATCHER_READS_ALL, -1);
    id = watcher_watch(ts->me, watcher, ends[0], TH_FD_READABLE, TH_WATCH_LEVEL);
    talk_hear_nothing(ts->me);
    watcher_write(ends[1], 3);
    report = watcher_hear(ts->me);
    cr_assert_eq(report.ready.id, id);
    cr_assert_eq(report.ready.fd, ends[0]);
    cr_assert(report.ready.readable && !report.ready.writable && !report.ready.closed);
    cr_assert(!report.ready.hangup && !report.ready.error);
    cr_assert_eq(report.bytes, 3);
    talk_hear_nothing(ts->me);
    watcher_write(ends[1], 1);
    cr_assert_eq(watcher_hear(ts->me).bytes, 1);
    close_both(ends);
}

BOTH_BASES(watch, what_was_ready_before_is_told)
{
    th_addr watcher = watcher_create(ts->me, &watcher_class);
    int ends[2];

    watcher_pipe(ends);
    watcher_write(ends[1], 1);
    watcher_habits(ts->me, watcher, WATCHER_READS_ALL, -1);
    watcher_watch(ts->me, watcher, ends[0], TH_FD_READABLE, TH_WATCH_LEVEL);
    cr_assert_eq(watcher_hear(ts->me).bytes, 1);
    close_both(ends);
}

BOTH_BASES(watch, a_level_is_told_as_long_as_it_is_so)
{
    th_addr watcher = watcher_create(ts->me, &watcher_class);
    int ends[2];

    watcher_pipe(ends);
    watcher_habits(ts->me, watcher, WATCHER_READS_ONE, -1);
    watcher_write(ends[1], 5);
    watcher_watch(ts->me, watcher, ends[0], TH_FD_READABLE, TH_WATCH_LEVEL);
    for (int i = 0; i < 5; i++)
        cr_assert_eq(watcher_hear(ts->me).bytes, 1);
    talk_hear_nothing(ts->me);
    close_both(ends);
}

BOTH_BASES(watch, writable_and_then_something_else)
{
    th_addr watcher = watcher_create(ts->me, &watcher_class);
    struct watcher_order order = { WATCHER_REARM, .events = TH_FD_READABLE };
    struct watcher_report report;
    int ends[2];

    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    watcher_habits(ts->me, watcher, WATCHER_REARMS | WATCHER_READS_ALL, -1);
    order.id = watcher_watch(ts->me, watcher, ends[0], TH_FD_WRITABLE, TH_WATCH_LEVEL);
    report = watcher_hear(ts->me);
    cr_assert(report.ready.writable && !report.ready.readable);
    talk_hear_nothing(ts->me); /* it waits for bytes now */
    watcher_write(ends[1], 2);
    report = watcher_hear(ts->me);
    cr_assert(report.ready.readable && !report.ready.writable);
    cr_assert_eq(report.bytes, 2);
    order.events = 0;
    cr_assert_eq(watcher_do(ts->me, watcher, order).err, TH_OK);
    watcher_write(ends[1], 1);
    talk_hear_nothing(ts->me); /* for nothing */
    order.events = TH_FD_READABLE;
    cr_assert_eq(watcher_do(ts->me, watcher, order).err, TH_OK);
    cr_assert_eq(watcher_hear(ts->me).bytes, 1);
    close_both(ends);
}

/* ---- edge and once ---- */

BOTH_BASES(watch, an_edge_is_told_once)
{
    th_addr watcher = watcher_create(ts->me, &watcher_class);
    int ends[2];

    watcher_pipe(ends);
    watcher_watch(ts->me, watcher, ends[0], TH_FD_READABLE, TH_WATCH_EDGE);
    watcher_write(ends[1], 1);
    cr_assert(watcher_hear(ts->me).ready.readable);
    talk_hear_nothing(ts->me); /* though it is not read */
    watcher_write(ends[1], 1);
    cr_assert(watcher_hear(ts->me).ready.readable);
    talk_hear_nothing(ts->me);
    close_both(ends);
}

BOTH_BASES(watch, an_edge_during_its_handler_is_not_lost)
{
    th_addr watcher = watcher_create(ts->me, &watcher_class);
    int ends[2];

    watcher_pipe(ends);
    watcher_habits(ts->me, watcher, WATCHER_READS_ALL | WATCHER_WRITES_BACK, ends[1]);
    watcher_watch(ts->me, watcher, ends[0], TH_FD_READABLE, TH_WATCH_EDGE);
    watcher_write(ends[1], 1);
    for (int i = 0; i < 100; i++) /* each handler causes the next */
        cr_assert_eq(watcher_hear(ts->me).bytes, 1);
    watcher_habits(ts->me, watcher, WATCHER_READS_ALL | WATCHER_IS_SILENT, -1);
    close_both(ends);
}

BOTH_BASES(watch, once_is_once)
{
    th_addr watcher = watcher_create(ts->me, &watcher_class);
    struct watcher_order order = { WATCHER_REARM, .events = TH_FD_READABLE };
    int ends[2];

    watcher_pipe(ends);
    watcher_write(ends[1], 1);
    order.id = watcher_watch(ts->me, watcher, ends[0], TH_FD_READABLE, TH_WATCH_ONCE);
    cr_assert(watcher_hear(ts->me).ready.readable);
    talk_hear_nothing(ts->me);
    cr_assert_eq(watcher_do(ts->me, watcher, order).err, TH_OK);
    cr_assert(watcher_hear(ts->me).ready.readable);
    talk_hear_nothing(ts->me);
    watcher_habits(ts->me, watcher, WATCHER_REARMS | WATCHER_READS_ONE, -1);
    watcher_write(ends[1], 2);
    cr_assert_eq(watcher_do(ts->me, watcher, order).err, TH_OK);
    for (int i = 0; i < 3; i++) /* rearmed by its own handler */
        cr_assert_eq(watcher_hear(ts->me).bytes, 1);
    close_both(ends);
}

/* A watch that nobody answers for does not fill the mailbox. */
Test(watch, one_message_waits_at_a_time)
{
    static const th_watch_mode modes[] = { TH_WATCH_LEVEL, TH_WATCH_EDGE };
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 0);

    for (int i = 0; i < 2; i++) {
        th_addr watcher = watcher_create(ts.me, &watcher_class);
        uint64_t sent;
        int ends[2];

        watcher_pipe(ends);
        watcher_habits(ts.me, watcher, WATCHER_IS_SILENT, -1);
        watcher_watch(ts.me, watcher, ends[0], TH_FD_READABLE, modes[i]);
        sent = talk_counts(ts.sys).watch_messages;
        for (int n = 0; n < 50; n++) { /* the turn that looks outside runs its message, too */
            watcher_write(ends[1], 1);
            must(th_step(ts.sys, NULL));
        }
        cr_assert_leq(talk_counts(ts.sys).watch_messages - sent, 51);
        must(th_stop(ts.me, watcher));
        must(th_run_until_idle(ts.sys, 0, NULL));
        close_both(ends);
    }
    test_system_close(&ts);
}

/* ---- the other end ---- */

BOTH_BASES(watch, the_other_end_goes)
{
    th_addr watcher = watcher_create(ts->me, &watcher_class);
    struct watcher_report report;
    int ends[2];

    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    watcher_habits(ts->me, watcher, WATCHER_READS_ALL | WATCHER_UNWATCHES, -1);
    watcher_write(ends[1], 2);
    close(ends[1]);
    watcher_watch(ts->me, watcher, ends[0], TH_FD_READABLE, TH_WATCH_LEVEL);
    report = watcher_hear(ts->me);
    cr_assert(report.ready.readable && report.ready.hangup && !report.ready.closed);
    cr_assert_eq(report.bytes, 2);
    talk_hear_nothing(ts->me);
    close(ends[0]);
}

BOTH_BASES(watch, an_error_at_the_other_end)
{
    th_addr watcher = watcher_create(ts->me, &watcher_class);
    struct watcher_report report;
    int ends[2];

    watcher_pipe(ends);
    close(ends[0]);
    watcher_habits(ts->me, watcher, WATCHER_UNWATCHES, -1);
    watcher_watch(ts->me, watcher, ends[1], TH_FD_WRITABLE, TH_WATCH_LEVEL);
    report = watcher_hear(ts->me);
    cr_assert(report.ready.error && report.ready.writable);
    close(ends[1]);
}

/* ---- closed, and used again ---- */

BOTH_BASES(watch, a_number_that_is_used_again)
{
    th_addr first = watcher_create(ts->me, &watcher_class);
    th_addr second = watcher_create(ts->me, &watcher_class);
    uint64_t id, other_id;
    struct watcher_report report;
    int ends[2], others[2];

    watcher_pipe(ends);
    id = watcher_watch(ts->me, first, ends[0], TH_FD_READABLE, TH_WATCH_LEVEL);
    watcher_pipe(others);
    close(ends[0]);
    cr_assert_eq(dup2(others[0], ends[0]), ends[0]);
    watcher_habits(ts->me, second, WATCHER_READS_ALL, -1);
    other_id = watcher_watch(ts->me, second, ends[0], TH_FD_READABLE, TH_WATCH_LEVEL);
    report = watcher_hear(ts->me);
    cr_assert(report.ready.closed && !report.ready.readable);
    cr_assert_eq(report.ready.id, id);
    watcher_write(others[1], 1);
    report = watcher_hear(ts->me);
    cr_assert(report.ready.readable && !report.ready.closed);
    cr_assert_eq(report.ready.id, other_id);
    talk_hear_nothing(ts->me);
    cr_assert_eq(watcher_do(ts->me, first, (struct watcher_order){ WATCHER_UNWATCH, .id = id }).err,
                 TH_E_NO_WATCH);
    close(others[0]);
    close_both(ends);
    close(others[1]);
}

/* The kernel goes on reporting a file of which there is a copy, whatever its number is now. */
BOTH_BASES(watch, a_copy_lives_on_under_another_number)
{
    static const th_watch_mode modes[] = { TH_WATCH_LEVEL, TH_WATCH_EDGE };

    for (int i = 0; i < 2; i++) {
        th_addr watcher = watcher_create(ts->me, &watcher_class);
        struct watcher_report report;
        int ends[2], others[2], copy;

        watcher_pipe(ends);
        watcher_pipe(others);
        copy = dup(ends[0]);
        watcher_habits(ts->me, watcher, WATCHER_READS_ALL, -1);
        watcher_watch(ts->me, watcher, ends[0], TH_FD_READABLE, modes[i]);
        cr_assert_eq(dup2(others[0], ends[0]), ends[0]);
        watcher_write(others[1], 1);
        talk_hear_nothing(ts->me); /* not the other file's */
        watcher_write(ends[1], 1);
        report = watcher_hear(ts->me);
        cr_assert(report.ready.closed && !report.ready.readable);
        talk_hear_nothing(ts->me);
        cr_assert_eq(watcher_count(ts->sys), 0);
        close(copy);
        close_both(ends);
        close_both(others);
    }
}

BOTH_BASES(watch, closed_behind_its_back)
{
    th_addr watcher = watcher_create(ts->me, &watcher_class);
    struct watcher_order order = { WATCHER_REARM, .events = TH_FD_READABLE };
    int ends[2];

    watcher_pipe(ends);
    order.id = watcher_watch(ts->me, watcher, ends[0], TH_FD_READABLE, TH_WATCH_LEVEL);
    close_both(ends);
    cr_assert_eq(watcher_do(ts->me, watcher, order).err, TH_E_BAD_FD);
    cr_assert_eq(watcher_do(ts->me, watcher, order).err, TH_E_NO_WATCH);
    cr_assert_eq(watcher_count(ts->sys), 0);
    talk_hear_nothing(ts->me);
}

/* ---- refused ---- */

BOTH_BASES(watch, what_cannot_be_watched)
{
    th_addr watcher = watcher_create(ts->me, &watcher_class);
    struct watcher_order order = { WATCHER_FD, .events = TH_FD_READABLE };
    FILE *scratch = tmpfile();
    int ends[2], file = fileno(scratch), folder = open("/", O_RDONLY | O_DIRECTORY);

    watcher_pipe(ends);
    order.fd = -1;
    cr_assert_eq(watcher_do(ts->me, watcher, order).err, TH_E_BAD_FD);
    order.fd = INT32_MAX;
    cr_assert_eq(watcher_do(ts->me, watcher, order).err, TH_E_BAD_FD);
    order.fd = ends[1] + 100;
    cr_assert_eq(watcher_do(ts->me, watcher, order).err, TH_E_BAD_FD);
    order.fd = file;
    cr_assert_eq(watcher_do(ts->me, watcher, order).err, TH_E_NOT_POLLABLE);
    order.fd = folder;
    cr_assert_eq(watcher_do(ts->me, watcher, order).err, TH_E_NOT_POLLABLE);
    order.fd = ends[0];
    cr_assert_eq(watcher_do(ts->me, watcher, order).err, TH_OK);
    cr_assert_eq(watcher_do(ts->me, watcher, order).err, TH_E_EXISTS);
    order.events = 1u << 7;
    cr_assert_eq(watcher_do(ts->me, watcher, order).err, TH_E_INVALID);
    order.events = TH_FD_READABLE;
    order.mode = (th_watch_mode)9;
    cr_assert_eq(watcher_do(ts->me, watcher, order).err, TH_E_INVALID);
    cr_assert_eq(watcher_count(ts->sys), 1);
    fclose(scratch);
    close(folder);
    close_both(ends);
}

BOTH_BASES(watch, only_its_owner_ends_it)
{
    th_addr owner = watcher_create(ts->me, &watcher_class);
    th_addr other = watcher_create(ts->me, &watcher_class);
    struct watcher_order order = { .verb = WATCHER_UNWATCH };
    int ends[2];

    watcher_pipe(ends);
    order.id = watcher_watch(ts->me, owner, ends[0], TH_FD_READABLE, TH_WATCH_LEVEL);
    cr_assert_eq(watcher_do(ts->me, other, order).err, TH_E_NO_WATCH);
    cr_assert_eq(watcher_do(ts->me, owner, order).err, TH_OK);
    cr_assert_eq(watcher_do(ts->me, owner, order).err, TH_E_NO_WATCH);
    watcher_write(ends[1], 1);
    talk_hear_nothing(ts->me);
    watcher_watch(ts->me, other, ends[0], TH_FD_READABLE, TH_WATCH_ONCE);
    cr_assert(watcher_hear(ts->me).ready.readable);
    close_both(ends);
}

/* ---- the end ---- */

BOTH_BASES(watch, none_of_its_messages_after_an_unwatch)
{
    th_addr watcher = watcher_create(ts->me, &watcher_class);
    int ends[2];

    watcher_pipe(ends);
    /* what its handler writes is on its way already, or will be, when it ends the watch */
    watcher_habits(ts->me, watcher, WATCHER_WRITES_BACK | WATCHER_UNWATCHES, ends[1]);
    for (int i = 0; i < 100; i++) {
        watcher_watch(ts->me, watcher, ends[0], TH_FD_READABLE, TH_WATCH_EDGE);
        if (i == 0)
            watcher_write(ends[1], 1);
        cr_assert(watcher_hear(ts->me).ready.readable);
    }
    talk_hear_nothing(ts->me);
    close_both(ends);
}

BOTH_BASES(watch, a_watch_ends_with_its_actor)
{
    int ends[2];

    watcher_pipe(ends);
    for (int i = 0; i < 3; i++) {
        th_addr watcher = watcher_create(ts->me, &watcher_class);

        watcher_habits(ts->me, watcher, WATCHER_READS_ALL, -1);
        watcher_watch(ts->me, watcher, ends[0], TH_FD_READABLE, TH_WATCH_LEVEL);
        must(th_stop(ts->me, watcher));
        talk_expect_gone(ts->me, watcher, "gone?");
        cr_assert_eq(watcher_count(ts->sys), 0);
    }
    watcher_write(ends[1], 1);
    talk_hear_nothing(ts->me);
    close_both(ends);
}

BOTH_BASES(watch, a_restart_ends_all_watches)
{
    th_addr watcher = watcher_create(ts->me, &watcher_restarting_class);
    struct watcher_order *order;
    th_msg *msg = watcher_order_new(ts->me, &order);
    int ends[2];

    watcher_pipe(ends);
    watcher_watch(ts->me, watcher, ends[0], TH_FD_READABLE, TH_WATCH_LEVEL);
    order->verb = WATCHER_FAIL;
    must(th_tell(ts->me, watcher, msg));
    must(th_listen(ts->me, TALK_PATIENCE, &msg));
    cr_assert_not_null(th_poison_of(msg));
    th_msg_destroy(ts->me, msg);
    watcher_habits(ts->me, watcher, 0, -1); /* behind the restart */
    cr_assert_eq(watcher_count(ts->sys), 0);
    watcher_write(ends[1], 1);
    talk_hear_nothing(ts->me);
    watcher_watch(ts->me, watcher, ends[0], TH_FD_READABLE, TH_WATCH_ONCE);
    cr_assert(watcher_hear(ts->me).ready.readable);
    close_both(ends);
}

BOTH_BASES(watch, a_handler_that_fails_is_asked_again)
{
    th_addr watcher = watcher_create(ts->me, &watcher_class);
    int ends[2];

    watcher_pipe(ends);
    watcher_habits(ts->me, watcher, WATCHER_FAILS | WATCHER_READS_ONE, -1);
    watcher_write(ends[1], 4);
    watcher_watch(ts->me, watcher, ends[0], TH_FD_READABLE, TH_WATCH_LEVEL);
    for (int i = 0; i < 4; i++) /* two deliveries each, two messages */
        cr_assert_eq(watcher_hear(ts->me).bytes, 1);
    talk_hear_nothing(ts->me);
    close_both(ends);
}

/* ---- messages like any other ---- */

BOTH_BASES(watch, its_message_is_sent_on)
{
    th_addr watcher = watcher_create(ts->me, &watcher_class);
    th_addr mirror = talk_create(ts->me, &talk_counter);
    int ends[2];

    watcher_pipe(ends);
    watcher_habits(ts->me, watcher, WATCHER_READS_ALL | WATCHER_SENDS_ITSELF, -1);
    watcher_write(ends[1], 1);
    watcher_watch(ts->me, watcher, ends[0], TH_FD_READABLE, TH_WATCH_LEVEL);
    cr_assert_eq(watcher_hear(ts->me).bytes, 1);
    cr_assert_eq(watcher_hear(ts->me).bytes, 0); /* what it sent to itself, as it was */
    talk_hear_nothing(ts->me);
    watcher_write(ends[1], 1);
    cr_assert_eq(watcher_hear(ts->me).bytes, 1); /* and the watch is as before */
    cr_assert_eq(talk_ask_number(ts->me, mirror, "count?"), 0);
    close_both(ends);
}

/* ---- many, and none ---- */

enum { MANY = 3000, ROUNDS = 3 };

static int make_room(int descriptors)
{
    struct rlimit limit;

    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    return limit.rlim_cur < (rlim_t)descriptors + 100 ? (int)limit.rlim_cur - 100 : descriptors;
}

BOTH_BASES(watch, thousands_at_once)
{
    static int fds[MANY];
    static uint8_t heard[65536];
    int many = make_room(MANY);
    th_addr watchers[3];

    memset(heard, 0, sizeof(heard));
    for (int i = 0; i < 3; i++) {
        watchers[i] = watcher_create(ts->me, &watcher_class);
        watcher_habits(ts->me, watchers[i], WATCHER_READS_ALL, -1);
    }
    for (int i = 0; i < many; i++) {
        fds[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        cr_assert_geq(fds[i], 0);
        watcher_watch(ts->me, watchers[i % 3], fds[i], TH_FD_READABLE, (th_watch_mode)(i / 3 % 2));
    }
    cr_assert_eq(watcher_count(ts->sys), many);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < many; i++)
            cr_assert_eq(eventfd_write(fds[i], 1), 0);
        for (int i = 0; i < many; i++)
            heard[watcher_hear(ts->me).ready.fd]++;
        for (int i = 0; i < many; i++)
            cr_assert_eq(heard[fds[i]], round + 1);
    }
    talk_hear_nothing(ts->me);
    for (int i = 0; i < many; i++)
        close(fds[i]);
}

static th_system *limited(th_base base, uint32_t watches)
{
    th_system *sys =
        th_system_create(&(th_options){ .base = base, .workers = 1, .watches_max = watches });

    cr_assert_not_null(sys);
    must(th_system_start(sys));
    return sys;
}

Test(watch, a_limit)
{
    th_system *sys = limited(TH_BASE_POOL, 2);
    th_self *me = th_system_self(sys);
    th_addr watcher = watcher_create(me, &watcher_class);
    struct watcher_order order = { WATCHER_FD, .events = TH_FD_READABLE };
    uint64_t ids[2];
    char text[4096];
    th_system_status status;
    int ends[2][2];

    for (int i = 0; i < 2; i++) {
        watcher_pipe(ends[i]);
        ids[i] = watcher_watch(me, watcher, ends[i][0], TH_FD_READABLE, TH_WATCH_LEVEL);
    }
    order.fd = ends[0][1];
    cr_assert_eq(watcher_do(me, watcher, order).err, TH_E_LIMIT);
    must(th_system_status_read(sys, &status));
    cr_assert_eq(status.watches, 2);
    cr_assert_eq(status.watches_max, 2);
    th_system_status_print(&status, text, sizeof(text));
    cr_assert_not_null(strstr(text, "2 of 2"));
    cr_assert_eq(
        watcher_do(me, watcher, (struct watcher_order){ WATCHER_UNWATCH, .id = ids[0] }).err,
        TH_OK);
    cr_assert_eq(watcher_do(me, watcher, order).err, TH_OK);
    must(th_system_shutdown(sys, TALK_PATIENCE, NULL, NULL));
    must(th_system_destroy(sys));
    close_both(ends[0]);
    close_both(ends[1]);
}

BOTH_BASES(watch, no_descriptor_left_for_the_library)
{
    th_addr watcher = watcher_create(ts->me, &watcher_class);
    struct watcher_order order = { WATCHER_FD, .events = TH_FD_READABLE };
    struct rlimit before, none;
    int ends[2];

    watcher_pipe(ends);
    order.fd = ends[0];
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    for (int spare = 0; spare < 2; spare++) { /* one: epoll has it, its bell not */
        none = before;
        none.rlim_cur = (rlim_t)ends[1] + 1 + (rlim_t)spare;
        cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
        cr_assert_eq(watcher_do(ts->me, watcher, order).err, TH_E_THREAD);
        cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    }
    cr_assert_eq(watcher_do(ts->me, watcher, order).err, TH_OK);
    watcher_write(ends[1], 1);
    watcher_habits(ts->me, watcher, WATCHER_READS_ALL, -1);
    close_both(ends);
}

static uint64_t cpu_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* A hang-up that is always there, a descriptor nobody reads, one whose file lives on elsewhere. */
BOTH_BASES(watch, waiting_costs_nothing)
{
    th_addr watcher = watcher_create(ts->me, &watcher_class);
    int ends[2], others[2], gone[2];
    uint64_t used, passed;
    th_msg *msg;

    watcher_pipe(ends);
    watcher_pipe(others);
    watcher_pipe(gone);
    watcher_habits(ts->me, watcher, WATCHER_IS_SILENT, -1);
    watcher_write(ends[1], 1);
    watcher_watch(ts->me, watcher, ends[0], TH_FD_READABLE, TH_WATCH_EDGE);
    watcher_watch(ts->me, watcher, others[0], TH_FD_READABLE, TH_WATCH_LEVEL);
    close(gone[1]);
    watcher_watch(ts->me, watcher, gone[0], TH_FD_READABLE, TH_WATCH_ONCE);
    talk_hear_nothing(ts->me);
    passed = th_now(ts->me);
    used = cpu_ns();
    must_be(th_listen(ts->me, TH_MS(200), &msg), TH_E_TIMEOUT);
    used = cpu_ns() - used;
    passed = th_now(ts->me) - passed;
    cr_assert_geq(passed, TH_MS(200));
    cr_assert_lt(used, passed / 4, "%llu us of processor in %llu us",
                 (unsigned long long)used / 1000, (unsigned long long)passed / 1000);
    close_both(ends);
    close_both(others);
    close(gone[0]);
}

/* ---- virtual time ---- */

Test(watch, timers_and_descriptors_on_the_simple_base)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 1);
    th_addr watcher = watcher_create(ts.me, &watcher_class);
    int ends[2];
    uint64_t now;
    th_msg *msg;

    watcher_pipe(ends);
    watcher_habits(ts.me, watcher, WATCHER_READS_ALL, -1);
    watcher_watch(ts.me, watcher, ends[0], TH_FD_READABLE, TH_WATCH_LEVEL);
    must(th_wakeup_after(ts.me, TH_MS(20), NULL, NULL));
    now = th_now(ts.me);
    must(th_listen(ts.me, TALK_PATIENCE, &msg));
    cr_assert_not_null(th_wakeup_of(msg));
    cr_assert_eq(th_now(ts.me) - now, TH_MS(20), "neither early nor late by its own clock");
    th_msg_destroy(ts.me, msg);
    must(th_advance(ts.sys, TH_S(3600))); /* by hand it jumps, as ever */
    cr_assert_geq(th_now(ts.me) - now, TH_S(3600));
    watcher_write(ends[1], 1);
    must(th_run_until_idle(ts.sys, 0, NULL));
    cr_assert_eq(watcher_hear(ts.me).bytes, 1);
    close_both(ends);
    test_system_close(&ts);
}

/* While one thread waits for a descriptor, another uses the system. */
struct helper {
    th_system *sys;
    th_addr echo;
    int fd;
    th_err err;
};

static void *talk_and_write(void *context)
{
    struct helper *helper = context;
    th_self *me = NULL;
    th_msg *answer = NULL;

    helper->err = th_endpoint_open(helper->sys, &me);
    for (int i = 0; i < 50 && !helper->err; i++) {
        helper->err = th_ask(me, helper->echo, talk_word(me, "hello"), TALK_PATIENCE, &answer);
        th_msg_destroy(me, answer);
        answer = NULL;
    }
    if (me)
        th_endpoint_close(me);
    if (write(helper->fd, "!", 1) != 1)
        helper->err = TH_E_FAILED;
    return NULL;
}

BOTH_BASES(watch, others_may_drive_meanwhile)
{
    th_addr watcher = watcher_create(ts->me, &watcher_class);
    struct helper helpers[2]; /* one a thread, since each writes its own err */
    th_addr echo = talk_create(ts->me, &talk_echo);
    pthread_t threads[2];
    int ends[2];

    watcher_pipe(ends);
    watcher_habits(ts->me, watcher, WATCHER_READS_ONE, -1);
    watcher_watch(ts->me, watcher, ends[0], TH_FD_READABLE, TH_WATCH_LEVEL);
    for (int i = 0; i < 2; i++) {
        helpers[i] = (struct helper){ .sys = ts->sys, .echo = echo, .fd = ends[1] };
        cr_assert_eq(pthread_create(&threads[i], NULL, talk_and_write, &helpers[i]), 0);
    }
    for (int i = 0; i < 2; i++)
        cr_assert_eq(watcher_hear(ts->me).bytes, 1);
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        cr_assert_eq(helpers[i].err, TH_OK);
    }
    close_both(ends);
}
