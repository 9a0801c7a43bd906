/* transport/link/tcp.h: the carrier that moves bytes over TCP, with TLS where it is asked for.
 *
 *     loop.h     the thread, its bell and timer          lookup.h    names become addresses
 *     listen.c   who dials us                            dial.c      whom we dial
 *     stream.c   a connection: reading, writing, the end
 *     secret.c   the same over TLS                       tls.h       certificates, bytes to bytes
 *
 * The sockets are our own, watched by uv_poll_t, not uv_tcp_t: it is as fast (docs/internals/
 * network.md), and what happens without descriptors, or on a broken pipe, is for us to say.
 *
 *   N1. Everything is on the loop but thi_tcp_open(), _start(), _ring(), _stop() and _close().
 *   N2. Calls from above (carrier.h) only note what is wanted; what comes of it comes from the
 *       loop.
 *   N3. One connection moves at most TH_LINK_TURN_BYTES each way in a round, then the others have
 *       theirs.
 *   N4. A stream is freed when libuv is through with it, after the round in which it ended; so
 *       whoever called up may look at it when the call returns.
 *   N5. Without descriptors nothing spins and nobody is lost: see listen.c. */
#ifndef THI_LINK_TCP_H
#define THI_LINK_TCP_H

#include <sys/queue.h>

#include "mailbox/alloc.h"
#include "transport/link/carrier.h"
#include "transport/link/deadlines.h"
#include "transport/link/hostport.h"
#include "transport/link/lookup.h"
#include "transport/link/loop.h"
#include <thespis/config.h>

struct thi_dial;
struct thi_tls;
struct thi_tls_session;

struct thi_tcp_options {
    struct thi_memory *memory;
    struct thi_clock *clock;
    const char *const *listen; /* ended by NULL; NULL: nobody can dial us */
    struct thi_tls *tls;       /* [keep]; NULL: none, and then beyond loopback only if insecure */
    bool insecure;
    thi_resolve *resolve; /* NULL: the machine's */
    void *resolve_context;
    uint32_t strangers_max, strangers_per_host; /* 0, here and below: the default in config.h */
    uint64_t connect_ns, stagger_ns, handshake_ns, accept_pause_ns;

    void *host;
    /* Somebody rang: on the loop. */
    void (*rung)(void *host, uint64_t now);
    /* The loop is to end: thi_hub_stop(). It ends when the last connection has. On the loop. */
    void (*stopping)(void *host, uint64_t now);
    /* Worth a line in the log: th_log_level, and what. On the loop. */
    void (*note)(void *host, int level, const char *text);
};

/* ---- a connection ---- */

enum thi_stream_state {
    THI_STREAM_DIALLING,  /* no socket yet: `dial` has them    -> SHAKING, OPEN, CLOSED */
    THI_STREAM_SHAKING,   /* TLS: who are you?                 -> OPEN, CLOSED */
    THI_STREAM_OPEN,      /*                                   -> LINGERING, CLOSED */
    THI_STREAM_LINGERING, /* last bytes on their way, nobody's -> CLOSED */
    THI_STREAM_CLOSED     /* libuv has not let go of it yet */
};

struct thi_stream {
    struct thi_tcp *tcp;
    struct thi_conn *conn; /* NULL: a stranger still SHAKING, or let go */
    enum thi_stream_state state;
    int fd;
    uv_poll_t poll;
    int watched;      /* what poll waits for now */
    uint32_t round;   /* of tcp, in which it was kicked */
    bool is_stranger; /* in tcp->strangers */
    bool is_kicked;   /* in tcp->kicked: is asked for output in the next look */
    bool is_paused;
    bool is_full; /* the kernel took not all; it will say when it takes more */
    TAILQ_ENTRY(thi_stream) of_tcp;
    TAILQ_ENTRY(thi_stream) of_kicked;
    TAILQ_ENTRY(thi_stream) of_strangers;
    struct thi_deadline deadline; /* in tcp->shaking or tcp->lingering, by state */
    struct thi_sockaddr far;
    struct thi_dial *dial;       /* DIALLING */
    struct thi_tls_session *tls; /* NULL: plain, or not begun */
    char *rest;                  /* encrypted, and not taken by the kernel yet */
    size_t rest_at, rest_size;
};

TAILQ_HEAD(thi_stream_list, thi_stream);

struct thi_listener {
    struct thi_tcp *tcp;
    int fd;
    uv_poll_t poll;
    struct thi_sockaddr at;
};

/* What it has done so far. */
struct thi_tcp_figures {
    uint64_t accepted, turned_away; /* turned away: of a host, or in all, too many strangers */
    uint64_t dialled, failed;
    uint64_t ended; /* sockets closed again */
    uint64_t bytes_in, bytes_out;
    uint64_t handshakes_failed;
    uint64_t short_of_descriptors; /* times that none was to be had */
};

struct thi_tcp {
    struct thi_carrier carrier; /* first: what the hub has of us */
    struct thi_loop loop;
    struct thi_hub *hub;
    struct thi_tcp_options options;
    struct thi_lookups lookups;
    struct thi_listener listeners[TH_LINK_LISTENERS_MAX];
    unsigned listener_count;
    struct thi_stream_list streams, kicked, strangers;
    uint32_t round; /* counts the looks */
    unsigned stranger_count;
    struct thi_deadlines dialling, shaking, lingering;
    uint64_t hub_when_ns;     /* UINT64_MAX: the hub waits for nothing */
    uint64_t accept_again_ns; /* UINT64_MAX: the doors are open, or there are none */
    int reserve;              /* a descriptor kept back; -1: given away */
    char *in;                 /* TH_LINK_READ_SIZE bytes: what was read last */
    char *plain, *cipher;     /* with TLS: the same decrypted; what is to be written, encrypted */
    bool is_stopping;
    bool has_ended;
    char why[256]; /* of the last dial that was refused */
    struct thi_tcp_figures figures;

    _Atomic bool stop; /* written by whoever stops it */
};

/* ---- from outside ---- */

/* Listens, so that its ports are known and nobody else takes them, and accepts nobody yet. An
 * error's reason is put into @why in words. */
TH_NODISCARD th_err thi_tcp_open(struct thi_tcp *tcp, const struct thi_tcp_options *options,
                                 char *why, size_t why_size);

/* The address we listen on as @index, with its real port; NULL: none more. */
const struct thi_sockaddr *thi_tcp_listens(const struct thi_tcp *tcp, unsigned index);

/* @hub [keep]: accepts, dials and calls up from now on, on a thread of its own. TH_E_THREAD. */
TH_NODISCARD th_err thi_tcp_start(struct thi_tcp *tcp, struct thi_hub *hub);

/* The same without a thread: thi_tcp_turn() does a round of it. */
void thi_tcp_start_here(struct thi_tcp *tcp, struct thi_hub *hub);
void thi_tcp_turn(struct thi_tcp *tcp, bool waits);

/* From any thread: options.rung() will run. */
void thi_tcp_ring(struct thi_tcp *tcp);

/* options.stopping() runs; then last words are said, for as long as the hub lets them, and
 * nobody is let in any more. Returns when no connection is left and the thread has ended. Nothing
 * to do if it never started. */
void thi_tcp_stop(struct thi_tcp *tcp);

void thi_tcp_close(struct thi_tcp *tcp);

/* ---- between its files ---- */

void thi_tcp_note(struct thi_tcp *tcp, int level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Whether that address may be dialled or listened on, as we are set up. */
bool thi_tcp_may_reach(const struct thi_tcp *tcp, const struct thi_sockaddr *at);
extern const char thi_tcp_not_beyond_loopback[]; /* why not, in words */

/* A descriptor was just refused (EMFILE, ENFILE). True: one is free now, ask again. */
bool thi_tcp_make_room(struct thi_tcp *tcp);

/* listen.c */
TH_NODISCARD th_err thi_listen_open(struct thi_tcp *tcp, const char *at, char *why,
                                    size_t why_size);
void thi_listen_start(struct thi_tcp *tcp);
/* A descriptor is free again, or the pause is over. */
void thi_listen_again(struct thi_tcp *tcp);
void thi_listen_close(struct thi_tcp *tcp);

/* dial.c */
TH_NODISCARD th_err thi_dial_begin(struct thi_tcp *tcp, struct thi_conn *conn, const char *address,
                                   const char **why_out);
void thi_dial_due(struct thi_tcp *tcp, uint64_t now);
void thi_dial_cancel(struct thi_stream *stream);

/* stream.c */
struct thi_stream *thi_stream_create(struct thi_tcp *tcp, enum thi_stream_state state);
/* @fd [take] is its socket now. TH_E_THREAD: libuv has no room; the stream has ended. */
TH_NODISCARD th_err thi_stream_adopt(struct thi_stream *stream, int fd);
/* It has its socket. */
void thi_stream_connected(struct thi_stream *stream);
/* Both sides are sure of each other: whom it belongs to is told, or the hub asked. False: it is
 * nobody's. */
bool thi_stream_introduce(struct thi_stream *stream, const char *subject);
/* What of @pieces the kernel took; SIZE_MAX: the stream has failed. */
size_t thi_stream_write(struct thi_stream *stream, struct iovec *pieces, unsigned count);
void thi_stream_far_end_is_through(struct thi_stream *stream);
void thi_stream_kick(struct thi_stream *stream);
void thi_stream_pause(struct thi_stream *stream, bool pause);
/* Reads and discards until the far end has read all, at most for @linger_ns. */
void thi_stream_let_go(struct thi_stream *stream, uint64_t linger_ns);
/* At once. */
void thi_stream_end(struct thi_stream *stream);
/* The same, and its owner is told. */
void thi_stream_fail(struct thi_stream *stream, const char *why, bool is_final);
/* The one that has lingered longest; false: none does. */
bool thi_stream_end_lingering(struct thi_tcp *tcp);
void thi_stream_due(struct thi_tcp *tcp, uint64_t now);
/* secret.c: the stream's over TLS */
TH_NODISCARD th_err thi_secret_begin(struct thi_stream *stream);
/* As thi_conn_feed(), of encrypted bytes. */
bool thi_secret_take_in(struct thi_stream *stream, const char *bytes, size_t size);
/* Pulls, encrypts and writes; true: there is more, but others are to have their turn. */
bool thi_secret_flush(struct thi_stream *stream);
/* False: the stream has ended. */
bool thi_secret_write_rest(struct thi_stream *stream);
void thi_secret_forget_rest(struct thi_stream *stream);
/* Says that nothing more comes; the stream may have ended by it. */
void thi_secret_goodbye(struct thi_stream *stream);

/* Writes what is kicked. True: there is more to do than one round allows. */
bool thi_stream_flush_all(struct thi_tcp *tcp);

#endif
