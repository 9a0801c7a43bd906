int f(void) { return atomic_load(&word); }
