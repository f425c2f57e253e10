/* SPDX-License-Identifier: MIT
 * reload.h - for tests of tokenizers: what their block gives back. */
#ifndef MOPD_TESTS_SUPPORT_RELOAD_H
#define MOPD_TESTS_SUPPORT_RELOAD_H

#include <stdlib.h>

#include "test.h"

#include "base/buf.h"
#include "token/tokenizer.h"

/* The tokenizer from the block of t, which is freed; the block lay at no multiple of anything, and gives itself again. */
static inline mo_tokenizer *test_reload(mo_tokenizer *t)
{
    mo_tokenizer *back;
    mo_buf first = {0}, second = {0};
    assert_ok(mo_tokenizer_save(t, &first));
    mo_tokenizer_free(t);
    char *off = malloc(first.size + 1);
    memcpy(off + 1, first.data, first.size);
    assert_ok(mo_tokenizer_load(&back, off + 1, first.size, "block"));
    free(off);
    assert_ok(mo_tokenizer_save(back, &second));
    assert_int_equal(first.size, second.size);
    assert_memory_equal(first.data, second.data, first.size);
    mo_buf_free(&first);
    mo_buf_free(&second);
    return back;
}

#endif
