#include "transport/link/tls_words.h"

#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

/* ---- their certificate, as we see it ---- */

static const char *of_verification(long result)
{
    switch (result) {
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN: return "it signed itself";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        return "no authority that we believe has signed it";
    case X509_V_ERR_CERT_SIGNATURE_FAILURE: return "its signature is wrong";
    case X509_V_ERR_CERT_HAS_EXPIRED: return "it has expired";
    case X509_V_ERR_CERT_NOT_YET_VALID: return "it is not valid yet: is a clock wrong?";
    case X509_V_ERR_CERT_REVOKED: return "it was revoked";
    case X509_V_ERR_HOSTNAME_MISMATCH: return "its name is not among those that we talk to";
    case X509_V_ERR_INVALID_PURPOSE: return "it is not meant for TLS on both sides";
    case X509_V_ERR_UNABLE_TO_GET_CRL:
        return "its authority has no list of revoked certificates here";
    case X509_V_ERR_CRL_HAS_EXPIRED: return "the list of revoked certificates has expired";
    default: return X509_verify_cert_error_string(result);
    }
}

/* ---- our certificate, as they see it ---- */

/* NULL: the alert is about something else. */
static const char *of_alert(int alert)
{
    switch (alert) {
    case SSL_AD_BAD_CERTIFICATE: return "it is bad, or its name is not among theirs";
    case SSL_AD_UNSUPPORTED_CERTIFICATE: return "it is of an unsupported kind";
    case SSL_AD_CERTIFICATE_REVOKED: return "it was revoked";
    case SSL_AD_CERTIFICATE_EXPIRED: return "it has expired, or is not valid yet";
    case SSL_AD_CERTIFICATE_UNKNOWN: return "it is not acceptable";
    case SSL_AD_UNKNOWN_CA: return "no authority that they believe has signed it";
    default: return NULL;
    }
}

static bool say_alert(int alert, char *out, size_t size)
{
    const char *certificate = of_alert(alert);

    if (certificate) {
        (void)snprintf(out, size, "the other side refuses our certificate: %s", certificate);
        return true;
    }
    switch (alert) {
    case SSL_AD_CERTIFICATE_REQUIRED:
        (void)snprintf(out, size, "the other side wants a certificate of us");
        return true;
    case SSL_AD_PROTOCOL_VERSION:
        (void)snprintf(out, size, "the other side does not speak TLS 1.3");
        return false;
    default:
        (void)snprintf(out, size, "the other side broke off: %s",
                       SSL_alert_desc_string_long(alert));
        return false;
    }
}

bool thi_tls_words_of_failure(const SSL *ssl, char *out, size_t size)
{
    unsigned long error = ERR_get_error();
    int reason = ERR_GET_REASON(error);
    const char *text = ERR_reason_error_string(error);

    ERR_clear_error();
    if (ERR_GET_LIB(error) == ERR_LIB_SSL && reason > SSL_AD_REASON_OFFSET)
        return say_alert(reason - SSL_AD_REASON_OFFSET, out, size);
    switch (ERR_GET_LIB(error) == ERR_LIB_SSL ? reason : 0) {
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
        (void)snprintf(out, size, "the other side's certificate is refused: %s",
                       of_verification(SSL_get_verify_result(ssl)));
        return true;
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
        (void)snprintf(out, size, "the other side has no certificate");
        return true;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_WRONG_SSL_VERSION:
        (void)snprintf(out, size, "the other side does not speak TLS 1.3");
        return false;
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_RECORD_LENGTH_MISMATCH:
    case SSL_R_BAD_RECORD_TYPE:
        (void)snprintf(out, size, "what came is not TLS: has the other side no certificates?");
        return false;
    default: (void)snprintf(out, size, "%s", text ? text : "it failed"); return false;
    }
}

/* ---- files ---- */

/* NULL: nothing we know better. */
static const char *of_file_error(unsigned long first, unsigned long last)
{
    int reason = ERR_GET_REASON(first);

    if (ERR_SYSTEM_ERROR(first))
        return strerror(reason);
    if (reason == ERR_R_INTERRUPTED_OR_CANCELLED)
        return "it is encrypted"; /* and nobody gave a password */
    if ((ERR_GET_LIB(first) == ERR_LIB_PEM && reason == PEM_R_NO_START_LINE) ||
        ERR_GET_LIB(first) == ERR_LIB_OSSL_DECODER)
        return "there is nothing of that kind in it (PEM is expected)";
    if (ERR_GET_LIB(last) == ERR_LIB_X509 && (ERR_GET_REASON(last) == X509_R_KEY_VALUES_MISMATCH ||
                                              ERR_GET_REASON(last) == X509_R_KEY_TYPE_MISMATCH))
        return "it does not belong to the certificate";
    return ERR_reason_error_string(last);
}

void thi_tls_words_of_file(char *out, size_t size)
{
    const char *text = of_file_error(ERR_peek_error(), ERR_peek_last_error());

    (void)snprintf(out, size, "%s", text ? text : "it cannot be used");
    ERR_clear_error();
}
