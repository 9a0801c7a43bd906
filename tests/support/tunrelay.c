#include "tunrelay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

/* ---- namespaces and devices ---- */

static bool write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

    if (fd >= 0)
        close(fd);
    return done;
}

/* Root in a user namespace of our own, where the machine allows it. */
static bool become_root(void)
{
    char map[64];
    uid_t uid = geteuid();
    gid_t gid = getegid();

    if (uid == 0)
        return true;
    if (unshare(CLONE_NEWUSER) != 0 || !write_file("/proc/self/setgroups", "deny"))
        return false;
    snprintf(map, sizeof(map), "0 %u 1", (unsigned)uid);
    if (!write_file("/proc/self/uid_map", map))
        return false;
    snprintf(map, sizeof(map), "0 %u 1", (unsigned)gid);
    return write_file("/proc/self/gid_map", map);
}

static bool raise_interface(int fd, const char *name, const char *address)
{
    struct ifreq request = { 0 };
    struct sockaddr_in at = { .sin_family = AF_INET };

    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
    if (address) {
        inet_pton(AF_INET, address, &at.sin_addr);
        memcpy(&request.ifr_addr, &at, sizeof(at));
        if (ioctl(fd, SIOCSIFADDR, &request) != 0)
            return false;
        inet_pton(AF_INET, "255.255.255.0", &at.sin_addr);
        memcpy(&request.ifr_netmask, &at, sizeof(at));
        if (ioctl(fd, SIOCSIFNETMASK, &request) != 0)
            return false;
    }
    if (ioctl(fd, SIOCGIFFLAGS, &request) != 0)
        return false;
    request.ifr_flags |= IFF_UP;
    return ioctl(fd, SIOCSIFFLAGS, &request) == 0;
}

/* The calling thread moves into a new namespace with one end of the line in it. */
static bool open_end(struct tunrelay *relay, unsigned end)
{
    struct ifreq request = { .ifr_name = "lane", .ifr_flags = IFF_TUN | IFF_NO_PI };
    int asks;
    bool done;

    if (unshare(CLONE_NEWNET) != 0)
        return false;
    relay->ends[end] = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    relay->end[end] = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (relay->end[end] < 0 || ioctl(relay->end[end], TUNSETIFF, &request) != 0)
        return false;
    asks = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    done = raise_interface(asks, "lo", NULL) &&
           raise_interface(asks, "lane", end == 0 ? "10.77.0.1" : "10.77.0.2");
    close(asks);
    return done;
}

bool tunrelay_enter(struct tunrelay *relay, unsigned end)
{
    return setns(end < 2 ? relay->ends[end] : relay->home, CLONE_NEWNET) == 0;
}

bool tunrelay_open(struct tunrelay *relay, uint64_t seed, const char **why_out)
{
    memset(relay, 0, sizeof(*relay));
    relay->end[0] = relay->end[1] = relay->ends[0] = relay->ends[1] = -1;
    relay->random = seed;
    for (unsigned i = 0; i < TUNRELAY_PACKETS; i++)
        relay->spare[relay->spare_count++] = &relay->room[i];
    relay->home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    *why_out = "no user namespaces";
    if (!become_root())
        return false;
    *why_out = "no network namespaces, or no TUN devices";
    return open_end(relay, 0) && open_end(relay, 1);
}

/* ---- the line ---- */

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* SplitMix64, by Sebastiano Vigna. */
static uint64_t draw(struct tunrelay *relay, uint64_t below)
{
    uint64_t z = (relay->random += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % below;
}

/* Behind those that are due before it, or at the same time. */
static void queue(struct tunrelay *relay, struct tunrelay_packet *packet)
{
    unsigned at = relay->count++;

    for (; at > 0 && relay->waiting[at - 1]->due_ns > packet->due_ns; at--)
        relay->waiting[at] = relay->waiting[at - 1];
    relay->waiting[at] = packet;
}

static uint64_t when_due(struct tunrelay *relay, const struct tunrelay_packet *packet, bool is_late)
{
    uint64_t due = now_ns() + relay->line.delay_us * 1000ull;

    if (relay->line.bytes_per_ms > 0) {
        uint64_t *is_free = &relay->free_ns[packet->to];

        *is_free = (*is_free > due ? *is_free : due) +
                   packet->size * 1000000ull / relay->line.bytes_per_ms;
        due = *is_free;
    }
    if (is_late && relay->line.jitter_us > 0)
        due += draw(relay, relay->line.jitter_us) * 1000ull;
    return due;
}

static void take_one(struct tunrelay *relay, unsigned from, const char *bytes, size_t size)
{
    /* drawn for every packet, so that one decision does not move the others */
    bool is_lost = draw(relay, 1000) < relay->line.lost;
    bool is_doubled = draw(relay, 1000) < relay->line.doubled;
    bool is_late = draw(relay, 1000) < relay->line.delayed;

    for (unsigned copies = is_doubled ? 2 : 1; copies > 0; copies--) {
        struct tunrelay_packet *packet;

        if (is_lost || relay->line.is_cut[from] || relay->spare_count == 0) {
            relay->dropped++;
            continue;
        }
        packet = relay->spare[--relay->spare_count];
        packet->to = (uint8_t)!from;
        packet->size = (uint16_t)size;
        memcpy(packet->bytes, bytes, size);
        packet->due_ns = when_due(relay, packet, is_late);
        queue(relay, packet);
    }
    relay->doubled += is_doubled;
}

static void take_in(struct tunrelay *relay, unsigned from)
{
    char bytes[TUNRELAY_MTU];
    ssize_t size;

    while ((size = read(relay->end[from], bytes, sizeof(bytes))) > 0)
        take_one(relay, from, bytes, (size_t)size);
}

static void hand_out(struct tunrelay *relay)
{
    unsigned done = 0;
    uint64_t now = now_ns();

    for (; done < relay->count && relay->waiting[done]->due_ns <= now; done++) {
        struct tunrelay_packet *packet = relay->waiting[done];

        if (relay->line.is_cut[!packet->to] ||
            write(relay->end[packet->to], packet->bytes, packet->size) < 0)
            relay->dropped++;
        else
            relay->carried++;
        relay->spare[relay->spare_count++] = packet;
    }
    relay->count -= done;
    memmove(relay->waiting, relay->waiting + done, relay->count * sizeof(relay->waiting[0]));
}

static void *run(void *context)
{
    struct tunrelay *relay = context;

    while (!relay->stop) {
        struct pollfd ends[2] = { { .fd = relay->end[0], .events = POLLIN },
                                  { .fd = relay->end[1], .events = POLLIN } };
        struct timespec wait = { .tv_nsec = 5000000 }; /* looks at `stop` now and then */

        if (relay->count > 0) {
            uint64_t now = now_ns(), due = relay->waiting[0]->due_ns;

            if (due < now + 5000000)
                wait.tv_nsec = due > now ? (long)(due - now) : 0;
        }
        (void)ppoll(ends, 2, &wait, NULL);
        take_in(relay, 0);
        take_in(relay, 1);
        hand_out(relay);
    }
    return NULL;
}

bool tunrelay_start(struct tunrelay *relay)
{
    return pthread_create(&relay->thread, NULL, run, relay) == 0;
}

void tunrelay_close(struct tunrelay *relay)
{
    if (relay->thread) {
        relay->stop = true;
        pthread_join(relay->thread, NULL);
    }
    for (unsigned i = 0; i < 2; i++) {
        if (relay->end[i] >= 0)
            close(relay->end[i]);
        if (relay->ends[i] >= 0)
            close(relay->ends[i]);
    }
    if (relay->home >= 0) {
        (void)setns(relay->home, CLONE_NEWNET);
        close(relay->home);
    }
}
