#include "transport/link/hostport.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

/* ---- what people write ---- */

static bool parse_port(const char *text, uint16_t *out)
{
    uint32_t port = 0;
    size_t digits = strspn(text, "0123456789");

    if (digits == 0 || digits > 5 || text[digits] != '\0')
        return false;
    for (size_t i = 0; i < digits; i++)
        port = port * 10 + (uint32_t)(text[i] - '0');
    *out = (uint16_t)port;
    return port <= UINT16_MAX;
}

/* Where the host lies in @text, and its port; NULL: nowhere, *why_out says why. */
static const char *split(const char *text, const char **host_out, size_t *size_out,
                         const char **why_out)
{
    const char *end;

    if (text[0] == '[') {
        end = strchr(text, ']');
        *host_out = text + 1;
        *why_out = "an address in brackets is followed by a colon and a port";
        if (!end || end == text + 1 || end[1] != ':')
            return NULL;
        *size_out = (size_t)(end - text - 1);
        return end + 2;
    }
    end = strchr(text, ':');
    *host_out = text;
    *why_out = "there is no port: it is host:port";
    if (!end)
        return NULL;
    *why_out = "an IPv6 address is written in brackets: [::1]:1900";
    if (strchr(end + 1, ':'))
        return NULL;
    *size_out = (size_t)(end - text);
    return end + 1;
}

th_err thi_hostport_parse(struct thi_hostport *out, const char *text, const char **why_out)
{
    const char *host, *port;
    size_t size = 0;

    port = split(text, &host, &size, why_out);
    if (!port)
        return TH_E_PARSE;
    *why_out = "the host is longer than 255 bytes";
    if (size >= sizeof(out->host))
        return TH_E_PARSE;
    *why_out = "the port is a number from 0 to 65535";
    if (!parse_port(port, &out->port))
        return TH_E_PARSE;
    *why_out = "the host has a character that no name has";
    for (size_t i = 0; i < size; i++)
        if (host[i] <= ' ' || host[i] >= 0x7f || strchr("/\\@?#\"'", host[i]))
            return TH_E_PARSE;
    memcpy(out->host, host, size);
    out->host[size] = '\0';
    return TH_OK;
}

/* "fe80::1%eth0": a link-local address says on which link. */
static bool literal6(const char *host, struct sockaddr_in6 *out)
{
    char bare[INET6_ADDRSTRLEN];
    const char *scope = strchr(host, '%');
    size_t size = scope ? (size_t)(scope - host) : strlen(host);

    if (size >= sizeof(bare))
        return false;
    memcpy(bare, host, size);
    bare[size] = '\0';
    if (inet_pton(AF_INET6, bare, &out->sin6_addr) != 1)
        return false;
    out->sin6_family = AF_INET6;
    out->sin6_scope_id = scope ? if_nametoindex(scope + 1) : 0;
    return !scope || out->sin6_scope_id != 0;
}

bool thi_hostport_literal(const struct thi_hostport *at, struct thi_sockaddr *out)
{
    struct sockaddr_in v4 = { .sin_family = AF_INET };
    struct sockaddr_in6 v6 = { 0 };

    memset(out, 0, sizeof(*out));
    if (inet_pton(AF_INET, at->host, &v4.sin_addr) == 1) {
        out->size = sizeof(v4);
        memcpy(&out->storage, &v4, sizeof(v4));
    } else if (literal6(at->host, &v6)) {
        out->size = sizeof(v6);
        memcpy(&out->storage, &v6, sizeof(v6));
    } else {
        return false;
    }
    thi_sockaddr_set_port(out, at->port);
    return true;
}

/* ---- addresses for the kernel ---- */

static const struct sockaddr_in *as_v4(const struct thi_sockaddr *at)
{
    return (const struct sockaddr_in *)&at->storage;
}

static const struct sockaddr_in6 *as_v6(const struct thi_sockaddr *at)
{
    return (const struct sockaddr_in6 *)&at->storage;
}

void thi_sockaddr_print(const struct thi_sockaddr *at, char *out)
{
    char host[INET6_ADDRSTRLEN] = "?";

    switch (at->storage.ss_family) {
    case AF_INET:
        (void)inet_ntop(AF_INET, &as_v4(at)->sin_addr, host, sizeof(host));
        (void)snprintf(out, THI_HOSTPORT_SIZE, "%s:%u", host, thi_sockaddr_port(at));
        break;
    case AF_INET6:
        (void)inet_ntop(AF_INET6, &as_v6(at)->sin6_addr, host, sizeof(host));
        if (as_v6(at)->sin6_scope_id != 0)
            (void)snprintf(out, THI_HOSTPORT_SIZE, "[%s%%%u]:%u", host,
                           (unsigned)as_v6(at)->sin6_scope_id, thi_sockaddr_port(at));
        else
            (void)snprintf(out, THI_HOSTPORT_SIZE, "[%s]:%u", host, thi_sockaddr_port(at));
        break;
    default: (void)snprintf(out, THI_HOSTPORT_SIZE, "?"); break;
    }
}

uint16_t thi_sockaddr_port(const struct thi_sockaddr *at)
{
    return ntohs(at->storage.ss_family == AF_INET6 ? as_v6(at)->sin6_port : as_v4(at)->sin_port);
}

void thi_sockaddr_set_port(struct thi_sockaddr *at, uint16_t port)
{
    if (at->storage.ss_family == AF_INET6)
        ((struct sockaddr_in6 *)&at->storage)->sin6_port = htons(port);
    else
        ((struct sockaddr_in *)&at->storage)->sin_port = htons(port);
}

/* The IPv4 address in it, as the kernel's own integer, also of "::ffff:127.0.0.1"; else 0. */
static bool has_v4(const struct thi_sockaddr *at, uint32_t *out)
{
    *out = 0;
    if (at->storage.ss_family == AF_INET) {
        *out = as_v4(at)->sin_addr.s_addr;
        return true;
    }
    if (!IN6_IS_ADDR_V4MAPPED(&as_v6(at)->sin6_addr))
        return false;
    memcpy(out, &as_v6(at)->sin6_addr.s6_addr[12], sizeof(*out));
    return true;
}

bool thi_sockaddr_is_any(const struct thi_sockaddr *at)
{
    uint32_t v4;

    return has_v4(at, &v4) ? v4 == 0 : IN6_IS_ADDR_UNSPECIFIED(&as_v6(at)->sin6_addr);
}

bool thi_sockaddr_is_loopback(const struct thi_sockaddr *at)
{
    uint32_t v4;

    if (has_v4(at, &v4))
        return (ntohl(v4) >> 24) == 127;
    return IN6_IS_ADDR_LOOPBACK(&as_v6(at)->sin6_addr);
}

/* Of IPv6 the upper half: that much every customer of a provider has to himself (RFC 6177). */
bool thi_sockaddr_same_host(const struct thi_sockaddr *a, const struct thi_sockaddr *b)
{
    uint32_t v4a, v4b;
    bool is_a4 = has_v4(a, &v4a), is_b4 = has_v4(b, &v4b);

    if (is_a4 || is_b4)
        return is_a4 && is_b4 && v4a == v4b;
    return memcmp(&as_v6(a)->sin6_addr, &as_v6(b)->sin6_addr, 8) == 0;
}

void thi_sockaddr_interleave(struct thi_sockaddr *all, unsigned count)
{
    for (unsigned i = 1; i < count; i++) {
        unsigned j = i;
        struct thi_sockaddr other;

        while (j < count && all[j].storage.ss_family == all[i - 1].storage.ss_family)
            j++;
        if (j == count || j == i)
            continue;
        other = all[j];
        memmove(&all[i + 1], &all[i], (j - i) * sizeof(*all));
        all[i] = other;
    }
}
