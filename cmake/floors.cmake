# The floors of the house, the lowest first.  A floor may include what stands above it in this list,
# and nothing below it.  The build gathers its sources by it; tools/tidy.c fails any other include.
set(THESPIS_FLOORS
    mailbox
    runtime/base
    runtime/sched
    runtime/actor
    runtime/admin
    runtime/system
    transport/wire
    transport/link
    transport
    troupe
)

# These make a library of their own, libthespis-net.
set(THESPIS_NET_FLOORS
    transport/wire
    transport/link
    transport
)

# These see <thespis/...> and their own folder only: what they need, a user can have.
set(THESPIS_FRONT_DOOR
    troupe
    examples
    bench
    tools
)

# But for these, where such a folder is a floor: poison and dead letters are the system's messages,
# and whether an exit is under way, or what a class inherits, the front door does not say.
set(THESPIS_BACK_DOOR
    runtime/actor/behaviour.h
    runtime/actor/dead_letter.h
    runtime/actor/dispatch.h
    runtime/actor/exit.h
    runtime/actor/poison.h
    runtime/actor/stash.h
)
