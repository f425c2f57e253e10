/* SPDX-License-Identifier: MIT
 * mutate.h - changes that keep what else would refuse nearly every input: the length before a header, where tensors lie,
 * check sums, the lines between the files of an input.
 *
 * A target that has one of the macros behind its fuzz_one is changed in this way; libFuzzer and driver.c ask for it by name. */
#ifndef MOPD_TESTS_FUZZ_MUTATE_H
#define MOPD_TESTS_FUZZ_MUTATE_H

#include "files.h"

/* libFuzzer's own change of some bytes, of which there is room for `most`; the new number. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t n, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t most, unsigned seed);

/* A safetensors file: its header or its data; mostly the tensors then lie one behind the other, as long as their
 * shapes say. */
size_t fuzz_mutate_tensors(uint8_t *data, size_t n, size_t most, unsigned seed);

/* Whole numbers of four bytes, the lowest first: one of them by a little, or anything. */
size_t fuzz_mutate_words(uint8_t *data, size_t n, size_t most, unsigned seed);

/* Any bytes: often one of them by one, or some at the end. */
size_t fuzz_mutate_bytes(uint8_t *data, size_t n, size_t most, unsigned seed);

/* A PNG picture: mostly the check sums of its chunks are right then. */
size_t fuzz_mutate_png(uint8_t *data, size_t n, size_t most, unsigned seed);

/* One file of several, or one more, which comes from the base folder. */
size_t fuzz_mutate_folder(const fuzz_folder *folder, uint8_t *data, size_t n, size_t most, unsigned seed);

#define FUZZ_MUTATES(call)                                                                                   \
    size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t most, unsigned seed)                      \
    {                                                                                                        \
        return call;                                                                                         \
    }
#define FUZZ_MUTATES_TENSORS FUZZ_MUTATES(fuzz_mutate_tensors(data, n, most, seed))
#define FUZZ_MUTATES_WORDS FUZZ_MUTATES(fuzz_mutate_words(data, n, most, seed))
#define FUZZ_MUTATES_BYTES FUZZ_MUTATES(fuzz_mutate_bytes(data, n, most, seed))
#define FUZZ_MUTATES_PNG FUZZ_MUTATES(fuzz_mutate_png(data, n, most, seed))
#define FUZZ_MUTATES_FOLDER(folder) FUZZ_MUTATES(fuzz_mutate_folder(folder, data, n, most, seed))

#endif
