/* codec.h: a message's body as CBOR, by its type's field table, and back.
 *
 * One array of definite length: the rest first, if the type has one (so that the envelope's size is
 * known before the first field), then the fields in their order.
 *
 *     bool                  true, false
 *     i8 to u64             an integer
 *     f32, f64              a float of four bytes, of eight
 *     addr                  a byte string: system u64, slot u32, generation u32, little-endian
 *     str                   a text; a byte string if it is not UTF-8; null
 *     bytes                 a byte string; null
 *     chars                 what comes before the NUL, as str
 *     msg                   [type's number, from, to, body]; null
 *     array of numbers      a typed array of RFC 8746, little-endian: tag and byte string
 *     any other array       an array of the elements
 *     nested                an array of its fields
 *     rest                  a byte string; of a signal only if there is one
 *
 * D1. One spelling per value (item.h), so that equal messages have equal bytes. The one freedom: a
 *     byte string is taken for a str or chars that could be a text.
 * D2. What cannot be decoded is not encoded: messages in messages and structs in structs are at
 *     most TH_NESTING_MAX deep together, chars end with a NUL.
 * D3. Decoding believes no length before the bytes are there, and takes no more memory than it is
 *     told to; counts are the table's own, and the table is ours. */
#ifndef TRANSPORT_WIRE_CODEC_H
#define TRANSPORT_WIRE_CODEC_H

#include "mailbox/msg.h"
#include "transport/wire/fault.h"
#include "transport/wire/types.h"

/** Writes the body of @msg [lend] to @room bytes at @at. *@size_out: how many it takes; if that is
 * more than @room, what is there means nothing, and it wants a larger buffer. The types of messages
 * inside get their numbers from @types, and may be news to the peer (T1 in types.h); the type of
 * @msg itself is its frame's affair.
 *  TH_E_NOT_ALLOWED, TH_E_INVALID, TH_E_TOO_BIG, TH_E_LIMIT: it cannot be sent; @fault says why, by
 *  type and field. TH_E_NOMEM. */
TH_NODISCARD th_err thi_codec_encode(struct thi_types *types, const th_msg *msg, void *at,
                                     size_t room, size_t *size_out, struct thi_fault *fault);

/** Makes a message [give] of @type from @size bytes at @bytes [lend]; the caller sets its sender
 * and target. @memory_max: bytes it may take in all. Blobs come from the heap's memory, envelopes
 * from @heap.
 *  TH_E_PARSE: the bytes are no such body. TH_E_LIMIT: past @memory_max. TH_E_NOMEM. @fault says
 *  why, by type and field. */
TH_NODISCARD th_err thi_codec_decode(struct thi_types *types, const th_type *type,
                                     const void *bytes, size_t size, uint64_t memory_max,
                                     struct thi_heap *heap, th_msg **msg_out,
                                     struct thi_fault *fault);

/* ---- for encode.c and decode.c ---- */

/* The tag of RFC 8746 for an array of @kind, little-endian; 0: it is no number. */
static inline uint64_t thi_codec_array_tag(th_kind kind)
{
    switch (kind) {
    case TH_KIND_u8: return 64;
    case TH_KIND_u16: return 69;
    case TH_KIND_u32: return 70;
    case TH_KIND_u64: return 71;
    case TH_KIND_i8: return 72;
    case TH_KIND_i16: return 77;
    case TH_KIND_i32: return 78;
    case TH_KIND_i64: return 79;
    case TH_KIND_f32: return 85;
    case TH_KIND_f64: return 86;
    case TH_KIND_bool_:
    case TH_KIND_addr:
    case TH_KIND_str:
    case TH_KIND_bytes:
    case TH_KIND_msg:
    case TH_KIND_chars:
    case TH_KIND_nested: break;
    }
    return 0;
}

#endif
