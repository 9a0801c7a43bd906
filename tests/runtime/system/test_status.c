/* What a system says about itself.
 *
 * Past 500 lines: one system with something of everything is looked at in each way. */
#include "../../support/json.h"
#include "../../support/system.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <thespis/config.h>
#include <thespis/testkit.h>

TH_SIGNAL(poke);
TH_SIGNAL_TYPE(poke)

/* Has as many children as its argument says, and one wakeup far away. */
#define FAMILY_FIELDS(F, S) F(S, u32, children)
TH_MESSAGE(family, FAMILY_FIELDS);
TH_MESSAGE_TYPE(family, FAMILY_FIELDS)

static const th_class child_class = { .name = "child" };

static th_err parent_init(th_self *self, void *state, const th_msg *arg)
{
    uint32_t children = arg ? family_of(arg)->children : 0;
    th_addr addr;
    th_err err = TH_OK;

    (void)state;
    for (uint32_t i = 0; !err && i < children; i++)
        err = th_spawn(self, &child_class, NULL, &addr);
    return err ? err : th_wakeup_after(self, TH_S(100000), NULL, NULL);
}

static const th_class parent_class = { .name = "parent", .init = parent_init };

/* Its state alone is more than any block. */
static const th_class hall_class = { .name = "hall", .state_size = 1 << 20 };

static th_addr create_parent(struct test_system *ts, uint32_t children)
{
    struct family *body;
    th_spawn_options how = { .klass = &parent_class, .arg = family_new(ts->me, &body) };
    th_addr addr;

    body->children = children;
    cr_assert_eq(th_create(ts->me, &how, TEST_PATIENCE, &addr, NULL), TH_OK);
    return addr;
}

static th_system_status read_status(struct test_system *ts)
{
    th_system_status status;

    cr_assert_eq(th_system_status_read(ts->sys, &status), TH_OK);
    return status;
}

BOTH_BASES(status, a_fresh_system_is_empty)
{
    th_system_status status = read_status(ts);

    cr_assert_str_eq(status.name, "thespis");
    cr_assert_eq(status.base, ts->base);
    cr_assert_eq(status.id, th_system_id(ts->sys));
    cr_assert_not(status.shutting_down);
    cr_assert_eq(status.actors, 0);
    cr_assert_eq(status.actors_max, TH_ACTORS_MAX_DEFAULT);
    cr_assert_eq(status.endpoints, 1);
    cr_assert_eq(status.classes, 0);
    cr_assert_eq(status.dead_letter_handlers, 0);
    cr_assert_eq(status.wakeups_pending, 0);
    cr_assert_eq(status.timers_max, TH_TIMERS_MAX_DEFAULT);
    cr_assert_gt(status.memory_bytes, 0);
    cr_assert_geq(status.memory_bytes_peak, status.memory_bytes);
    cr_assert_eq(status.counts.spawned, 0);
    cr_assert_eq(status.counts.dead, 0);
    cr_assert_eq(status.pool.workers, test_is_simple(ts) ? 0 : 2);
}

BOTH_BASES(status, the_figures_follow_what_happens)
{
    th_addr parent = create_parent(ts, 3);
    th_addr nobody = { th_system_id(ts->sys), 400, 9 };
    th_system_status status;
    th_self *own;
    th_msg *none;

    cr_assert_eq(th_endpoint_open(ts->sys, &own), TH_OK);
    cr_assert_eq(th_class_register(ts->sys, &parent_class), TH_OK);
    cr_assert_eq(th_dead_letters_to_me(own, true), TH_OK);
    cr_assert_eq(th_tell(ts->me, nobody, th_msg_create(ts->me, &poke_type)), TH_OK);
    status = read_status(ts);
    cr_assert_eq(status.actors, 4);
    cr_assert_eq(status.counts.spawned, 4);
    cr_assert_eq(status.counts.exited, 0);
    cr_assert_eq(status.endpoints, 2);
    cr_assert_eq(status.classes, 1);
    cr_assert_eq(status.dead_letter_handlers, 1);
    cr_assert_eq(status.wakeups_pending, 1);
    cr_assert_eq(status.counts.wakeups_set, 1);
    cr_assert_eq(status.counts.dead, 1);
    cr_assert_eq(status.counts.dead_by_reason[TH_DEAD_NO_ACTOR], 1);
    cr_assert_eq(th_stop(ts->me, parent), TH_OK);
    while (read_status(ts).actors)
        cr_assert_eq(th_listen(ts->me, TH_MS(1), &none), TH_E_TIMEOUT);
    status = read_status(ts);
    cr_assert_eq(status.counts.exited, 4);
    cr_assert_eq(status.wakeups_pending, 0);
    cr_assert_eq(status.counts.wakeups_cancelled, 1);
    cr_assert_eq(th_request_shutdown(ts->me), TH_OK);
    cr_assert(read_status(ts).shutting_down);
    cr_assert_eq(th_endpoint_close(own), TH_OK);
}

BOTH_BASES(status, counts_are_there_after_the_end)
{
    th_system_status status;

    (void)create_parent(ts, 2);
    cr_assert_eq(th_system_shutdown(ts->sys, TEST_PATIENCE, NULL, NULL), TH_OK);
    cr_assert_eq(th_system_status_read(ts->sys, &status), TH_E_CLOSED);
    cr_assert_eq(status.counts.spawned, 3);
    cr_assert_eq(status.counts.exited, 3);
    cr_assert_gt(status.counts.accepted, 3);
    cr_assert_eq(status.counts.accepted, status.counts.handled + status.counts.dead);
    cr_assert_eq(status.actors, 0);
    cr_assert_gt(status.pool.turns, 3);
}

BOTH_BASES(status, an_actor_is_described)
{
    th_addr addr = create_parent(ts, 2);
    th_actor_status status;

    cr_assert_eq(th_actor_status_read(ts->sys, addr, &status), TH_OK);
    cr_assert(th_addr_equal(status.addr, addr));
    cr_assert_str_eq(status.class_name, "parent");
    cr_assert_str_eq(status.state, "running");
    cr_assert_eq(status.children, 2);
    cr_assert_eq(status.wakeups, 1);
    cr_assert_eq(status.waiting, 0);
    cr_assert_not(status.own_thread);
    cr_assert_eq(status.parent.system, th_system_id(ts->sys), "a child of the system");
    cr_assert_eq(status.parent.slot, 0);
}

BOTH_BASES(status, bad_arguments_are_answers)
{
    th_addr addr = create_parent(ts, 0);
    th_addr foreign = { addr.system + 1, addr.slot, addr.generation };
    th_addr stale = { addr.system, addr.slot, addr.generation + 1 };
    th_actor_status status;

    cr_expect_eq(th_actor_status_read(NULL, addr, &status), TH_E_INVALID);
    cr_expect_eq(th_actor_status_read(ts->sys, addr, NULL), TH_E_INVALID);
    cr_expect_eq(th_actor_status_read(ts->sys, th_addr_none(), &status), TH_E_INVALID);
    cr_expect_eq(th_actor_status_read(ts->sys, foreign, &status), TH_E_FOREIGN);
    cr_expect_eq(th_actor_status_read(ts->sys, stale, &status), TH_E_NO_ACTOR);
    cr_expect_eq(th_actor_status_read(ts->sys, th_self_addr(ts->me), &status), TH_E_NO_ACTOR);
    cr_expect_eq(th_actors_each(ts->sys, NULL, NULL), TH_E_INVALID);
    cr_expect_eq(th_actors_each(NULL, NULL, NULL), TH_E_INVALID);
    cr_expect_eq(th_system_status_read(ts->sys, NULL), TH_E_INVALID);
    cr_expect_eq(th_system_status_read(NULL, &(th_system_status){ 0 }), TH_E_INVALID);
}

struct tally {
    int parents, children;
    uint32_t last_slot;
    th_addr parent;
};

static void tally_up(void *context, const th_actor_status *status)
{
    struct tally *tally = context;

    cr_assert_gt(status->addr.slot, tally->last_slot, "in slot order");
    tally->last_slot = status->addr.slot;
    if (strcmp(status->class_name, "child") == 0) {
        tally->children++;
        cr_assert(th_addr_equal(status->parent, tally->parent));
    } else {
        tally->parents++;
    }
}

BOTH_BASES(status, each_actor_is_listed_once)
{
    struct tally tally = { .parent = create_parent(ts, 20) };

    cr_assert_eq(th_actors_each(ts->sys, tally_up, &tally), TH_OK);
    cr_assert_eq(tally.parents, 1);
    cr_assert_eq(tally.children, 20);
}

Test(status, what_waits_is_exact_on_the_simple_base)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 0);
    th_addr addr = create_parent(&ts, 0);
    th_actor_status status;

    for (int i = 0; i < 5; i++)
        cr_assert_eq(th_tell(ts.me, addr, th_msg_create(ts.me, &poke_type)), TH_OK);
    cr_assert_eq(th_actor_status_read(ts.sys, addr, &status), TH_OK);
    cr_assert_eq(status.waiting, 5);
    cr_assert_eq(th_step(ts.sys, NULL), TH_OK);
    cr_assert_eq(th_actor_status_read(ts.sys, addr, &status), TH_OK);
    cr_assert_eq(status.waiting, 0);
    test_system_close(&ts);
}

/* ---- an actor that is stuck, and one that asks from inside ---- */

static struct {
    _Atomic bool is_in, may_go;
} gate;

static th_err stuck_receive(th_self *self, void *state, const th_msg *msg)
{
    (void)self;
    (void)state;
    if (th_msg_type(msg) != &poke_type)
        return TH_OK;
    atomic_store(&gate.is_in, true);
    while (!atomic_load(&gate.may_go))
        sched_yield();
    return TH_OK;
}

static const th_class stuck_class = { .name = "stuck", .receive = stuck_receive };

Test(status, a_stuck_actor_is_described_from_outside)
{
    struct test_system ts = test_system_open(TH_BASE_POOL, 0);
    th_actor_status status;
    th_addr addr;

    cr_assert_eq(th_spawn_with(ts.me,
                               &(th_spawn_options){ .klass = &stuck_class, .own_thread = true },
                               &addr),
                 TH_OK);
    cr_assert_eq(th_tell(ts.me, addr, th_msg_create(ts.me, &poke_type)), TH_OK);
    while (!atomic_load(&gate.is_in))
        sched_yield();
    cr_assert_eq(th_actor_status_read(ts.sys, addr, &status), TH_OK);
    cr_assert_eq(status.waiting, UINT64_MAX, "who knows");
    cr_assert_str_eq(status.class_name, "stuck");
    cr_assert_str_eq(status.state, "running");
    cr_assert(status.own_thread);
    cr_assert_eq(read_status(&ts).pool.own_threads, 1);
    atomic_store(&gate.may_go, true);
    do
        cr_assert_eq(th_actor_status_read(ts.sys, addr, &status), TH_OK);
    while (status.waiting != 0);
    test_system_close(&ts);
}

#define REPORT_FIELDS(F, S) F(S, u32, err) F(S, u64, waiting) F(S, u32, actors)
TH_MESSAGE(report, REPORT_FIELDS);
TH_MESSAGE_TYPE(report, REPORT_FIELDS)

static void count_one(void *context, const th_actor_status *status)
{
    (void)status;
    ++*(uint32_t *)context;
}

static th_err curious_receive(th_self *self, void *state, const th_msg *msg)
{
    th_system *system = th_self_system(self);
    struct report report = { 0 };
    th_actor_status status;

    (void)state;
    if (th_msg_type(msg) != &poke_type)
        return TH_OK;
    report.err = (uint32_t)th_actor_status_read(system, th_self_addr(self), &status);
    report.waiting = status.waiting;
    if (th_actors_each(system, count_one, &report.actors))
        report.actors = 0;
    return report_send(self, th_msg_sender(msg), report);
}

static const th_class curious_class = { .name = "curious", .receive = curious_receive };

BOTH_BASES(status, actors_may_ask_too)
{
    th_addr addr;
    th_msg *answer;

    cr_assert_eq(th_spawn(ts->me, &curious_class, NULL, &addr), TH_OK);
    cr_assert_eq(th_ask(ts->me, addr, th_msg_create(ts->me, &poke_type), TEST_PATIENCE, &answer),
                 TH_OK);
    cr_assert_not_null(report_of(answer));
    cr_assert_eq(report_of(answer)->err, TH_OK);
    if (test_is_simple(ts)) /* what is being handled may still lie in the box */
        cr_assert_leq(report_of(answer)->waiting, 1);
    else
        cr_assert_eq(report_of(answer)->waiting, UINT64_MAX, "nobody waits for itself");
    cr_assert_eq(report_of(answer)->actors, 1);
    th_msg_destroy(ts->me, answer);
}

/* ---- beside what changes ---- */

static th_err mayfly_init(th_self *self, void *state, const th_msg *arg)
{
    (void)state;
    (void)arg;
    return th_exit(self);
}

static const th_class mayfly_class = { .name = "mayfly", .init = mayfly_init };

static void check_name(void *context, const th_actor_status *status)
{
    (void)context;
    cr_assert_str_eq(status->class_name, "mayfly");
}

static void *look_around(void *context)
{
    struct test_system *ts = context;

    while (!atomic_load(&gate.may_go)) {
        cr_assert_eq(th_actors_each(ts->sys, check_name, NULL), TH_OK);
        (void)read_status(ts);
    }
    return NULL;
}

Test(status, can_be_read_while_actors_come_and_go, .timeout = 60)
{
    struct test_system ts = test_system_open(TH_BASE_POOL, 0);
    pthread_t thread;
    th_addr addr;

    atomic_store(&gate.may_go, false);
    cr_assert_eq(pthread_create(&thread, NULL, look_around, &ts), 0);
    for (int i = 0; i < 5000; i++)
        cr_assert_eq(th_spawn(ts.me, &mayfly_class, NULL, &addr), TH_OK);
    atomic_store(&gate.may_go, true);
    pthread_join(thread, NULL);
    test_system_close(&ts);
}

/* ---- text ---- */

static bool has_line(const char *text, const char *line)
{
    const char *found = strstr(text, line);

    return found && found[strlen(line)] == '\n' && (found == text || found[-1] == '\n');
}

Test(status, the_text_has_a_fact_a_line)
{
    th_system_status status = { .name = "a name",
                                .base = TH_BASE_POOL,
                                .id = 0xabc,
                                .uptime_ns = 1234567890,
                                .counts = { .accepted = 10, .handled = 9, .dead = 1 },
                                .actors = 5,
                                .actors_max = 100,
                                .memory_bytes = 4096,
                                .pool = { .workers = 2 } };
    char text[8192], part[40];
    size_t length;

    status.counts.dead_by_reason[TH_DEAD_LATE] = 1;
    length = th_system_status_print(&status, text, sizeof(text));
    cr_assert_eq(length, strlen(text));
    cr_assert(has_line(text, "  system                       a name"), "%s", text);
    cr_assert(has_line(text, "  id                           0000000000000abc"), "%s", text);
    cr_assert(has_line(text, "  uptime                       1.234 s"), "%s", text);
    cr_assert(has_line(text, "  accepted                     10"), "%s", text);
    cr_assert(has_line(text, "  actors                       5 of 100"), "%s", text);
    cr_assert(has_line(text, "  memory, bytes                4096, no limit"), "%s", text);
    cr_assert(has_line(text, "  workers                      2 of 64"), "%s", text);
    cr_assert_not_null(strstr(text, th_dead_reason_text(TH_DEAD_LATE)));
    cr_assert_null(strstr(text, th_dead_reason_text(TH_DEAD_FULL)), "only what happened");
    cr_assert_eq(th_system_status_print(&status, part, sizeof(part)), length);
    cr_assert_eq(strlen(part), sizeof(part) - 1);
    cr_assert_eq(strncmp(part, text, sizeof(part) - 1), 0);
    cr_assert_eq(th_system_status_print(&status, NULL, 0), length);
    cr_assert_eq(th_system_status_print(NULL, part, sizeof(part)), 0);
    cr_assert_str_eq(part, "");
}

Test(status, the_json_has_the_same_facts)
{
    th_system_status status = { .name = "a \"name\"",
                                .base = TH_BASE_POOL,
                                .id = 0xabc,
                                .uptime_ns = 1234567890,
                                .counts = { .accepted = 10, .handled = 9, .dead = 1 },
                                .actors = 5,
                                .actors_max = 100,
                                .pool = { .workers = 2 } };
    char text[8192];
    size_t length;

    status.counts.dead_by_reason[TH_DEAD_LATE] = 1;
    length = th_system_status_json(&status, text, sizeof(text));
    cr_assert_eq(length, strlen(text));
    cr_assert(json_is_valid(text), "%s", text);
    cr_assert(json_says(text, "system.name", "a \\\"name\\\""));
    cr_assert(json_says(text, "system.id", "0000000000000abc"));
    cr_assert_eq(json_number(text, "system.uptime_ns"), 1234567890);
    cr_assert_eq(json_number(text, "messages.accepted"), 10);
    cr_assert_eq(json_number(text, "messages.dead_by_reason.late"), 1);
    cr_assert_eq(json_number(text, "messages.dead_by_reason.no_actor"), 0);
    cr_assert_eq(json_count(text, "messages.dead_by_reason"), TH_DEAD_COUNT);
    cr_assert_eq(json_number(text, "actors.alive"), 5);
    cr_assert_eq(json_number(text, "actors.alive_max"), 100);
    cr_assert_eq(strncmp(json_at(text, "memory.bytes_max"), "null", 4), 0);
    cr_assert_eq(json_number(text, "pool.workers"), 2);
    status.base = TH_BASE_SIMPLE;
    th_system_status_json(&status, text, sizeof(text));
    cr_assert_null(json_at(text, "pool.workers"));
    cr_assert_not_null(json_at(text, "pool.turns"));
    cr_assert_eq(th_system_status_json(NULL, text, sizeof(text)), 0);
}

/* ---- the ceiling ---- */

static void check_ceiling(const th_system_status *status, uint64_t bytes, uint64_t refused)
{
    char text[16384], line[96];

    cr_assert_eq(status->memory_bytes, bytes);
    cr_assert_eq(status->memory_bytes_peak, status->memory_max);
    cr_assert_eq(status->memory_refused, refused);
    th_system_status_print(status, text, sizeof(text));
    snprintf(line, sizeof(line), "  memory, bytes                %llu of %llu",
             (unsigned long long)bytes, (unsigned long long)status->memory_max);
    cr_assert(has_line(text, line), "%s", text);
    snprintf(line, sizeof(line), "  memory at its peak, bytes    %llu",
             (unsigned long long)status->memory_max);
    cr_assert(has_line(text, line), "%s", text);
    snprintf(line, sizeof(line), "  memory refused, times        %llu",
             (unsigned long long)refused);
    cr_assert(has_line(text, line), "%s", text);
    th_system_status_json(status, text, sizeof(text));
    cr_assert_eq(json_number(text, "memory.bytes"), bytes);
    cr_assert_eq(json_number(text, "memory.bytes_max"), status->memory_max);
    cr_assert_eq(json_number(text, "memory.bytes_peak"), status->memory_max);
    cr_assert_eq(json_number(text, "memory.refused"), refused);
}

Test(status, shows_the_ceiling_and_what_it_refused)
{
    th_options options = { .base = TH_BASE_SIMPLE, .memory_max = 16 << 20 };
    struct test_system ts = test_system_open_with(&options);
    th_addr parent = create_parent(&ts, 0);
    th_spawn_options how = { .klass = &parent_class };
    th_system_status status = read_status(&ts);
    uint64_t before = status.memory_bytes, rest = status.memory_max - before;
    th_addr addr;
    void *all;

    cr_assert_eq(status.memory_max, options.memory_max);
    cr_assert_eq(status.memory_refused, 0);
    all = th_alloc(ts.me, rest);
    cr_assert_not_null(all, "the ceiling itself is allowed");
    status = read_status(&ts);
    check_ceiling(&status, status.memory_max, 0);
    cr_assert_null(th_alloc(ts.me, 1));
    cr_assert_null(th_msg_create_sized(ts.me, &poke_type, TH_MESSAGE_SIZE_MAX / 2));
    status = read_status(&ts);
    check_ceiling(&status, status.memory_max, 2);
    /* what has its memory goes on; what needs some is told so, cleanly */
    how.klass = &hall_class;
    cr_assert_eq(th_spawn_with(ts.me, &how, &addr), TH_E_NOMEM);
    cr_assert_eq(th_tell(ts.me, parent, th_msg_create(ts.me, &poke_type)), TH_OK);
    cr_assert_eq(th_run_until_idle(ts.sys, 0, NULL), TH_OK);
    status = read_status(&ts);
    check_ceiling(&status, status.memory_max, 3);
    th_free(ts.me, all, rest);
    status = read_status(&ts);
    check_ceiling(&status, before, 3);
    cr_assert_eq(th_spawn_with(ts.me, &how, &addr), TH_OK);
    test_system_close(&ts);
}

/* ---- the whole of it ---- */

struct text {
    char bytes[200000];
    size_t length;
};

static void append(void *context, const char *bytes, size_t size)
{
    struct text *text = context;

    cr_assert_lt(text->length + size, sizeof(text->bytes));
    memcpy(text->bytes + text->length, bytes, size);
    text->length += size;
    text->bytes[text->length] = '\0';
}

static const char *write_status(struct test_system *ts, th_status_format format, uint32_t parts)
{
    static struct text text;

    text.length = 0;
    cr_assert_eq(th_status_write(ts->sys, format, parts, append, &text), TH_OK);
    if (format == TH_STATUS_JSON)
        cr_assert(json_is_valid(text.bytes), "%s", text.bytes);
    return text.bytes;
}

BOTH_BASES(status, is_written_as_a_whole)
{
    th_addr parent = create_parent(ts, 3), other = create_parent(ts, 0);
    char addr[TH_ADDR_TEXT_SIZE];
    const char *json = write_status(ts, TH_STATUS_JSON, 0);

    (void)other;
    cr_assert_eq(json_number(json, "tree.0.wakeups"), 1);
    cr_assert(json_says(json, "system.name", "thespis"));
    cr_assert_eq(json_count(json, "workers"), test_is_simple(ts) ? 1 : 2);
    cr_assert(json_says(json, "workers.0.kind", "worker"));
    cr_assert_gt(json_number(json, "workers.0.turns") +
                     (test_is_simple(ts) ? 0 : json_number(json, "workers.1.turns")),
                 0);
    cr_assert_gt(json_count(json, "blocks"), 0);
    cr_assert_gt(json_number(json, "blocks.0.bytes"), 0);
    cr_assert_eq(json_count(json, "classes"), 2);
    cr_assert_eq(json_number(json, "classes.1.actors"), 3, "%s", json);
    cr_assert_eq(json_count(json, "tree"), 2, "the roots");
    cr_assert_eq(json_count(json, "tree.0.children"), 3);
    cr_assert_eq(json_count(json, "tree.1.children"), 0);
    th_addr_print(parent, addr, sizeof(addr));
    cr_assert(json_says(json, "tree.0.address", addr));
    cr_assert(json_says(json, "tree.0.children.2.class", "child"));
    cr_assert(json_says(json, "tree.0.children.2.state", "running"));
    cr_assert_eq(json_number(json, "tree.0.children.2.waiting"), 0);
    cr_assert_eq(json_number(json, "tree_unlisted"), 0);
    cr_assert_null(json_at(write_status(ts, TH_STATUS_JSON, TH_STATUS_SYSTEM), "tree.0"));
    cr_assert_not_null(strstr(write_status(ts, TH_STATUS_TEXT, TH_STATUS_ACTORS), "\n    child, "));
}

/* A chain, so that the tree is as deep as there are actors. */
static th_err link_init(th_self *self, void *state, const th_msg *arg);
static const th_class link_class = { .name = "link", .init = link_init };

static th_err link_init(th_self *self, void *state, const th_msg *arg)
{
    uint32_t left = family_of(arg)->children;
    struct family *body;
    th_addr addr;
    th_msg *rest;

    (void)state;
    if (!left)
        return TH_OK;
    rest = family_new(self, &body);
    body->children = left - 1;
    return th_spawn(self, &link_class, rest, &addr);
}

BOTH_BASES(status, deep_trees_are_written_too)
{
    struct family *body;
    th_msg *arg = family_new(ts->me, &body);
    const char *json, *at;
    th_addr addr;
    int depth = 0;

    body->children = 299;
    cr_assert_eq(th_spawn(ts->me, &link_class, arg, &addr), TH_OK);
    while (read_status(ts).actors < 300)
        cr_assert_eq(th_listen(ts->me, TH_MS(1), &arg), TH_E_TIMEOUT);
    json = write_status(ts, TH_STATUS_JSON, TH_STATUS_ACTORS);
    for (at = json_at(json, "tree.0"); at; at = json_at(at, "children.0"))
        depth++;
    cr_assert_eq(depth, 300);
}

Test(status, without_memory_it_is_still_written)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 0);
    struct text *text = calloc(1, sizeof(*text));

    (void)create_parent(&ts, 3);
    cr_assert_eq(th_inject_nomem(ts.sys, 1, true), TH_OK);
    cr_assert_eq(th_status_write(ts.sys, TH_STATUS_JSON, TH_STATUS_ACTORS, append, text), TH_OK);
    cr_assert_eq(th_inject_nomem(ts.sys, 0, false), TH_OK);
    cr_assert(json_is_valid(text->bytes), "%s", text->bytes);
    cr_assert_eq(json_count(text->bytes, "tree"), 4, "all of them, in a row");
    free(text);
    test_system_close(&ts);
}

static void note_worker(void *context, const th_worker_status *status)
{
    th_worker_status *own = context;

    if (strcmp(status->kind, "own") == 0)
        *own = *status;
}

Test(status, a_worker_says_whose_turn_it_is)
{
    struct test_system ts = test_system_open(TH_BASE_POOL, 0);
    th_spawn_options how = { .klass = &stuck_class, .own_thread = true };
    th_worker_status own = { 0 };
    th_actor_status status;
    const char *text;
    th_addr addr;

    atomic_store(&gate.is_in, false);
    atomic_store(&gate.may_go, false);
    cr_assert_eq(th_spawn_with(ts.me, &how, &addr), TH_OK);
    cr_assert_eq(th_tell(ts.me, addr, th_msg_create(ts.me, &poke_type)), TH_OK);
    while (!atomic_load(&gate.is_in))
        sched_yield();
    cr_assert_eq(th_workers_each(ts.sys, note_worker, &own), TH_OK);
    cr_assert(th_addr_equal(own.actor, addr));
    cr_assert_str_eq(own.class_name, "stuck");
    cr_assert_str_eq(own.state, "running");
    cr_assert_eq(th_actor_status_read(ts.sys, addr, &status), TH_OK);
    cr_assert_str_eq(status.now, "busy");
    text = write_status(&ts, TH_STATUS_TEXT, TH_STATUS_WORKERS);
    cr_assert_not_null(strstr(text, "  own, 0, running, runs stuck, "), "%s", text);
    atomic_store(&gate.may_go, true);
    do {
        cr_assert_eq(th_actor_status_read(ts.sys, addr, &status), TH_OK);
        own.state = "";
        cr_assert_eq(th_workers_each(ts.sys, note_worker, &own), TH_OK);
    } while (strcmp(status.now, "idle") != 0 || strcmp(own.state, "parked") != 0);
    cr_assert(th_addr_is_none(own.actor));
    cr_assert_gt(own.turns, 0);
    test_system_close(&ts);
}

static void note_block(void *context, const th_block_status *status)
{
    uint64_t *sums = context;

    cr_assert_leq(status->free, status->count);
    sums[0] += status->count;
    sums[1] += status->count * status->size;
}

BOTH_BASES(status, blocks_are_counted_by_size)
{
    uint64_t before[2] = { 0 }, after[2] = { 0 };
    th_msg *kept[500];

    cr_assert_eq(th_blocks_each(ts->sys, note_block, before), TH_OK);
    for (int i = 0; i < 500; i++)
        kept[i] = th_msg_create_sized(ts->me, &poke_type, 4000);
    cr_assert_eq(th_blocks_each(ts->sys, note_block, after), TH_OK);
    cr_assert_geq(after[0] - before[0], 450);
    cr_assert_geq(after[1] - before[1], 450 * 4096);
    cr_assert_leq(after[1], read_status(ts).memory_bytes, "all of it is counted memory");
    for (int i = 0; i < 500; i++)
        th_msg_destroy(ts->me, kept[i]);
}
