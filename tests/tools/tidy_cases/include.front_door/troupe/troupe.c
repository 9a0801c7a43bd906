#include "runtime/actor/cell.h"
