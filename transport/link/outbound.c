/* What goes out on a link: from the host's queue to a frame, and what is remembered of it.
 *
 * thi_outbound_write() writes one frame each time it is called: one that was numbered before and is
 * to be sent again, else a new one. A new one is a piece of a large message, if TH_LINK_PIECE_SIZE
 * bytes of small ones have gone since the last piece, else a small message, else a piece all the
 * same: so neither waits for more than one frame of the other. */
#include "transport/link/link.h"

#include <string.h>

#include <thespis/config.h>

#include "transport/wire/codec.h"
#include "transport/wire/shape.h"

static const char no_memory[] = "no memory";

/* It cannot be sent: for want of memory, or for ever. */
static void refuse(struct thi_link *link, th_msg *msg, const char *why)
{
    if (strcmp(why, no_memory) == 0) {
        thi_settle_undelivered(link, msg, TH_DEAD_NOMEM);
        return;
    }
    link->counters.unencodable++;
    thi_settle_poisoned(link, msg, why);
}

/* ---- set aside ---- */

static th_msg *next_of_host(struct thi_link *link)
{
    struct thi_hub_options *options = &link->hub->options;
    th_msg *msg = link->has_mail ? options->host_ops->next(options->host, link) : NULL;

    if (!msg)
        link->has_mail = false;
    return msg;
}

/* Puts @msg [take] aside; there is a place. @size: of its body as it travels, if that is known to
 * take a transfer, else 0. */
static void set_aside(struct thi_link *link, th_msg *msg, size_t size, uint64_t now)
{
    uint64_t until = now + link->hub->options.expiry_ns;

    if (!thi_aside_put(&link->aside, msg, (uint32_t)size, until))
        thi_settle_undelivered(link, msg, TH_DEAD_NOMEM);
    else
        thi_hub_alarm(link->hub, until);
}

void thi_outbound_expire(struct thi_link *link, uint64_t now)
{
    th_msg *msg;

    while (thi_aside_until(&link->aside) <= now) {
        msg = thi_aside_take(&link->aside, 0);
        thi_settle_undelivered(link, msg, TH_DEAD_EXPIRED);
    }
    /* what still is in the host's queue has no time set: it is taken over as there is room */
    while (!thi_aside_is_full(&link->aside) && (msg = next_of_host(link)))
        set_aside(link, msg, 0, now);
}

static bool is_of_pair(const th_msg *msg, const th_msg *other)
{
    return th_addr_equal(msg->thi_to, other->thi_to) &&
           th_addr_equal(msg->thi_from, other->thi_from);
}

static bool has_room_for(const struct thi_link *link, size_t size)
{
    return link->transfer_count < TH_LINK_TRANSFERS_MAX &&
           (link->transfer_bytes == 0 || link->transfer_bytes + size <= TH_LINK_TRANSFER_BYTES);
}

/* Whether a message of the same pair of actors is before @msg and not wholly numbered: a transfer,
 * or one of the first @places that waits to be one. */
static bool is_behind(struct thi_link *link, const th_msg *msg, uint32_t places)
{
    const struct thi_transfer *transfer;
    uint32_t i;

    for (transfer = link->transfers; transfer; transfer = transfer->next) {
        if (is_of_pair(transfer->msg, msg))
            return true;
    }
    for (i = 0; link->aside.large > 0 && i < places; i++) {
        const struct thi_aside_place *place = thi_aside_at(&link->aside, i);

        if (place->msg && place->size > 0 && is_of_pair(place->msg, msg))
            return true;
    }
    return false;
}

/* A message that may go now: the first of those set aside, then it is still there, at *@at_out;
 * else the host's [give], and *@at_out is UINT32_MAX. NULL: none may. */
static th_msg *next_message(struct thi_link *link, uint32_t *at_out, uint64_t now)
{
    struct thi_aside *aside = &link->aside;
    th_msg *msg;
    uint32_t i;

    for (i = 0; i < aside->places; i++) {
        const struct thi_aside_place *place = thi_aside_at(aside, i);

        if (!place->msg || (place->size > 0 && !has_room_for(link, place->size)) ||
            is_behind(link, place->msg, i))
            continue;
        *at_out = i;
        return place->msg;
    }
    *at_out = UINT32_MAX;
    while (!thi_aside_is_full(aside) && aside->large < TH_LINK_TRANSFERS_MAX) {
        msg = next_of_host(link);
        if (!msg || !is_behind(link, msg, aside->places))
            return msg;
        set_aside(link, msg, 0, now);
    }
    return NULL;
}

/* ---- frames ---- */

static void wrote(struct thi_link *link, struct thi_conn *conn, uint64_t number, size_t size)
{
    thi_spool_wrote(&conn->out, size);
    link->counters.frames_out++;
    if (number > link->told)
        link->told = number;
    else
        link->counters.resent++;
    link->flights.sent = number;
    link->traffic_at = link->hub->now;
}

static bool write_type(struct thi_link *link, struct thi_conn *conn, uint64_t number)
{
    struct thi_memory *memory = link->hub->options.memory;
    const struct thi_flight *flight = thi_flights_at(&link->flights, number);
    struct thi_frame frame = { .kind = THI_FRAME_TYPE };
    size_t size = thi_shape_write(flight->type, NULL, 0);
    char *shape = thi_memory_take_raw(memory, size + 1);
    size_t room, most = THI_FRAME_HEADER_SIZE + TH_NAME_MAX + size + 64;
    uint8_t *at = shape ? thi_spool_room(&conn->out, most, &room) : NULL;

    if (at) {
        size_t used;

        thi_shape_write(flight->type, shape, size + 1);
        frame.as.type.number = number;
        frame.as.type.type = flight->code;
        frame.as.type.name = thi_text_of(flight->type->name);
        frame.as.type.shape = thi_text_of(shape);
        used = thi_frame_write(at, room, &frame);
        TH_ASSERT(used <= room);
        wrote(link, conn, number, used);
    }
    thi_memory_give(memory, shape, size + 1);
    return at != NULL;
}

/* The head of a message's only frame, or of its first. */
static size_t write_head(uint8_t *at, size_t room, uint64_t number, uint32_t code,
                         const th_msg *msg, const struct thi_transfer *transfer, size_t size)
{
    struct thi_frame frame = { .kind = THI_FRAME_DATA };

    frame.as.data.number = number;
    frame.as.data.from = msg->thi_from;
    frame.as.data.to = msg->thi_to;
    frame.as.data.type = code;
    frame.as.data.size = size;
    if (transfer) {
        frame.as.data.has_more = true;
        frame.as.data.transfer = transfer->id;
        frame.as.data.total = transfer->size;
    }
    return thi_frame_write(at, room, &frame);
}

static bool write_piece(struct thi_link *link, struct thi_conn *conn, uint64_t number)
{
    const struct thi_flight *flight = thi_flights_at(&link->flights, number);
    const struct thi_transfer *transfer = flight->transfer;
    size_t size = thi_transfer_piece(transfer, flight->code);
    size_t room, head;
    uint8_t *at = thi_spool_room(&conn->out, THI_FRAME_PIECE_SIZE + size, &room);

    if (!at)
        return false;
    if (flight->code == 0) {
        head = write_head(at, room, number, transfer->code, transfer->msg, transfer, size);
    } else {
        struct thi_frame frame = { .kind = THI_FRAME_MORE };

        frame.as.more.number = number;
        frame.as.more.transfer = transfer->id;
        frame.as.more.has_more = !thi_transfer_ends(flight->transfer, flight->code);
        frame.as.more.size = size;
        head = thi_frame_write(at, room, &frame);
    }
    memcpy(at + head, transfer->bytes + flight->code, size);
    wrote(link, conn, number, head + size);
    return true;
}

/* NO_ROOM: no memory for a chunk just now. UNFIT: it cannot be encoded. NEWS: types of messages
 * inside it are to be announced first. */
enum fit { FITS, TOO_LARGE, NO_ROOM, UNFIT, NEWS };

static bool has_news(const struct thi_link *link)
{
    struct thi_frame_type type;

    return thi_types_news(&link->types, &type);
}

static bool encode(struct thi_link *link, const th_msg *msg, uint8_t *at, size_t room,
                   size_t *size_out, struct thi_fault *fault)
{
    return thi_codec_encode(&link->types, msg, at + THI_FRAME_DATA_SIZE, room - THI_FRAME_DATA_SIZE,
                            size_out, fault) == TH_OK;
}

/* Encodes @msg behind the place of its frame's head, and puts the head before it. */
static enum fit write_whole(struct thi_link *link, struct thi_conn *conn, uint64_t number,
                            uint32_t code, const th_msg *msg, size_t *size_out,
                            struct thi_fault *fault)
{
    size_t room;
    /* asked for little first: what is left of a chunk will do for most */
    uint8_t *at = thi_spool_room(&conn->out, THI_FRAME_DATA_SIZE + 256, &room);

    if (!at)
        return NO_ROOM;
    if (!encode(link, msg, at, room, size_out, fault))
        return UNFIT;
    if (*size_out > TH_LINK_PIECE_SIZE)
        return TOO_LARGE;
    if (has_news(link))
        return NEWS;
    if (*size_out > room - THI_FRAME_DATA_SIZE) {
        at = thi_spool_room(&conn->out, THI_FRAME_DATA_SIZE + *size_out, &room);
        if (!at)
            return NO_ROOM;
        if (!encode(link, msg, at, room, size_out, fault))
            return UNFIT;
    }
    write_head(at, THI_FRAME_DATA_SIZE, number, code, msg, NULL, *size_out);
    wrote(link, conn, number, THI_FRAME_DATA_SIZE + *size_out);
    return FITS;
}

/* One that has its number. */
static bool write_again(struct thi_link *link, struct thi_conn *conn, uint64_t number)
{
    const struct thi_flight *flight = thi_flights_at(&link->flights, number);
    struct thi_fault fault;
    size_t size;

    switch ((enum thi_flight_kind)flight->kind) {
    case THI_FLIGHT_TYPE: return write_type(link, conn, number);
    case THI_FLIGHT_PIECE: return write_piece(link, conn, number);
    case THI_FLIGHT_WHOLE:
        return write_whole(link, conn, number, flight->code, flight->msg, &size, &fault) == FITS;
    }
    return false;
}

/* ---- new ones ---- */

/* Announces the types that came up, each in a numbered frame. false: no memory for its record; then
 * the message that brought it up cannot be sent. */
static bool tell_news(struct thi_link *link, struct thi_conn *conn)
{
    struct thi_frame_type news;
    struct thi_flight *flight;

    while (thi_types_news(&link->types, &news)) {
        flight = thi_flights_add(&link->flights, (uint32_t)news.shape.size + TH_NAME_MAX);
        if (!flight)
            return false;
        flight->kind = THI_FLIGHT_TYPE;
        flight->code = news.type;
        flight->type = link->types.out[news.type - 1].type;
        thi_types_told(&link->types);
        if (link->flights.sent + 1 == link->flights.last) /* else it has its turn */
            write_type(link, conn, link->flights.last);
    }
    return true;
}

/* @msg is no longer set aside, if it was. */
static void take(struct thi_link *link, uint32_t at)
{
    if (at != UINT32_MAX)
        thi_aside_take(&link->aside, at);
}

/* @msg [take] becomes a transfer of @size bytes. */
static void begin_transfer(struct thi_link *link, struct thi_conn *conn, th_msg *msg, uint32_t code,
                           size_t size)
{
    struct thi_memory *memory = link->hub->options.memory;
    struct thi_transfer *transfer = thi_transfer_create(memory, msg, size);
    struct thi_transfer **at = &link->transfers;
    struct thi_fault fault;

    if (!transfer) {
        thi_settle_undelivered(link, msg, TH_DEAD_NOMEM);
        return;
    }
    if (thi_codec_encode(&link->types, msg, transfer->bytes, size, &size, &fault) != TH_OK) {
        refuse(link, thi_transfer_destroy(memory, transfer), fault.words);
        return;
    }
    if (!tell_news(link, conn)) {
        thi_settle_undelivered(link, thi_transfer_destroy(memory, transfer), TH_DEAD_NOMEM);
        return;
    }
    transfer->code = code;
    transfer->id = ++link->transfer_id;
    while (*at)
        at = &(*at)->next;
    *at = transfer;
    link->transfer_count++;
    link->transfer_bytes += size;
    link->counters.messages_out++;
}

/* Numbers the next piece of the transfer whose turn it is, and writes it. */
static bool new_piece(struct thi_link *link, struct thi_conn *conn)
{
    struct thi_transfer *transfer = link->transfers;
    struct thi_flight *flight;
    struct thi_transfer **at;
    size_t size;

    if (!transfer)
        return false;
    size = thi_transfer_piece(transfer, transfer->at);
    flight = thi_flights_add(&link->flights, (uint32_t)size + THI_FRAME_MORE_SIZE);
    if (!flight)
        return false;
    flight->kind = THI_FLIGHT_PIECE;
    flight->transfer = transfer;
    flight->code = (uint32_t)transfer->at;
    transfer->at += size;
    link->transfers = transfer->next;
    transfer->next = NULL;
    if (transfer->at == transfer->size) {
        link->transfer_count--;
    } else { /* to the end: the others' turn */
        at = &link->transfers;
        while (*at)
            at = &(*at)->next;
        *at = transfer;
    }
    link->small_bytes = 0;
    return write_piece(link, conn, link->flights.last);
}

/* @msg [lend], set aside at @at or the host's, takes a transfer. */
static bool new_transfer(struct thi_link *link, struct thi_conn *conn, th_msg *msg, uint32_t at,
                         uint32_t code, size_t size, uint64_t now)
{
    struct thi_fault fault;

    if (size > link->message_max) {
        thi_fault_set(&fault, "%zu bytes are more than the peer takes in one message (%llu)", size,
                      (unsigned long long)link->message_max);
        take(link, at);
        refuse(link, msg, fault.words);
    } else if (has_room_for(link, size)) {
        take(link, at);
        begin_transfer(link, conn, msg, code, size);
    } else if (at == UINT32_MAX) {
        set_aside(link, msg, size, now);
    } else {
        thi_aside_weigh(&link->aside, at, (uint32_t)size);
    }
    return true;
}

/* Numbers @msg [lend], and writes it. *@size_out: of its body. */
static enum fit number_message(struct thi_link *link, struct thi_conn *conn, th_msg *msg,
                               uint32_t code, size_t *size_out, struct thi_fault *fault)
{
    /* the record first: what is written must be remembered */
    struct thi_flight *flight = thi_flights_add(&link->flights, 0);
    enum fit fit;

    if (!flight) {
        thi_fault_set(fault, "%s", no_memory);
        return UNFIT;
    }
    flight->kind = THI_FLIGHT_WHOLE;
    flight->msg = msg;
    flight->code = code;
    fit = write_whole(link, conn, link->flights.last, code, msg, size_out, fault);
    if (fit == FITS || fit == NO_ROOM) { /* the latter is written when there is room */
        link->counters.messages_out++;
        thi_flights_weigh(&link->flights, (uint32_t)*size_out + THI_FRAME_DATA_SIZE);
        link->small_bytes += (uint32_t)*size_out + THI_FRAME_DATA_SIZE;
    } else {
        thi_flights_undo(&link->flights);
    }
    return fit;
}

/* The next message, if one may go. True: something has changed. */
static bool new_message(struct thi_link *link, struct thi_conn *conn, uint64_t now)
{
    struct thi_fault fault = { "" };
    uint32_t at, code = 0;
    th_msg *msg = next_message(link, &at, now);
    size_t size = 0;
    enum fit fit = NEWS;
    th_err err;

    if (!msg)
        return false;
    err = thi_types_number(&link->types, msg->thi_type, &code, &fault);
    if (err == TH_E_NOMEM)
        thi_fault_set(&fault, "%s", no_memory);
    if (err)
        fit = UNFIT;
    while (fit == NEWS) { /* at most twice: the second time its types are known */
        if (tell_news(link, conn)) {
            fit = number_message(link, conn, msg, code, &size, &fault);
        } else {
            thi_fault_set(&fault, "%s", no_memory);
            fit = UNFIT;
        }
    }
    if (fit == TOO_LARGE)
        return new_transfer(link, conn, msg, at, code, size, now);
    take(link, at);
    if (fit == UNFIT)
        refuse(link, msg, fault.words);
    return fit != NO_ROOM;
}

bool thi_outbound_write(struct thi_link *link, struct thi_conn *conn, uint64_t now)
{
    struct thi_flights *flights = &link->flights;

    if (flights->sent < flights->last)
        return write_again(link, conn, flights->sent + 1);
    if (thi_flights_count(flights) >= link->hub->options.unacked_max ||
        flights->bytes >= TH_LINK_UNACKED_BYTES) {
        thi_outbound_expire(link, now);
        return false;
    }
    if (link->transfers && link->small_bytes >= TH_LINK_PIECE_SIZE)
        return new_piece(link, conn);
    return new_message(link, conn, now) || new_piece(link, conn);
}
