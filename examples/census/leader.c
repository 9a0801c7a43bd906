/* leader.c: walks the directory, keeps the counters busy, and knows when the last count is merged.
 *
 * Memory stays bounded by credits: at most chunks_max chunks are out, and no new one goes out while
 * the tallies owe more than BATCHES_MAX merges. Three numbers tell the end: the walk is over, no
 * chunk is out, and every batch that a counter announced has been merged. A merge may be heard of
 * before the chunk that announced it, so the batches owed may be negative for a moment. */
#include "actors.h"
#include "messages.h"
#include "walk.h"

#define CHUNKS_PER_COUNTER 4
#define BATCHES_MAX        256
#define PROGRESS_NS        TH_MS(50)

struct leader {
    struct walk walk;
    struct walk_file file; /* being handed out; no name: none */
    uint64_t offset;       /* in it */
    th_blob *path;         /* its name */
    bool walked;
    bool over; /* told the client */

    struct census_plan plan; /* root excepted */
    struct census_crew crew;
    uint32_t chunks_max;
    uint32_t chunks_out;
    int64_t batches_owed;
    uint64_t next_progress_ns;
    struct census_walked sum;
};

/* Here, or where the host is: of that we hear if it is lost. */
static th_err hire(th_self *self, const struct census_plan *plan)
{
    struct census_hire *hire;
    th_msg *msg = census_hire_new(self, &hire);
    th_addr crew;
    th_err err;

    if (hire)
        *hire = (struct census_hire){ th_self_addr(self), plan->counters };
    if (th_addr_is_none(plan->host))
        return th_spawn(self, &census_crew, msg, &crew);
    err = th_send(self, plan->host, msg);
    return err ? err : th_watch_actor(self, plan->host);
}

static th_err leader_init(th_self *self, void *state, const th_msg *arg)
{
    struct leader *me = state;
    th_err err;

    me->plan = *census_plan_of(arg);
    err = walk_open(&me->walk, self, me->plan.root->data);
    me->plan.root = NULL; /* the argument's */
    return err ? err : hire(self, &me->plan);
}

static void leader_exit(th_self *self, void *state)
{
    struct leader *me = state;

    if (me->file.name)
        walk_file_free(&me->walk, &me->file);
    th_blob_unref(me->path);
    walk_close(&me->walk);
}

/* Done or given up: tells the client once; from then on only the exit is left. */
static th_err finish(th_self *self, struct leader *me, th_err err)
{
    me->over = true;
    me->sum.err = err;
    me->sum.unreadable += me->walk.unreadable;
    for (int t = 0; t < CENSUS_TALLIES && !err; t++)
        err =
            census_report_send(self, me->crew.tally[t], (struct census_report){ me->plan.client });
    me->sum.err = err;
    return census_walked_send(self, me->plan.client, me->sum);
}

/* Finds the next file, which may block on a slow disk. */
static th_err next_file(th_self *self, struct leader *me)
{
    enum walk_found found = WALK_END;
    th_err err = th_blocking_begin(self);

    if (err)
        return err;
    found = walk_next(&me->walk, &me->file);
    err = th_blocking_end(self);
    if (err)
        return err;
    if (found == WALK_NO_MEMORY)
        return TH_E_NOMEM;
    me->walked = found == WALK_END;
    me->offset = 0;
    if (me->walked)
        return TH_OK;
    me->path = th_blob_create(self, me->file.name, me->file.name_size - 1);
    return me->path ? TH_OK : TH_E_NOMEM;
}

static th_err send_chunk(th_self *self, struct leader *me)
{
    uint64_t left = me->file.size - me->offset;
    uint64_t length = left < me->plan.chunk_size ? left : me->plan.chunk_size;
    struct census_chunk *chunk;
    th_msg *msg = census_chunk_new(self, &chunk);

    if (chunk) {
        chunk->path = th_blob_ref(me->path);
        chunk->offset = me->offset;
        chunk->length = length;
    }
    me->chunks_out++;
    me->offset += length;
    if (me->offset == me->file.size) {
        walk_file_free(&me->walk, &me->file);
        th_blob_unref(me->path);
        me->path = NULL;
    }
    return th_send(self, me->crew.troupe, msg);
}

/* Hands out chunks while there are credits; ends the census when nothing is left. */
static th_err go_on(th_self *self, struct leader *me)
{
    th_err err = TH_OK;

    while (!err && !me->walked && me->chunks_out < me->chunks_max &&
           me->batches_owed < BATCHES_MAX) {
        if (!me->file.name)
            err = next_file(self, me);
        if (!err && !me->walked)
            err = send_chunk(self, me);
    }
    if (err || (me->walked && me->chunks_out == 0 && me->batches_owed == 0))
        return finish(self, me, err);
    return TH_OK;
}

static th_err tell_progress(th_self *self, struct leader *me)
{
    if (th_now(self) < me->next_progress_ns)
        return TH_OK;
    me->next_progress_ns = th_now(self) + PROGRESS_NS;
    return census_progress_send(
        self, me->plan.client,
        (struct census_progress){ .files = me->sum.files, .bytes = me->sum.bytes });
}

static th_err leader_receive(th_self *self, void *state, const th_msg *msg)
{
    struct leader *me = state;
    const struct census_chunk_done *done = census_chunk_done_of(msg);
    const struct census_merged *merged = census_merged_of(msg);
    const struct th_poison *poison = th_poison_of(msg);
    th_err err = TH_OK;

    if (me->over)
        return TH_OK;
    if (done) {
        me->chunks_out--;
        me->batches_owed += done->batches;
        me->sum.files += done->opened;
        me->sum.bytes += done->bytes;
        me->sum.unreadable += done->unreadable;
        err = done->err;
    } else if (merged) {
        me->batches_owed--;
        err = merged->err;
    } else if (poison) {
        err = poison->err;
    } else if (th_actor_gone_of(msg)) {
        err = TH_E_NO_ACTOR;
    } else if (census_crew_of(msg)) {
        me->crew = *census_crew_of(msg);
        me->chunks_max = me->crew.counters * CHUNKS_PER_COUNTER;
    } else {
        return TH_OK;
    }
    if (!err)
        err = tell_progress(self, me);
    return err ? finish(self, me, err) : go_on(self, me);
}

const th_class census_leader = {
    .name = "census leader",
    .state_size = sizeof(struct leader),
    .init = leader_init,
    .receive = leader_receive,
    .exit = leader_exit,
};
