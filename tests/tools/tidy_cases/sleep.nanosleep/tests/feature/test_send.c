void f(void) { nanosleep(&pause, NULL); }
