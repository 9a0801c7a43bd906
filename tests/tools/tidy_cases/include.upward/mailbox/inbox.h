#include "runtime/sched/pool.h"
