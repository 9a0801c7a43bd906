#include "troupe/roster.h"
#include "roster.h"
#include <thespis/thespis.h>
