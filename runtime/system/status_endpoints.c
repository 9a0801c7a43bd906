/* runtime/system/status_endpoints.c: the ways in for threads that are no actors: whose they are,
 * and what waits in them.
 *
 * An endpoint's mail is under its lock (X1 of waiting.h), so whoever holds that may count it. All
 * are noted first and told of afterwards, so that the caller may open and close some. */
#include <string.h>

#include "runtime/system/external.h"
#include "runtime/system/report.h"
#include "mailbox/msg.h"
#include <thespis/config.h>

struct notes {
    th_endpoint_status *all;
    uint32_t room, count;
    uint64_t more;
    bool may_wait; /* for locks that others hold */
};

static bool lock(pthread_mutex_t *mutex, bool may_wait)
{
    return may_wait ? pthread_mutex_lock(mutex) == 0 : pthread_mutex_trylock(mutex) == 0;
}

/* Under its lock: nobody takes from the inbox meanwhile, and who pushes only adds in front. */
static uint64_t count_mail(struct thi_external *external)
{
    /* acquire: the messages are read next; pairs with the release in thi_inbox_push() */
    uintptr_t top = atomic_load_explicit(&external->endpoint.cell->inbox.top, memory_order_acquire);
    uint64_t count = 0;

    for (const th_msg *msg = external->mail_head; msg; msg = msg->thi_next)
        count++;
    if (top < THI_INBOX_STATES)
        return count;
    for (const th_msg *msg = (const th_msg *)(top & ~THI_INBOX_URGENT); msg;
         msg = (const th_msg *)((uintptr_t)msg->thi_next & ~THI_INBOX_URGENT))
        count++;
    return count;
}

static void note(struct notes *notes, struct thi_external *external)
{
    th_endpoint_status *status;

    if (notes->count == notes->room) {
        notes->more++;
        return;
    }
    status = &notes->all[notes->count++];
    *status = (th_endpoint_status){ .addr = external->endpoint.addr,
                                    .kind = external->is_default ? "default" : "private",
                                    .waiting = UINT64_MAX };
    memcpy(status->opened_by, external->opened_by, sizeof(status->opened_by));
    if (!lock(&external->lock, notes->may_wait))
        return;
    status->waiting = count_mail(external);
    for (const struct thi_waiter *waiter = external->first; waiter; waiter = waiter->next)
        status->waiters++;
    pthread_mutex_unlock(&external->lock);
}

static uint32_t room_for(th_system *system)
{
    /* relaxed: a figure; some more, for those opened meanwhile */
    uint64_t count =
        atomic_load_explicit(&system->stage.open_endpoints, memory_order_relaxed) + 1 + 8;

    return count < TH_STATUS_ENDPOINTS_MAX ? (uint32_t)count : TH_STATUS_ENDPOINTS_MAX;
}

th_err thi_endpoints_walk(th_system *system,
                          void (*each)(void *context, const th_endpoint_status *status),
                          void *context, bool may_wait, uint64_t *more_out)
{
    struct notes notes = { .room = room_for(system), .may_wait = may_wait };

    *more_out = 0;
    notes.all = thi_memory_take(&system->stage.memory, notes.room * sizeof(*notes.all));
    if (!notes.all)
        return TH_E_NOMEM;
    if (lock(&system->lock, may_wait)) {
        for (struct thi_external *one = system->externals; one; one = one->next)
            note(&notes, one);
        pthread_mutex_unlock(&system->lock);
    }
    for (uint32_t i = 0; i < notes.count; i++)
        each(context, &notes.all[i]);
    *more_out = notes.more;
    thi_memory_give(&system->stage.memory, notes.all, notes.room * sizeof(*notes.all));
    return TH_OK;
}

th_err th_endpoints_each(th_system *system,
                         void (*each)(void *context, const th_endpoint_status *status),
                         void *context, uint64_t *left_out)
{
    th_err err = thi_system_check(system);
    uint64_t more = 0;

    if (!err)
        err = each ? thi_endpoints_walk(system, each, context, true, &more) : TH_E_INVALID;
    if (left_out)
        *left_out = more;
    return err;
}
