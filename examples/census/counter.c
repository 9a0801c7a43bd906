/* counter.c: reads one chunk of a file, counts its identifiers, sends each tally its share.
 *
 * Reading may block, so it happens between th_blocking_begin() and th_blocking_end(): the pool
 * lends a thread meanwhile; memory is taken before. All messages are made before the first is sent,
 * so that a chunk is either counted or reported as failed, never half. */
#include "actors.h"
#include "messages.h"
#include "scan.h"
#include "table.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define TAIL_BYTES 256 /* read past a chunk at once; the rare longer run asks for more */

struct counter {
    struct census_team team;
    struct table table;
    char *buffer; /* the byte before the chunk, the chunk, and the end of its last run */
    size_t room;
    size_t filled;
};

static th_err counter_init(th_self *self, void *state, const th_msg *arg)
{
    struct counter *me = state;

    me->team = *census_team_of(arg);
    return TH_OK;
}

static void counter_exit(th_self *self, void *state)
{
    struct counter *me = state;

    table_fini(&me->table, self);
    th_free(self, me->buffer, me->room);
}

/* ---- reading ---- */

static bool make_room(struct counter *me, th_self *self, size_t room)
{
    char *buffer;

    if (room <= me->room)
        return true;
    buffer = th_alloc(self, room);
    if (!buffer)
        return false;
    if (me->filled)
        memcpy(buffer, me->buffer, me->filled);
    th_free(self, me->buffer, me->room);
    me->buffer = buffer;
    me->room = room;
    return true;
}

/* Fills the buffer up to @wanted bytes or the end of the file, which began at @offset. */
static bool fill(struct counter *me, int file, uint64_t offset, size_t wanted)
{
    while (me->filled < wanted) {
        ssize_t got =
            pread(file, me->buffer + me->filled, wanted - me->filled, (off_t)(offset + me->filled));

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return false;
        if (got == 0)
            break;
        me->filled += (size_t)got;
    }
    return true;
}

/* Whether the last run of the chunk, which ends at @own, may go on past what was read. */
static bool run_is_open(const struct counter *me, size_t own, size_t wanted)
{
    size_t at = own > 0 ? own - 1 : 0;

    while (at < me->filled && scan_in_run(me->buffer[at]))
        at++;
    return at == me->filled && me->filled == wanted && own > 0;
}

static th_err read_block(struct counter *me, th_self *self, int file, uint64_t offset,
                         size_t wanted, bool *read_out)
{
    th_err err = make_room(me, self, wanted) ? th_blocking_begin(self) : TH_E_NOMEM;

    if (err)
        return err;
    *read_out = fill(me, file, offset, wanted);
    return th_blocking_end(self);
}

/* Reads the chunk with a byte before it and the whole of its last run. */
static th_err read_chunk(struct counter *me, th_self *self, const struct census_chunk *chunk,
                         struct census_chunk_done *done)
{
    bool first = chunk->offset == 0;
    uint64_t start = first ? 0 : chunk->offset - 1;
    size_t own = (size_t)chunk->length + !first;
    size_t wanted = own + TAIL_BYTES;
    bool read = true;
    th_err err;
    int file;

    me->filled = 0;
    file = open(chunk->path->data, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    done->opened = first && file >= 0;
    done->unreadable = first && file < 0; /* once for a file, whatever its chunks */
    if (file < 0)
        return TH_OK;
    err = read_block(me, self, file, start, wanted, &read);
    while (!err && read && run_is_open(me, own, wanted)) {
        wanted *= 2;
        err = read_block(me, self, file, start, wanted, &read);
    }
    close(file);
    if (!read) {
        done->unreadable = true;
        me->filled = 0;
    }
    return err;
}

/* ---- counting ---- */

struct counting {
    struct counter *me;
    th_self *self;
};

static th_err count_one(void *context, const char *name, size_t length)
{
    struct counting *counting = context;

    return table_add(&counting->me->table, counting->self, name, length, 1);
}

static th_err count_chunk(struct counter *me, th_self *self, const struct census_chunk *chunk,
                          struct census_chunk_done *done)
{
    size_t ahead = chunk->offset > 0 && me->filled > 0; /* the byte before the chunk */
    const char *bytes = me->buffer + ahead;
    size_t size = me->filled - ahead;
    size_t own = size < chunk->length ? size : (size_t)chunk->length;

    done->bytes = own;
    return scan(bytes, scan_skip(bytes, own, ahead ? (unsigned char)me->buffer[0] : -1), own, size,
                count_one, &(struct counting){ me, self });
}

/* ---- sending the counts on ---- */

static unsigned tally_for(const struct table_entry *entry)
{
    return (unsigned)((uint64_t)entry->hash * CENSUS_TALLIES >> 32);
}

/* One message for each tally that gets any [give], else NULL. False: no memory, none is made. */
static bool make_batches(struct counter *me, th_self *self, th_addr leader,
                         th_msg *batch[CENSUS_TALLIES])
{
    size_t size[CENSUS_TALLIES] = { 0 };
    char *at[CENSUS_TALLIES] = { 0 };

    for (size_t i = 0; i < me->table.used; i++) {
        const struct table_entry *entry = &me->table.entry[i];

        size[tally_for(entry)] += COUNTS_RECORD_SIZE + entry->length;
    }
    for (int t = 0; t < CENSUS_TALLIES; t++) {
        if (size[t] == 0)
            continue;
        batch[t] = th_msg_create_sized(self, &census_counts_type, size[t]);
        if (!batch[t])
            return false;
        ((struct census_counts *)th_msg_body(batch[t]))->leader = leader;
        at[t] = th_msg_rest(batch[t], NULL);
    }
    for (size_t i = 0; i < me->table.used; i++) {
        const struct table_entry *entry = &me->table.entry[i];
        unsigned t = tally_for(entry);

        at[t] = counts_put(at[t], entry->count, table_name(&me->table, entry), entry->length);
        ((struct census_counts *)th_msg_body(batch[t]))->names++;
    }
    return true;
}

static th_err send_counts(struct counter *me, th_self *self, th_addr leader,
                          struct census_chunk_done *done)
{
    th_msg *batch[CENSUS_TALLIES] = { 0 };
    bool made = make_batches(me, self, leader, batch);
    th_err err = made ? TH_OK : TH_E_NOMEM;

    for (int t = 0; t < CENSUS_TALLIES; t++) {
        if (batch[t] && !err) {
            err = th_send(self, me->team.tally[t], batch[t]);
            done->batches += !err;
        } else {
            th_msg_destroy(self, batch[t]);
        }
    }
    return err;
}

static th_err counter_receive(th_self *self, void *state, const th_msg *msg)
{
    struct counter *me = state;
    const struct census_chunk *chunk = census_chunk_of(msg);
    struct census_chunk_done done = { 0 };

    if (!chunk)
        return TH_OK;
    done.err = read_chunk(me, self, chunk, &done);
    if (!done.err)
        done.err = count_chunk(me, self, chunk, &done);
    if (!done.err)
        done.err = send_counts(me, self, th_msg_sender(msg), &done);
    table_clear(&me->table);
    return census_chunk_done_send(self, th_msg_sender(msg), done);
}

const th_class census_counter = {
    .name = "census counter",
    .state_size = sizeof(struct counter),
    .init = counter_init,
    .receive = counter_receive,
    .exit = counter_exit,
};
