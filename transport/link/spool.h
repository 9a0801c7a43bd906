/* transport/link/spool.h: what a connection is about to write: bytes in chunks.
 *
 * Frames are written at one end, each in one chunk; the carrier pulls at the other. Chunks are
 * taken as they are needed and given back as they are written, so a connection that is silent holds
 * none. */
#ifndef THI_LINK_SPOOL_H
#define THI_LINK_SPOOL_H

#include <sys/uio.h>

#include "mailbox/alloc.h"

struct thi_spool_chunk;

struct thi_spool {
    struct thi_memory *memory;
    struct thi_spool_chunk *first;
    struct thi_spool_chunk *last;
    size_t size; /* bytes that are not written yet */
};

void thi_spool_init(struct thi_spool *spool, struct thi_memory *memory);
void thi_spool_fini(struct thi_spool *spool);

/* Room for @least bytes in one piece [lend until the next call]; *@room_out of them in fact. NULL:
 * no memory. @least is at most TH_LINK_CHUNK_SIZE. */
uint8_t *thi_spool_room(struct thi_spool *spool, size_t least, size_t *room_out);
/* The first @size of them are a frame now. */
void thi_spool_wrote(struct thi_spool *spool, size_t size);

/* As thi_conn_pull() and thi_conn_pulled() (conn.h). */
unsigned thi_spool_pull(const struct thi_spool *spool, struct iovec *pieces, unsigned count);
void thi_spool_pulled(struct thi_spool *spool, size_t size);

#endif
