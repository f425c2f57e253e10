/* SPDX-License-Identifier: MIT
 * layout_files.c - the files of a model folder: settings as JSON, weights in one file or several. */
#include "model/layouts/layout_files.h"

#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/lookup.h"
#include "base/mem.h"
#include "base/names.h"
#include "base/path.h"

mopd_status mo_layout_files_has(bool *found, const char *dir, const char *name)
{
    char *path = mo_path_join(dir, name);
    if (!path) return MOPD_E_NOMEM;
    *found = mo_file_exists(path);
    mo_mem_free(path);
    return MOPD_OK;
}

mopd_status mo_layout_files_json(mopd_encoder *e, const char *dir, const char *name, mo_layout_json_fn fn)
{
    char *path = mo_path_join(dir, name);
    if (!path) return MOPD_E_NOMEM;
    const mo_json *root = NULL;
    mopd_status st = mo_json_open(&root, path);
    if (st == MOPD_OK) st = fn(e, root, path);
    mo_json_close(root);
    mo_mem_free(path);
    return st;
}

mopd_status mo_layout_files_add(mopd_encoder *e, const char *path, bool read)
{
    mo_tensors *file;
    mopd_status st = mo_tensors_open(&file, path, read);
    return st == MOPD_OK ? mo_weights_add(e->weights, file) : st;
}

/* The files that weight_map names, each once, in the order of the map. */
static mopd_status read_index(mo_names *files, const mo_json *root, const char *path)
{
    const mo_json *map;
    mo_lookup known = {0};
    mopd_status st = mo_json_need(root, "weight_map", path, MO_JSON_OBJECT, &map);
    if (st == MOPD_OK) st = mo_lookup_open(&known, mo_json_count(map));
    for (void *it = st == MOPD_OK ? mo_json_first(map) : NULL; it; it = mo_json_next(map, it)) {
        const char *file;
        if (!mo_json_as_string(mo_json_value(it), &file) || !*file || mo_path_name(file) != file ||
            !strcmp(file, ".."))
            st = mo_fail(MOPD_E_FORMAT, "%s: weight_map: %s: a file name expected", path, mo_json_key(it));
        else if (mo_lookup_add(&known, file, 0) == SIZE_MAX)
            st = mo_names_add(files, file, strlen(file));
        if (st != MOPD_OK) break;
    }
    mo_lookup_close(&known);
    return st;
}

static mopd_status add_shards(mopd_encoder *e, const char *dir, const char *index, bool read)
{
    mo_names files = {0};
    const mo_json *root = NULL;
    mopd_status st = mo_json_open(&root, index);
    if (st == MOPD_OK) st = read_index(&files, root, index);
    for (size_t i = 0; i < files.n && st == MOPD_OK; i++) {
        char *path = mo_path_join(dir, files.name[i]);
        st = path ? mo_layout_files_add(e, path, read) : MOPD_E_NOMEM;
        mo_mem_free(path);
    }
    mo_names_free(&files);
    mo_json_close(root);
    return st;
}

static bool is_index(const char *name)
{
    static const char end[] = ".index.json";
    size_t n = strlen(name);
    return n > sizeof end - 1 && !strcmp(name + n - (sizeof end - 1), end);
}

static bool ends_in(const char *name, const char *end)
{
    size_t n = strlen(name), n_end = strlen(end);
    return n > n_end && !strcmp(name + n - n_end, end);
}

static bool has_end(const char *name, const char *const *ends)
{
    while (*ends && !ends_in(name, *ends)) ends++;
    return *ends != NULL;
}

/* The one file in dir with an end of a list: its number among files, SIZE_MAX for none.  FORMAT names two. */
static mopd_status find_only(size_t *out, const mo_names *files, const char *dir, const char *const *ends)
{
    *out = SIZE_MAX;
    for (size_t i = 0; i < files->n; i++) {
        if (!has_end(files->name[i], ends)) continue;
        if (*out != SIZE_MAX)
            return mo_fail(MOPD_E_FORMAT, "%s: %s or %s: give the file that holds the weights the name %s",
                dir, files->name[*out], files->name[i],
                "open_clip_pytorch_model.bin (.safetensors where it is such)");
        *out = i;
    }
    return MOPD_OK;
}

/* What is said where no file of weights is there: which were looked for, and which that is there cannot help. */
static mopd_status no_weights(const mo_names *files, const char *dir, const char *const *names, size_t n)
{
    static const char *const foreign[] = {".h5", ".msgpack", ".onnx", ".gguf", ".tflite", NULL};
    mo_buf text = {0};
    mopd_status st = mo_buf_addf(&text, "%s/%s: cannot open: no such file", dir, names[0]);
    for (size_t i = 1; i < n && st == MOPD_OK; i++)
        st = mo_buf_addf(&text, "%s%s", i > 1 ? ", " : ", nor ", names[i]);
    for (size_t i = 0; i < files->n && st == MOPD_OK; i++)
        if (has_end(files->name[i], foreign))
            st = mo_buf_addf(
                &text, "; %s is there, which is not read: PyTorch's weights are wanted", files->name[i]);
    if (st == MOPD_OK) st = mo_fail(MOPD_E_IO, "%s", text.data);
    mo_buf_free(&text);
    return st;
}

/* The first of names that is there; SIZE_MAX for none. */
static mopd_status find_first(size_t *out, const char *dir, const char *const *names, size_t n)
{
    for (*out = 0; *out < n; ++*out) {
        bool found = false;
        mopd_status st = mo_layout_files_has(&found, dir, names[*out]);
        if (st != MOPD_OK || found) return st;
    }
    *out = SIZE_MAX;
    return MOPD_OK;
}

static mopd_status add_weights(mopd_encoder *e, const char *dir, const char *name, bool read)
{
    char *path = mo_path_join(dir, name);
    if (!path) return MOPD_E_NOMEM;
    mopd_status st = is_index(name) ? add_shards(e, dir, path, read) : mo_layout_files_add(e, path, read);
    mo_mem_free(path);
    return st == MOPD_OK ? mo_weights_unwrap(e->weights) : st;
}

/* Where none of the names is there: the one file that ends so, or what to say. */
static mopd_status add_other(mopd_encoder *e, const char *dir, const mo_layout_weights *w, bool read)
{
    mo_names files = {0};
    size_t only = SIZE_MAX;
    mopd_status st = mo_names_dir(&files, dir);
    if (st == MOPD_OK && w->ends) st = find_only(&only, &files, dir, w->ends);
    if (st == MOPD_OK && only == SIZE_MAX)
        st = no_weights(&files, dir, w->names, w->n);
    else if (st == MOPD_OK)
        st = add_weights(e, dir, files.name[only], read);
    mo_names_free(&files);
    return st;
}

mopd_status mo_layout_files_weights(mopd_encoder *e, const char *dir, const mo_layout_weights *w, bool read)
{
    size_t first = SIZE_MAX;
    mopd_status st = find_first(&first, dir, w->names, w->n);
    if (st != MOPD_OK) return st;
    return first == SIZE_MAX ? add_other(e, dir, w, read) : add_weights(e, dir, w->names[first], read);
}

/* {"recommended_lr": 0.05}. */
static mopd_status read_notes(mopd_encoder *e, const mo_json *root, const char *path)
{
    double *lr = &e->config.recommended_lr;
    mopd_status st = mo_json_may_number(root, "recommended_lr", path, lr);
    if (st == MOPD_OK && !(*lr >= 0 && *lr < 1e6))
        return mo_fail(MOPD_E_FORMAT, "%s: recommended_lr is %g", path, *lr);
    return st;
}

mopd_status mo_layout_files_bind(mopd_encoder *e, const char *dir, const mo_naming *naming)
{
    bool notes = false;
    mopd_status st;
    if ((st = mo_config_check(&e->config, dir)) != MOPD_OK) return st;
    if ((st = mo_weights_bind(e->weights, &e->config, naming)) != MOPD_OK) return st;
    if ((st = mo_layout_files_has(&notes, dir, "mopd.json")) != MOPD_OK) return st;
    return notes ? mo_layout_files_json(e, dir, "mopd.json", read_notes) : MOPD_OK;
}

mopd_status mo_layout_files_tokenizer(mopd_encoder *e, const char *dir)
{
    mopd_status st = mo_tokenizer_open(&e->tokenizer, dir);
    if (st != MOPD_OK || e->config.text.mask != MO_MASK_NONE || e->cleaning == MO_CLEANING_OPEN_CLIP)
        return st;
    e->config.text.pad_id = mo_tokenizer_pad(e->tokenizer);
    if (e->config.text.pad_id != UINT32_MAX) return MOPD_OK;
    return mo_fail(MOPD_E_UNSUPPORTED,
        "%s: no pad token is named (pad_token in tokenizer_config.json), and the text tower sees it", dir);
}
