void f(void) { atomic_fetch_add(&word, 1); }
