#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <thespis/config.h>
#include <unistd.h>

#define CHUNK_DEFAULT (256 * 1024)
#define CHUNK_MAX     (4 * 1024 * 1024) /* its counts fit a message with room to spare */

static const char usage[] =
    "usage: census [DIRECTORY] [OPTION]...\n"
    "Counts the C identifiers in all files below DIRECTORY (default /usr/include).\n"
    "  --workers N   worker threads (default: one a core)\n"
    "  --seed N      run on the simple base: one thread, an order decided by N\n"
    "  --check       recount with coreutils and compare\n"
    "  --top N       how many identifiers to print (default 20)\n"
    "  --listen ADDR count for other processes, until SIGTERM; ADDR is host:port, port 0: any\n"
    "  --to ADDR     let the process that listens there count; it reads the files\n"
    "  --trace FILE  write what happens to FILE, for ui.perfetto.dev\n"
    "  --chunk N     bytes a message's worth of file has (default 262144)\n";

static int complain(const char *what, const char *which)
{
    fprintf(stderr, "census: %s%s\n%s", what, which, usage);
    return 2;
}

static bool parse_number(const char *text, uint64_t least, uint64_t most, uint64_t *number_out)
{
    char *end;
    unsigned long long number;

    if (!isdigit((unsigned char)text[0]))
        return false;
    errno = 0;
    number = strtoull(text, &end, 10);
    if (errno || *end || number < least || number > most)
        return false;
    *number_out = number;
    return true;
}

static int parse_option(struct options *options, int option, const char *text)
{
    uint64_t number = 0;

    switch (option) {
    case 'w':
        if (!parse_number(text, 1, TH_WORKERS_MAX, &number))
            return complain("not a number of workers: ", text);
        options->workers = (uint32_t)number;
        return 0;
    case 's':
        if (!parse_number(text, 0, UINT64_MAX, &options->seed))
            return complain("not a seed: ", text);
        options->seeded = true;
        return 0;
    case 't':
        return parse_number(text, 0, UINT64_MAX, &options->top)
                   ? 0
                   : complain("not a number of lines: ", text);
    case 'b':
        return parse_number(text, 1, CHUNK_MAX, &options->chunk_size)
                   ? 0
                   : complain("not a chunk size of 1 to 4194304 bytes: ", text);
    case 'c': options->check = true; return 0;
    case 'T': options->trace = text; return 0;
    case 'l': options->listen = text; return 0;
    case 'o': options->to = text; return 0;
    default: return complain("unknown option, or one without its value", "");
    }
}

static int check_root(const char *root)
{
    struct stat status;

    if (stat(root, &status) != 0) {
        fprintf(stderr, "census: %s: %s\n", root, strerror(errno));
        return 2;
    }
    if (!S_ISDIR(status.st_mode)) {
        fprintf(stderr, "census: %s: not a directory\n", root);
        return 2;
    }
    if (access(root, R_OK | X_OK) != 0) {
        fprintf(stderr, "census: %s: %s\n", root, strerror(errno));
        return 2;
    }
    return 0;
}

bool options_parse(struct options *options, int argc, char **argv, int *status_out)
{
    static const struct option known[] = {
        { "workers", required_argument, NULL, 'w' }, { "seed", required_argument, NULL, 's' },
        { "check", no_argument, NULL, 'c' },         { "top", required_argument, NULL, 't' },
        { "trace", required_argument, NULL, 'T' },   { "chunk", required_argument, NULL, 'b' },
        { "listen", required_argument, NULL, 'l' },  { "to", required_argument, NULL, 'o' },
        { "help", no_argument, NULL, 'h' },          { NULL, 0, NULL, 0 },
    };
    int option;

    *options = (struct options){ .root = "/usr/include", .top = 20, .chunk_size = CHUNK_DEFAULT };
    opterr = 0; /* complain() says it */
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (option == 'h') {
            fputs(usage, stdout);
            *status_out = 0;
            return false;
        }
        *status_out = parse_option(options, option, optarg);
        if (*status_out)
            return false;
    }
    if (argc - optind > 1) {
        *status_out = complain("one directory at a time: ", argv[optind + 1]);
        return false;
    }
    if (optind < argc)
        options->root = argv[optind];
    if (options->seeded && (options->listen || options->to)) {
        *status_out = complain("--seed is for one process: no --listen, no --to", "");
        return false;
    }
    *status_out = check_root(options->root);
    return *status_out == 0;
}
