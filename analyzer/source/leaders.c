/* SPDX-License-Identifier: MIT */
/* leaders.c: see leaders.h. */
#include "source/leaders.h"

#include "source/image.h"

static bool read_record(const struct input *input, const struct pm_header *header, uint32_t leader,
			struct pm_process *ret)
{
	struct failure ignored;
	uint64_t at = (uint64_t)leader * header->chunk_bytes + offsetof(struct pm_slot, process);

	return input_read(input, at, ret, sizeof *ret, &ignored);
}

static bool is_leader(const struct input *input, const struct pm_header *header, uint32_t n)
{
	struct pm_chunk opening;
	struct failure ignored;

	return input_read(input, (uint64_t)n * header->chunk_bytes, &opening, sizeof opening,
			  &ignored) &&
	       opening.kind == PM_CHUNK_SLOT && opening.process == n;
}

static void visit_children(const struct input *input, const struct pm_header *header,
			   leader_visitor *visit, void *context)
{
	struct pm_process process;

	for (uint32_t n = 1; n < header->chunks; n++)
		if (n != header->leader && is_leader(input, header, n) &&
		    read_record(input, header, n, &process) && process.state == PM_STATE_RUNNING)
			visit(header, n, &process, context);
}

void leaders_running(const struct input *input, leader_visitor *visit, void *context)
{
	struct pm_header header;
	struct pm_process process;
	struct failure ignored;

	if (!image_peek(input, &header, &process, &ignored))
		return;
	if (process.state == PM_STATE_RUNNING)
		visit(&header, header.leader, &process, context);
	if (process.children)
		visit_children(input, &header, visit, context);
}
