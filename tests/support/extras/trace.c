/* Traces: of some runs all is written, to nowhere, from before the first player to after the last;
 * and on the simple base nothing of it is lost. */
#include "tests/support/extras/extras.h"

#include <fcntl.h>
#include <unistd.h>

enum { ONE_IN = 8 };

struct tracing {
    uint64_t spawned; /* before it began */
    int fd;
    _Atomic int stop_err;
};

static struct tracing *tracing_of(struct random_extra_run *run)
{
    return (struct tracing *)(void *)run->state;
}

static th_err begin(th_self *me, struct random_extra_run *run)
{
    struct tracing *tracing = tracing_of(run);
    th_trace_options where = { .fd = -1 };
    th_system_status status;
    th_err err;

    if (th_random(me) % ONE_IN)
        return TH_E_STATE; /* it costs a third more */
    err = th_system_status_read(run->sys, &status);
    if (err)
        return err;
    tracing->spawned = status.counts.spawned;
    where.fd = tracing->fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (where.fd < 0)
        return TH_E_FILE;
    err = th_trace_start(run->sys, &where);
    if (err)
        close(where.fd);
    return err;
}

static void act(th_self *player, struct random_extra_run *run)
{
    (void)player;
    (void)run;
}

static void finish(th_self *me, struct random_extra_run *run)
{
    (void)me;
    atomic_store(&tracing_of(run)->stop_err, th_trace_stop(run->sys));
    close(tracing_of(run)->fd);
}

static const char *verdict(struct random_extra_run *run, bool is_exact)
{
    const struct tracing *tracing = tracing_of(run);
    th_system_status status;

    if (atomic_load(&tracing->stop_err))
        return "a trace to nowhere did not end well";
    if (th_system_status_read(run->sys, &status) || !is_exact)
        return NULL;
    if (status.tracing || status.trace_failed)
        return "a trace that ended goes on, or has failed";
    if (status.trace_events < 2 * (status.counts.spawned - tracing->spawned) / 3)
        return "less was traced than lived";
    if (status.base == TH_BASE_SIMPLE && status.trace_dropped)
        return "part of a trace was lost on the simple base";
    return NULL;
}

const struct random_extra random_extra_trace = {
    .name = "trace",
    .state_size = sizeof(struct tracing),
    .begin = begin,
    .act = act,
    .close = finish,
    .verdict = verdict,
};
