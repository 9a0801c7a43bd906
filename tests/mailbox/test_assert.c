/* tests of mailbox/assert.c */
#include "mailroom.h"

#include <thespis/assert.h>

static void break_an_invariant(void)
{
    TH_ASSERT(1 + 1 == 3);
}

static void reach_what_is_never(void)
{
    TH_NEVER("got here");
}

static void keep_an_invariant(void)
{
    TH_ASSERT(1 + 1 == 2);
}

Test(assert, aborts_on_a_broken_invariant_only)
{
    cr_assert(mailroom_dies(break_an_invariant));
    cr_assert(mailroom_dies(reach_what_is_never));
    cr_assert_not(mailroom_dies(keep_an_invariant));
}

Test(assert, says_what_broke_and_where)
{
    char text[256] = "";
    int ends[2];
    pid_t child;
    int status;

    cr_assert_eq(pipe(ends), 0);
    child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        dup2(ends[1], STDERR_FILENO);
        th_assert_failed("left == right", "some/file.c", 42);
    }
    close(ends[1]);
    cr_assert_gt(read(ends[0], text, sizeof(text) - 1), 0);
    cr_assert_eq(waitpid(child, &status, 0), child);
    close(ends[0]);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    cr_assert_str_eq(text, "libthespis: some/file.c:42: broken invariant: left == right\n");
}
