/* SPDX-License-Identifier: MIT
 * fuzz.c - calls the target for each input and checks what holds for every reader. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/wide.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* A reader gives back every block.  A target may keep an encoder, which keeps working memory: then the same
 * input once more must leave as many blocks as before. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static size_t n_kept;
    fuzz_one(data, n);
    if (mo_mem_live() == n_kept) return 0;
    n_kept = mo_mem_live();
    fuzz_one(data, n);
    FUZZ_MUST(mo_mem_live() == n_kept);
    return 0;
}

_Noreturn void fuzz_broken(const char *file, int line, const char *condition)
{
    fprintf(stderr, "%s:%d: %s does not hold; last error: %s\n", file, line, condition, mopd_last_error());
    abort();
}

bool fuzz_good(mopd_status st)
{
    if (st == MOPD_OK) return true;
    FUZZ_MUST(st != MOPD_E_INTERNAL);
    FUZZ_MUST(st != MOPD_E_NOMEM);
    FUZZ_MUST(*mopd_last_error());
    return false;
}

bool fuzz_none(const void *out)
{
    FUZZ_MUST(!out);
    return false;
}

size_t fuzz_size(uint64_t n)
{
    size_t size;
    FUZZ_MUST(mo_wide_size(&size, n));
    return size;
}

/* Kept where other files could see it, so that no compiler leaves the reads out. */
unsigned fuzz_sum;

void fuzz_touch(const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    unsigned s = 0;
    for (size_t i = 0; i < n; i++) s += p[i];
    fuzz_sum += s;
}
