/* echo.c: a TCP server that sends back what it gets: a listener actor, an actor per connection.
 *
 *     echo [PORT [CONNECTIONS]]    on loopback; PORT 0 (the default): any, which it prints. Beyond
 *                                  CONNECTIONS (1000) at once the next one waits in the kernel.
 *
 * Shows watched descriptors: accepting with limits and without descriptors, partial reads and
 * writes, and a reader that is too slow: what cannot be written back is not read before, so a
 * connection never holds more than one buffer. Ends by SIGTERM. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <thespis/thespis.h>
#include <unistd.h>

enum { BUFFER_SIZE = 16384, ACCEPTS_A_TURN = 64 };

/* ---- a connection ---- */

#define SOCKET_FIELDS(F, S) F(S, i32, fd)
TH_MESSAGE(socket_arg, SOCKET_FIELDS);
TH_MESSAGE_TYPE(socket_arg, SOCKET_FIELDS)

struct connection {
    int fd;
    uint64_t watch;
    size_t start, end; /* of what is to be sent back */
    bool is_over;      /* the other side has said all it will */
    char buffer[BUFFER_SIZE];
};

static th_err connection_begin(th_self *self, void *state, const th_msg *arg)
{
    struct connection *connection = state;

    connection->fd = socket_arg_of(arg)->fd;
    return th_watch_fd(self, connection->fd, TH_FD_READABLE, TH_WATCH_LEVEL, &connection->watch);
}

/* The watch has ended before: an actor's end is its watches'. */
static void connection_end(th_self *self, void *state)
{
    close(((struct connection *)state)->fd);
}

static bool is_for_later(ssize_t done)
{
    return done < 0 && (errno == EAGAIN || errno == EINTR);
}

/* false: the connection is broken. */
static bool take(struct connection *connection)
{
    ssize_t got = read(connection->fd, connection->buffer, BUFFER_SIZE);

    if (is_for_later(got))
        return true;
    connection->start = 0;
    connection->end = got > 0 ? (size_t)got : 0;
    connection->is_over = got == 0;
    return got >= 0;
}

static bool give(struct connection *connection)
{
    while (connection->start < connection->end) {
        ssize_t put = send(connection->fd, connection->buffer + connection->start,
                           connection->end - connection->start, MSG_NOSIGNAL);

        if (put < 0)
            return is_for_later(put);
        connection->start += (size_t)put;
    }
    return true;
}

static th_err connection_receive(th_self *self, void *state, const th_msg *msg)
{
    const struct th_fd_ready *ready = th_fd_ready_of(msg);
    struct connection *connection = state;
    bool is_well = true;

    if (!ready)
        return TH_OK;
    if (connection->start == connection->end && ready->readable)
        is_well = take(connection);
    if (is_well)
        is_well = give(connection);
    if (!is_well || (connection->is_over && connection->start == connection->end))
        return th_exit(self);
    return th_watch_rearm(self, connection->watch,
                          connection->start < connection->end ? TH_FD_WRITABLE : TH_FD_READABLE);
}

static const th_class connection_class = { .name = "connection",
                                           .state_size = sizeof(struct connection),
                                           .init = connection_begin,
                                           .receive = connection_receive,
                                           .exit = connection_end,
                                           .on_failure = TH_ON_FAILURE_STOP };

/* ---- the listener ---- */

#define LISTEN_FIELDS(F, S) F(S, i32, fd) F(S, u32, most)
TH_MESSAGE(listen_arg, LISTEN_FIELDS);
TH_MESSAGE_TYPE(listen_arg, LISTEN_FIELDS)

struct listener {
    int fd;
    uint64_t watch;
    uint32_t connections, most;
};

static th_err listener_begin(th_self *self, void *state, const th_msg *arg)
{
    struct listener *listener = state;

    listener->fd = listen_arg_of(arg)->fd;
    listener->most = listen_arg_of(arg)->most;
    return th_watch_fd(self, listener->fd, TH_FD_READABLE, TH_WATCH_LEVEL, &listener->watch);
}

/* The descriptor is the new actor's, and its exit function closes it, even after a failed init. */
static th_err admit(th_self *self, struct listener *listener, int fd)
{
    struct socket_arg *body;
    th_msg *arg = socket_arg_new(self, &body);
    th_addr ignored;
    th_err err;

    if (arg)
        body->fd = fd;
    err = arg ? th_spawn(self, &connection_class, arg, &ignored) : TH_E_NOMEM;
    if (err)
        close(fd);
    else
        listener->connections++;
    return err;
}

static th_err accept_some(th_self *self, struct listener *listener)
{
    for (int i = 0; i < ACCEPTS_A_TURN && listener->connections < listener->most; i++) {
        int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0) {
            th_err err = admit(self, listener, fd);

            if (err)
                return err;
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            /* it stays readable: so look away for a while */
            th_err err = th_watch_rearm(self, listener->watch, 0);

            return err ? err : th_wakeup_after(self, TH_MS(50), NULL, NULL);
        } else if (errno == EAGAIN) {
            break;
        } /* else: that one has gone already */
    }
    return th_watch_rearm(self, listener->watch,
                          listener->connections < listener->most ? TH_FD_READABLE : 0);
}

static th_err listener_receive(th_self *self, void *state, const th_msg *msg)
{
    struct listener *listener = state;

    if (th_child_exited_of(msg))
        listener->connections--;
    if (th_fd_ready_of(msg) || th_wakeup_of(msg) || th_child_exited_of(msg))
        return accept_some(self, listener);
    return TH_OK;
}

static const th_class listener_class = { .name = "listener",
                                         .state_size = sizeof(struct listener),
                                         .init = listener_begin,
                                         .receive = listener_receive };

/* ---- the program ---- */

static int open_port(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), yes = 1;
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
    socklen_t size = sizeof(at);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) ||
        bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 512) ||
        getsockname(fd, (struct sockaddr *)&at, &size)) {
        perror("echo");
        exit(1);
    }
    printf("listening on 127.0.0.1:%u\n", ntohs(at.sin_port));
    fflush(stdout);
    return fd;
}

int main(int count, char **words)
{
    int fd = open_port((uint16_t)(count > 1 ? atoi(words[1]) : 0));
    th_system *system = th_system_create(&(th_options){ .signals = TH_SIGNAL_TERM });
    struct listen_arg *body;
    th_addr listener;
    th_msg *arg;

    if (th_system_start(system))
        return 1;
    arg = listen_arg_new(th_system_self(system), &body);
    if (arg)
        *body = (struct listen_arg){ fd, count > 2 ? (uint32_t)atoi(words[2]) : 1000 };
    if (th_spawn(th_system_self(system), &listener_class, arg, &listener) ||
        th_system_wait(system, TH_FOREVER))
        return 1;
    if (th_system_shutdown(system, TH_S(5), NULL, NULL) || th_system_destroy(system))
        return 1;
    close(fd);
    return 0;
}
