/* SPDX-License-Identifier: MIT
 * safetensors_writer.c - writes a safetensors file as its data comes: header first, then tensor after tensor.
 *
 *     n | {"__metadata__":{sorted by key},"name":{"dtype","shape","data_offsets"},...} + spaces | data
 *
 * 8 + n is a multiple of 64. */
#include <string.h>

#include "base/buf.h"
#include "base/floats.h"
#include "base/ints.h"
#include "base/mem.h"
#include "base/out.h"
#include "base/utf8.h"
#include "base/view.h"
#include "format/index.h"
#include "format/json.h"
#include "format/safetensors.h"

#define HEADER_LIMIT 100000000u
#define METADATA "__metadata__"

typedef struct tensor {
    char *name;
    mo_dtype dtype;
    int n_dims;
    size_t shape[MO_MAX_DIMS];
    size_t begin, end;
} tensor;

typedef struct pair {
    char *key, *value;
} pair;

struct mo_safetensors_writer {
    tensor *tensors;
    size_t n_tensors, cap_tensors;
    pair *pairs;
    size_t n_pairs, cap_pairs;
    mo_out out;
    bool begun;
    size_t written; /* bytes of data */
    size_t current; /* tensor that the next byte falls into */
};

mopd_status mo_safetensors_writer_create(mo_safetensors_writer **out)
{
    *out = mo_mem_calloc(1, sizeof **out);
    return *out ? MOPD_OK : MOPD_E_NOMEM;
}

void mo_safetensors_writer_free(mo_safetensors_writer *w)
{
    if (!w) return;
    if (w->begun) mo_out_drop(&w->out);
    for (size_t i = 0; i < w->n_tensors; i++) mo_mem_free(w->tensors[i].name);
    for (size_t i = 0; i < w->n_pairs; i++) {
        mo_mem_free(w->pairs[i].key);
        mo_mem_free(w->pairs[i].value);
    }
    mo_mem_free(w->tensors);
    mo_mem_free(w->pairs);
    mo_mem_free(w);
}

/* Room for one more item of an array that doubles. */
static void *grow(void *items, size_t n, size_t *cap, size_t size)
{
    if (n < *cap) return items;
    size_t more = *cap ? *cap * 2 : 8;
    void *moved = mo_mem_realloc(items, more, size);
    if (moved) *cap = more;
    return moved;
}

static mopd_status check_declared(const mo_safetensors_writer *w, const char *what, const char *text)
{
    if (w->begun) return mo_fail(MOPD_E_STATE, "safetensors: %s \"%s\" declared after the start", what, text);
    if (!mo_utf8_valid(text, strlen(text))) return mo_fail(MOPD_E_ARG, "safetensors: %s is no UTF-8", what);
    return MOPD_OK;
}

mopd_status mo_safetensors_writer_meta(mo_safetensors_writer *w, const char *key, const char *value)
{
    mopd_status st = check_declared(w, "metadata", key);
    if (st == MOPD_OK && !mo_utf8_valid(value, strlen(value)))
        st = mo_fail(MOPD_E_ARG, "safetensors: the value of metadata \"%s\" is no UTF-8", key);
    if (st != MOPD_OK) return st;
    for (size_t i = 0; i < w->n_pairs; i++)
        if (!strcmp(w->pairs[i].key, key))
            return mo_fail(MOPD_E_ARG, "safetensors: metadata \"%s\" is there twice", key);
    pair *pairs = grow(w->pairs, w->n_pairs, &w->cap_pairs, sizeof *pairs);
    if (!pairs) return MOPD_E_NOMEM;
    w->pairs = pairs;
    pair p = {mo_mem_strdup(key), mo_mem_strdup(value)};
    if (!p.key || !p.value) {
        mo_mem_free(p.key);
        mo_mem_free(p.value);
        return MOPD_E_NOMEM;
    }
    pairs[w->n_pairs++] = p;
    return MOPD_OK;
}

static mopd_status size_tensor(tensor *t, const char *name, size_t begin, const size_t *shape)
{
    size_t bytes = mo_dtype_size(t->dtype);
    t->begin = begin;
    for (int i = 0; i < t->n_dims; i++) {
        t->shape[i] = shape[i];
        if (!mo_mul(bytes, shape[i], &bytes))
            return mo_fail(MOPD_E_ARG, "safetensors: tensor \"%s\": its shape overflows", name);
    }
    if (!mo_add(begin, bytes, &t->end) || t->end > PTRDIFF_MAX)
        return mo_fail(MOPD_E_ARG, "safetensors: tensor \"%s\": its shape overflows", name);
    return MOPD_OK;
}

mopd_status mo_safetensors_writer_tensor(
    mo_safetensors_writer *w, const char *name, mo_dtype dtype, int n_dims, const size_t *shape)
{
    mopd_status st = check_declared(w, "tensor", name);
    if (st != MOPD_OK) return st;
    if (n_dims < 0 || n_dims > MO_MAX_DIMS)
        return mo_fail(MOPD_E_ARG, "safetensors: tensor \"%s\" has %d dimensions", name, n_dims);
    if (!strcmp(name, METADATA)) return mo_fail(MOPD_E_ARG, "safetensors: no tensor can be named " METADATA);
    for (size_t i = 0; i < w->n_tensors; i++)
        if (!strcmp(w->tensors[i].name, name))
            return mo_fail(MOPD_E_ARG, "safetensors: tensor \"%s\" is there twice", name);
    tensor *tensors = grow(w->tensors, w->n_tensors, &w->cap_tensors, sizeof *tensors);
    if (!tensors) return MOPD_E_NOMEM;
    w->tensors = tensors;
    tensor t = {.dtype = dtype, .n_dims = n_dims};
    st = size_tensor(&t, name, w->n_tensors ? tensors[w->n_tensors - 1].end : 0, shape);
    if (st != MOPD_OK) return st;
    t.name = mo_mem_strdup(name);
    if (!t.name) return MOPD_E_NOMEM;
    tensors[w->n_tensors++] = t;
    return MOPD_OK;
}

static void put_tensor(mo_jsonw *j, const tensor *t)
{
    mo_jsonw_key(j, t->name);
    mo_jsonw_object(j);
    mo_jsonw_kstring(j, "dtype", mo_dtype_name(t->dtype));
    mo_jsonw_key(j, "shape");
    mo_jsonw_array(j);
    for (int i = 0; i < t->n_dims; i++) mo_jsonw_uint(j, t->shape[i]);
    mo_jsonw_end(j);
    mo_jsonw_key(j, "data_offsets");
    mo_jsonw_array(j);
    mo_jsonw_uint(j, t->begin);
    mo_jsonw_uint(j, t->end);
    mo_jsonw_end(j);
    mo_jsonw_end(j);
}

/* The eight bytes of the length, the JSON and its spaces, in buf. */
static mopd_status make_header(const mo_safetensors_writer *w, mo_buf *buf, const mo_index *keys)
{
    static const char spaces[64] = "                                                                ";
    unsigned char length[8] = {0};
    mopd_status st = mo_buf_add(buf, length, sizeof length);
    if (st != MOPD_OK) return st;
    mo_jsonw j;
    mo_jsonw_init(&j, buf);
    mo_jsonw_object(&j);
    if (keys->n) {
        mo_jsonw_key(&j, METADATA);
        mo_jsonw_object(&j);
        for (size_t i = 0; i < keys->n; i++)
            mo_jsonw_kstring(&j, keys->item[i].name, w->pairs[keys->item[i].at].value);
        mo_jsonw_end(&j);
    }
    for (size_t i = 0; i < w->n_tensors; i++) put_tensor(&j, &w->tensors[i]);
    mo_jsonw_end(&j);
    if ((st = mo_jsonw_done(&j)) != MOPD_OK) return st;
    if ((st = mo_buf_add(buf, spaces, (64 - buf->size % 64) % 64)) != MOPD_OK) return st;
    size_t n = buf->size - 8;
    if (n > HEADER_LIMIT)
        return mo_fail(MOPD_E_UNSUPPORTED, "safetensors: a header of %zu bytes, at most %u are allowed", n,
            HEADER_LIMIT);
    for (size_t i = 0; i < 8; i++) buf->data[i] = (char)((uint64_t)n >> (8 * i) & 0xff);
    return MOPD_OK;
}

mopd_status mo_safetensors_writer_begin(mo_safetensors_writer *w, const char *path)
{
    if (w->begun) return mo_fail(MOPD_E_STATE, "%s: the file is begun already", path);
    mo_index keys = {0};
    mo_buf header = {0};
    mopd_status st = mo_index_open(&keys, w->n_pairs);
    if (st != MOPD_OK) return st;
    for (size_t i = 0; i < w->n_pairs; i++) keys.item[i] = (mo_index_item){w->pairs[i].key, i};
    mo_index_sort(&keys);
    if ((st = make_header(w, &header, &keys)) != MOPD_OK) goto done;
    if ((st = mo_out_open(&w->out, path)) != MOPD_OK) goto done;
    w->begun = true;
    st = mo_out_write(&w->out, header.data, header.size);
done:
    mo_buf_free(&header);
    mo_index_close(&keys);
    return st;
}

static size_t total_bytes(const mo_safetensors_writer *w)
{
    return w->n_tensors ? w->tensors[w->n_tensors - 1].end : 0;
}

mopd_status mo_safetensors_writer_write(mo_safetensors_writer *w, const void *bytes, size_t n)
{
    if (!w->begun) return mo_fail(MOPD_E_STATE, "safetensors: data before the start");
    if (n > total_bytes(w) - w->written)
        return mo_fail(MOPD_E_STATE, "%s: %zu bytes more, the declared tensors have room for %zu",
            w->out.path, n, total_bytes(w) - w->written);
    mopd_status st = mo_out_write(&w->out, bytes, n);
    if (st == MOPD_OK) w->written += n;
    return st;
}

mopd_status mo_safetensors_writer_floats(mo_safetensors_writer *w, const float *x, size_t n)
{
    if (!w->begun) return mo_fail(MOPD_E_STATE, "safetensors: data before the start");
    while (w->current < w->n_tensors && w->tensors[w->current].end <= w->written) w->current++;
    if (w->current == w->n_tensors) return n ? mo_safetensors_writer_write(w, x, n) : MOPD_OK;
    const tensor *t = &w->tensors[w->current];
    size_t size = mo_dtype_size(t->dtype);
    if (t->dtype != MO_F32 && t->dtype != MO_F16 && t->dtype != MO_BF16)
        return mo_fail(MOPD_E_ARG, "%s: tensor \"%s\" is %s, not of floats", w->out.path, t->name,
            mo_dtype_name(t->dtype));
    if ((w->written - t->begin) % size || n > (t->end - w->written) / size)
        return mo_fail(MOPD_E_STATE, "%s: tensor \"%s\" has no room for %zu floats", w->out.path, t->name, n);
    if (t->dtype == MO_F32) return mo_safetensors_writer_write(w, x, n * size);
    uint16_t half[2048];
    for (size_t i = 0; i < n;) {
        size_t some = mo_min(n - i, 2048);
        mo_floats_store(x + i, some, t->dtype, half);
        mopd_status st = mo_safetensors_writer_write(w, half, some * size);
        if (st != MOPD_OK) return st;
        i += some;
    }
    return MOPD_OK;
}

mopd_status mo_safetensors_writer_commit(mo_safetensors_writer *w)
{
    if (!w->begun) return mo_fail(MOPD_E_STATE, "safetensors: commit before the start");
    if (w->written != total_bytes(w))
        return mo_fail(MOPD_E_STATE, "%s: %zu bytes of data were written, %zu declared", w->out.path,
            w->written, total_bytes(w));
    mopd_status st = mo_out_commit(&w->out);
    w->begun = false;
    w->written = 0;
    w->current = 0;
    return st;
}
