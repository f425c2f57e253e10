/* SPDX-License-Identifier: MIT
 * hostile.h - files of every kind made to cost much: n entries, each as short as it can be or like the one before.
 *
 * A maker writes into the folder and gives the path that its opener takes. */
#ifndef MOPD_TESTS_LIMITS_HOSTILE_H
#define MOPD_TESTS_LIMITS_HOSTILE_H

#include "test.h"

#include <sys/stat.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/half.h"
#include "base/file.h"
#include "base/hash.h"
#include "data/dataset.h"
#include "data/features_cache.h"
#include "data/journal.h"
#include "format/json.h"
#include "format/npy.h"
#include "format/safetensors.h"
#include "format/torchfile.h"
#include "format/zip.h"
#include "prompt/bank.h"
#include "prompt/gda.h"
#include "prompt/promptfile.h"
#include "prompt/recognizer_handle.h"
#include "token/tokenizer.h"

/* ---- putting together ---- */

static inline void hostile_write(char path[600], const char *folder, const char *name, const mo_buf *b)
{
    snprintf(path, 600, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(b->data, 1, b->size, f), b->size);
    fclose(f);
}

static inline void hostile_put(mo_buf *b, const void *bytes, size_t n)
{
    assert_ok(mo_buf_add(b, bytes, n));
}

#define PUTS(text) hostile_put(b, text, strlen(text))
#define PUTF(...) assert_ok(mo_buf_addf(b, __VA_ARGS__))
#define PUTB(literal) hostile_put(b, literal, sizeof(literal) - 1)

/* n times a text, commas between. */
static inline void hostile_list(mo_buf *b, const char *item, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (i) PUTS(",");
        PUTS(item);
    }
}

/* A safetensors file: 8 bytes, header, data. */
static inline void hostile_tensors(mo_buf *b, const mo_buf *header, const void *data, size_t n_data)
{
    const uint64_t n = header->size;
    hostile_put(b, &n, sizeof n);
    hostile_put(b, header->data, header->size);
    if (n_data) hostile_put(b, data, n_data);
}

/* A text as gzip packs it. */
static inline void hostile_gzip(mo_buf *b, const mo_buf *text)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    const size_t most = deflateBound(&z, (uLong)text->size) + 64;
    char *room = mo_buf_room(b, most);
    assert_non_null(room);
    z.next_in = (Bytef *)text->data, z.avail_in = (uInt)text->size;
    z.next_out = (Bytef *)room, z.avail_out = (uInt)most;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    b->size += most - z.avail_out;
    deflateEnd(&z);
}

/* ---- JSON ---- */

static inline void make_json_objects(mo_buf *b, size_t n)
{
    PUTS("["), hostile_list(b, "{}", n), PUTS("]");
}

static inline void make_json_arrays(mo_buf *b, size_t n)
{
    PUTS("["), hostile_list(b, "[]", n), PUTS("]");
}

static inline void make_json_numbers(mo_buf *b, size_t n)
{
    PUTS("["), hostile_list(b, "0", n), PUTS("]");
}

static inline void make_json_texts(mo_buf *b, size_t n)
{
    PUTS("["), hostile_list(b, "\"\"", n), PUTS("]");
}

static inline void make_json_keys(mo_buf *b, size_t n)
{
    PUTS("{");
    for (size_t i = 0; i < n; i++) PUTF("%s\"%zx\":0", i ? "," : "", i);
    PUTS("}");
}

static inline mopd_status open_json_file(const char *path)
{
    const mo_json *root;
    mopd_status st = mo_json_open(&root, path);
    mo_json_close(root);
    return st;
}

/* ---- tensors ---- */

static inline void make_header(mo_buf *b, size_t n)
{
    mo_buf h = {0};
    for (size_t i = 0; i < n; i++)
        assert_ok(mo_buf_addf(
            &h, "%s\"%zx\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}", i ? "," : "{", i));
    assert_ok(mo_buf_adds(&h, "}"));
    hostile_tensors(b, &h, NULL, 0);
    mo_buf_free(&h);
}

static inline void make_metadata(mo_buf *b, size_t n)
{
    mo_buf h = {0};
    assert_ok(mo_buf_adds(&h, "{\"__metadata__\":{\"\":\"\""));
    for (size_t i = 0; i < n; i++) assert_ok(mo_buf_addf(&h, ",\"%zx\":\"\"", i));
    assert_ok(mo_buf_adds(&h, "}}"));
    hostile_tensors(b, &h, NULL, 0);
    mo_buf_free(&h);
}

static inline mopd_status open_tensors(const char *path)
{
    mo_tensors *t = NULL;
    mopd_status st = mo_tensors_open(&t, path, true);
    mo_tensors_close(t);
    return st;
}

/* A legacy PyTorch file up to the object, of whose tensors all are of one storage "0" with `numel` floats. */
static inline void put_torch(mo_buf *b, size_t n, uint32_t numel, const char *name)
{
    PUTB("\x80\2\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\2M\xe9\3.\x80\2}U\x0dlittle_"
         "endian\x88s.");
    PUTB("\x80\2]q\0(");
    PUTB("ctorch._utils\n_rebuild_tensor_v2\nq\1((U\7storagectorch\nFloatStorage\nU\1"
         "0U\3cpuJ");
    hostile_put(b, &numel, sizeof numel);
    PUTB("tQK\0(J");
    hostile_put(b, &numel, sizeof numel);
    PUTB("t(K\1t\x89}tRq\2");
    for (size_t i = 0; i < n; i++) PUTB("h\2");
    PUTS(name);
    PUTB("e.\x80\2](X\1\0\0\0"
         "0e.");
    const uint64_t all = numel;
    hostile_put(b, &all, sizeof all);
    for (uint32_t i = 0; i < numel; i++) PUTB("\0\0\x80?");
}

static inline void make_torch_shared(mo_buf *b, size_t n)
{
    put_torch(b, n, 4096, "");
}

/* Tensors of no element, so that nothing but their names and records is there. */
static inline void make_torch_names(mo_buf *b, size_t n)
{
    put_torch(b, n, 0, "");
}

static inline void make_pickle(mo_buf *b, size_t n)
{
    put_torch(b, 0, 1, "");
    mo_buf more = {0};
    assert_non_null(mo_buf_room(&more, n + 1));
    memset(more.data, 'N', n);
    more.data[n] = 0;
    b->size = 0;
    put_torch(b, 0, 1, more.data);
    mo_buf_free(&more);
}

/* ---- tokenizers ---- */

#define LOW "\xe2\x96\x81"
#define UNIGRAM_HEAD                                                                                         \
    "\"model\":{\"type\":\"Unigram\",\"unk_id\":0,\"vocab\":[[\"<unk>\",0],[\"</s>\",0],[\"a\",0]"

static inline void make_unigram(mo_buf *b, size_t n)
{
    PUTS("{" UNIGRAM_HEAD);
    for (size_t i = 0; i < n; i++) PUTF(",[\"x%zx\",0]", i);
    PUTS("]}}");
}

/* Written in an unusual way, so that it is read as a tree. */
static inline void make_unigram_tree(mo_buf *b, size_t n)
{
    PUTS("{" UNIGRAM_HEAD);
    for (size_t i = 0; i < n; i++) PUTF(",[\"x%zx\",1e0]", i);
    PUTS("]}}");
}

static inline void make_pairs(mo_buf *b, size_t n)
{
    PUTS("{\"model\":{\"type\":\"BPE\",\"byte_fallback\":true,\"vocab\":{\"</s>\":0,\"a\":1");
    for (size_t i = 0; i < n; i++) PUTF(",\"ax%zx\":%zu,\"x%zx\":%zu", i, 2 * i + 2, i, 2 * i + 3);
    PUTS("},\"merges\":[");
    for (size_t i = 0; i < n; i++) PUTF("%s\"a x%zx\"", i ? "," : "", i);
    PUTS("]}}");
}

static inline void make_added(mo_buf *b, size_t n)
{
    PUTS("{\"added_tokens\":[");
    for (size_t i = 0; i < n; i++) PUTF("%s{\"id\":%zu,\"content\":\"<%zu>\"}", i ? "," : "", 3 + i, i);
    PUTS("]," UNIGRAM_HEAD "]}}");
}

static inline void make_added_same(mo_buf *b, size_t n)
{
    PUTS("{\"added_tokens\":[");
    for (size_t i = 0; i < n; i++)
        PUTF("%s{\"id\":%zu,\"content\":\"<x>\",\"lstrip\":%s}", i ? "," : "", 3 + i,
            i % 2 ? "true" : "false");
    PUTS("]," UNIGRAM_HEAD "]}}");
}

/* tokenizer_config.json with what `more` adds; the tokenizer itself is small. */
static inline void put_config(const char *folder, const mo_buf *config)
{
    char path[600];
    mo_buf json = {0}, *b = &json;
    hostile_write(path, folder, "tokenizer_config.json", config);
    PUTS("{" UNIGRAM_HEAD "]}}");
    hostile_write(path, folder, "tokenizer.json", &json);
    mo_buf_free(&json);
}

static inline void make_extra(mo_buf *b, size_t n)
{
    PUTS("{\"eos_token\":\"</s>\",\"extra_special_tokens\":[\"<x>\"");
    for (size_t i = 0; i < n; i++) PUTF(",\"<%zx>\"", i);
    PUTS("]}");
}

static inline void make_extra_same(mo_buf *b, size_t n)
{
    PUTS("{\"eos_token\":\"</s>\",\"extra_special_tokens\":[");
    hostile_list(b, "\"<x>\"", n);
    PUTS("]}");
}

static inline void make_decoder(mo_buf *b, size_t n)
{
    PUTS("{\"eos_token\":\"</s>\",\"added_tokens_decoder\":{\"0\":{\"content\":\"</s>\"}");
    for (size_t i = 0; i < n; i++) PUTF(",\"%zu\":{\"content\":\"<%zx>\"}", i + 1, i);
    PUTS("}}");
}

/* CLIP's block: n merges, all of which met in one slot before the table had a key. */
static inline void make_colliding(mo_buf *b, size_t n)
{
    enum { IDS = 1 << 16 };
    size_t slots = 16, n_found = 0;
    while (slots < 2 * n) slots *= 2;
    uint32_t *first = calloc(slots + 1, sizeof *first), *right = malloc(IDS * sizeof *right);
    uint32_t *merge = malloc(3 * n * sizeof *merge);
    assert_true(first && right && merge);
#define OLD_SLOT(h) (((h) ^ (h) >> 15) & (uint32_t)(slots - 1))
    for (uint32_t r = 0; r < IDS; r++) first[OLD_SLOT(r * UINT32_C(0x85ebca77)) + 1]++;
    for (size_t i = 0; i < slots; i++) first[i + 1] += first[i];
    uint32_t *fill = malloc(slots * sizeof *fill);
    assert_non_null(fill);
    memcpy(fill, first, slots * sizeof *fill);
    for (uint32_t r = 0; r < IDS; r++) right[fill[OLD_SLOT(r * UINT32_C(0x85ebca77))]++] = r;
    for (uint32_t l = 0; l < IDS && n_found < n; l++) {
        const uint32_t slot = OLD_SLOT(l * UINT32_C(0x9e3779b1));
        for (uint32_t k = first[slot]; k < first[slot + 1] && n_found < n; k++, n_found++)
            memcpy(merge + 3 * n_found, (uint32_t[]){l, right[k], 0}, 3 * sizeof *merge);
    }
    assert_int_equal(n_found, n);
    const uint32_t n_bytes = (uint32_t)(4 * (11 + 512 + 3 * n + IDS + 1));
    const uint32_t head[11] = {0x6b746f6d, 1, n_bytes, IDS, (uint32_t)n, 0, 0, 0, 0, 0, UINT32_MAX};
    static const uint32_t zeros[512 + IDS + 1];
    hostile_put(b, head, sizeof head);
    hostile_put(b, zeros, 512 * sizeof *zeros);
    hostile_put(b, merge, 3 * n * sizeof *merge);
    hostile_put(b, zeros, (IDS + 1) * sizeof *zeros);
    free(fill), free(first), free(right), free(merge);
}

static inline mopd_status open_block(const char *path)
{
    mo_tokenizer *t = NULL;
    char *text = NULL;
    size_t n = 0;
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    struct stat info;
    assert_false(fstat(fileno(f), &info));
    n = (size_t)info.st_size;
    text = mo_mem_alloc(n, 1);
    assert_int_equal(fread(text, 1, n, f), n);
    fclose(f);
    mopd_status st = mo_tokenizer_load(&t, text, n, path);
    mo_tokenizer_free(t);
    mo_mem_free(text);
    return st;
}

static inline mopd_status open_tokenizer(const char *path)
{
    char folder[600];
    mo_tokenizer *t = NULL;
    snprintf(folder, sizeof folder, "%s", path);
    *strrchr(folder, '/') = 0;
    mopd_status st = mo_tokenizer_open(&t, folder);
    mo_tokenizer_free(t);
    return st;
}

static inline void put_varint(mo_buf *b, size_t x)
{
    for (; x >= 128; x >>= 7) hostile_put(b, &(char){(char)((x & 127) | 128)}, 1);
    hostile_put(b, &(char){(char)x}, 1);
}

static inline void put_piece(mo_buf *b, const char *text, size_t n, int type)
{
    mo_buf m = {0}, *outer = b;
    b = &m;
    PUTB("\x0a"), put_varint(b, n), hostile_put(b, text, n);
    if (type) PUTB("\x18"), put_varint(b, (size_t)type);
    b = outer;
    PUTB("\x0a"), put_varint(b, m.size), hostile_put(b, m.data, m.size);
    mo_buf_free(&m);
}

static inline void make_spiece(mo_buf *b, size_t n)
{
    char text[32];
    put_piece(b, "<unk>", 5, 2);
    put_piece(b, "</s>", 4, 0);
    for (size_t i = 0; i < n; i++) put_piece(b, text, (size_t)snprintf(text, sizeof text, "%zx", i), 0);
}

/* An unknown token of n bytes, each of which begins a piece as long. */
static inline void make_spiece_nested(mo_buf *b, size_t n)
{
    char *text = malloc(n);
    assert_non_null(text);
    memset(text, 'a', n);
    put_piece(b, text, n, 2);
    put_piece(b, "</s>", 4, 0);
    put_piece(b, text, n - 1, 0);
    free(text);
}

/* ---- lists ---- */

static inline void make_rows(mo_buf *b, size_t n)
{
    PUTS("path,label\n");
    for (size_t i = 0; i < n; i++) PUTF("%zx,a\n", i);
}

static inline void make_classes(mo_buf *b, size_t n)
{
    PUTS("path,label\n");
    for (size_t i = 0; i < n; i++) PUTF("%zx,x%zx\n", i, i);
}

static inline mopd_status open_data(const char *path)
{
    mopd_dataset *d = NULL;
    mopd_dataset_options o = {.struct_size = sizeof o};
    mopd_status st = mo_dataset_open(&d, path, &o);
    mo_dataset_close(d);
    return st;
}

/* A store of n pictures of n classes. */
static inline void make_store(mo_buf *b, size_t n)
{
    static const char hash[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    mo_buf h = {0}, *out = b;
    b = &h;
    PUTS("{\"__metadata__\":{\"mopd.kind\":\"store\",\"mopd.format\":\"1\",\"preprocessing\":\"{}\","
         "\"views\":\"0\"");
    PUTF(",\"seed\":\"0\",\"fingerprint\":\"%s\",\"classes\":\"[", hash);
    for (size_t i = 0; i < n; i++) PUTF("%s\\\"x%zx\\\"", i ? "," : "", i);
    PUTS("]\",\"names\":\"[");
    for (size_t i = 0; i < n; i++) PUTF("%s\\\"y%zx\\\"", i ? "," : "", i);
    PUTS("]\",\"paths\":\"[");
    for (size_t i = 0; i < n; i++) PUTF("%s\\\"%zx\\\"", i ? "," : "", i);
    PUTS("]\",\"hashes\":\"[");
    for (size_t i = 0; i < n; i++) PUTF("%s\\\"%.56s%08zx\\\"", i ? "," : "", hash, i);
    PUTF("]\"},\"features\":{\"dtype\":\"F32\",\"shape\":[%zu,1,1],\"data_offsets\":[0,%zu]}", n, 4 * n);
    PUTF(",\"labels\":{\"dtype\":\"I32\",\"shape\":[%zu],\"data_offsets\":[%zu,%zu]}", n, 4 * n, 8 * n);
    PUTF(",\"split\":{\"dtype\":\"I32\",\"shape\":[%zu],\"data_offsets\":[%zu,%zu]}}", n, 8 * n, 12 * n);
    while (h.size % 8) PUTS(" ");
    int32_t *data = calloc(3 * n, sizeof *data);
    assert_non_null(data);
    for (size_t i = 0; i < n; i++) {
        const float one = 1;
        memcpy(data + i, &one, sizeof one);
        data[n + i] = (int32_t)i;
    }
    hostile_tensors(out, &h, data, 12 * n);
    free(data);
    mo_buf_free(&h);
}

static inline void make_bank(mo_buf *b, size_t n)
{
    mo_buf h = {0}, *out = b;
    b = &h;
    PUTS("{\"__metadata__\":{\"mopd.kind\":\"bank\",\"mopd.format\":\"1\",\"mopd.version\":\"0.1.0\",");
    PUTS(
        "\"mopd.fingerprint\":\"\",\"mopd.settings\":\"{\\\"logit_scale\\\":1}\",\"mopd.templates\":\"[]\",");
    PUTS("\"mopd.classes\":\"[");
    for (size_t i = 0; i < n; i++) PUTF("%s\\\"%zx\\\"", i ? "," : "", i);
    PUTF("]\"},\"features\":{\"dtype\":\"F32\",\"shape\":[%zu,1],\"data_offsets\":[0,%zu]}}", n, 4 * n);
    float *data = malloc(n * sizeof *data);
    assert_non_null(data);
    for (size_t i = 0; i < n; i++) data[i] = 1;
    hostile_tensors(out, &h, data, 4 * n);
    free(data);
    mo_buf_free(&h);
}

static inline mopd_status open_bank(const char *path)
{
    mopd_bank *bank = NULL;
    mopd_status st = mo_bank_open(&bank, path);
    mo_bank_free(bank);
    return st;
}

/* ---- what is learned ---- */

/* "\"x0\",\"x1\"..." as JSON in a metadata text. */
static inline void put_names(mo_buf *b, const char *key, const char *stem, size_t n)
{
    PUTF(",\"%s\":\"[", key);
    for (size_t i = 0; i < n; i++) PUTF("%s\\\"%s%zx\\\"", i ? "," : "", stem, i);
    PUTS("]\"");
}

#define HEAD(kind)                                                                                           \
    "{\"__metadata__\":{\"mopd.kind\":\"" kind                                                               \
    "\",\"mopd.format\":\"1\",\"mopd.version\":\"0.1.0\",\"mopd.fingerprint\":\"\""

/* Tensors that stand one behind the other. */
typedef struct hostile_tensor {
    const char *name, *type;
    size_t rows, columns; /* columns 0: one dimension */
} hostile_tensor;

/* Ends the metadata, lists the tensors; their bytes are floats and doubles of 1, whole numbers that count. */
static inline void put_tensors(mo_buf *out, mo_buf *b, const hostile_tensor *list, size_t n)
{
    mo_buf data = {0};
    PUTS("}");
    for (size_t i = 0; i < n; i++) {
        const hostile_tensor *t = list + i;
        const size_t from = data.size, count = t->rows * (t->columns ? t->columns : 1);
        for (size_t k = 0; k < count; k++) {
            if (!strcmp(t->type, "F64"))
                hostile_put(&data, &(double){1}, 8);
            else if (!strcmp(t->type, "F32"))
                hostile_put(&data, &(float){1}, 4);
            else
                hostile_put(&data, &(int32_t){(int32_t)k}, 4);
        }
        PUTF(",\"%s\":{\"dtype\":\"%s\",\"shape\":[%zu", t->name, t->type, t->rows);
        if (t->columns) PUTF(",%zu", t->columns);
        PUTF("],\"data_offsets\":[%zu,%zu]}", from, data.size);
    }
    PUTS("}");
    while (b->size % 8) PUTS(" ");
    hostile_tensors(out, b, data.data, data.size);
    mo_buf_free(&data);
    mo_buf_free(b);
}

/* A prompt up to its lists; it has no gate. */
#define PROMPT_HEAD                                                                                          \
    HEAD("prompt")                                                                                           \
    ",\"mopd.method\":\"coop\",\"mopd.dim\":\"4\",\"mopd.epoch\":\"1\",\"mopd.settings\":"                   \
    "\"{\\\"class_position\\\":\\\"end\\\",\\\"class_context\\\":false}\""

static inline void make_prompt(mo_buf *out, size_t n)
{
    mo_buf h = {0}, *b = &h;
    PUTS(PROMPT_HEAD);
    put_names(b, "mopd.classes", "x", n);
    put_names(b, "mopd.templates", "{}", n);
    put_tensors(out, b, (const hostile_tensor[]){{"context", "F32", 1, 4}}, 1);
}

static inline void make_prompt_notes(mo_buf *out, size_t n)
{
    mo_buf h = {0}, *b = &h;
    PUTS(PROMPT_HEAD);
    put_names(b, "mopd.classes", "x", 2);
    put_names(b, "mopd.templates", "{}", 1);
    for (size_t i = 0; i < n; i++) PUTF(",\"note.%zx\":\"\"", i);
    put_tensors(out, b, (const hostile_tensor[]){{"context", "F32", 1, 4}}, 1);
}

static inline mopd_status open_prompt(const char *path)
{
    mopd_prompt *p = NULL;
    mopd_status st = mo_promptfile_open(&p, path);
    mo_prompt_free(p);
    return st;
}

static inline void make_gda(mo_buf *out, size_t n)
{
    const hostile_tensor list[] = {{"text", "F64", n, 1}, {"mean", "F64", n, 1}, {"weight", "F64", n, 1},
        {"bias", "F64", n, 0}, {"factor", "F64", 1, 1}, {"features", "F32", n, 1}};
    mo_buf h = {0}, *b = &h;
    PUTS(HEAD("gda") ",\"mopd.settings\":\"{\\\"alpha\\\":1,\\\"temperature\\\":1}\"");
    put_names(b, "mopd.classes", "x", n);
    put_tensors(out, b, list, 6);
}

static inline mopd_status open_gda(const char *path)
{
    mopd_gda *gda = NULL;
    mopd_status st = mo_gda_open(&gda, path);
    mo_gda_free(gda);
    return st;
}

static inline void make_recognizer(mo_buf *out, size_t n)
{
    const hostile_tensor list[] = {{"features", "F32", n, 1}, {"labels", "I32", n, 0}, {"text", "F32", n, 1},
        {"shown", "I32", n, 0}, {"count", "F64", n, 0}, {"average", "F64", n, 1}, {"scatter", "F64", 1, 1},
        {"prior", "F64", n, 1}, {"mean", "F64", n, 1}, {"weight", "F64", n, 1}, {"bias", "F64", n, 0}};
    mo_buf h = {0}, *b = &h;
    PUTS(HEAD("recognizer") ",\"mopd.settings\":\"{\\\"kappa\\\":1,\\\"lambda\\\":1,\\\"a\\\":1,\\\"b\\\":1,"
                            "\\\"keep\\\":0.5,\\\"scale\\\":1,\\\"shift\\\":0.5}\"");
    put_names(b, "mopd.classes", "x", n);
    put_names(b, "mopd.templates", "{}", n);
    put_tensors(out, b, list, 11);
}

static inline mopd_status open_recognizer(const char *path)
{
    mopd_recognizer *r = NULL;
    mopd_status st = mo_recognizer_open(&r, path);
    mo_recognizer_free(r);
    return st;
}

/* A trainer on the smallest model, which takes next to nothing itself. */
static inline mopd_trainer *hostile_trainer(mopd_encoder **encoder)
{
    static const char *const classes[2] = {"x0", "x1"};
    mopd_trainer *trainer = NULL;
    assert_ok(mopd_encoder_open(encoder, MOPD_SOURCE_DIR "/tests/fuzz/base/hf", NULL));
    assert_ok(mopd_trainer_create(&trainer, *encoder, classes, 2, NULL));
    return trainer;
}

/* n members before those of an object that the text has. */
static inline void put_members(mo_buf *b, const char **text, const char *object, const char *member, size_t n)
{
    const char *at = strstr(*text, object);
    assert_non_null(at);
    at += strlen(object);
    hostile_put(b, *text, (size_t)(at - *text));
    for (size_t i = 0; i < n; i++) PUTF(member, i);
    *text = at;
}

/* A checkpoint of that trainer, with n notes, n numbers of data and n of a position. */
static inline void make_checkpoint(mo_buf *out, size_t n)
{
    mopd_encoder *encoder = NULL;
    mopd_trainer *trainer = hostile_trainer(&encoder);
    const char *path = test_path("plain.safetensors"), *text;
    mo_buf file = {0}, h = {0}, *b = &h;
    assert_ok(mopd_trainer_checkpoint(trainer, path));
    mopd_trainer_free(trainer);
    mopd_encoder_close(encoder);
    assert_ok(mo_file_read(&file, path, (size_t)1 << 20));
    uint64_t told;
    memcpy(&told, file.data, 8);
    const size_t n_header = (size_t)told;
    const char *data = file.data + 8 + n_header;
    text = mo_mem_strndup(file.data + 8, n_header);
    const char *whole = text;
    put_members(b, &text, "{\"__metadata__\":{", "\"note.%zx\":\"\",", n);
    PUTS("\"mopd.data\":\"["), hostile_list(b, "0", n), PUTS("]\",");
    put_members(b, &text, "\"mopd.position\":\"{", "\\\"_%zx\\\":0,", n);
    PUTS(text);
    while (b->size % 8) PUTS(" ");
    hostile_tensors(out, b, data, file.size - 8 - n_header);
    mo_mem_free((void *)whole);
    mo_buf_free(&file);
    mo_buf_free(b);
}

static inline mopd_status open_checkpoint(const char *path)
{
    mopd_encoder *encoder = NULL;
    mopd_trainer *trainer = hostile_trainer(&encoder);
    mopd_status st = mopd_trainer_resume(trainer, path);
    mopd_trainer_free(trainer);
    mopd_encoder_close(encoder);
    return st;
}

/* ---- lists of names ---- */

/* n names for the n labels of the list beside it, which hostile_make writes. */
static inline void make_names(mo_buf *b, size_t n)
{
    for (size_t i = 0; i < n; i++) PUTF("x%zx\n", i);
}

static inline void make_names_table(mo_buf *b, size_t n)
{
    PUTS("label,name\n");
    for (size_t i = 0; i < n; i++) PUTF("%zu,x%zx\n", i, i);
}

static inline void put_labels(const char *folder, size_t n)
{
    char path[600];
    mo_buf list = {0}, *b = &list;
    PUTS("path,label\n");
    for (size_t i = 0; i < n; i++) PUTF("%zx,%zu\n", i, i);
    hostile_write(path, folder, "labels.csv", b);
    mo_buf_free(b);
}

static inline mopd_status open_names(const char *path)
{
    char list[600];
    mopd_dataset *d = NULL;
    mopd_dataset_options o = {.struct_size = sizeof o, .names = path};
    snprintf(list, sizeof list, "%s", path);
    strcpy(strrchr(list, '/'), "/labels.csv");
    mopd_status st = mo_dataset_open(&d, list, &o);
    mo_dataset_close(d);
    return st;
}

/* Classes of a list, one a line: the command reads it, the library looks whether two are the same words. */
static inline void make_lines(mo_buf *b, size_t n)
{
    for (size_t i = 0; i < n; i++) PUTF("A%zx\n", i);
}

static inline mopd_status open_lines(const char *path)
{
    mo_buf text = {0};
    size_t n = 0, same[2];
    mopd_status st = mo_file_read(&text, path, (size_t)256 << 20);
    for (size_t i = 0; i < text.size; i++) n += text.data[i] == '\n';
    const char **line = malloc((n + 1) * sizeof *line);
    assert_non_null(line);
    char *at = text.data;
    for (size_t i = 0; i < n; i++) {
        line[i] = at;
        at = strchr(at, '\n');
        *at++ = 0;
    }
    if (st == MOPD_OK) st = mo_bank_check_words(line, n, same);
    free(line);
    mo_buf_free(&text);
    return st;
}

/* ---- others ---- */

static const mo_journal_run hostile_run = {.fingerprint = "f", .dim = 1, .n_views = 1};

/* Records of one content, as a run leaves them. */
static inline void make_journal(mo_buf *b, size_t n)
{
    static const char hash[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    char head[256], record[64 + 8 + 4 + 8];
    memset(head, ' ', sizeof head);
    const int used = snprintf(
        head, sizeof head, "mopd journal 1\nfingerprint f\nfeatures 1 x 1 from 0, plain, f32\nseed 0\n");
    head[used] = ' ', head[255] = '\n';
    hostile_put(b, head, sizeof head);
    memset(record, 0, sizeof record);
    memcpy(record, hash, 64);
    const uint64_t check = mo_hash_bytes(record, sizeof record - 8);
    memcpy(record + sizeof record - 8, &check, 8);
    for (size_t i = 0; i < n; i++) hostile_put(b, record, sizeof record);
}

static inline mopd_status open_journal(const char *path)
{
    mo_journal *j = NULL;
    mo_features_cache cache = {0};
    mopd_status st = mo_journal_open(&j, path, &hostile_run);
    if (st == MOPD_OK) st = mo_journal_list(j, &cache);
    if (st == MOPD_OK) mo_features_cache_sort(&cache);
    mo_features_cache_free(&cache);
    mo_journal_close(j);
    return st;
}

/* OpenAI's list of merges: n lines, each of which joins "a" to what the one before made. */
static inline void make_merges(mo_buf *b, size_t n)
{
    PUTS("\"version\n");
    for (size_t i = 0; i < n; i++) PUTS(i % 2 ? "a a\n" : "a a</w>\n");
}

/* The same as gzip makes it: n bytes of one letter, a thousandth of them in the file. */
static inline void make_merges_packed(mo_buf *b, size_t n)
{
    mo_buf text = {0};
    assert_non_null(mo_buf_room(&text, n));
    memset(text.data, '\n', n);
    text.size = n;
    hostile_gzip(b, &text);
    mo_buf_free(&text);
}

static inline mopd_status open_merges(const char *path)
{
    mo_tokenizer *t = NULL;
    mopd_status st = mo_tokenizer_open_simple(&t, path);
    mo_tokenizer_free(t);
    return st;
}

static inline void make_npy(mo_buf *b, size_t n)
{
    PUTB("\x93NUMPY\2\0");
    hostile_put(b, &(uint32_t){(uint32_t)n + 64}, 4);
    PUTS("{'descr': '<f4', 'fortran_order': False, 'shape': (0,), }         ");
    b->size = 12 + 64;
    for (size_t i = 0; i < n; i++) PUTS(" ");
}

static inline mopd_status open_npy(const char *path)
{
    mo_npy npy;
    mopd_status st = mo_npy_load(&npy, path);
    mo_npy_free(&npy);
    return st;
}

/* Entries without bytes. */
static inline void make_zip(mo_buf *b, size_t n)
{
    mo_buf directory = {0};
    for (size_t i = 0; i < n; i++) {
        char name[17];
        unsigned char local[30] = {'P', 'K', 3, 4, 20, [26] = 8},
                      central[46] = {'P', 'K', 1, 2, 20, 0, 20, [28] = 8};
        snprintf(name, sizeof name, "%08zx", i);
        for (int k = 0; k < 4; k++) central[42 + k] = (unsigned char)(b->size >> 8 * k);
        hostile_put(b, local, sizeof local);
        hostile_put(b, name, 8);
        hostile_put(&directory, central, sizeof central);
        hostile_put(&directory, name, 8);
    }
    unsigned char end64[56] = {'P', 'K', 6, 6}, locator[20] = {'P', 'K', 6, 7}, end[22] = {'P', 'K', 5, 6};
    const uint64_t at = b->size, size = directory.size, count = n, end_at = at + size;
    memcpy(end64 + 32, &count, 8), memcpy(end64 + 40, &size, 8), memcpy(end64 + 48, &at, 8);
    memcpy(locator + 8, &end_at, 8);
    hostile_put(b, directory.data, directory.size);
    hostile_put(b, end64, sizeof end64);
    hostile_put(b, locator, sizeof locator);
    hostile_put(b, end, sizeof end);
    mo_buf_free(&directory);
}

static inline mopd_status open_zip(const char *path)
{
    mo_zip *zip = NULL;
    mo_map map;
    mopd_status st = mo_map_open(&map, path, false);
    if (st == MOPD_OK) st = mo_zip_open(&zip, map.data, map.size, path);
    mo_zip_close(zip);
    mo_map_close(&map);
    return st;
}

/* ---- all of them ---- */

/* Name, file, maker, opener, entries for the test of memory. */
#define HOSTILE(X)                                                                                           \
    X(json_objects, "x.json", open_json_file, 1500000)                                                       \
    X(json_arrays, "x.json", open_json_file, 1000000)                                                        \
    X(json_numbers, "x.json", open_json_file, 2000000)                                                       \
    X(json_texts, "x.json", open_json_file, 3000000)                                                         \
    X(json_keys, "x.json", open_json_file, 400000)                                                           \
    X(header, "x.safetensors", open_tensors, 120000)                                                         \
    X(metadata, "x.safetensors", open_tensors, 250000)                                                       \
    X(torch_shared, "x.pt", open_tensors, 100000)                                                            \
    X(torch_names, "x.pt", open_tensors, 262000)                                                             \
    X(pickle, "x.pt", open_tensors, 2000000)                                                                 \
    X(unigram, "tokenizer.json", open_tokenizer, 250000)                                                     \
    X(unigram_tree, "tokenizer.json", open_tokenizer, 250000)                                                \
    X(pairs, "tokenizer.json", open_tokenizer, 100000)                                                       \
    X(added, "tokenizer.json", open_tokenizer, 60000)                                                        \
    X(added_same, "tokenizer.json", open_tokenizer, 60000)                                                   \
    X(extra, "tokenizer_config.json", open_tokenizer, 200000)                                                \
    X(extra_same, "tokenizer_config.json", open_tokenizer, 300000)                                           \
    X(decoder, "tokenizer_config.json", open_tokenizer, 60000)                                               \
    X(colliding, "x.block", open_block, 30000)                                                               \
    X(spiece, "spiece.model", open_tokenizer, 200000)                                                        \
    X(spiece_nested, "spiece.model", open_tokenizer, 100000)                                                 \
    X(rows, "x.csv", open_data, 1000000)                                                                     \
    X(classes, "x.csv", open_data, 150000)                                                                   \
    X(store, "x.safetensors", open_data, 60000)                                                              \
    X(bank, "x.safetensors", open_bank, 200000)                                                              \
    X(npy, "x.npy", open_npy, 1000000)                                                                       \
    X(zip, "x.zip", open_zip, 60000)                                                                         \
    X(prompt, "x.safetensors", open_prompt, 60000)                                                           \
    X(prompt_notes, "x.safetensors", open_prompt, 150000)                                                    \
    X(gda, "x.safetensors", open_gda, 100000)                                                                \
    X(recognizer, "x.safetensors", open_recognizer, 60000)                                                   \
    X(checkpoint, "x.safetensors", open_checkpoint, 60000)                                                   \
    X(journal, "x.journal", open_journal, 200000)                                                            \
    X(names, "x.txt", open_names, 100000)                                                                    \
    X(names_table, "x.txt", open_names, 100000)                                                              \
    X(lines, "x.txt", open_lines, 400000)                                                                    \
    X(merges, "x.txt", open_merges, 400000)                                                                  \
    X(merges_packed, "x.txt.gz", open_merges, 40000000)

typedef struct hostile {
    const char *name, *file;
    void (*make)(mo_buf *b, size_t n);
    mopd_status (*open)(const char *path);
    size_t n;
} hostile;

#define HOSTILE_ROW(name, file, open, n) {#name, file, make_##name, open, n},
static const hostile hostiles[] = {HOSTILE(HOSTILE_ROW)};
#define N_HOSTILES (sizeof hostiles / sizeof *hostiles)

/* Writes the file with what must lie beside it; its size. */
static inline size_t hostile_make(const hostile *h, size_t n, const char *folder, char path[600])
{
    mo_buf b = {0}, config = {0};
    char beside[600];
    mkdir(folder, 0777);
    h->make(&b, n);
    const size_t size = b.size;
    if (!strcmp(h->file, "tokenizer_config.json"))
        put_config(folder, &b);
    else if (h->open == open_tokenizer) {
        assert_ok(mo_buf_adds(&config, "{\"eos_token\":\"</s>\"}"));
        hostile_write(beside, folder, "tokenizer_config.json", &config);
    }
    if (h->open == open_names) put_labels(folder, n);
    hostile_write(path, folder, h->file, &b);
    mo_buf_free(&b);
    mo_buf_free(&config);
    return size;
}

#endif
