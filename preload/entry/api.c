/* SPDX-License-Identifier: MIT */
/* api.c: the functions of <poolmem/poolmem.h>. */
#include "entry/entry.h"
#include "heap/program.h"

static int refuse(int error)
{
	errno = error;
	return -1;
}

/* The calling thread's heap, entered, if what is asked for can be had.  false: errno says why not. */
static bool enter(bool is_served, struct heap **ret_heap)
{
	*ret_heap = is_served ? heap_open() : NULL;
	if (*ret_heap)
		heap_enter();
	else /* a signal handler inside the allocator, or a thread past its end */
		refuse(is_served ? EAGAIN : ENOSYS);
	return *ret_heap;
}

static int leave(struct heap *heap, int error)
{
	heap_close(heap);
	return error ? refuse(error) : 0;
}

EXPORT int64_t poolmem_v1_collect(int generation)
{
	struct heap *heap;
	int64_t died = 0;
	if (generation < 0 || generation > 2)
		return refuse(EINVAL);
	if (!enter(program_has_generations(), &heap))
		return -1;
	int error = program_collect(heap, (unsigned)generation, &died);
	return leave(heap, error) ? -1 : died;
}

EXPORT int poolmem_v1_get_stats(struct poolmem_stats *stats, size_t one_bytes)
{
	struct heap *heap;
	struct poolmem_stats all[3];
	if (!stats || one_bytes < sizeof *stats)
		return refuse(EINVAL);
	if (!enter(program_has_generations(), &heap))
		return -1;
	int error = program_get_stats(heap, all);
	for (unsigned g = 0; !error && g < 3; g++) /* a later program's may be longer */
		*(struct poolmem_stats *)((char *)stats + g * one_bytes) = all[g];
	return leave(heap, error);
}

EXPORT int poolmem_v1_get_count(uint64_t *count)
{
	struct heap *heap;
	if (!count)
		return refuse(EINVAL);
	if (!enter(program_has_generations(), &heap))
		return -1;
	return leave(heap, program_get_count(heap, count));
}

EXPORT int poolmem_v1_get_threshold(uint32_t *threshold)
{
	if (!threshold)
		return refuse(EINVAL);
	if (!program_has_generations())
		return refuse(ENOSYS);
	program_get_threshold(threshold);
	return 0;
}

EXPORT int poolmem_v1_set_threshold(uint32_t threshold0, uint32_t threshold1, uint32_t threshold2)
{
	struct heap *heap;
	uint32_t threshold[3] = {threshold0, threshold1, threshold2};
	if (!enter(program_has_generations(), &heap))
		return -1;
	return leave(heap, program_set_threshold(heap, threshold));
}

EXPORT int64_t poolmem_v1_freeze(void)
{
	struct heap *heap;
	int64_t frozen = 0;
	if (!enter(program_can_freeze(), &heap))
		return -1;
	int error = program_freeze(heap, &frozen);
	return leave(heap, error) ? -1 : frozen;
}

EXPORT int poolmem_v1_unfreeze(void)
{
	struct heap *heap;
	if (!enter(program_can_freeze(), &heap))
		return -1;
	return leave(heap, program_unfreeze(heap));
}

EXPORT int64_t poolmem_v1_get_freeze_count(void)
{
	return program_is_served() ? program_freeze_count() : refuse(ENOSYS);
}

EXPORT int poolmem_v1_enable(int enabled)
{
	if (!program_has_generations())
		return refuse(ENOSYS);
	program_enable(enabled);
	return 0;
}

EXPORT int poolmem_v1_is_enabled(void)
{
	return program_has_generations() ? program_is_enabled() : refuse(ENOSYS);
}

EXPORT int poolmem_v1_mark(const char *name)
{
	struct heap *heap;
	if (!name || !*name)
		return refuse(EINVAL);
	if (!enter(program_is_served(), &heap))
		return -1;
	return leave(heap, program_mark(heap, name));
}
