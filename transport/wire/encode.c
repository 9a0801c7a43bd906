/* encode.c: from a struct to CBOR.
 *
 * A walk over the table that only ever fails where the message itself cannot travel: the sink
 * counts on when there is no room. */
#include <inttypes.h>
#include <string.h>

#include "transport/wire/codec.h"
#include "transport/wire/item.h"
#include "transport/wire/little.h"

struct encoder {
    struct thi_sink sink;
    struct thi_types *types;
    struct thi_fault *fault;
};

static th_err put_message(struct encoder *encoder, const th_msg *msg, unsigned depth);
static th_err put_struct(struct encoder *encoder, const th_type *type, const char *body,
                         unsigned depth);

static void put_addr(struct encoder *encoder, th_addr addr)
{
    char bytes[THI_LITTLE_ADDR_SIZE];

    thi_little_write_addr(bytes, addr);
    thi_put_bytes(&encoder->sink, bytes, sizeof(bytes));
}

static void put_text(struct encoder *encoder, const char *text, size_t size)
{
    thi_put_head(&encoder->sink, thi_text_is_utf8(text, size) ? THI_ITEM_TEXT : THI_ITEM_BYTES,
                 size);
    thi_put_raw(&encoder->sink, text, size);
}

static void put_blob(struct encoder *encoder, const th_blob *blob, bool is_text)
{
    if (!blob)
        thi_put_null(&encoder->sink);
    else if (is_text)
        put_text(encoder, blob->data, blob->size);
    else
        thi_put_bytes(&encoder->sink, blob->data, blob->size);
}

static void put_f32(struct thi_sink *sink, const char *at)
{
    uint32_t bits;

    memcpy(&bits, at, sizeof(bits));
    thi_put_f32(sink, bits);
}

static void put_f64(struct thi_sink *sink, const char *at)
{
    uint64_t bits;

    memcpy(&bits, at, sizeof(bits));
    thi_put_f64(sink, bits);
}

#define AS(type, at) (*(const type *)(const void *)(at))

static th_err put_element(struct encoder *encoder, const th_field *field, const char *at,
                          unsigned depth)
{
    struct thi_sink *sink = &encoder->sink;

    switch (field->kind) {
    case TH_KIND_bool_: thi_put_bool(sink, AS(uint8_t, at) != 0); break; /* whatever byte it is */
    case TH_KIND_i8: thi_put_int(sink, AS(int8_t, at)); break;
    case TH_KIND_i16: thi_put_int(sink, AS(int16_t, at)); break;
    case TH_KIND_i32: thi_put_int(sink, AS(int32_t, at)); break;
    case TH_KIND_i64: thi_put_int(sink, AS(int64_t, at)); break;
    case TH_KIND_u8: thi_put_head(sink, THI_ITEM_UINT, AS(uint8_t, at)); break;
    case TH_KIND_u16: thi_put_head(sink, THI_ITEM_UINT, AS(uint16_t, at)); break;
    case TH_KIND_u32: thi_put_head(sink, THI_ITEM_UINT, AS(uint32_t, at)); break;
    case TH_KIND_u64: thi_put_head(sink, THI_ITEM_UINT, AS(uint64_t, at)); break;
    case TH_KIND_f32: put_f32(sink, at); break;
    case TH_KIND_f64: put_f64(sink, at); break;
    case TH_KIND_addr: put_addr(encoder, AS(th_addr, at)); break;
    case TH_KIND_str: put_blob(encoder, AS(th_blob *, at), true); break;
    case TH_KIND_bytes: put_blob(encoder, AS(th_blob *, at), false); break;
    case TH_KIND_msg:
        if (AS(th_msg *, at))
            return put_message(encoder, AS(th_msg *, at), depth + 1);
        thi_put_null(sink);
        break;
    case TH_KIND_nested: return put_struct(encoder, field->nested, at, depth + 1);
    case TH_KIND_chars: break; /* put_field() */
    }
    return TH_OK;
}

/* Numbers as they lie in memory, but little-endian. */
static void put_numbers(struct encoder *encoder, const th_field *field, const char *at,
                        uint64_t tag)
{
    size_t bytes = (size_t)field->count * field->size;
    uint32_t i;

    thi_put_head(&encoder->sink, THI_ITEM_TAG, tag);
    thi_put_head(&encoder->sink, THI_ITEM_BYTES, bytes);
    if (htole16(1) == 1 || field->size == 1) {
        thi_put_raw(&encoder->sink, at, bytes);
        return;
    }
    for (i = 0; i < field->count; i++, at += field->size) {
        char swapped[8];
        uint32_t byte;

        for (byte = 0; byte < field->size; byte++)
            swapped[byte] = at[field->size - 1 - byte];
        thi_put_raw(&encoder->sink, swapped, field->size);
    }
}

static th_err put_chars(struct encoder *encoder, const th_field *field, const char *at)
{
    size_t size = strnlen(at, field->count);

    if (size == field->count) {
        thi_fault_set(encoder->fault, "no NUL within its %" PRIu32 " bytes", field->count);
        return TH_E_INVALID;
    }
    put_text(encoder, at, size);
    return TH_OK;
}

static th_err put_array(struct encoder *encoder, const th_field *field, const char *at,
                        unsigned depth)
{
    th_err err = TH_OK;
    uint32_t i;

    thi_put_head(&encoder->sink, THI_ITEM_ARRAY, field->count);
    for (i = 0; i < field->count && err == TH_OK; i++, at += field->size)
        err = put_element(encoder, field, at, depth);
    return err;
}

static th_err put_field(struct encoder *encoder, const th_field *field, const char *at,
                        unsigned depth)
{
    uint64_t tag;

    if (field->kind == TH_KIND_chars)
        return put_chars(encoder, field, at);
    if (TH_LIKELY(field->count == 1))
        return put_element(encoder, field, at, depth);
    tag = thi_codec_array_tag(field->kind);
    if (tag == 0)
        return put_array(encoder, field, at, depth);
    put_numbers(encoder, field, at, tag);
    return TH_OK;
}

static th_err put_fields(struct encoder *encoder, const th_type *type, const char *body,
                         unsigned depth)
{
    uint32_t i;

    for (i = 0; i < type->field_count; i++) {
        const th_field *field = &type->fields[i];
        th_err err = put_field(encoder, field, body + field->offset, depth);

        if (TH_UNLIKELY(err != TH_OK)) {
            thi_fault_in(encoder->fault, field->name);
            return err;
        }
    }
    return TH_OK;
}

static th_err check_depth(struct encoder *encoder, unsigned depth)
{
    if (TH_LIKELY(depth <= TH_NESTING_MAX))
        return TH_OK;
    thi_fault_set(encoder->fault, "nested more than %d deep", TH_NESTING_MAX);
    return TH_E_TOO_BIG;
}

static th_err put_struct(struct encoder *encoder, const th_type *type, const char *body,
                         unsigned depth)
{
    th_err err = check_depth(encoder, depth);

    if (err != TH_OK)
        return err;
    thi_put_head(&encoder->sink, THI_ITEM_ARRAY, type->field_count);
    return put_fields(encoder, type, body, depth);
}

static th_err put_body(struct encoder *encoder, const th_msg *msg, unsigned depth)
{
    const th_type *type = msg->thi_type;
    size_t rest_size;
    const char *rest = th_msg_rest(msg, &rest_size);
    bool has_rest = type->flags & TH_TYPE_REST || rest_size > 0;
    th_err err;

    thi_put_head(&encoder->sink, THI_ITEM_ARRAY, (uint64_t)type->field_count + has_rest);
    if (has_rest)
        thi_put_bytes(&encoder->sink, rest, rest_size);
    err = put_fields(encoder, type, msg->thi_body, depth);
    if (TH_UNLIKELY(err != TH_OK))
        thi_fault_in(encoder->fault, type->name);
    return err;
}

/* A message inside another. */
static th_err put_message(struct encoder *encoder, const th_msg *msg, unsigned depth)
{
    uint32_t number;
    th_err err = check_depth(encoder, depth);

    if (err == TH_OK)
        err = thi_types_number(encoder->types, msg->thi_type, &number, encoder->fault);
    if (err != TH_OK)
        return err;
    thi_put_head(&encoder->sink, THI_ITEM_ARRAY, 4);
    thi_put_head(&encoder->sink, THI_ITEM_UINT, number);
    put_addr(encoder, msg->thi_from);
    put_addr(encoder, msg->thi_to);
    return put_body(encoder, msg, depth);
}

th_err thi_codec_encode(struct thi_types *types, const th_msg *msg, void *at, size_t room,
                        size_t *size_out, struct thi_fault *fault)
{
    struct encoder encoder = { .types = types, .fault = fault };
    th_err err;

    if (msg->thi_type->flags & TH_TYPE_LOCAL) {
        thi_fault_set(fault, "type %s has no field table, so it never leaves its system",
                      msg->thi_type->name);
        return TH_E_NOT_ALLOWED;
    }
    thi_sink_init(&encoder.sink, at, room);
    err = put_body(&encoder, msg, 0);
    *size_out = encoder.sink.size;
    return err;
}
