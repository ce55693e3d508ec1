/* SPDX-License-Identifier: MIT */
// cflags: -std=c++11 -Wpedantic
/* poolmem.h is C++ as well. */
#include <poolmem/poolmem.h>
#include <string>

int main()
{
	std::string text(1000, 'x');
	poolmem_stats stats[3];
	bool answers = poolmem_get_stats(stats) == 0;
	return answers ? stats[0].live == 0 || text.empty() : errno != ENOSYS;
}
