/* SPDX-License-Identifier: MIT */
/* Sweeps while another thread goes on: it comes to a size class, new to the process, at whichever instant of the sweep. */
#include "life/survival.c"

#include <criterion/criterion.h>

enum { CLASS_FIRST = 2, CLASS_NEW = 9, COUNT_NEW = 50, HEAPS = 2 };

struct life life;
struct segment segment;

/* Each with the words behind it that say where it counts: here, so no displacement. */
static char memory[2 * HEAP_GROUP * HEAP_STRIDE] __attribute__((aligned(HEAP_GROUP * HEAP_STRIDE)));
static struct pm_slot slot[HEAPS];
static struct pm_survival survival;
static unsigned looks, comes_at; /* looks at the heaps so far; 0: it never comes */

static struct heap *heap_of(uint32_t index)
{
	return (struct heap *)(void *)(memory + (size_t)index * HEAP_STRIDE);
}

static void allocate(uint32_t heap, unsigned size_class, int64_t count)
{
	class_put(&heap_of(heap)->ticking, size_class, true);
	slot[heap].tally[size_class].limit[0] += count;
}

struct heap *heap_by_index(uint32_t index)
{
	if (index == 0 && ++looks == comes_at)
		allocate(1, CLASS_NEW, COUNT_NEW);
	return index < HEAPS ? heap_of(index) : NULL;
}

uint32_t heap_made(void)
{
	return HEAPS;
}

struct pm_slot *threads_shared_slot(void)
{
	return NULL;
}

const struct class_set *threads_shared_classes(void)
{
	static const struct class_set none;
	return &none;
}

struct pm_survival *segment_survival(uint32_t process)
{
	(void)process;
	return &survival;
}

bool sites_resized(const void *block, int64_t bytes, uint8_t *ret_stamp)
{
	(void)block, (void)bytes, (void)ret_stamp;
	return false;
}

static void begin(void)
{
	static const struct survival_begun nothing;
	clock_init(PM_CLOCK_ALLOCS, (uint32_t[]){1000, 10, 10});
	life.recording = true;
	wiped.alive = 1;
	survival_begin(&nothing);
	for (uint32_t i = 0; i < HEAPS; i++) {
		heap_of(i)->slot = &slot[i];
		allocate(i, CLASS_FIRST, 100);
	}
}

static void expect_sane(unsigned instant)
{
	cr_assert_leq(survival.uncertain, 2 * HEAPS + COUNT_NEW, "instant %u", instant);
	cr_assert_geq(survival.uncertain, 2 * HEAPS, "instant %u", instant);
}

/* Blocks of the new class come once; the sweep after that has them all. */
static void sweep_twice(unsigned generation, unsigned instant)
{
	survival_turn(generation);
	uint64_t first = survival.sweep[1].allocations;
	cr_assert(first == 200 || first == 200 + COUNT_NEW);
	cr_assert_eq(survival_turn(generation), 200 + COUNT_NEW);
	cr_assert_eq(survival.sweep[2].allocations, 200 + COUNT_NEW);
	cr_assert_eq(survivors[CLASS_FIRST].survived, 200);
	cr_assert_eq(survivors[CLASS_NEW].survived, COUNT_NEW);
	expect_sane(instant);
}

static void sweep_while_it_comes(unsigned generation, unsigned instant)
{
	comes_at = instant;
	begin();
	sweep_twice(generation, instant);
	cr_assert_geq(looks, instant);
}

/* A sweep looks at the heaps three times: before, for their classes, after. */
#define COMES(instant)                                                                             \
	Test(survival, a_class_that_comes_in_a_young_sweep_at_look_##instant)                      \
	{                                                                                          \
		sweep_while_it_comes(0, instant);                                                  \
	}                                                                                          \
	Test(survival, a_class_that_comes_in_a_full_sweep_at_look_##instant)                       \
	{                                                                                          \
		sweep_while_it_comes(2, instant);                                                  \
	}

COMES(1)
COMES(2)
COMES(3)
