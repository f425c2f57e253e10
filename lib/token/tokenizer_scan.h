/* SPDX-License-Identifier: MIT
 * tokenizer_scan.h - the two large plain values of a tokenizer.json, read without a tree.
 *
 * Vocabulary and merges are some 200,000 JSON values; as a tree they cost most of opening a model.  This
 * reads them where they lie.  It knows the usual ways of writing them only and says false to anything else,
 * right or wrong: the caller then takes the tree, which also has the words for what is wrong. */
#ifndef MO_TOKEN_TOKENIZER_SCAN_H
#define MO_TOKEN_TOKENIZER_SCAN_H

#include "base/buf.h"
#include "token/tokenizer_table.h"

/* Text being read; strings are unescaped in place, so it serves once. */
typedef struct mo_tokenizer_scan {
    char *at, *end;
} mo_tokenizer_scan;

/* Finds the values of model.vocab and model.merges in a tokenizer.json and writes the file with "{}" and
 * "[]" in their places to rest.  A vocabulary that is a list has no merges beside it.  *st is NOMEM or OK. */
bool mo_tokenizer_scan_find(
    const mo_buf *file, mo_tokenizer_scan *vocab, mo_tokenizer_scan *merges, mo_buf *rest, mopd_status *st);

/* {"text": id, ...}, nothing behind.  The vocabulary, opened here, points into the text. */
bool mo_tokenizer_scan_vocab(mo_tokenizer_scan scan, mo_tokenizer_vocab *vocab, mopd_status *st);

/* [["text", score], ...], nothing behind, ids in order.  The vocabulary is open; score has room for vocab->cap. */
bool mo_tokenizer_scan_pieces(
    mo_tokenizer_scan scan, mo_tokenizer_vocab *vocab, double *score, mopd_status *st);

/* ["a b", ["a", "b"], ...]: the number of items at most, then one item after the other.  b is NULL for a
 * text. False: *done says whether the array ended well. */
size_t mo_tokenizer_scan_count(const mo_tokenizer_scan *merges);
bool mo_tokenizer_scan_open(mo_tokenizer_scan *merges);
bool mo_tokenizer_scan_merge(mo_tokenizer_scan *merges, mo_word *a, mo_word *b, bool *done);

#endif
