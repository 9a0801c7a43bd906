/* transport/link/connection.h: one connection from within: what it keeps, and what it does when.
 *
 * A connection greets, then carries the frames of its link until it is closed. What is said when is
 * in docs/protocol.md.
 *
 *   DIALLING   the carrier is at it              -> GREETING by thi_conn_opened()
 *   GREETING   our HELLO is out, theirs is not in -> MEETING by their HELLO
 *   MEETING    theirs is in: now RESUME          -> UP: the decider's by reading RESUME, the
 * other's by reading the decider's UP         frames of the link CLOSING    CLOSE is to be written,
 * then that is all -> CLOSED when it is, or after a while CLOSED     the carrier has let go; freed
 * when the outermost call returns
 *
 * From each state but the last two a connection goes to CLOSING when we end it, and from each to
 * CLOSED when the stream ends.
 *
 * C1. Before UP a connection is worth TH_WIRE_GREETING_MAX bytes and `greeting_ns` to us.
 * C2. Of what comes, only the frame that is not whole is kept, and no room is taken for bytes that
 *     have not come, but for a factor of two.
 * C3. What goes out without being asked for is bounded: one PONG, one ACK, one PING, and so on:
 * `due` has a bit for each. So a peer that asks and never reads takes no memory. C4. Frames are
 * made when the carrier can write them, no more than TH_LINK_AHEAD bytes ahead. */
#ifndef THI_LINK_CONNECTION_H
#define THI_LINK_CONNECTION_H

#include "transport/link/conn.h"
#include "transport/link/hub.h"
#include "transport/link/spool.h"
#include "transport/wire/frame.h"

struct thi_link;
struct thi_errand;

enum thi_conn_state {
    THI_CONN_DIALLING,
    THI_CONN_GREETING,
    THI_CONN_MEETING,
    THI_CONN_UP,
    THI_CONN_CLOSING,
    THI_CONN_CLOSED
};

enum thi_conn_due {
    THI_DUE_HELLO = 1 << 0,
    THI_DUE_RESUME = 1 << 1,
    THI_DUE_PONG = 1 << 2,
    THI_DUE_PING = 1 << 3,
    THI_DUE_HERE = 1 << 4,
    THI_DUE_WHERE = 1 << 5,
    THI_DUE_ACK = 1 << 6,
    THI_DUE_CLOSE = 1 << 7
};

struct thi_conn {
    struct thi_conn *next;
    struct thi_conn **back; /* what points to us, in the hub's list */
    struct thi_hub *hub;
    struct thi_link *link;   /* whose it is or wants to be; NULL: a stranger's */
    struct thi_errand *dial; /* the host's, that it is for; NULL: none */
    void *stream;
    enum thi_conn_state state;
    bool is_ours;     /* we dialled it */
    bool is_stranger; /* counted as one */
    bool is_dry;      /* the last pull found nothing */
    struct thi_far_end far;
    uint64_t expected;                     /* whom we dialled; 0: whoever is there */
    char address[TH_WIRE_ADDRESS_MAX + 1]; /* that we dialled */

    uint8_t *in; /* the beginning of a frame, C2 */
    size_t in_size;
    size_t in_room;
    size_t in_need;       /* so much tells more */
    size_t greeting_size; /* bytes that came before UP */
    struct thi_frame_limits limits;

    struct thi_spool out;
    uint32_t due; /* enum thi_conn_due */
    uint32_t version;
    uint64_t pong;  /* token of theirs */
    uint64_t ping;  /* token of our last PING; they count up from 1 */
    uint64_t where; /* the system asked for */
    uint64_t here;  /* the system they asked for */
    uint64_t count; /* in our RESUME */
    uint32_t close_reason;
    struct thi_fault close_words;

    uint64_t until;       /* GREETING, MEETING, CLOSING: when it has taken too long */
    uint64_t heard_at;    /* when bytes came last */
    uint64_t progress_at; /* when they last showed that ours arrive */
    uint64_t pinged_at;   /* 0: no PING is unanswered */
    uint64_t up_at;
    uint64_t retry_at; /* there was no memory to write; UINT64_MAX: there was */
};

/* A connection, in the hub's list; NULL: no memory. */
struct thi_conn *thi_conn_create(struct thi_hub *hub, enum thi_conn_state state, uint64_t now);
/* Frees it, at the end of the call (H2). */
void thi_conn_free(struct thi_conn *conn);
/* Says why, then closes. Its link, if it is that one's, is no longer concerned. */
void thi_conn_close(struct thi_conn *conn, enum thi_close reason, const char *words, uint64_t now);
/* Lets go of it at once. @final as in thi_conn_closed(). */
void thi_conn_cut(struct thi_conn *conn, const char *why, bool final, uint64_t now);
/* The same for one that the carrier would not dial. */
void thi_conn_never(struct thi_conn *conn, const char *why, bool final, uint64_t now);
/* Something is due: the carrier is to pull. */
void thi_conn_kick(struct thi_conn *conn, uint32_t due);
/* A PING is due, if none is unanswered. It is waited for from now on, however long it takes to be
 * written. */
void thi_conn_ask(struct thi_conn *conn, uint64_t now);
/* What its deadlines ask for; the next one. */
void thi_conn_tick(struct thi_conn *conn, uint64_t now);
uint64_t thi_conn_deadline(const struct thi_conn *conn);

/* greeting.c: a frame of before UP. false: @fault, unless the connection is closing. */
bool thi_greeting_frame(struct thi_conn *conn, const struct thi_frame *frame,
                        struct thi_fault *fault, uint64_t now);
/* Writes HELLO or RESUME. false: no memory. */
bool thi_greeting_write(struct thi_conn *conn, enum thi_conn_due due);

#endif
