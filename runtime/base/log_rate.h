/* log_rate.h: how much of the same is enough.
 *
 * A key (a call site, an event's who and what) may pass so often in a second; what is past it is
 * held, and the count is said with the next record of that key, or by whoever sweeps. A table of
 * fixed size: keys that meet in one slot share its allowance only while both are busy, which errs
 * on the side of silence for a second and never loses a count. Any thread; a lock, held for a few
 * loads and stores. */
#ifndef THI_BASE_LOG_RATE_H
#define THI_BASE_LOG_RATE_H

#include <pthread.h>

#include <thespis/log.h>

enum { THI_LOG_RATE_SLOTS = 256, THI_LOG_LABEL_SIZE = 96 };

struct thi_log_rate_slot {
    uint64_t key;
    uint64_t since_ns; /* its second began then */
    uint64_t held;     /* not said yet */
    uint32_t passed;   /* in this second */
    th_log_level level;
    char label[THI_LOG_LABEL_SIZE]; /* what is held, in words */
};

struct thi_log_rate {
    pthread_mutex_t lock;
    uint64_t held; /* of all slots */
    struct thi_log_rate_slot slots[THI_LOG_RATE_SLOTS];
};

void thi_log_rate_init(struct thi_log_rate *rate);
void thi_log_rate_fini(struct thi_log_rate *rate);

enum thi_log_rate_answer {
    THI_LOG_PASS,
    THI_LOG_HELD,
    THI_LOG_HELD_FIRST /* the only one held now: somebody must come and sweep */
};

/* One of @key. PASS: *@held_out were held before it, and are its to say. */
enum thi_log_rate_answer thi_log_rate_ask(struct thi_log_rate *rate, uint64_t key,
                                          uint32_t per_second, uint64_t now_ns, th_log_level level,
                                          const char *label, uint64_t *held_out);

/* Takes one slot's held count whose second is over (@all: or not): its key, level and label, as
 * *@slot_out. *@index: from 0 on. False: no more. */
bool thi_log_rate_sweep(struct thi_log_rate *rate, uint64_t now_ns, bool all, unsigned *index,
                        struct thi_log_rate_slot *slot_out);

/* Whether anything is held. */
bool thi_log_rate_holds(struct thi_log_rate *rate);

/* Words into a key (the finaliser of MurmurHash3, by Austin Appleby). */
uint64_t thi_log_rate_mix(uint64_t key, uint64_t word);
uint64_t thi_log_rate_mix_text(uint64_t key, const char *text);

#endif
