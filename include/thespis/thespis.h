/* thespis.h: the whole front door, in reading order. */
#ifndef THESPIS_THESPIS_H
#define THESPIS_THESPIS_H

#include <thespis/compiler.h>
#include <thespis/error.h>
#include <thespis/assert.h>
#include <thespis/config.h>
#include <thespis/addr.h>
#include <thespis/alloc.h>
#include <thespis/type.h>
#include <thespis/msg.h>
#include <thespis/capability.h>
#include <thespis/mailbox.h>
#include <thespis/actor.h>
#include <thespis/ties.h>
#include <thespis/name.h>
#include <thespis/dispatch.h>
#include <thespis/log.h>
#include <thespis/watch.h>
#include <thespis/behaviour.h>
#include <thespis/deputy.h>
#include <thespis/trace.h>
#include <thespis/clock.h>
#include <thespis/system.h>
#include <thespis/external.h>
#include <thespis/pump.h>
#include <thespis/status.h>
#include <thespis/troupe.h>
#include <thespis/router.h>
#include <thespis/topic.h>
#include <thespis/supervisor.h>
#include <thespis/testkit.h>

#endif
