/* transport/link/tls.h: TLS 1.3 with certificates on both sides, as bytes in and bytes out.
 *
 *     thi_tls           who we are and whom we believe: one for a carrier
 *     thi_tls_session   one connection's: plain bytes on one side, encrypted ones on the other
 *
 * OpenSSL over a BIO of ours that reads what the carrier has read and writes where the carrier
 * says: no copies beside encrypting, no sockets in here (docs/internals/network.md).
 *
 *   Y1. TLS 1.3 and nothing older; so no renegotiation and no compression. No tickets and no early
 *       data: nothing of a session can be used again.
 *   Y2. Each side has a certificate, and believes one that its own authority signed, that is valid
 *       now, is not revoked and, where names are listed, bears one of them.
 *   Y3. Why it failed is said in words, on both sides; what may be said of our own reasons to a
 *       stranger is TLS's alert.
 *
 * OpenSSL's own memory is not the system's and not counted in it: some 60 KiB a connection. */
#ifndef THI_LINK_TLS_H
#define THI_LINK_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <thespis/error.h>

struct thi_memory;
struct thi_tls;
struct thi_tls_session;

enum {
    THI_TLS_RECORD = 16 * 1024,         /* most plain bytes of one record */
    THI_TLS_ROOM = THI_TLS_RECORD + 512 /* what one takes, encrypted, and an alert behind it */
};

/* Files in PEM. */
struct thi_tls_options {
    const char *certificate;  /* ours, and those between it and the authority */
    const char *key;          /* of it; not encrypted */
    const char *authorities;  /* whose signature we believe */
    const char *revoked;      /* what they have taken back (CRLs); NULL: nothing */
    const char *const *names; /* of peers, ended by NULL; NULL: any that is signed */
    uint64_t now_s;           /* since 1970: the day of verification; 0: today */
};

/* TH_E_INVALID, TH_E_FILE: @why says which file, and what is wrong with it. */
TH_NODISCARD th_err thi_tls_create(struct thi_tls **out, const struct thi_tls_options *options,
                                   struct thi_memory *memory, char *why, size_t why_size);
void thi_tls_destroy(struct thi_tls *tls);

/* NULL: no memory. */
struct thi_tls_session *thi_tls_open(struct thi_tls *tls, bool is_dialled);
void thi_tls_close(struct thi_tls_session *session);

/* What came: @size bytes [lend], until they are used up. */
void thi_tls_put_in(struct thi_tls_session *session, const char *bytes, size_t size);

/* Where to put what is to be sent from now on; at least THI_TLS_ROOM. */
void thi_tls_put_out(struct thi_tls_session *session, char *room, size_t size);
/* How much is there. */
size_t thi_tls_out(const struct thi_tls_session *session);

enum thi_tls_answer {
    THI_TLS_DONE,
    THI_TLS_WANTS_INPUT,
    THI_TLS_ENDED, /* the other side has said goodbye */
    THI_TLS_FAILED /* thi_tls_why() */
};

/* The handshake, as far as the input goes. DONE: both sides are known. */
enum thi_tls_answer thi_tls_shake(struct thi_tls_session *session);

/* Plain bytes; *got_out is set in every case. DONE: there may be more. */
enum thi_tls_answer thi_tls_read(struct thi_tls_session *session, char *plain, size_t size,
                                 size_t *got_out);

/* At most THI_TLS_RECORD bytes, all of them. DONE or FAILED. */
enum thi_tls_answer thi_tls_write(struct thi_tls_session *session, const char *plain, size_t size);

/* Nothing more comes from us. */
void thi_tls_goodbye(struct thi_tls_session *session);

/* Of whom the other side's certificate speaks. */
const char *thi_tls_subject(const struct thi_tls_session *session);
/* Why it failed, and whether trying again cannot help. */
const char *thi_tls_why(const struct thi_tls_session *session);
bool thi_tls_is_final(const struct thi_tls_session *session);

#endif
