/* replay.c: runs a target over files, once each: replay NAME, in builds that have no libFuzzer. Its
 * inputs are the vectors of its kind, and what fuzzing found before: tests/fuzz/found/NAME. */
#include "target.h"

#include <dirent.h>
#include <string.h>

#include "../support/vectors.h"

#define BYTES_MAX (1 << 20)

static int runs;

/* In a block of its own size, so that a sanitizer sees who reads on. */
static void run(const void *bytes, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);

    DEMAND(copy);
    memcpy(copy, bytes, size);
    DEMAND(LLVMFuzzerTestOneInput(copy, size) == 0);
    free(copy);
    runs++;
}

/* @typed: a message's type goes in front, by its place in the file. */
static void replay_vectors(const char *name, int typed)
{
    static struct vector vector;
    static uint8_t bytes[1 + VECTOR_BYTES_MAX];
    static char types[32][sizeof(vector.type)];
    struct vectors vectors;
    uint8_t count = 0, number;

    DEMAND(vectors_open(&vectors, name));
    while (vectors_next(&vectors, &vector)) {
        if (vector.shape[0]) {
            memcpy(types[count++], vector.type, sizeof(vector.type));
            continue;
        }
        for (number = 0; number < count && strcmp(types[number], vector.type) != 0;)
            number++;
        bytes[0] = (uint8_t)(number + 1);
        memcpy(bytes + 1, vector.bytes, vector.size);
        run(bytes + !typed, vector.size + (typed ? 1 : 0));
    }
}

static void replay_file(const char *folder, const char *name)
{
    static uint8_t bytes[BYTES_MAX];
    char path[1024];
    size_t size;
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "rb");
    DEMAND(file);
    size = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    run(bytes, size);
}

static void replay_found(const char *name)
{
    char folder[512];
    struct dirent *entry;
    DIR *dir;

    snprintf(folder, sizeof(folder), "%s/tests/fuzz/found/%s", TESTS_ROOT, name);
    dir = opendir(folder);
    while (dir && (entry = readdir(dir))) {
        if (entry->d_name[0] != '.')
            replay_file(folder, entry->d_name);
    }
    if (dir)
        closedir(dir);
}

int main(int argc, char **argv)
{
    const char *name = argc == 2 ? argv[1] : "";

    if (strcmp(name, "frame") == 0) {
        replay_vectors("frames.txt", 0);
        replay_vectors("frames_bad.txt", 0);
    } else if (strcmp(name, "codec") == 0) {
        replay_vectors("messages.txt", 1);
        replay_vectors("messages_bad.txt", 1);
    }
    run("", 0);
    replay_found(name);
    printf("%s: %d inputs\n", name, runs);
    return 0;
}
