/* What becomes of messages: acknowledged, returned, or given back to the host (L1 in link.h). */
#include "transport/link/link.h"

static void settled(struct thi_link *link, uint32_t count)
{
    struct thi_hub_options *options = &link->hub->options;

    if (count > 0)
        options->host_ops->settled(options->host, link, count);
}

void thi_settle_undelivered(struct thi_link *link, th_msg *msg, th_dead_reason reason)
{
    struct thi_hub_options *options = &link->hub->options;

    link->counters.undelivered[reason]++;
    options->host_ops->undelivered(options->host, link, msg, reason);
    settled(link, 1);
}

void thi_settle_poisoned(struct thi_link *link, th_msg *msg, const char *why)
{
    struct thi_hub_options *options = &link->hub->options;

    options->host_ops->poisoned(options->host, link, msg, why);
    settled(link, 1);
}

/* The message that a settled record was the end of [give], or NULL. */
static th_msg *end_of(struct thi_link *link, const struct thi_flight *flight)
{
    switch ((enum thi_flight_kind)flight->kind) {
    case THI_FLIGHT_TYPE: return NULL;
    case THI_FLIGHT_WHOLE: return flight->msg;
    case THI_FLIGHT_PIECE:
        if (!thi_transfer_ends(flight->transfer, flight->code))
            return NULL;
        link->transfer_bytes -= flight->transfer->size;
        return thi_transfer_destroy(link->hub->options.memory, flight->transfer);
    }
    return NULL;
}

static bool is_ours_to_ack(struct thi_link *link, uint64_t up_to, struct thi_fault *fault)
{
    if (up_to <= link->told)
        return true;
    thi_fault_set(fault, "it acknowledges %llu, and %llu was the last", (unsigned long long)up_to,
                  (unsigned long long)link->told);
    return false;
}

bool thi_settle_acked(struct thi_link *link, uint64_t up_to, struct thi_fault *fault)
{
    uint32_t count = 0;

    if (!is_ours_to_ack(link, up_to, fault))
        return false;
    while (link->flights.acked < up_to) {
        th_msg *msg = end_of(link, thi_flights_settle(&link->flights));

        if (msg) {
            thi_msg_destroy(link->hub->options.heap, msg);
            count++;
        }
    }
    link->counters.acknowledged += count;
    settled(link, count);
    return true;
}

bool thi_settle_returned(struct thi_link *link, const struct thi_frame_returned *returned,
                         struct thi_fault *fault)
{
    struct thi_fault why;
    th_msg *msg;

    if (!is_ours_to_ack(link, returned->up_to, fault))
        return false;
    if (returned->up_to <= link->flights.acked)
        return true; /* we have heard of it: it is repeated until the peer knows that */
    if (!thi_settle_acked(link, returned->up_to - 1, fault))
        return false;
    if (link->is_over) /* the host gave it up on hearing that */
        return true;
    msg = end_of(link, thi_flights_settle(&link->flights));
    if (!msg) {
        thi_fault_set(fault, "RETURNED names frame %llu, where no message ended",
                      (unsigned long long)returned->up_to);
        return false;
    }
    link->counters.returned_in++;
    thi_fault_set(&why, "%.*s", (int)returned->words.size, returned->words.at);
    thi_settle_poisoned(link, msg, why.words);
    return true;
}

void thi_settle_drop_numbered(struct thi_link *link, th_dead_reason reason)
{
    struct thi_memory *memory = link->hub->options.memory;
    struct thi_transfer *unfinished = link->transfers;
    struct thi_flight *flight;

    link->transfers = NULL;
    while ((flight = thi_flights_settle(&link->flights))) {
        th_msg *msg = end_of(link, flight);

        if (msg)
            thi_settle_undelivered(link, msg, reason);
    }
    while (unfinished) {
        struct thi_transfer *transfer = unfinished;

        unfinished = transfer->next;
        thi_settle_undelivered(link, thi_transfer_destroy(memory, transfer), reason);
    }
    link->transfer_count = 0;
    link->transfer_bytes = 0;
    thi_flights_restart(&link->flights);
    link->told = 0;
}

void thi_settle_drop_waiting(struct thi_link *link, th_dead_reason reason)
{
    struct thi_hub_options *options = &link->hub->options;
    th_msg *msg;

    while (link->aside.count > 0)
        thi_settle_undelivered(link, thi_aside_take(&link->aside, 0), reason);
    while ((msg = options->host_ops->next(options->host, link)))
        thi_settle_undelivered(link, msg, reason);
    link->has_mail = false;
}
