/* transport/link/carrier.h: seam: who moves the bytes of connections.
 *
 * Declared here, filled in by tcp.c (libuv, TLS where asked for), by the simulated network and by
 * tests. A carrier owns streams; a stream belongs to one thi_conn for all of its life, and each
 * keeps a pointer to the other. All of it on the loop.
 *
 * The carrier calls up: thi_hub_accepted(), thi_conn_opened(), thi_conn_feed(), thi_conn_pull(),
 * thi_conn_pulled(), thi_conn_closed() (conn.h, hub.h). It never calls them from inside one of the
 * functions below: what a call brings about comes later, from the loop. It pulls once by itself
 * when a stream is open, dialled or accepted; from then on when it can write, or is kicked. */
#ifndef THI_LINK_CARRIER_H
#define THI_LINK_CARRIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <thespis/error.h>

struct thi_conn;
struct thi_hub;

/* What a carrier knows of who is at the other end before the first byte is read. */
struct thi_far_end {
    char address[128];     /* "192.0.2.7:1900", as connected; for people */
    bool is_authenticated; /* by a certificate that our authority signed */
    char subject[128];     /* of the certificate; "" without one */
};

struct thi_carrier {
    const struct thi_carrier_ops *ops;
};

struct thi_carrier_ops {
    /* Begins to connect to @address ("host:port", "[::1]:port"). Ends in thi_conn_opened() or
     * thi_conn_closed(), later. An error is final for this address: it is malformed, or not
     * allowed; @why [lend until the next call] says it in words. */
    th_err (*dial)(struct thi_carrier *carrier, struct thi_conn *conn, const char *address,
                   const char **why_out);
    /* @conn has output for a stream whose output had run dry: pull it soon. */
    void (*kick)(struct thi_carrier *carrier, struct thi_conn *conn);
    /* Stops reading (@pause), or goes on. */
    void (*pause)(struct thi_carrier *carrier, struct thi_conn *conn, bool pause);
    /* Lets go of the stream. What thi_conn_pulled() was told of still goes out, if that and the far
     * end's closing take less than @linger_ns; what it was not told of does not. So who has a last
     * word waits until it was pulled. Nothing of @conn is touched after this call returns. */
    void (*close)(struct thi_carrier *carrier, struct thi_conn *conn, uint64_t linger_ns);
    /* The hub's next deadline is now @when_ns (its clock); UINT64_MAX: none. thi_hub_tick() is to
     * be called soon after. */
    void (*timer)(struct thi_carrier *carrier, uint64_t when_ns);
};

#endif
