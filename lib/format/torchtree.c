/* SPDX-License-Identifier: MIT
 * torchtree.c - walks the pickle's tree and turns descriptions of tensors into views.
 *
 *     _rebuild_tensor_v2(storage, offset, (sizes), (strides), requires_grad, hooks)
 *
 * Elements in order are used where they lie, others are copied into order, within a limit.
 *
 * The walk keeps its own stack.  Shared values are visited once for each way to them, so ways, depth and
 * names are limited: a small file cannot describe a huge tree, and a cycle ends at the depth. */
#include "format/torchtree.h"

#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/stop.h"
#include "base/view.h"
#include "base/wide.h"

#define MAX_DEPTH 64
#define MAX_VISITS (1u << 21)
#define MAX_NAME 1024
#define MOST_SHARED 4 /* bytes of tensors for each byte of the file: weights that are tied are there twice */
#define TENSOR_BYTES 480 /* of memory for a tensor, beside its name */

#define UTILS "torch._utils"
#define JIT "torch.jit._pickle"

static const struct {
    const char *name;
    mo_dtype dtype;
} storages[] = {{"FloatStorage", MO_F32}, {"HalfStorage", MO_F16}, {"BFloat16Storage", MO_BF16},
    {"DoubleStorage", MO_F64}, {"LongStorage", MO_I64}, {"IntStorage", MO_I32}, {"ShortStorage", MO_I16},
    {"CharStorage", MO_I8}, {"ByteStorage", MO_U8}, {"BoolStorage", MO_BOOL}};
#define N_STORAGES (sizeof storages / sizeof *storages)

static bool starts(const mo_pnode *text, const char *with)
{
    size_t n = strlen(with);
    return text->u.n >= n && !memcmp(text->text, with, n);
}

bool mo_torchtree_allow(const mo_pnode *module, const mo_pnode *name)
{
    static const char *const utils[] = {
        "_rebuild_tensor_v2", "_rebuild_parameter", "_rebuild_parameter_with_state"};
    static const char *const jit[] = {
        "build_intlist", "build_tensorlist", "build_doublelist", "build_boollist", "restore_type_tag"};
    if (mo_pickle_is_text(module, "collections")) return mo_pickle_is_text(name, "OrderedDict");
    if (mo_pickle_is_text(module, "__torch__") || starts(module, "__torch__.")) return true;
    if (mo_pickle_is_text(module, UTILS))
        for (size_t i = 0; i < sizeof utils / sizeof *utils; i++)
            if (mo_pickle_is_text(name, utils[i])) return true;
    if (mo_pickle_is_text(module, JIT))
        for (size_t i = 0; i < sizeof jit / sizeof *jit; i++)
            if (mo_pickle_is_text(name, jit[i])) return true;
    if (mo_pickle_is_text(module, "torch"))
        for (size_t i = 0; i < N_STORAGES; i++)
            if (mo_pickle_is_text(name, storages[i].name)) return true;
    return false;
}

static bool is_whole(const mo_pnode *node)
{
    return node && node->kind == MO_P_INT && node->u.i >= 0;
}

static bool as_size(const mo_pnode *node, size_t *out)
{
    return is_whole(node) && mo_wide_size(out, (uint64_t)node->u.i);
}

mopd_status mo_torchtree_storage(
    mo_torchtree_storage_run *out, const mo_torchtree *tree, const mo_pnode *node)
{
    const mo_pickle *p = tree->pickle;
    const mo_pnode *id = node && node->kind == MO_P_STORAGE ? &p->nodes[node->args] : NULL;
    if (!id || id->kind != MO_P_TUPLE || !mo_pickle_is_text(mo_pickle_item(p, id, 0), "storage"))
        return mo_fail(MOPD_E_FORMAT, "%s: a tensor without a storage", tree->path);
    const mo_pnode *key = mo_pickle_item(p, id, 2), *viewed = mo_pickle_item(p, id, 5);
    if (!key || key->kind != MO_P_TEXT || memchr(key->text, 0, key->u.n) || key->u.n > MAX_NAME)
        return mo_fail(MOPD_E_FORMAT, "%s: a storage without a key", tree->path);
    *out = (mo_torchtree_storage_run){.key = key};
    size_t kind = 0;
    while (kind < N_STORAGES && !mo_pickle_is(p, mo_pickle_item(p, id, 1), "torch", storages[kind].name))
        kind++;
    const mo_pnode *numel = mo_pickle_item(p, id, 4);
    if (kind == N_STORAGES || !is_whole(numel))
        return mo_fail(
            MOPD_E_FORMAT, "%s: storage \"%.*s\" has no type or size", tree->path, (int)key->u.n, key->text);
    if (viewed && viewed->kind != MO_P_NONE)
        return mo_fail(MOPD_E_UNSUPPORTED, "%s: storage \"%.*s\" is a view of another", tree->path,
            (int)key->u.n, key->text);
    out->dtype = storages[kind].dtype;
    if (!as_size(numel, &out->numel) || !mo_mul(out->numel, mo_dtype_size(out->dtype), &out->n_bytes))
        return mo_fail(
            MOPD_E_FORMAT, "%s: storage \"%.*s\": its size overflows", tree->path, (int)key->u.n, key->text);
    return MOPD_OK;
}

/* Where a tensor's elements lie in its storage, counted in elements. */
typedef struct layout {
    size_t offset;
    size_t stride[MO_MAX_DIMS];
    size_t reach; /* one beyond the last element, from the offset */
    bool dense;   /* in order, rows first */
} layout;

static bool read_layout(mo_view *view, layout *l, const mo_pickle *p, const mo_pnode *args)
{
    const mo_pnode *sizes = mo_pickle_item(p, args, 2), *strides = mo_pickle_item(p, args, 3);
    size_t step = 1, far;
    view->n = 1;
    view->n_dims = (int)sizes->n_items;
    *l = (layout){.reach = 1, .dense = true};
    if (!as_size(mo_pickle_item(p, args, 1), &l->offset)) return false;
    for (size_t i = sizes->n_items; i > 0; i--) {
        size_t *dim = &view->shape[i - 1], *stride = &l->stride[i - 1];
        if (!as_size(mo_pickle_item(p, sizes, i - 1), dim) ||
            !as_size(mo_pickle_item(p, strides, i - 1), stride))
            return false;
        if (*dim != 1 && *stride != step) l->dense = false;
        if (!mo_mul(view->n, *dim, &view->n) || !mo_mul(step, *dim ? *dim : 1, &step)) return false;
        if (!mo_mul(*dim ? *dim - 1 : 0, *stride, &far) || !mo_add(l->reach, far, &l->reach)) return false;
    }
    if (view->n == 0) l->dense = true, l->reach = 0;
    return mo_add(l->offset, l->reach, &l->reach);
}

/* out[i] = from[sum of index x stride]: view->n elements of `size` bytes, rows first. */
static void gather(
    unsigned char *out, const unsigned char *from, const mo_view *view, const layout *l, size_t size)
{
    size_t index[MO_MAX_DIMS] = {0}, at = l->offset;
    for (size_t i = 0; i < view->n; i++) {
        memcpy(out + i * size, from + at * size, size);
        for (int d = view->n_dims - 1; d >= 0; d--) {
            at += l->stride[d];
            if (++index[d] < view->shape[d]) break;
            at -= l->stride[d] * view->shape[d];
            index[d] = 0;
        }
    }
}

/* Puts elements that are out of order into a block of their own. */
static mopd_status copy_tensor(mo_torchtree_tensor *t, mo_torchtree *tree, const mo_torchtree_storage_run *s,
    const layout *l, const char *name)
{
    size_t size = mo_dtype_size(s->dtype);
    if (t->view.n > s->numel || t->view.n * size > tree->copy_limit)
        return mo_fail(MOPD_E_UNSUPPORTED, "%s: tensor \"%s\" repeats elements: %zu of a storage of %zu",
            tree->path, name, t->view.n, s->numel);
    t->copy = mo_mem_alloc(t->view.n, size);
    if (!t->copy) return MOPD_E_NOMEM;
    tree->copy_limit -= t->view.n * size;
    gather(t->copy, s->data, &t->view, l, size);
    t->view.data = t->copy;
    return MOPD_OK;
}

static mopd_status read_tensor(
    mo_torchtree_tensor *t, mo_torchtree *tree, const mo_pnode *call, const char *name)
{
    const mo_pickle *p = tree->pickle;
    const mo_pnode *args = &p->nodes[call->args];
    const mo_pnode *sizes = mo_pickle_item(p, args, 2), *strides = mo_pickle_item(p, args, 3);
    mo_torchtree_storage_run s;
    layout l;
    *t = (mo_torchtree_tensor){0};
    mopd_status st = mo_torchtree_storage(&s, tree, mo_pickle_item(p, args, 0));
    if (st != MOPD_OK) return mo_fail_at(st, "tensor \"%s\"", name);
    if (!sizes || !strides || sizes->kind != MO_P_TUPLE || strides->kind != MO_P_TUPLE ||
        sizes->n_items != strides->n_items)
        return mo_fail(MOPD_E_FORMAT, "%s: tensor \"%s\" has no sizes and strides", tree->path, name);
    if (sizes->n_items > MO_MAX_DIMS)
        return mo_fail(MOPD_E_UNSUPPORTED, "%s: tensor \"%s\" has %u dimensions, at most %d are read",
            tree->path, name, sizes->n_items, MO_MAX_DIMS);
    if (!read_layout(&t->view, &l, p, args))
        return mo_fail(MOPD_E_FORMAT, "%s: tensor \"%s\" has a bad offset, size or stride", tree->path, name);
    if (l.reach > s.numel)
        return mo_fail(MOPD_E_FORMAT, "%s: tensor \"%s\" reaches element %zu of a storage of %zu", tree->path,
            name, l.reach, s.numel);
    t->view.dtype = s.dtype;
    if ((st = tree->place(tree->ctx, &s)) != MOPD_OK) return mo_fail_at(st, "tensor \"%s\"", name);
    if (!l.dense) return copy_tensor(t, tree, &s, &l, name);
    t->view.data = (const unsigned char *)s.data + l.offset * mo_dtype_size(s.dtype);
    return MOPD_OK;
}

/* One tensor more: their number, and what their names take, which shared values multiply. */
static mopd_status check_room(mo_torchtree_list *out, const mo_torchtree *tree, const char *name)
{
    out->bytes += TENSOR_BYTES + strlen(name);
    mopd_status st = mo_limits_check(MO_LIMIT_TENSORS, out->n + 1, tree->path, "tensors");
    return st == MOPD_OK ? mo_limits_check_reading(tree->n_bytes, out->bytes, tree->path, "names of tensors")
                         : st;
}

/* Tensors may share a storage; each is unpacked for itself, so all of them together are measured by the file. */
static mopd_status check_shared(mo_torchtree_list *out, const mo_torchtree *tree, const mo_view *view)
{
    const size_t bytes = view->n * mo_dtype_size(view->dtype);
    if (mo_add(out->n_data_bytes, bytes, &out->n_data_bytes) &&
        out->n_data_bytes / MOST_SHARED <= tree->n_bytes)
        return MOPD_OK;
    return mo_fail(MOPD_E_UNSUPPORTED,
        "%s: its tensors share storages so often that they have more than %d times the file's %zu bytes",
        tree->path, MOST_SHARED, tree->n_bytes);
}

static mopd_status add_tensor(
    mo_torchtree_list *out, mo_torchtree *tree, const mo_pnode *call, const char *name)
{
    mopd_status st = check_room(out, tree, name);
    if (st != MOPD_OK) return st;
    if (out->n == out->cap) {
        size_t cap = out->cap ? out->cap * 2 : 64;
        mo_torchtree_tensor *more = mo_mem_realloc(out->tensor, cap, sizeof *more);
        if (!more) return MOPD_E_NOMEM;
        out->tensor = more;
        out->cap = cap;
    }
    mo_torchtree_tensor t;
    if ((st = read_tensor(&t, tree, call, name)) != MOPD_OK) return st;
    if ((st = check_shared(out, tree, &t.view)) != MOPD_OK) {
        mo_mem_free(t.copy);
        return st;
    }
    t.name = mo_mem_strdup(name);
    out->tensor[out->n++] = t; /* freed with the list even without a name */
    return t.name ? MOPD_OK : MOPD_E_NOMEM;
}

/* One container being walked. */
typedef struct frame {
    const mo_pnode *node;
    uint32_t cell;     /* the next */
    uint32_t position; /* in a list */
    size_t name_bytes; /* of the way to it */
} frame;

typedef struct walk {
    frame frames[MAX_DEPTH];
    size_t depth;
    size_t visits;
    mo_buf name;
} walk;

/* Parameters and typed lists are what they wrap; an object is its state. */
static const mo_pnode *unwrap(const mo_pickle *p, const mo_pnode *node)
{
    for (int i = 0; node && i < MAX_DEPTH; i++) {
        bool object = node->kind == MO_P_OBJECT, call = node->kind == MO_P_CALL;
        if (object)
            node = node->state == MO_P_NIL ? NULL : &p->nodes[node->state];
        else if (call && (mo_pickle_is(p, node, UTILS, "_rebuild_parameter") ||
                             mo_pickle_is(p, node, UTILS, "_rebuild_parameter_with_state") ||
                             mo_pickle_is_text(&p->nodes[p->nodes[node->callee].callee], JIT)))
            node = mo_pickle_item(p, &p->nodes[node->args], 0);
        else
            return node;
    }
    return NULL;
}

static mopd_status visit(mo_torchtree_list *out, walk *w, mo_torchtree *tree, const mo_pnode *node)
{
    const mo_pickle *p = tree->pickle;
    node = unwrap(p, node);
    if (++w->visits > MAX_VISITS)
        return mo_fail(
            MOPD_E_UNSUPPORTED, "%s: more than %u values in the pickle's tree", tree->path, MAX_VISITS);
    if (!node) return MOPD_OK;
    if (node->kind == MO_P_CALL && mo_pickle_is(p, node, UTILS, "_rebuild_tensor_v2"))
        return add_tensor(out, tree, node, w->name.data);
    bool container = node->kind == MO_P_DICT || node->kind == MO_P_LIST || node->kind == MO_P_TUPLE ||
                     mo_pickle_is(p, node, "collections", "OrderedDict");
    if (!container || !node->n_items) return MOPD_OK;
    if (w->depth == MAX_DEPTH)
        return mo_fail(
            MOPD_E_FORMAT, "%s: containers nested deeper than %d in the pickle", tree->path, MAX_DEPTH);
    w->frames[w->depth++] = (frame){node, node->first, 0, w->name.size};
    return MOPD_OK;
}

/* Sets the name to the container's and one part more; *named is false for a key that makes no name. */
static mopd_status name_part(walk *w, const frame *f, const mo_pnode *key, bool *named, const char *path)
{
    w->name.size = f->name_bytes;
    const char *dot = f->name_bytes ? "." : "";
    *named = !key || key->kind == MO_P_TEXT || key->kind == MO_P_INT;
    if (!*named) return MOPD_OK;
    if (!key) return mo_buf_addf(&w->name, "%s%u", dot, f->position);
    if (key->kind == MO_P_INT) return mo_buf_addf(&w->name, "%s%lld", dot, (long long)key->u.i);
    if (memchr(key->text, 0, key->u.n) || key->u.n > MAX_NAME - f->name_bytes)
        return mo_fail(MOPD_E_FORMAT, "%s: a name in the pickle is longer than %d bytes or has a zero in it",
            path, MAX_NAME);
    mopd_status st = mo_buf_adds(&w->name, dot);
    return st == MOPD_OK ? mo_buf_add(&w->name, key->text, key->u.n) : st;
}

/* Takes the next member of the innermost container. */
static mopd_status advance(mo_torchtree_list *out, walk *w, mo_torchtree *tree)
{
    const mo_pickle *p = tree->pickle;
    frame *f = &w->frames[w->depth - 1];
    if (f->cell == MO_P_NIL) {
        w->depth--;
        return MOPD_OK;
    }
    const mo_pnode *key = NULL;
    bool named;
    if (f->node->kind == MO_P_DICT || f->node->kind == MO_P_CALL) {
        key = &p->nodes[p->cells[f->cell].node];
        f->cell = p->cells[f->cell].next;
    }
    const mo_pnode *value = &p->nodes[p->cells[f->cell].node];
    mopd_status st = name_part(w, f, key, &named, tree->path);
    f->cell = p->cells[f->cell].next;
    f->position++;
    if (st != MOPD_OK || !named) return st;
    return visit(out, w, tree, value);
}

mopd_status mo_torchtree_collect(mo_torchtree_list *out, mo_torchtree *tree)
{
    walk *w = mo_mem_calloc(1, sizeof *w);
    if (!w) return MOPD_E_NOMEM;
    mopd_status st = mo_buf_add(&w->name, "", 0);
    if (st == MOPD_OK) st = visit(out, w, tree, &tree->pickle->nodes[tree->pickle->root]);
    while (st == MOPD_OK && w->depth)
        if ((st = mo_stop_check(MO_STOP_ENTRY)) == MOPD_OK) st = advance(out, w, tree);
    mo_buf_free(&w->name);
    mo_mem_free(w);
    return st;
}

void mo_torchtree_free_list(mo_torchtree_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        mo_mem_free(list->tensor[i].name);
        mo_mem_free(list->tensor[i].copy);
    }
    mo_mem_free(list->tensor);
    *list = (mo_torchtree_list){0};
}
