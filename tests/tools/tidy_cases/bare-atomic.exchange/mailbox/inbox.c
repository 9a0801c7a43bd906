void f(void) { atomic_exchange(&word, 1); }
