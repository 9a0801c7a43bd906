/* frame_cbor.h: the bodies that are CBOR: what comes seldom, and may grow. For frame.c only.
 *
 * HELLO and RESUME are maps with integer keys in ascending order; the others arrays. RETURNED and
 * TYPE begin with their number, u64. Each reader takes a whole body and leaves nothing of it. */
#ifndef TRANSPORT_WIRE_FRAME_CBOR_H
#define TRANSPORT_WIRE_FRAME_CBOR_H

#include "transport/wire/frame.h"
#include "transport/wire/item.h"

bool thi_hello_read(const void *at, size_t size, struct thi_frame_hello *hello,
                    struct thi_fault *fault);
void thi_hello_put(struct thi_sink *sink, const struct thi_frame_hello *hello);

bool thi_resume_read(const void *at, size_t size, struct thi_frame_resume *resume,
                     struct thi_fault *fault);
void thi_resume_put(struct thi_sink *sink, const struct thi_frame_resume *resume);

bool thi_close_read(const void *at, size_t size, struct thi_frame_close *close,
                    struct thi_fault *fault);
void thi_close_put(struct thi_sink *sink, const struct thi_frame_close *close);

bool thi_here_read(const void *at, size_t size, struct thi_frame_here *here,
                   struct thi_fault *fault);
void thi_here_put(struct thi_sink *sink, const struct thi_frame_here *here);

bool thi_returned_read(const void *at, size_t size, struct thi_frame_returned *returned,
                       struct thi_fault *fault);
void thi_returned_put(struct thi_sink *sink, const struct thi_frame_returned *returned);

bool thi_type_read(const void *at, size_t size, struct thi_frame_type *type,
                   struct thi_fault *fault);
void thi_type_put(struct thi_sink *sink, const struct thi_frame_type *type);

#endif
