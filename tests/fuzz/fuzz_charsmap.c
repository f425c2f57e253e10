/* SPDX-License-Identifier: MIT
 * fuzz_charsmap.c - bytes as a compiled map of characters, walked over texts. */
#include "fuzz.h"
#include "mutate.h"

#include <string.h>

#include "base/utf8.h"
#include "token/charsmap.h"

void fuzz_one(const uint8_t *data, size_t n)
{
    static const char text[] = "a e\xcc\x81 \xc2\xb2\xcc\x81 \xef\xbd\xb6\xef\xbe\x9e "
                               "\xe2\x80\x8b\r\n\xef\xbc\xa1 zz \xf0\x9f\x98\x80";
    mo_charsmap map;
    if (!fuzz_good(mo_charsmap_open(&map, data, n, "fuzz"))) return;
    for (size_t at = 0, step; at < sizeof text - 1; at += step) {
        const char *to;
        size_t n_to = 0;
        step = mo_charsmap_longest(&map, text + at, sizeof text - 1 - at, &to, &n_to);
        if (step) fuzz_touch(to, n_to);
        FUZZ_MUST(step <= sizeof text - 1 - at);
        if (!step) step = 1;
    }
    mo_buf out = {0};
    FUZZ_MUST(mo_charsmap_clusters(&map, text, sizeof text - 1, &out) == MOPD_OK);
    FUZZ_MUST(mo_utf8_valid(out.data, out.size));
    mo_buf_free(&out);
}

FUZZ_MUTATES_WORDS
