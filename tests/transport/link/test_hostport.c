/* "host:port": what is one, what it says, and what is wrong with what is none. */
#include "transport/link/hostport.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct thi_hostport at;
static struct thi_sockaddr addr;

static void parses(const char *text, const char *host, unsigned port)
{
    const char *why = "";

    cr_assert_eq(thi_hostport_parse(&at, text, &why), TH_OK, "%s: %s", text, why);
    cr_assert_str_eq(at.host, host);
    cr_assert_eq(at.port, port);
}

Test(hostport, is_a_name_a_literal_or_nothing_and_a_port)
{
    parses("a.example:1900", "a.example", 1900);
    parses("127.0.0.1:0", "127.0.0.1", 0);
    parses("[::1]:65535", "::1", 65535);
    parses(":7", "", 7);
}

static const char *complaint(const char *text)
{
    const char *why = NULL;

    cr_assert_eq(thi_hostport_parse(&at, text, &why), TH_E_PARSE, "%s", text);
    return why;
}

Test(hostport, says_what_is_wrong)
{
    char long_host[THI_HOST_SIZE + 8];

    cr_assert_str_eq(complaint("a.example"), "there is no port: it is host:port");
    cr_assert_str_eq(complaint(""), "there is no port: it is host:port");
    cr_assert_str_eq(complaint("::1:80"), "an IPv6 address is written in brackets: [::1]:1900");
    cr_assert_str_eq(complaint("[::1"), "an address in brackets is followed by a colon and a port");
    cr_assert_str_eq(complaint("[]:1"), "an address in brackets is followed by a colon and a port");
    cr_assert_str_eq(complaint("[::1]80"),
                     "an address in brackets is followed by a colon and a port");
    cr_assert_str_eq(complaint("a:"), "the port is a number from 0 to 65535");
    cr_assert_str_eq(complaint("a:65536"), "the port is a number from 0 to 65535");
    cr_assert_str_eq(complaint("a:99999999999"), "the port is a number from 0 to 65535");
    cr_assert_str_eq(complaint("a:-1"), "the port is a number from 0 to 65535");
    cr_assert_str_eq(complaint("a:8x"), "the port is a number from 0 to 65535");
    cr_assert_str_eq(complaint("a b:1"), "the host has a character that no name has");
    cr_assert_str_eq(complaint("a\n:1"), "the host has a character that no name has");
    cr_assert_str_eq(complaint("http://a:1"), "an IPv6 address is written in brackets: [::1]:1900");
    memset(long_host, 'a', sizeof(long_host));
    memcpy(long_host + THI_HOST_SIZE, ":1", 3);
    cr_assert_str_eq(complaint(long_host), "the host is longer than 255 bytes");
}

static bool literal(const char *text)
{
    const char *why = "";

    cr_assert_eq(thi_hostport_parse(&at, text, &why), TH_OK, "%s: %s", text, why);
    return thi_hostport_literal(&at, &addr);
}

Test(hostport, a_literal_prints_as_it_was)
{
    static const char *const texts[] = { "127.0.0.1:1900", "192.0.2.7:0", "[::1]:1900",
                                         "[2001:db8::7]:65535", "[::]:80" };
    char printed[THI_HOSTPORT_SIZE];

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        cr_assert(literal(texts[i]), "%s", texts[i]);
        thi_sockaddr_print(&addr, printed);
        cr_assert_str_eq(printed, texts[i]);
    }
    cr_assert_not(literal("a.example:1"));
    cr_assert_not(literal("1.2.3:1"), "inet_aton's short forms are no literals");
    cr_assert_not(literal("0x7f000001:1"));
    cr_assert_not(literal("[fe80::1%nosuchlink]:1"));
    cr_assert(literal("[fe80::1%lo]:1"));
    thi_sockaddr_print(&addr, printed);
    cr_assert_str_eq(printed, "[fe80::1%1]:1");
}

Test(hostport, loopback_is_what_never_leaves)
{
    static const char *const here[] = { "127.0.0.1:1", "127.255.0.9:1", "[::1]:1",
                                        "[::ffff:127.0.0.1]:1" };
    static const char *const away[] = { "0.0.0.0:1", "126.0.0.1:1",         "[::]:1",
                                        "[::2]:1",   "[::ffff:10.0.0.1]:1", "[fe80::1%lo]:1" };

    for (size_t i = 0; i < sizeof(here) / sizeof(here[0]); i++)
        cr_assert(literal(here[i]) && thi_sockaddr_is_loopback(&addr), "%s", here[i]);
    for (size_t i = 0; i < sizeof(away) / sizeof(away[0]); i++)
        cr_assert(literal(away[i]) && !thi_sockaddr_is_loopback(&addr), "%s", away[i]);
}

static bool same(const char *a, const char *b)
{
    struct thi_sockaddr first;

    cr_assert(literal(a));
    first = addr;
    cr_assert(literal(b));
    return thi_sockaddr_same_host(&first, &addr) && thi_sockaddr_same_host(&addr, &first);
}

Test(hostport, a_host_is_the_same_at_any_port)
{
    cr_assert(same("10.0.0.1:1", "10.0.0.1:2"));
    cr_assert_not(same("10.0.0.1:1", "10.0.0.2:1"));
    cr_assert(same("10.0.0.1:1", "[::ffff:10.0.0.1]:2"), "IPv4 in IPv6's clothes");
    cr_assert(same("[2001:db8:1:2::1]:1", "[2001:db8:1:2:ffff::9]:1"), "one customer's");
    cr_assert_not(same("[2001:db8:1:2::1]:1", "[2001:db8:1:3::1]:1"));
    cr_assert_not(same("0.0.0.0:1", "[::1]:1"));
}

Test(hostport, families_take_turns)
{
    static const char *const before[] = { "[::1]:1", "[::2]:1", "[::3]:1", "1.0.0.1:1",
                                          "1.0.0.2:1" };
    static const char *const after[] = { "[::1]:1", "1.0.0.1:1", "[::2]:1", "1.0.0.2:1",
                                         "[::3]:1" };
    struct thi_sockaddr all[5];
    char printed[THI_HOSTPORT_SIZE];

    for (unsigned i = 0; i < 5; i++) {
        cr_assert(literal(before[i]));
        all[i] = addr;
    }
    thi_sockaddr_interleave(all, 5);
    for (unsigned i = 0; i < 5; i++) {
        thi_sockaddr_print(&all[i], printed);
        cr_assert_str_eq(printed, after[i]);
    }
}
