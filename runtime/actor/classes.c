/* runtime/actor/classes.c: what can be played, by name. */
#include "runtime/actor/classes.h"

#include <string.h>

#include "runtime/actor/dispatch.h"

static const th_class *find_locked(struct thi_stage *stage, const char *name)
{
    for (uint32_t i = 0; i < stage->class_count; i++)
        if (strcmp(stage->classes[i]->name, name) == 0)
            return stage->classes[i];
    return NULL;
}

static th_err add_locked(struct thi_stage *stage, const th_class *klass)
{
    const th_class *same = find_locked(stage, klass->name);

    if (same)
        return same == klass ? TH_OK : TH_E_EXISTS;
    if (stage->class_count == TH_CLASSES_MAX)
        return TH_E_LIMIT;
    if (!stage->classes)
        stage->classes = thi_memory_take(&stage->memory, TH_CLASSES_MAX * sizeof(*stage->classes));
    if (!stage->classes)
        return TH_E_NOMEM;
    stage->classes[stage->class_count++] = klass;
    return TH_OK;
}

th_err thi_classes_add(struct thi_stage *stage, const th_class *klass)
{
    th_err err;

    if (!klass || !klass->name || !klass->name[0] || strlen(klass->name) > TH_NAME_MAX ||
        thi_class_check(klass))
        return TH_E_INVALID;
    pthread_mutex_lock(&stage->classes_lock);
    err = add_locked(stage, klass);
    pthread_mutex_unlock(&stage->classes_lock);
    return err;
}

const th_class *thi_classes_find(struct thi_stage *stage, const char *name)
{
    const th_class *klass;

    pthread_mutex_lock(&stage->classes_lock);
    klass = find_locked(stage, name);
    pthread_mutex_unlock(&stage->classes_lock);
    return klass;
}

th_err thi_classes_choose(struct thi_stage *stage, const th_spawn_options *options,
                          const th_class **klass_out)
{
    *klass_out = options->klass;
    if (!options->klass && !options->class_name)
        return TH_E_INVALID;
    if (!options->klass && !(*klass_out = thi_classes_find(stage, options->class_name)))
        return TH_E_NO_CLASS;
    return TH_UNLIKELY((*klass_out)->base != NULL) ? thi_class_check(*klass_out) : TH_OK;
}

void thi_classes_fini(struct thi_stage *stage)
{
    thi_memory_give(&stage->memory, stage->classes, TH_CLASSES_MAX * sizeof(*stage->classes));
    stage->classes = NULL;
    stage->class_count = 0;
}
