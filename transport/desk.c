#include "transport/desk.h"

#include <stdio.h>
#include <string.h>

#include "transport/link/link.h"
#include "runtime/actor/dead_letter.h"
#include "runtime/actor/send.h"
#include <thespis/config.h>

TH_MESSAGE_TYPE(th_peer, TH_PEER_FIELDS)
TH_MESSAGE_TYPE(th_dial, TH_DIAL_FIELDS)

static th_self *speaker(struct thi_transport *transport)
{
    return &transport->desk.endpoint.self;
}

static struct thi_transport *transport_of(struct thi_endpoint *endpoint)
{
    return (struct thi_transport *)((char *)endpoint - offsetof(struct thi_transport, desk));
}

static void wake(struct thi_endpoint *endpoint)
{
    struct thi_transport *transport = transport_of(endpoint);

    thi_transport_ring(transport, &transport->desk_ring);
}

/* Its memory is the transport's. */
static void release(struct thi_endpoint *endpoint)
{
    (void)endpoint;
}

th_err thi_desk_open(struct thi_transport *transport)
{
    struct thi_box_options options = { TH_LINK_DIALS_MAX, TH_LINK_DIALS_MAX, &transport->heap, wake,
                                       release };
    th_err err = thi_box_open(&transport->desk, transport->stage, &options);

    if (!err)
        (void)thi_box_take(&transport->desk); /* it sleeps */
    return err;
}

/* Answers @asked [take] about @link, or says why there is none. Without memory it is a dead letter,
 * and who asked hears of that. */
static void answer(struct thi_transport *transport, th_msg *asked, struct thi_link *link,
                   const char *why)
{
    th_self *self = speaker(transport);
    struct th_peer *peer;
    th_msg *msg = th_peer_new(self, &peer);

    thi_stage_enter(transport->stage);
    if (msg) {
        peer->address = th_blob_ref(th_dial_of(asked)->address);
        if (link) {
            peer->system = link->system;
            peer->admin = (th_addr){ link->system, link->admin_slot, link->admin_generation };
            peer->name = th_blob_text(self, link->name);
        } else {
            peer->details = th_blob_text(self, why);
        }
        thi_post_to(self, thi_self_addr(self), asked->thi_from, msg);
        thi_count(self, THI_STAT_HANDLED);
        th_msg_destroy(self, asked);
    } else {
        thi_undeliverable(self, asked, TH_DEAD_NOMEM);
    }
    thi_stage_leave(transport->stage);
    thi_box_settle(&transport->desk, 1);
}

/* Takes those out that asked for @address. */
static void answer_all(struct thi_transport *transport, struct thi_link *link, const char *address,
                       const char *why)
{
    th_msg **place = &transport->dials, *asked;

    while ((asked = *place)) {
        if (strcmp(th_dial_of(asked)->address->data, address) != 0) {
            place = &asked->thi_next;
            continue;
        }
        *place = asked->thi_next;
        answer(transport, asked, link, why);
    }
}

void thi_desk_met(void *host, struct thi_link *link, const char *address)
{
    answer_all(host, link, address, NULL);
}

void thi_desk_unreachable(void *host, const char *address, const char *why)
{
    answer_all(host, NULL, address, why);
}

static void take_up(struct thi_transport *transport, th_msg *asked, uint64_t now)
{
    const struct th_dial *dial = th_dial_of(asked);
    th_err err;

    if (!dial) { /* whatever it is, it is nothing for us */
        thi_stage_enter(transport->stage);
        thi_undeliverable(speaker(transport), asked, TH_DEAD_NO_ACTOR);
        thi_stage_leave(transport->stage);
        thi_box_settle(&transport->desk, 1);
        return;
    }
    if (!dial->address || dial->address->size == 0) {
        answer(transport, asked, NULL, "there is no address");
        return;
    }
    asked->thi_next = transport->dials;
    transport->dials = asked;
    err = thi_hub_dial(&transport->hub, dial->address->data, now);
    if (err)
        answer_all(transport, NULL, dial->address->data, th_strerror(err));
}

void thi_desk_rung(struct thi_transport *transport, uint64_t now)
{
    th_msg *msg, *next;

    while ((msg = thi_box_take(&transport->desk)))
        for (; msg; msg = next) {
            next = msg->thi_next;
            take_up(transport, msg, now);
        }
}

void thi_desk_close(struct thi_transport *transport)
{
    th_msg *asked;

    while ((asked = transport->dials)) {
        transport->dials = asked->thi_next;
        answer(transport, asked, NULL, "the system shuts down");
    }
    thi_stage_enter(transport->stage);
    thi_box_close(&transport->desk, TH_DEAD_SHUTDOWN);
    thi_stage_leave(transport->stage);
}

/* ---- the front door ---- */

th_err th_connect(th_self *self, const char *address, uint64_t timeout_ns, th_addr *admin_out,
                  char *why)
{
    th_system *system = self ? th_self_system(self) : NULL;
    const struct th_peer *peer;
    struct th_dial *dial;
    th_msg *msg;
    th_addr desk;
    th_err err;

    if (why)
        why[0] = '\0';
    if (!self || !address || !admin_out)
        return TH_E_INVALID;
    desk = th_transport_desk(system);
    if (th_addr_is_none(desk))
        return TH_E_STATE;
    msg = th_dial_new(self, &dial);
    if (msg && !(dial->address = th_blob_text(self, address))) {
        th_msg_destroy(self, msg);
        return TH_E_NOMEM;
    }
    err = th_ask(self, desk, msg, timeout_ns, &msg);
    if (err)
        return err;
    peer = th_peer_of(msg);
    *admin_out = peer->admin;
    if (peer->system == 0) {
        err = TH_E_UNREACHABLE;
        if (why)
            snprintf(why, TH_DETAILS_SIZE, "%s", peer->details ? peer->details->data : "");
    }
    th_msg_destroy(self, msg);
    return err;
}
