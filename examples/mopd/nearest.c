/* SPDX-License-Identifier: MIT
 * nearest.c - "did you mean": the known word that is a few slips away from what was typed.
 *
 * A slip is a letter too many, one too few, another one, or two that changed places (optimal string alignment).  Upper and
 * lower case are the same, and so are "_" and "-". */
#include "cli.h"

#include <string.h>

enum { LONGEST = 40 };

static char plain(char c)
{
    return c == '_' ? '-' : (c >= 'A' && c <= 'Z') ? (char)(c + 32) : c;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Slips between the words, each at most LONGEST letters long. */
static size_t slips(const char *a, size_t n_a, const char *b, size_t n_b)
{
    size_t row[3][LONGEST + 1]; /* the rows i - 2, i - 1 and i of the table, in turn */
    for (size_t k = 0; k <= n_b; k++) row[0][k] = k;
    for (size_t i = 1; i <= n_a; i++) {
        size_t *now = row[i % 3], *above = row[(i + 2) % 3], *before = row[(i + 1) % 3];
        now[0] = i;
        for (size_t k = 1; k <= n_b; k++) {
            bool other = plain(a[i - 1]) != plain(b[k - 1]);
            now[k] = least(least(above[k], now[k - 1]) + 1, above[k - 1] + other);
            bool swapped =
                i > 1 && k > 1 && plain(a[i - 1]) == plain(b[k - 2]) && plain(a[i - 2]) == plain(b[k - 1]);
            if (swapped) now[k] = least(now[k], before[k - 2] + 1);
        }
    }
    return row[n_a % 3][n_b];
}

const char *cli_nearest(const char *word, const char *const *known, size_t n)
{
    size_t length = strlen(word), most = length <= 2 ? 0 : length <= 4 ? 1 : length <= 8 ? 2 : 3;
    const char *best = NULL;
    if (length > LONGEST) return NULL;
    for (size_t i = 0; i < n; i++) {
        size_t n_known = strlen(known[i]);
        size_t d = n_known <= LONGEST ? slips(word, length, known[i], n_known) : LONGEST;
        if (d > most || d >= n_known || (best && d == most)) continue;
        best = known[i];
        most = d;
    }
    return best;
}

const char *cli_hint(const char *dashes, const char *word, const char *const *known, size_t n)
{
    static char hint[LONGEST + 40];
    const char *best = cli_nearest(word, known, n);
    *hint = 0;
    if (best) snprintf(hint, sizeof hint, " (did you mean '%s%s'?)", dashes, best);
    return hint;
}

const char *cli_method_hint(const char *word)
{
    const char *known[16] = {"zero-shot", "fit", "gda", "mopd-paper"};
    size_t n = 4;
    for (int32_t m = 0; n < 16 && mopd_method_name(m); m++) known[n++] = mopd_method_name(m);
    return cli_hint("", word, known, n);
}
