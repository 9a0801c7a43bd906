#include "transport/link/lookup.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

/* A name, and who wants its addresses. */
struct thi_question {
    uv_work_t work;
    struct thi_lookups *lookups;
    struct thi_question *next;
    struct thi_lookup *askers;
    bool is_under_way;
    unsigned count;
    struct thi_sockaddr found[TH_LINK_ADDRESSES_MAX];
    char why[128];
    char host[THI_HOST_SIZE];
};

/* ---- on a thread of libuv's ---- */

unsigned thi_resolve_system(void *context, const char *host, struct thi_sockaddr *out, unsigned max,
                            char *why, size_t why_size)
{
    /* Addresses of families that this machine has none of are left in: a machine with nothing but
     * lo would find no name at all (AI_ADDRCONFIG does not count loopback). */
    static const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    struct addrinfo *all = NULL;
    unsigned count = 0;
    int failed = getaddrinfo(host, NULL, &hints, &all);

    (void)context;
    if (failed) {
        (void)snprintf(why, why_size, "%s",
                       failed == EAI_SYSTEM ? strerror(errno) : gai_strerror(failed));
        return 0;
    }
    for (const struct addrinfo *at = all; at && count < max; at = at->ai_next) {
        if (at->ai_family != AF_INET && at->ai_family != AF_INET6)
            continue;
        out[count] = (struct thi_sockaddr){ .size = at->ai_addrlen };
        memcpy(&out[count].storage, at->ai_addr, at->ai_addrlen);
        count++;
    }
    freeaddrinfo(all);
    if (count == 0)
        (void)snprintf(why, why_size, "the name has no address");
    return count;
}

static void work(uv_work_t *work)
{
    struct thi_question *question = work->data;
    struct thi_lookups *lookups = question->lookups;

    question->count = lookups->resolve(lookups->context, question->host, question->found,
                                       TH_LINK_ADDRESSES_MAX, question->why, sizeof(question->why));
}

/* ---- on the loop ---- */

static void unlink_question(struct thi_lookups *lookups, struct thi_question *question)
{
    struct thi_question *before = NULL;

    for (struct thi_question *at = lookups->first; at != question; at = at->next)
        before = at;
    *(before ? &before->next : &lookups->first) = question->next;
    if (lookups->last == question)
        lookups->last = before;
}

static void drop(struct thi_lookups *lookups, struct thi_question *question)
{
    unlink_question(lookups, question);
    thi_memory_give(lookups->memory, question, sizeof(*question));
}

static void answer(struct thi_question *question)
{
    struct thi_lookup *asker;

    while ((asker = question->askers) != NULL) {
        question->askers = asker->next;
        asker->question = NULL;
        asker->answered(asker, question->found, question->count, question->why);
    }
}

static void begin_waiting(struct thi_lookups *lookups);

static void done(uv_work_t *work, int status)
{
    struct thi_question *question = work->data;
    struct thi_lookups *lookups = question->lookups;

    if (status != 0)
        question->count = 0; /* cancelled: nobody is waiting */
    lookups->under_way--;
    unlink_question(lookups, question); /* K1: who asks while this is answered asks anew */
    begin_waiting(lookups);
    answer(question);
    thi_memory_give(lookups->memory, question, sizeof(*question));
}

/* K2 */
static void begin_waiting(struct thi_lookups *lookups)
{
    for (struct thi_question *at = lookups->first; at; at = at->next) {
        if (lookups->under_way == TH_LINK_LOOKUPS_MAX)
            return;
        if (at->is_under_way)
            continue;
        at->is_under_way = true;
        lookups->under_way++;
        (void)uv_queue_work(lookups->uv, &at->work, work, done); /* fails without a `work` only */
    }
}

void thi_lookups_init(struct thi_lookups *lookups, uv_loop_t *uv, struct thi_memory *memory,
                      thi_resolve *resolve, void *context)
{
    *lookups = (struct thi_lookups){ .uv = uv,
                                     .memory = memory,
                                     .resolve = resolve ? resolve : thi_resolve_system,
                                     .context = context };
}

void thi_lookups_close(struct thi_lookups *lookups)
{
    struct thi_question *next;

    for (struct thi_question *at = lookups->first; at; at = next) {
        next = at->next;
        if (at->is_under_way)
            (void)uv_cancel((uv_req_t *)&at->work); /* refused if it is running: done() comes */
        else
            drop(lookups, at);
    }
}

static struct thi_question *find(struct thi_lookups *lookups, const char *host)
{
    for (struct thi_question *at = lookups->first; at; at = at->next)
        if (strcmp(at->host, host) == 0)
            return at;
    return NULL;
}

th_err thi_lookup_ask(struct thi_lookups *lookups, struct thi_lookup *lookup, const char *host)
{
    struct thi_question *question = find(lookups, host); /* K1 */

    if (!question) {
        question = thi_memory_take(lookups->memory, sizeof(*question));
        if (!question)
            return TH_E_NOMEM;
        question->lookups = lookups;
        question->work.data = question;
        (void)snprintf(question->host, sizeof(question->host), "%s", host);
        *(lookups->last ? &lookups->last->next : &lookups->first) = question;
        lookups->last = question;
        begin_waiting(lookups);
    }
    lookup->question = question;
    lookup->next = question->askers;
    question->askers = lookup;
    return TH_OK;
}

/* K3 */
void thi_lookup_cancel(struct thi_lookup *lookup)
{
    struct thi_question *question = lookup->question;
    struct thi_lookup **at;

    if (!question)
        return;
    for (at = &question->askers; *at != lookup;)
        at = &(*at)->next;
    *at = lookup->next;
    lookup->question = NULL;
    if (!question->askers && !question->is_under_way)
        drop(question->lookups, question);
}
