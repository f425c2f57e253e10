/* SPDX-License-Identifier: MIT
 * fuzz_prompt.c - bytes as a prompt file; what opens is described, read to the end and used. */
#include "files.h"
#include "fuzz.h"
#include "model.h"
#include "mutate.h"

#include "prompt/promptfile.h"

/* What opens can be written, opens again, and is then written as it was. */
static void save(const mopd_prompt *prompt)
{
    mopd_prompt *again = NULL;
    const char *first = fuzz_beside("first"), *second = fuzz_beside("second");
    FUZZ_MUST(mopd_prompt_save(prompt, first) == MOPD_OK);
    FUZZ_MUST(mopd_prompt_open(&again, first, NULL) == MOPD_OK);
    FUZZ_MUST(mopd_prompt_save(again, second) == MOPD_OK);
    mopd_prompt_close(again);
    fuzz_same(first, second);
}

static void use(const mopd_prompt *prompt)
{
    static const char *const classes[2] = {"cat", "a new one"};
    mopd_gate *gate = NULL;
    mopd_bank *bank = NULL, *half = NULL;
    char *json = NULL;
    fuzz_touch(prompt->context, mo_prompt_context_floats(prompt) * sizeof(float));
    fuzz_touch(prompt->gate, mo_prompt_gate_floats(prompt) * sizeof(float));
    FUZZ_MUST(mopd_prompt_describe(prompt, &json) == MOPD_OK);
    (void)FUZZ_READ(mopd_gate_create(&gate, prompt), gate);
    (void)FUZZ_READ(mopd_bank_create_prompt(&bank, fuzz_encoder(), NULL, 0, prompt), bank);
    (void)FUZZ_READ(mopd_bank_create_prompt_unseen(&half, fuzz_encoder(), classes, 2, prompt, 0.5f), half);
    mopd_bank_free(half);
    mopd_bank_free(bank);
    mopd_gate_free(gate);
    mopd_free(json);
    save(prompt);
}

void fuzz_one(const uint8_t *data, size_t n)
{
    mopd_prompt *prompt = NULL;
    const char *path = fuzz_file(data, n);
    if (FUZZ_READ(mopd_prompt_open(&prompt, path, NULL), prompt)) use(prompt);
    mopd_prompt_close(prompt);
    fuzz_inspect(path);
}

FUZZ_MUTATES_TENSORS
