/* SPDX-License-Identifier: MIT
 * layouts.c - asks each layout of the list whether a path is its own. */
#include "model/layouts/layouts.h"

#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/path.h"

#define ADDRESS(name) &mo_layout_##name,
static const mo_layout *const all[] = {MO_LAYOUTS(ADDRESS)};
#define N_LAYOUTS (sizeof all / sizeof *all)

static mopd_status look_at(mo_layout_place *place, const char *path)
{
    *place = (mo_layout_place){.path = path, .is_folder = mo_file_is_dir(path)};
    if (place->is_folder) return MOPD_OK;
    mo_map map;
    mopd_status st = mo_map_open(&map, path, false);
    if (st != MOPD_OK) return st;
    place->n_head = map.size < sizeof place->head ? map.size : sizeof place->head;
    memcpy(place->head, map.data, place->n_head);
    mo_map_close(&map);
    return MOPD_OK;
}

/* What lies in folders that are no model, and what would help. */
static const struct {
    const char *file, *what;
} others[] = {{"adapter_config.json", "an adapter of PEFT: merge it into its model and save that"},
    {"0_CLIPModel", "a folder of sentence-transformers: give the folder 0_CLIPModel in it"},
    {"model_index.json", "a pipeline of diffusers, which holds no whole CLIP model"},
    {"onnx", "an export to ONNX: give a folder with the weights it was made from"},
    {"spiece.model", "a tokenizer (SentencePiece's) without a model"},
    {"variables", "a SavedModel of TensorFlow"}};

static mopd_status say_other(mo_buf *text, const char *dir)
{
    mopd_status st = MOPD_OK;
    for (size_t i = 0; i < sizeof others / sizeof *others && st == MOPD_OK; i++) {
        char *path = mo_path_join(dir, others[i].file);
        if (!path) return MOPD_E_NOMEM;
        const bool found = mo_file_exists(path);
        mo_mem_free(path);
        if (!found) continue;
        return mo_buf_addf(text, "; %s is there: %s", others[i].file, others[i].what);
    }
    return st;
}

static mopd_status no_model(const char *path)
{
    mo_buf signs = {0};
    mopd_status st = MOPD_OK;
    for (size_t i = 0; i < N_LAYOUTS && st == MOPD_OK; i++)
        if (all[i]->sign) st = mo_buf_addf(&signs, "%s%s", signs.size ? ", " : "", all[i]->sign);
    if (st == MOPD_OK) st = say_other(&signs, path);
    if (st == MOPD_OK) st = mo_fail(MOPD_E_IO, "%s: no model here: none of %s", path, signs.data);
    mo_buf_free(&signs);
    return st;
}

mopd_status mo_layouts_find(const mo_layout **out, const char *path)
{
    mo_layout_place place;
    mo_layout_fit best = MO_LAYOUT_NO;
    *out = NULL;
    mopd_status st = look_at(&place, path);
    if (st != MOPD_OK) return st;
    for (size_t i = 0; i < N_LAYOUTS; i++) {
        mo_layout_fit fit = MO_LAYOUT_NO;
        if ((st = all[i]->detect(&fit, &place)) != MOPD_OK) return st;
        if (fit <= best) continue;
        best = fit;
        *out = all[i];
    }
    return *out ? MOPD_OK : no_model(path);
}
