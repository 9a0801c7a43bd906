/* decode.c: from CBOR to a struct in an envelope.
 *
 * The table leads, the bytes follow: for each field the item is read that belongs there, or the
 * words say what was found instead. An envelope is zeroed before its fields are read, so one that
 * is abandoned half-way is destroyed like any other. */
#include <inttypes.h>
#include <string.h>

#include "mailbox/voice.h"
#include "transport/wire/codec.h"
#include "transport/wire/item.h"
#include "transport/wire/little.h"

#define BLOB_OVERHEAD 64 /* of a blob, beside its bytes; no less than mailbox/blob.c's */

struct decoder {
    struct thi_items items;
    struct thi_types *types;
    struct thi_heap *heap;
    uint64_t memory_left;
    struct thi_fault *fault;
};

static th_err get_message(struct decoder *decoder, th_msg **msg_out, unsigned depth);
static th_err get_struct(struct decoder *decoder, const th_type *type, char *body, unsigned depth);

/* ---- what can be wrong ---- */

static th_err expected(struct decoder *decoder, const char *what, const char *found)
{
    thi_fault_set(decoder->fault, "expected %s, found %s", what, found);
    return TH_E_PARSE;
}

static th_err unexpected(struct decoder *decoder, const char *what, const struct thi_item *found)
{
    return expected(decoder, what, thi_item_kind_text(found->kind));
}

static th_err no_memory(struct decoder *decoder)
{
    thi_fault_set(decoder->fault, "out of memory");
    return TH_E_NOMEM;
}

/* Whether @bytes more may be taken. */
static th_err take_memory(struct decoder *decoder, uint64_t bytes)
{
    if (TH_UNLIKELY(bytes > decoder->memory_left)) {
        thi_fault_set(decoder->fault, "it takes more memory than a message may");
        return TH_E_LIMIT;
    }
    decoder->memory_left -= bytes;
    return TH_OK;
}

/* ---- items ---- */

static th_err get(struct decoder *decoder, const char *what, struct thi_item *item)
{
    if (TH_LIKELY(thi_items_next(&decoder->items, item)))
        return TH_OK;
    return expected(decoder, what, decoder->items.wrong);
}

static th_err get_kind(struct decoder *decoder, enum thi_item_kind kind, struct thi_item *item)
{
    if (TH_UNLIKELY(!thi_items_next(&decoder->items, item)))
        return expected(decoder, thi_item_kind_text(kind), decoder->items.wrong);
    if (TH_UNLIKELY(item->kind != kind))
        return unexpected(decoder, thi_item_kind_text(kind), item);
    return TH_OK;
}

/* An array of @count items. */
static th_err get_array(struct decoder *decoder, uint64_t count)
{
    struct thi_item item;
    th_err err = get_kind(decoder, THI_ITEM_ARRAY, &item);

    if (err == TH_OK && TH_UNLIKELY(item.value != count)) {
        thi_fault_set(decoder->fault, "an array of %" PRIu64 " items, not %" PRIu64, item.value,
                      count);
        err = TH_E_PARSE;
    }
    return err;
}

/* ---- scalars ---- */

static th_err get_unsigned(struct decoder *decoder, uint64_t most, uint64_t *out)
{
    struct thi_item item;
    th_err err = get_kind(decoder, THI_ITEM_UINT, &item);

    if (err != TH_OK)
        return err;
    if (TH_UNLIKELY(item.value > most)) {
        thi_fault_set(decoder->fault, "%" PRIu64 ", more than %" PRIu64, item.value, most);
        return TH_E_PARSE;
    }
    *out = item.value;
    return TH_OK;
}

/* @most: INT8_MAX, INT16_MAX ... */
static th_err get_signed(struct decoder *decoder, uint64_t most, int64_t *out)
{
    struct thi_item item;
    th_err err = get(decoder, "an integer", &item);

    if (err != TH_OK)
        return err;
    if (item.kind != THI_ITEM_UINT && item.kind != THI_ITEM_MINUS)
        return unexpected(decoder, "an integer", &item);
    if (item.value > most) {
        if (item.kind == THI_ITEM_UINT)
            thi_fault_set(decoder->fault, "%" PRIu64 ", more than %" PRIu64, item.value, most);
        else
            thi_fault_set(decoder->fault, "an integer less than -%" PRIu64, most + 1);
        return TH_E_PARSE;
    }
    *out = item.kind == THI_ITEM_UINT ? (int64_t)item.value : -1 - (int64_t)item.value;
    return TH_OK;
}

static th_err get_f32(struct decoder *decoder, char *at)
{
    struct thi_item item;
    uint32_t bits;
    th_err err = get_kind(decoder, THI_ITEM_F32, &item);

    if (err == TH_OK) {
        bits = (uint32_t)item.value;
        memcpy(at, &bits, sizeof(bits));
    }
    return err;
}

static th_err get_f64(struct decoder *decoder, char *at)
{
    struct thi_item item;
    th_err err = get_kind(decoder, THI_ITEM_F64, &item);

    if (err == TH_OK)
        memcpy(at, &item.value, sizeof(item.value));
    return err;
}

static th_err get_bool(struct decoder *decoder, bool *out)
{
    struct thi_item item;
    th_err err = get_kind(decoder, THI_ITEM_BOOL, &item);

    if (err == TH_OK)
        *out = item.value != 0;
    return err;
}

static th_err get_addr(struct decoder *decoder, th_addr *out)
{
    struct thi_item item;
    th_err err = get_kind(decoder, THI_ITEM_BYTES, &item);

    if (err != TH_OK)
        return err;
    if (item.bytes.size != THI_LITTLE_ADDR_SIZE) {
        thi_fault_set(decoder->fault, "an address of %zu bytes, not %d", item.bytes.size,
                      THI_LITTLE_ADDR_SIZE);
        return TH_E_PARSE;
    }
    *out = thi_little_read_addr(item.bytes.at);
    return TH_OK;
}

/* ---- texts and bytes ---- */

static th_err get_blob(struct decoder *decoder, bool is_text, th_blob **out)
{
    const char *what = is_text ? "a text or null" : "a byte string or null";
    struct thi_voice voice = { .heap = decoder->heap };
    struct thi_item item;
    char *room;
    th_err err = get(decoder, what, &item);

    if (err != TH_OK)
        return err;
    if (item.kind == THI_ITEM_NULL)
        return TH_OK;
    if (item.kind != THI_ITEM_BYTES && !(is_text && item.kind == THI_ITEM_TEXT))
        return unexpected(decoder, what, &item);
    err = take_memory(decoder, BLOB_OVERHEAD + (uint64_t)item.bytes.size);
    if (err != TH_OK)
        return err;
    *out = th_blob_reserve((th_self *)(void *)&voice, item.bytes.size, &room);
    if (!*out)
        return no_memory(decoder);
    memcpy(room, item.bytes.at, item.bytes.size);
    return TH_OK;
}

static th_err get_chars(struct decoder *decoder, const th_field *field, char *at)
{
    struct thi_item item;
    th_err err = get(decoder, "a text", &item);

    if (err != TH_OK)
        return err;
    if (item.kind != THI_ITEM_TEXT && item.kind != THI_ITEM_BYTES)
        return unexpected(decoder, "a text", &item);
    if (item.bytes.size >= field->count) { /* the NUL that a handler counts on */
        thi_fault_set(decoder->fault, "a text of %zu bytes, more than %" PRIu32, item.bytes.size,
                      field->count - 1);
        return TH_E_PARSE;
    }
    if (item.bytes.size > 0 && memchr(item.bytes.at, '\0', item.bytes.size))
        return expected(decoder, "a text", "one with a NUL in it");
    memcpy(at, item.bytes.at, item.bytes.size);
    return TH_OK;
}

/* ---- fields ---- */

#define AS(type, at) (*(type *)(void *)(at))

static th_err get_integer(struct decoder *decoder, th_kind kind, char *at)
{
    uint64_t u = 0;
    int64_t i = 0;
    th_err err;

    switch (kind) {
    case TH_KIND_i8:
        err = get_signed(decoder, INT8_MAX, &i);
        AS(int8_t, at) = (int8_t)i;
        return err;
    case TH_KIND_i16:
        err = get_signed(decoder, INT16_MAX, &i);
        AS(int16_t, at) = (int16_t)i;
        return err;
    case TH_KIND_i32:
        err = get_signed(decoder, INT32_MAX, &i);
        AS(int32_t, at) = (int32_t)i;
        return err;
    case TH_KIND_i64: return get_signed(decoder, INT64_MAX, &AS(int64_t, at));
    case TH_KIND_u8:
        err = get_unsigned(decoder, UINT8_MAX, &u);
        AS(uint8_t, at) = (uint8_t)u;
        return err;
    case TH_KIND_u16:
        err = get_unsigned(decoder, UINT16_MAX, &u);
        AS(uint16_t, at) = (uint16_t)u;
        return err;
    case TH_KIND_u32:
        err = get_unsigned(decoder, UINT32_MAX, &u);
        AS(uint32_t, at) = (uint32_t)u;
        return err;
    default: return get_unsigned(decoder, UINT64_MAX, &AS(uint64_t, at));
    }
}

static th_err get_element(struct decoder *decoder, const th_field *field, char *at, unsigned depth)
{
    switch (field->kind) {
    case TH_KIND_bool_: return get_bool(decoder, &AS(bool, at));
    case TH_KIND_i8:
    case TH_KIND_i16:
    case TH_KIND_i32:
    case TH_KIND_i64:
    case TH_KIND_u8:
    case TH_KIND_u16:
    case TH_KIND_u32:
    case TH_KIND_u64: return get_integer(decoder, field->kind, at);
    case TH_KIND_f32: return get_f32(decoder, at);
    case TH_KIND_f64: return get_f64(decoder, at);
    case TH_KIND_addr: return get_addr(decoder, &AS(th_addr, at));
    case TH_KIND_str: return get_blob(decoder, true, &AS(th_blob *, at));
    case TH_KIND_bytes: return get_blob(decoder, false, &AS(th_blob *, at));
    case TH_KIND_msg: return get_message(decoder, &AS(th_msg *, at), depth + 1);
    case TH_KIND_nested: return get_struct(decoder, field->nested, at, depth + 1);
    case TH_KIND_chars: break; /* get_field() */
    }
    return TH_E_INVALID; /* no checked type comes here */
}

static th_err get_numbers(struct decoder *decoder, const th_field *field, char *at, uint64_t tag)
{
    size_t bytes = (size_t)field->count * field->size;
    struct thi_item item;
    th_err err = get_kind(decoder, THI_ITEM_TAG, &item);
    size_t i;

    if (err == TH_OK && item.value != tag) {
        thi_fault_set(decoder->fault, "tag %" PRIu64 ", not %" PRIu64, item.value, tag);
        err = TH_E_PARSE;
    }
    if (err == TH_OK)
        err = get_kind(decoder, THI_ITEM_BYTES, &item);
    if (err != TH_OK)
        return err;
    if (item.bytes.size != bytes) {
        thi_fault_set(decoder->fault, "numbers of %zu bytes, not %zu", item.bytes.size, bytes);
        return TH_E_PARSE;
    }
    if (htole16(1) == 1 || field->size == 1) {
        memcpy(at, item.bytes.at, bytes);
        return TH_OK;
    }
    for (i = 0; i < bytes; i++) /* each number's bytes the other way round */
        at[i] = item.bytes.at[i - i % field->size + (field->size - 1 - i % field->size)];
    return TH_OK;
}

static th_err get_field(struct decoder *decoder, const th_field *field, char *at, unsigned depth)
{
    uint64_t tag;
    th_err err;
    uint32_t i;

    if (field->kind == TH_KIND_chars)
        return get_chars(decoder, field, at);
    if (TH_LIKELY(field->count == 1))
        return get_element(decoder, field, at, depth);
    tag = thi_codec_array_tag(field->kind);
    if (tag != 0)
        return get_numbers(decoder, field, at, tag);
    err = get_array(decoder, field->count);
    for (i = 0; i < field->count && err == TH_OK; i++, at += field->size)
        err = get_element(decoder, field, at, depth);
    return err;
}

static th_err get_fields(struct decoder *decoder, const th_type *type, char *body, unsigned depth)
{
    uint32_t i;

    for (i = 0; i < type->field_count; i++) {
        const th_field *field = &type->fields[i];
        th_err err = get_field(decoder, field, body + field->offset, depth);

        if (TH_UNLIKELY(err != TH_OK)) {
            thi_fault_in(decoder->fault, field->name);
            return err;
        }
    }
    return TH_OK;
}

static th_err get_struct(struct decoder *decoder, const th_type *type, char *body, unsigned depth)
{
    th_err err;

    if (depth > TH_NESTING_MAX) {
        thi_fault_set(decoder->fault, "nested more than %d deep", TH_NESTING_MAX);
        return TH_E_PARSE;
    }
    err = get_array(decoder, type->field_count);
    return err == TH_OK ? get_fields(decoder, type, body, depth) : err;
}

/* ---- messages ---- */

/* The array that a body is, and the rest that may be its first item. */
static th_err get_rest(struct decoder *decoder, const th_type *type, struct thi_text *rest)
{
    struct thi_item item;
    bool has_rest = type->flags & TH_TYPE_REST;
    th_err err = get_kind(decoder, THI_ITEM_ARRAY, &item);

    *rest = (struct thi_text){ NULL, 0 };
    if (err != TH_OK)
        return err;
    if (type->size == 0 && item.value == 1)
        has_rest = true; /* of a signal, any */
    if (item.value != (uint64_t)type->field_count + has_rest) {
        thi_fault_set(decoder->fault, "an array of %" PRIu64 " items, not %" PRIu64, item.value,
                      (uint64_t)type->field_count + has_rest);
        return TH_E_PARSE;
    }
    if (!has_rest)
        return TH_OK;
    err = get_kind(decoder, THI_ITEM_BYTES, &item);
    if (err != TH_OK) {
        thi_fault_in(decoder->fault, "the rest");
        return err;
    }
    *rest = item.bytes;
    if (item.bytes.size == 0 && !(type->flags & TH_TYPE_REST))
        return expected(decoder, "no rest", "an empty one");
    if (item.bytes.size > TH_MESSAGE_SIZE_MAX - type->size) {
        thi_fault_set(decoder->fault, "larger than a message may be");
        return TH_E_PARSE;
    }
    return TH_OK;
}

static th_err get_body(struct decoder *decoder, const th_type *type, th_msg **msg_out,
                       unsigned depth)
{
    struct thi_text rest;
    th_msg *msg = NULL;
    th_err err = get_rest(decoder, type, &rest);

    if (err == TH_OK)
        err = take_memory(decoder, sizeof(th_msg) + (uint64_t)type->size + rest.size);
    if (err == TH_OK) {
        msg = thi_msg_create(decoder->heap, type, rest.size);
        if (!msg)
            err = no_memory(decoder);
    }
    if (err == TH_OK) {
        if (rest.size > 0)
            memcpy(th_msg_rest(msg, NULL), rest.at, rest.size);
        err = get_fields(decoder, type, msg->thi_body, depth);
    }
    if (TH_UNLIKELY(err != TH_OK)) {
        thi_fault_in(decoder->fault, type->name);
        thi_msg_destroy(decoder->heap, msg);
        return err;
    }
    *msg_out = msg;
    return TH_OK;
}

/* A message inside another, or null. */
static th_err get_message(struct decoder *decoder, th_msg **msg_out, unsigned depth)
{
    const th_type *type = NULL;
    th_addr from = th_addr_none(), to = th_addr_none();
    struct thi_item item;
    uint64_t number;
    th_err err = get(decoder, "a message or null", &item);

    if (err != TH_OK || item.kind == THI_ITEM_NULL)
        return err;
    if (item.kind != THI_ITEM_ARRAY)
        return unexpected(decoder, "a message or null", &item);
    if (item.value != 4) {
        thi_fault_set(decoder->fault, "an array of %" PRIu64 " items, not 4", item.value);
        return TH_E_PARSE;
    }
    if (depth > TH_NESTING_MAX) {
        thi_fault_set(decoder->fault, "nested more than %d deep", TH_NESTING_MAX);
        return TH_E_PARSE;
    }
    err = get_unsigned(decoder, UINT32_MAX, &number);
    if (err == TH_OK) {
        type = thi_types_find(decoder->types, (uint32_t)number, decoder->fault);
        err = type ? TH_OK : TH_E_PARSE;
    }
    if (err == TH_OK)
        err = get_addr(decoder, &from);
    if (err == TH_OK)
        err = get_addr(decoder, &to);
    if (err == TH_OK)
        err = get_body(decoder, type, msg_out, depth);
    if (err != TH_OK)
        return err;
    (*msg_out)->thi_from = from;
    (*msg_out)->thi_to = to;
    return TH_OK;
}

th_err thi_codec_decode(struct thi_types *types, const th_type *type, const void *bytes,
                        size_t size, uint64_t memory_max, struct thi_heap *heap, th_msg **msg_out,
                        struct thi_fault *fault)
{
    struct decoder decoder = {
        .types = types, .heap = heap, .memory_left = memory_max, .fault = fault
    };
    th_msg *msg;
    th_err err;

    thi_items_init(&decoder.items, bytes, size);
    err = get_body(&decoder, type, &msg, 0);
    if (err != TH_OK)
        return err;
    if (TH_UNLIKELY(decoder.items.at != decoder.items.end)) {
        thi_fault_set(fault, "%s: %zu bytes after its end", type->name,
                      (size_t)(decoder.items.end - decoder.items.at));
        thi_msg_destroy(heap, msg);
        return TH_E_PARSE;
    }
    *msg_out = msg;
    return TH_OK;
}
