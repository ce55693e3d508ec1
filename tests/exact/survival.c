/* SPDX-License-Identifier: MIT */
/*
 * Keeps each block's generation by itself, moves all of them up at each sweep that the library logged, and compares
 * what entered, survived, died and lives in each generation and class with what follows from the segment.
 *
 *     survival DIRECTORY SEED CALLS [fork|threads]
 *
 * DIRECTORY holds its segment and no other.  One thread, so that an epoch turns inside a call of ours.  With `threads`
 * eight go before it, and what they leave is taken over as the library has it: within the bound that it states that is
 * right at once, and to the unit from the next sweep of generation 1 on.
 */
#include "exact/own_segment.h"

#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/wait.h>

enum { BLOCKS = 20000, CLASSES = PM_TALLY_COUNT, OLDEST = 2, THREADS = 8, HELD = 3000 };

static const struct pm_header *header;
static const struct pm_slot *slot;
static const struct pm_survival *survival; /* NULL: no epoch has turned yet */
static const struct pm_class *classes;
static const struct pm_age *ages;
static uint32_t large, large_bytes, random_state;

struct flow {
	uint64_t entered[3], survived[3], died[3], live[3];
};

/* Ours: blocks by class; bytes where the class is that of the bytes of large blocks. */
static struct flow model[CLASSES];
static uint64_t epoch;
static bool failed;
static uint64_t off_by, bound; /* bound: figures may differ by so much */

static struct block {
	void *at;
	uint32_t size_class;
	unsigned generation;
	uint64_t bytes; /* usable */
} block[BLOCKS + 1];    /* the last for one that moves */

static uint32_t random_below(uint32_t end)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state % end;
}

static void fail(const char *what, uint32_t size_class, unsigned generation, uint64_t theirs,
		 uint64_t ours)
{
	off_by += theirs > ours ? theirs - ours : ours - theirs;
	if (off_by <= bound)
		return;
	printf("class %u, generation %u, %s: the library says %lld, we %lld; epoch %llu\n",
	       size_class, generation, what, (long long)theirs, (long long)ours,
	       (unsigned long long)epoch);
	failed = true;
}

/* --- ours -------------------------------------------------------------------------------------------- */

static void add(struct flow *flow, uint64_t *count, unsigned generation, uint64_t amount)
{
	count[generation] += amount;
	flow->live[generation] += amount;
}

static uint32_t class_of(void *pointer)
{
	size_t usable = malloc_usable_size(pointer);
	for (uint32_t c = 1; c < header->classes.count; c++)
		if (classes[c].kind == PM_CLASS_POOL && classes[c].block_bytes == usable)
			return c;
	return large;
}

static void born(struct block *it, void *at)
{
	*it = (struct block){at, class_of(at), 0, malloc_usable_size(at)};
	add(&model[it->size_class], model[it->size_class].entered, 0, 1);
	if (it->size_class == large)
		add(&model[large_bytes], model[large_bytes].entered, 0, it->bytes);
}

static void leaves(struct flow *flow, unsigned generation, uint64_t *count, uint64_t amount)
{
	count[generation] += amount;
	flow->live[generation] -= amount;
}

static void dies(struct block *it)
{
	leaves(&model[it->size_class], it->generation, model[it->size_class].died, 1);
	if (it->size_class == large)
		leaves(&model[large_bytes], it->generation, model[large_bytes].died, it->bytes);
	it->at = NULL;
}

static void climb(uint32_t size_class, unsigned from, unsigned to, uint64_t amount)
{
	leaves(&model[size_class], from, model[size_class].survived, amount);
	add(&model[size_class], model[size_class].entered, to, amount);
}

/* All that is in generations up to the one that is swept goes one on from that. */
static void sweep(unsigned generation)
{
	unsigned to = generation < OLDEST ? generation + 1 : OLDEST;
	for (uint32_t c = 0; c < CLASSES; c++)
		for (unsigned from = 0; from <= generation && from < to; from++)
			climb(c, from, to, model[c].live[from]);
	for (unsigned i = 0; i <= BLOCKS; i++)
		if (block[i].at && block[i].generation < to)
			block[i].generation = to;
}

/* --- the library's ----------------------------------------------------------------------------------- */

static const struct pm_survival *find_survival(void)
{
	uint32_t leader = (uint32_t)(((const char *)slot - (const char *)header) /
				     header->chunk_bytes);
	for (uint32_t n = 1; n < header->chunks; n++) {
		const struct pm_survival *it = own_chunk(header, n);
		if (it->chunk.kind == PM_CHUNK_SURVIVAL && it->chunk.process == leader)
			return it;
	}
	return NULL;
}

static void look(void)
{
	if (slot->process.epoch == epoch)
		return;
	if (!survival)
		survival = find_survival();
	while (epoch < slot->process.epoch) {
		const struct pm_sweep *it = &survival->sweep[++epoch % PM_SWEEP_ROOM];
		if (it->epoch != epoch)
			fail("the log has another epoch", 0, 0, it->epoch, epoch);
		sweep(it->generation);
	}
}

static const struct pm_survivor_table *newest_table(void)
{
	static const struct pm_survivor_table none;
	if (!survival)
		return &none;
	return &survival->table[survival->table[0].epoch < survival->table[1].epoch];
}

static uint64_t sum_of_slots(uint32_t size_class, struct flow *flow)
{
	uint64_t allocated = 0;
	for (uint32_t n = 1; n < header->chunks; n++) {
		const struct pm_slot *it = own_chunk(header, n);
		const struct pm_tally *tally = &it->tally[size_class];
		if (it->chunk.kind != PM_CHUNK_SLOT || it->chunk.process != slot->chunk.process)
			continue;
		allocated += (uint64_t)(tally->limit[tally->left & 1] - (tally->left >> 8));
		for (unsigned age = 0; age < header->ages.count; age++)
			flow->died[ages[age].generation] += tally->freed[age];
	}
	return allocated;
}

/* As struct pm_survivors says. */
static struct flow read_class(uint32_t c, const struct pm_survivor_table *table,
			      const uint64_t began[3])
{
	const struct pm_survivors *of = &table->of[c];
	struct flow flow = {.entered = {0}};
	flow.entered[0] = began[0] + sum_of_slots(c, &flow);
	flow.survived[0] = of->survived;
	flow.entered[1] = began[1] + of->survived - of->skipped;
	flow.survived[1] = of->old - of->skipped;
	flow.entered[2] = began[2] + of->old;
	for (unsigned g = 0; g < 3; g++)
		flow.live[g] = flow.entered[g] - flow.survived[g] - flow.died[g];
	return flow;
}

static void compare(void)
{
	static const uint64_t nothing[CLASSES][3];
	const uint64_t(*began)[3] = survival ? survival->began : nothing;
	const struct pm_survivor_table *table = newest_table();
	if (survival && table->epoch != epoch)
		fail("the table is of another epoch", 0, 0, table->epoch, epoch);
	for (uint32_t c = 1; c < header->classes.count; c++) {
		struct flow theirs = read_class(c, table, began[c]);
		for (unsigned g = 0; g < 3; g++) {
			const struct flow *ours = &model[c];
			if (theirs.entered[g] != ours->entered[g])
				fail("entered", c, g, theirs.entered[g], ours->entered[g]);
			if (theirs.survived[g] != ours->survived[g])
				fail("survived", c, g, theirs.survived[g], ours->survived[g]);
			if (theirs.died[g] != ours->died[g])
				fail("died", c, g, theirs.died[g], ours->died[g]);
			if (theirs.live[g] != ours->live[g])
				fail("live", c, g, theirs.live[g], ours->live[g]);
		}
	}
}

/* --- calls ------------------------------------------------------------------------------------------- */

static size_t any_size(void)
{
	return random_below(100) ? 1 + random_below(2500) : 1 + random_below(300000);
}

static uint64_t deaths(uint32_t size_class, unsigned generation)
{
	uint64_t count = 0;
	for (unsigned age = 0; age < header->ages.count; age++)
		count += ages[age].generation == generation ? slot->tally[size_class].freed[age] : 0;
	return count;
}

/*
 * An epoch may turn when the new place is had or when the old one goes; which it was is asked of the library: only where
 * the old block was counted tells.
 */
static void resize(struct block *it)
{
	struct block old = *it;
	size_t usable = it->bytes;
	uint64_t died_there = deaths(large, it->generation);
	void *at = it->size_class == large ? realloc(it->at, usable + random_below(8192)) : it->at;
	size_t now = malloc_usable_size(at);
	if ((uintptr_t)at != (uintptr_t)old.at) {
		struct block *new = &block[BLOCKS];
		born(new, at);
		if (deaths(large, old.generation) == died_there)
			look();
		dies(it);
		*it = *new;
		new->at = NULL;
	} else if (it->size_class == large) {
		it->bytes = now;
		add(&model[large_bytes], model[large_bytes].entered, it->generation, now - usable);
	}
	look();
}

static void release(struct block *it)
{
	void *at = it->at;
	dies(it);
	free(at);
}

static void come_or_go(struct block *it)
{
	if (it->at)
		release(it);
	else
		born(it, malloc(any_size()));
}

static void step(void)
{
	struct block *it = &block[random_below(BLOCKS)];
	if (it->at && random_below(4) == 0) {
		resize(it);
	} else {
		come_or_go(it);
		look();
	}
}

static void run(unsigned long calls)
{
	for (unsigned long i = 0; i < calls; i++)
		step();
	compare();
}

/* Blocks that were there before, and that live on, in the generations that the library says. */
static void begin_with_what_is_there(void)
{
	static const uint64_t nothing[CLASSES][3];
	survival = find_survival();
	const uint64_t(*began)[3] = survival ? survival->began : nothing;
	for (uint32_t c = 0; c < header->classes.count; c++)
		model[c] = read_class(c, newest_table(), began[c]);
	epoch = slot->process.epoch;
}

/* --- threads ------------------------------------------------------------------------------------------- */

static unsigned long calls_of_thread;

/* Some of what it holds is for good, and some of it is freed by the next thread. */
static void *churn(void *number)
{
	static void *left[THREADS];
	void *held[HELD] = {NULL};
	uint32_t state = (uint32_t)(uintptr_t)number * 7919 + random_state;
	for (unsigned long i = 0; i < calls_of_thread; i++) {
		state = state * 1664525 + 1013904223;
		unsigned n = (state >> 8) % HELD;
		void *old = __atomic_exchange_n(&left[state >> 24 & 7], held[n], __ATOMIC_ACQ_REL);
		free(old);
		held[n] = malloc((state >> 4) % 2000 + 1);
	}
	return NULL;
}

static void run_threads(unsigned long calls)
{
	pthread_t thread[THREADS];
	calls_of_thread = calls / THREADS;
	for (uintptr_t i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, churn, (void *)(i + 1));
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
}

static uint64_t middle_sweeps(void)
{
	return slot->process.sweeps[1] + slot->process.sweeps[2];
}

/* Within the bound as it is, exactly once all has been swept again. */
static void take_over(void)
{
	begin_with_what_is_there();
	uint64_t middle = middle_sweeps();
	bound = survival ? survival->uncertain : 0;
	printf("%llu blocks uncertain\n", (unsigned long long)bound);
	while (middle_sweeps() == middle)
		step();
	compare();
	printf("%llu were\n", (unsigned long long)off_by);
	off_by = bound = 0;
	for (unsigned i = 0; i < BLOCKS; i++)
		if (block[i].at) {
			release(&block[i]);
			look();
		}
	begin_with_what_is_there();
}

/* A child has what it inherited where that was; nothing has survived or died there yet. */
static int child(unsigned long calls)
{
	for (uint32_t c = 0; c < CLASSES; c++)
		for (unsigned g = 0; g < 3; g++) {
			model[c].entered[g] = model[c].live[g];
			model[c].survived[g] = model[c].died[g] = 0;
		}
	uint64_t before = epoch;
	survival = NULL;
	slot = NULL;
	/* Before its first slow call it has no place. */
	for (unsigned long i = 0; !slot && i < 100000; i++) {
		come_or_go(&block[random_below(BLOCKS)]);
		slot = own_slot(header);
	}
	if (!slot)
		return 2;
	look();
	while (epoch < before + 3)
		step();
	run(calls);
	return failed;
}

int main(int argc, char **argv)
{
	if (argc < 4)
		return 2;
	setvbuf(stdout, NULL, _IONBF, 0);
	unsigned long calls = strtoul(argv[3], NULL, 10);
	random_state = (uint32_t)strtoul(argv[2], NULL, 10) * 2654435761u + 1;
	header = own_segment(argv[1]);
	slot = own_slot(header);
	classes = (const void *)((const char *)header + header->classes.offset);
	ages = (const void *)((const char *)header + header->ages.offset);
	for (uint32_t c = 0; c < header->classes.count; c++) {
		large = classes[c].kind == PM_CLASS_LARGE ? c : large;
		large_bytes = classes[c].kind == PM_CLASS_LARGE_BYTES ? c : large_bytes;
	}
	begin_with_what_is_there();
	if (argc > 4 && !strcmp(argv[4], "threads")) {
		run_threads(calls);
		take_over();
	}
	for (unsigned part = 0; part < 10; part++)
		run(calls / 10);
	if (argc > 4 && !strcmp(argv[4], "fork")) {
		int status;
		pid_t pid = fork();
		if (pid == 0)
			_exit(child(calls));
		waitpid(pid, &status, 0);
		failed |= status != 0;
		run(calls);
	}
	printf("%llu epochs\n", (unsigned long long)epoch);
	return failed;
}
