// SPDX-License-Identifier: MIT
/* cflags: -g -O2 -fno-builtin */
// F14: exceptions, which take their way through the loader's tables, among threads that load, close and allocate.
// usage: f14_throws MILLISECONDS LIBRARY
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace
{
std::atomic<bool> is_over;
std::atomic<long> caught, closed;

__attribute__((noinline)) void fail(int depth)
{
	std::string text(static_cast<size_t>(40 + depth), 'x');
	if (depth == 0)
		throw std::runtime_error(text);
	fail(depth - 1);
	__asm__ volatile("" ::: "memory");
}

void throw_on()
{
	while (!is_over)
		try {
			fail(5);
		} catch (const std::exception &) {
			caught++;
		}
}

void load_on(const char *path)
{
	while (!is_over) {
		void *opened = dlopen(path, RTLD_NOW);
		if (!opened)
			abort();
		dlclose(opened);
		closed++;
	}
}
} // namespace

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	std::vector<std::thread> threads;
	threads.emplace_back(throw_on);
	threads.emplace_back(throw_on);
	threads.emplace_back(load_on, argv[2]);
	std::this_thread::sleep_for(std::chrono::milliseconds(atol(argv[1])));
	is_over = true;
	for (auto &thread : threads)
		thread.join();
	puts(caught > 10 && closed > 10 ? "caught" : "few");
	return 0;
}
