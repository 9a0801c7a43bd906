/* frame.c: a stream of frames, as a peer that has our magic but no manners writes it. TYPE frames
 * are learned, too. */
#include "target.h"

#include <string.h>

#include "../support/vectors.h"
#include "mailbox/alloc.h"
#include "transport/wire/frame.h"
#include "transport/wire/types.h"

static const struct thi_frame_limits limits = { TH_WIRE_FRAME_MAX, TH_WIRE_MESSAGE_MAX };

/* A frame that was taken is written again as it came; of a HELLO, later versions' keys are lost. */
static void write_again(const struct thi_frame *frame, const uint8_t *bytes)
{
    static uint8_t again[THI_FRAME_HEADER_SIZE + TH_WIRE_FRAME_MAX];
    size_t body = frame->kind == THI_FRAME_DATA   ? frame->as.data.size
                  : frame->kind == THI_FRAME_MORE ? frame->as.more.size
                                                  : 0;
    size_t size = thi_frame_write(again, sizeof(again), frame);

    DEMAND(size + body <= frame->size);
    if (size + body == frame->size)
        DEMAND(memcmp(again, bytes, size) == 0);
    else
        DEMAND(frame->kind == THI_FRAME_HELLO);
}

static void take(struct thi_types *types, const struct thi_frame *frame, const uint8_t *bytes)
{
    static char text[64 * 1024];
    struct thi_fault fault;

    vector_frame_text(frame, text, sizeof(text));
    write_again(frame, bytes);
    if (frame->kind == THI_FRAME_TYPE && thi_types_learn(types, &frame->as.type, &fault) == TH_OK)
        (void)thi_types_find(types, frame->as.type.type, &fault);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct thi_memory memory;
    struct thi_types types;
    struct thi_frame frame;
    struct thi_fault fault;
    size_t need = 0;
    enum thi_frame_answer answer;

    DEMAND(thi_memory_init(&memory, NULL, 0) == TH_OK);
    thi_types_init(&types, &memory, vector_type, NULL);
    while ((answer = thi_frame_read(bytes, size, &limits, &frame, &need, &fault)) ==
           THI_FRAME_WHOLE) {
        DEMAND(frame.size <= size);
        take(&types, &frame, bytes);
        bytes += frame.size;
        size -= frame.size;
    }
    if (answer == THI_FRAME_SHORT)
        DEMAND(need > size && need <= THI_FRAME_HEADER_SIZE + (size_t)limits.frame);
    else
        DEMAND(thi_text_is_plain(fault.words, strlen(fault.words)));
    thi_types_fini(&types);
    DEMAND(thi_memory_fini(&memory) == 0);
    return 0;
}
