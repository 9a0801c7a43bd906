#include "transport/link/hub.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <thespis/config.h>
#include <thespis/log.h>

#include "transport/link/link.h"

struct thi_errand {
    struct thi_errand *next;
    struct thi_conn *conn; /* that is trying */
    struct thi_backoff backoff;
    uint64_t since;
    uint64_t dial_at;
    char address[TH_WIRE_ADDRESS_MAX + 1];
};

/* ---- life ---- */

static void set_default(uint64_t *option, uint64_t value)
{
    if (*option == 0)
        *option = value;
}

static void set_default32(uint32_t *option, uint32_t value)
{
    if (*option == 0)
        *option = value;
}

th_err thi_hub_init(struct thi_hub *hub, const struct thi_hub_options *options, uint64_t now)
{
    (void)now;
    memset(hub, 0, sizeof(*hub));
    hub->options = *options;
    if (!options->host_ops || !options->carrier || !options->memory || !options->heap ||
        options->system == 0)
        return TH_E_INVALID;
    set_default32(&hub->options.links_max, TH_LINK_LINKS_DEFAULT);
    set_default32(&hub->options.strangers_max, TH_LINK_STRANGERS_DEFAULT);
    set_default32(&hub->options.unacked_max, TH_LINK_UNACKED_DEFAULT);
    set_default(&hub->options.greeting_ns, TH_LINK_GREETING_NS);
    set_default(&hub->options.ping_ns, TH_LINK_PING_NS);
    set_default(&hub->options.patience_ns, TH_LINK_PATIENCE_NS);
    set_default(&hub->options.idle_ns, TH_LINK_IDLE_NS);
    set_default(&hub->options.expiry_ns, TH_LINK_EXPIRY_NS);
    if (!hub->options.name)
        hub->options.name = "";
    hub->deadline = UINT64_MAX;
    thi_random_init(&hub->random, options->seed);
    return TH_OK;
}

static void drop_dial(struct thi_hub *hub, struct thi_errand *dial)
{
    struct thi_errand **at = &hub->dials;

    while (*at != dial)
        at = &(*at)->next;
    *at = dial->next;
    dial->next = hub->dead_dials;
    hub->dead_dials = dial;
}

static void give_up_dial(struct thi_hub *hub, struct thi_errand *dial, const char *why)
{
    if (dial->conn)
        dial->conn->dial = NULL;
    hub->options.host_ops->unreachable(hub->options.host, dial->address, why);
    drop_dial(hub, dial);
}

void thi_hub_stop(struct thi_hub *hub, uint64_t now)
{
    struct thi_conn *conn, *next;

    thi_hub_enter(hub, now);
    hub->is_stopping = true;
    while (hub->dials)
        give_up_dial(hub, hub->dials, "this system shuts down");
    while (hub->links)
        thi_link_end(hub->links, TH_DEAD_SHUTDOWN, "this system shuts down", now);
    for (conn = hub->conns; conn; conn = next) {
        next = conn->next;
        thi_conn_close(conn, THI_CLOSE_BYE, "this system shuts down", now);
    }
    thi_hub_leave(hub);
}

bool thi_hub_is_quiet(const struct thi_hub *hub)
{
    return !hub->conns;
}

void thi_hub_fini(struct thi_hub *hub, uint64_t now)
{
    thi_hub_stop(hub, now);
    thi_hub_enter(hub, now);
    while (hub->conns)
        thi_conn_cut(hub->conns, "this system has shut down", true, now);
    thi_hub_leave(hub);
}

/* What ended while others were looking at it. */
static void free_dead(struct thi_hub *hub)
{
    while (hub->dead_conns) {
        struct thi_conn *conn = hub->dead_conns;

        hub->dead_conns = conn->next;
        thi_conn_free(conn);
    }
    while (hub->dead_dials) {
        struct thi_errand *dial = hub->dead_dials;

        hub->dead_dials = dial->next;
        thi_memory_give(hub->options.memory, dial, sizeof(*dial));
    }
    while (hub->dead_links) {
        struct thi_link *link = hub->dead_links;

        hub->dead_links = link->next;
        thi_link_free(link);
    }
}

void thi_hub_leave(struct thi_hub *hub)
{
    if (hub->depth == 1)
        free_dead(hub);
    hub->depth--;
}

void thi_hub_note(struct thi_hub *hub, struct thi_link *link, int level, const char *format, ...)
{
    char text[TH_WIRE_WORDS_MAX + 256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    hub->options.host_ops->note(hub->options.host, link, level, text);
}

/* ---- time ---- */

void thi_hub_alarm(struct thi_hub *hub, uint64_t when)
{
    struct thi_carrier *carrier = hub->options.carrier;

    if (when >= hub->deadline)
        return;
    hub->deadline = when;
    carrier->ops->timer(carrier, when);
}

static void tick_dial(struct thi_hub *hub, struct thi_errand *dial, uint64_t now)
{
    if (!dial->conn && dial->dial_at <= now && !hub->is_stopping)
        thi_hub_begin_dial(hub, NULL, dial, dial->address, now);
}

static uint64_t next_deadline(const struct thi_hub *hub)
{
    uint64_t when = UINT64_MAX, one;
    const struct thi_conn *conn;
    const struct thi_link *link;
    const struct thi_errand *dial;

    for (conn = hub->conns; conn; conn = conn->next) {
        one = thi_conn_deadline(conn);
        when = one < when ? one : when;
    }
    for (link = hub->links; link; link = link->next) {
        one = thi_link_deadline(link);
        when = one < when ? one : when;
    }
    for (dial = hub->dials; dial; dial = dial->next) {
        if (!dial->conn && dial->dial_at < when)
            when = dial->dial_at;
    }
    return when;
}

void thi_hub_tick(struct thi_hub *hub, uint64_t now)
{
    struct thi_conn *conn, *next_conn;
    struct thi_link *link, *next_link;
    struct thi_errand *dial, *next_dial;

    thi_hub_enter(hub, now);
    /* Who ends while we look stays readable until we leave, but leads among the dead, who have
     * nothing to do: the others then have their deadline still, and another tick. */
    for (conn = hub->conns; conn; conn = next_conn) {
        next_conn = conn->next;
        thi_conn_tick(conn, now);
    }
    for (link = hub->links; link; link = next_link) {
        next_link = link->next;
        thi_link_tick(link, now);
    }
    for (dial = hub->dials; dial; dial = next_dial) {
        next_dial = dial->next;
        tick_dial(hub, dial, now);
    }
    hub->deadline = UINT64_MAX;
    thi_hub_alarm(hub, next_deadline(hub));
    thi_hub_leave(hub);
}

/* ---- dialling ---- */

th_err thi_hub_dial(struct thi_hub *hub, const char *address, uint64_t now)
{
    struct thi_text text = thi_text_of(address);
    struct thi_errand *dial;

    if (hub->is_stopping)
        return TH_E_CLOSED;
    if (text.size > TH_WIRE_ADDRESS_MAX)
        return TH_E_TOO_BIG;
    if (!thi_frame_address_is_good(text))
        return TH_E_PARSE;
    dial = thi_memory_take(hub->options.memory, sizeof(*dial));
    if (!dial)
        return TH_E_NOMEM;
    memcpy(dial->address, address, text.size);
    dial->since = dial->dial_at = now;
    dial->next = hub->dials;
    hub->dials = dial;
    thi_hub_alarm(hub, now);
    return TH_OK;
}

static void dial_came_to_nothing(struct thi_hub *hub, struct thi_errand *dial, const char *why,
                                 bool final, uint64_t now)
{
    hub->counters.dials_failed++;
    dial->conn = NULL;
    if (final || now - dial->since >= hub->options.patience_ns) {
        give_up_dial(hub, dial, why);
        return;
    }
    dial->dial_at = now + thi_backoff_failed(&dial->backoff, &hub->random);
    thi_hub_alarm(hub, dial->dial_at);
}

void thi_hub_dial_failed(struct thi_hub *hub, struct thi_conn *conn, const char *why, bool final,
                         uint64_t now)
{
    struct thi_errand *dial = conn->dial;

    conn->dial = NULL;
    if (conn->link && conn->link->conn && !conn->link->is_over) { /* but another is up */
        dial->conn = NULL;
        hub->options.host_ops->met(hub->options.host, conn->link, dial->address);
        drop_dial(hub, dial);
        return;
    }
    dial_came_to_nothing(hub, dial, why, final, now);
}

void thi_hub_dial_met(struct thi_hub *hub, struct thi_conn *conn, struct thi_link *link)
{
    struct thi_errand *dial = conn->dial;

    if (!dial)
        return;
    conn->dial = NULL;
    dial->conn = NULL;
    hub->options.host_ops->met(hub->options.host, link, dial->address);
    drop_dial(hub, dial);
}

void thi_hub_begin_dial(struct thi_hub *hub, struct thi_link *link, struct thi_errand *dial,
                        const char *address, uint64_t now)
{
    struct thi_carrier *carrier = hub->options.carrier;
    struct thi_conn *conn = thi_conn_create(hub, THI_CONN_DIALLING, now);
    const char *why = "no memory";
    th_err err = TH_E_NOMEM;

    hub->counters.dials++;
    if (conn) {
        conn->is_ours = true;
        conn->until = now + TH_LINK_DIAL_NS;
        conn->expected = link ? link->system : 0;
        conn->link = link;
        conn->dial = dial;
        if (dial)
            dial->conn = conn;
        memcpy(conn->address, address, strlen(address) + 1);
        snprintf(conn->far.address, sizeof(conn->far.address), "%s", address);
        thi_hub_alarm(hub, conn->until);
        err = carrier->ops->dial(carrier, conn, address, &why);
    }
    if (err == TH_OK)
        return;
    if (conn) {
        thi_conn_never(conn, why, err != TH_E_NOMEM, now);
    } else if (dial) {
        dial_came_to_nothing(hub, dial, why, false, now);
    } else {
        thi_link_dial_failed(link, why, now);
    }
}

/* ---- who is there ---- */

struct thi_link *thi_hub_find(struct thi_hub *hub, uint64_t system)
{
    struct thi_link *link = hub->links;

    while (link && link->system != system)
        link = link->next;
    return link;
}

struct thi_link *thi_hub_seek(struct thi_hub *hub, uint64_t system, uint64_t now)
{
    struct thi_link *link = thi_hub_find(hub, system);

    if (link || system == hub->options.system || system == 0)
        return link;
    link = thi_link_create(hub, system, now);
    if (!link)
        return NULL;
    link->is_sought = true;
    link->is_wanted = true;
    link->wanted_since = now;
    link->dial_at = now; /* the tick asks, and asks again */
    thi_hub_alarm(hub, now);
    return link;
}

void thi_hub_ask(struct thi_hub *hub, uint64_t system)
{
    struct thi_conn *conn;
    struct thi_link *link;

    /* those that rest are called, and asked next time */
    for (link = hub->links; link; link = link->next)
        thi_link_rouse(link, hub->now);
    for (conn = hub->conns; conn; conn = conn->next) {
        if (conn->state != THI_CONN_UP)
            continue;
        conn->where = system; /* the last question counts; the others are asked again */
        thi_conn_kick(conn, THI_DUE_WHERE);
    }
}

void thi_hub_heard_where(struct thi_hub *hub, struct thi_conn *conn, uint64_t system)
{
    (void)hub;
    conn->here = system;
    thi_conn_kick(conn, THI_DUE_HERE);
}

void thi_hub_heard_here(struct thi_hub *hub, uint64_t system, const struct thi_text *addresses,
                        unsigned count, uint64_t now)
{
    struct thi_link *link = thi_hub_find(hub, system);
    unsigned i;

    /* only what was asked for, and is not known better */
    if (!link || link->was_up || !link->is_wanted || count == 0)
        return;
    for (i = 0; i < count; i++)
        thi_link_learn(link, addresses[i], false);
    hub->counters.answered++;
    if (link->address_count > 0) {
        link->dial_at = now;
        thi_hub_alarm(hub, now);
    }
}

/* ---- the carrier's ---- */

struct thi_conn *thi_hub_accepted(struct thi_hub *hub, const struct thi_far_end *far, uint64_t now)
{
    struct thi_conn *conn = NULL;

    if (!hub->is_stopping && hub->stranger_count < hub->options.strangers_max)
        conn = thi_conn_create(hub, THI_CONN_GREETING, now);
    if (!conn) {
        hub->counters.strangers_refused++;
        return NULL;
    }
    conn->far = *far;
    conn->is_stranger = true;
    hub->stranger_count++;
    conn->until = now + hub->options.greeting_ns;
    conn->due = THI_DUE_HELLO;
    thi_hub_alarm(hub, conn->until);
    return conn;
}

bool thi_hub_shed(struct thi_hub *hub, uint64_t now)
{
    struct thi_link *link, *oldest = NULL;

    for (link = hub->links; link; link = link->next) {
        if (link->conn && thi_link_is_idle(link) &&
            (!oldest || link->traffic_at < oldest->traffic_at))
            oldest = link;
    }
    if (!oldest)
        return false;
    thi_hub_enter(hub, now);
    hub->counters.shed++;
    thi_conn_close(oldest->conn, THI_CLOSE_IDLE, "descriptors run short", now);
    thi_hub_leave(hub);
    return true;
}
