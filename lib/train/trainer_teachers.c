/* SPDX-License-Identifier: MIT
 * trainer_teachers.c - the teachers' features: given, or encoded, each rank its own classes. */
#include <string.h>

#include "base/floats.h"
#include "base/ints.h"
#include "base/mem.h"
#include "prompt/bank.h"
#include "train/trainer.h"

mopd_status mo_trainer_check_teachers(const mo_trainer_args *args, const mo_settings *set)
{
    const mopd_trainer_options *o = &set->o;
    if (args->teachers || !o->teachers) return MOPD_OK;
    if (!o->n_templates) return mo_fail(MOPD_E_ARG, "teachers are given without their templates");
    size_t dim = mo_text_dim(args->encoder->text), rows;
    if (!mo_mul((size_t)o->n_templates, args->n_classes, &rows))
        return mo_fail(MOPD_E_ARG, "n_templates: too many");
    return mo_floats_check_unit("teachers: row", o->teachers, rows, dim);
}

/* out, M x C x D: own classes' rows of all templates, then a sum over the ranks for each template. */
static mopd_status shared_grid(
    const mo_trainer_args *args, const mo_settings *set, mo_group *group, float *out)
{
    size_t dim = mo_text_dim(args->encoder->text), m = set->n_templates, n = group->n;
    float *own = mo_mem_alloc(mo_times(m, n), dim * sizeof *own);
    mopd_status st = own ? MOPD_OK : MOPD_E_NOMEM;
    if (own && n) st = mo_bank_grid(args->encoder, args->classes + group->first, n, set->templates, m, own);
    for (size_t j = 0; j < m; j++) {
        mo_group_table table = {
            own ? own + j * n * dim : NULL, out + j * args->n_classes * dim, args->n_classes, dim};
        if ((st = mo_group_rows(group, st, (mo_group_check){j, "teachers"}, &table)) != MOPD_OK) break;
    }
    mo_mem_free(own);
    return st;
}

mopd_status mo_trainer_teachers(
    float **out, const mo_trainer_args *args, const mo_settings *set, mo_group *group)
{
    size_t n, dim = mo_text_dim(args->encoder->text), n_classes = args->n_classes;
    const float *given = args->teachers ? args->teachers : set->o.teachers;
    *out = NULL;
    if (!set->n_templates) return MOPD_OK;
    if (!mo_mul(set->n_templates, n_classes, &n) || !mo_mul(n, dim, &n))
        return mo_fail(MOPD_E_NOMEM, "teachers: %zu templates of %zu classes", set->n_templates, n_classes);
    mopd_status st = (*out = mo_mem_alloc(n, sizeof **out)) ? MOPD_OK : MOPD_E_NOMEM;
    st = mo_group_agree(group, st, (mo_group_check){given != NULL, "teachers"});
    if (st == MOPD_OK && given)
        memcpy(*out, given, n * sizeof **out);
    else if (st == MOPD_OK && group->ranks > 1)
        st = shared_grid(args, set, group, *out);
    else if (st == MOPD_OK)
        st = mo_bank_grid(args->encoder, args->classes, n_classes, set->templates, set->n_templates, *out);
    if (st == MOPD_OK) return MOPD_OK;
    mo_mem_free(*out);
    *out = NULL;
    return st;
}
