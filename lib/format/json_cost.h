/* SPDX-License-Identifier: MIT
 * json_cost.h - what a JSON text would take as a tree, told before there is one. */
#ifndef MO_FORMAT_JSON_COST_H
#define MO_FORMAT_JSON_COST_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of memory for the tree of n bytes and for the copies that readers keep of its texts: no less than it takes,
 * whatever the bytes are. */
uint64_t mo_json_cost(const void *bytes, size_t n);

#endif
