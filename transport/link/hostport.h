/* transport/link/hostport.h: "host:port" as people write it, and the kernel's form of it.
 *
 *     192.0.2.7:1900   [2001:db8::7]:1900   a.example:1900   :1900 (listening: every address)
 *
 * Literals never ask a resolver, so they work where there is none. No state, no input or output. */
#ifndef THI_LINK_HOSTPORT_H
#define THI_LINK_HOSTPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <thespis/error.h>

#define THI_HOST_SIZE     256 /* of a host name, with the NUL: DNS knows no longer one */
#define THI_HOSTPORT_SIZE 72  /* of a printed address: "[IPv6%scope]:port", with the NUL */

struct thi_hostport {
    char host[THI_HOST_SIZE]; /* without brackets; "": every address */
    uint16_t port;
};

/* An address for the kernel. */
struct thi_sockaddr {
    socklen_t size;
    struct sockaddr_storage storage;
};

/* TH_E_PARSE: not of that form; *why_out [static] says what is wrong with it. */
TH_NODISCARD th_err thi_hostport_parse(struct thi_hostport *out, const char *text,
                                       const char **why_out);

/* Whether @at's host is a literal; then *out is its address. */
bool thi_hostport_literal(const struct thi_hostport *at, struct thi_sockaddr *out);

/* ---- addresses for the kernel ---- */

/* "192.0.2.7:1900", "[::1]:1900". @out has THI_HOSTPORT_SIZE bytes. */
void thi_sockaddr_print(const struct thi_sockaddr *at, char *out);

uint16_t thi_sockaddr_port(const struct thi_sockaddr *at);
void thi_sockaddr_set_port(struct thi_sockaddr *at, uint16_t port);

/* Every address of this machine: to listen on, not to dial. */
bool thi_sockaddr_is_any(const struct thi_sockaddr *at);

/* Never leaves this machine. */
bool thi_sockaddr_is_loopback(const struct thi_sockaddr *at);

/* The same host, whatever the port. */
bool thi_sockaddr_same_host(const struct thi_sockaddr *a, const struct thi_sockaddr *b);

/* Tries IPv6 and IPv4 in turn, keeping the order within each (RFC 8305, 4): a broken family costs
 * one attempt, not all of its addresses'. */
void thi_sockaddr_interleave(struct thi_sockaddr *all, unsigned count);

#endif
