#include "runtime/actor/type_names.h"

#include <string.h>

#include "runtime/actor/mail.h"
#include <thespis/name.h>
#include <thespis/status.h>

/* The runtime's own that one system sends to another. What is not here is not believed. */
static const th_type *const travellers[] = {
    &th_exit_request_type,  &th_poison_type,  &th_ask_handled_type, &th_handled_type,
    &th_whereis_type,       &th_found_type,   &th_ask_status_type,  &th_actor_report_type,
    &th_system_report_type, &th_waiting_type, &thi_ask_over_type,   &thi_watch_type,
    &thi_unwatch_type,      &thi_gone_type,   &thi_link_type,       &thi_unlink_type,
    &thi_link_gone_type,
};

/* Where @name is in the array, or would be. Under the lock. */
static uint32_t place_of(const struct thi_stage *stage, const char *name, bool *is_there_out)
{
    uint32_t low = 0, high = stage->type_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (strcmp(stage->types[middle]->name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *is_there_out = low < stage->type_count && strcmp(stage->types[low]->name, name) == 0;
    return low;
}

/* Room for one more. */
static th_err grow(struct thi_stage *stage)
{
    enum { FIRST = 16 };
    uint32_t room = stage->type_room ? 2 * stage->type_room : FIRST;
    const th_type **types;

    if (stage->type_count == TH_TYPES_MAX)
        return TH_E_LIMIT;
    if (stage->type_count < stage->type_room)
        return TH_OK;
    types = thi_memory_take(&stage->memory, room * sizeof(*types));
    if (!types)
        return TH_E_NOMEM;
    if (stage->types)
        memcpy(types, stage->types, stage->type_count * sizeof(*types));
    thi_memory_give(&stage->memory, stage->types, stage->type_room * sizeof(*types));
    stage->types = types;
    stage->type_room = room;
    return TH_OK;
}

static th_err add_locked(struct thi_stage *stage, const th_type *type)
{
    bool is_there;
    uint32_t place = place_of(stage, type->name, &is_there);
    th_err err;

    if (is_there)
        return stage->types[place] == type ? TH_OK : TH_E_EXISTS;
    err = grow(stage);
    if (err)
        return err;
    memmove(&stage->types[place + 1], &stage->types[place],
            (stage->type_count - place) * sizeof(*stage->types));
    stage->types[place] = type;
    stage->type_count++;
    return TH_OK;
}

static const th_type *find_traveller(const char *name)
{
    for (size_t i = 0; i < sizeof(travellers) / sizeof(travellers[0]); i++)
        if (strcmp(travellers[i]->name, name) == 0)
            return travellers[i];
    return NULL;
}

th_err thi_type_names_add(struct thi_stage *stage, const th_type *type)
{
    const th_type *own;
    th_err err = th_type_check(type);

    if (err || type->flags & TH_TYPE_LOCAL)
        return TH_E_INVALID;
    own = find_traveller(type->name);
    if (own)
        return own == type ? TH_OK : TH_E_EXISTS;
    pthread_mutex_lock(&stage->classes_lock);
    err = add_locked(stage, type);
    pthread_mutex_unlock(&stage->classes_lock);
    return err;
}

const th_type *thi_type_names_find(struct thi_stage *stage, const char *name)
{
    const th_type *type = find_traveller(name);
    bool is_there;
    uint32_t place;

    if (type)
        return type;
    pthread_mutex_lock(&stage->classes_lock);
    place = place_of(stage, name, &is_there);
    type = is_there ? stage->types[place] : NULL;
    pthread_mutex_unlock(&stage->classes_lock);
    return type;
}

void thi_type_names_fini(struct thi_stage *stage)
{
    thi_memory_give(&stage->memory, stage->types, stage->type_room * sizeof(*stage->types));
    stage->types = NULL;
    stage->type_count = stage->type_room = 0;
}
