/* item.c: libcbor's streaming decoder and encoders behind a cursor, and the strictness it lacks.
 *
 * libcbor calls one function per kind and width. Each here only notes what came; whether it came in
 * its shortest form is seen afterwards by how many bytes the head took. */
#include "transport/wire/item.h"

#include <assert.h>
#include <cbor.h>
#include <string.h>

#include <thespis/compiler.h>

static_assert(sizeof(size_t) == 8, "libcbor counts in size_t, we in uint64_t");
static_assert(THI_ITEM_UINT == 0 && THI_ITEM_BYTES == 2 && THI_ITEM_TAG == 6,
              "the kinds up to TAG are CBOR's major types");

/* What one call back found. */
struct found {
    struct thi_item *item;
    const char *wrong;
};

static void found_value(struct found *found, enum thi_item_kind kind, uint64_t value)
{
    found->item->kind = kind;
    found->item->value = value;
}

static void found_range(struct found *found, enum thi_item_kind kind, cbor_data at, size_t size)
{
    found_value(found, kind, size);
    found->item->bytes = (struct thi_text){ (const char *)at, size };
}

#define ON_INTEGER(name, type, kind)                                                               \
    static void name(void *found, type value)                                                      \
    {                                                                                              \
        found_value(found, kind, value);                                                           \
    }
ON_INTEGER(on_uint8, uint8_t, THI_ITEM_UINT)
ON_INTEGER(on_uint16, uint16_t, THI_ITEM_UINT)
ON_INTEGER(on_uint32, uint32_t, THI_ITEM_UINT)
ON_INTEGER(on_uint64, uint64_t, THI_ITEM_UINT)
ON_INTEGER(on_minus8, uint8_t, THI_ITEM_MINUS)
ON_INTEGER(on_minus16, uint16_t, THI_ITEM_MINUS)
ON_INTEGER(on_minus32, uint32_t, THI_ITEM_MINUS)
ON_INTEGER(on_minus64, uint64_t, THI_ITEM_MINUS)
ON_INTEGER(on_tag, uint64_t, THI_ITEM_TAG)
ON_INTEGER(on_array, size_t, THI_ITEM_ARRAY)
ON_INTEGER(on_map, size_t, THI_ITEM_MAP)
ON_INTEGER(on_bool, bool, THI_ITEM_BOOL)
#undef ON_INTEGER

static void on_bytes(void *found, cbor_data at, size_t size)
{
    found_range(found, THI_ITEM_BYTES, at, size);
}

static void on_text(void *context, cbor_data at, size_t size)
{
    struct found *found = context;

    found_range(found, THI_ITEM_TEXT, at, size);
    if (!thi_text_is_utf8(at, size))
        found->wrong = "a text that is not UTF-8";
}

static void on_null(void *found)
{
    found_value(found, THI_ITEM_NULL, 0);
}

static void on_f32(void *found, float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof(bits));
    found_value(found, THI_ITEM_F32, bits);
}

static void on_f64(void *found, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof(bits));
    found_value(found, THI_ITEM_F64, bits);
}

static void on_f16(void *context, float value)
{
    struct found *found = context;

    found->wrong = "a float of two bytes";
}

static void on_undefined(void *context)
{
    struct found *found = context;

    found->wrong = "the value \"undefined\"";
}

static void on_indefinite(void *context)
{
    struct found *found = context;

    found->wrong = "an item of indefinite length";
}

static const struct cbor_callbacks callbacks = {
    .uint8 = on_uint8,
    .uint16 = on_uint16,
    .uint32 = on_uint32,
    .uint64 = on_uint64,
    .negint8 = on_minus8,
    .negint16 = on_minus16,
    .negint32 = on_minus32,
    .negint64 = on_minus64,
    .byte_string_start = on_indefinite,
    .byte_string = on_bytes,
    .string = on_text,
    .string_start = on_indefinite,
    .indef_array_start = on_indefinite,
    .array_start = on_array,
    .indef_map_start = on_indefinite,
    .map_start = on_map,
    .tag = on_tag,
    .float2 = on_f16,
    .float4 = on_f32,
    .float8 = on_f64,
    .undefined = on_undefined,
    .null = on_null,
    .boolean = on_bool,
    .indef_break = on_indefinite,
};

static size_t head_size(uint64_t value)
{
    if (value < 24)
        return 1;
    if (value <= UINT8_MAX)
        return 2;
    if (value <= UINT16_MAX)
        return 3;
    return value <= UINT32_MAX ? 5 : 9;
}

/* @read: bytes of head and contents together. */
static bool is_shortest(const struct thi_item *item, size_t read)
{
    switch (item->kind) {
    case THI_ITEM_UINT:
    case THI_ITEM_MINUS:
    case THI_ITEM_ARRAY:
    case THI_ITEM_MAP:
    case THI_ITEM_TAG: return read == head_size(item->value);
    case THI_ITEM_BYTES:
    case THI_ITEM_TEXT: return read - item->bytes.size == head_size(item->value);
    case THI_ITEM_BOOL:
    case THI_ITEM_NULL:
    case THI_ITEM_F32:
    case THI_ITEM_F64: break;
    }
    return true;
}

void thi_items_init(struct thi_items *items, const void *bytes, size_t size)
{
    items->at = bytes;
    items->end = items->at + size;
    items->wrong = NULL;
}

static bool refuse(struct thi_items *items, const char *wrong)
{
    items->wrong = wrong;
    return false;
}

/* An item whose head is one byte or two, as nearly all of a small message are. It is read here: the
 * way to the library and back, twice through pointers, would be most of its cost
 * (docs/internals/wire.md). False: it is another, or wrong, and the library is to say what. */
static inline bool take_short(struct thi_items *items, size_t left, struct thi_item *item_out)
{
    const unsigned char *at = items->at;
    unsigned major = at[0] >> 5;
    uint64_t value = at[0] & 31;
    size_t size = 1;

    if (major > (unsigned)THI_ITEM_TAG || value > 24)
        return false;
    if (value == 24) {
        if (left < 2 || at[1] < 24)
            return false;
        value = at[1];
        size = 2;
    }
    item_out->kind = (enum thi_item_kind)major;
    item_out->value = value;
    if (major == (unsigned)THI_ITEM_BYTES || major == (unsigned)THI_ITEM_TEXT) {
        if (value > left - size ||
            (major == (unsigned)THI_ITEM_TEXT && !thi_text_is_utf8(at + size, value)))
            return false;
        item_out->bytes = (struct thi_text){ (const char *)at + size, value };
        size += value;
    }
    items->at += size;
    return true;
}

bool thi_items_next(struct thi_items *items, struct thi_item *item_out)
{
    size_t left = (size_t)(items->end - items->at);
    struct found found = { item_out, NULL };
    struct cbor_decoder_result result;

    if (TH_UNLIKELY(left == 0))
        return refuse(items, "the end");
    if (TH_LIKELY(take_short(items, left, item_out)))
        return true;
    result = cbor_stream_decode(items->at, left, &callbacks, &found);
    switch (result.status) {
    case CBOR_DECODER_FINISHED: break;
    case CBOR_DECODER_NEDATA: return refuse(items, "an item longer than what is there");
    case CBOR_DECODER_ERROR: return refuse(items, "a byte that begins no item");
    }
    if (TH_UNLIKELY(found.wrong != NULL))
        return refuse(items, found.wrong);
    if (TH_UNLIKELY(!is_shortest(item_out, result.read)))
        return refuse(items, "a number or length not in its shortest form");
    items->at += result.read;
    return true;
}

const char *thi_item_kind_text(enum thi_item_kind kind)
{
    switch (kind) {
    case THI_ITEM_UINT: return "an unsigned integer";
    case THI_ITEM_MINUS: return "a negative integer";
    case THI_ITEM_BYTES: return "a byte string";
    case THI_ITEM_TEXT: return "a text";
    case THI_ITEM_ARRAY: return "an array";
    case THI_ITEM_MAP: return "a map";
    case THI_ITEM_TAG: return "a tag";
    case THI_ITEM_BOOL: return "true or false";
    case THI_ITEM_NULL: return "null";
    case THI_ITEM_F32: return "a float of four bytes";
    case THI_ITEM_F64: return "a float of eight bytes";
    }
    return "?";
}

/* ---- writing ---- */

void thi_sink_init(struct thi_sink *sink, void *at, size_t room)
{
    sink->at = at;
    sink->room = room;
    sink->size = 0;
}

/* Where @size bytes more go, which are counted; NULL: there is no room left. */
static unsigned char *room_for(struct thi_sink *sink, size_t size)
{
    size_t before = sink->size;

    sink->size += size;
    return sink->size <= sink->room ? sink->at + before : NULL;
}

void thi_put_head(struct thi_sink *sink, enum thi_item_kind kind, uint64_t value)
{
    size_t size = head_size(value);
    unsigned char *at = room_for(sink, size);

    if (TH_UNLIKELY(!at))
        return;
    if (TH_LIKELY(size <= 2)) { /* as in take_short() */
        at[0] = (unsigned char)((unsigned)kind << 5 | (size == 1 ? (unsigned)value : 24));
        if (size == 2)
            at[1] = (unsigned char)value;
        return;
    }
    switch (kind) {
    case THI_ITEM_UINT: cbor_encode_uint(value, at, size); break;
    case THI_ITEM_MINUS: cbor_encode_negint(value, at, size); break;
    case THI_ITEM_BYTES: cbor_encode_bytestring_start(value, at, size); break;
    case THI_ITEM_TEXT: cbor_encode_string_start(value, at, size); break;
    case THI_ITEM_ARRAY: cbor_encode_array_start(value, at, size); break;
    case THI_ITEM_MAP: cbor_encode_map_start(value, at, size); break;
    case THI_ITEM_TAG: cbor_encode_tag(value, at, size); break;
    case THI_ITEM_BOOL:
    case THI_ITEM_NULL:
    case THI_ITEM_F32:
    case THI_ITEM_F64: break;
    }
}

void thi_put_int(struct thi_sink *sink, int64_t value)
{
    if (value >= 0)
        thi_put_head(sink, THI_ITEM_UINT, (uint64_t)value);
    else
        thi_put_head(sink, THI_ITEM_MINUS, ~(uint64_t)value);
}

void thi_put_bool(struct thi_sink *sink, bool value)
{
    unsigned char *at = room_for(sink, 1);

    if (at)
        cbor_encode_bool(value, at, 1);
}

void thi_put_null(struct thi_sink *sink)
{
    unsigned char *at = room_for(sink, 1);

    if (at)
        cbor_encode_null(at, 1);
}

void thi_put_f32(struct thi_sink *sink, uint32_t bits)
{
    unsigned char *at = room_for(sink, 5);
    float value;

    memcpy(&value, &bits, sizeof(value));
    if (at)
        cbor_encode_single(value, at, 5);
}

void thi_put_f64(struct thi_sink *sink, uint64_t bits)
{
    unsigned char *at = room_for(sink, 9);
    double value;

    memcpy(&value, &bits, sizeof(value));
    if (at)
        cbor_encode_double(value, at, 9);
}

void thi_put_raw(struct thi_sink *sink, const void *bytes, size_t size)
{
    unsigned char *at = room_for(sink, size);

    if (at && size > 0)
        memcpy(at, bytes, size);
}

void thi_put_text(struct thi_sink *sink, struct thi_text text)
{
    thi_put_head(sink, THI_ITEM_TEXT, text.size);
    thi_put_raw(sink, text.at, text.size);
}

void thi_put_bytes(struct thi_sink *sink, const void *bytes, size_t size)
{
    thi_put_head(sink, THI_ITEM_BYTES, size);
    thi_put_raw(sink, bytes, size);
}
