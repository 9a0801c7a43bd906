#include "leaks.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <sched.h>

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

struct leaks leaks_look(void)
{
    struct leaks now = { count("/proc/self/task"), count("/proc/self/fd") };

    return now;
}

void leaks_check(struct leaks before)
{
    enum { PATIENCE = 100000 };
    struct leaks now = leaks_look();

    for (int i = 0; i < PATIENCE && now.threads > before.threads; i++) {
        sched_yield();
        now = leaks_look();
    }
    cr_assert_eq(now.threads, before.threads, "%d threads before, %d after", before.threads,
                 now.threads);
    cr_assert_eq(now.descriptors, before.descriptors, "%d descriptors before, %d after",
                 before.descriptors, now.descriptors);
}
