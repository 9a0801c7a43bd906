/* Two sessions meet, or meet again: docs/protocol.md, "Greeting". */
#include "transport/link/link.h"

static uint64_t draw_session(struct thi_link *link)
{
    uint64_t session;

    do
        session = thi_random_next(&link->hub->random);
    while (session == 0 || session == link->mine);
    return session;
}

uint64_t thi_session_settled(const struct thi_link *link)
{
    return link->returned ? link->returned->number - 1 : link->received;
}

void thi_session_resume(struct thi_link *link, struct thi_frame_resume *out)
{
    if (link->mine == 0)
        link->mine = draw_session(link);
    out->mine = link->mine;
    out->yours = link->theirs;
    out->last = thi_session_settled(link);
}

void thi_session_restart(struct thi_link *link)
{
    thi_settle_drop_numbered(link, TH_DEAD_LINK_LOST);
    thi_inbound_clear(link);
    thi_types_reset(&link->types);
}

/* Both know both: what they have is acknowledged, the rest is sent again. An acknowledgement on an
 * older connection may have overtaken this one; then it says nothing new. */
static bool go_on(struct thi_link *link, uint64_t last, struct thi_fault *fault)
{
    return thi_settle_acked(link, last, fault);
}

/* A session of theirs that is new to us: numbers begin at 1, both ways. */
static void begin_anew(struct thi_link *link, uint64_t theirs)
{
    if (link->theirs != 0)
        thi_session_restart(link);
    link->theirs = theirs;
}

static bool decide(struct thi_link *link, const struct thi_frame_resume *resume,
                   struct thi_fault *fault)
{
    bool knows_us = link->mine != 0 && resume->yours == link->mine;

    if (resume->mine != link->theirs) {
        if (knows_us) {
            thi_fault_set(fault, "RESUME names our session, but another one of its own");
            return false;
        }
        /* one that was told to somebody who forgot it is not told again */
        if (link->theirs != 0)
            link->mine = draw_session(link);
        begin_anew(link, resume->mine);
        return true;
    }
    if (knows_us)
        return go_on(link, resume->last, fault);
    /* it never read our RESUME, so nothing of ours, and wrote nothing */
    if (link->flights.acked != 0 || link->received != 0) {
        thi_fault_set(fault, "RESUME has forgotten a session that was under way");
        return false;
    }
    return true;
}

bool thi_session_meet(struct thi_link *link, const struct thi_frame_resume *resume, bool we_decide,
                      struct thi_fault *fault)
{
    if (we_decide)
        return decide(link, resume, fault);
    if (resume->yours != link->mine) {
        thi_fault_set(fault, "RESUME does not name our session");
        return false;
    }
    if (resume->mine == link->theirs)
        return go_on(link, resume->last, fault);
    if (resume->last != 0) {
        thi_fault_set(fault, "RESUME of a new session acknowledges %llu",
                      (unsigned long long)resume->last);
        return false;
    }
    begin_anew(link, resume->mine);
    return true;
}
