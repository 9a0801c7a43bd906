/* pump.c: a system inside a loop of the program's own: poll() over standard input and the system.
 *
 *     pump < FILE     counts the lines of FILE by an actor; prints a tick each 10 ms meanwhile
 *
 * The loop could be that of a toolkit or a game: it needs to know one descriptor and one call. */
#include <poll.h>
#include <stdio.h>
#include <thespis/thespis.h>
#include <unistd.h>

#define CHUNK_FIELDS(F, S) F(S, u32, lines)
TH_MESSAGE(chunk, CHUNK_FIELDS);
TH_MESSAGE_TYPE(chunk, CHUNK_FIELDS)

struct tally {
    uint32_t lines, ticks;
};

static th_err begin(th_self *self, void *state, const th_msg *arg)
{
    return th_wakeup_every(self, TH_MS(10), NULL, NULL);
}

static th_err count(th_self *self, void *state, const th_msg *msg)
{
    struct tally *tally = state;

    if (th_wakeup_of(msg))
        tally->ticks++;
    if (!chunk_of(msg))
        return TH_OK;
    tally->lines += chunk_of(msg)->lines;
    return chunk_send(self, th_msg_sender(msg), (struct chunk){ tally->lines });
}

static const th_class tally_class = {
    .name = "tally", .state_size = sizeof(struct tally), .init = begin, .receive = count
};

static uint32_t lines_in(const char *text, ssize_t size)
{
    uint32_t lines = 0;

    for (ssize_t i = 0; i < size; i++)
        lines += text[i] == '\n';
    return lines;
}

int main(void)
{
    th_system *system = th_system_create(&(th_options){ .base = TH_BASE_SIMPLE, .pumped = true });
    struct pollfd fds[2] = { { .events = POLLIN }, { .fd = STDIN_FILENO, .events = POLLIN } };
    uint32_t said = 0, heard = 0, total = 0;
    char text[4096];
    th_addr tally;
    th_msg *msg;

    if (th_system_start(system) || th_spawn(th_system_self(system), &tally_class, NULL, &tally))
        return 1;
    fds[0].fd = th_system_fd(system);
    while ((fds[1].fd >= 0 || heard < said) && poll(fds, 2, -1) > 0) {
        if (fds[1].revents) { /* the program's own business */
            ssize_t size = read(STDIN_FILENO, text, sizeof(text));

            if (size <= 0)
                fds[1].fd = -1; /* poll() passes over it */
            else if (chunk_send(th_system_self(system), tally,
                                (struct chunk){ lines_in(text, size) }) == TH_OK)
                said++;
        }
        if (fds[0].revents && th_pump(system, 100, NULL) != TH_OK)
            return 1;
        while (th_listen(th_system_self(system), 0, &msg) == TH_OK) {
            total = chunk_of(msg)->lines;
            th_msg_destroy(th_system_self(system), msg);
            heard++;
        }
    }
    printf("%u lines\n", total);
    return th_system_shutdown(system, TH_S(5), NULL, NULL) || th_system_destroy(system);
}
