/* frame.h: what goes over a connection, frame by frame (docs/protocol.md is the exact account).
 *
 * A frame is a header of 8 bytes (length of what follows, kind, flags, two zeros) and a body. What
 * comes with every message (DATA, MORE, ACK) is fixed, little-endian; what comes seldom and may
 * grow (HELLO, TYPE, ...) is CBOR.
 *
 * One struct serves both ways: thi_frame_read() makes it of bytes, thi_frame_write() makes the same
 * bytes of it. Texts and bodies in it are ranges of the bytes read [lend]. Nothing is allocated,
 * nothing is kept.
 *
 * F1. What a peer claims is checked before it is used: the length against the receiver's limit
 *     before another byte is awaited, every count and size in a body against what has come.
 * F2. Strict: one struct, one spelling. Bits that mean nothing are 0, CBOR is definite and shortest
 *     with its keys in order, nothing follows the last field. So what was read can be written again
 *     byte for byte. The one exception is HELLO, which every version must be able to read: keys
 *     that this one does not know are passed over.
 * F3. Texts are plain (text.h) and within their limits. */
#ifndef TRANSPORT_WIRE_FRAME_H
#define TRANSPORT_WIRE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <thespis/addr.h>
#include <thespis/config.h>

#include "transport/wire/fault.h"
#include "transport/wire/text.h"

/* ---- kinds ---- */

/* number, name, fewest bytes of a body */
#define THI_FRAME_MAP(XX)                                                                          \
    XX(1, HELLO, 2)                                                                                \
    XX(2, RESUME, 2)                                                                               \
    XX(3, ACK, 8)                                                                                  \
    XX(4, PING, 8)                                                                                 \
    XX(5, PONG, 8)                                                                                 \
    XX(6, CLOSE, 3)                                                                                \
    XX(7, WHERE, 8)                                                                                \
    XX(8, HERE, 3)                                                                                 \
    XX(9, RETURNED, 10)                                                                            \
    XX(16, TYPE, 12)                                                                               \
    XX(17, DATA, 44)                                                                               \
    XX(18, MORE, 12)

enum thi_frame_kind {
#define XX(number, name, least) THI_FRAME_##name = number,
    THI_FRAME_MAP(XX)
#undef XX
};

/* Why a connection is closed: number, name, what it means for the reader. */
#define THI_CLOSE_MAP(XX)                                                                          \
    XX(1, BYE, "the system shuts down; what it has not acknowledged is lost")                      \
    XX(2, IDLE, "nothing is unacknowledged; dial again when there is something")                   \
    XX(3, DUPLICATE, "another connection of the two systems stays")                                \
    XX(4, GONE, "the session was given up; the reader gives it up, too")                           \
    XX(5, PROTOCOL, "the reader broke the protocol; the words say how")                            \
    XX(6, VERSION, "no version in common")                                                         \
    XX(7, SELF, "the reader has dialled itself")                                                   \
    XX(8, LIMIT, "a limit of the sender's is reached; dial again later")                           \
    XX(9, REFUSED, "the sender does not talk to this peer; dialling again does not help")

enum thi_close {
#define XX(number, name, text) THI_CLOSE_##name = number,
    THI_CLOSE_MAP(XX)
#undef XX
};

/** "DATA"; "?" for no kind. */
const char *thi_frame_name(unsigned kind);

/** "DUPLICATE"; "?" for a reason of a later version. */
const char *thi_close_name(unsigned reason);

/* ---- sizes ---- */

#define THI_FRAME_HEADER_SIZE 8
#define THI_FRAME_DATA_SIZE   (THI_FRAME_HEADER_SIZE + 44) /* DATA before its body */
#define THI_FRAME_PIECE_SIZE  (THI_FRAME_DATA_SIZE + 12)   /* the same of the first of several */
#define THI_FRAME_MORE_SIZE   (THI_FRAME_HEADER_SIZE + 12)
/* Any frame but TYPE, and DATA and MORE with their bodies. */
#define THI_FRAME_SMALL_MAX TH_WIRE_GREETING_MAX

/* ---- bodies ---- */

struct thi_frame_hello {
    uint32_t version_low; /* from 1 */
    uint32_t version_high;
    uint64_t features;    /* bits; what both have is used. None is defined yet. */
    uint64_t system;      /* not 0 */
    struct thi_text name; /* may be empty */
    uint32_t admin_slot;
    uint32_t admin_generation;
    uint32_t frame_max;   /* longest length that its sender takes, at least TH_WIRE_FRAME_LEAST */
    uint64_t message_max; /* longest body of a message, its pieces together */
    unsigned address_count;
    struct thi_text addresses[TH_WIRE_ADDRESSES_MAX]; /* where it is dialled */
    bool dialled;
    uint64_t expected; /* the system that a dialler thinks to meet; 0: whoever is there */
};

struct thi_frame_resume {
    uint32_t version; /* the one chosen */
    uint64_t mine;    /* my session, not 0 */
    uint64_t yours;   /* your session that I know; 0: none */
    uint64_t last;    /* your frames up to this one are acknowledged */
    uint64_t count;   /* the decider's, of the connections it has accepted; from the other 0 */
};

struct thi_frame_ack {
    uint64_t up_to;
};

struct thi_frame_ping { /* and PONG */
    uint64_t token;
};

struct thi_frame_close {
    uint32_t reason; /* enum thi_close, or one of a later version */
    struct thi_text words;
};

struct thi_frame_where {
    uint64_t system; /* not 0 */
};

struct thi_frame_here {
    uint64_t system;
    unsigned address_count; /* 0: not known here */
    struct thi_text addresses[TH_WIRE_ADDRESSES_MAX];
};

struct thi_frame_returned {
    uint64_t up_to;        /* acknowledges as ACK does; the message that ended there was not read */
    struct thi_text words; /* why */
};

struct thi_frame_type {
    uint64_t number;       /* of the frame, as in DATA and MORE */
    uint32_t type;         /* of the type, from 1 */
    struct thi_text name;  /* not empty */
    struct thi_text shape; /* shape.h; not empty */
};

struct thi_frame_data {
    uint64_t number;
    th_addr from; /* may be none */
    th_addr to;   /* not none */
    uint32_t type;
    bool has_more;     /* this is the first of several pieces, and */
    uint32_t transfer; /*   they go by this id, */
    uint64_t total;    /*   and are so many bytes together */
    size_t size;       /* of the body, or of its first piece */
    const void *body;  /* read: [lend]; written: not looked at */
};

struct thi_frame_more {
    uint64_t number;
    uint32_t transfer;
    bool has_more; /* this is not the last piece */
    size_t size;   /* not 0 */
    const void *body;
};

struct thi_frame {
    enum thi_frame_kind kind;
    size_t size; /* read: of the whole frame; write: not looked at */
    union {
        struct thi_frame_hello hello;
        struct thi_frame_resume resume;
        struct thi_frame_ack ack;
        struct thi_frame_ping ping;
        struct thi_frame_ping pong;
        struct thi_frame_close close;
        struct thi_frame_where where;
        struct thi_frame_here here;
        struct thi_frame_returned returned;
        struct thi_frame_type type;
        struct thi_frame_data data;
        struct thi_frame_more more;
    } as;
};

/* ---- reading ---- */

/* What the reader accepts just now. */
struct thi_frame_limits {
    uint32_t frame;   /* longest length in a header: TH_WIRE_GREETING_MAX before the greeting is
                         over, then what our HELLO said */
    uint64_t message; /* longest body of a message, as our HELLO said */
};

enum thi_frame_answer {
    THI_FRAME_WHOLE, /* one was read */
    THI_FRAME_SHORT, /* so far it may become one */
    THI_FRAME_BAD    /* it never will: close the connection */
};

/** Reads the frame that begins at @bytes [lend], of which @size have come.
 *  WHOLE: *@frame_out is it, and frame_out->size bytes are used up. Its ranges point into @bytes.
 *  SHORT: *@need_out is how many bytes it takes from @bytes on to know more: a header's, then the
 *         whole frame's, which is within @limits.
 *  BAD:   @fault says why. */
enum thi_frame_answer thi_frame_read(const void *bytes, size_t size,
                                     const struct thi_frame_limits *limits,
                                     struct thi_frame *frame_out, size_t *need_out,
                                     struct thi_fault *fault);

/* ---- writing ---- */

/** Writes @frame [lend] to @room bytes at @at and answers how many it takes; if that is more than
 * @room, nothing is written that means anything. DATA and MORE: all but the body, as.data.size or
 * as.more.size bytes, which the caller puts behind it; they count in the header, not in the answer.
 * What @frame says is not checked: a peer would refuse what F2 and F3 forbid. */
size_t thi_frame_write(void *at, size_t room, const struct thi_frame *frame);

/** Whether @name may be a name, or @address an address, in a frame. */
bool thi_frame_name_is_good(struct thi_text name);
bool thi_frame_address_is_good(struct thi_text address);

#endif
