#  include   "runtime/system/system.h"
