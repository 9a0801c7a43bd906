#include "leaks.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Entries of @path but for . and .., and without the descriptor that looks. */
static int count(const char *path)
{
    DIR *folder = opendir(path);
    int entries = 0;

    cr_assert_not_null(folder, "%s cannot be read", path);
    while (readdir(folder))
        entries++;
    closedir(folder);
    return entries;
}

static void *say_path(void *context)
{
    snprintf(context, 64, "/proc/self/task/%ld", (long)syscall(SYS_gettid));
    return NULL;
}

/* A sanitizer starts a thread of its own beside the program's first; after this it is there. */
static void start_first_thread(void)
{
    static bool is_done;
    char path[64];
    pthread_t thread;

    if (is_done)
        return;
    is_done = true;
    cr_assert_eq(pthread_create(&thread, NULL, say_path, path), 0);
    pthread_join(thread, NULL);
    while (access(path, F_OK) == 0)
        sched_yield();
}

static struct leaks look(void)
{
    struct leaks now = { count("/proc/self/task"), count("/proc/self/fd") };

    return now;
}

struct leaks leaks_look(void)
{
    start_first_thread();
    return look();
}

void leaks_check(struct leaks before)
{
    enum { PATIENCE = 100000 };
    struct leaks now = look();

    for (int i = 0; i < PATIENCE && now.threads > before.threads; i++) {
        sched_yield();
        now = look();
    }
    cr_assert_eq(now.threads, before.threads, "%d threads before, %d after", before.threads,
                 now.threads);
    cr_assert_eq(now.descriptors, before.descriptors, "%d descriptors before, %d after",
                 before.descriptors, now.descriptors);
}
