#include "transport/link/tcp.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "transport/link/hub.h"
#include <thespis/log.h>

/* Whoever dials us is a stranger until his greeting is over, and strangers are few: so many in all,
 * so many from one host. Turned away means closed before a byte is read.
 *
 * Without descriptors (EMFILE, ENFILE) accept() fails, and the connection stays where it is: the
 * listening socket is readable for ever, and a loop that waits for it spins. So:
 *
 *   1. What lingers is closed, then what is idle (thi_hub_shed()); then accept() goes on.
 *   2. Nothing to close: the reserve, a descriptor kept back for this, is given to the one at the
 *      door. A host with too many strangers is turned away and the reserve is ours again; anybody
 *      else is let in with it.
 *   3. Then the doors are closed until the reserve can be had again: tried whenever a connection
 *      ends, and every TH_LINK_ACCEPT_PAUSE_NS. Who dials meanwhile waits in the kernel's queue. */

/* ---- at the door ---- */

/* Those whose greeting is over are counted out here, when it matters. */
static bool is_one_too_many(struct thi_tcp *tcp, const struct thi_sockaddr *far)
{
    struct thi_stream *next;
    unsigned same = 0;

    for (struct thi_stream *at = TAILQ_FIRST(&tcp->strangers); at; at = next) {
        next = TAILQ_NEXT(at, of_strangers);
        if (at->conn && thi_conn_has_greeted(at->conn)) {
            TAILQ_REMOVE(&tcp->strangers, at, of_strangers);
            at->is_stranger = false;
            tcp->stranger_count--;
        } else {
            same += thi_sockaddr_same_host(&at->far, far);
        }
    }
    return same >= tcp->options.strangers_per_host ||
           tcp->stranger_count >= tcp->options.strangers_max;
}

static void turn_away(struct thi_tcp *tcp, int fd, const struct thi_sockaddr *far, const char *why)
{
    char text[THI_HOSTPORT_SIZE];

    (void)close(fd);
    tcp->figures.turned_away++;
    thi_sockaddr_print(far, text);
    thi_tcp_note(tcp, TH_LOG_WARN, "%s was turned away: %s", text, why);
}

static void let_in(struct thi_tcp *tcp, int fd, const struct thi_sockaddr *far)
{
    struct thi_stream *stream;
    int on = 1;

    if (is_one_too_many(tcp, far)) {
        turn_away(tcp, fd, far, "too many connections that have not greeted");
        return;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    stream = thi_stream_create(tcp, THI_STREAM_OPEN);
    if (!stream) {
        turn_away(tcp, fd, far, th_strerror(TH_E_NOMEM));
        return;
    }
    stream->far = *far;
    if (thi_stream_adopt(stream, fd) != TH_OK) {
        thi_stream_end(stream);
        return;
    }
    stream->is_stranger = true;
    TAILQ_INSERT_TAIL(&tcp->strangers, stream, of_strangers);
    tcp->stranger_count++;
    thi_stream_connected(stream);
}

/* ---- the doors ---- */

static void on_knock(uv_poll_t *poll, int status, int events);

static bool take_reserve(struct thi_tcp *tcp)
{
    if (tcp->reserve < 0)
        tcp->reserve = fcntl(tcp->loop.bell, F_DUPFD_CLOEXEC, 0);
    return tcp->reserve >= 0;
}

static void open_doors(struct thi_tcp *tcp)
{
    tcp->accept_again_ns = UINT64_MAX;
    for (unsigned i = 0; i < tcp->listener_count; i++)
        (void)uv_poll_start(&tcp->listeners[i].poll, UV_READABLE, on_knock);
}

static void close_doors(struct thi_tcp *tcp)
{
    tcp->accept_again_ns = thi_clock_after(thi_loop_now(&tcp->loop), tcp->options.accept_pause_ns);
    for (unsigned i = 0; i < tcp->listener_count; i++)
        (void)uv_poll_stop(&tcp->listeners[i].poll);
}

void thi_listen_again(struct thi_tcp *tcp)
{
    if (tcp->accept_again_ns == UINT64_MAX || tcp->is_stopping)
        return;
    if (take_reserve(tcp))
        open_doors(tcp);
    else
        close_doors(tcp); /* for another while */
}

static int accept_one(struct thi_listener *listener, struct thi_sockaddr *far)
{
    far->size = sizeof(far->storage);
    return accept4(listener->fd, (struct sockaddr *)&far->storage, &far->size,
                   SOCK_NONBLOCK | SOCK_CLOEXEC);
}

/* False: nobody is at the door, or it is closed. */
static bool answer_the_door(struct thi_listener *listener)
{
    struct thi_tcp *tcp = listener->tcp;
    struct thi_sockaddr far;
    bool gave_reserve = false;
    int fd = accept_one(listener, &far);

    if (fd < 0 && (errno == EMFILE || errno == ENFILE)) {
        if (!thi_tcp_make_room(tcp)) {
            if (tcp->reserve < 0) {
                close_doors(tcp);
                return false;
            }
            (void)close(tcp->reserve);
            tcp->reserve = -1;
            gave_reserve = true;
        }
        fd = accept_one(listener, &far);
    }
    if (fd >= 0)
        let_in(tcp, fd, &far);
    if (gave_reserve && !take_reserve(tcp)) {
        close_doors(tcp);
        return false;
    }
    if (fd >= 0)
        return true;
    /* whoever was there has hung up already (ECONNABORTED), or the network has trouble with him:
     * accept(2) says to go on; without memory (ENOBUFS, ENOMEM) the next round tries again */
    return errno == ECONNABORTED || errno == EINTR || errno == EPROTO || errno == ENETDOWN ||
           errno == EHOSTUNREACH || errno == ENETUNREACH || errno == EPERM;
}

static void on_knock(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    for (unsigned i = 0; i < TH_LINK_ACCEPT_TURN; i++)
        if (!answer_the_door(poll->data))
            return;
}

/* ---- which doors there are ---- */

static th_err complain(char *why, size_t why_size, const struct thi_sockaddr *at, const char *what,
                       th_err err)
{
    char text[THI_HOSTPORT_SIZE];

    thi_sockaddr_print(at, text);
    (void)snprintf(why, why_size, "cannot listen on %s: %s", text, what);
    return err;
}

static th_err open_one(struct thi_tcp *tcp, const struct thi_sockaddr *at, char *why,
                       size_t why_size)
{
    struct thi_listener *listener = &tcp->listeners[tcp->listener_count];
    int on = 1, fd;

    if (tcp->listener_count == TH_LINK_LISTENERS_MAX)
        return complain(why, why_size, at, "more addresses than TH_LINK_LISTENERS_MAX", TH_E_LIMIT);
    if (!thi_tcp_may_reach(tcp, at))
        return complain(why, why_size, at, thi_tcp_not_beyond_loopback, TH_E_NOT_ALLOWED);
    fd = socket(at->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    if (fd < 0)
        return complain(why, why_size, at, strerror(errno), TH_E_THREAD);
    /* a restarted program has its port back at once, although its old connections still time out */
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (at->storage.ss_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    listener->at = *at;
    listener->at.size = sizeof(listener->at.storage);
    if (bind(fd, (const struct sockaddr *)&at->storage, at->size) != 0 ||
        listen(fd, TH_LINK_BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&listener->at.storage, &listener->at.size) != 0) {
        int error = errno;

        (void)close(fd);
        return complain(why, why_size, at,
                        error == EADDRINUSE ? "another program has that port" : strerror(error),
                        error == EADDRINUSE ? TH_E_EXISTS : TH_E_THREAD);
    }
    if (uv_poll_init(&tcp->loop.uv, &listener->poll, fd) != 0) {
        (void)close(fd);
        return complain(why, why_size, at, th_strerror(TH_E_NOMEM), TH_E_NOMEM);
    }
    listener->tcp = tcp;
    listener->fd = fd;
    listener->poll.data = listener;
    tcp->listener_count++;
    return TH_OK;
}

static void close_from(struct thi_tcp *tcp, unsigned first)
{
    while (tcp->listener_count > first) {
        struct thi_listener *listener = &tcp->listeners[--tcp->listener_count];

        uv_close((uv_handle_t *)&listener->poll, NULL);
        (void)close(listener->fd);
    }
}

/* The addresses that @at stands for; how many. */
static unsigned resolve(struct thi_tcp *tcp, const struct thi_hostport *at,
                        struct thi_sockaddr *all, char *why, size_t why_size)
{
    static const struct thi_hostport any[] = { { .host = "::" }, { .host = "0.0.0.0" } };
    unsigned count = 1;

    if (!*at->host) {
        count = 2;
        (void)thi_hostport_literal(&any[0], &all[0]);
        (void)thi_hostport_literal(&any[1], &all[1]);
    } else if (!thi_hostport_literal(at, &all[0])) {
        count = tcp->options.resolve(tcp->options.resolve_context, at->host, all,
                                     TH_LINK_ADDRESSES_MAX, why, why_size);
    }
    for (unsigned i = 0; i < count; i++)
        thi_sockaddr_set_port(&all[i], at->port);
    return count;
}

/* Several addresses of one text have one port. A family that this machine does not have is left
 * out, as long as another one is there. */
static th_err open_all(struct thi_tcp *tcp, struct thi_sockaddr *all, unsigned count, char *why,
                       size_t why_size)
{
    unsigned first = tcp->listener_count;
    th_err err = TH_OK;

    for (unsigned i = 0; i < count; i++) {
        if (tcp->listener_count > first)
            thi_sockaddr_set_port(&all[i], thi_sockaddr_port(&tcp->listeners[first].at));
        err = open_one(tcp, &all[i], why, why_size);
        if (err && !(err == TH_E_THREAD && count > 1))
            return err;
    }
    return tcp->listener_count > first ? TH_OK : err;
}

th_err thi_listen_open(struct thi_tcp *tcp, const char *text, char *why, size_t why_size)
{
    enum { TRIES = 8 };
    struct thi_sockaddr all[TH_LINK_ADDRESSES_MAX];
    struct thi_hostport at;
    unsigned first = tcp->listener_count, count;
    char reason[160] = "";
    const char *wrong;
    th_err err;

    err = thi_hostport_parse(&at, text, &wrong);
    if (err) {
        (void)snprintf(why, why_size, "cannot listen on %.128s: %s", text, wrong);
        return err;
    }
    count = resolve(tcp, &at, all, reason, sizeof(reason));
    if (count == 0) {
        (void)snprintf(why, why_size, "cannot listen on %.128s: %s", text, reason);
        return TH_E_INVALID;
    }
    /* the port that the kernel chose for one family may be taken in the other: another one, then */
    for (unsigned i = 0; i < TRIES; i++) {
        err = open_all(tcp, all, count, why, why_size);
        if (!err || at.port != 0 || err != TH_E_EXISTS)
            break;
        close_from(tcp, first);
        thi_sockaddr_set_port(&all[0], 0);
    }
    return err;
}

void thi_listen_start(struct thi_tcp *tcp)
{
    (void)take_reserve(tcp); /* without one: as if it had been given away */
    open_doors(tcp);
}

void thi_listen_close(struct thi_tcp *tcp)
{
    close_from(tcp, 0);
    tcp->accept_again_ns = UINT64_MAX;
    if (tcp->reserve >= 0)
        (void)close(tcp->reserve);
    tcp->reserve = -1;
}
