#include "mailbox/alloc.h"
#include <thespis/alloc.h>
#include <stdlib.h>

void *f(void)
{
    return malloc(1);
}
