/* SPDX-License-Identifier: MIT
 * test_torchfile.c - PyTorch files as torch.load reads them (gold/make_torchfiles.py), and spoiled ones.
 *
 * Spoiled files are legacy ones put together here from opcodes: no checksum hides what is tested. */
#include "test.h"

#include "base/buf.h"
#include "format/torchfile.h"
#include "zipmake.h"
#include "base/file.h"
#include "base/view.h"

#define GOLD MOPD_TEST_DIR "/gold/"

static void check_values(const mo_view *v, char *text, const char *name)
{
    const unsigned char *p = v->data;
    for (size_t i = 0; i < v->n; i++, p += mo_dtype_size(v->dtype)) {
        float f = 0;
        double d = 0;
        int64_t x = 0;
        int32_t x32;
        int16_t x16;
        double want = strtod(text, &text);
        switch (v->dtype) {
        case MO_F64:
            memcpy(&d, p, 8);
            break;
        case MO_I64:
            memcpy(&x, p, 8), d = (double)x;
            break;
        case MO_I32:
            memcpy(&x32, p, 4), d = x32;
            break;
        case MO_I16:
            memcpy(&x16, p, 2), d = x16;
            break;
        case MO_I8:
            d = *(const int8_t *)p;
            break;
        case MO_U8:
        case MO_BOOL:
            d = *p;
            break;
        default:
            assert_true(mo_view_floats(v, i, 1, &f)), d = (double)f;
        }
        if (!(d == want)) fail_msg("%s[%zu] is %a, not %a", name, i, d, want);
    }
    assert_int_equal(strspn(text, " \n"), strlen(text));
}

/* The word at *rest, cut off; *rest is then behind it. */
static char *cut_word(char **rest)
{
    char *word = *rest, *end = word + strcspn(word, " \n");
    *rest = end + (*end != 0);
    *end = 0;
    return word;
}

/* One line of torchfiles.txt: file name type shape values. */
static void check_line(char *line)
{
    char *rest = line, *file = cut_word(&rest), *name = cut_word(&rest);
    char *dtype = cut_word(&rest), *shape = cut_word(&rest), path[600];
    const mo_view *v;
    mo_tensors *t;
    snprintf(path, sizeof path, GOLD "%s", file);
    assert_ok(mo_torchfile_open(&t, path, false));
    assert_ok(mo_tensors_need(t, name, &v));
    assert_ptr_equal(v, mo_tensors_find(t, name));
    assert_string_equal(mo_dtype_name(v->dtype), dtype);
    int d = 0;
    for (char *at = shape; *at != '-' && *at; d++) {
        assert_int_equal(v->shape[d], strtoul(at, &at, 10));
        at += *at == 'x';
    }
    assert_int_equal(v->n_dims, d);
    mo_tensors_release(t, v);
    check_values(v, rest, name);
    mo_tensors_close(t);
}

static void torch_reads_what_pytorch_reads(void **state)
{
    (void)state;
    char line[4000];
    int n = 0;
    FILE *f = fopen(GOLD "torchfiles.txt", "r");
    assert_non_null(f);
    for (; fgets(line, sizeof line, f); n++) check_line(line);
    fclose(f);
    assert_int_equal(n, 49);
}

static size_t count_of(const char *path)
{
    mo_tensors *t;
    assert_ok(mo_torchfile_open(&t, path, true));
    size_t n = mo_tensors_count(t);
    for (size_t i = 0; i < n; i++)
        assert_ptr_equal(mo_tensors_find(t, mo_tensors_name(t, i)), mo_tensors_view(t, i));
    assert_string_equal(mo_tensors_path(t), path);
    mo_tensors_close(t);
    return n;
}

static void torch_counts_tensors(void **state)
{
    (void)state;
    assert_int_equal(count_of(GOLD "torch_zip.pt"), 16);
    assert_int_equal(count_of(GOLD "torch_legacy.pth"), 16);
    assert_int_equal(count_of(GOLD "torch_nested.pt"), 4);
    assert_int_equal(count_of(GOLD "torch_script.pt"), 8);
    assert_int_equal(count_of(GOLD "torch_strided.pt"), 5);
}

static void torch_points_into_the_file(void **state)
{
    (void)state;
    mo_buf file = {0};
    mo_tensors *t;
    assert_ok(mo_file_read(&file, GOLD "torch_zip.pt", 1 << 20));
    assert_ok(mo_torchfile_open_bytes(&t, file.data, file.size, "x.pt"));
    const char *p = mo_tensors_find(t, "f32")->data;
    assert_true(p > file.data && p < file.data + file.size);
    const char *all = mo_tensors_find(t, "shared.all")->data, *part = mo_tensors_find(t, "shared.part")->data;
    assert_ptr_equal(part, all + 8 * sizeof(float));
    mo_tensors_close(t);
    mo_buf_free(&file);
}

static void torch_refuses_code(void **state)
{
    (void)state;
    mo_tensors *t;
    assert_fails(mo_torchfile_open(&t, GOLD "torch_evil.pt", false), MOPD_E_FORMAT,
        "torch_evil/data.pkl: byte 169: the pickle wants \"posix.system\", which is not allowed");
    assert_null(t);
}

static void torch_refuses_repeated_elements(void **state)
{
    (void)state;
    mo_tensors *t;
    assert_fails(mo_torchfile_open(&t, GOLD "torch_expand.pt", false), MOPD_E_UNSUPPORTED,
        "tensor \"w\" repeats elements: 5 of a storage of 1");
}

static void torch_names_what_is_missing(void **state)
{
    (void)state;
    mo_tensors *t;
    const mo_view *v;
    assert_fails(mo_torchfile_open(&t, "/nowhere/x.pt", false), MOPD_E_IO, "/nowhere/x.pt");
    assert_ok(mo_torchfile_open(&t, GOLD "torch_zip.pt", false));
    assert_null(mo_tensors_find(t, "g32"));
    assert_fails(mo_tensors_need(t, "g32", &v), MOPD_E_FORMAT, "torch_zip.pt: tensor \"g32\" is missing");
    mo_tensors_close(t);
    mo_tensors_close(NULL);
    assert_fails(
        mo_torchfile_open_bytes(&t, "no torch file", 13, "x.pt"), MOPD_E_FORMAT, "x.pt: starts neither as");
    assert_fails(mo_torchfile_open_bytes(&t, "", 0, "x.pt"), MOPD_E_FORMAT, "x.pt: starts neither as");
}

/* ---- legacy files from opcodes ---- */

#define MAGIC "\x80\2\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
#define PROTOCOL "\x80\2M\xe9\3."
#define SYSTEM "\x80\2}U\x0dlittle_endian\x88s."
#define KEYS "\x80\2](U\1ke."
#define NUMEL "\4\0\0\0\0\0\0\0"
#define DATA "\0\0\x80\x3f\0\0\0\x40\0\0\x40\x40\0\0\x80\x40" /* 1 2 3 4 */
#define STORAGE(n) "(U\7storagectorch\nFloatStorage\nU\1kU\3cpuK" n "NtQ"
#define TENSOR(offset, sizes, strides)                                                                       \
    "ctorch._utils\n_rebuild_tensor_v2\n(" STORAGE("\4") "K" offset sizes strides "\x89}tR"
#define DIMS2(a, b) "K" a "K" b "\x86"
#define OBJECT "\x80\2}U\1w" TENSOR("\0", DIMS2("\2", "\2"), DIMS2("\2", "\1")) "s."
#define NO_STORAGES(object) MAGIC PROTOCOL SYSTEM object "\x80\2]."
#define FILE_OF(object) MAGIC PROTOCOL SYSTEM object KEYS NUMEL DATA

static mopd_status open_some(const char *bytes, size_t n)
{
    mo_tensors *t;
    mopd_status st = mo_torchfile_open_bytes(&t, bytes, n, "x.pth");
    if (st == MOPD_OK && mo_tensors_find(t, "w")) {
        float x[4] = {0};
        assert_true(mo_view_floats(mo_tensors_find(t, "w"), 0, 4, x));
        assert_true(x[0] == 1 && x[1] == 2 && x[2] == 3 && x[3] == 4);
    }
    if (st != MOPD_OK) assert_null(t);
    mo_tensors_close(t);
    return st;
}

#define OPEN(literal) open_some(literal, sizeof literal - 1)

static void torch_legacy_refuses_spoiled_parts(void **state)
{
    (void)state;
    assert_ok(OPEN(FILE_OF(OBJECT)));
    assert_fails(
        OPEN(MAGIC "\x80\2M\xe8\3." SYSTEM OBJECT KEYS NUMEL DATA), MOPD_E_FORMAT, "protocol is not 1001");
    assert_fails(OPEN(MAGIC PROTOCOL "\x80\2}U\x0dlittle_endian\x89s." OBJECT KEYS NUMEL DATA),
        MOPD_E_UNSUPPORTED, "little endian");
    assert_fails(
        OPEN(MAGIC PROTOCOL SYSTEM OBJECT "\x80\2}." NUMEL DATA), MOPD_E_FORMAT, "no list of storage keys");
    assert_fails(
        OPEN(MAGIC PROTOCOL SYSTEM OBJECT "\x80\2]Na." NUMEL DATA), MOPD_E_FORMAT, "storage key is no text");
    assert_fails(OPEN(MAGIC PROTOCOL SYSTEM OBJECT "\x80\2](U\1kU\1ke." NUMEL DATA), MOPD_E_FORMAT,
        "storage key \"k\" is there twice");
    assert_fails(OPEN(MAGIC PROTOCOL SYSTEM OBJECT "\x80\2](U\1je." NUMEL DATA), MOPD_E_FORMAT,
        "storage \"k\" is missing");
    assert_fails(OPEN(MAGIC PROTOCOL SYSTEM OBJECT "\x80\2](U\1kU\1je." NUMEL DATA), MOPD_E_FORMAT,
        "no tensor uses storage 1 of 2");
    assert_fails(OPEN(MAGIC PROTOCOL SYSTEM OBJECT KEYS "\5\0\0\0\0\0\0\0" DATA), MOPD_E_FORMAT,
        "storage \"k\" has 5 elements, its tensors say 4");
    assert_fails(
        OPEN(MAGIC PROTOCOL SYSTEM OBJECT KEYS NUMEL "\0\0"), MOPD_E_FORMAT, "storage \"k\" has 16 bytes");
    assert_fails(OPEN(MAGIC PROTOCOL SYSTEM OBJECT KEYS "\4\0"), MOPD_E_FORMAT, "before storage 0 of 1");
}

static void torch_refuses_every_cut(void **state)
{
    (void)state;
    static const char file[] = FILE_OF(OBJECT);
    for (size_t n = 0; n < sizeof file - 1; n++) assert_fails(open_some(file, n), MOPD_E_FORMAT, "x.pth");
}

#define REFUSE(object, status, words) assert_fails(OPEN(FILE_OF("\x80\2}U\1w" object "s.")), status, words)

static void torch_refuses_bad_tensors(void **state)
{
    (void)state;
    REFUSE(TENSOR("\1", DIMS2("\2", "\2"), DIMS2("\2", "\1")), MOPD_E_FORMAT,
        "tensor \"w\" reaches element 5 of a storage of 4");
    REFUSE(TENSOR("\0", DIMS2("\2", "\3"), DIMS2("\1", "\2")), MOPD_E_FORMAT,
        "reaches element 6 of a storage of 4");
    REFUSE(TENSOR("\0", DIMS2("\2", "\2"), "K\1\x85"), MOPD_E_FORMAT, "has no sizes and strides");
    REFUSE(TENSOR("\0", "N", "N"), MOPD_E_FORMAT, "has no sizes and strides");
    REFUSE(TENSOR("\0", "NN\x86", DIMS2("\2", "\1")), MOPD_E_FORMAT, "a bad offset, size or stride");
    REFUSE(TENSOR("\0", "J\xff\xff\xff\xffK\1\x86", DIMS2("\2", "\1")), MOPD_E_FORMAT,
        "a bad offset, size or stride");
    REFUSE(TENSOR("\0", "\x8a\x08\0\0\0\0\0\0\0\x40K\4\x86", DIMS2("\4", "\1")), MOPD_E_FORMAT,
        "a bad offset, size or stride");
    REFUSE(TENSOR("\0", "(K\1K\1K\1K\1K\1K\1K\1K\1K\1t", "(K\1K\1K\1K\1K\1K\1K\1K\1K\1t"), MOPD_E_UNSUPPORTED,
        "has 9 dimensions, at most 8");
    assert_fails(OPEN(NO_STORAGES("\x80\2ctorch._utils\n_rebuild_tensor_v2\n)R.")), MOPD_E_FORMAT,
        "a tensor without a storage");
    assert_fails(OPEN(NO_STORAGES("\x80\2ctorch._utils\n_rebuild_tensor_v2\n(NK\0K\1\x85K\1\x85tR.")),
        MOPD_E_FORMAT, "a tensor without a storage");
}

#define STORAGE_OF(id) "ctorch._utils\n_rebuild_tensor_v2\n(" id "K\0K\1\x85K\1\x85\x89}tR"

static void torch_refuses_bad_storages(void **state)
{
    (void)state;
    REFUSE(STORAGE_OF("NQ"), MOPD_E_FORMAT, "a tensor without a storage");
    REFUSE(STORAGE_OF("(U\7storageNU\1kU\3cpuK\4tQ"), MOPD_E_FORMAT, "storage \"k\" has no type or size");
    REFUSE(STORAGE_OF("(U\7storagectorch\nFloatStorage\nK\1U\3cpuK\4tQ"), MOPD_E_FORMAT,
        "a storage without a key");
    REFUSE(STORAGE_OF("(U\7storagectorch\nFloatStorage\nU\1kU\3cpuU\1ntQ"), MOPD_E_FORMAT,
        "has no type or size");
    REFUSE(STORAGE_OF("(U\7storagectorch\nFloatStorage\nU\1kU\3cpuK\4)tQ"), MOPD_E_UNSUPPORTED,
        "storage \"k\" is a view of another");
    REFUSE(STORAGE_OF("(U\7storagectorch\nDoubleStorage\nU\1kU\3cpu\x8a\x08\0\0\0\0\0\0\0\x40tQ"),
        MOPD_E_FORMAT, "storage \"k\": its size overflows");
    REFUSE(STORAGE_OF("(U\7storagectorch\nQInt8Storage\nU\1kU\3cpuK\4tQ"), MOPD_E_FORMAT,
        "wants \"torch.QInt8Storage\"");
    assert_fails(
        OPEN(FILE_OF("\x80\2}(U\1a" STORAGE_OF(STORAGE("\4")) "U\1b" STORAGE_OF(STORAGE("\5")) "u.")),
        MOPD_E_FORMAT, "storage \"k\" is described in two ways");
}

#define W TENSOR("\0", "K\4\x85", "K\1\x85")

static void torch_refuses_two_tensors_of_one_name(void **state)
{
    (void)state;
    assert_fails(OPEN(FILE_OF("\x80\2}(U\3a.b" W "U\1a}U\1b" W "su.")), MOPD_E_FORMAT,
        "two tensors are named \"a.b\"");
}

static void torch_ends_cycles(void **state)
{
    (void)state;
    assert_fails(
        OPEN(NO_STORAGES("\x80\2}q\0U\1ah\0s.")), MOPD_E_FORMAT, "x.pth: containers nested deeper than 64");
    assert_fails(OPEN(NO_STORAGES("\x80\2]q\0h\0a.")), MOPD_E_FORMAT, "nested deeper than 64");
    assert_ok(OPEN(NO_STORAGES("\x80\2c__torch__\nM\n)\x81q\0h\0b."))); /* its own state */
}

/* 24 dictionaries, each holding the next one twice: 2^24 ways in 300 bytes. */
static void torch_limits_ways(void **state)
{
    (void)state;
    mo_buf file = {0};
    assert_ok(mo_buf_add(&file, MAGIC PROTOCOL SYSTEM "\x80\2", sizeof MAGIC PROTOCOL SYSTEM "\x80\2" - 1));
    for (int i = 0; i < 24; i++) assert_ok(mo_buf_add(&file, "}(U\1a", 5));
    assert_ok(mo_buf_add(&file, "}", 1));
    for (int i = 0; i < 24; i++) {
        char twice[] = {'q', (char)i, 'U', 1, 'b', 'h', (char)i, 'u'};
        assert_ok(mo_buf_add(&file, twice, sizeof twice));
    }
    assert_ok(mo_buf_add(&file, ".\x80\2].", 5));
    assert_fails(
        open_some(file.data, file.size), MOPD_E_UNSUPPORTED, "more than 2097152 values in the pickle's tree");
    mo_buf_free(&file);
}

static void torch_refuses_long_names(void **state)
{
    (void)state;
    mo_buf file = {0};
    assert_ok(mo_buf_add(&file, MAGIC PROTOCOL SYSTEM "\x80\2}X\1\4\0\0", sizeof MAGIC PROTOCOL SYSTEM + 7));
    for (int i = 0; i < 1025; i++) assert_ok(mo_buf_add(&file, "n", 1));
    assert_ok(mo_buf_add(&file, "Ns.\x80\2].", 7));
    assert_fails(open_some(file.data, file.size), MOPD_E_FORMAT, "longer than 1024 bytes");
    mo_buf_free(&file);
    assert_fails(OPEN(NO_STORAGES("\x80\2}U\3a\0bNs.")), MOPD_E_FORMAT, "or has a zero in it");
}

static void torch_skips_what_has_no_name(void **state)
{
    (void)state;
    mo_tensors *t;
    static const char file[] = FILE_OF("\x80\2}(N" W "G\0\0\0\0\0\0\0\0" W "K\7" W "U\1s" W "u.");
    assert_ok(mo_torchfile_open_bytes(&t, file, sizeof file - 1, "x.pth"));
    assert_int_equal(mo_tensors_count(t), 2);
    assert_non_null(mo_tensors_find(t, "7"));
    assert_non_null(mo_tensors_find(t, "s"));
    mo_tensors_close(t);
}

/* A transposed 64 x 64 tensor is copied into order; letting its pages go must not wipe the copy. */
static void torch_keeps_copies_that_are_released(void **state)
{
    (void)state;
    enum { SIDE = 64 };
    static const char head[] = MAGIC PROTOCOL SYSTEM
        "\x80\2}U\1wctorch._utils\n_rebuild_tensor_v2\n((U\7storagectorch\nFloatStorage\nU\1kU\3cpuM\0\20NtQ"
        "K\0" DIMS2("\100", "\100") DIMS2("\1", "\100") "\x89}tRs." KEYS "\0\20\0\0\0\0\0\0";
    static float x[SIDE * SIDE], y[SIDE * SIDE];
    mo_buf file = {0};
    mo_tensors *t;
    for (int i = 0; i < SIDE * SIDE; i++) x[i] = (float)i;
    assert_ok(mo_buf_add(&file, head, sizeof head - 1));
    assert_ok(mo_buf_add(&file, x, sizeof x));
    assert_ok(mo_torchfile_open(&t, test_write("turned.pth", file.data, file.size), false));
    const mo_view *v = mo_tensors_find(t, "w");
    mo_tensors_release(t, v);
    assert_true(mo_view_floats(v, 0, SIDE * SIDE, y));
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++) assert_true(y[i * SIDE + j] == x[j * SIDE + i]);
    mo_tensors_close(t);
    mo_buf_free(&file);
}

/* ---- zip files ---- */

static const char object_bytes[] = OBJECT, data_bytes[] = DATA;

/* Opens an archive of data.pkl, data/k and one entry more. */
static mopd_status open_zip(const zip_part *data, const zip_part *more)
{
    unsigned char file[2000];
    zip_part parts[3] = {{"r/data.pkl", object_bytes, sizeof object_bytes - 1, 0}, *data};
    if (more) parts[2] = *more;
    return open_some((const char *)file, zip_compose(file, parts, more ? 3 : 2));
}

static void torch_zip_refuses_spoiled_parts(void **state)
{
    (void)state;
    const zip_part good = {"r/data/k", data_bytes, 16, 0}, elsewhere = {"r/data/j", data_bytes, 16, 0};
    const zip_part shorter = {"r/data/k", data_bytes, 15, 0}, packed = {"r/data/k", data_bytes, 16, 8};
    const zip_part little = {"r/byteorder", "little", 6, 0}, big = {"r/byteorder", "big", 3, 0};
    const zip_part other = {"x/y", "", 0, 0};
    unsigned char file[500];
    assert_ok(open_zip(&good, NULL));
    assert_ok(open_zip(&good, &little));
    assert_fails(open_zip(&good, &big), MOPD_E_UNSUPPORTED, "byte order \"big\"");
    assert_fails(open_zip(&elsewhere, NULL), MOPD_E_FORMAT, "zip entry \"r/data/k\" is missing");
    assert_fails(open_zip(&shorter, NULL), MOPD_E_FORMAT, "\"r/data/k\" has 15 bytes, its storage 16");
    assert_fails(open_zip(&packed, NULL), MOPD_E_UNSUPPORTED, "\"r/data/k\" is compressed");
    assert_fails(
        open_some((const char *)file, zip_compose(file, &other, 1)), MOPD_E_FORMAT, "without data.pkl");
}

static mopd_status torture(void *path)
{
    mo_tensors *t;
    mopd_status st = mo_torchfile_open(&t, path, true);
    mo_tensors_close(t);
    return st;
}

static void torch_survives_failing_memory(void **state)
{
    (void)state;
    static char paths[][600] = {
        GOLD "torch_zip.pt", GOLD "torch_legacy.pth", GOLD "torch_script.pt", GOLD "torch_strided.pt"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) test_torture(torture, paths[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(torch_reads_what_pytorch_reads),
        cmocka_unit_test(torch_counts_tensors),
        cmocka_unit_test(torch_points_into_the_file),
        cmocka_unit_test(torch_refuses_code),
        cmocka_unit_test(torch_refuses_repeated_elements),
        cmocka_unit_test(torch_names_what_is_missing),
        cmocka_unit_test(torch_legacy_refuses_spoiled_parts),
        cmocka_unit_test(torch_refuses_every_cut),
        cmocka_unit_test(torch_refuses_bad_tensors),
        cmocka_unit_test(torch_refuses_bad_storages),
        cmocka_unit_test(torch_refuses_two_tensors_of_one_name),
        cmocka_unit_test(torch_ends_cycles),
        cmocka_unit_test(torch_limits_ways),
        cmocka_unit_test(torch_refuses_long_names),
        cmocka_unit_test(torch_skips_what_has_no_name),
        cmocka_unit_test(torch_keeps_copies_that_are_released),
        cmocka_unit_test(torch_zip_refuses_spoiled_parts),
        cmocka_unit_test(torch_survives_failing_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
