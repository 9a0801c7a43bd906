/* transport/link/conn.h: one connection, from the carrier's side: bytes in, bytes out.
 *
 * A connection greets (HELLO, RESUME), then carries the frames of its link until it is closed. What
 * it does when is in connection.h. On the loop, all of it. */
#ifndef THI_LINK_CONN_H
#define THI_LINK_CONN_H

#include <sys/uio.h>

#include "transport/link/carrier.h"

/* A dialled stream is connected (and, with TLS, authenticated). @far [lend]. */
void thi_conn_opened(struct thi_conn *conn, const struct thi_far_end *far, uint64_t now);

/* Bytes that came. All of them are used up or kept. May end in a call of ops->close(): then @conn
 * is gone, and false is returned. */
bool thi_conn_feed(struct thi_conn *conn, const void *bytes, size_t size, uint64_t now);

/* Up to @count pieces of what may be written now; returns how many. They stay as they are until
 * thi_conn_pulled(). 0: nothing; ops->kick() tells when there is again. */
unsigned thi_conn_pull(struct thi_conn *conn, struct iovec *pieces, unsigned count, uint64_t now);

/* @size bytes of them were written. */
void thi_conn_pulled(struct thi_conn *conn, size_t size, uint64_t now);

/* The stream ended, or could not be had. @why [lend]: in words, for the log and the status. @final:
 * dialling again cannot help (a certificate that is not accepted). @conn is gone after this. */
void thi_conn_closed(struct thi_conn *conn, const char *why, bool final, uint64_t now);

/* Whether its greeting is over, and it is no stranger any more. */
bool thi_conn_has_greeted(const struct thi_conn *conn);

/* Where the carrier keeps its stream; NULL before it has said so. */
void thi_conn_set_stream(struct thi_conn *conn, void *stream);
void *thi_conn_stream(const struct thi_conn *conn);

#endif
