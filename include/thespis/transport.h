/* transport.h: systems talk to each other over TCP.
 *
 *     th_transport_start(sys, &(th_transport_options){ .listen = here }, why);
 *     th_connect(self, "127.0.0.1:1900", TH_S(5), &admin, why);
 *     th_ask(self, admin, question, ...)                    a th_whereis: who has that name there?
 *
 * An address of another system is used like one's own: send, ask, watch, link, stop. Between two
 * systems there is one link, whoever dialled, which outlives its connections: a message is
 * delivered once, and in order per pair of actors, however often the connection breaks, as long as
 * both systems live. When a link is given up, what it held is a dead letter, and who watches an
 * actor there gets its notice.
 *
 * Who writes faster than the network is held like who fills a bounded mailbox (mailbox.h): the
 * link's queue has a soft limit, at which an actor is held after its handler, and a hard one, at
 * which a send is answered TH_E_FULL.
 *
 * In libthespis-net; base pool only. docs/protocol.md is what goes over the wire. */
#ifndef THESPIS_TRANSPORT_H
#define THESPIS_TRANSPORT_H

#include <thespis/external.h>

/** Certificates, as PEM files. TLS 1.3, and both sides show one. */
typedef struct th_tls_options {
    const char *certificate; /* ours, and what leads from it to the authority */
    const char *key;         /* of the certificate */
    const char *authority;   /* whose certificates are accepted */
    const char *revoked;     /* a list of those that no longer are; NULL: none */
    /* Only certificates with one of these names, ended by NULL; NULL: any of the authority's. */
    const char *const *names;
} th_tls_options;

/** Zero everywhere is a good default. Copied, but for files, which are read at the start. */
typedef struct th_transport_options {
    /* Where we are dialled, ended by NULL: "127.0.0.1:1900", "[::1]:0", "host:port", ":port" (every
     * address of the machine); port 0 takes a free one. NULL: we only dial. */
    const char *const *listen;
    /* What others are told to dial, ended by NULL; NULL: what we listen on. */
    const char *const *advertise;
    const th_tls_options *tls; /* NULL: plain TCP, which goes no further than loopback */
    bool insecure;             /* further all the same */
    uint32_t queue_soft_max;   /* messages to one system; 0, here and below: as in config.h */
    uint32_t queue_hard_max;
    uint32_t links_max;
    uint64_t patience_ns; /* without a connection, then a link is given up */
    uint64_t expiry_ns;   /* unsent for so long, then a message is a dead letter */
    uint64_t ping_ns;     /* silence after which the other side is asked whether it lives */
    uint64_t idle_ns;     /* without traffic, then a connection is closed, to be opened again */
} th_transport_options;

/** Who is at the other end: the answer to th_dial. */
#define TH_PEER_FIELDS(F, S)                                                                       \
    F(S, u64, system)  /* its id; 0: nobody could be reached */                                    \
    F(S, addr, admin)  /* its own actor, for questions (name.h, status.h) */                       \
    F(S, str, name)    /* of the system */                                                         \
    F(S, str, address) /* that was dialled */                                                      \
    F(S, str, details) /* why nobody could be reached, in words; or NULL */

/** To th_transport_desk(): dials until a link to whoever is there is up, or there is no hope.
 * Answered by one th_peer. */
#define TH_DIAL_FIELDS(F, S) F(S, str, address)

/** One link, for who looks at them. Good during the call. */
typedef struct th_link_status {
    uint64_t system;
    const char *name;
    const char *address; /* it is dialled by; "" if it only dials */
    bool is_connected;
    uint64_t waiting; /* messages that it has not acknowledged */
    uint64_t messages_out, messages_in;
    uint64_t bytes_out, bytes_in;
    uint64_t connects;
    uint64_t resent;     /* frames sent again after a break */
    uint64_t duplicates; /* frames that had come before, dropped */
    uint64_t faults;     /* connections closed because the other side broke the protocol */
    uint64_t round_trip_ns;
} th_link_status;

TH_BEGIN_C

/** Opens the system to others, once, while it runs. From any thread but an actor's. TH_E_INVALID:
 * absurd or missing options. TH_E_NOT_ALLOWED: beyond loopback without TLS and without `insecure`.
 * TH_E_FILE: certificates. TH_E_EXISTS: an address is taken. TH_E_STATE: started before, or the
 * system does not run. TH_E_WRONG_BASE, TH_E_THREAD, TH_E_NOMEM. @why (may be NULL; at least
 * TH_DETAILS_SIZE bytes): what was wrong, in words. It ends with the system. */
TH_API TH_NODISCARD th_err th_transport_start(th_system *system,
                                              const th_transport_options *options, char *why);

/** The @index-th address that is listened on, with its real port; 0 past the last. As snprintf().
 */
TH_API size_t th_transport_listens(th_system *system, uint32_t index, char *text, size_t size);

/** Where th_dial is sent; none before the start. */
TH_API th_addr th_transport_desk(th_system *system);

/** Dials, and waits for a link to whoever is at @address: "host:port", "192.0.2.7:1900",
 * "[::1]:1900". For endpoints; actors send th_dial. *@admin_out: whom to ask there.
 * TH_E_UNREACHABLE and, in @why (may be NULL; at least TH_DETAILS_SIZE bytes), why. TH_E_TIMEOUT:
 * it is still tried. TH_E_STATE: no transport. */
TH_API TH_NODISCARD th_err th_connect(th_self *self, const char *address, uint64_t timeout_ns,
                                      th_addr *admin_out, char *why);

/** Calls @each for every link there is, on another thread. From any thread but an actor's.
 * TH_E_STATE: no transport. */
TH_API TH_NODISCARD th_err th_links_each(th_system *system,
                                         void (*each)(void *context, const th_link_status *link),
                                         void *context);

TH_END_C

TH_MESSAGE(th_peer, TH_PEER_FIELDS);
TH_MESSAGE(th_dial, TH_DIAL_FIELDS);

#endif
