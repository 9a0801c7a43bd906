#include "runtime/base/origin.h"

#include <stddef.h>
#include <sys/mman.h>

struct thi_origin *thi_origin_make(void)
{
    void *page = mmap(NULL, sizeof(struct thi_origin), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (page == MAP_FAILED)
        return NULL;
    (void)madvise(page, sizeof(struct thi_origin), MADV_WIPEONFORK);
    return page;
}

void thi_origin_drop(struct thi_origin *origin)
{
    if (origin)
        (void)munmap(origin, sizeof(*origin));
}
