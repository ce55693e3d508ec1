/* SPDX-License-Identifier: MIT */
/* F4: a trivial LD_AUDIT library that asks for every binding, so that each call of a preloaded malloc is
   seen by ld.so and the namespaces' static TLS is shared out. */
#define _GNU_SOURCE 1
#include <link.h>
#include <stdlib.h>

static unsigned long bindings;

unsigned int la_version(unsigned int version)
{
	return version < LAV_CURRENT ? version : LAV_CURRENT;
}

unsigned int la_objopen(struct link_map *map, Lmid_t lmid, uintptr_t *cookie)
{
	(void)map, (void)lmid, (void)cookie;
	return LA_FLG_BINDTO | LA_FLG_BINDFROM;
}

/* Allocates in its own namespace while a binding of ours is under way. */
uintptr_t la_symbind64(Elf64_Sym *sym, unsigned int index, uintptr_t *from, uintptr_t *to,
		       unsigned int *flags, const char *name)
{
	(void)index, (void)from, (void)to, (void)flags, (void)name;
	free(malloc(16 + bindings++ % 1000));
	return sym->st_value;
}
