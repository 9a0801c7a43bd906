/* main.c: census [DIRECTORY] counts C identifiers; the thread that is no actor.
 *
 * It starts the system, creates the leader, then listens: progress, pages of counts, the end. */
#include "actors.h"
#include "messages.h"
#include "check.h"
#include "options.h"
#include "progress.h"
#include "result.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <thespis/transport.h>
#include <time.h>
#include <unistd.h>

#define EXIT_DIFFERENT 1
#define EXIT_FAILED    1

static double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int fail(const char *what, th_err err)
{
    fprintf(stderr, "census: %s: %s\n", what, th_strerror(err));
    return EXIT_FAILED;
}

static uint32_t workers_of(const struct options *options)
{
    return options->workers ? options->workers : (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
}

/* ---- the census itself ---- */

static th_err create_leader(th_self *self, const struct options *options, uint32_t workers,
                            th_addr host)
{
    struct census_plan *plan;
    th_msg *msg = census_plan_new(self, &plan);
    th_addr leader;

    if (plan) {
        plan->root = th_blob_text(self, options->root);
        plan->chunk_size = options->chunk_size;
        plan->counters = 2 * workers; /* one reads while the other counts */
        plan->client = th_self_addr(self);
        plan->host = host;
        if (!plan->root) {
            th_msg_destroy(self, msg);
            return TH_E_NOMEM;
        }
    }
    return th_create(self, &(th_spawn_options){ .klass = &census_leader, .arg = msg }, TH_FOREVER,
                     &leader, NULL);
}

/* Listens until the leader has said its last and every tally its last page. */
static th_err collect(th_self *self, struct result *result, struct progress *progress)
{
    int pages_due = CENSUS_TALLIES;
    bool walked = false;
    th_err err = TH_OK;

    while (!err && (!walked || pages_due > 0)) {
        const struct census_walked *end;
        th_msg *msg = NULL;

        err = th_listen(self, TH_FOREVER, &msg);
        if (err)
            break;
        end = census_walked_of(msg);
        if (census_progress_of(msg))
            progress_show(progress, census_progress_of(msg)->files, census_progress_of(msg)->bytes);
        if (census_page_of(msg)) {
            err = result_add(result, self, msg);
            pages_due -= census_page_of(msg)->last;
        }
        if (end) {
            walked = true;
            result->files = end->files;
            result->bytes = end->bytes;
            result->unreadable = end->unreadable;
            err = end->err;
        }
        th_msg_destroy(self, msg);
    }
    return err;
}

static th_err count(th_system *system, const struct options *options, th_addr host,
                    struct result *result)
{
    th_self *self = th_system_self(system);
    uint32_t workers = workers_of(options);
    struct progress progress;
    th_system_status status;
    double start;
    th_err err;

    progress_begin(&progress, self, options->root);
    start = seconds_now();
    err = create_leader(self, options, workers, host);
    if (!err)
        err = collect(self, result, &progress);
    result->seconds = seconds_now() - start;
    progress_end(&progress);
    if (!err)
        err = th_system_status_read(system, &status);
    if (!err)
        result->messages = status.counts.accepted;
    return err;
}

static int run(th_system *system, const struct options *options, th_addr host)
{
    th_self *self = th_system_self(system);
    struct result result = { 0 };
    int status = 0;
    th_err err = count(system, options, host, &result);

    if (err)
        status = fail(options->root, err);
    else if ((err = result_print(&result, self, options->top)) != TH_OK)
        status = fail("printing", err);
    if (!status && result.unreadable)
        fprintf(stderr, "census: %" PRIu64 " files or directories could not be read\n",
                result.unreadable);
    if (!status && options->check) {
        result_sort(&result);
        if (check(&result, self, options->root) != CHECK_EQUAL)
            status = EXIT_DIFFERENT;
    }
    result_fini(&result, self);
    return status;
}

/* ---- other processes ---- */

/* Counts for others until it is told to end. */
static int serve(th_system *system, const struct options *options)
{
    th_self *self = th_system_self(system);
    struct census_hire *hire;
    th_msg *arg = census_hire_new(self, &hire);
    th_spawn_options how = { .klass = &census_host, .arg = arg, .global_name = "census" };
    char address[64];
    th_addr host;
    th_err err;

    if (hire)
        hire->counters = 2 * workers_of(options);
    err = arg ? th_create(self, &how, TH_FOREVER, &host, NULL) : TH_E_NOMEM;
    if (err)
        return fail("the host does not start", err);
    th_transport_listens(system, 0, address, sizeof(address));
    printf("census: listening on %s\n", address);
    fflush(stdout);
    err = th_system_wait(system, TH_FOREVER);
    return err ? fail("waiting", err) : 0;
}

/* The host of the process that listens at @address. */
static th_err find_host(th_self *self, const char *address, th_addr *host_out)
{
    char why[TH_DETAILS_SIZE];
    struct th_whereis *question;
    th_msg *msg;
    th_addr admin;
    th_err err = th_connect(self, address, TH_S(10), &admin, why);

    if (err && why[0])
        fprintf(stderr, "census: %s\n", why);
    if (err)
        return err;
    msg = th_whereis_new(self, &question);
    if (msg && !(question->name = th_blob_text(self, "census"))) {
        th_msg_destroy(self, msg);
        return TH_E_NOMEM;
    }
    err = th_ask(self, admin, msg, TH_S(10), &msg);
    if (err)
        return err;
    *host_out = th_found_of(msg) ? th_found_of(msg)->actor : th_addr_none();
    th_msg_destroy(self, msg);
    return th_addr_is_none(*host_out) ? TH_E_NO_NAME : TH_OK;
}

static int run_among_others(th_system *system, const struct options *options)
{
    const char *listen[] = { options->listen, NULL };
    th_transport_options transport = { .listen = listen };
    char why[TH_DETAILS_SIZE];
    th_addr host;
    th_err err = census_register(system);

    if (!err)
        err = th_transport_start(system, &transport, why);
    if (err)
        return fail(why, err);
    if (options->listen)
        return serve(system, options);
    err = find_host(th_system_self(system), options->to, &host);
    return err ? fail(options->to, err) : run(system, options, host);
}

int main(int argc, char **argv)
{
    struct options options;
    th_trace_options trace = { 0 };
    th_options how = { .name = "census" };
    th_system *system;
    int status;
    th_err err;

    if (!options_parse(&options, argc, argv, &status))
        return status;
    how.base = options.seeded ? TH_BASE_SIMPLE : TH_BASE_POOL;
    how.seed = options.seed;
    how.workers = options.workers;
    how.signals = options.listen ? TH_SIGNAL_TERM : 0;
    trace.path = options.trace;
    how.trace = options.trace ? &trace : NULL;
    system = th_system_create(&how);
    err = system ? th_system_start(system) : TH_E_NOMEM;
    if (err) {
        th_system_destroy(system);
        return fail("the actor system does not start", err);
    }
    status = options.listen || options.to ? run_among_others(system, &options)
                                          : run(system, &options, th_addr_none());
    err = th_system_shutdown(system, TH_S(30), NULL, NULL);
    if (err)
        status = fail("shutdown", err);
    th_system_destroy(system);
    return status;
}
