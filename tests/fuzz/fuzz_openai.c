/* SPDX-License-Identifier: MIT
 * fuzz_openai.c - bytes as the pickle of an OpenAI checkpoint, whose archive and storages are made around it.
 *
 * A whole archive would be a hundred times as long, and nearly all changes would fall into numbers.  The
 * containers are those of fuzz_torchfile.c. */
#include "files.h"
#include "fuzz.h"
#include "model.h"
#include "mutate.h"

#include <stdlib.h>

#define LONG_PART 65536 /* bytes of a storage, which is read where it lies: nobody looks at its check sum */
#define ZIP_CRC(data, n) ((n) < LONG_PART ? zip_crc(data, n) : 0)
#include "format/zipmake.h"

#define N_HALVES (514 * 64) /* what seeds.py makes its largest tensor of */

void fuzz_one(const uint8_t *data, size_t n)
{
    static const char *const vocabulary[] = {"bpe_simple_vocab_16e6.txt.gz"};
    static const fuzz_folder folder = {"openai", vocabulary, 1};
    static uint16_t halves[N_HALVES];
    static const int64_t counts[3] = {4, 8, 514}; /* side, positions, vocabulary */
    for (size_t i = 0; i < N_HALVES; i++) halves[i] = (uint16_t)(0x2c00 + i % 512);
    const zip_part parts[] = {{"m/data.pkl", data, n, 0}, {"m/data/0", halves, sizeof halves, 0},
        {"m/data/1", counts, sizeof counts, 0}};
    unsigned char *archive = malloc(n + sizeof halves + 1024);
    FUZZ_MUST(archive);
    size_t n_archive = zip_compose(archive, parts, 3);
    fuzz_folder_write(&folder, data, 0);
    fuzz_model(fuzz_file(archive, n_archive));
    free(archive);
}

FUZZ_MUTATES_BYTES
