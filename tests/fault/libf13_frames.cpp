// SPDX-License-Identifier: MIT
/* cflags: -O2 -std=gnu++17 */
// Calls back from the places that C++ has and C has not.
#include <algorithm>
#include <functional>
#include <stdexcept>
#include <vector>

namespace
{
typedef void (*callback)(void);

struct base {
	virtual void visit(callback call) = 0;
	virtual ~base()
	{
	}
};

struct other {
	int pad = 1;
	virtual void visit_other(callback call) = 0;
	virtual ~other()
	{
	}
};

// Called through `other` it is reached by a thunk.
struct both : base, other {
	void visit(callback call) override
	{
		call();
		pad++;
	}
	void visit_other(callback call) override
	{
		call();
		pad++;
	}
};

struct caller {
	callback call;
	~caller()
	{
		call();
		__asm__ volatile("" ::: "memory");
	}
};

__attribute__((noinline)) void fail(callback call, int depth)
{
	caller on_the_way{call};
	if (depth == 0)
		throw std::runtime_error("expected");
	fail(call, depth - 1);
}
} // namespace

extern "C" void frames_calls(callback call)
{
	both object;
	std::vector<std::function<void(callback)>> functions;
	functions.push_back([&](callback c) { static_cast<base &>(object).visit(c); });
	functions.push_back([&](callback c) { static_cast<other &>(object).visit_other(c); });
	for (auto &function : functions)
		function(call);
	std::vector<int> numbers(100, 7);
	bool is_first = true;
	std::stable_sort(numbers.begin(), numbers.end(), [&](int a, int b) {
		if (is_first)
			call();
		is_first = false;
		return a < b;
	});
}

// Destructors that run while an exception is on its way.
extern "C" void frames_cleanup(callback call)
{
	try {
		fail(call, 3);
	} catch (const std::exception &) {
	}
}

extern "C" void frames_catch(callback call)
{
	try {
		fail([] {}, 3);
	} catch (const std::exception &) {
		call();
		try {
			throw;
		} catch (...) {
			call();
		}
	}
}
