#include "runtime/actor/send.h"
#include "runtime/sched/pool.h"
#include "mailbox/inbox.h"

/* malloc(1), atomic_load(&x), atomic_thread_fence() in a comment are words. // so is "this */
static const char *const text = "/* malloc(1) \" TODOS free(p) #include \"x.h\"";

#define MAP(XX) XX(1)

void f(void)
{
    th_free(text);
    ops->free(text);
    ops.malloc(1);
    atomic_load_explicit(&word, memory_order_acquire);
    /* seq_cst: the store must come before the load below in one order of all of them. */
    atomic_store_explicit(&word, '"', memory_order_seq_cst);
}
/* A hundred columns, not bytes:ééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé */
