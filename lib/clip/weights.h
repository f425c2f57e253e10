/* SPDX-License-Identifier: MIT
 * weights.h - a model's parameters under one set of names (params.h), wherever and however they are stored.
 *
 * A parameter is a view into a mapped file: a part of a fused matrix and a matrix stored the other way
 * round are views too.  Add the files, bind them to a configuration, then get.  Immutable after that: any
 * number of threads. */
#ifndef MO_CLIP_WEIGHTS_H
#define MO_CLIP_WEIGHTS_H

#include "base/view.h"
#include "clip/naming.h"
#include "clip/params.h"
#include "format/tensors.h"

/* What the name of a tensor of 8-bit numbers is followed by in that of its scales. */
#define MO_WEIGHTS_SCALE ".scale"
#define MO_WEIGHTS_SUM ".sum" /* and, in panels, of the sums of each output's numbers */

typedef struct mo_weights mo_weights;

typedef struct mo_weight {
    char name[MO_PARAM_NAME];
    mo_view view; /* as stored: [inputs][outputs] when in_out */
    bool in_out;
    int n_dims; /* as [outputs][inputs] */
    size_t shape[4];
    size_t file; /* which of the files added */
} mo_weight;

mopd_status mo_weights_create(mo_weights **out);
void mo_weights_free(mo_weights *weights);

/* Adds an open file's tensors; the file belongs to weights from here on, on failure too.  NOMEM; UNSUPPORTED:
 * too many files. */
mopd_status mo_weights_add(mo_weights *weights, mo_tensors *file);

/* Takes off what training programs put before all names (wrap.h): from here on a stored name is what follows.
 * After the last file.  FORMAT: several models in one file. */
mopd_status mo_weights_unwrap(mo_weights *weights);
const char *mo_weights_prefix(const mo_weights *weights); /* what was taken off, "" for nothing */

/* A tensor under the name it is stored by, NULL when no file has it. */
const mo_view *mo_weights_raw(const mo_weights *weights, const char *stored);

/* Finds every parameter of the configuration under the name that `naming` gives it.  MISMATCH: one is missing
 * or has another shape, or there are more layers than the configuration says; UNSUPPORTED: an element type, or
 * a tensor that would change the results (leftover.h). */
mopd_status mo_weights_bind(mo_weights *weights, const mo_config *config, const mo_naming *naming);

/* A parameter by its name here; INTERNAL when the configuration has none of that name. */
mopd_status mo_weights_get(const mo_weights *weights, const char *name, const mo_weight **out);

/* All parameters, in the order of params.h. */
size_t mo_weights_count(const mo_weights *weights);
const mo_weight *mo_weights_at(const mo_weights *weights, size_t i);

/* Stored tensors that nothing uses, by their whole names. */
size_t mo_weights_n_extra(const mo_weights *weights);
const char *mo_weights_extra(const mo_weights *weights, size_t i);

/* n floats of a parameter from element `first` on, counted as [outputs][inputs]. */
void mo_weights_floats(const mo_weight *param, size_t first, size_t n, float *out);

/* Tells the system that a parameter's pages are not needed now. */
void mo_weights_release(const mo_weights *weights, const mo_weight *param);

/* Both are of the same files (mo_tensors_same). */
bool mo_weights_same(const mo_weights *a, const mo_weights *b);

uint64_t mo_weights_parameters(const mo_weights *weights); /* numbers in all */
uint64_t mo_weights_bytes(const mo_weights *weights);      /* as stored */

#endif
