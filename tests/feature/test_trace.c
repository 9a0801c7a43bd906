/* What a system does, written to a file.
 *
 * Past 500 lines: the reader of traces is needed by all of it. */
#include "tests/support/json.h"
#include "tests/support/system.h"
#include "tests/support/talk.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- reading one ---- */

enum { EVENTS_MAX = 200000 };

struct event {
    const char *line; /* the event's object, ended by NUL */
    char phase;
    int track;
    double begin, end; /* microseconds */
    bool is_checked;
};

struct reading {
    char *text, *lines;
    size_t size;
    struct event *events;
    size_t count;
};

static void temporary(char path[static 32])
{
    int fd;

    strcpy(path, "/tmp/thespis-trace-XXXXXX");
    fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    close(fd);
}

static char *read_all(const char *path, size_t *size_out)
{
    FILE *file = fopen(path, "r");
    long size;
    char *text;

    cr_assert_not_null(file);
    fseek(file, 0, SEEK_END);
    size = ftell(file);
    rewind(file);
    text = calloc(1, (size_t)size + 1);
    cr_assert_eq(fread(text, 1, (size_t)size, file), (size_t)size);
    fclose(file);
    *size_out = (size_t)size;
    return text;
}

/* An event a line, as it is written. */
static void take_line(struct reading *reading, char *line)
{
    struct event *event = &reading->events[reading->count];
    size_t length = strlen(line);

    if (strncmp(line, "{\"ph\":", 6) != 0)
        return;
    if (line[length - 1] == ',')
        line[length - 1] = '\0';
    *event = (struct event){ .line = line, .phase = line[7] };
    event->track = (int)json_number(line, "tid");
    event->begin = json_number(line, "ts");
    event->end = event->begin + (event->phase == 'X' ? json_number(line, "dur") : 0);
    reading->count++;
    cr_assert_lt(reading->count, EVENTS_MAX);
}

static struct reading read_trace(const char *path)
{
    struct reading reading = { .events = calloc(EVENTS_MAX, sizeof(struct event)) };
    char *rest = NULL;

    reading.text = read_all(path, &reading.size);
    cr_assert(json_is_valid(reading.text), "%s is no JSON", path);
    reading.lines = strdup(reading.text);
    for (char *line = strtok_r(reading.lines, "\n", &rest); line;
         line = strtok_r(NULL, "\n", &rest))
        take_line(&reading, line);
    cr_assert_eq(reading.count, json_count(reading.text, "traceEvents"));
    return reading;
}

static void forget(struct reading *reading, const char *path)
{
    free(reading->text);
    free(reading->lines);
    free(reading->events);
    unlink(path);
}

static bool is_of(const struct event *event, const char *category)
{
    return (event->phase == 'X' || event->phase == 'i') && json_says(event->line, "cat", category);
}

static size_t count(const struct reading *reading, const char *category, const char *name)
{
    size_t found = 0;

    for (size_t i = 0; i < reading->count; i++)
        found += is_of(&reading->events[i], category) &&
                 (!name || json_says(reading->events[i].line, "name", name));
    return found;
}

static size_t count_failed(const struct reading *reading)
{
    size_t found = 0;

    for (size_t i = 0; i < reading->count; i++)
        found +=
            is_of(&reading->events[i], "handle") && json_at(reading->events[i].line, "args.err");
    return found;
}

static uint64_t said(const struct reading *reading, const char *path)
{
    const char *at = json_at(reading->text, path);

    cr_assert(at && *at == '"', "nothing at %s", path);
    return strtoull(at + 1, NULL, 10);
}

/* Each handle lies in a turn of its track, and turns of one track follow each other. Written at
 * their ends, a turn comes right behind what was in it. */
static void check_nesting(struct reading *reading)
{
    for (size_t i = 0; i < reading->count; i++) {
        struct event *turn = &reading->events[i];

        if (!is_of(turn, "turn"))
            continue;
        for (size_t j = i; j-- > 0;) {
            struct event *before = &reading->events[j];

            if (before->track != turn->track || before->phase != 'X')
                continue;
            if (is_of(before, "turn")) {
                cr_assert_leq(before->end, turn->begin + 0.0005);
                break;
            }
            if (!is_of(before, "handle"))
                continue;
            cr_assert_geq(before->begin, turn->begin - 0.0005);
            cr_assert_leq(before->end, turn->end + 0.0005);
            before->is_checked = true;
        }
    }
    for (size_t i = 0; i < reading->count; i++)
        cr_assert(!is_of(&reading->events[i], "handle") || reading->events[i].is_checked,
                  "handled outside of a turn: %s", reading->events[i].line);
}

static bool is_arrow(const struct event *from, const struct event *to)
{
    const char *a = json_at(from->line, "id"), *b = json_at(to->line, "id");
    size_t length = strcspn(a + 1, "\"") + 2;

    return from->phase == 's' && strncmp(a, b, length) == 0;
}

/* Each arrow that ends has begun, and not later. */
static size_t check_arrows(const struct reading *reading)
{
    size_t arrows = 0;

    for (size_t i = 0; i < reading->count; i++) {
        bool found = false;

        if (reading->events[i].phase != 'f')
            continue;
        for (size_t j = 0; j < reading->count && !found; j++)
            found = reading->events[j].phase == 's' &&
                    is_arrow(&reading->events[j], &reading->events[i]) &&
                    reading->events[j].begin <= reading->events[i].begin;
        arrows += found;
    }
    return arrows;
}

/* ---- a story ---- */

static atomic_uint handled, failed;

static th_err child_receive(th_self *self, void *state, const th_msg *msg)
{
    if (!talk_word_of(msg))
        return TH_OK;
    atomic_fetch_add(&handled, 1);
    if (talk_is(msg, "bad")) {
        atomic_fetch_add(&failed, 1);
        return TH_E_FAILED;
    }
    return TH_OK;
}

static const th_class child = { .name = "ch\"ild", .receive = child_receive };

static th_err tell_child(th_self *self, bool own_thread)
{
    th_spawn_options options = { .klass = &child, .own_thread = own_thread };
    th_addr addr;
    th_err err = th_spawn_with(self, &options, &addr);

    for (int i = 0; !err && i < 20; i++)
        err = talk_say(self, addr, "work");
    if (!err)
        err = talk_say(self, addr, "bad");
    if (!err)
        err = th_stop(self, addr);
    if (!err)
        err = talk_say(self, addr, "late");
    return err;
}

/* Two children, each with work, something bad, and something that comes too late. */
static th_err hero_receive(th_self *self, void *state, const th_msg *msg)
{
    if (talk_word_of(msg))
        atomic_fetch_add(&handled, 1);
    if (talk_is(msg, "go"))
        return tell_child(self, false) || tell_child(self, true) ||
                       th_wakeup_after(self, TH_MS(1), NULL, NULL)
                   ? TH_E_NOMEM
                   : TH_OK;
    return TH_OK;
}

static const th_class hero = { .name = "hero", .receive = hero_receive };

static void play(struct test_system *ts)
{
    th_addr addr = talk_create(ts->me, &hero);
    th_counts before;

    must(talk_say(ts->me, addr, "go"));
    do {
        before = test_system_counts(ts);
        if (test_is_simple(ts))
            must_be(th_system_wait(ts->sys, TH_MS(10)), TH_E_TIMEOUT);
    } while (before.exited < 2 || before.wakeups_fired < 1 || before.dead < 2);
}

static struct test_system open_traced(th_base base, uint64_t seed, const char *path)
{
    th_trace_options trace = { .path = path };
    th_options options = { .base = base, .seed = seed, .workers = 2, .trace = &trace };

    atomic_store(&handled, 0);
    atomic_store(&failed, 0);
    return test_system_open_with(&options);
}

static void check_story(th_base base, uint64_t seed)
{
    char path[32];
    struct test_system ts;
    th_system_status status;
    struct reading reading;

    temporary(path);
    ts = open_traced(base, seed, path);
    play(&ts);
    must(th_system_shutdown(ts.sys, TEST_PATIENCE, NULL, NULL));
    must_be(th_system_status_read(ts.sys, &status), TH_E_CLOSED);
    test_system_close(&ts);
    reading = read_trace(path);
    cr_assert_eq(count(&reading, "spawn", NULL), status.counts.spawned + 1, "the admin, too");
    cr_assert_eq(count(&reading, "spawn", "ch\\u0022ild"), 2);
    cr_assert_eq(count(&reading, "exit", NULL), status.counts.exited + 1);
    cr_assert_eq(count(&reading, "dead_letter", NULL), status.counts.dead);
    cr_assert_eq(count(&reading, "poison", "talk_word"), status.counts.poisoned);
    cr_assert_eq(count(&reading, "wakeup_set", NULL), status.counts.wakeups_set);
    cr_assert_eq(count(&reading, "wakeup_fire", NULL), status.counts.wakeups_fired);
    cr_assert_eq(count(&reading, "turn", NULL), status.pool.turns);
    cr_assert_eq(count(&reading, "handle", "talk_word"), atomic_load(&handled));
    cr_assert_eq(count_failed(&reading), status.counts.failed);
    cr_assert_eq(status.counts.failed, atomic_load(&failed));
    check_nesting(&reading);
    cr_assert_geq(check_arrows(&reading), 1 + 2 * 21, "all words that were handled");
    cr_assert_eq(said(&reading, "otherData.dropped"), 0);
    cr_assert_eq(said(&reading, "otherData.events"), status.trace_events);
    cr_assert_not(status.tracing);
    cr_assert_not(status.trace_failed);
    cr_assert_eq(status.trace_bytes, reading.size);
    forget(&reading, path);
}

Test(trace, has_each_life_turn_and_delivery_pool)
{
    check_story(TH_BASE_POOL, 0);
}

Test(trace, has_each_life_turn_and_delivery_simple)
{
    check_story(TH_BASE_SIMPLE, 0);
    check_story(TH_BASE_SIMPLE, 7);
}

/* ---- backpressure ---- */

/* Sends more than the other's mailbox takes, and at "leave" goes while it is held. */
static th_err filler_receive(th_self *self, void *state, const th_msg *msg)
{
    th_addr *to = state;
    th_err err = TH_OK;

    if (talk_whom_of(msg))
        *to = talk_whom_of(msg)->addr;
    else if (talk_word_of(msg))
        for (int i = 0; !err && i < 5; i++)
            err = talk_say(self, *to, "work");
    if (!err && talk_is(msg, "leave"))
        err = th_exit(self);
    return err;
}

static const th_class filler = { .name = "filler",
                                 .state_size = sizeof(th_addr),
                                 .receive = filler_receive };

static void fill(struct test_system *ts, th_addr narrow, const char *word)
{
    th_addr addr = talk_create(ts->me, &filler);

    must(talk_whom_send(ts->me, addr, (struct talk_whom){ narrow }));
    must(talk_say(ts->me, addr, word));
    must(th_run_until_idle(ts->sys, 0, NULL));
}

static bool is_hold_on(const struct event *event, th_addr mailbox)
{
    char wanted[32];

    snprintf(wanted, sizeof(wanted), "%u.%u", mailbox.slot, mailbox.generation);
    return is_of(event, "hold") && json_says(event->line, "args.mailbox", wanted);
}

Test(trace, shows_who_is_held_and_goes_on)
{
    char path[32];
    struct test_system ts;
    struct reading reading;
    th_spawn_options options = { .klass = &talk_counter,
                                 .mailbox = { .limit = 2, .when_full = TH_WHEN_FULL_HOLD } };
    th_addr narrow;
    size_t on_it = 0;

    temporary(path);
    ts = open_traced(TH_BASE_SIMPLE, 0, path);
    must(th_create(ts.me, &options, TEST_PATIENCE, &narrow, NULL));
    fill(&ts, narrow, "go");
    fill(&ts, narrow, "leave"); /* an exit is the end of a hold, too */
    cr_assert_eq(test_system_counts(&ts).holds, 2);
    test_system_close(&ts);
    reading = read_trace(path);
    cr_assert_eq(count(&reading, "hold", "filler"), 2);
    cr_assert_eq(count(&reading, "resume", "filler"), 2);
    for (size_t i = 0; i < reading.count; i++)
        on_it += is_hold_on(&reading.events[i], narrow);
    cr_assert_eq(on_it, 2);
    forget(&reading, path);
}

/* ---- one seed, one trace ---- */

static char *told_by(uint64_t seed, size_t *size_out)
{
    char path[32], *text;
    struct test_system ts;

    temporary(path);
    ts = open_traced(TH_BASE_SIMPLE, seed, path);
    play(&ts);
    test_system_close(&ts);
    text = read_all(path, size_out);
    unlink(path);
    return text;
}

Test(trace, of_a_seed_is_the_same_byte_for_byte)
{
    size_t first_size, again_size, other_size;
    char *first = told_by(3, &first_size), *again = told_by(3, &again_size);
    char *other = told_by(4, &other_size);

    cr_assert_str_eq(first, again);
    cr_assert(strcmp(first, other) != 0);
    free(first);
    free(again);
    free(other);
}

/* ---- start and stop ---- */

static void settle(struct test_system *ts)
{
    th_counts counts;

    do {
        counts = test_system_counts(ts);
        if (test_is_simple(ts))
            must_be(th_system_wait(ts->sys, 0), TH_E_TIMEOUT);
    } while (counts.handled + counts.dead < counts.accepted);
}

BOTH_BASES(trace, begins_and_ends_while_the_system_runs)
{
    th_addr addr = talk_create(ts->me, &talk_counter);
    char path[32];
    th_trace_options where = { .path = path };
    struct reading reading;
    th_system_status status;
    uint64_t events;

    temporary(path);
    must(talk_say(ts->me, addr, "before"));
    settle(ts);
    must(th_trace_start(ts->sys, &where));
    must_be(th_trace_start(ts->sys, &where), TH_E_EXISTS);
    must(th_system_status_read(ts->sys, &status));
    cr_assert(status.tracing);
    do { /* a worker learns it when it next looks up */
        must(talk_say(ts->me, addr, "traced"));
        settle(ts);
        must(th_trace_stop(ts->sys));
        reading = read_trace(path);
        events = count(&reading, "handle", "talk_word");
        cr_assert_eq(count(&reading, "send", "talk_word"), 1);
        forget(&reading, path);
        must(th_trace_start(ts->sys, &where));
    } while (events < 1);
    cr_assert_eq(events, 1);
    must(th_trace_stop(ts->sys));
    must_be(th_trace_stop(ts->sys), TH_E_STATE);
    must(th_system_status_read(ts->sys, &status));
    events = status.trace_events;
    must(talk_say(ts->me, addr, "after"));
    settle(ts);
    must(th_system_status_read(ts->sys, &status));
    cr_assert_eq(status.trace_events, events);
    cr_assert_not(status.tracing);
    unlink(path);
}

/* ---- what does not fit ---- */

BOTH_BASES(trace, survives_a_full_disk)
{
    th_trace_options where = { .path = "/dev/full" };
    th_system_status status;

    must(th_trace_start(ts->sys, &where));
    play(ts);
    must_be(th_trace_stop(ts->sys), TH_E_FILE);
    must(th_system_status_read(ts->sys, &status));
    cr_assert(status.trace_failed);
    cr_assert_eq(status.trace_bytes, 0);
}

/* As many words as fill any limit of these tests. */
static void chatter(struct test_system *ts, th_addr addr, int words)
{
    for (int i = 0; i < words; i++) {
        must(talk_say(ts->me, addr, "work"));
        if (i % 500 == 499)
            settle(ts);
    }
    settle(ts);
}

BOTH_BASES(trace, stops_at_its_limit_and_says_so)
{
    char path[32];
    th_trace_options where = { .path = path, .bytes_max = TH_TRACE_BYTES_LEAST };
    th_addr addr = talk_create(ts->me, &talk_counter);
    struct reading reading;
    th_system_status status;

    temporary(path);
    must(th_trace_start(ts->sys, &where));
    chatter(ts, addr, 2000);
    must(th_trace_stop(ts->sys));
    must(th_system_status_read(ts->sys, &status));
    reading = read_trace(path);
    cr_assert_leq(reading.size, TH_TRACE_BYTES_LEAST);
    cr_assert_gt(reading.size, TH_TRACE_BYTES_LEAST / 4);
    cr_assert_gt(status.trace_dropped, 0);
    cr_assert_eq(said(&reading, "otherData.dropped"), status.trace_dropped);
    cr_assert_eq(said(&reading, "otherData.events"), status.trace_events);
    forget(&reading, path);
}

static void *copy_out(void *context)
{
    int *ends = context; /* from a pipe to a file */
    char bytes[4096];
    ssize_t got;

    while ((got = read(ends[0], bytes, sizeof(bytes))) > 0)
        if (write(ends[1], bytes, (size_t)got) != got)
            break;
    return NULL;
}

/* Nobody reads the pipe, so the writer waits, and the rings get full. No worker waits. */
Test(trace, loses_what_finds_its_ring_full)
{
    struct test_system ts = test_system_open(TH_BASE_POOL, 0);
    th_addr addr = talk_create(ts.me, &talk_counter);
    th_system_status status;
    struct reading reading;
    int pipe_ends[2], ends[2];
    char path[32];
    pthread_t reader;
    th_trace_options where;

    temporary(path);
    cr_assert_eq(pipe(pipe_ends), 0);
    where = (th_trace_options){ .fd = pipe_ends[1] };
    must(th_trace_start(ts.sys, &where));
    chatter(&ts, addr, TH_TRACE_EVENTS + 4096);
    ends[0] = pipe_ends[0];
    ends[1] = open(path, O_WRONLY);
    pthread_create(&reader, NULL, copy_out, ends);
    must(th_trace_stop(ts.sys));
    must(th_system_status_read(ts.sys, &status));
    close(pipe_ends[1]); /* ours: it was lent */
    pthread_join(reader, NULL);
    close(ends[0]);
    close(ends[1]);
    reading = read_trace(path);
    cr_assert_gt(status.trace_dropped, 0);
    cr_assert_eq(said(&reading, "otherData.dropped"), status.trace_dropped);
    forget(&reading, path);
    test_system_close(&ts);
}

/* ---- with others, and by others ---- */

static void no_stall(void *context, const th_stall *stall)
{
}

Test(trace, goes_with_measuring_and_a_watchdog)
{
    char path[32];
    th_trace_options where = { .path = path };
    th_options options = { .workers = 2,
                           .measure = true,
                           .watchdog_ns = TH_S(20),
                           .watchdog = no_stall,
                           .trace = &where };
    struct test_system ts;
    struct reading reading;

    temporary(path);
    atomic_store(&handled, 0);
    ts = test_system_open_with(&options);
    play(&ts);
    test_system_close(&ts);
    reading = read_trace(path);
    cr_assert_eq(count(&reading, "handle", "talk_word"), atomic_load(&handled));
    check_nesting(&reading);
    forget(&reading, path);
}

Test(trace, is_wanted_by_the_environment)
{
    char path[32];
    struct test_system first, second;
    struct reading reading;
    th_system_status status;

    temporary(path);
    setenv("THESPIS_TRACE", path, 1);
    first = test_system_open(TH_BASE_POOL, 0);
    second = test_system_open(TH_BASE_POOL, 0); /* runs untraced: that file is being written */
    unsetenv("THESPIS_TRACE");
    must(th_system_status_read(second.sys, &status));
    cr_assert_not(status.tracing);
    must(th_system_status_read(first.sys, &status));
    cr_assert(status.tracing);
    test_system_close(&second);
    test_system_close(&first);
    reading = read_trace(path);
    cr_assert_gt(count(&reading, "turn", NULL), 0);
    forget(&reading, path);
}

/* ---- bad input ---- */

static th_err greedy_receive(th_self *self, void *state, const th_msg *msg)
{
    th_trace_options where = { .path = "/dev/null" };
    th_system *system = th_self_system(self);

    if (talk_is(msg, "start"))
        return talk_count(self, th_msg_sender(msg), th_trace_start(system, &where));
    return talk_count(self, th_msg_sender(msg), th_trace_stop(system));
}

static const th_class greedy = { .name = "greedy", .receive = greedy_receive };

BOTH_BASES(trace, refuses_what_makes_no_sense)
{
    th_trace_options good = { .path = "/dev/null" }, both = { .path = "/dev/null", .fd = 1 };
    th_trace_options none = { 0 }, negative = { .fd = -1 };
    th_trace_options small = { .path = "/dev/null", .bytes_max = TH_TRACE_BYTES_LEAST - 1 };
    th_trace_options nowhere = { .path = "/nowhere/at/all" };
    th_addr addr = talk_create(ts->me, &greedy);
    th_options options = { .trace = &both };
    const char *why = NULL;

    must_be(th_trace_start(NULL, &good), TH_E_INVALID);
    must_be(th_trace_stop(NULL), TH_E_INVALID);
    must_be(th_trace_start(ts->sys, NULL), TH_E_INVALID);
    must_be(th_trace_start(ts->sys, &both), TH_E_INVALID);
    must_be(th_trace_start(ts->sys, &none), TH_E_INVALID);
    must_be(th_trace_start(ts->sys, &negative), TH_E_INVALID);
    must_be(th_trace_start(ts->sys, &small), TH_E_INVALID);
    must_be(th_trace_start(ts->sys, &nowhere), TH_E_FILE);
    must_be(th_trace_stop(ts->sys), TH_E_STATE);
    cr_assert_eq(talk_ask_number(ts->me, addr, "start"), TH_E_NOT_ALLOWED);
    cr_assert_eq(talk_ask_number(ts->me, addr, "stop"), TH_E_NOT_ALLOWED);
    must_be(th_options_check(&options, &why), TH_E_INVALID);
    cr_assert_eq(strncmp(why, "trace:", 6), 0);
    must(th_system_shutdown(ts->sys, TEST_PATIENCE, NULL, NULL));
    must_be(th_trace_start(ts->sys, &good), TH_E_CLOSED);
    must_be(th_trace_stop(ts->sys), TH_E_CLOSED);
}

Test(trace, that_cannot_be_had_is_no_start)
{
    th_trace_options nowhere = { .path = "/nowhere/at/all" };
    th_options options = { .trace = &nowhere };
    th_system *system = th_system_create(&options);

    must_be(th_system_start(system), TH_E_FILE);
    must(th_system_destroy(system));
}
