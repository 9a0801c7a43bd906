void f(void) { atomic_store (&word, 1); }
