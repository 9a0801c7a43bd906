/* examples/echo, driven by many connections at once: every byte comes back, and when they are gone
 * so are their descriptors. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/talk.h"

enum { CONNECTIONS = 150, BYTES_MOST = 300000, PATIENCE_MS = 30000 };

struct server {
    pid_t pid;
    uint16_t port;
};

/* Beside this program's folder. */
static void path_of_echo(char *path, size_t size)
{
    char self[512];
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

    cr_assert_gt(length, 0);
    self[length] = '\0';
    *strrchr(self, '/') = '\0';
    *strrchr(self, '/') = '\0';
    snprintf(path, size, "%.480s/examples/echo", self);
}

static struct server start(const char *most, rlim_t descriptors)
{
    struct server server;
    char path[512], line[64] = "";
    unsigned port = 0;
    int ends[2];

    path_of_echo(path, sizeof(path));
    cr_assert_eq(pipe(ends), 0);
    server.pid = fork();
    cr_assert_geq(server.pid, 0);
    if (server.pid == 0) {
        struct rlimit limit = { descriptors, descriptors };

        if (descriptors)
            setrlimit(RLIMIT_NOFILE, &limit);
        dup2(ends[1], STDOUT_FILENO);
        for (int fd = 3; fd < 64; fd++)
            close(fd);
        execl(path, path, "0", most, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    cr_assert_gt(read(ends[0], line, sizeof(line) - 1), 0);
    close(ends[0]);
    cr_assert_eq(sscanf(line, "listening on 127.0.0.1:%u", &port), 1, "'%s'", line);
    server.port = (uint16_t)port;
    return server;
}

/* The listener's included. */
static int sockets_of(pid_t pid)
{
    char path[512], target[64];
    struct dirent *entry;
    int count = 0;
    DIR *folder;

    snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
    folder = opendir(path);
    cr_assert_not_null(folder);
    while ((entry = readdir(folder))) {
        snprintf(path, sizeof(path), "/proc/%d/fd/%s", (int)pid, entry->d_name);
        if (readlink(path, target, sizeof(target)) > 0 && strncmp(target, "socket:", 7) == 0)
            count++;
    }
    closedir(folder);
    return count;
}

/* ---- a client ---- */

struct client {
    int fd;
    uint32_t bytes, sent, heard;
    uint32_t seed;
    bool is_done;
};

static char byte_at(const struct client *client, uint32_t at)
{
    return (char)((at + client->seed) * 2654435761u >> 24);
}

static void open_client(struct client *client, uint16_t port, uint32_t seed)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *client = (struct client){ .seed = seed, .bytes = seed % 5 ? seed * 97 % 5000 : BYTES_MOST };
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_geq(client->fd, 0);
    cr_assert_eq(connect(client->fd, (struct sockaddr *)&at, sizeof(at)), 0);
    cr_assert_eq(fcntl(client->fd, F_SETFL, O_NONBLOCK), 0);
}

static void send_some(struct client *client)
{
    char text[8192];
    uint32_t count = client->bytes - client->sent;
    ssize_t put;

    count = count < sizeof(text) ? count : (uint32_t)sizeof(text);
    for (uint32_t i = 0; i < count; i++)
        text[i] = byte_at(client, client->sent + i);
    put = send(client->fd, text, count, MSG_NOSIGNAL);
    cr_assert(put >= 0 || errno == EAGAIN);
    if (put > 0)
        client->sent += (uint32_t)put;
    if (client->sent == client->bytes)
        cr_assert_eq(shutdown(client->fd, SHUT_WR), 0);
}

static void hear_some(struct client *client)
{
    char text[8192];
    ssize_t got = recv(client->fd, text, sizeof(text), 0);

    cr_assert(got >= 0 || errno == EAGAIN);
    for (ssize_t i = 0; i < got; i++)
        cr_assert_eq(text[i], byte_at(client, client->heard + (uint32_t)i));
    if (got > 0)
        client->heard += (uint32_t)got;
    if (got == 0) {
        cr_assert_eq(client->heard, client->bytes, "%u of %u bytes", client->heard, client->bytes);
        client->is_done = true;
        close(client->fd);
    }
}

static void converse(uint16_t port, unsigned count)
{
    static struct client clients[CONNECTIONS];
    struct pollfd fds[CONNECTIONS];
    unsigned done = 0;

    for (unsigned i = 0; i < count; i++)
        open_client(&clients[i], port, i);
    while (done < count) {
        for (unsigned i = 0; i < count; i++) {
            fds[i] = (struct pollfd){ clients[i].is_done ? -1 : clients[i].fd, POLLIN, 0 };
            if (clients[i].sent < clients[i].bytes)
                fds[i].events |= POLLOUT;
            else if (clients[i].bytes == 0 && !clients[i].is_done)
                (void)shutdown(clients[i].fd, SHUT_WR);
        }
        cr_assert_gt(poll(fds, count, PATIENCE_MS), 0, "%u of %u are done", done, count);
        for (unsigned i = 0; i < count; i++) {
            if (fds[i].revents & POLLOUT)
                send_some(&clients[i]);
            if (fds[i].revents & (POLLIN | POLLHUP | POLLERR))
                hear_some(&clients[i]);
            done += fds[i].fd >= 0 && clients[i].is_done;
        }
    }
}

static void stop(struct server server)
{
    int status;

    while (sockets_of(server.pid) > 1) /* the test's time limit ends a leak */
        sched_yield();
    cr_assert_eq(kill(server.pid, SIGTERM), 0);
    cr_assert_eq(waitpid(server.pid, &status, 0), server.pid);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", (unsigned)status);
}

Test(echo, every_byte_comes_back, .timeout = 60)
{
    struct server server = start("1000", 0);

    for (int round = 0; round < 2; round++)
        converse(server.port, CONNECTIONS);
    stop(server);
}

Test(echo, more_connections_than_it_takes, .timeout = 60)
{
    struct server server = start("5", 0);

    converse(server.port, 60);
    stop(server);
}

Test(echo, more_connections_than_it_has_descriptors, .timeout = 60)
{
    struct server server = start("1000", 24);

    converse(server.port, 60);
    stop(server);
}
