/* transport/link/tls_words.h: what OpenSSL says went wrong, so that a person can put it right. */
#ifndef THI_LINK_TLS_WORDS_H
#define THI_LINK_TLS_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/ssl.h>

/* Why a call on @ssl failed. True: it is a certificate, theirs or ours, so that trying again cannot
 * help. Takes all errors of this thread. */
bool thi_tls_words_of_failure(const SSL *ssl, char *out, size_t size);

/* Why a file could not be used. Takes all errors of this thread. */
void thi_tls_words_of_file(char *out, size_t size);

#endif
