/* mailroom.h: what the tests of this floor stand on. */
#ifndef TESTS_MAILBOX_MAILROOM_H
#define TESTS_MAILBOX_MAILROOM_H

#include <criterion/criterion.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mailbox/alloc.h"
#include "mailbox/voice.h"

struct mailroom {
    struct thi_memory memory;
    struct thi_depot depot;
    struct thi_heap heap;
    struct thi_voice voice;
};

TH_UNUSED static void mailroom_open(struct mailroom *room, uint64_t memory_max)
{
    memset(room, 0, sizeof(*room));
    cr_assert_eq(thi_memory_init(&room->memory, NULL, memory_max), TH_OK);
    thi_depot_init(&room->depot, &room->memory);
    thi_heap_init(&room->heap, &room->memory, &room->depot);
    room->voice.heap = &room->heap;
}

/* Everything must be back. */
TH_UNUSED static void mailroom_close(struct mailroom *room)
{
    thi_heap_fini(&room->heap);
    cr_assert_eq(thi_depot_fini(&room->depot), 0, "blocks are still out");
    cr_assert_eq(thi_memory_fini(&room->memory), 0, "bytes are still out");
}

TH_UNUSED static th_self *mailroom_self(struct mailroom *room)
{
    return (th_self *)(void *)&room->voice;
}

/* SplitMix64, by Sebastiano Vigna. */
TH_UNUSED static uint64_t mailroom_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Whether a process that does @crime ends otherwise than well. */
TH_UNUSED static bool mailroom_dies(void (*crime)(void))
{
    int status = 0;
    pid_t child = fork();

    cr_assert_geq(child, 0);
    if (child == 0) {
        int nowhere = open("/dev/null", O_WRONLY);

        signal(SIGABRT, SIG_DFL);
        dup2(nowhere, STDERR_FILENO);
        crime();
        _exit(0);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    return !(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* Runs @body in @count threads at once and waits for all. */
TH_UNUSED static void mailroom_threads(int count, void *(*body)(void *), void *contexts,
                                       size_t context_size)
{
    pthread_t threads[8];
    int i;

    cr_assert_leq(count, 8);
    for (i = 0; i < count; i++)
        cr_assert_eq(
            pthread_create(&threads[i], NULL, body, (char *)contexts + (size_t)i * context_size),
            0);
    for (i = 0; i < count; i++)
        cr_assert_eq(pthread_join(threads[i], NULL), 0);
}

#endif
