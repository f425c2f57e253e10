/* SPDX-License-Identifier: MIT
 * fuzz_journal.c - bytes as the journal of an encoding, as they are and with check values that are right; what is found
 * is gone through, added to, and found again. */
#include "files.h"
#include "fuzz.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "data/journal.h"

enum { DIM = 3, HEAD = 256, RECORD = 64 + 8 + 4 * DIM + 8 };

static const mo_journal_run run = {.fingerprint = "f", .dim = DIM, .n_views = 1, .seed = 1};

static size_t go_through(mo_journal *journal)
{
    mo_features_cache cache = {0};
    FUZZ_MUST(mo_journal_list(journal, &cache) == MOPD_OK);
    mo_features_cache_sort(&cache);
    for (size_t i = 0; i < cache.n; i++) {
        const mo_features_entry *e = cache.entry + i;
        size_t n;
        fuzz_touch(e->hash, 64);
        for (size_t k = 0; k < DIM; k++) FUZZ_MUST(isfinite(e->features[k]));
        FUZZ_MUST(mo_features_cache_find(&cache, e->hash, &n) && n);
        FUZZ_MUST(mo_features_cache_take(&cache, e->hash, e->plain)->plain == e->plain);
    }
    const size_t n = cache.n;
    mo_features_cache_free(&cache);
    return n;
}

static void try(const uint8_t *data, size_t n)
{
    static const float row[DIM] = {1, 2, 3};
    char hash[65];
    memset(hash, '5', sizeof hash);
    mo_journal *journal = NULL;
    const char *path = fuzz_file(data, n);
    if (!FUZZ_READ(mo_journal_open(&journal, path, &run), journal)) return;
    const size_t before = go_through(journal);
    FUZZ_MUST(mo_journal_add(journal, hash, true, row) == MOPD_OK);
    FUZZ_MUST(mo_journal_flush(journal) == MOPD_OK);
    mo_journal_close(journal);
    FUZZ_MUST(mo_journal_open(&journal, path, &run) == MOPD_OK);
    FUZZ_MUST(go_through(journal) == before + 1);
    mo_journal_close(journal);
}

void fuzz_one(const uint8_t *data, size_t n)
{
    try(data, n);
    uint8_t *mended = malloc(n + 1);
    FUZZ_MUST(mended);
    memcpy(mended, data, n);
    for (size_t at = HEAD; at + RECORD <= n; at += RECORD) {
        const uint64_t check = mo_hash_bytes(mended + at, RECORD - sizeof check);
        memcpy(mended + at + RECORD - sizeof check, &check, sizeof check);
    }
    try(mended, n);
    free(mended);
}
