/* Who is tied to whom over a link, as the messages that pass say it. */
#include "transport/ties.h"

#include "runtime/actor/mail.h"
#include "tests/mailbox/mailroom.h"

#define HERE  UINT64_C(0x11)
#define THERE UINT64_C(0x22)

static struct thi_ties ties;

static th_addr here(uint32_t slot)
{
    return (th_addr){ HERE, slot, 1 };
}

static th_addr there(uint32_t slot)
{
    return (th_addr){ THERE, slot, 1 };
}

/* A message of @type passes, from the actor @from to the actor @to. */
static void pass(struct mailroom *room, const th_type *type, th_addr from, th_addr to)
{
    th_msg *msg = thi_msg_create(&room->heap, type, 0);

    msg->thi_from = from;
    msg->thi_to = to;
    cr_assert(thi_ties_note(&ties, &room->memory, &room->heap, msg, to.system == HERE));
    thi_msg_destroy(&room->heap, msg);
}

static void out(struct mailroom *room, const th_type *type, uint32_t from, uint32_t to)
{
    pass(room, type, here(from), there(to));
}

static void in(struct mailroom *room, const th_type *type, uint32_t from, uint32_t to)
{
    pass(room, type, there(from), here(to));
}

/* The link is lost: @count notices. */
static th_msg *end(struct mailroom *room, int count)
{
    th_msg *chain = thi_ties_end(&ties, &room->memory);
    int found = 0;

    for (th_msg *tie = chain; tie; tie = tie->thi_next)
        found++;
    cr_assert_eq(found, count);
    return chain;
}

static void destroy(struct mailroom *room, th_msg *chain)
{
    for (th_msg *next; chain; chain = next) {
        next = chain->thi_next;
        thi_msg_destroy(&room->heap, chain);
    }
}

Test(ties, a_watch_of_somebody_there_ends_in_a_notice)
{
    struct mailroom room;
    const struct th_actor_gone *gone;
    th_msg *notice;

    mailroom_open(&room, 0);
    out(&room, &thi_watch_type, 1, 7);
    out(&room, &thi_watch_type, 1, 7);
    notice = end(&room, 1);
    gone = th_msg_body(notice);
    cr_assert_eq(notice->thi_type, &thi_gone_type);
    cr_assert(th_addr_equal(notice->thi_to, here(1)) && th_addr_equal(notice->thi_from, there(7)));
    cr_assert(th_addr_equal(gone->actor, there(7)));
    cr_assert_eq(gone->reason, TH_EXIT_GONE);
    cr_assert_not(gone->linked);
    destroy(&room, notice);
    mailroom_close(&room);
}

Test(ties, a_notice_or_a_recall_undoes_it)
{
    struct mailroom room;

    mailroom_open(&room, 0);
    out(&room, &thi_watch_type, 1, 7);
    out(&room, &thi_watch_type, 2, 7);
    out(&room, &thi_watch_type, 3, 8);
    in(&room, &thi_gone_type, 7, 1);
    out(&room, &thi_unwatch_type, 2, 7);
    destroy(&room, end(&room, 1));
    mailroom_close(&room);
}

/* A link is both sides', whoever asked for it. */
Test(ties, a_link_ends_for_who_is_here)
{
    struct mailroom room;
    th_msg *notice;

    mailroom_open(&room, 0);
    out(&room, &thi_link_type, 1, 7);
    in(&room, &thi_link_type, 7, 1);
    in(&room, &thi_link_type, 8, 2);
    in(&room, &thi_link_type, 9, 3);
    in(&room, &thi_unlink_type, 8, 2);
    out(&room, &thi_link_gone_type, 3, 9);
    notice = end(&room, 1);
    cr_assert_eq(notice->thi_type, &thi_link_gone_type);
    cr_assert(((const struct th_actor_gone *)th_msg_body(notice))->linked);
    destroy(&room, notice);
    mailroom_close(&room);
}

/* Who is watched from there is told that nobody watches any more. */
Test(ties, a_watch_of_somebody_here_is_called_off)
{
    struct mailroom room;
    th_msg *recall;

    mailroom_open(&room, 0);
    in(&room, &thi_watch_type, 7, 1);
    in(&room, &thi_watch_type, 7, 2);
    in(&room, &thi_unwatch_type, 7, 2);
    in(&room, &thi_watch_type, 7, 3);
    out(&room, &thi_gone_type, 3, 7);
    recall = end(&room, 1);
    cr_assert_eq(recall->thi_type, &thi_unwatch_type);
    cr_assert(th_addr_equal(recall->thi_to, here(1)) && th_addr_equal(recall->thi_from, there(7)));
    destroy(&room, recall);
    mailroom_close(&room);
}

Test(ties, are_found_among_many)
{
    enum { MANY = 5000 };
    struct mailroom room;

    mailroom_open(&room, 0);
    for (uint32_t i = 0; i < MANY; i++)
        out(&room, &thi_watch_type, i % 100, i);
    for (uint32_t i = 0; i < MANY; i += 2)
        in(&room, &thi_gone_type, i, i % 100);
    destroy(&room, end(&room, MANY / 2));
    mailroom_close(&room);
}
