#include "transport/link/tls.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "mailbox/alloc.h"
#include "transport/link/tls_words.h"
#include <thespis/config.h>

struct thi_tls {
    SSL_CTX *context;
    BIO_METHOD *method;
    struct thi_memory *memory;
    const char *const *names;
};

struct thi_tls_session {
    SSL *ssl;
    struct thi_tls *tls;
    const char *in; /* what came and is not used up */
    size_t in_left;
    char *out;
    size_t out_used, out_room;
    bool is_final;
    char subject[128];
    char why[256];
};

/* ---- our BIO: reads what came, writes where it is to go ---- */

static int bio_read(BIO *bio, char *out, int size)
{
    struct thi_tls_session *session = BIO_get_data(bio);
    size_t got = session->in_left < (size_t)size ? session->in_left : (size_t)size;

    BIO_clear_retry_flags(bio);
    if (got == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    memcpy(out, session->in, got);
    session->in += got;
    session->in_left -= got;
    return (int)got;
}

static int bio_write(BIO *bio, const char *bytes, int size)
{
    struct thi_tls_session *session = BIO_get_data(bio);

    BIO_clear_retry_flags(bio);
    if (session->out_room - session->out_used < (size_t)size) {
        BIO_set_retry_write(bio);
        return -1;
    }
    memcpy(session->out + session->out_used, bytes, (size_t)size);
    session->out_used += (size_t)size;
    return size;
}

static long bio_ctrl(BIO *bio, int command, long number, void *at)
{
    (void)bio;
    (void)number;
    (void)at;
    return command == BIO_CTRL_FLUSH; /* it is where it is to go */
}

static BIO_METHOD *make_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "thespis");

    if (method) {
        (void)BIO_meth_set_read(method, bio_read);
        (void)BIO_meth_set_write(method, bio_write);
        (void)BIO_meth_set_ctrl(method, bio_ctrl);
    }
    return method;
}

/* ---- whom we believe ---- */

static bool bears_a_name(X509 *certificate, const char *const *names)
{
    unsigned flags = X509_CHECK_FLAG_ALWAYS_CHECK_SUBJECT | X509_CHECK_FLAG_NO_WILDCARDS;

    for (; *names; names++)
        if (X509_check_host(certificate, *names, strlen(*names), flags, NULL) == 1)
            return true;
    return false;
}

/* Called for each certificate of a chain, the peer's own last; @is_good so far. */
static int verify(int is_good, X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    const struct thi_tls *tls = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

    if (is_good && X509_STORE_CTX_get_error_depth(store) == 0 && tls->names &&
        !bears_a_name(X509_STORE_CTX_get_current_cert(store), tls->names)) {
        X509_STORE_CTX_set_error(store, X509_V_ERR_HOSTNAME_MISMATCH);
        return 0;
    }
    return is_good;
}

/* For people, so nothing in it that is not print. */
static void read_subject(struct thi_tls_session *session)
{
    X509 *certificate = SSL_get0_peer_certificate(session->ssl);
    const X509_NAME *name = certificate ? X509_get_subject_name(certificate) : NULL;
    int at = name ? X509_NAME_get_index_by_NID(name, NID_commonName, -1) : -1;
    unsigned char *text = NULL;
    int size;

    if (at < 0)
        return;
    size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    for (int i = 0; i < size && i < (int)sizeof(session->subject) - 1; i++)
        session->subject[i] = (char)(text[i] < ' ' || text[i] >= 0x7f ? '?' : text[i]);
    OPENSSL_free(text);
}

/* ---- who we are ---- */

static th_err complain(char *why, size_t why_size, const char *what, const char *file)
{
    char reason[160];

    thi_tls_words_of_file(reason, sizeof(reason));
    (void)snprintf(why, why_size, "%s %s: %s", what, file, reason);
    return TH_E_FILE;
}

/* An encrypted key would have OpenSSL ask at the terminal; we have none. */
static int no_password(char *out, int size, int is_for_writing, void *context)
{
    (void)out;
    (void)size;
    (void)is_for_writing;
    (void)context;
    return -1;
}

static void set_rules(SSL_CTX *context)
{
    (void)SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION); /* Y1 */
    (void)SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION);
    (void)SSL_CTX_set_options(context,
                              SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    (void)SSL_CTX_set_num_tickets(context, 0);
    (void)SSL_CTX_set_max_early_data(context, 0);
    (void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_max_cert_list(context, TH_LINK_CERTIFICATES_MAX);
    SSL_CTX_set_default_passwd_cb(context, no_password);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, verify); /* Y2 */
}

static th_err load_revoked(SSL_CTX *context, const char *file, char *why, size_t why_size)
{
    X509_STORE *store = SSL_CTX_get_cert_store(context);
    X509_LOOKUP *lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());

    if (!lookup || X509_load_crl_file(lookup, file, X509_FILETYPE_PEM) <= 0)
        return complain(why, why_size, "list of revoked certificates", file);
    (void)X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
    return TH_OK;
}

static th_err load(SSL_CTX *context, const struct thi_tls_options *options, char *why,
                   size_t why_size)
{
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(context, options->certificate) != 1)
        return complain(why, why_size, "certificate", options->certificate);
    if (SSL_CTX_use_PrivateKey_file(context, options->key, SSL_FILETYPE_PEM) != 1)
        return complain(why, why_size, "key", options->key);
    if (SSL_CTX_check_private_key(context) != 1)
        return complain(why, why_size, "key", options->key);
    if (SSL_CTX_load_verify_file(context, options->authorities) != 1)
        return complain(why, why_size, "authorities", options->authorities);
    if (options->now_s != 0)
        X509_VERIFY_PARAM_set_time(SSL_CTX_get0_param(context), (time_t)options->now_s);
    return options->revoked ? load_revoked(context, options->revoked, why, why_size) : TH_OK;
}

th_err thi_tls_create(struct thi_tls **out, const struct thi_tls_options *options,
                      struct thi_memory *memory, char *why, size_t why_size)
{
    struct thi_tls *tls;
    th_err err;

    if (!options->certificate || !options->key || !options->authorities) {
        (void)snprintf(why, why_size, "TLS needs a certificate, its key and an authority");
        return TH_E_INVALID;
    }
    (void)snprintf(why, why_size, "%s", th_strerror(TH_E_NOMEM));
    tls = thi_memory_take(memory, sizeof(*tls));
    if (!tls)
        return TH_E_NOMEM;
    tls->memory = memory;
    tls->names = options->names;
    tls->method = make_method();
    tls->context = SSL_CTX_new(TLS_method());
    if (!tls->method || !tls->context) {
        thi_tls_destroy(tls);
        return TH_E_NOMEM;
    }
    SSL_CTX_set_app_data(tls->context, tls);
    set_rules(tls->context);
    err = load(tls->context, options, why, why_size);
    if (err)
        thi_tls_destroy(tls);
    else
        *out = tls;
    return err;
}

void thi_tls_destroy(struct thi_tls *tls)
{
    SSL_CTX_free(tls->context);
    BIO_meth_free(tls->method);
    thi_memory_give(tls->memory, tls, sizeof(*tls));
}

/* ---- sessions ---- */

struct thi_tls_session *thi_tls_open(struct thi_tls *tls, bool is_dialled)
{
    struct thi_tls_session *session = thi_memory_take(tls->memory, sizeof(*session));
    BIO *bio;

    if (!session)
        return NULL;
    session->tls = tls;
    session->ssl = SSL_new(tls->context);
    bio = BIO_new(tls->method);
    if (!session->ssl || !bio) {
        (void)BIO_free(bio);
        thi_tls_close(session);
        return NULL;
    }
    BIO_set_data(bio, session);
    BIO_set_init(bio, 1);
    SSL_set_bio(session->ssl, bio, bio);
    if (is_dialled)
        SSL_set_connect_state(session->ssl);
    else
        SSL_set_accept_state(session->ssl);
    return session;
}

void thi_tls_close(struct thi_tls_session *session)
{
    SSL_free(session->ssl);
    thi_memory_give(session->tls->memory, session, sizeof(*session));
}

void thi_tls_put_in(struct thi_tls_session *session, const char *bytes, size_t size)
{
    session->in = bytes;
    session->in_left = size;
}

void thi_tls_put_out(struct thi_tls_session *session, char *room, size_t size)
{
    session->out = room;
    session->out_used = 0;
    session->out_room = size;
}

size_t thi_tls_out(const struct thi_tls_session *session)
{
    return session->out_used;
}

/* What a call that did not succeed (@result of SSL) means. */
static enum thi_tls_answer understand(struct thi_tls_session *session, int result)
{
    switch (SSL_get_error(session->ssl, result)) {
    case SSL_ERROR_WANT_READ: return THI_TLS_WANTS_INPUT;
    case SSL_ERROR_ZERO_RETURN: return THI_TLS_ENDED;
    default: break;
    }
    session->is_final = thi_tls_words_of_failure(session->ssl, session->why, sizeof(session->why));
    return THI_TLS_FAILED;
}

enum thi_tls_answer thi_tls_shake(struct thi_tls_session *session)
{
    int result;

    ERR_clear_error();
    result = SSL_do_handshake(session->ssl);
    if (result != 1)
        return understand(session, result);
    read_subject(session);
    return THI_TLS_DONE;
}

enum thi_tls_answer thi_tls_read(struct thi_tls_session *session, char *plain, size_t size,
                                 size_t *got_out)
{
    int result;

    ERR_clear_error();
    *got_out = 0;
    result = SSL_read_ex(session->ssl, plain, size, got_out);
    return result == 1 ? THI_TLS_DONE : understand(session, result);
}

enum thi_tls_answer thi_tls_write(struct thi_tls_session *session, const char *plain, size_t size)
{
    size_t put;
    int result;

    ERR_clear_error();
    result = SSL_write_ex(session->ssl, plain, size, &put);
    return result == 1 ? THI_TLS_DONE : understand(session, result);
}

void thi_tls_goodbye(struct thi_tls_session *session)
{
    ERR_clear_error();
    (void)SSL_shutdown(session->ssl);
}

const char *thi_tls_subject(const struct thi_tls_session *session)
{
    return session->subject;
}

const char *thi_tls_why(const struct thi_tls_session *session)
{
    return session->why;
}

bool thi_tls_is_final(const struct thi_tls_session *session)
{
    return session->is_final;
}
