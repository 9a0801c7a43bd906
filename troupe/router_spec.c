/* router_spec.c: what may be asked of a router, and how it is made. */
#include "troupe/router_start.h"
#include "troupe/rendezvous.h"

#include <thespis/config.h>

#include <string.h>

TH_MESSAGE_TYPE_AS(thi_router_start, THI_ROUTER_START_FIELDS, TH_TYPE_LOCAL, NULL)

static uint64_t or_default(uint64_t value, uint64_t otherwise)
{
    return value ? value : otherwise;
}

/* Fills in the defaults. The default of the lower bound bends to the upper one. */
static th_router_options complete(const th_router_options *options)
{
    th_router_options full = *options;

    if (full.klass)
        full.children = (uint32_t)or_default(full.children, TH_ROUTER_CHILDREN_DEFAULT);
    full.routees_max = (uint32_t)or_default(full.routees_max, TH_ROUTER_ROUTEES_DEFAULT);
    full.backoff_min_ns = or_default(full.backoff_min_ns, TH_ROUTER_BACKOFF_MIN_NS);
    full.backoff_max_ns = or_default(full.backoff_max_ns, TH_ROUTER_BACKOFF_MAX_NS);
    if (!options->backoff_min_ns && full.backoff_min_ns > full.backoff_max_ns)
        full.backoff_min_ns = full.backoff_max_ns;
    return full;
}

/* ---- what is wrong with them; NULL: nothing ---- */

enum { TABLE = 4096, SHARE = TABLE / 2 };

/* Whether one of those with the @pass-th share of the hashes is there twice; @table is empty. A
 * hash that is not as even as it should be makes this slow, not wrong. */
static bool has_twin(const th_addr *all, uint32_t count, uint32_t pass, uint32_t passes,
                     uint32_t table[TABLE])
{
    uint32_t taken = 0;

    for (uint32_t i = 0; i < count; i++) {
        uint64_t hash = th_addr_hash(all[i]);
        uint32_t at = (uint32_t)(hash >> 32) % TABLE;

        if (hash % passes != pass)
            continue;
        for (; table[at]; at = (at + 1) % TABLE)
            if (th_addr_equal(all[table[at] - 1], all[i]))
                return true;
        if (taken < TABLE - 1) {
            table[at] = i + 1;
            taken++;
            continue;
        }
        for (uint32_t j = 0; j < i; j++)
            if (th_addr_equal(all[j], all[i]))
                return true;
    }
    return false;
}

/* There is nobody here to ask for memory, so it is done with a table on the stack, for a share of
 * the addresses at a time: one pass over the default of a router, thirty-two over the most. */
static bool has_twins(const th_addr *all, uint32_t count)
{
    uint32_t passes = count / SHARE + 1, table[TABLE];

    for (uint32_t pass = 0; pass < passes; pass++) {
        memset(table, 0, sizeof(table));
        if (has_twin(all, count, pass, passes, table))
            return true;
    }
    return false;
}

static const char *fault_of_routees(const th_router_options *full)
{
    if (full->routee_count && !full->routees)
        return "routees: a count without addresses";
    for (uint32_t i = 0; i < full->routee_count; i++)
        if (th_addr_is_none(full->routees[i]))
            return "routees: one is no address";
    return has_twins(full->routees, full->routee_count) ? "routees: one is there twice" : NULL;
}

static const char *fault_of_key(const th_router_options *full)
{
    if (full->routing != TH_ROUTE_BY_KEY)
        return full->key || full->key_field ? "key: only for routing by key" : NULL;
    if (!full->key && !full->key_field)
        return "key: routing by key needs a function or a field";
    if (full->key && full->key_field)
        return "key: a function and a field";
    if (full->key_field && (!full->key_field[0] || strlen(full->key_field) > TH_NAME_MAX))
        return "key_field: no name";
    return NULL;
}

static const char *fault_of(const th_router_options *full)
{
    const char *why;

    if ((unsigned)full->routing > TH_ROUTE_BY_LOAD)
        return "routing: not one of th_routing";
    if (!full->klass && full->children)
        return "children: without a class";
    if (!full->klass && full->arg)
        return "arg: without a class";
    if (full->routees_max > TH_ROUTER_ROUTEES_MAX)
        return "routees_max: past TH_ROUTER_ROUTEES_MAX";
    if ((uint64_t)full->children + full->routee_count > full->routees_max)
        return "routees: more than routees_max, with the children";
    if (full->waiting_max > TH_ROUTER_WAITING_MAX)
        return "waiting_max: past TH_ROUTER_WAITING_MAX";
    if (full->backoff_min_ns > full->backoff_max_ns || full->backoff_max_ns > INT64_MAX)
        return "backoff_min_ns: above backoff_max_ns, or that absurd";
    why = fault_of_routees(full);
    return why ? why : fault_of_key(full);
}

th_err th_router_check(const th_router_options *options, const char **why_out)
{
    const char *why = "options: none";

    if (options) {
        const th_router_options full = complete(options);

        why = fault_of(&full);
    }
    if (why && why_out)
        *why_out = why;
    return why ? TH_E_INVALID : TH_OK;
}

/* ---- the argument ---- */

/* The start is complete, but for @options->arg; NULL: no memory. */
static th_msg *make_start(th_self *self, const th_router_options *full)
{
    struct thi_router_start *start;
    th_msg *msg = thi_router_start_new(self, &start);

    if (!msg)
        return NULL;
    start->routing = (uint32_t)full->routing;
    start->klass = (uint64_t)(uintptr_t)full->klass;
    start->children = full->children;
    start->routees_max = full->routees_max;
    start->waiting_max = full->waiting_max;
    start->key = (uint64_t)(uintptr_t)full->key;
    start->backoff_min_ns = full->backoff_min_ns;
    start->backoff_max_ns = full->backoff_max_ns;
    if (full->routee_count)
        start->routees =
            th_blob_create(self, full->routees, full->routee_count * sizeof(*full->routees));
    if (full->key_field)
        start->key_field = th_blob_text(self, full->key_field);
    if ((full->routee_count && !start->routees) || (full->key_field && !start->key_field)) {
        th_msg_destroy(self, msg);
        return NULL;
    }
    return msg;
}

th_err th_router_spec(th_self *self, const th_router_options *options, th_spawn_options *spawn_out)
{
    th_err err = th_router_check(options, NULL);
    th_router_options full;
    th_msg *msg;

    if (!self || !options)
        return TH_E_INVALID; /* and without a handle the argument cannot be freed */
    if (err || !spawn_out) {
        th_msg_destroy(self, options->arg);
        return TH_E_INVALID;
    }
    full = complete(options);
    msg = make_start(self, &full);
    if (!msg) {
        th_msg_destroy(self, options->arg);
        return TH_E_NOMEM;
    }
    ((struct thi_router_start *)th_msg_body(msg))->arg = options->arg;
    *spawn_out = (th_spawn_options){ .klass = &thi_router_class, .arg = msg };
    return TH_OK;
}

th_err th_router_spawn(th_self *self, const th_router_options *options, th_addr *addr_out)
{
    th_spawn_options spawn;
    th_err err = th_router_spec(self, options, addr_out ? &spawn : NULL);

    return err ? err : th_spawn_with(self, &spawn, addr_out);
}

uint64_t th_router_key(const void *bytes, size_t size)
{
    return bytes || !size ? thi_rendezvous_key(bytes, size) : 0;
}
