#include <mailbox/inbox.h>
