#include "mailbox/inbox.h"
#include "runtime/system/system.h"
#include "tests/support/clock.h"

void f(void)
{
    free(malloc(1));
    atomic_store(&done, true);
}
