/* SPDX-License-Identifier: MIT */
/* debug.c: see debug.h. */
#include "symbol/debug.h"

#include "text/allocate.h"

#include <dwarf.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Entries of DWARF take a byte or more each, and are looked at a few times. */
enum { WORK_PER_BYTE = 8 };

/* libdw keeps tables of lines, some 40 bytes a row, as long as it is open: after so many it is opened anew. */
enum { LINE_ROWS_MAX = 2000000 };

/* The units by address, from the first entry of each: tables of ranges are left out by some compilers. */
static void list_units(struct debug *debug)
{
	Dwarf_CU *unit = NULL;
	Dwarf_Half version;
	uint8_t type;
	Dwarf_Die die;

	while (debug->work &&
	       dwarf_get_units(debug->dwarf, unit, &unit, &version, &type, &die, NULL) == 0) {
		debug->work--;
		debug->is_split |= type == DW_UT_skeleton;
		if (type == DW_UT_type || !die.addr)
			continue;
		debug->units = allocate_more(debug->units, debug->count, &debug->room,
					     sizeof *debug->units);
		debug->units[debug->count] = (struct unit){.die = die};
		die_ranges(&die, (uint32_t)debug->count++, &debug->spans, &debug->work);
	}
	spans_sort(&debug->spans);
}

/* Lets go of what was read, but for the work that is left. */
static void close_dwarf(struct debug *debug)
{
	for (size_t i = 0; i < debug->count; i++)
		unit_free(&debug->units[i]);
	free(debug->units);
	spans_free(&debug->spans);
	dwarf_end(debug->dwarf);
	dwarf_end(debug->shared);
	*debug = (struct debug){
		.elf = debug->elf, .shared_elf = debug->shared_elf, .work = debug->work};
}

static bool open_dwarf(struct debug *debug)
{
	debug->dwarf = dwarf_begin_elf(debug->elf, DWARF_C_READ, NULL);
	if (!debug->dwarf)
		return false;
	debug->shared = debug->shared_elf ? dwarf_begin_elf(debug->shared_elf, DWARF_C_READ, NULL)
					  : NULL;
	if (debug->shared)
		dwarf_setalt(debug->dwarf, debug->shared);
	list_units(debug);
	if (debug->count)
		return true;
	close_dwarf(debug);
	return false;
}

bool debug_begin(struct debug *debug, struct binary *binary, struct binary *shared)
{
	*debug = (struct debug){.elf = binary->elf,
				.shared_elf = shared ? shared->elf : NULL,
				.work = WORK_PER_BYTE * binary->content_bytes};
	return binary_unpack(binary) && (!shared || binary_unpack(shared)) && open_dwarf(debug);
}

/* The rows may be read once more: that is work, too.  The units are the same, in the same order. */
static bool open_anew(struct debug *debug)
{
	size_t count = debug->count;

	debug->work -= debug->work < debug->line_rows ? debug->work : debug->line_rows;
	close_dwarf(debug);
	return open_dwarf(debug) && debug->count == count;
}

/* Keeps the functions of a few units only, and a few tables of lines. */
static struct unit *unit_at(struct debug *debug, uint32_t item)
{
	Dwarf_Lines *lines;
	size_t row_count;

	if (debug->units[item].is_listed)
		return &debug->units[item];
	if (debug->line_rows > LINE_ROWS_MAX && !open_anew(debug))
		return NULL;
	struct unit *unit = &debug->units[item], **slot = &debug->listed[debug->listed_next];
	if (dwarf_getsrclines(&unit->die, &lines, &row_count) == 0)
		debug->line_rows += row_count;
	if (*slot)
		unit_free(*slot);
	*slot = unit;
	debug->listed_next = (debug->listed_next + 1) % LISTED_MAX;
	return unit;
}

static const char *text_of(Dwarf_Die *die, unsigned name)
{
	Dwarf_Attribute attribute;
	return dwarf_formstring(dwarf_attr_integrate(die, name, &attribute));
}

/* Where the name to link by is not mangled it says less than the one that was written. */
static const char *function_of(Dwarf_Die *die, bool *ret_is_written)
{
	const char *name = text_of(die, DW_AT_linkage_name);

	if (!name)
		name = text_of(die, DW_AT_MIPS_linkage_name);
	*ret_is_written = !name || !name_is_mangled(name);
	return *ret_is_written ? text_of(die, DW_AT_name) : name;
}

/* As compiled.  libdw has "???" for the file of number 0 before DWARF 5. */
static const char *known_path(struct unit *unit, const char *path, struct names *names)
{
	Dwarf_Attribute attribute;
	char whole[PATH_MAX];

	if (!path || strcmp(path, "???") == 0)
		return NULL;
	const char *from = dwarf_formstring(dwarf_attr(&unit->die, DW_AT_comp_dir, &attribute));
	if (path[0] == '/' || !from)
		return name_of(names, path);
	int bytes = snprintf(whole, sizeof whole, "%s/%s", from, path);
	return bytes > 0 && (size_t)bytes < sizeof whole ? name_of(names, whole) : NULL;
}

static unsigned number_of(Dwarf_Die *die, unsigned name)
{
	Dwarf_Attribute attribute;
	Dwarf_Word number;

	return dwarf_formudata(dwarf_attr(die, name, &attribute), &number) == 0 && number <= UINT_MAX
		       ? (unsigned)number
		       : 0;
}

static void set_line(struct unit *unit, uint64_t address, struct names *names,
		     struct symbol_frame *frame)
{
	Dwarf_Line *line = dwarf_getsrc_die(&unit->die, address);
	int number;

	if (!line)
		return;
	frame->file = known_path(unit, dwarf_linesrc(line, NULL, NULL), names);
	if (dwarf_lineno(line, &number) == 0 && number > 0)
		frame->line = (unsigned)number;
}

/* Where the inlined function was called. */
static void set_call(struct unit *unit, Dwarf_Die *inlined, struct names *names,
		     struct symbol_frame *frame)
{
	Dwarf_Files *files;
	size_t file_count;

	frame->line = number_of(inlined, DW_AT_call_line);
	if (dwarf_getsrcfiles(&unit->die, &files, &file_count) == 0)
		frame->file = known_path(
			unit, dwarf_filesrc(files, number_of(inlined, DW_AT_call_file), NULL, NULL),
			names);
}

size_t debug_frames_at(struct debug *debug, uint64_t address, struct names *names,
		       struct symbol_frame *ret_frames, bool *ret_is_written)
{
	Dwarf_Die *chain[CHAIN_MAX];
	uint32_t item;

	if (!spans_at(&debug->spans, address, &item))
		return 0;
	struct unit *unit = unit_at(debug, item);
	if (!unit)
		return 0;
	struct function *function = unit_function_at(unit, address, &debug->work);
	size_t count = function
			       ? function_chain_at(function, address, &debug->work, chain, CHAIN_MAX)
			       : 0;
	size_t frame_count = count ? count : 1;

	*ret_is_written = true;
	memset(ret_frames, 0, frame_count * sizeof *ret_frames);
	set_line(unit, address, names, &ret_frames[0]);
	for (size_t i = 0; i < count; i++) {
		ret_frames[i].function = name_of(names,
						 function_of(chain[count - 1 - i], ret_is_written));
		ret_frames[i].is_inlined = i + 1 < count;
		if (i)
			set_call(unit, chain[count - i], names, &ret_frames[i]);
	}
	return frame_count;
}

void debug_end(struct debug *debug)
{
	close_dwarf(debug);
	*debug = (struct debug){0};
}
