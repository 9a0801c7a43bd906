#include "transport/peer.h"

#include "transport/ways.h"
#include "transport/link/link.h"
#include "runtime/actor/credits.h"
#include "runtime/actor/dead_letter.h"
#include "runtime/actor/mail.h"
#include "runtime/actor/poison.h"
#include "runtime/actor/send.h"

static th_self *speaker(struct thi_transport *transport)
{
    return &transport->speaker.self;
}

/* ---- the bell ---- */

/* T2. In a read section, any thread. */
static void wake(struct thi_endpoint *endpoint)
{
    struct thi_peer *peer = (struct thi_peer *)(void *)endpoint;

    thi_transport_ring(peer->transport, &peer->ring);
}

/* T4. */
static void release(struct thi_endpoint *endpoint)
{
    struct thi_peer *peer = (struct thi_peer *)(void *)endpoint;

    /* relaxed: the ring carries it */
    atomic_store_explicit(&peer->is_released, true, memory_order_relaxed);
    thi_transport_ring(peer->transport, &peer->ring);
}

void thi_peer_rung(struct thi_ring *ring, uint64_t now)
{
    struct thi_peer *peer = (struct thi_peer *)((char *)ring - offsetof(struct thi_peer, ring));

    if (peer->link)
        thi_link_ready(peer->link, now);
    else if (atomic_load_explicit(&peer->is_released, memory_order_relaxed)) /* as in release() */
        thi_memory_give(&peer->transport->stage->memory, peer, sizeof(*peer));
}

/* ---- life ---- */

static void enlist(struct thi_transport *transport, struct thi_peer *peer)
{
    peer->next = transport->peers;
    transport->peers = peer;
}

static void delist(struct thi_transport *transport, struct thi_peer *peer)
{
    struct thi_peer **link = &transport->peers;

    while (*link != peer)
        link = &(*link)->next;
    *link = peer->next;
}

struct thi_peer *thi_peer_open(struct thi_transport *transport, struct thi_link *link)
{
    struct thi_stage *stage = transport->stage;
    struct thi_box_options options = { transport->soft_max, transport->hard_max, &transport->heap,
                                       wake, release };
    struct thi_peer *peer = thi_memory_take(&stage->memory, sizeof(*peer));

    if (!peer)
        return NULL;
    peer->transport = transport;
    peer->link = link;
    peer->system = link->system;
    if (thi_box_open(&peer->box, stage, &options)) {
        thi_memory_give(&stage->memory, peer, sizeof(*peer));
        return NULL;
    }
    enlist(transport, peer);
    thi_link_set_data(link, peer);
    thi_ways_add(transport, peer->system, peer->box.endpoint.addr);
    return peer;
}

/* Those here who are tied to somebody there hear of the end. */
static void tell_ties(struct thi_transport *transport, struct thi_peer *peer)
{
    th_msg *tie = thi_ties_end(&peer->ties, &transport->stage->memory), *next;

    for (; tie; tie = next) {
        next = tie->thi_next;
        thi_post(speaker(transport), tie);
    }
}

void thi_peer_close(struct thi_peer *peer, th_dead_reason reason)
{
    struct thi_transport *transport = peer->transport;
    struct thi_stage *stage = transport->stage;

    thi_ways_remove(transport, peer->system, peer->box.endpoint.addr);
    delist(transport, peer);
    thi_link_set_data(peer->link, NULL);
    peer->link = NULL;
    thi_stage_enter(stage);
    for (th_msg *msg = peer->mail, *next; msg; msg = next) {
        next = msg->thi_next;
        thi_undeliverable(speaker(transport), msg, reason);
    }
    tell_ties(transport, peer);
    thi_box_close(&peer->box, reason);
    thi_stage_leave(stage);
}

bool thi_peer_is_settled(const struct thi_peer *peer)
{
    struct thi_credits *credits = peer->box.endpoint.cell->extra->credits;

    return !peer->mail && peer->unbilled == 0 && thi_credits_used(thi_credits_look(credits)) == 0 &&
           !thi_inbox_has_mail(&credits->inbox);
}

/* ---- what goes out ---- */

/* The table may have been read just before it changed (ways.c), and then it is somebody else's. */
static bool is_stray(const struct thi_peer *peer, const th_msg *msg)
{
    return TH_UNLIKELY(msg->thi_to.system != peer->system);
}

static th_msg *take(struct thi_peer *peer)
{
    th_msg *msg = peer->mail;

    if (!msg)
        msg = thi_box_take(&peer->box);
    if (msg)
        peer->mail = msg->thi_next;
    return msg;
}

th_msg *thi_peer_next(void *host, struct thi_link *link)
{
    struct thi_transport *transport = host;
    struct thi_peer *peer = thi_link_data(link);
    th_msg *msg;

    while (peer && (msg = take(peer))) {
        bool took_credit = !(msg->thi_type->flags & TH_TYPE_SYSTEM);

        msg->thi_next = NULL;
        if (is_stray(peer, msg)) {
            thi_stage_enter(transport->stage);
            thi_box_settle(&peer->box, took_credit);
            thi_repost(speaker(transport), msg);
            thi_stage_leave(transport->stage);
            continue;
        }
        peer->unbilled += !took_credit;
        if (thi_ties_note(&peer->ties, &transport->stage->memory, &transport->heap, msg, false))
            return msg;
        thi_peer_undelivered(host, link, msg, TH_DEAD_NOMEM);
        thi_peer_settled(host, link, 1);
    }
    return NULL;
}

/* Credits come back as many as were taken, in whatever order what took none is settled. */
void thi_peer_settled(void *host, struct thi_link *link, uint32_t count)
{
    struct thi_transport *transport = host;
    struct thi_peer *peer = thi_link_data(link);
    uint32_t unbilled;

    if (!peer)
        return;
    unbilled = peer->unbilled < count ? (uint32_t)peer->unbilled : count;
    peer->unbilled -= unbilled;
    peer->departed += count;
    if (peer->departed > 0) {
        thi_stats_add_shared(&transport->stage->stats, THI_STAT_HANDLED, (uint64_t)peer->departed);
        peer->departed = 0;
    }
    if (count > unbilled) {
        thi_stage_enter(transport->stage);
        thi_box_settle(&peer->box, count - unbilled);
        thi_stage_leave(transport->stage);
    }
    thi_transport_settled(transport);
}

void thi_peer_undelivered(void *host, struct thi_link *link, th_msg *msg, th_dead_reason reason)
{
    struct thi_transport *transport = host;
    struct thi_peer *peer = thi_link_data(link);

    if (peer)
        peer->departed--; /* counted here and now, not when it is settled */
    thi_stage_enter(transport->stage);
    thi_undeliverable(speaker(transport), msg, reason);
    thi_stage_leave(transport->stage);
}

/* As if the actor it was for had failed on it. */
void thi_peer_poisoned(void *host, struct thi_link *link, th_msg *msg, const char *why)
{
    struct thi_transport *transport = host;

    thi_stage_enter(transport->stage);
    thi_poison_from(speaker(transport), msg->thi_to, msg, TH_E_UNREADABLE, why);
    thi_stage_leave(transport->stage);
}
