/* SPDX-License-Identifier: MIT */
/* cflags: -std=gnu++17 -Wno-alloc-size-larger-than */
/*
 * news.cpp: each form of new and delete, a thousand times.
 *
 *   news [fail]    fail: and one new that finds no memory
 *
 * Prints how many blocks came and went.
 */
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>

namespace
{

struct alignas(64) wide {
	char bytes[192];
};

struct plain {
	char bytes[40];
};

volatile size_t too_much = SIZE_MAX / 4;

template <typename T> void forms(unsigned long &count)
{
	T *one = new T;
	T *many = new T[3];
	T *sure = new (std::nothrow) T;
	T *all = new (std::nothrow) T[5];
	T *volatile keep[] = {one, many, sure, all}; /* else the compiler leaves them out */
	delete keep[0];
	delete[] keep[1];
	::operator delete(keep[2], std::align_val_t(alignof(T)));
	::operator delete[](keep[3], std::align_val_t(alignof(T)));
	count += 4;
}

} // namespace

int main(int argc, char **)
{
	unsigned long count = 0;
	bool threw = false;
	for (int i = 0; i < 1000; i++) {
		forms<wide>(count);
		char *volatile bytes = new char[static_cast<size_t>(i)];
		plain *volatile small = new plain, *volatile sure = new (std::nothrow) plain;
		delete[] bytes;
		delete small;
		operator delete(sure, std::nothrow);
		count += 3;
	}
	if (argc < 2) {
		std::printf("%lu\n", count);
		return 0;
	}
	try {
		char *volatile block = new char[too_much];
		delete[] block;
	} catch (const std::bad_alloc &) {
		threw = true;
	}
	char *volatile none = new (std::nothrow) char[too_much];
	return threw && none == nullptr && std::printf("%lu\n", count) > 0 ? 0 : 1;
}
