/* tests/support/leaks.h: what a test may leave behind in its process: nothing. */
#ifndef TESTS_SUPPORT_LEAKS_H
#define TESTS_SUPPORT_LEAKS_H

struct leaks {
    int threads;
    int descriptors;
};

/* What there is now. */
struct leaks leaks_look(void);

/* Fails the test unless there is no more than @before. The kernel takes a moment to forget a thread
 * that was joined, and is given it. */
void leaks_check(struct leaks before);

#endif
