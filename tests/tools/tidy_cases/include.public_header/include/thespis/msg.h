#include "mailbox/inbox.h"
