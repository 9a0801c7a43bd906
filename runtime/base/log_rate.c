#include "runtime/base/log_rate.h"

#include <stdio.h>
#include <string.h>

#define SECOND_NS 1000000000u

void thi_log_rate_init(struct thi_log_rate *rate)
{
    memset(rate, 0, sizeof(*rate));
    pthread_mutex_init(&rate->lock, NULL);
}

void thi_log_rate_fini(struct thi_log_rate *rate)
{
    pthread_mutex_destroy(&rate->lock);
}

static bool is_over(const struct thi_log_rate_slot *slot, uint64_t now_ns)
{
    /* backwards, too: the virtual clock of another start */
    return now_ns < slot->since_ns || now_ns - slot->since_ns >= SECOND_NS;
}

/* Whether a second of @key may begin there. */
static bool is_free(const struct thi_log_rate_slot *slot, uint64_t key, uint64_t now_ns)
{
    if (slot->key == key)
        return is_over(slot, now_ns);
    return slot->held == 0 && (slot->passed == 0 || is_over(slot, now_ns));
}

static uint64_t take_held(struct thi_log_rate *rate, struct thi_log_rate_slot *slot)
{
    uint64_t held = slot->held;

    rate->held -= held;
    slot->held = 0;
    return held;
}

static enum thi_log_rate_answer hold(struct thi_log_rate *rate, struct thi_log_rate_slot *slot,
                                     th_log_level level, const char *label)
{
    if (slot->held++ == 0) {
        slot->level = level;
        snprintf(slot->label, sizeof(slot->label), "%s", label);
    } else if (level > slot->level) {
        slot->level = level;
    }
    return rate->held++ == 0 ? THI_LOG_HELD_FIRST : THI_LOG_HELD;
}

enum thi_log_rate_answer thi_log_rate_ask(struct thi_log_rate *rate, uint64_t key,
                                          uint32_t per_second, uint64_t now_ns, th_log_level level,
                                          const char *label, uint64_t *held_out)
{
    struct thi_log_rate_slot *slot = &rate->slots[key % THI_LOG_RATE_SLOTS];
    enum thi_log_rate_answer answer = THI_LOG_PASS;

    *held_out = 0;
    if (per_second == UINT32_MAX)
        return THI_LOG_PASS;
    pthread_mutex_lock(&rate->lock);
    if (is_free(slot, key, now_ns)) {
        slot->key = key;
        slot->since_ns = now_ns;
        slot->passed = 0;
    }
    if (slot->passed >= per_second) {
        answer = hold(rate, slot, level, label);
    } else {
        slot->passed++;
        if (slot->key == key)
            *held_out = take_held(rate, slot);
    }
    pthread_mutex_unlock(&rate->lock);
    return answer;
}

bool thi_log_rate_sweep(struct thi_log_rate *rate, uint64_t now_ns, bool all, unsigned *index,
                        struct thi_log_rate_slot *slot_out)
{
    bool found = false;

    pthread_mutex_lock(&rate->lock);
    while (!found && *index < THI_LOG_RATE_SLOTS) {
        struct thi_log_rate_slot *slot = &rate->slots[(*index)++];

        if (slot->held && (all || is_over(slot, now_ns))) {
            *slot_out = *slot;
            (void)take_held(rate, slot);
            found = true;
        }
    }
    pthread_mutex_unlock(&rate->lock);
    return found;
}

bool thi_log_rate_holds(struct thi_log_rate *rate)
{
    bool holds;

    pthread_mutex_lock(&rate->lock);
    holds = rate->held > 0;
    pthread_mutex_unlock(&rate->lock);
    return holds;
}

uint64_t thi_log_rate_mix(uint64_t key, uint64_t word)
{
    uint64_t h = (key ^ word) * 0xff51afd7ed558ccdull;

    h ^= h >> 33;
    h *= 0xc4ceb9fe1a85ec53ull;
    return h ^ h >> 33;
}

uint64_t thi_log_rate_mix_text(uint64_t key, const char *text)
{
    for (; *text; text++)
        key = (key ^ (unsigned char)*text) * 0x100000001b3ull; /* FNV-1a */
    return thi_log_rate_mix(key, 0);
}
