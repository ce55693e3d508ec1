/* SPDX-License-Identifier: MIT */
/* unit.c: see unit.h. */
#include "symbol/unit.h"

#include "text/allocate.h"

#include <dwarf.h>
#include <stdlib.h>

enum { NESTING_MAX = 200 };

static bool spend(uint64_t *work)
{
	if (!*work)
		return false;
	--*work;
	return true;
}

void die_ranges(Dwarf_Die *die, uint32_t item, struct spans *spans, uint64_t *work)
{
	Dwarf_Addr base, first, last;
	ptrdiff_t at = 0;

	while (spend(work) && (at = dwarf_ranges(die, at, &base, &first, &last)) > 0)
		spans_add(spans, first, last, item);
}

static void add_function(struct unit *unit, Dwarf_Die *die, uint64_t *work)
{
	size_t before = unit->spans.count;

	die_ranges(die, (uint32_t)unit->count, &unit->spans, work);
	if (unit->spans.count == before)
		return;
	unit->functions = allocate_more(unit->functions, unit->count, &unit->room,
					sizeof *unit->functions);
	unit->functions[unit->count++] = (struct function){.die = *die};
}

/* Where functions with code stand; in types and functions but few: those are looked into when all else fails. */
static bool holds_functions(int tag, bool is_deep)
{
	switch (tag) {
	case DW_TAG_namespace:
	case DW_TAG_module: return true;
	case DW_TAG_class_type:
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
	case DW_TAG_interface_type:
	case DW_TAG_subprogram:
	case DW_TAG_lexical_block: return is_deep;
	default: return false;
	}
}

static void list_functions(struct unit *unit, Dwarf_Die *parent, unsigned nesting, uint64_t *work)
{
	Dwarf_Die die;

	if (nesting >= NESTING_MAX || dwarf_child(parent, &die) != 0)
		return;
	do {
		int tag = dwarf_tag(&die);
		if (tag == DW_TAG_subprogram)
			add_function(unit, &die, work);
		if (holds_functions(tag, unit->is_deep))
			list_functions(unit, &die, nesting + 1, work);
	} while (spend(work) && dwarf_siblingof(&die, &die) == 0);
}

static void forget(struct unit *unit)
{
	for (size_t i = 0; i < unit->count; i++) {
		spans_free(&unit->functions[i].ranges);
		free(unit->functions[i].inlined);
	}
	free(unit->functions);
	spans_free(&unit->spans);
	unit->functions = NULL;
	unit->count = unit->room = 0;
}

static void list(struct unit *unit, bool is_deep, uint64_t *work)
{
	forget(unit);
	unit->is_listed = true;
	unit->is_deep = is_deep;
	list_functions(unit, &unit->die, 0, work);
	spans_sort(&unit->spans);
}

struct function *unit_function_at(struct unit *unit, uint64_t address, uint64_t *work)
{
	uint32_t item;

	if (!unit->is_listed)
		list(unit, false, work);
	if (spans_at(&unit->spans, address, &item))
		return &unit->functions[item];
	if (unit->is_deep)
		return NULL;
	list(unit, true, work);
	return spans_at(&unit->spans, address, &item) ? &unit->functions[item] : NULL;
}

static uint32_t add_inlined(struct function *function, Dwarf_Die *die, uint32_t parent,
			    uint64_t *work)
{
	function->inlined = allocate_more(function->inlined, function->count, &function->room,
					  sizeof *function->inlined);
	function->inlined[function->count] = (struct inlined){*die, parent};
	die_ranges(die, (uint32_t)function->count, &function->ranges, work);
	return (uint32_t)++function->count;
}

static void list_inlined(struct function *function, Dwarf_Die *of, uint32_t parent,
			 unsigned nesting, uint64_t *work)
{
	Dwarf_Die die;

	if (nesting >= NESTING_MAX || dwarf_child(of, &die) != 0)
		return;
	do {
		int tag = dwarf_tag(&die);
		if (tag == DW_TAG_inlined_subroutine)
			list_inlined(function, &die, add_inlined(function, &die, parent, work),
				     nesting + 1, work);
		else if (tag == DW_TAG_lexical_block || tag == DW_TAG_try_block ||
			 tag == DW_TAG_catch_block)
			list_inlined(function, &die, parent, nesting + 1, work);
	} while (spend(work) && dwarf_siblingof(&die, &die) == 0);
}

size_t function_chain_at(struct function *function, uint64_t address, uint64_t *work,
			 Dwarf_Die **ret_chain, size_t chain_max)
{
	uint32_t inner = 0;
	size_t count = 0;

	if (!function->is_read)
		list_inlined(function, &function->die, 0, 0, work);
	function->is_read = true;
	ret_chain[count++] = &function->die;
	for (size_t i = 0; i < function->ranges.count && count < chain_max; i++) {
		const struct span *range = &function->ranges.list[i];
		if (address < range->first || address >= range->last ||
		    function->inlined[range->item].parent != inner)
			continue;
		inner = range->item + 1;
		ret_chain[count++] = &function->inlined[range->item].die;
	}
	return count;
}

void unit_free(struct unit *unit)
{
	forget(unit);
	unit->is_listed = unit->is_deep = false;
}
