/* What comes in on a link: numbered frames, and the messages they make. */
#include "transport/link/link.h"

#include <thespis/config.h>

#include "transport/wire/codec.h"

/* ---- returned ---- */

/* The message that ended in frame @number could not be read. false: no memory to remember it. */
static bool put_back(struct thi_link *link, uint64_t number, const struct thi_fault *why)
{
    struct thi_returned *returned = thi_memory_take(link->hub->options.memory, sizeof(*returned));
    struct thi_returned **at = &link->returned;

    if (!returned)
        return false;
    returned->number = number;
    returned->why = *why;
    while (*at)
        at = &(*at)->next;
    *at = returned;
    link->counters.returned_out++;
    return true;
}

static void forget_first(struct thi_link *link)
{
    struct thi_returned *first = link->returned;

    link->returned = first->next;
    thi_memory_give(link->hub->options.memory, first, sizeof(*first));
}

void thi_inbound_confirmed(struct thi_link *link, uint64_t token)
{
    while (link->returned && link->returned->token != 0 && link->returned->token <= token)
        forget_first(link);
}

void thi_inbound_clear(struct thi_link *link)
{
    while (link->returned)
        forget_first(link);
    thi_assemblies_clear(&link->assemblies);
    link->received = 0;
    link->ack_told = 0;
    link->ack_at = UINT64_MAX;
}

/* ---- messages ---- */

struct arrival {
    uint64_t number;
    th_addr from, to;
    uint32_t code;
    const void *body;
    size_t size;
};

/* A whole message: to the host, or back to its sender. false: @fault. */
static bool arrive(struct thi_link *link, const struct arrival *arrival, struct thi_fault *fault)
{
    struct thi_hub_options *options = &link->hub->options;
    struct thi_fault why = { "" };
    const th_type *type = thi_types_find(&link->types, arrival->code, &why);
    uint64_t memory_max = arrival->size * TH_LINK_BODY_FACTOR + TH_LINK_BODY_SLACK;
    th_msg *msg = NULL;
    th_err err = TH_E_NOMEM; /* X2: its bytes are not there */

    if (type) {
        if (arrival->body || arrival->size == 0)
            err = thi_codec_decode(&link->types, type, arrival->body, arrival->size, memory_max,
                                   options->heap, &msg, &why);
        if (err == TH_E_NOMEM)
            thi_fault_set(&why, "no memory for %zu bytes", arrival->size);
    }
    if (!msg) {
        if (put_back(link, arrival->number, &why))
            return true;
        thi_fault_set(fault, "no memory");
        return false;
    }
    msg->thi_from = arrival->from;
    msg->thi_to = arrival->to;
    link->counters.messages_in++;
    link->received = arrival->number; /* before the host, who may ask */
    options->host_ops->deliver(options->host, link, msg);
    return true;
}

static bool first_piece(struct thi_link *link, const struct thi_frame_data *data,
                        struct thi_fault *fault)
{
    struct thi_assembly *assembly;

    if (data->size >= data->total) {
        thi_fault_set(fault, "the first of several pieces has %zu of %llu bytes", data->size,
                      (unsigned long long)data->total);
        return false;
    }
    switch (thi_assemblies_begin(&link->assemblies, data->transfer, data->total, &assembly)) {
    case TH_OK: break;
    case TH_E_EXISTS:
        thi_fault_set(fault, "transfer %u begins twice", data->transfer);
        return false;
    case TH_E_LIMIT:
        thi_fault_set(fault, "more than %d transfers at once", TH_LINK_TRANSFERS_MAX);
        return false;
    default: thi_fault_set(fault, "no memory"); return false;
    }
    assembly->from = data->from;
    assembly->to = data->to;
    assembly->code = data->type;
    /* cannot be too big: see above */
    return thi_assembly_add(&link->assemblies, assembly, data->body, data->size) == TH_OK;
}

static bool further_piece(struct thi_link *link, const struct thi_frame_more *more,
                          struct thi_fault *fault)
{
    struct thi_assembly *assembly = thi_assemblies_find(&link->assemblies, more->transfer);
    struct arrival arrival;

    if (!assembly) {
        thi_fault_set(fault, "MORE of transfer %u, which is not under way", more->transfer);
        return false;
    }
    if (thi_assembly_add(&link->assemblies, assembly, more->body, more->size) != TH_OK ||
        (assembly->have == assembly->total) == more->has_more) {
        thi_fault_set(fault, "transfer %u has not the %llu bytes announced", more->transfer,
                      (unsigned long long)assembly->total);
        return false;
    }
    if (more->has_more)
        return true;
    arrival.number = more->number;
    arrival.from = assembly->from;
    arrival.to = assembly->to;
    arrival.code = assembly->code;
    arrival.body = assembly->bytes;
    arrival.size = assembly->have;
    if (!arrive(link, &arrival, fault)) {
        assembly->have -= more->size; /* without memory: it comes again */
        return false;
    }
    /* the host may have given the link up, and all assemblies with it */
    assembly = thi_assemblies_find(&link->assemblies, more->transfer);
    if (assembly)
        thi_assemblies_drop(&link->assemblies, assembly);
    return true;
}

static bool whole(struct thi_link *link, const struct thi_frame_data *data, struct thi_fault *fault)
{
    struct arrival arrival = { data->number, data->from, data->to,
                               data->type,   data->body, data->size };

    return arrive(link, &arrival, fault);
}

/* ---- frames ---- */

static bool learn(struct thi_link *link, const struct thi_frame_type *type, struct thi_fault *fault)
{
    switch (thi_types_learn(&link->types, type, fault)) {
    case TH_OK: return true;
    case TH_E_NOMEM: thi_fault_set(fault, "no memory"); return false;
    default: return false;
    }
}

static uint64_t number_of(const struct thi_frame *frame)
{
    switch (frame->kind) {
    case THI_FRAME_TYPE: return frame->as.type.number;
    case THI_FRAME_DATA: return frame->as.data.number;
    default: return frame->as.more.number;
    }
}

bool thi_inbound_frame(struct thi_link *link, const struct thi_frame *frame,
                       struct thi_fault *fault)
{
    uint64_t number = number_of(frame);
    bool fine;

    if (number <= link->received) {
        link->counters.duplicates++;
        return true;
    }
    if (number != link->received + 1) {
        thi_fault_set(fault, "frame %llu follows %llu", (unsigned long long)number,
                      (unsigned long long)link->received);
        return false;
    }
    switch (frame->kind) {
    case THI_FRAME_TYPE: fine = learn(link, &frame->as.type, fault); break;
    case THI_FRAME_DATA:
        fine = frame->as.data.has_more ? first_piece(link, &frame->as.data, fault)
                                       : whole(link, &frame->as.data, fault);
        break;
    default: fine = further_piece(link, &frame->as.more, fault); break;
    }
    if (fine && !link->is_over)
        link->received = number;
    return fine;
}
