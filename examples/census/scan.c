#include "scan.h"

/* What a byte may be: nothing, a digit (goes on), or a letter or underscore (begins). By byte
 * value, whatever the locale. */
enum { OTHER, DIGIT, LETTER };

#define L LETTER
#define D DIGIT
static const unsigned char kind_of[256] = {
    ['0'] = D, ['1'] = D, ['2'] = D, ['3'] = D, ['4'] = D, ['5'] = D, ['6'] = D, ['7'] = D,
    ['8'] = D, ['9'] = D, ['A'] = L, ['B'] = L, ['C'] = L, ['D'] = L, ['E'] = L, ['F'] = L,
    ['G'] = L, ['H'] = L, ['I'] = L, ['J'] = L, ['K'] = L, ['L'] = L, ['M'] = L, ['N'] = L,
    ['O'] = L, ['P'] = L, ['Q'] = L, ['R'] = L, ['S'] = L, ['T'] = L, ['U'] = L, ['V'] = L,
    ['W'] = L, ['X'] = L, ['Y'] = L, ['Z'] = L, ['_'] = L, ['a'] = L, ['b'] = L, ['c'] = L,
    ['d'] = L, ['e'] = L, ['f'] = L, ['g'] = L, ['h'] = L, ['i'] = L, ['j'] = L, ['k'] = L,
    ['l'] = L, ['m'] = L, ['n'] = L, ['o'] = L, ['p'] = L, ['q'] = L, ['r'] = L, ['s'] = L,
    ['t'] = L, ['u'] = L, ['v'] = L, ['w'] = L, ['x'] = L, ['y'] = L, ['z'] = L,
};
#undef L
#undef D

static int kind(char byte)
{
    return kind_of[(unsigned char)byte];
}

bool scan_in_run(char byte)
{
    return kind(byte) != OTHER;
}

size_t scan_skip(const char *bytes, size_t size, int before)
{
    size_t at = 0;

    if (before < 0 || !scan_in_run((char)before))
        return 0;
    while (at < size && scan_in_run(bytes[at]))
        at++;
    return at;
}

th_err scan(const char *bytes, size_t from, size_t own, size_t size, scan_found found,
            void *context)
{
    size_t at = from;

    while (at < own) {
        size_t begin;
        th_err err;

        while (at < own && kind(bytes[at]) == OTHER)
            at++;
        if (at == own)
            break;
        while (at < size && kind(bytes[at]) == DIGIT)
            at++;
        begin = at;
        while (at < size && kind(bytes[at]) != OTHER)
            at++;
        err = at > begin ? found(context, bytes + begin, at - begin) : TH_OK;
        if (err)
            return err;
    }
    return TH_OK;
}
