/* assert.c: the one place where the library gives up. */
#include <stdio.h>
#include <stdlib.h>

#include <thespis/assert.h>

void th_assert_failed(const char *what, const char *file, int line)
{
    /* stderr is unbuffered, so this is out before the abort and needs no flush */
    fprintf(stderr, "libthespis: %s:%d: broken invariant: %s\n", file, line, what);
    abort();
}
