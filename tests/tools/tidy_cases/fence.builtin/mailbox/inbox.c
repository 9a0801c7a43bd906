void f(void) { __sync_synchronize(); }
