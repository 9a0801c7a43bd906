/* transport/transport.c: opens and closes the way to other systems with its own.
 *
 * Past 500 lines: each step of the start has the end that undoes it in sight. */
#include "transport/transport.h"

#include <stdio.h>
#include <sys/random.h>
#include <time.h>

#include "transport/desk.h"
#include "transport/arrival.h"
#include "transport/peer.h"
#include "transport/ways.h"
#include "transport/link/link.h"
#include "transport/link/tls.h"
#include "runtime/system/system.h"
#include "runtime/actor/events.h"
#include "runtime/actor/type_names.h"
#include <thespis/config.h>

/* ---- the bell ---- */

void thi_transport_ring(struct thi_transport *transport, struct thi_ring *ring)
{
    /* acq_rel: what was done before is seen by who takes the flag back, and what the loop did
     * before it did is seen here; pairs with the same in serve() */
    if (atomic_exchange_explicit(&ring->is_rung, true, memory_order_acq_rel))
        return; /* T2 */
    ck_stack_push_upmc(&transport->rung, &ring->entry);
    thi_tcp_ring(&transport->tcp);
}

static void serve(struct thi_transport *transport, struct thi_ring *ring, uint64_t now)
{
    /* acq_rel: as in thi_transport_ring(); who rings from here on is heard again */
    (void)atomic_exchange_explicit(&ring->is_rung, false, memory_order_acq_rel);
    if (ring == &transport->desk_ring)
        thi_desk_rung(transport, now);
    else
        thi_peer_rung(ring, now);
}

static void serve_all(struct thi_transport *transport, uint64_t now)
{
    ck_stack_entry_t *entry = ck_stack_batch_pop_upmc(&transport->rung), *next;

    for (; entry; entry = next) {
        next = CK_STACK_NEXT(entry);
        serve(transport, (struct thi_ring *)(void *)entry, now);
    }
}

/* ---- who waits for the loop ---- */

static bool is_quiet(const struct thi_transport *transport)
{
    const struct thi_peer *peer = transport->peers;

    while (peer && (!peer->link->conn || thi_peer_is_settled(peer)))
        peer = peer->next;
    return !peer;
}

static void show(void *context, const struct thi_link *link,
                 void (*each)(void *context, const th_link_status *status))
{
    const struct thi_link_counters *counters = &link->counters;
    const th_link_status status = {
        .system = link->system,
        .name = link->name,
        .address = link->address_count ? link->addresses[0] : "",
        .is_connected = link->conn != NULL,
        .waiting = counters->messages_out - counters->acknowledged,
        .messages_out = counters->messages_out,
        .messages_in = counters->messages_in,
        .bytes_out = counters->bytes_out,
        .bytes_in = counters->bytes_in,
        .connects = counters->connects,
        .resent = counters->resent,
        .duplicates = counters->duplicates,
        .faults = counters->faults,
        .round_trip_ns = link->rtt_ns,
    };

    each(context, &status);
}

/* On the loop, whenever something may have changed. */
static void look(struct thi_transport *transport)
{
    /* relaxed: who wants it rings after */
    if (!atomic_load_explicit(&transport->is_watched, memory_order_relaxed))
        return;
    pthread_mutex_lock(&transport->look_lock);
    if (transport->each) {
        for (struct thi_peer *peer = transport->peers; peer; peer = peer->next)
            show(transport->each_context, peer->link, transport->each);
        transport->each = NULL;
        pthread_cond_broadcast(&transport->looked);
    }
    if (transport->awaits_quiet && is_quiet(transport)) {
        transport->awaits_quiet = false;
        pthread_cond_broadcast(&transport->looked);
    }
    pthread_mutex_unlock(&transport->look_lock);
}

void thi_transport_settled(struct thi_transport *transport)
{
    look(transport);
}

static void on_rung(void *host, uint64_t now)
{
    struct thi_transport *transport = host;

    serve_all(transport, now);
    look(transport);
}

static void await_quiet(struct thi_transport *transport, uint64_t limit_ns)
{
    struct timespec until;
    uint64_t end;
    int err = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    end = (uint64_t)until.tv_sec * 1000000000u + (uint64_t)until.tv_nsec + limit_ns;
    until.tv_sec = (time_t)(end / 1000000000u);
    until.tv_nsec = (long)(end % 1000000000u);
    pthread_mutex_lock(&transport->look_lock);
    transport->awaits_quiet = true;
    atomic_store_explicit(&transport->is_watched, true, memory_order_relaxed); /* as in look() */
    thi_tcp_ring(&transport->tcp);
    while (transport->awaits_quiet && !err)
        err = pthread_cond_timedwait(&transport->looked, &transport->look_lock, &until);
    pthread_mutex_unlock(&transport->look_lock);
}

th_err th_links_each(th_system *system, void (*each)(void *context, const th_link_status *link),
                     void *context)
{
    struct thi_transport *transport = NULL;
    th_err err = each ? thi_transport_of(system, &transport) : TH_E_INVALID;

    if (err)
        return err;
    pthread_mutex_lock(&transport->look_lock);
    while (transport->each && !transport->is_over)
        pthread_cond_wait(&transport->looked, &transport->look_lock);
    if (!transport->is_over) {
        transport->each = each;
        transport->each_context = context;
        atomic_store_explicit(&transport->is_watched, true, memory_order_relaxed);
        thi_tcp_ring(&transport->tcp);
        while (transport->each == each && !transport->is_over)
            pthread_cond_wait(&transport->looked, &transport->look_lock);
    }
    err = transport->is_over ? TH_E_CLOSED : TH_OK;
    pthread_mutex_unlock(&transport->look_lock);
    return err;
}

/* ---- what the hub asks and tells ---- */

static void up(void *host, struct thi_link *link)
{
    struct thi_transport *transport = host;

    if (thi_link_data(link) || thi_peer_open(transport, link))
        return;
    thi_link_give_up(link, "no memory for a queue", thi_loop_now(&transport->tcp.loop));
}

static void gone(void *host, struct thi_link *link, const char *why)
{
    struct thi_transport *transport = host;
    struct thi_peer *peer = thi_link_data(link);

    bool is_all_settled = link->counters.messages_out == link->counters.acknowledged;

    thi_event_link(&transport->speaker.self, is_all_settled ? TH_LOG_INFO : TH_LOG_WARN, link->name,
                   why);
    if (peer)
        thi_peer_close(peer, transport->is_closing ? TH_DEAD_SHUTDOWN : TH_DEAD_LINK_LOST);
}

static const th_type *find_type(void *host, const char *name)
{
    struct thi_transport *transport = host;

    return thi_type_names_find(transport->stage, name);
}

static void note(void *host, struct thi_link *link, int level, const char *text)
{
    struct thi_transport *transport = host;

    thi_event_link(&transport->speaker.self, (th_log_level)level, link ? link->name : "", text);
}

static void note_tcp(void *host, int level, const char *text)
{
    note(host, NULL, level, text);
}

static const struct thi_host_ops host_ops = {
    .deliver = thi_arrival,
    .undelivered = thi_peer_undelivered,
    .poisoned = thi_peer_poisoned,
    .settled = thi_peer_settled,
    .next = thi_peer_next,
    .up = up,
    .gone = gone,
    .unreachable = thi_desk_unreachable,
    .met = thi_desk_met,
    .find_type = find_type,
    .note = note,
};

/* ---- the end ---- */

static void stopping(void *host, uint64_t now)
{
    struct thi_transport *transport = host;

    transport->is_closing = true;
    thi_hub_stop(&transport->hub, now);
    thi_desk_close(transport);
}

/* The last actor has exited. What its system still has to say gets a moment, then all ends. */
static void close_transport(struct thi_route *route)
{
    struct thi_transport *transport = (struct thi_transport *)(void *)route;

    await_quiet(transport, TH_LINK_FAREWELL_NS);
    thi_tcp_stop(&transport->tcp);
    thi_hub_fini(&transport->hub, thi_loop_now(&transport->tcp.loop));
    pthread_mutex_lock(&transport->look_lock);
    transport->is_over = true;
    pthread_cond_broadcast(&transport->looked);
    pthread_mutex_unlock(&transport->look_lock);
}

static void free_addresses(struct thi_transport *transport)
{
    struct thi_memory *memory = &transport->stage->memory;

    thi_memory_give(memory, transport->texts, TH_LINK_LISTENERS_MAX * sizeof(*transport->texts));
}

/* After every grace period (T3): peers that were released are on the list of those that rang. */
static void destroy_transport(struct thi_route *route)
{
    struct thi_transport *transport = (struct thi_transport *)(void *)route;
    struct thi_memory *memory = &transport->stage->memory;

    serve_all(transport, 0);
    thi_tcp_close(&transport->tcp);
    if (transport->tls)
        thi_tls_destroy(transport->tls);
    thi_heap_fini(&transport->heap);
    thi_ways_fini(transport);
    free_addresses(transport);
    pthread_cond_destroy(&transport->looked);
    pthread_mutex_destroy(&transport->look_lock);
    thi_memory_give(memory, transport, sizeof(*transport));
}

/* ---- the beginning ---- */

static void say(char *why, const char *text)
{
    if (why)
        snprintf(why, TH_DETAILS_SIZE, "%s", text);
}

static th_err check(th_system *system, const th_transport_options *options, char *why)
{
    th_err err = thi_system_check(system);

    say(why, "");
    if (err) {
        say(why, "the system does not run");
        return err;
    }
    if (!options) {
        say(why, "there are no options");
        return TH_E_INVALID;
    }
    if (thi_system_is_simple(system)) {
        say(why, "a system on the simple base has no threads to talk with");
        return TH_E_WRONG_BASE;
    }
    if (options->queue_hard_max && options->queue_hard_max < options->queue_soft_max) {
        say(why, "queue_hard_max is below queue_soft_max");
        return TH_E_INVALID;
    }
    return TH_OK;
}

/* What others are told to dial: what is listened on, but for "every address". */
static th_err write_addresses(struct thi_transport *transport)
{
    const struct thi_sockaddr *at;
    uint32_t told = 0;

    transport->texts = thi_memory_take(&transport->stage->memory,
                                       TH_LINK_LISTENERS_MAX * sizeof(*transport->texts));
    if (!transport->texts)
        return TH_E_NOMEM;
    for (unsigned i = 0; (at = thi_tcp_listens(&transport->tcp, i)); i++) {
        thi_sockaddr_print(at, transport->texts[i]);
        transport->text_count++;
        if (!thi_sockaddr_is_any(at))
            transport->addresses[told++] = transport->texts[i];
    }
    return TH_OK;
}

static th_err open_hub(struct thi_transport *transport, const th_transport_options *options)
{
    struct thi_stage *stage = transport->stage;
    struct thi_hub_options hub = {
        .host = transport,
        .host_ops = &host_ops,
        .carrier = &transport->tcp.carrier,
        .memory = &stage->memory,
        .heap = &transport->heap,
        .system = stage->id,
        .name = transport->system->name,
        .admin_slot = stage->admin.slot,
        .admin_generation = stage->admin.generation,
        .addresses = options->advertise ? options->advertise : transport->addresses,
        .links_max = options->links_max,
        .ping_ns = options->ping_ns,
        .patience_ns = options->patience_ns,
        .idle_ns = options->idle_ns,
        .expiry_ns = options->expiry_ns,
    };

    if (getrandom(&hub.seed, sizeof(hub.seed), 0) != sizeof(hub.seed))
        hub.seed = stage->id;
    return thi_hub_init(&transport->hub, &hub, thi_loop_now(&transport->tcp.loop));
}

static th_err open_tls(struct thi_transport *transport, const th_tls_options *options,
                       char words[TH_DETAILS_SIZE])
{
    struct thi_tls_options tls;

    if (!options)
        return TH_OK;
    tls = (struct thi_tls_options){ .certificate = options->certificate,
                                    .key = options->key,
                                    .authorities = options->authority,
                                    .revoked = options->revoked,
                                    .names = options->names };
    return thi_tls_create(&transport->tls, &tls, &transport->stage->memory, words, TH_DETAILS_SIZE);
}

static th_err open_tcp(struct thi_transport *transport, const th_transport_options *options,
                       char *why)
{
    struct thi_tcp_options tcp = {
        .memory = &transport->stage->memory,
        .clock = &transport->stage->clock,
        .listen = options->listen,
        .insecure = options->insecure,
        .host = transport,
        .rung = on_rung,
        .stopping = stopping,
        .note = note_tcp,
    };
    char words[TH_DETAILS_SIZE] = "";
    th_err err = open_tls(transport, options->tls, words);

    tcp.tls = transport->tls;
    if (!err)
        err = thi_tcp_open(&transport->tcp, &tcp, words, sizeof(words));
    if (err)
        say(why, words);
    return err;
}

static struct thi_transport *make(th_system *system, const th_transport_options *options)
{
    struct thi_stage *stage = &system->stage;
    struct thi_transport *transport = thi_memory_take(&stage->memory, sizeof(*transport));
    pthread_condattr_t monotonic;

    if (!transport)
        return NULL;
    transport->route = (struct thi_route){ thi_ways_find, close_transport, destroy_transport };
    transport->stage = stage;
    transport->system = system;
    transport->soft_max =
        options->queue_soft_max ? options->queue_soft_max : TH_LINK_QUEUE_SOFT_DEFAULT;
    transport->hard_max =
        options->queue_hard_max ? options->queue_hard_max : TH_LINK_QUEUE_HARD_DEFAULT;
    if (transport->hard_max < transport->soft_max)
        transport->hard_max = transport->soft_max;
    ck_stack_init(&transport->rung);
    pthread_mutex_init(&transport->look_lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&transport->looked, &monotonic);
    pthread_condattr_destroy(&monotonic);
    thi_heap_init(&transport->heap, &stage->memory, &stage->depot);
    transport->speaker =
        (struct thi_endpoint){ .self.voice.heap = &transport->heap, .stage = stage };
    return transport;
}

/* Each step undoes those before it when it fails; the route is set before the loop starts, so that
 * whoever is told of a peer can write to it. */
static th_err start(struct thi_transport *transport, const th_transport_options *options, char *why)
{
    th_err err = open_tcp(transport, options, why);

    if (err)
        goto fail_made;
    err = write_addresses(transport);
    if (err)
        goto fail_tcp;
    err = thi_ways_init(transport, options->links_max ? options->links_max : TH_LINK_LINKS_DEFAULT);
    if (err)
        goto fail_tcp;
    err = open_hub(transport, options);
    if (err)
        goto fail_tcp;
    err = thi_desk_open(transport);
    if (err)
        goto fail_hub;
    transport->speaker.addr = transport->desk.endpoint.addr;
    err = thi_route_set(transport->stage, &transport->route);
    if (err)
        goto fail_desk;
    err = thi_tcp_start(&transport->tcp, &transport->hub);
    if (!err)
        return TH_OK;
    thi_route_unset(transport->stage);

fail_desk:
    thi_desk_close(transport);
fail_hub:
    thi_hub_fini(&transport->hub, thi_loop_now(&transport->tcp.loop));
fail_tcp:
    thi_tcp_close(&transport->tcp);
fail_made:
    if (transport->tls)
        thi_tls_destroy(transport->tls);
    thi_ways_fini(transport);
    free_addresses(transport);
    thi_heap_fini(&transport->heap);
    pthread_cond_destroy(&transport->looked);
    pthread_mutex_destroy(&transport->look_lock);
    thi_memory_give(&transport->stage->memory, transport, sizeof(*transport));
    return err;
}

/* ---- the front door ---- */

th_err th_transport_start(th_system *system, const th_transport_options *options, char *why)
{
    th_err err = check(system, options, why);
    struct thi_transport *transport;

    if (err)
        return err;
    if (thi_route_of(&system->stage)) {
        say(why, "it was started before");
        return TH_E_STATE;
    }
    transport = make(system, options);
    err = transport ? start(transport, options, why) : TH_E_NOMEM;
    if (err && why && !why[0])
        say(why, th_strerror(err));
    return err;
}

th_err thi_transport_of(th_system *system, struct thi_transport **transport_out)
{
    th_err err = thi_system_check(system);
    struct thi_route *route = err ? NULL : thi_route_of(&system->stage);

    *transport_out = (struct thi_transport *)(void *)route;
    return err ? err : route ? TH_OK : TH_E_STATE;
}

size_t th_transport_listens(th_system *system, uint32_t index, char *text, size_t size)
{
    struct thi_transport *transport;

    if (thi_transport_of(system, &transport) || index >= transport->text_count) {
        if (size > 0)
            text[0] = '\0';
        return 0;
    }
    return (size_t)snprintf(text, size, "%s", transport->texts[index]);
}

th_addr th_transport_desk(th_system *system)
{
    struct thi_transport *transport;

    return thi_transport_of(system, &transport) ? th_addr_none() : transport->desk.endpoint.addr;
}
