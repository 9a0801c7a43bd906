/* origin.h: whether this is the process that made it.
 *
 * fork() leaves a child with a copy of every system and none of its threads: whoever waits for one
 * of them there waits for ever. So the few words that say what a system is up to lie in a page that
 * the kernel hands to children as zeroes (MADV_WIPEONFORK, since Linux 4.14), and zero means: not
 * yours. Asking costs the load that it costs anyway. An atfork handler would need a list of all
 * systems of the process, and a lock around it; asking for the process id, a system call.
 *
 * A child made by vfork() or posix_spawn() shares the page, and goes on to exec without us. */
#ifndef THI_BASE_ORIGIN_H
#define THI_BASE_ORIGIN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct thi_origin {
    _Atomic uint8_t state; /* its owner's; 0 is kept for: in a forked child */
    _Atomic bool is_up;    /* may be sent to */
};

/* All zero. NULL: no memory. On a kernel that cannot wipe, a child is not told. */
struct thi_origin *thi_origin_make(void);

/* NULL is nothing to do. */
void thi_origin_drop(struct thi_origin *origin);

#endif
