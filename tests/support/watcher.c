#include "tests/support/watcher.h"

#include <fcntl.h>
#include <unistd.h>

TH_MESSAGE_LOCAL_TYPE(watcher_order, NULL)
TH_MESSAGE_LOCAL_TYPE(watcher_reply, NULL)
TH_MESSAGE_LOCAL_TYPE(watcher_report, NULL)

struct watcher {
    th_addr boss;
    uint32_t habits;
    int other;
};

static th_err obey(th_self *self, struct watcher *watcher, const struct watcher_order *order,
                   uint64_t *id_out)
{
    switch (order->verb) {
    case WATCHER_FD: return th_watch_fd(self, order->fd, order->events, order->mode, id_out);
    case WATCHER_REARM: return th_watch_rearm(self, order->id, order->events);
    case WATCHER_UNWATCH: return th_unwatch(self, order->id);
    case WATCHER_SIGNAL: return th_watch_signal(self, order->fd, id_out);
    case WATCHER_HABITS:
        watcher->habits = order->habits;
        watcher->other = order->other;
        return TH_OK;
    case WATCHER_FAIL: break;
    }
    return TH_E_FAILED;
}

static int read_some(int fd, uint32_t habits)
{
    char buffer[64];
    size_t size = habits & WATCHER_READS_ONE ? 1 : sizeof(buffer);
    int bytes = 0;
    ssize_t got;

    while ((got = read(fd, buffer, size)) > 0) {
        bytes += (int)got;
        if (habits & WATCHER_READS_ONE)
            break;
    }
    return bytes;
}

static th_err act(th_self *self, struct watcher *watcher, const th_msg *msg)
{
    const struct th_fd_ready *ready = th_fd_ready_of(msg);
    uint32_t habits = ready && ready->closed ? 0 : watcher->habits;
    struct watcher_report *report;
    th_msg *told = watcher_report_new(self, &report);
    th_err err = TH_OK;

    if (!told)
        return TH_E_NOMEM;
    if (ready)
        report->ready = *ready;
    else
        report->signal = *th_os_signal_of(msg);
    if (ready && habits & (WATCHER_READS_ONE | WATCHER_READS_ALL))
        report->bytes = read_some(ready->fd, habits);
    if (habits & WATCHER_WRITES_BACK && write(watcher->other, "!", 1) != 1)
        err = TH_E_FAILED;
    if (habits & WATCHER_REARMS && !err)
        err = th_watch_rearm(self, ready->id, TH_FD_READABLE);
    if (habits & WATCHER_UNWATCHES && !err)
        err = th_unwatch(self, ready ? ready->id : report->signal.id);
    if (habits & WATCHER_FORWARDS && !err)
        err = th_forward(self, watcher->boss, msg);
    if (habits & WATCHER_SENDS_ITSELF && !err) {
        watcher->habits &= ~(uint32_t)WATCHER_SENDS_ITSELF;
        err = th_send(self, th_self_addr(self), th_msg_dup(self, msg));
    }
    if (err || habits & WATCHER_IS_SILENT) {
        th_msg_destroy(self, told);
        return err;
    }
    if (th_send(self, watcher->boss, told))
        return TH_E_FAILED;
    return habits & WATCHER_FAILS ? TH_E_FAILED : TH_OK;
}

static th_err receive(th_self *self, void *state, const th_msg *msg)
{
    const struct watcher_order *order = watcher_order_of(msg);
    struct watcher *watcher = state;
    struct watcher_reply reply = { 0 };

    if (th_fd_ready_of(msg) || th_os_signal_of(msg))
        return act(self, watcher, msg);
    if (!order)
        return TH_OK;
    if (order->verb == WATCHER_FAIL)
        return TH_E_FAILED;
    reply.err = obey(self, watcher, order, &reply.id);
    return watcher_reply_send(self, th_msg_sender(msg), reply);
}

static th_err begin(th_self *self, void *state, const th_msg *arg)
{
    struct watcher *watcher = state;

    watcher->boss = talk_whom_of(arg)->addr;
    return TH_OK;
}

const th_class watcher_class = {
    .name = "watcher", .state_size = sizeof(struct watcher), .init = begin, .receive = receive
};

const th_class watcher_restarting_class = { .name = "watcher",
                                            .state_size = sizeof(struct watcher),
                                            .init = begin,
                                            .receive = receive,
                                            .on_failure = TH_ON_FAILURE_RESTART };

/* ---- for tests ---- */

th_addr watcher_create(th_self *me, const th_class *klass)
{
    struct talk_whom *boss;
    th_addr addr;
    th_msg *arg = talk_whom_new(me, &boss);

    cr_assert_not_null(arg);
    boss->addr = th_self_addr(me);
    must(th_spawn(me, klass, arg, &addr));
    return addr;
}

struct watcher_reply watcher_do(th_self *me, th_addr watcher, struct watcher_order order)
{
    struct watcher_order *body;
    struct watcher_reply reply;
    th_msg *msg = watcher_order_new(me, &body), *answer = NULL;

    cr_assert_not_null(msg);
    *body = order;
    must(th_ask(me, watcher, msg, TALK_PATIENCE, &answer));
    cr_assert_not_null(watcher_reply_of(answer), "%s", th_msg_type(answer)->name);
    reply = *watcher_reply_of(answer);
    th_msg_destroy(me, answer);
    return reply;
}

uint64_t watcher_watch(th_self *me, th_addr watcher, int fd, uint32_t events, th_watch_mode mode)
{
    struct watcher_reply reply = watcher_do(
        me, watcher, (struct watcher_order){ WATCHER_FD, fd, .events = events, .mode = mode });

    cr_assert_eq(reply.err, TH_OK, "%s", th_err_name(reply.err));
    return reply.id;
}

void watcher_habits(th_self *me, th_addr watcher, uint32_t habits, int other)
{
    struct watcher_order order = { WATCHER_HABITS, .habits = habits, .other = other };

    cr_assert_eq(watcher_do(me, watcher, order).err, TH_OK);
}

struct watcher_report watcher_hear(th_self *me)
{
    struct watcher_report report;
    th_msg *msg = NULL;

    must(th_listen(me, TALK_PATIENCE, &msg));
    cr_assert_not_null(watcher_report_of(msg), "%s", th_msg_type(msg)->name);
    report = *watcher_report_of(msg);
    th_msg_destroy(me, msg);
    return report;
}

void watcher_pipe(int ends[2])
{
    cr_assert_eq(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
}

void watcher_write(int fd, int bytes)
{
    cr_assert_eq(write(fd, "xxxxxxxx", (size_t)bytes), bytes);
}

uint64_t watcher_count(th_system *sys)
{
    th_system_status status;

    must(th_system_status_read(sys, &status));
    return status.watches;
}
