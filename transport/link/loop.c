#include "transport/link/loop.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "runtime/base/reclaim.h"
#include "runtime/base/thread.h"

/* ---- what happens on it ---- */

/* The bell is read before its flag is taken back: who rings in between finds it set and writes
 * nothing, and what it rang for was there before, so the look that follows sees it. */
static void on_bell(uv_poll_t *poll, int status, int events)
{
    struct thi_loop *loop = poll->data;
    uint64_t count;
    ssize_t got = read(loop->bell, &count, sizeof(count));

    (void)got; /* EAGAIN: it was quiet already */
    (void)status;
    (void)events;
    /* acquire: pairs with the release in thi_loop_ring() */
    (void)atomic_exchange_explicit(&loop->rung, 0, memory_order_acquire);
    loop->ops->rung(loop->context);
}

static void on_timer(uv_timer_t *timer)
{
    struct thi_loop *loop = timer->data;

    loop->timer_ns = UINT64_MAX; /* it ended the wait; the look before the next one does the rest */
}

static void on_idle(uv_idle_t *idle)
{
    (void)idle; /* that it runs is all it is for: libuv does not wait then */
}

static void on_prepare(uv_prepare_t *prepare)
{
    struct thi_loop *loop = prepare->data;

    if (loop->ops->look(loop->context))
        (void)uv_idle_start(&loop->idle, on_idle);
    else
        (void)uv_idle_stop(&loop->idle);
}

/* ---- life ---- */

static th_err put_in(struct thi_loop *loop)
{
    (void)uv_timer_init(&loop->uv, &loop->timer);
    (void)uv_prepare_init(&loop->uv, &loop->prepare);
    (void)uv_idle_init(&loop->uv, &loop->idle);
    loop->bell_poll.data = loop;
    loop->timer.data = loop;
    loop->prepare.data = loop;
    (void)uv_prepare_start(&loop->prepare, on_prepare);
    return uv_poll_start(&loop->bell_poll, UV_READABLE, on_bell) == 0 ? TH_OK : TH_E_THREAD;
}

th_err thi_loop_open(struct thi_loop *loop, const struct thi_loop_ops *ops, void *context,
                     struct thi_clock *clock)
{
    int failed;

    *loop =
        (struct thi_loop){ .ops = ops, .context = context, .clock = clock, .timer_ns = UINT64_MAX };
    failed = uv_loop_init(&loop->uv);
    if (failed)
        return failed == UV_ENOMEM ? TH_E_NOMEM : TH_E_THREAD;
    loop->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->bell < 0 || uv_poll_init(&loop->uv, &loop->bell_poll, loop->bell) != 0) {
        if (loop->bell >= 0)
            (void)close(loop->bell);
        (void)uv_loop_close(&loop->uv);
        return TH_E_THREAD;
    }
    if (put_in(loop) == TH_OK)
        return TH_OK;
    thi_loop_close(loop);
    return TH_E_THREAD;
}

void thi_loop_close(struct thi_loop *loop)
{
    (void)uv_idle_stop(&loop->idle);
    uv_close((uv_handle_t *)&loop->bell_poll, NULL);
    uv_close((uv_handle_t *)&loop->timer, NULL);
    uv_close((uv_handle_t *)&loop->prepare, NULL);
    uv_close((uv_handle_t *)&loop->idle, NULL);
    (void)uv_run(&loop->uv, UV_RUN_DEFAULT); /* until the last handle is closed */
    (void)uv_loop_close(&loop->uv);
    (void)close(loop->bell);
}

/* It is no reader of shared structures but where a call of the host makes it one. */
static void *run(void *context)
{
    struct thi_loop *loop = context;

    (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
    return NULL;
}

th_err thi_loop_start(struct thi_loop *loop)
{
    th_err err = thi_thread_start(&loop->thread, "thespis/net", run, loop);

    loop->is_running = !err;
    return err;
}

void thi_loop_join(struct thi_loop *loop)
{
    if (!loop->is_running)
        return;
    loop->is_running = false;
    (void)pthread_join(loop->thread, NULL); /* cannot fail: it is ours, and joined once */
}

void thi_loop_turn(struct thi_loop *loop, bool waits)
{
    (void)uv_run(&loop->uv, waits ? UV_RUN_ONCE : UV_RUN_NOWAIT);
}

void thi_loop_end(struct thi_loop *loop)
{
    uv_stop(&loop->uv);
}

/* ---- bell and timer ---- */

void thi_loop_ring(struct thi_loop *loop)
{
    uint64_t one = 1;

    /* release: what the ring is about comes first; pairs with the acquire in on_bell(). Rung
     * already: the loop has not looked yet, or is just about to. */
    if (atomic_exchange_explicit(&loop->rung, 1, memory_order_release) == 0) {
        ssize_t put = write(loop->bell, &one, sizeof(one));

        (void)put; /* cannot fail: it is at 0, or at 1 */
    }
}

/* libuv counts milliseconds from when its round began, so the round's beginning is made now. */
void thi_loop_set_timer(struct thi_loop *loop, uint64_t when_ns)
{
    uint64_t now;

    if (when_ns == loop->timer_ns)
        return;
    loop->timer_ns = when_ns;
    if (when_ns == UINT64_MAX) {
        (void)uv_timer_stop(&loop->timer);
        return;
    }
    now = thi_loop_now(loop);
    uv_update_time(&loop->uv);
    (void)uv_timer_start(&loop->timer, on_timer,
                         when_ns > now ? (when_ns - now + 999999) / 1000000 : 0, 0);
}
