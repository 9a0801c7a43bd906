/* tests/support/tunrelay.h: a bad line between two network namespaces.
 *
 * Each end is a TUN device in a namespace of its own; a thread of ours carries the packets between
 * them and does to them what a seed decides: loses, delays, reorders, doubles, slows and cuts. So
 * no tool of the machine's is needed (tc's netem is missing from many kernels), and one seed treats
 * the n-th packet alike in each run. When which packet comes the kernel's TCP decides all the same,
 * so two runs differ: a test asserts what holds for any.
 *
 * Needs the right to make namespaces: root, or user namespaces. */
#ifndef TESTS_SUPPORT_TUNRELAY_H
#define TESTS_SUPPORT_TUNRELAY_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { TUNRELAY_PACKETS = 1024, TUNRELAY_MTU = 1500 };

/* Per thousand packets, and microseconds; all may be changed while it runs. */
struct tunrelay_line {
    _Atomic uint32_t lost, doubled, delayed; /* per thousand */
    _Atomic uint32_t delay_us;               /* every packet */
    _Atomic uint32_t jitter_us;              /* more, for those delayed: who overtakes them? */
    _Atomic uint32_t bytes_per_ms;           /* 0: as fast as it goes */
    _Atomic bool is_cut[2];                  /* from that end to the other */
};

struct tunrelay_packet {
    uint64_t due_ns;
    uint16_t size;
    uint8_t to;
    char bytes[TUNRELAY_MTU];
};

struct tunrelay {
    struct tunrelay_line line;
    int end[2];  /* TUN devices */
    int home;    /* the namespace we came from */
    int ends[2]; /* theirs, for those that are to live there */
    uint64_t random;
    uint64_t free_ns[2]; /* when the line to that end is free again */
    struct tunrelay_packet *waiting[TUNRELAY_PACKETS];
    unsigned count;
    struct tunrelay_packet room[TUNRELAY_PACKETS];
    struct tunrelay_packet *spare[TUNRELAY_PACKETS];
    unsigned spare_count;
    pthread_t thread;
    _Atomic bool stop;
    _Atomic uint64_t carried, dropped, doubled;
};

/* Two namespaces, 10.77.0.1 in the first and 10.77.0.2 in the second, and a good line between them.
 * From a process with one thread, which gets a user namespace of its own unless it is root's.
 * False: not permitted here; *why_out says what was not. */
bool tunrelay_open(struct tunrelay *relay, uint64_t seed, const char **why_out);

/* The calling thread, and what it makes from now on, lives at end 0 or 1; 2: where it came from. */
bool tunrelay_enter(struct tunrelay *relay, unsigned end);

/* The line comes to life, and ends. Packets on it are lost. */
bool tunrelay_start(struct tunrelay *relay);
void tunrelay_close(struct tunrelay *relay);

#endif
