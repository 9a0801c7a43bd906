/* transport/ties.h: who here is tied to whom there, over one link.
 *
 * Watches and links (runtime/actor/tie.h) are messages that pass a link like others, and so is the
 * notice of an end. But a system that is lost sends none. So whoever carries a tie notes it, as the
 * message that will be the notice: the end of a link needs no memory.
 *
 * On the loop. */
#ifndef THI_TRANSPORT_TIES_H
#define THI_TRANSPORT_TIES_H

#include "mailbox/alloc.h"
#include "mailbox/msg.h"

struct thi_ties {
    th_msg **buckets; /* a power of two of them; NULL: none yet */
    uint32_t bucket_count;
    uint32_t count;
};

/* @msg goes out to the peer, or (@is_inbound) came from it: if it makes or undoes a tie, that is
 * noted. false: no memory for it, the tie cannot be made. */
bool thi_ties_note(struct thi_ties *ties, struct thi_memory *memory, struct thi_heap *heap,
                   const th_msg *msg, bool is_inbound);

/* The peer is lost: the notices for who is here, as a chain [give], from and to filled in. */
th_msg *thi_ties_end(struct thi_ties *ties, struct thi_memory *memory);

#endif
