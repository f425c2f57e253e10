/* SPDX-License-Identifier: MIT
 * test_table.c - the table of docs/security.md tells the numbers of the code; and what is asked for them. */
#include "test.h"

#include <inttypes.h>

#include "base/limits.h"
#include "base/view.h"
#include "token/tokenizer_table.h"

/* "4 GiB", "192 MiB", or "178,956,970". */
static void write_number(char text[64], uint64_t x)
{
    if (x && x % (1u << 30) == 0)
        snprintf(text, 64, "%" PRIu64 " GiB", x >> 30);
    else if (x && x % (1u << 20) == 0)
        snprintf(text, 64, "%" PRIu64 " MiB", x >> 20);
    else if (x < 1000)
        snprintf(text, 64, "%" PRIu64, x);
    else if (x < 1000000)
        snprintf(text, 64, "%" PRIu64 ",%03" PRIu64, x / 1000, x % 1000);
    else
        snprintf(text, 64, "%" PRIu64 ",%03" PRIu64 ",%03" PRIu64, x / 1000000, x / 1000 % 1000, x % 1000);
}

static void expect(const char *page, const char *words)
{
    if (!strstr(page, words)) fail_msg("docs/security.md does not say \"%s\"", words);
}

static void the_page_tells_the_codes_numbers(void **state)
{
    (void)state;
    char *page = test_read(MOPD_SOURCE_DIR "/docs/security.md"), number[64], words[128];
    for (int i = 0; i < MO_N_LIMITS; i++) {
        write_number(number, mo_limits_preset((mo_limit)i));
        snprintf(words, sizeof words, "`%s`: %s", mo_limits_name((mo_limit)i), number);
        expect(page, words);
    }
    snprintf(words, sizeof words, "| vocabulary | %zu,%03zu,%03zu ids |", MO_TOKEN_MAX_IDS / 1000000,
        MO_TOKEN_MAX_IDS / 1000 % 1000, MO_TOKEN_MAX_IDS % 1000);
    expect(page, words);
    write_number(number, MO_TOKEN_LONGEST);
    snprintf(words, sizeof words, "of a piece of SentencePiece's kind | %s |", number);
    expect(page, words);
    snprintf(words, sizeof words, "| dimensions of a tensor | %d |", MO_MAX_DIMS);
    expect(page, words);
    snprintf(
        words, sizeof words, "or %zu bytes for each of the file's", mo_limits_reading((size_t)1 << 26) >> 26);
    expect(page, words);
    free(page);
}

static void small_files_have_the_limit_and_large_ones_their_multiple(void **state)
{
    (void)state;
    assert_int_equal(mo_limits_reading(0), (size_t)192 << 20);
    assert_int_equal(mo_limits_reading((size_t)1 << 20), (size_t)192 << 20);
    assert_int_equal(mo_limits_reading((size_t)1 << 26), (size_t)14 << 26);
    assert_true(mo_limits_reading(SIZE_MAX) == SIZE_MAX / 2);
    mo_limits_set(MO_LIMIT_READING, UINT64_MAX);
    assert_true(mo_limits_reading(0) == SIZE_MAX / 2);
    assert_ok(mo_limits_check_reading(0, SIZE_MAX / 2, "x", "y"));
    mo_limits_set(MO_LIMIT_READING, 1);
    assert_ok(mo_limits_check_reading(2, 28, "x", "y"));
    assert_fails(mo_limits_check_reading(2, 29, "x.json", "its JSON"), MOPD_E_UNSUPPORTED,
        "x.json: its JSON would take 29 bytes of memory, 2 bytes may take 28 (the limit reading_memory is "
        "1)");
    mo_limits_set(MO_LIMIT_READING, 0); /* as at first */
    mo_limits_set(MO_LIMIT_TENSORS, 3);
    assert_ok(mo_limits_check(MO_LIMIT_TENSORS, 3, "x", "tensors"));
    assert_fails(mo_limits_check(MO_LIMIT_TENSORS, 4, "x.pt", "tensors"), MOPD_E_UNSUPPORTED,
        "x.pt: 4 tensors, the limit tensors is 3");
    mo_limits_set(MO_LIMIT_TENSORS, 0);
    assert_true(mo_limits_get(MO_LIMIT_TENSORS) == mo_limits_preset(MO_LIMIT_TENSORS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_page_tells_the_codes_numbers),
        cmocka_unit_test(small_files_have_the_limit_and_large_ones_their_multiple)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
