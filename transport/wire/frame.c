/* frame.c: the header, and the kinds of frame whose layout is fixed.
 *
 * The header is judged before another byte is awaited. Then a body is there in full, and each
 * reader below checks that it is its kind's, to the last byte. */
#include "transport/wire/frame.h"

#include <string.h>

#include "transport/wire/frame_cbor.h"
#include "transport/wire/little.h"

#define FLAG_MORE 1u /* DATA, MORE: another piece follows */

const char *thi_frame_name(unsigned kind)
{
    switch (kind) {
#define XX(number, name, least)                                                                    \
    case THI_FRAME_##name: return #name;
        THI_FRAME_MAP(XX)
#undef XX
    }
    return "?";
}

const char *thi_close_name(unsigned reason)
{
    switch (reason) {
#define XX(number, name, text)                                                                     \
    case THI_CLOSE_##name: return #name;
        THI_CLOSE_MAP(XX)
#undef XX
    }
    return "?";
}

/* Fewest bytes of a body of @kind; 0: there is no such kind. */
static uint32_t body_least(unsigned kind)
{
    switch (kind) {
#define XX(number, name, least)                                                                    \
    case THI_FRAME_##name: return least;
        THI_FRAME_MAP(XX)
#undef XX
    }
    return 0;
}

static bool is_fixed(unsigned kind)
{
    return kind == THI_FRAME_ACK || kind == THI_FRAME_PING || kind == THI_FRAME_PONG ||
           kind == THI_FRAME_WHERE;
}

/* ---- reading ---- */

/* Whether a header may be believed so far. @length_out: of what follows. */
static bool read_header(const unsigned char *at, const struct thi_frame_limits *limits,
                        uint32_t *length_out, struct thi_fault *fault)
{
    uint32_t length = thi_little_read32(at);
    unsigned kind = at[4], flags = at[5];
    uint32_t least = body_least(kind);

    if (least == 0) {
        thi_fault_set(fault, "a frame of kind %u, which is none", kind);
        return false;
    }
    if (flags & ~FLAG_MORE || (flags && kind != THI_FRAME_DATA && kind != THI_FRAME_MORE)) {
        thi_fault_set(fault, "%s: flags 0x%02x, which mean nothing there", thi_frame_name(kind),
                      flags);
        return false;
    }
    if (at[6] != 0 || at[7] != 0) {
        thi_fault_set(fault, "%s: the last two bytes of its header are not 0",
                      thi_frame_name(kind));
        return false;
    }
    if (length > limits->frame) {
        thi_fault_set(fault, "%s: %lu bytes long, more than the %lu allowed", thi_frame_name(kind),
                      (unsigned long)length, (unsigned long)limits->frame);
        return false;
    }
    if (length < least || (is_fixed(kind) && length != least)) {
        thi_fault_set(fault, "%s: %lu bytes long, %s %lu", thi_frame_name(kind),
                      (unsigned long)length, is_fixed(kind) ? "not" : "less than",
                      (unsigned long)least);
        return false;
    }
    *length_out = length;
    return true;
}

static bool read_number(uint64_t number, const char *kind, struct thi_fault *fault)
{
    if (number == 0)
        thi_fault_set(fault, "%s: number 0; the first is 1", kind);
    return number != 0;
}

static bool read_data(const unsigned char *at, size_t size, bool has_more,
                      const struct thi_frame_limits *limits, struct thi_frame_data *data,
                      struct thi_fault *fault)
{
    size_t head = THI_FRAME_DATA_SIZE - THI_FRAME_HEADER_SIZE;

    data->number = thi_little_read64(at);
    data->from = thi_little_read_addr(at + 8);
    data->to = thi_little_read_addr(at + 24);
    data->type = thi_little_read32(at + 40);
    data->has_more = has_more;
    data->transfer = 0;
    data->total = 0;
    if (has_more) {
        head = THI_FRAME_PIECE_SIZE - THI_FRAME_HEADER_SIZE;
        if (size <= head) {
            thi_fault_set(fault, "DATA: the first of several pieces, and empty");
            return false;
        }
        data->transfer = thi_little_read32(at + 44);
        data->total = thi_little_read64(at + 48);
    }
    data->size = size - head;
    data->body = at + head;
    if (!read_number(data->number, "DATA", fault))
        return false;
    if (th_addr_is_none(data->to)) {
        thi_fault_set(fault, "DATA: to no address");
        return false;
    }
    if (data->type == 0) {
        thi_fault_set(fault, "DATA: type 0; the first is 1");
        return false;
    }
    if (has_more && data->total <= data->size) {
        thi_fault_set(fault, "DATA: %llu bytes in all, but its first piece has %zu already",
                      (unsigned long long)data->total, data->size);
        return false;
    }
    if (data->total > limits->message || data->size > limits->message) {
        thi_fault_set(fault, "DATA: a message of %llu bytes, more than the %llu allowed",
                      (unsigned long long)(has_more ? data->total : data->size),
                      (unsigned long long)limits->message);
        return false;
    }
    return true;
}

static bool read_more(const unsigned char *at, size_t size, bool has_more,
                      struct thi_frame_more *more, struct thi_fault *fault)
{
    size_t head = THI_FRAME_MORE_SIZE - THI_FRAME_HEADER_SIZE;

    more->number = thi_little_read64(at);
    more->transfer = thi_little_read32(at + 8);
    more->has_more = has_more;
    more->size = size - head;
    more->body = at + head;
    if (more->size == 0)
        thi_fault_set(fault, "MORE: an empty piece");
    return more->size != 0 && read_number(more->number, "MORE", fault);
}

static bool read_where(const unsigned char *at, struct thi_frame_where *where,
                       struct thi_fault *fault)
{
    where->system = thi_little_read64(at);
    if (where->system == 0)
        thi_fault_set(fault, "WHERE: system 0, which is none");
    return where->system != 0;
}

static bool read_body(const unsigned char *at, size_t size, bool has_more,
                      const struct thi_frame_limits *limits, struct thi_frame *frame,
                      struct thi_fault *fault)
{
    switch (frame->kind) {
    case THI_FRAME_ACK: frame->as.ack.up_to = thi_little_read64(at); return true;
    case THI_FRAME_PING: frame->as.ping.token = thi_little_read64(at); return true;
    case THI_FRAME_PONG: frame->as.pong.token = thi_little_read64(at); return true;
    case THI_FRAME_WHERE: return read_where(at, &frame->as.where, fault);
    case THI_FRAME_DATA: return read_data(at, size, has_more, limits, &frame->as.data, fault);
    case THI_FRAME_MORE: return read_more(at, size, has_more, &frame->as.more, fault);
    case THI_FRAME_HELLO: return thi_hello_read(at, size, &frame->as.hello, fault);
    case THI_FRAME_RESUME: return thi_resume_read(at, size, &frame->as.resume, fault);
    case THI_FRAME_CLOSE: return thi_close_read(at, size, &frame->as.close, fault);
    case THI_FRAME_HERE: return thi_here_read(at, size, &frame->as.here, fault);
    case THI_FRAME_RETURNED: return thi_returned_read(at, size, &frame->as.returned, fault);
    case THI_FRAME_TYPE:
        return thi_type_read(at, size, &frame->as.type, fault) &&
               read_number(frame->as.type.number, "TYPE", fault);
    }
    return false;
}

enum thi_frame_answer thi_frame_read(const void *bytes, size_t size,
                                     const struct thi_frame_limits *limits,
                                     struct thi_frame *frame_out, size_t *need_out,
                                     struct thi_fault *fault)
{
    const unsigned char *at = bytes;
    uint32_t length;

    if (size < THI_FRAME_HEADER_SIZE) {
        *need_out = THI_FRAME_HEADER_SIZE;
        return THI_FRAME_SHORT;
    }
    if (!read_header(at, limits, &length, fault))
        return THI_FRAME_BAD;
    if (size - THI_FRAME_HEADER_SIZE < length) {
        *need_out = THI_FRAME_HEADER_SIZE + (size_t)length;
        return THI_FRAME_SHORT;
    }
    frame_out->kind = (enum thi_frame_kind)at[4];
    frame_out->size = THI_FRAME_HEADER_SIZE + (size_t)length;
    if (!read_body(at + THI_FRAME_HEADER_SIZE, length, at[5] & FLAG_MORE, limits, frame_out, fault))
        return THI_FRAME_BAD;
    return THI_FRAME_WHOLE;
}

/* ---- writing ---- */

/* @written bytes of the frame were put behind the header, @body more are to follow. */
static void write_header(unsigned char *at, const struct thi_frame *frame, size_t written,
                         size_t body)
{
    bool has_more = (frame->kind == THI_FRAME_DATA && frame->as.data.has_more) ||
                    (frame->kind == THI_FRAME_MORE && frame->as.more.has_more);

    thi_little_write32(at, (uint32_t)(written + body));
    at[4] = (unsigned char)frame->kind;
    at[5] = has_more ? FLAG_MORE : 0;
    at[6] = 0;
    at[7] = 0;
}

static void put64(struct thi_sink *sink, uint64_t value)
{
    unsigned char bytes[8];

    thi_little_write64(bytes, value);
    thi_put_raw(sink, bytes, sizeof(bytes));
}

static void put_data(struct thi_sink *sink, const struct thi_frame_data *data)
{
    unsigned char bytes[THI_FRAME_PIECE_SIZE - THI_FRAME_HEADER_SIZE];

    thi_little_write64(bytes, data->number);
    thi_little_write_addr(bytes + 8, data->from);
    thi_little_write_addr(bytes + 24, data->to);
    thi_little_write32(bytes + 40, data->type);
    thi_little_write32(bytes + 44, data->transfer);
    thi_little_write64(bytes + 48, data->total);
    thi_put_raw(sink, bytes, data->has_more ? 56 : 44);
}

static void put_more(struct thi_sink *sink, const struct thi_frame_more *more)
{
    unsigned char bytes[THI_FRAME_MORE_SIZE - THI_FRAME_HEADER_SIZE];

    thi_little_write64(bytes, more->number);
    thi_little_write32(bytes + 8, more->transfer);
    thi_put_raw(sink, bytes, sizeof(bytes));
}

size_t thi_frame_write(void *at, size_t room, const struct thi_frame *frame)
{
    struct thi_sink sink;
    size_t body = 0;

    if (room < THI_FRAME_HEADER_SIZE)
        room = 0;
    thi_sink_init(&sink, room ? (unsigned char *)at + THI_FRAME_HEADER_SIZE : NULL,
                  room ? room - THI_FRAME_HEADER_SIZE : 0);
    switch (frame->kind) {
    case THI_FRAME_ACK: put64(&sink, frame->as.ack.up_to); break;
    case THI_FRAME_PING: put64(&sink, frame->as.ping.token); break;
    case THI_FRAME_PONG: put64(&sink, frame->as.pong.token); break;
    case THI_FRAME_WHERE: put64(&sink, frame->as.where.system); break;
    case THI_FRAME_DATA:
        put_data(&sink, &frame->as.data);
        body = frame->as.data.size;
        break;
    case THI_FRAME_MORE:
        put_more(&sink, &frame->as.more);
        body = frame->as.more.size;
        break;
    case THI_FRAME_HELLO: thi_hello_put(&sink, &frame->as.hello); break;
    case THI_FRAME_RESUME: thi_resume_put(&sink, &frame->as.resume); break;
    case THI_FRAME_CLOSE: thi_close_put(&sink, &frame->as.close); break;
    case THI_FRAME_HERE: thi_here_put(&sink, &frame->as.here); break;
    case THI_FRAME_RETURNED: thi_returned_put(&sink, &frame->as.returned); break;
    case THI_FRAME_TYPE: thi_type_put(&sink, &frame->as.type); break;
    }
    if (room)
        write_header(at, frame, sink.size, body);
    return THI_FRAME_HEADER_SIZE + sink.size;
}
