/* On the pool: a pipe that players write to, and an actor that watches its other end. It reads
 * only when it hears that it can, and goes when it has read all that was written; so a watch that
 * falls silent never ends, and one that speaks for nothing is noticed. The simple base has real
 * descriptors in no seed, so nothing happens there. */
#include "tests/support/extras/extras.h"

#include <fcntl.h>
#include <unistd.h>

struct watches {
    th_addr reader;
    _Atomic uint32_t written, read;
    _Atomic bool is_odd;
};

static struct watches *watches_of(struct random_extra_run *run)
{
    return (struct watches *)(void *)run->state;
}

struct random_watches_arg {
    struct random_extra_run *run;
};
TH_MESSAGE_LOCAL(random_watches_arg);
TH_MESSAGE_LOCAL_TYPE(random_watches_arg, NULL)

TH_SIGNAL(random_watches_write);
TH_SIGNAL_TYPE(random_watches_write)

TH_SIGNAL(random_watches_finish);
TH_SIGNAL_TYPE(random_watches_finish)

struct reader {
    struct random_extra_run *run;
    int ends[2]; /* of the pipe, from the first byte on; 0: none */
    uint64_t watch;
    bool is_finishing;
};

static th_err reader_init(th_self *self, void *state, const th_msg *arg)
{
    struct reader *reader = state;

    reader->run = random_watches_arg_of(arg)->run;
    return TH_OK;
}

/* Without descriptors or memory there is nothing to write to. */
static bool open_pipe(th_self *self, struct reader *reader)
{
    if (reader->watch)
        return true;
    if (!reader->ends[1] && pipe2(reader->ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return false;
    return th_watch_fd(self, reader->ends[0], TH_FD_READABLE, TH_WATCH_LEVEL, &reader->watch) ==
           TH_OK;
}

static void take(struct watches *all, struct reader *reader)
{
    char bytes[3]; /* few, so that often more is left */
    ssize_t got = read(reader->ends[0], bytes, sizeof(bytes));

    if (got <= 0)
        atomic_store(&all->is_odd, true);
    else
        atomic_fetch_add(&all->read, (uint32_t)got);
}

static th_err reader_receive(th_self *self, void *state, const th_msg *msg)
{
    struct reader *reader = state;
    struct watches *all = watches_of(reader->run);

    if (th_msg_type(msg) == &random_watches_write_type && open_pipe(self, reader) &&
        write(reader->ends[1], "x", 1) == 1)
        atomic_fetch_add(&all->written, 1);
    if (th_fd_ready_of(msg))
        take(all, reader);
    if (th_msg_type(msg) == &random_watches_finish_type)
        reader->is_finishing = true;
    if (reader->is_finishing && atomic_load(&all->read) == atomic_load(&all->written))
        return th_exit(self);
    return TH_OK;
}

static void reader_exit(th_self *self, void *state)
{
    struct reader *reader = state;

    for (int i = 0; i < 2; i++)
        if (reader->ends[i])
            (void)close(reader->ends[i]);
}

static const th_class reader_class = { .name = "random.watches.reader",
                                       .state_size = sizeof(struct reader),
                                       .init = reader_init,
                                       .receive = reader_receive,
                                       .exit = reader_exit };

static th_err begin(th_self *me, struct random_extra_run *run)
{
    struct random_watches_arg *body;
    uint64_t now;
    th_msg *arg;

    if (th_virtual_now(run->sys, &now) == TH_OK)
        return TH_E_STATE;
    arg = random_watches_arg_new(me, &body);
    if (!arg)
        return TH_E_NOMEM;
    body->run = run;
    return th_spawn(me, &reader_class, arg, &watches_of(run)->reader);
}

static void act(th_self *player, struct random_extra_run *run)
{
    (void)!random_watches_write_send(player, watches_of(run)->reader,
                                     (struct random_watches_write){ 0 });
}

static void finish(th_self *me, struct random_extra_run *run)
{
    if (random_watches_finish_send(me, watches_of(run)->reader,
                                   (struct random_watches_finish){ 0 }) != TH_OK)
        (void)!th_stop(me, watches_of(run)->reader);
}

static const char *verdict(struct random_extra_run *run, bool is_exact)
{
    return atomic_load(&watches_of(run)->is_odd) ? "a descriptor that was not ready" : NULL;
}

const struct random_extra random_extra_watches = {
    .name = "watches",
    .state_size = sizeof(struct watches),
    .begin = begin,
    .act = act,
    .close = finish,
    .verdict = verdict,
};
