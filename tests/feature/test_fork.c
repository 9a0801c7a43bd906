/* A forked child has copies of the systems and none of their threads: it is told so, and never
 * waits for them. */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/system.h"
#include "tests/support/talk.h"
#include <thespis/pump.h>

/* In the child: the line that went wrong is its exit status. */
#define child_must(condition)                                                                      \
    do {                                                                                           \
        if (!(condition))                                                                          \
            _exit(__LINE__ % 250 + 1);                                                             \
    } while (0)

static void expect_well(pid_t child)
{
    int status;

    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status), "killed by signal %d: it hung", WTERMSIG(status));
    cr_assert_eq(WEXITSTATUS(status), 0, "line %d, modulo 250", WEXITSTATUS(status) - 1);
}

static const th_class nobody = { .name = "nobody" };

static void see_nobody(void *context, const th_actor_status *status)
{
    (void)context;
    (void)status;
}

static void use_everything(th_system *sys, th_self *me, th_self *own, th_addr addr)
{
    th_spawn_options how = { .klass = &nobody };
    th_system_status status;
    th_actor_status actor;
    th_addr other;
    th_self *self;
    th_msg *msg;

    alarm(20);
    child_must(th_send(own, addr, talk_word(own, "hello")) == TH_E_FORKED);
    child_must(th_tell(own, addr, talk_word(own, "hello")) == TH_E_FORKED);
    child_must(th_ask(own, addr, talk_word(own, "hello"), TH_FOREVER, &msg) == TH_E_FORKED);
    child_must(th_listen(own, TH_FOREVER, &msg) == TH_E_FORKED);
    child_must(th_listen(me, TH_FOREVER, &msg) == TH_E_FORKED);
    child_must(th_spawn(me, &nobody, NULL, &other) == TH_E_FORKED);
    child_must(th_create(me, &how, TH_FOREVER, &other, NULL) == TH_E_FORKED);
    child_must(th_stop(own, addr) == TH_E_FORKED);
    child_must(th_wakeup_after(own, 0, NULL, NULL) == TH_E_FORKED);
    child_must(th_wakeup_cancel(own, 1) == TH_E_FORKED);
    child_must(th_dead_letters_to_me(own, true) == TH_E_FORKED);
    child_must(th_request_shutdown(own) == TH_E_FORKED);
    child_must(th_endpoint_open(sys, &self) == TH_E_FORKED);
    child_must(th_endpoint_close(own) == TH_E_FORKED);
    child_must(th_system_self(sys) == NULL);
    child_must(th_system_start(sys) == TH_E_FORKED);
    child_must(th_system_wait(sys, TH_FOREVER) == TH_E_FORKED);
    child_must(th_system_status_read(sys, &status) == TH_E_FORKED);
    child_must(th_actor_status_read(sys, addr, &actor) == TH_E_FORKED);
    child_must(th_class_register(sys, &nobody) == TH_E_FORKED);
    child_must(th_pump(sys, 0, NULL) == TH_E_FORKED);
    child_must(th_log_write(own, TH_LOG_ERROR, NULL, NULL, 0, "a word") == TH_E_FORKED);
    child_must(th_log_write(me, TH_LOG_ERROR, NULL, NULL, 0, "a word") == TH_E_FORKED);
    child_must(!th_log_enabled(own, TH_LOG_CRITICAL));
    child_must(th_log_threshold(sys, TH_LOG_INFO) == TH_E_FORKED);
    child_must(th_log_rules(sys, "") == TH_E_FORKED);
    child_must(th_log_actor_threshold(sys, addr, TH_LOG_INFO) == TH_E_FORKED);
    child_must(th_log_flush(sys, TH_FOREVER) == TH_E_FORKED);
    child_must(th_capability_set(own, "hue", (th_value)TH_STRING("red")) == TH_E_FORKED);
    child_must(th_capabilities_hold(own) == NULL);
    child_must(th_fits(own, &how, NULL) == TH_E_FORKED);
    child_must(th_name_find(own, "nobody", &other) == TH_E_FORKED);
    child_must(th_watch_actor(own, addr) == TH_E_FORKED);
    child_must(th_unwatch_actor(own, addr) == TH_E_FORKED);
    child_must(th_ask_actor_status(own, addr) == TH_E_FORKED);
    child_must(th_actors_each(sys, see_nobody, NULL) == TH_E_FORKED);
    child_must(th_system_shutdown(sys, TH_FOREVER, NULL, NULL) == TH_E_FORKED);
    child_must(th_system_destroy(sys) == TH_OK);
    _exit(0);
}

BOTH_BASES(fork, the_child_is_told)
{
    th_addr echo = talk_create(ts->me, &talk_echo);
    th_self *own;
    pid_t child;

    must(th_endpoint_open(ts->sys, &own));
    child = fork();
    cr_assert_geq(child, 0);
    if (child == 0)
        use_everything(ts->sys, ts->me, own, echo);
    expect_well(child);
    talk_expect(ts->me, echo, "and here", "and here"); /* the parent has noticed nothing */
    must(th_endpoint_close(own));
}

/* While its threads hold whatever locks there are.  Not under a sanitizer: one may be its own,
 * which nobody gives back in the child (seen of ThreadSanitizer in DenseSlabAlloc::Drain, below
 * free(), and of AddressSanitizer in SizeClassAllocator64::GetFromAllocator, below malloc()). */
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
struct chatter {
    th_system *sys;
    th_addr echo;
    _Atomic bool is_over;
};

static void *chat(void *context)
{
    struct chatter *chatter = context;
    th_self *me;
    th_addr addr;
    th_msg *answer;

    if (th_endpoint_open(chatter->sys, &me))
        return NULL;
    while (!atomic_load(&chatter->is_over)) {
        answer = NULL;
        if (th_ask(me, chatter->echo, talk_word(me, "hello"), TALK_PATIENCE, &answer) ||
            th_spawn(me, &nobody, NULL, &addr) || th_stop(me, addr) ||
            th_log_threshold(chatter->sys, TH_LOG_OFF) || th_log_enabled(me, TH_LOG_CRITICAL))
            atomic_store(&chatter->is_over, true);
        th_msg_destroy(me, answer);
    }
    th_endpoint_close(me);
    return NULL;
}

BOTH_BASES(fork, while_it_is_busy)
{
    struct chatter chatter = { .sys = ts->sys, .echo = talk_create(ts->me, &talk_echo) };
    pthread_t threads[2];
    th_self *own;

    must(th_endpoint_open(ts->sys, &own));
    for (int i = 0; i < 2; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, chat, &chatter), 0);
    for (int i = 0; i < 30; i++) {
        pid_t child = fork();

        cr_assert_geq(child, 0);
        if (child == 0)
            use_everything(ts->sys, ts->me, own, chatter.echo);
        expect_well(child);
    }
    cr_assert_not(atomic_exchange(&chatter.is_over, true));
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    must(th_endpoint_close(own));
}
#endif

Test(fork, a_system_that_never_started)
{
    th_system *sys = th_system_create(NULL);
    pid_t child = fork();

    if (child == 0) {
        child_must(th_system_start(sys) == TH_E_FORKED);
        child_must(th_system_destroy(sys) == TH_OK);
        _exit(0);
    }
    expect_well(child);
    must(th_system_start(sys));
    must(th_system_shutdown(sys, TALK_PATIENCE, NULL, NULL));
    must(th_system_destroy(sys));
}

/* ---- what a program that is started from here inherits ---- */

enum { FDS_MAX = 256 };

static bool would_be_inherited(int fd)
{
    int flags = fcntl(fd, F_GETFD);

    return flags >= 0 && !(flags & FD_CLOEXEC);
}

static th_err watching_receive(th_self *self, void *state, const th_msg *msg)
{
    return talk_number_of(msg) ? th_watch_fd(self, (int)talk_number_of(msg)->value, TH_FD_READABLE,
                                             TH_WATCH_LEVEL, NULL)
                               : th_forward(self, th_msg_sender(msg), msg);
}

static const th_class watching = { .name = "watching", .receive = watching_receive };

/* Of a system that has opened all it ever opens: poller, bell, log file, sockets of a log. */
BOTH_BASES(fork, no_descriptor_of_ours_is_inherited)
{
    char path[] = "/tmp/thespis-fork-XXXXXX";
    int file = mkstemp(path), ends[2];
    th_log_sink sinks[] = { { .kind = TH_LOG_SINK_FILE, .path = path },
                            { .kind = TH_LOG_SINK_SYSLOG, .path = path },
                            { .kind = TH_LOG_SINK_JOURNALD, .path = path } };
    th_log_options log = { .sinks = sinks, .sink_count = 3, .ignore_environment = true };
    th_options options = { .base = ts->base, .log = &log, .signals = TH_SIGNAL_STATUS };
    bool before[FDS_MAX];
    struct test_system other;
    th_addr watcher;

    cr_assert_eq(pipe(ends), 0);
    for (int fd = 0; fd < FDS_MAX; fd++)
        before[fd] = would_be_inherited(fd);
    other = test_system_open_with(&options);
    watcher = talk_create(other.me, &watching);
    must(talk_count(other.me, watcher, ends[0]));
    talk_expect(other.me, watcher, "hello", "hello");
    th_log_error(other.me, "so that the file is open");
    must(th_log_flush(other.sys, TALK_PATIENCE));
    for (int fd = 0; fd < FDS_MAX; fd++)
        cr_assert_eq(before[fd], would_be_inherited(fd), "descriptor %d", fd);
    test_system_close(&other);
    close(ends[0]);
    close(ends[1]);
    close(file);
    unlink(path);
}

/* What a child may do: go on as another program. */
Test(fork, exec_from_a_handlers_child)
{
    struct test_system ts = test_system_open(TH_BASE_POOL, 0);
    pid_t child = fork();

    if (child == 0) {
        execl("/bin/true", "true", (char *)NULL);
        _exit(1);
    }
    expect_well(child);
    test_system_close(&ts);
}
