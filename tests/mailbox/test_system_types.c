/* tests of mailbox/system_types.c */
#include "mailroom.h"

#include <thespis/msg.h>

static const struct {
    const th_type *type;
    const char *name;
    bool owns, overtakes;
} types[] = {
    { &th_exit_request_type, "th_exit_request", true, false },
    { &th_child_exited_type, "th_child_exited", true, true },
    { &th_child_started_type, "th_child_started", false, false },
    { &th_actor_gone_type, "th_actor_gone", true, true },
    { &th_poison_type, "th_poison", true, false },
    { &th_wakeup_type, "th_wakeup", true, true },
    { &th_dead_letter_type, "th_dead_letter", true, true },
    { &th_ask_handled_type, "th_ask_handled", false, false },
};

Test(system_types, are_sound_and_of_the_system)
{
    size_t i;

    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        const th_type *type = types[i].type;

        cr_assert_str_eq(type->name, types[i].name);
        cr_assert_eq(th_type_check(type), TH_OK, "%s", type->name);
        cr_assert_eq(type->flags,
                     TH_TYPE_SYSTEM | (types[i].owns ? TH_TYPE_OWNS : 0) |
                         (types[i].overtakes ? TH_TYPE_OVERTAKES : 0),
                     "%s", type->name);
    }
}
