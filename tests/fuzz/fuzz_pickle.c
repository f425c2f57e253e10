/* SPDX-License-Identifier: MIT
 * fuzz_pickle.c - bytes as a pickle in which every global is allowed; then every node is looked at. */
#include "fuzz.h"
#include "mutate.h"

#include "format/pickle.h"

static bool allow(const mo_pnode *module, const mo_pnode *name)
{
    fuzz_touch(module->text, module->u.n);
    fuzz_touch(name->text, name->u.n);
    return true;
}

static void look_at(const mo_pickle *p, const mo_pnode *node)
{
    if (node->kind == MO_P_TEXT || node->kind == MO_P_BYTES || node->kind == MO_P_BIG)
        fuzz_touch(node->text, node->u.n);
    for (size_t i = 0; i < node->n_items && i < 8; i++) FUZZ_MUST(mo_pickle_item(p, node, i));
    FUZZ_MUST(!mo_pickle_item(p, node, node->n_items));
    mo_pickle_is(p, node, "collections", "OrderedDict");
}

void fuzz_one(const uint8_t *data, size_t n)
{
    mo_pickle p;
    if (fuzz_good(mo_pickle_open(&p, data, n, allow, 0, "fuzz"))) {
        FUZZ_MUST(p.root < p.n_nodes);
        FUZZ_MUST(p.n_bytes <= n);
        for (uint32_t i = 0; i < p.n_nodes; i++) look_at(&p, &p.nodes[i]);
    }
    mo_pickle_close(&p);
}

FUZZ_MUTATES_BYTES
