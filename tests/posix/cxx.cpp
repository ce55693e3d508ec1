/* cflags: -fno-builtin */
/* link: -lpthread */
/* SPDX-License-Identifier: MIT */
/* C++: operator new keeps bad_alloc, new_handler, nothrow and over-aligned types; exceptions cross threads. */
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

static volatile std::size_t huge = PTRDIFF_MAX;
static void *volatile sink;

static void say(const char *what, bool holds)
{
	std::printf("%-60s %s\n", what, holds ? "yes" : "NO");
}

template <typename F> static bool throws_bad_alloc(F f)
{
	try {
		f();
	} catch (const std::bad_alloc &) {
		return true;
	}
	return false;
}

static int handler_calls;
static void *reserve;

static void handler()
{
	if (++handler_calls == 3)
		std::set_new_handler(nullptr);
	std::free(reserve);
	reserve = nullptr;
}

struct alignas(256) wide {
	char c[256];
};

static void refusals()
{
	say("new of PTRDIFF_MAX throws bad_alloc",
	    throws_bad_alloc([] { sink = ::operator new(huge); }));
	say("new[] of PTRDIFF_MAX throws bad_alloc",
	    throws_bad_alloc([] { sink = new char[huge]; }));
	say("aligned new of PTRDIFF_MAX throws bad_alloc",
	    throws_bad_alloc([] { sink = ::operator new(huge, std::align_val_t(64)); }));
	say("nothrow new returns null", ::operator new(huge, std::nothrow) == nullptr);
	say("nothrow new[] returns null", ::operator new[](huge, std::nothrow) == nullptr);
	say("nothrow aligned new returns null",
	    ::operator new(huge, std::align_val_t(64), std::nothrow) == nullptr);

	reserve = std::malloc(1000);
	std::set_new_handler(handler);
	say("new throws after the handler gave up",
	    throws_bad_alloc([] { sink = ::operator new(huge); }));
	say("new_handler was called until then", handler_calls == 3);
}

static void alignments()
{
	bool aligned = true, plain = true, unique = true;
	for (std::size_t a = 1; a <= 65536; a *= 2)
		for (std::size_t n = 0; n < 100000; n = n * 3 + 1) {
			void *p = ::operator new(n, std::align_val_t(a)), *q = ::operator new(n),
			     *r = ::operator new(n);
			aligned &= reinterpret_cast<std::uintptr_t>(p) % a == 0;
			plain &= reinterpret_cast<std::uintptr_t>(q) % 16 == 0;
			unique &= q != r && p != q;
			std::memset(p, 1, n);
#ifdef __cpp_sized_deallocation
			::operator delete(p, n, std::align_val_t(a));
			::operator delete(q, n);
#else
			::operator delete(p, std::align_val_t(a));
			::operator delete(q);
#endif
			::operator delete(r);
		}
	std::vector<std::unique_ptr<wide>> wides;
	for (int i = 0; i < 100; i++) {
		wides.push_back(std::make_unique<wide>());
		aligned &= reinterpret_cast<std::uintptr_t>(wides.back().get()) % alignof(wide) == 0;
	}
	say("aligned new is aligned", aligned);
	say("new is aligned to 16", plain);
	say("blocks of new are unique", unique);
}

static int thrown_across(int depth)
{
	std::string local(static_cast<std::size_t>(depth) * 10, 'x');
	if (depth == 0)
		throw std::runtime_error("bottom" + std::string(100, '.'));
	return thrown_across(depth - 1) + static_cast<int>(local.size());
}

static void exceptions()
{
	std::vector<std::thread> threads;
	std::vector<int> caught(8);
	for (int t = 0; t < 8; t++)
		threads.emplace_back([t, &caught] {
			for (int i = 0; i < 200; i++)
				try {
					thrown_across(30);
				} catch (const std::runtime_error &e) {
					caught[static_cast<std::size_t>(t)] += std::strlen(e.what()) ==
									       106;
				}
		});
	for (auto &t : threads)
		t.join();
	bool all = true;
	for (int c : caught)
		all &= c == 200;
	say("exceptions unwind in 8 threads", all);
}

static void containers()
{
	std::map<int, std::string> m;
	std::size_t sum = 0;
	for (int i = 0; i < 20000; i++)
		m[i * 7919 % 20011] = std::string(static_cast<std::size_t>(i) % 50, 'a');
	for (int i = 0; i < 20011; i += 2)
		m.erase(i);
	for (const auto &e : m)
		sum += e.second.size();
	std::printf("map holds %zu entries, %zu letters\n", m.size(), sum);
}

static std::atomic<std::size_t> ended;

struct at_thread_end {
	std::string text = std::string(300, 'z');
	~at_thread_end()
	{
		text += std::string(3000, 'y');
		ended += text.size();
	}
};

static thread_local at_thread_end per_thread;

static void thread_locals()
{
	for (int i = 0; i < 20; i++)
		std::thread([] { per_thread.text += 'z'; }).join();
	say("thread_local destructors allocate", ended == 20 * 3301);
}

int main()
{
	refusals();
	alignments();
	exceptions();
	containers();
	thread_locals();
	return 0;
}
