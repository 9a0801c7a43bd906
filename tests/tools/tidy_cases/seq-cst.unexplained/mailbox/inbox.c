/* Nine lines above is too far to be about it. */







void f(void)
{ atomic_store_explicit(&word, 1, memory_order_seq_cst); }
