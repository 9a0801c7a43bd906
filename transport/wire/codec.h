/* transport/wire/codec.h: a message's body as CBOR, by its type's field table.
 *
 * One definite-length array of the fields in their order (docs/protocol.md). libcbor's streaming
 * calls do the items. Nothing here keeps state. */
#ifndef THI_WIRE_CODEC_H
#define THI_WIRE_CODEC_H

#include "mailbox/msg.h"

struct thi_types; /* which type has which number on this link: types.h */

#endif
