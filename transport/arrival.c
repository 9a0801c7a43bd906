#include "transport/arrival.h"

#include "runtime/actor/ask.h"
#include "runtime/actor/mail.h"
#include "runtime/actor/send.h"
#include "runtime/actor/tie.h"

static bool is_tie(const th_type *type)
{
    return type == &thi_watch_type || type == &thi_unwatch_type || type == &thi_link_type ||
           type == &thi_unlink_type || type == &thi_gone_type || type == &thi_link_gone_type;
}

/* An actor of a program's, or the admin. */
static bool is_actor(const struct thi_cell *cell)
{
    return cell && (thi_cell_kind(cell) == THI_CELL_ACTOR || thi_cell_kind(cell) == THI_CELL_OWN);
}

static void finish(th_self *self, th_msg *msg, enum thi_stat as)
{
    thi_count(self, as);
    th_msg_destroy(self, msg);
}

/* I3. In a read section. */
static void post_system(th_self *self, struct thi_stage *stage, th_msg *msg)
{
    const th_type *type = msg->thi_type;
    struct thi_cell *cell = thi_directory_find(&stage->directory, msg->thi_to);

    if (type == &thi_ask_over_type) {
        thi_alias_give_up(self, msg->thi_to,
                          (th_err)((const struct thi_ask_over *)th_msg_body(msg))->err);
        th_msg_destroy(self, msg);
    } else if (is_tie(type)) {
        /* what is no actor has no ties, but may hear of an end */
        bool is_notice = type == &thi_gone_type || type == &thi_link_gone_type;

        if (cell && !is_actor(cell) && !is_notice) {
            thi_count(self, THI_STAT_ACCEPTED);
            (void)thi_tie_refused(self, msg, NULL);
        } else {
            thi_post(self, msg);
        }
    } else if (type == &th_poison_type ||
               (type == &th_exit_request_type &&
                (!cell || (is_actor(cell) && !th_addr_equal(msg->thi_to, stage->admin)))) ||
               type == &th_ask_handled_type || type == &th_ask_status_type) {
        thi_post(self, msg);
    } else {
        finish(self, msg, THI_STAT_REFUSED);
    }
}

void thi_arrival(void *host, struct thi_link *link, th_msg *msg)
{
    struct thi_transport *transport = host;
    struct thi_stage *stage = transport->stage;
    struct thi_peer *peer = thi_link_data(link);
    th_self *self = &transport->speaker.self;
    bool is_system = (msg->thi_type->flags & TH_TYPE_SYSTEM) != 0;

    if (!peer || msg->thi_to.system != stage->id ||            /* I1 */
        (is_system && msg->thi_from.system != peer->system)) { /* I2 */
        finish(self, msg, THI_STAT_REFUSED);
        return;
    }
    thi_stage_enter(stage);
    if (!is_system)
        thi_post(self, msg);
    else if (!thi_ties_note(&peer->ties, &stage->memory, &transport->heap, msg, true))
        (void)thi_tie_refused(self, msg, NULL);
    else
        post_system(self, stage, msg);
    thi_stage_leave(stage);
}
