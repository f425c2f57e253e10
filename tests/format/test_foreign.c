/* SPDX-License-Identifier: MIT
 * test_foreign.c - files of other kinds are told by their first bytes. */
#include "test.h"

#include "format/foreign.h"

#define FILE_OF(bytes, what)                                                                                 \
    {                                                                                                        \
        bytes, sizeof(bytes) - 1, what                                                                       \
    }

static void kinds_are_told_by_their_first_bytes(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        const char *what;
    } files[] = {
        FILE_OF("version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS"),
        FILE_OF("<!DOCTYPE html>", "an HTML page"),
        FILE_OF("<html><body>", "an HTML page"),
        FILE_OF("<?xml version=\"1.0\"?>", "an XML text"),
        FILE_OF("\xff\xfe"
                "c\0a\0t\0",
            "UTF-16"),
        FILE_OF("\xfe\xff\0c\0a\0t", "UTF-16"),
        FILE_OF("\xff\xd8\xff\xe0\0\x10JFIF", "a JPEG picture"),
        FILE_OF("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a PNG picture"),
        FILE_OF("GIF89a\1\0", "a GIF picture"),
        FILE_OF("RIFF\x10\0\0\0WEBPVP8 ", "a WebP picture"),
        FILE_OF("II*\0\x08\0\0\0", "a TIFF picture"),
        FILE_OF("\0\0\0\x18"
                "ftypheic",
            "a HEIF, AVIF or video file"),
        FILE_OF("%PDF-1.7\n", "a PDF file"),
        FILE_OF("\x1f\x8b\x08\0", "a gzip file"),
        FILE_OF("PK\3\4\x14\0", "a zip archive"),
        FILE_OF("\x7f"
                "ELF\2\1\1",
            "a program"),
        FILE_OF("\x93NUMPY\1\0", "an array of NumPy's"),
        FILE_OF("GGUF\3\0\0\0", "a GGUF file"),
        FILE_OF("\x89HDF\r\n\x1a\n", "an HDF5 file"),
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        const char *kind = mopd_file_kind(files[i].bytes, files[i].n);
        if (!kind || !strstr(kind, files[i].what)) fail_msg("%s: %s", files[i].what, kind ? kind : "unknown");
        assert_true(mo_foreign_check(files[i].bytes, files[i].n, "f") != MOPD_OK);
        assert_memory_equal(mopd_last_error(), "f: a", 4);
        for (size_t n = 0; n < files[i].n; n++) mopd_file_kind(files[i].bytes, n); /* cut anywhere */
    }
    char tar[512] = "name";
    memcpy(tar + 257, "ustar", 5);
    assert_non_null(strstr(mopd_file_kind(tar, sizeof tar), "a tar archive"));
}

/* What people write into lists is none of them. */
static void texts_are_no_weights(void **state)
{
    (void)state;
    static const char *const texts[] = {"cat\ndog\n", "a", "cat\rdog\rbird\r", "caf\xe9, latin 1", "\tx"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_fails(mo_foreign_weights(texts[i], strlen(texts[i]), "w"), MOPD_E_FORMAT,
            "w: a text, where weights are wanted");
    assert_fails(mo_foreign_weights("{}", 2, "w"), MOPD_E_FORMAT, "w: a text of JSON");
    assert_ok(mo_foreign_weights("cat\0dog", 7, "w"));
    assert_ok(mo_foreign_weights("\x80\2}q", 4, "w"));
    assert_ok(mo_foreign_weights("", 0, "w"));
}

static void texts_are_of_no_such_kind(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "cat\ndog\n", "BMW\n", "{} in a photo\n", "{\"a\":1}", "II\n",
        "MM\n", "PK\n", "\357\273\277cat\n", "RIFF and raff\n", "version 2\n", "path,label\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_null(mopd_file_kind(texts[i], strlen(texts[i])));
        assert_ok(mo_foreign_check(texts[i], strlen(texts[i]), "f"));
    }
    assert_null(mopd_file_kind(NULL, 0));
    assert_fails(
        mo_foreign_weights("{\"a\":1}", 7, "f"), MOPD_E_FORMAT, "f: a text of JSON: give the folder");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_are_told_by_their_first_bytes),
        cmocka_unit_test(texts_are_no_weights),
        cmocka_unit_test(texts_are_of_no_such_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
