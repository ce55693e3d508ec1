/* SPDX-License-Identifier: MIT */
/*
 * Keeps each block's generation by itself, moves all of them up at each sweep that the library logged, and compares
 * what entered, survived, died and lives in each generation and class with what follows from the segment.
 *
 *     survival DIRECTORY SEED CALLS [fork|threads|epochs|sleeper]
 *
 * DIRECTORY holds its segment and no other.  One thread, so that an epoch turns inside a call of ours.  With `threads`
 * eight go before it, and what they leave is taken over as the library has it: within the bound that it states that is
 * right at once, and to the unit from the next sweep of generation 1 on.
 *
 * Of `epochs` and `sleeper` CALLS are epochs, of the clock of bytes, which large blocks turn fastest.  The sleeper is a
 * thread that holds blocks through a thousand of them at a time.
 */
#include "exact/own_segment.h"
#include "exact/python_gc.h"

#include <malloc.h>
#include <poolmem/poolmem.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <sys/wait.h>

enum {
	BLOCKS = 20000,
	CLASSES = PM_TALLY_COUNT,
	OLDEST = 2,
	THREADS = 8,
	HELD = 3000, /* by each of these threads, or by the sleeper */
	SLEEP_EPOCHS = 1000,
	DRIVEN_BYTES = 1 << 24
};

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
static uint64_t died_at[CLASSES][PM_AGE_COUNT];
static struct python_gc gc;
static uint64_t epoch;
static bool failed;
static uint64_t off_by, bound; /* bound: figures may differ by so much */

static struct block {
	void *at;
	uint32_t size_class;
	unsigned generation;
	uint64_t bytes; /* usable */
	uint64_t birth; /* epoch */
} block[BLOCKS + 2];
static struct block *const moving = &block[BLOCKS], *const driver = &block[BLOCKS + 1];

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
	*it = (struct block){at, class_of(at), 0, malloc_usable_size(at), epoch};
	add(&model[it->size_class], model[it->size_class].entered, 0, 1);
	if (it->size_class == large)
		add(&model[large_bytes], model[large_bytes].entered, 0, it->bytes);
}

static void leaves(struct flow *flow, unsigned generation, uint64_t *count, uint64_t amount)
{
	count[generation] += amount;
	flow->live[generation] -= amount;
}

static unsigned bucket_of(const struct block *it)
{
	uint64_t age = epoch - it->birth;
	unsigned bucket = 0;
	while (ages[bucket].generation != it->generation || age < ages[bucket].age_min ||
	       age > ages[bucket].age_max)
		bucket++;
	return bucket;
}

static void dies(struct block *it)
{
	leaves(&model[it->size_class], it->generation, model[it->size_class].died, 1);
	died_at[it->size_class][bucket_of(it)]++;
	if (it->size_class == large) {
		leaves(&model[large_bytes], it->generation, model[large_bytes].died, it->bytes);
		died_at[large_bytes][bucket_of(it)] += it->bytes;
	}
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
	for (unsigned i = 0; i < sizeof block / sizeof *block; i++)
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
		unsigned due = python_gc_sweep(&gc);
		if (it->generation != due)
			fail("the generation that is swept", 0, due, it->generation, due);
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

static uint64_t sum_of_slots(uint32_t size_class, uint64_t freed[PM_AGE_COUNT])
{
	uint64_t allocated = 0;
	for (uint32_t n = 1; n < header->chunks; n++) {
		const struct pm_slot *it = own_chunk(header, n);
		const struct pm_tally *tally = &it->tally[size_class];
		if (it->chunk.kind != PM_CHUNK_SLOT || it->chunk.process != slot->chunk.process)
			continue;
		allocated += (uint64_t)(tally->limit[tally->left & 1] - (tally->left >> 8));
		for (unsigned age = 0; age < header->ages.count; age++)
			freed[age] += pm_tally_freed(tally, age);
	}
	return allocated;
}

/* As struct pm_survivors says. */
static struct flow read_class(uint32_t c, const struct pm_survivor_table *table,
			      const uint64_t began[3], uint64_t freed[PM_AGE_COUNT])
{
	const struct pm_survivors *of = &table->of[c];
	struct flow flow = {.entered = {0}};
	memset(freed, 0, PM_AGE_COUNT * sizeof *freed);
	flow.entered[0] = began[0] + sum_of_slots(c, freed);
	for (unsigned age = 0; age < header->ages.count; age++)
		flow.died[ages[age].generation] += freed[age];
	flow.survived[0] = of->survived;
	flow.entered[1] = began[1] + of->survived - of->skipped;
	flow.survived[1] = of->old - of->skipped;
	flow.entered[2] = began[2] + of->old;
	for (unsigned g = 0; g < 3; g++)
		flow.live[g] = flow.entered[g] - flow.survived[g] - flow.died[g];
	return flow;
}

static void compare_ages(uint32_t c, const uint64_t freed[PM_AGE_COUNT])
{
	for (unsigned age = 0; age < header->ages.count; age++)
		if (freed[age] != died_at[c][age])
			fail("died of an age", c, ages[age].generation, freed[age], died_at[c][age]);
}

static void compare(void)
{
	uint64_t freed[PM_AGE_COUNT];
	static const uint64_t nothing[CLASSES][3];
	const uint64_t(*began)[3] = survival ? survival->began : nothing;
	const struct pm_survivor_table *table = newest_table();
	if (survival && table->epoch != epoch)
		fail("the table is of another epoch", 0, 0, table->epoch, epoch);
	for (uint32_t c = 1; c < header->classes.count; c++) {
		struct flow theirs = read_class(c, table, began[c], freed);
		compare_ages(c, freed);
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

/*
 * An epoch may turn when the new place is had or when the old one goes; which it was is asked of the library: only where
 * the old block was counted tells.  In generation 2 it stays, and its age alone may be another one.
 */
static void resize(struct block *it)
{
	struct block old = *it;
	size_t usable = it->bytes;
	unsigned bucket = bucket_of(it);
	uint64_t died_there = pm_tally_freed(&slot->tally[large], bucket);
	void *at = it->size_class == large ? realloc(it->at, usable + random_below(8192)) : it->at;
	size_t now = malloc_usable_size(at);
	if ((uintptr_t)at != (uintptr_t)old.at) {
		born(moving, at);
		if (pm_tally_freed(&slot->tally[large], bucket) == died_there)
			look();
		dies(it);
		*it = *moving;
		moving->at = NULL;
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

static unsigned reserved; /* of the blocks, for the sleeper */

static void step(void)
{
	struct block *it = &block[reserved + random_below(BLOCKS - reserved)];
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
		model[c] = read_class(c, newest_table(), began[c], died_at[c]);
	epoch = slot->process.epoch;
	gc = python_gc_at(slot->process.threshold, epoch);
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

/* --- many epochs --------------------------------------------------------------------------------------- */

/* Of the clock of bytes.  Epochs double in length in their turn, until they are told to begin anew. */
static void drive(void)
{
	uint64_t length = slot->process.epoch_length, least = 1 << 20;
	if (length > DRIVEN_BYTES)
		poolmem_set_threshold(1, gc.threshold[1], gc.threshold[2]);
	look();
	born(driver, malloc(length > least ? length : least));
	look();
	release(driver);
	look();
}

/* A few of many blocks go in each epoch, so that they die at all ages. */
static void pass(uint64_t epochs)
{
	uint64_t end = epoch + epochs;
	while (epoch < end) {
		for (uint64_t now = epoch; epoch == now;)
			drive();
		for (unsigned i = 0; i < 8; i++)
			step();
		if (epoch % 512 == 0)
			compare();
	}
	compare();
}

static sem_t wake, asleep;

/* Its blocks are those that are reserved: it frees half of them itself, of what it left others the rest. */
static void *sleeper(void *unused)
{
	for (;;) {
		sem_post(&asleep);
		sem_wait(&wake);
		for (unsigned i = 0; i < HELD; i++)
			if (block[i].at && random_below(2)) {
				release(&block[i]);
				look();
			}
		for (unsigned i = 0; i < HELD; i++)
			if (!block[i].at) {
				born(&block[i], malloc(any_size()));
				look();
			}
	}
	return unused;
}

static void let_sleeper_run(void)
{
	sem_post(&wake);
	sem_wait(&asleep);
	compare();
}

static void pass_with_sleeper(uint64_t epochs)
{
	pthread_t thread;
	sem_init(&wake, 0, 0);
	sem_init(&asleep, 0, 0);
	reserved = HELD;
	pthread_create(&thread, NULL, sleeper, NULL);
	sem_wait(&asleep);
	begin_with_what_is_there();
	for (uint64_t passed = 0; passed < epochs; passed += SLEEP_EPOCHS) {
		let_sleeper_run();
		pass(SLEEP_EPOCHS);
		for (unsigned i = 0; i < HELD / 4; i++)
			if (block[i].at) {
				release(&block[i]);
				look();
			}
	}
	let_sleeper_run();
}

/* --- main ---------------------------------------------------------------------------------------------- */

/* A child has what it inherited where that was; nothing has survived or died there yet. */
static int child(unsigned long calls)
{
	for (uint32_t c = 0; c < CLASSES; c++)
		for (unsigned g = 0; g < 3; g++) {
			model[c].entered[g] = model[c].live[g];
			model[c].survived[g] = model[c].died[g] = 0;
		}
	memset(died_at, 0, sizeof died_at);
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

static void come_and_go(unsigned long calls, const char *scene)
{
	if (!strcmp(scene, "threads")) {
		run_threads(calls);
		take_over();
	}
	for (unsigned part = 0; part < 10; part++)
		run(calls / 10);
	if (!strcmp(scene, "fork")) {
		int status;
		pid_t pid = fork();
		if (pid == 0)
			_exit(child(calls));
		waitpid(pid, &status, 0);
		failed |= status != 0;
		run(calls);
	}
}

int main(int argc, char **argv)
{
	const char *scene = argc > 4 ? argv[4] : "";
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
	if (!strcmp(scene, "epochs"))
		pass(calls);
	else if (!strcmp(scene, "sleeper"))
		pass_with_sleeper(calls);
	else
		come_and_go(calls, scene);
	printf("%llu epochs\n", (unsigned long long)epoch);
	return failed;
}
