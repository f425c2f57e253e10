/* SPDX-License-Identifier: MIT
 * tokens.h - what must hold of a tokenizer that an input made, and of a text. */
#ifndef MOPD_TESTS_FUZZ_TOKENS_H
#define MOPD_TESTS_FUZZ_TOKENS_H

#include "token/tokenizer.h"

/* Encodes a text whole, cut and refused: ids are known ones, counts agree, broken UTF-8 is refused. */
void fuzz_tokens(const mo_tokenizer *t, const char *text, size_t n);

/* Reads every token of the vocabulary; saved and loaded, the tokenizer has the same bytes. */
void fuzz_tokenizer(const mo_tokenizer *t);

#endif
