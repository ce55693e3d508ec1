/* planted.bats makes variants of this: -DONE, -DLEAK, -DPEAK.  The line that is to be named holds PLANTED. */
#include <stdlib.h>

static void *volatile kept;

__attribute__((noinline)) static void work(void)
{
	for (int i = 0; i < 1000000; i++) {
		kept = malloc(32 + (size_t)(i % 100));
		free(kept);
	}
}

__attribute__((noinline)) static char *load(void)
{
	char *table = malloc(4000000);
#ifdef PEAK
	char *more = malloc(40960); /* PLANTED */
	free(more);
#endif
	return table;
}

int main(void)
{
	char *table = load();

	work();
#ifdef ONE
	free(malloc(64)); /* PLANTED */
#endif
#ifdef LEAK
	kept = malloc(1024); /* PLANTED */
#endif
	kept = NULL;
	free(table);
	return 0;
}
