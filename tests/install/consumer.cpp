// The same program as C++ sees it.
#include "consumer.c"
