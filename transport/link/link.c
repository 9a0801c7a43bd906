#include "transport/link/link.h"

#include <stdio.h>
#include <string.h>

#include <thespis/config.h>
#include <thespis/log.h>

/* ---- life ---- */

struct thi_link *thi_link_create(struct thi_hub *hub, uint64_t system, uint64_t now)
{
    struct thi_memory *memory = hub->options.memory;
    struct thi_link *link;

    if (hub->link_count >= hub->options.links_max) {
        hub->counters.links_refused++;
        return NULL;
    }
    if (hub->is_stopping)
        return NULL;
    link = thi_memory_take(memory, sizeof(*link));
    if (!link)
        return NULL;
    link->hub = hub;
    link->system = system;
    link->message_max = TH_WIRE_MESSAGE_MAX;
    link->dial_at = UINT64_MAX;
    link->ack_at = UINT64_MAX;
    link->traffic_at = now;
    thi_flights_init(&link->flights, memory);
    thi_aside_init(&link->aside, memory);
    thi_assemblies_init(&link->assemblies, memory);
    thi_types_init(&link->types, memory, hub->options.host_ops->find_type, hub->options.host);
    link->next = hub->links;
    link->back = &hub->links;
    if (link->next)
        link->next->back = &link->next;
    hub->links = link;
    hub->link_count++;
    return link;
}

/* From the list of those that there are to that of those that are to be freed. */
static void bury(struct thi_link *link)
{
    struct thi_hub *hub = link->hub;

    *link->back = link->next;
    if (link->next)
        link->next->back = link->back;
    hub->link_count--;
    link->is_over = true;
    link->next = hub->dead_links;
    hub->dead_links = link;
}

void thi_link_free(struct thi_link *link)
{
    struct thi_memory *memory = link->hub->options.memory;
    uint32_t i;

    for (i = 0; i < link->address_count; i++)
        thi_memory_give(memory, link->addresses[i], strlen(link->addresses[i]) + 1);
    thi_flights_fini(&link->flights);
    thi_aside_fini(&link->aside);
    thi_types_fini(&link->types);
    thi_memory_give(memory, link, sizeof(*link));
}

/* Tells its peer and lets go of its connections. */
static void leave_conns(struct thi_link *link, const char *why, uint64_t now)
{
    struct thi_conn *conn, *next;

    link->conn = NULL;
    for (conn = link->hub->conns; conn; conn = next) {
        next = conn->next;
        if (conn->link != link)
            continue;
        conn->link = NULL; /* so it does not tell us */
        thi_conn_close(conn, link->hub->is_stopping ? THI_CLOSE_BYE : THI_CLOSE_GONE, why, now);
    }
}

void thi_link_end(struct thi_link *link, th_dead_reason reason, const char *why, uint64_t now)
{
    struct thi_hub *hub = link->hub;

    if (link->is_over)
        return;
    thi_hub_note(hub, link, TH_LOG_INFO, "link to %016llx given up: %s",
                 (unsigned long long)link->system, why);
    bury(link);
    leave_conns(link, why, now);
    thi_settle_drop_numbered(link, reason);
    thi_settle_drop_waiting(link, reason);
    thi_inbound_clear(link);
    if (link->was_up || link->is_sought) /* else the host does not know it */
        hub->options.host_ops->gone(hub->options.host, link, why);
}

void thi_link_give_up(struct thi_link *link, const char *why, uint64_t now)
{
    struct thi_hub *hub = link->hub;

    thi_hub_enter(hub, now);
    thi_link_end(link, TH_DEAD_LINK_LOST, why, now);
    thi_hub_leave(hub);
}

static bool has_conn(const struct thi_link *link)
{
    const struct thi_conn *conn;

    for (conn = link->hub->conns; conn; conn = conn->next) {
        if (conn->link == link && conn->state < THI_CONN_CLOSING)
            return true;
    }
    return false;
}

static void want(struct thi_link *link, uint64_t dial_at, uint64_t now)
{
    if (!link->is_wanted) {
        link->is_wanted = true;
        link->wanted_since = now;
        thi_hub_alarm(link->hub, now + link->hub->options.patience_ns);
    }
    link->dial_at = dial_at;
    thi_hub_alarm(link->hub, dial_at);
}

void thi_link_forget_if_unused(struct thi_link *link, uint64_t now)
{
    if (link->is_over || link->was_up || link->is_sought || has_conn(link))
        return;
    if (link->mine != 0 && !link->is_wanted)
        want(link, UINT64_MAX, now); /* not forgotten, but not dialled either */
    if (link->mine != 0)
        return;
    bury(link);
    thi_inbound_clear(link);
}

void thi_link_set_data(struct thi_link *link, void *data)
{
    link->data = data;
}

void *thi_link_data(const struct thi_link *link)
{
    return link->data;
}

void thi_link_learn(struct thi_link *link, struct thi_text address, bool front)
{
    struct thi_memory *memory = link->hub->options.memory;
    uint32_t i;
    char *copy;

    for (i = 0; i < link->address_count; i++) {
        if (strlen(link->addresses[i]) == address.size &&
            memcmp(link->addresses[i], address.at, address.size) == 0)
            break;
    }
    if (i == link->address_count) {
        if (i == sizeof(link->addresses) / sizeof(*link->addresses)) {
            if (!front)
                return;
            i--;
            thi_memory_give(memory, link->addresses[i], strlen(link->addresses[i]) + 1);
            link->address_count--;
        }
        copy = thi_memory_take(memory, address.size + 1);
        if (!copy)
            return;
        memcpy(copy, address.at, address.size);
        link->addresses[i] = copy;
        link->address_count++;
    }
    if (front) {
        copy = link->addresses[i];
        memmove(&link->addresses[1], &link->addresses[0], i * sizeof(copy));
        link->addresses[0] = copy;
        link->is_met_there = true;
        link->route = 0;
    }
}

/* ---- its connection ---- */

static void say_why(struct thi_link *link, const char *why)
{
    snprintf(link->why, sizeof(link->why), "%s", why);
}

void thi_link_up(struct thi_link *link, struct thi_conn *conn, uint64_t now)
{
    struct thi_hub_options *options = &link->hub->options;
    struct thi_returned *returned;

    link->is_wanted = false;
    link->dial_at = UINT64_MAX;
    link->counters.connects++;
    link->traffic_at = now;
    link->flights.sent = link->flights.acked;
    link->ack_told = thi_session_settled(link);
    for (returned = link->returned; returned; returned = returned->next)
        returned->token = 0;
    conn->up_at = conn->heard_at = conn->progress_at = now;
    /* our RESUME may be older than what has come since on the connection before */
    if (link->received > 0)
        conn->due |= THI_DUE_ACK;
    thi_hub_alarm(link->hub, thi_conn_deadline(conn));
    thi_hub_alarm(link->hub, now + options->idle_ns);
    thi_hub_note(link->hub, link, TH_LOG_INFO, "link to %016llx (%s) up: %s",
                 (unsigned long long)link->system, link->name, conn->far.address);
    link->has_mail = true; /* whatever the host has */
    if (!link->was_up) {
        link->was_up = true;
        options->host_ops->up(options->host, link);
    }
    if (!link->is_over)
        thi_hub_dial_met(link->hub, conn, link);
}

void thi_link_lost(struct thi_link *link, const struct thi_conn *conn, bool is_rest,
                   const char *why, uint64_t now)
{
    uint64_t pause;

    link->conn = NULL;
    say_why(link, why);
    if (is_rest && thi_link_is_idle(link)) {
        link->is_wanted = false;
        link->dial_at = UINT64_MAX;
        return;
    }
    /* it worked, if something of ours arrived over it, or it lived longer than the pause before it:
     * one that opens and breaks at once is a failure like any other */
    if (conn->progress_at > conn->up_at || now - conn->up_at >= link->backoff.pause_ns)
        thi_backoff_reset(&link->backoff);
    pause = thi_backoff_failed(&link->backoff, &link->hub->random);
    thi_hub_note(link->hub, link, TH_LOG_INFO, "link to %016llx lost its connection: %s",
                 (unsigned long long)link->system, why);
    want(link, now + pause, now);
}

void thi_link_dial_failed(struct thi_link *link, const char *why, uint64_t now)
{
    if (link->is_over || link->conn)
        return;
    say_why(link, why);
    link->route++;
    link->hub->counters.dials_failed++;
    if (link->is_wanted)
        want(link, now + thi_backoff_failed(&link->backoff, &link->hub->random), now);
}

void thi_link_ready(struct thi_link *link, uint64_t now)
{
    struct thi_hub *hub = link->hub;

    if (link->is_over)
        return;
    thi_hub_enter(hub, now);
    link->has_mail = true;
    link->is_sought = true;
    if (link->conn) {
        thi_conn_kick(link->conn, 0);
    } else {
        thi_outbound_expire(link, now);
        if (!link->is_wanted)
            want(link, now, now);
    }
    thi_hub_leave(hub);
}

void thi_link_rouse(struct thi_link *link, uint64_t now)
{
    if (!link->conn && !link->is_wanted && link->was_up)
        want(link, now, now);
}

bool thi_link_has_something(const struct thi_link *link)
{
    return link->has_mail || link->aside.count > 0 || link->transfers ||
           link->flights.sent < link->flights.last;
}

bool thi_link_is_idle(const struct thi_link *link)
{
    return thi_flights_count(&link->flights) == 0 && link->aside.count == 0 && !link->transfers &&
           link->assemblies.count == 0 && !link->returned && link->ack_told == link->received &&
           !link->has_mail;
}

/* ---- time ---- */

/* Whether it may rest: either side can call the other again. */
static bool may_rest(const struct thi_link *link)
{
    const char *const *addresses = link->hub->options.addresses;

    return link->conn && link->is_callable && addresses && *addresses && thi_link_is_idle(link);
}

static void dial(struct thi_link *link, uint64_t now)
{
    struct thi_hub *hub = link->hub;

    link->dial_at = UINT64_MAX;
    if (has_conn(
            link)) { /* one is being tried; if it is not ours, nobody tells us that it failed */
        want(link, now + hub->options.greeting_ns, now);
        return;
    }
    if (link->address_count == 0) { /* perhaps somebody knows by now */
        thi_hub_ask(hub, link->system);
        want(link, now + thi_backoff_failed(&link->backoff, &hub->random), now);
        return;
    }
    link->counters.dials++;
    thi_hub_begin_dial(hub, link, NULL, link->addresses[link->route % link->address_count], now);
}

uint64_t thi_link_deadline(const struct thi_link *link)
{
    uint64_t when = link->ack_at;
    uint64_t until = thi_aside_until((struct thi_aside *)(uintptr_t)&link->aside);

    if (until < when)
        when = until;
    if (link->is_wanted && link->dial_at < when)
        when = link->dial_at;
    if (link->is_wanted && link->wanted_since + link->hub->options.patience_ns < when)
        when = link->wanted_since + link->hub->options.patience_ns;
    if (may_rest(link) && link->traffic_at + link->hub->options.idle_ns < when)
        when = link->traffic_at + link->hub->options.idle_ns;
    return when;
}

void thi_link_tick(struct thi_link *link, uint64_t now)
{
    char why[sizeof(link->why) + 64];

    if (link->is_over)
        return;
    if (link->ack_at <= now) {
        link->ack_at = UINT64_MAX;
        if (link->conn)
            thi_conn_kick(link->conn, THI_DUE_ACK);
    }
    if (thi_aside_until(&link->aside) <= now)
        thi_outbound_expire(link, now);
    if (link->is_over)
        return;
    if (link->is_wanted && link->wanted_since + link->hub->options.patience_ns <= now) {
        snprintf(why, sizeof(why), "no connection could be had: %s",
                 link->why[0] ? link->why : "nobody knows its address");
        thi_link_end(link, TH_DEAD_LINK_LOST, why, now);
        return;
    }
    if (link->is_wanted && link->dial_at <= now)
        dial(link, now);
    if (may_rest(link) && link->traffic_at + link->hub->options.idle_ns <= now)
        thi_conn_close(link->conn, THI_CLOSE_IDLE, "nothing to do", now);
}
