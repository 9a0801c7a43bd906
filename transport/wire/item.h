/* item.h: CBOR (RFC 8949), one item at a time, strictly.
 *
 * A subset, and one spelling of each value: definite lengths, the shortest head, floats of 4 or 8
 * bytes as the field's kind says, null, true and false but no other simple value. libcbor's
 * streaming calls do the decoding; they allocate nothing, keep nothing and call back for one item.
 *
 * The reader is a range that gets shorter; what it finds are ranges of it. A length is compared
 * with what is there before anything else; a count (arrays, maps) is only told. */
#ifndef TRANSPORT_WIRE_ITEM_H
#define TRANSPORT_WIRE_ITEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "transport/wire/text.h"

enum thi_item_kind {
    THI_ITEM_UINT,  /* value */
    THI_ITEM_MINUS, /* -1 - value */
    THI_ITEM_BYTES, /* bytes */
    THI_ITEM_TEXT,  /* bytes: UTF-8 */
    THI_ITEM_ARRAY, /* value: how many items follow */
    THI_ITEM_MAP,   /* value: how many pairs follow */
    THI_ITEM_TAG,   /* value; one item follows */
    THI_ITEM_BOOL,  /* value: 0 or 1 */
    THI_ITEM_NULL,
    THI_ITEM_F32, /* value: its bits */
    THI_ITEM_F64  /* value: its bits */
};

struct thi_item {
    enum thi_item_kind kind;
    uint64_t value;
    struct thi_text bytes;
};

/* What is not read yet. */
struct thi_items {
    const unsigned char *at;
    const unsigned char *end;
    const char *wrong; /* after a failure: what was, a phrase */
};

/** @bytes [keep until done] */
void thi_items_init(struct thi_items *items, const void *bytes, size_t size);

/** The next item. False: there is none, or it is not one of ours; items->wrong says so. */
bool thi_items_next(struct thi_items *items, struct thi_item *item_out);

/** "an unsigned integer"; for words. */
const char *thi_item_kind_text(enum thi_item_kind kind);

/* ---- writing ---- */

/* Counts on when the room is used up, as snprintf(). */
struct thi_sink {
    unsigned char *at;
    size_t room;
    size_t size; /* what all puts together take */
};

void thi_sink_init(struct thi_sink *sink, void *at, size_t room);

/** A head: @kind UINT to TAG with its value; of BYTES and TEXT the length, the bytes follow. */
void thi_put_head(struct thi_sink *sink, enum thi_item_kind kind, uint64_t value);
void thi_put_int(struct thi_sink *sink, int64_t value);
void thi_put_bool(struct thi_sink *sink, bool value);
void thi_put_null(struct thi_sink *sink);
/** @bits of the float */
void thi_put_f32(struct thi_sink *sink, uint32_t bits);
void thi_put_f64(struct thi_sink *sink, uint64_t bits);
/** @size bytes as they are, no head. */
void thi_put_raw(struct thi_sink *sink, const void *bytes, size_t size);
void thi_put_text(struct thi_sink *sink, struct thi_text text);
void thi_put_bytes(struct thi_sink *sink, const void *bytes, size_t size);

#endif
