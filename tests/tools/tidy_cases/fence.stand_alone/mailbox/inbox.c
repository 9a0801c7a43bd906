void f(void) { atomic_thread_fence(memory_order_acquire); }
