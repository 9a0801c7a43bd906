/* A local send and receive in steady state: no allocation, no lock, no system call.
 *
 * A pool of one worker plays in a child process. At a moment its own handler chooses, the worker's
 * thread is watched: every allocation of the system is counted by its hooks, each
 * pthread_mutex_lock() and malloc() of the thread by stand-ins for them below, and each system
 * call of the thread ends the process, by a seccomp filter. A number of messages later the handler
 * writes down what was seen. With more workers a system call is legitimate now and then: one wakes
 * another. The last tests break each promise in a handler, and must be told so. */
#include "tests/support/system.h"
#include <thespis/testkit.h>

#include <dlfcn.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* A sanitizer has its own malloc(), locks and system calls in the thread that we watch: there only
 * the hooks are looked at. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define SEES_ALL 0
#else
#define SEES_ALL 1
#endif

enum { WARM_UP = 1000, WATCHED = 20000, BURST = 16 };

/* What the handler does in the middle of the watched stretch, to be caught at it. */
enum misdeed { NOTHING, TAKES_MEMORY, CALLS_MALLOC, LOCKS, CALLS_SYSTEM };

/* Shared with the child. */
struct verdict {
    _Atomic bool is_done; /* the whole stretch was seen */
    _Atomic uint64_t hooks, takes, mallocs, locks;
    _Atomic long call; /* the number of the system call that was made, or -1 */
};

static struct verdict *verdict;
static enum misdeed misdeed;
static _Atomic uint64_t hook_calls;
static _Thread_local bool is_watched;
static uint64_t hooks_before, takes_before;

/* ---- the stand-ins ---- */

#if SEES_ALL
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);

void *malloc(size_t size)
{
    if (is_watched)
        atomic_fetch_add(&verdict->mallocs, 1);
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    if (is_watched)
        atomic_fetch_add(&verdict->mallocs, 1);
    return __libc_calloc(count, size);
}

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    static int (*_Atomic real)(pthread_mutex_t * mutex);
    int (*lock)(pthread_mutex_t * mutex) = atomic_load(&real);

    if (!lock) {
        *(void **)&lock = dlsym(RTLD_NEXT, "pthread_mutex_lock");
        atomic_store(&real, lock);
    }
    if (is_watched)
        atomic_fetch_add(&verdict->locks, 1);
    return lock(mutex);
}
#endif

static void *hook_alloc(void *context, size_t size)
{
    (void)context;
    atomic_fetch_add(&hook_calls, 1);
    return calloc(1, size);
}

static void hook_free(void *context, void *memory, size_t size)
{
    (void)context, (void)size;
    atomic_fetch_add(&hook_calls, 1);
    free(memory);
}

/* ---- watching, by the worker's thread, from inside a handler ---- */

static void on_system_call(int number, siginfo_t *info, void *context)
{
    (void)number, (void)context;
    atomic_store(&verdict->call, info->si_syscall);
    _exit(1);
}

/* From here on this thread may only _exit(). It works without any privilege. */
static void forbid_system_calls(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
    };
    struct sock_fprog program = { .len = sizeof(filter) / sizeof(filter[0]), .filter = filter };
    struct sigaction action = { .sa_sigaction = on_system_call, .sa_flags = SA_SIGINFO };
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGSYS);
    if (sigaction(SIGSYS, &action, NULL) || pthread_sigmask(SIG_UNBLOCK, &set, NULL) ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
        _exit(2); /* and the parent finds that nothing was seen */
}

static void watch(th_self *self)
{
    hooks_before = atomic_load(&hook_calls);
    if (th_allocations(th_self_system(self), &takes_before))
        _exit(3);
    is_watched = true;
    if (SEES_ALL)
        forbid_system_calls();
}

static _Noreturn void judge(th_self *self)
{
    uint64_t takes;

    is_watched = false;
    if (th_allocations(th_self_system(self), &takes))
        _exit(3);
    atomic_store(&verdict->hooks, atomic_load(&hook_calls) - hooks_before);
    atomic_store(&verdict->takes, takes - takes_before);
    atomic_store(&verdict->is_done, true);
    _exit(0);
}

static void misbehave(th_self *self)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    void *memory;

    switch (misdeed) {
    case NOTHING: break;
    case TAKES_MEMORY:
        memory = th_alloc(self, 100000);
        th_free(self, memory, 100000);
        break;
    case CALLS_MALLOC: {
        void *(*volatile call)(size_t size) = malloc; /* or it would be left out */

        memory = call(10);
        free(memory);
        break;
    }
    case LOCKS:
        pthread_mutex_lock(&mutex);
        pthread_mutex_unlock(&mutex);
        break;
    case CALLS_SYSTEM: syscall(SYS_getppid); break;
    }
}

/* Each message of the pair that decides, the @count-th. */
static void mark(th_self *self, uint64_t count)
{
    if (count == WARM_UP)
        watch(self);
    else if (count == WARM_UP + WATCHED / 2)
        misbehave(self);
    else if (count >= WARM_UP + WATCHED)
        judge(self);
}

/* ---- the players ---- */

struct ball {
    uint64_t count;
    th_addr partner;  /* whom to play with, in the first one */
    bool is_deciding; /* its count is what everything goes by */
};
TH_MESSAGE_LOCAL(ball);
TH_MESSAGE_LOCAL_TYPE(ball, NULL)

static th_err throw_ball(th_self *self, th_addr to, struct ball ball)
{
    return ball_send(self, to, ball);
}

/* Ping-pong: each ball goes back to who threw it. */
static th_err player_receive(th_self *self, void *state, const th_msg *msg)
{
    struct ball ball = *ball_of(msg);
    th_addr to = th_addr_is_none(ball.partner) ? th_msg_sender(msg) : ball.partner;

    (void)state;
    ball.count++;
    ball.partner = th_addr_none();
    if (ball.is_deciding)
        mark(self, ball.count);
    return throw_ball(self, to, ball);
}

static const th_class player_class = { .name = "player", .receive = player_receive };

/* A count: a burst of balls, so that whole batches are taken; after the last the counter asks for
 * more. The asking is a letter to itself first, by which the lone-message path meets a self-send.
 */
static th_err counter_receive(th_self *self, void *state, const th_msg *msg)
{
    uint64_t *seen = state;
    struct ball ball = *ball_of(msg);

    if (th_addr_equal(th_msg_sender(msg), th_self_addr(self)))
        return throw_ball(self, ball.partner, (struct ball){ .is_deciding = ball.is_deciding });
    ++*seen;
    if (ball.is_deciding)
        mark(self, *seen);
    if (*seen % BURST)
        return TH_OK;
    ball.partner = th_msg_sender(msg);
    return throw_ball(self, th_self_addr(self), ball);
}

static const th_class counter_class = { .name = "counter",
                                        .state_size = sizeof(uint64_t),
                                        .receive = counter_receive };

static th_err source_receive(th_self *self, void *state, const th_msg *msg)
{
    th_addr *counter = state;
    struct ball ball = *ball_of(msg);

    if (!th_addr_is_none(ball.partner))
        *counter = ball.partner;
    for (int i = 0; i < BURST; i++) {
        th_err err = throw_ball(self, *counter, (struct ball){ .is_deciding = ball.is_deciding });

        if (err)
            return err;
    }
    return TH_OK;
}

static const th_class source_class = { .name = "source",
                                       .state_size = sizeof(th_addr),
                                       .receive = source_receive };

/* ---- the child ---- */

static th_addr must_spawn(th_self *me, const th_class *klass)
{
    th_addr actor;

    if (th_spawn(me, klass, NULL, &actor))
        _exit(4);
    return actor;
}

static void start_pair(th_self *me, const th_class *first, const th_class *second, bool is_deciding)
{
    th_addr one = must_spawn(me, first), other = must_spawn(me, second);

    if (throw_ball(me, one, (struct ball){ .partner = other, .is_deciding = is_deciding }))
        _exit(4);
}

enum pairs { PLAYERS = 1, COUNTERS = 2 };

static _Noreturn void play(unsigned pairs)
{
    th_allocator hooks = { .alloc = hook_alloc, .free = hook_free };
    th_options options = { .workers = 1, .allocator = &hooks };
    th_system *system;

    alarm(50); /* one that hangs does not stay behind */
    system = th_system_create(&options);
    if (!system || th_system_start(system))
        _exit(4);
    if (pairs & COUNTERS)
        start_pair(th_system_self(system), &source_class, &counter_class, pairs == COUNTERS);
    if (pairs & PLAYERS)
        start_pair(th_system_self(system), &player_class, &player_class, true);
    for (;;)
        pause();
}

/* In a process of its own, since a seccomp filter is never taken back. */
static void run(unsigned pairs, enum misdeed what)
{
    pid_t child;
    int status;

    misdeed = what;
    verdict =
        mmap(NULL, sizeof(*verdict), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(verdict, MAP_FAILED);
    atomic_store(&verdict->call, -1);
    child = fork();
    cr_assert_geq(child, 0);
    if (child == 0)
        play(pairs);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status), "the child was ended by signal %d", WTERMSIG(status));
    cr_assert_lt(WEXITSTATUS(status), 2, "the child could not go on: %d", WEXITSTATUS(status));
}

static void expect_nothing(void)
{
    cr_expect_eq(atomic_load(&verdict->call), -1, "system call %ld", atomic_load(&verdict->call));
    cr_expect(atomic_load(&verdict->is_done));
    cr_expect_eq(atomic_load(&verdict->hooks), 0);
    cr_expect_eq(atomic_load(&verdict->takes), 0);
    cr_expect_eq(atomic_load(&verdict->mallocs), 0);
    cr_expect_eq(atomic_load(&verdict->locks), 0);
}

Test(steady_state, of_a_conversation_takes_no_memory_no_lock_no_system_call, .timeout = 60)
{
    run(PLAYERS, NOTHING);
    expect_nothing();
}

Test(steady_state, of_bursts_takes_no_memory_no_lock_no_system_call, .timeout = 60)
{
    run(COUNTERS, NOTHING);
    expect_nothing();
}

Test(steady_state, of_both_at_once_takes_no_memory_no_lock_no_system_call, .timeout = 60)
{
    run(PLAYERS | COUNTERS, NOTHING);
    expect_nothing();
}

/* ---- and the watch sees what it is for ---- */

Test(steady_state, watch_sees_memory_taken, .timeout = 60)
{
    run(PLAYERS, TAKES_MEMORY);
    if (atomic_load(&verdict->is_done)) { /* not where malloc() went to the kernel for it */
        cr_assert_eq(atomic_load(&verdict->hooks), 2, "taken and given");
        cr_assert_eq(atomic_load(&verdict->takes), 1);
    } else {
        cr_assert_neq(atomic_load(&verdict->call), -1);
    }
}

#if SEES_ALL
Test(steady_state, watch_sees_malloc, .timeout = 60)
{
    run(PLAYERS, CALLS_MALLOC);
    cr_assert_eq(atomic_load(&verdict->mallocs), 1);
}

Test(steady_state, watch_sees_a_lock, .timeout = 60)
{
    run(COUNTERS, LOCKS);
    cr_assert(atomic_load(&verdict->is_done));
    cr_assert_eq(atomic_load(&verdict->locks), 1);
}

Test(steady_state, watch_sees_a_system_call, .timeout = 60)
{
    run(PLAYERS | COUNTERS, CALLS_SYSTEM);
    cr_assert_eq(atomic_load(&verdict->call), SYS_getppid);
    cr_assert_not(atomic_load(&verdict->is_done));
}
#endif
