void f(void) { atomic_compare_exchange_weak(&word, &seen, 1); }
