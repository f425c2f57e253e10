/* SPDX-License-Identifier: MIT
 * fuzz_scan.c - bytes as a tokenizer.json for the reader of its large values, and as each of these values alone.
 *
 * The reader writes over its text, so each try has a copy, which is exactly as long. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "token/tokenizer_scan.h"

static void read_vocab(mo_tokenizer_scan text)
{
    mo_tokenizer_vocab vocab = {0};
    mopd_status st = MOPD_OK;
    if (mo_tokenizer_scan_vocab(text, &vocab, &st)) {
        FUZZ_MUST(st == MOPD_OK && vocab.n <= vocab.cap);
        for (size_t i = 0; i < vocab.n; i++) fuzz_touch(vocab.word[i].text, vocab.word[i].n_bytes);
    }
    fuzz_good(st);
    mo_tokenizer_vocab_close(&vocab);
}

static void read_pieces(mo_tokenizer_scan text)
{
    enum { MOST = 64 };
    mo_tokenizer_vocab vocab = {0};
    mopd_status st = MOPD_OK;
    double *score = malloc(MOST * sizeof *score);
    FUZZ_MUST(score && mo_tokenizer_vocab_open(&vocab, MOST) == MOPD_OK);
    if (mo_tokenizer_scan_pieces(text, &vocab, score, &st)) FUZZ_MUST(vocab.n && vocab.n <= MOST);
    fuzz_good(st);
    mo_tokenizer_vocab_close(&vocab);
    free(score);
}

static void read_merges(mo_tokenizer_scan text)
{
    mo_word a, b;
    bool done = false;
    const size_t most = mo_tokenizer_scan_count(&text);
    size_t n = 0;
    if (!mo_tokenizer_scan_open(&text)) return;
    while (!done && mo_tokenizer_scan_merge(&text, &a, &b, &done)) {
        fuzz_touch(a.text, a.n_bytes);
        if (b.text) fuzz_touch(b.text, b.n_bytes);
        n++;
    }
    FUZZ_MUST(!done || n <= most);
}

static void find(mo_tokenizer_scan text)
{
    const mo_buf file = {.data = text.at, .size = (size_t)(text.end - text.at)};
    mo_tokenizer_scan vocab, merges;
    mo_buf rest = {0};
    mopd_status st = MOPD_OK;
    if (mo_tokenizer_scan_find(&file, &vocab, &merges, &rest, &st)) {
        FUZZ_MUST(vocab.at >= text.at && vocab.end <= text.end);
        FUZZ_MUST(!merges.at || (merges.at >= text.at && merges.end <= text.end));
    }
    fuzz_good(st);
    mo_buf_free(&rest);
}

void fuzz_one(const uint8_t *data, size_t n)
{
    static void (*const readers[])(mo_tokenizer_scan text) = {find, read_vocab, read_pieces, read_merges};
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        char *copy = malloc(n ? n : 1);
        FUZZ_MUST(copy);
        if (n) memcpy(copy, data, n);
        readers[i]((mo_tokenizer_scan){copy, copy + n});
        free(copy);
    }
}
