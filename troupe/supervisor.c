/* supervisor.c: an actor that keeps others alive.
 *
 * The regime decides (regime.h); this file turns messages into its events and its actions into
 * spawns and exit requests. What it is given at init is a message that holds the children's
 * specifications, each in the one before: a message can be had again, so a supervisor can be
 * another's child.
 *
 * Past 500 lines: what it is asked stands beside what it does, on one state. */
#include "troupe/regime.h"

#include <stdio.h>
#include <string.h>

TH_MESSAGE_TYPE(th_supervisor_find, TH_SUPERVISOR_FIND_FIELDS)
TH_MESSAGE_TYPE(th_supervisor_remove, TH_SUPERVISOR_FIND_FIELDS)
TH_MESSAGE_TYPE(th_supervisor_child, TH_SUPERVISOR_CHILD_FIELDS)
TH_MESSAGE_TYPE(th_supervisor_status, TH_SUPERVISOR_STATUS_FIELDS)
TH_SIGNAL_TYPE(th_supervisor_ask_status)

/* One child; also what th_supervisor_add() sends. */
#define SUPERVISOR_SPEC_FIELDS(F, S)                                                               \
    F(S, chars, id, TH_SUPERVISOR_ID_SIZE)                                                         \
    F(S, u64, klass) /* the user's th_class, as a number: local */                                 \
    F(S, u32, restart)                                                                             \
    F(S, bool_, own_thread)                                                                        \
    F(S, msg, arg)                                                                                 \
    F(S, msg, next)
TH_MESSAGE(supervisor_spec, SUPERVISOR_SPEC_FIELDS);
TH_MESSAGE_TYPE_AS(supervisor_spec, SUPERVISOR_SPEC_FIELDS, TH_TYPE_LOCAL, NULL)

#define SUPERVISOR_START_FIELDS(F, S)                                                              \
    F(S, u32, strategy)                                                                            \
    F(S, u32, restarts_max)                                                                        \
    F(S, u64, window_ns)                                                                           \
    F(S, u64, backoff_min_ns)                                                                      \
    F(S, u64, backoff_max_ns)                                                                      \
    F(S, msg, first)
TH_MESSAGE(supervisor_start, SUPERVISOR_START_FIELDS);
TH_MESSAGE_TYPE_AS(supervisor_start, SUPERVISOR_START_FIELDS, TH_TYPE_LOCAL, NULL)

struct child {
    struct thi_regime_child regime; /* first */
    th_msg *spec;                   /* a supervisor_spec */
    th_addr addr;
    th_addr remover; /* who is to be told that it is gone */
    uint64_t starts;
};

struct supervisor {
    struct thi_regime regime;
    uint64_t wakeup; /* the pending one, or 0 */
    char why[TH_DETAILS_SIZE];
};

static const struct supervisor_spec *spec_of(const struct child *child)
{
    return supervisor_spec_of(child->spec);
}

static struct child *child_of(struct thi_regime_child *regime)
{
    return (struct child *)(void *)regime;
}

static struct child *find_id(const struct supervisor *supervisor, const char *id)
{
    struct thi_regime_child *child = supervisor->regime.first;

    while (child && strncmp(spec_of(child_of(child))->id, id, TH_SUPERVISOR_ID_SIZE) != 0)
        child = child->next;
    return child ? child_of(child) : NULL;
}

static struct child *find_addr(const struct supervisor *supervisor, th_addr addr)
{
    struct thi_regime_child *child = supervisor->regime.first;

    while (child && !th_addr_equal(child_of(child)->addr, addr))
        child = child->next;
    return child ? child_of(child) : NULL;
}

/* ---- answers ---- */

static th_err answer(th_self *self, th_addr to, const char *id, const struct child *child,
                     th_err err)
{
    struct th_supervisor_child body = { .err = err };

    if (th_addr_is_none(to))
        return TH_OK;
    memcpy(body.id, id, sizeof(body.id));
    body.id[sizeof(body.id) - 1] = '\0';
    if (child) {
        body.addr = child->addr;
        body.state = (uint32_t)child->regime.state;
        body.starts = child->starts;
    }
    err = th_supervisor_child_send(self, to, body);
    return err == TH_E_NOMEM ? err : TH_OK; /* or nobody is there to be answered */
}

/* ---- children ---- */

/* @spec [lend]; the child keeps a copy. */
static th_err add(th_self *self, struct supervisor *supervisor, const th_msg *spec)
{
    struct child *child;

    if (find_id(supervisor, supervisor_spec_of(spec)->id))
        return TH_E_EXISTS;
    if (supervisor->regime.leaving)
        return TH_E_CLOSED;
    if (supervisor->regime.count >= TH_SUPERVISOR_CHILDREN_MAX)
        return TH_E_LIMIT;
    child = th_alloc(self, sizeof(*child));
    if (!child)
        return TH_E_NOMEM;
    memset(child, 0, sizeof(*child));
    child->spec = th_msg_dup(self, spec);
    if (!child->spec) {
        th_free(self, child, sizeof(*child));
        return TH_E_NOMEM;
    }
    thi_regime_add(&supervisor->regime, &child->regime,
                   (th_restart)supervisor_spec_of(spec)->restart);
    return TH_OK;
}

static void forget(th_self *self, struct child *child)
{
    (void)answer(self, child->remover, spec_of(child)->id, child, TH_OK);
    th_msg_destroy(self, child->spec);
    th_free(self, child, sizeof(*child));
}

static void ended(th_self *self, struct supervisor *supervisor, struct child *child,
                  th_exit_reason reason, th_err err, const char *details)
{
    char story[TH_DETAILS_SIZE / 2];

    child->addr = th_addr_none();
    if (!thi_regime_ended(&supervisor->regime, &child->regime, th_exit_is_failure(reason),
                          th_now(self), th_random(self)))
        return;
    th_exit_describe(reason, err, details, story, sizeof(story));
    snprintf(supervisor->why, sizeof(supervisor->why), "too many restarts; the last of %s: %s",
             spec_of(child)->id, story);
}

static void spawn(th_self *self, struct supervisor *supervisor, struct child *child)
{
    const struct supervisor_spec *spec = spec_of(child);
    th_spawn_options options = { .klass = (const th_class *)(uintptr_t)spec->klass,
                                 .own_thread = spec->own_thread,
                                 .tell_started = true };
    th_err err = TH_OK;

    if (spec->arg && !(options.arg = th_msg_dup(self, spec->arg)))
        err = TH_E_NOMEM;
    if (!err)
        err = th_spawn_with(self, &options, &child->addr);
    if (err)
        ended(self, supervisor, child, TH_EXIT_INIT, err, "it could not be made");
    else
        child->starts++;
}

/* ---- actions ---- */

/* Without memory to see to its children a supervisor is none: the runtime stops them, and its
 * parent hears why. */
static void despair(th_self *self)
{
    (void)!th_exit_because(self, TH_E_NOMEM, "no memory to see to the children");
}

static void arm(th_self *self, struct supervisor *supervisor, uint64_t delay_ns)
{
    if (supervisor->wakeup)
        (void)!th_wakeup_cancel(self, supervisor->wakeup); /* or it is unknown when it comes */
    supervisor->wakeup = 0;
    if (th_wakeup_after(self, delay_ns, NULL, &supervisor->wakeup))
        despair(self);
}

static void leave(th_self *self, const struct supervisor *supervisor)
{
    if (supervisor->regime.gave_up)
        (void)!th_exit_because(self, TH_E_LIMIT, "%s", supervisor->why);
    else
        (void)!th_exit(self);
}

static void act(th_self *self, struct supervisor *supervisor)
{
    struct thi_regime_action action;

    while (thi_regime_next(&supervisor->regime, th_now(self), &action)) {
        switch (action.what) {
        case THI_REGIME_SPAWN: spawn(self, supervisor, child_of(action.child)); break;
        case THI_REGIME_STOP:
            if (th_stop(self, child_of(action.child)->addr))
                despair(self);
            break;
        case THI_REGIME_FORGET: forget(self, child_of(action.child)); break;
        case THI_REGIME_ARM: arm(self, supervisor, action.delay_ns); break;
        case THI_REGIME_LEAVE: leave(self, supervisor); break;
        }
    }
}

/* ---- events ---- */

static th_err on_started(struct supervisor *supervisor, th_addr addr, uint64_t now_ns)
{
    struct child *child = find_addr(supervisor, addr);

    if (child)
        thi_regime_started(&supervisor->regime, &child->regime, now_ns);
    return TH_OK;
}

static th_err on_exited(th_self *self, struct supervisor *supervisor,
                        const struct th_child_exited *exited)
{
    struct child *child = find_addr(supervisor, exited->child);

    if (child)
        ended(self, supervisor, child, (th_exit_reason)exited->reason, (th_err)exited->err,
              exited->details ? exited->details->data : NULL);
    return TH_OK;
}

static th_err on_find(th_self *self, const struct supervisor *supervisor, const th_msg *msg)
{
    const char *id = th_supervisor_find_of(msg)->id;
    const struct child *child = find_id(supervisor, id);

    return answer(self, th_msg_sender(msg), id, child, child ? TH_OK : TH_E_NO_ACTOR);
}

static th_err on_remove(th_self *self, struct supervisor *supervisor, const th_msg *msg)
{
    const char *id = th_supervisor_remove_of(msg)->id;
    struct child *child = find_id(supervisor, id);

    if (!child)
        return answer(self, th_msg_sender(msg), id, NULL, TH_E_NO_ACTOR);
    child->remover = th_msg_sender(msg);
    thi_regime_remove(&supervisor->regime, &child->regime);
    return TH_OK;
}

static th_err on_add(th_self *self, struct supervisor *supervisor, const th_msg *msg)
{
    const char *id = supervisor_spec_of(msg)->id;
    th_err err = add(self, supervisor, msg);

    return answer(self, th_msg_sender(msg), id, NULL, err);
}

static th_msg *supervisor_status(th_self *self, const void *state)
{
    const struct thi_regime *regime = &((const struct supervisor *)state)->regime;
    struct th_supervisor_status *body;
    th_msg *status = th_supervisor_status_new(self, &body);

    if (!status)
        return NULL;
    *body = (struct th_supervisor_status){ .children = regime->count,
                                           .children_max = TH_SUPERVISOR_CHILDREN_MAX,
                                           .strategy = (uint32_t)regime->limits.strategy,
                                           .restarts = regime->restarts,
                                           .restarts_max = regime->limits.restarts_max,
                                           .leaving = regime->leaving };
    for (struct thi_regime_child *child = regime->first; child; child = child->next)
        body->up += child->state == THI_REGIME_UP;
    return status;
}

static th_err on_ask_status(th_self *self, const struct supervisor *supervisor, const th_msg *msg)
{
    th_err err = th_send(self, th_msg_sender(msg), supervisor_status(self, supervisor));

    return err == TH_E_NOMEM ? err : TH_OK;
}

static th_err handle(th_self *self, struct supervisor *supervisor, const th_msg *msg)
{
    const th_type *type = th_msg_type(msg);

    if (type == &th_child_started_type)
        return on_started(supervisor, th_child_started_of(msg)->child, th_now(self));
    if (type == &th_child_exited_type)
        return on_exited(self, supervisor, th_child_exited_of(msg));
    if (type == &th_supervisor_find_type)
        return on_find(self, supervisor, msg);
    if (type == &th_supervisor_remove_type)
        return on_remove(self, supervisor, msg);
    if (type == &supervisor_spec_type)
        return on_add(self, supervisor, msg);
    if (type == &th_supervisor_ask_status_type)
        return on_ask_status(self, supervisor, msg);
    if (type == &th_wakeup_type && th_wakeup_of(msg)->id == supervisor->wakeup) {
        supervisor->wakeup = 0;
        thi_regime_timer(&supervisor->regime);
    }
    if (type == &th_exit_request_type) {
        thi_regime_leave(&supervisor->regime);
        return th_exit_later(self);
    }
    return TH_OK;
}

static th_err supervisor_receive(th_self *self, void *state, const th_msg *msg)
{
    th_err err = handle(self, state, msg);

    act(self, state);
    return err;
}

static th_err supervisor_init(th_self *self, void *state, const th_msg *arg)
{
    struct supervisor *supervisor = state;
    const struct supervisor_start *start = supervisor_start_of(arg);
    const struct thi_regime_limits limits = { .strategy = (th_strategy)start->strategy,
                                              .restarts_max = start->restarts_max,
                                              .window_ns = start->window_ns,
                                              .backoff_min_ns = start->backoff_min_ns,
                                              .backoff_max_ns = start->backoff_max_ns };
    th_err err = TH_OK;

    thi_regime_init(&supervisor->regime, &limits);
    for (const th_msg *spec = start->first; spec && !err; spec = supervisor_spec_of(spec)->next)
        err = add(self, supervisor, spec);
    if (!err)
        act(self, supervisor);
    return err;
}

/* Nobody is left but the records, if the end was not by the regime. */
static void supervisor_exit(th_self *self, void *state)
{
    struct supervisor *supervisor = state;
    struct thi_regime_child *child, *next;

    for (child = supervisor->regime.first; child; child = next) {
        next = child->next;
        forget(self, child_of(child));
    }
}

static const th_class supervisor_class = { .name = "supervisor",
                                           .state_size = sizeof(struct supervisor),
                                           .init = supervisor_init,
                                           .receive = supervisor_receive,
                                           .exit = supervisor_exit,
                                           .on_failure = TH_ON_FAILURE_KEEP,
                                           .status = supervisor_status };

/* ---- the front door ---- */

static uint64_t or_default(uint64_t value, uint64_t otherwise)
{
    return value ? value : otherwise;
}

/* Fills in the defaults. The default of the lower bound bends to the upper one. */
static struct thi_regime_limits limits_from(const th_supervisor_options *options)
{
    static const th_supervisor_options none;
    struct thi_regime_limits limits;

    if (!options)
        options = &none;
    limits.strategy = options->strategy;
    limits.restarts_max =
        (uint32_t)or_default(options->restarts_max, TH_SUPERVISOR_RESTARTS_DEFAULT);
    limits.window_ns = or_default(options->window_ns, TH_SUPERVISOR_WINDOW_NS);
    limits.backoff_min_ns = or_default(options->backoff_min_ns, TH_SUPERVISOR_BACKOFF_MIN_NS);
    limits.backoff_max_ns = or_default(options->backoff_max_ns, TH_SUPERVISOR_BACKOFF_MAX_NS);
    if (!options->backoff_min_ns && limits.backoff_min_ns > limits.backoff_max_ns)
        limits.backoff_min_ns = limits.backoff_max_ns;
    return limits;
}

static th_err check_child(const th_child_spec *child)
{
    if (!child->id || !child->id[0] ||
        strnlen(child->id, TH_SUPERVISOR_ID_SIZE) == TH_SUPERVISOR_ID_SIZE || !child->klass ||
        (unsigned)child->restart > TH_RESTART_TEMPORARY)
        return TH_E_INVALID;
    return TH_OK;
}

static th_err check_children(const th_child_spec *children, size_t count)
{
    th_err err = count && !children ? TH_E_INVALID : TH_OK;

    if (count > TH_SUPERVISOR_CHILDREN_MAX)
        return TH_E_LIMIT;
    for (size_t i = 0; i < count && !err; i++) {
        err = check_child(&children[i]);
        for (size_t j = 0; j < i && !err; j++)
            if (strcmp(children[i].id, children[j].id) == 0)
                err = TH_E_EXISTS;
    }
    return err;
}

/* The argument goes into the message, or is destroyed. */
static th_msg *make_spec(th_self *self, const th_child_spec *child)
{
    struct supervisor_spec *body;
    th_msg *msg = supervisor_spec_new(self, &body);

    if (!msg) {
        th_msg_destroy(self, child->arg);
        return NULL;
    }
    strncpy(body->id, child->id, sizeof(body->id) - 1);
    body->klass = (uint64_t)(uintptr_t)child->klass;
    body->restart = (uint32_t)child->restart;
    body->own_thread = child->own_thread;
    body->arg = child->arg;
    return msg;
}

static void destroy_args(th_self *self, const th_child_spec *children, size_t count)
{
    for (size_t i = 0; children && i < count; i++)
        th_msg_destroy(self, children[i].arg);
}

/* All of them, each in the one before; NULL: no memory. @count is not 0. */
static th_msg *make_specs(th_self *self, const th_child_spec *children, size_t count)
{
    th_msg *first = NULL;

    for (size_t i = count; i-- > 0;) {
        th_msg *spec = make_spec(self, &children[i]);

        if (!spec) {
            destroy_args(self, children, i);
            th_msg_destroy(self, first);
            return NULL;
        }
        ((struct supervisor_spec *)th_msg_body(spec))->next = first;
        first = spec;
    }
    return first;
}

th_err th_supervisor_spec(th_self *self, const th_child_spec *children, size_t count,
                          const th_supervisor_options *options, th_spawn_options *spawn_out)
{
    struct thi_regime_limits limits = limits_from(options);
    struct supervisor_start *start;
    th_msg *first, *msg;
    th_err err;

    if (!self)
        return TH_E_INVALID; /* and without a handle the arguments cannot be freed */
    err = spawn_out && thi_regime_limits_check(&limits) ? check_children(children, count)
                                                        : TH_E_INVALID;
    if (err) {
        destroy_args(self, children, count);
        return err;
    }
    first = count ? make_specs(self, children, count) : NULL;
    if (count && !first)
        return TH_E_NOMEM;
    msg = supervisor_start_new(self, &start);
    if (!msg) {
        th_msg_destroy(self, first);
        return TH_E_NOMEM;
    }
    start->strategy = (uint32_t)limits.strategy;
    start->restarts_max = limits.restarts_max;
    start->window_ns = limits.window_ns;
    start->backoff_min_ns = limits.backoff_min_ns;
    start->backoff_max_ns = limits.backoff_max_ns;
    start->first = first;
    *spawn_out = (th_spawn_options){ .klass = &supervisor_class, .arg = msg };
    return TH_OK;
}

th_err th_supervisor_spawn(th_self *self, const th_child_spec *children, size_t count,
                           const th_supervisor_options *options, th_addr *addr_out)
{
    th_spawn_options spawn;
    th_err err = th_supervisor_spec(self, children, count, options, addr_out ? &spawn : NULL);

    return err ? err : th_spawn_with(self, &spawn, addr_out);
}

th_err th_supervisor_add(th_self *self, th_addr supervisor, const th_child_spec *child)
{
    th_err err;

    if (!self || !child)
        return TH_E_INVALID;
    err = check_child(child);
    if (err) {
        th_msg_destroy(self, child->arg);
        return err;
    }
    return th_send(self, supervisor, make_spec(self, child));
}
