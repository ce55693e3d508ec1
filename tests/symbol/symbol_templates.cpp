/* cflags: -g -O2 */
/* link: -Wl,--build-id=none */
/* SPDX-License-Identifier: MIT */
/* Names of C++: templates, lambdas, a namespace without a name, a class inside a function. */
#include <algorithm>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

namespace
{
template <typename Item> [[gnu::noinline]] Item largest(const std::vector<Item> &items)
{
	return *std::max_element(items.begin(), items.end());
}
} // namespace

namespace outer::inner
{
template <int Times> struct counter {
	int sum = 0;
	[[gnu::noinline]] counter &operator+=(int x)
	{
		for (int i = 0; i < Times; i++)
			sum += x ^ i;
		return *this;
	}
};
} // namespace outer::inner

[[gnu::noinline]] static int apply(int (*function)(int), int x)
{
	return function(x) + 1;
}

int main(int count, char **argument)
{
	struct local {
		[[gnu::noinline]] static int times(int x)
		{
			return x * 7;
		}
	};
	std::vector<std::string> words(argument, argument + count);
	std::map<std::string, int> lengths;
	outer::inner::counter<5> sum;

	std::sort(words.begin(), words.end(),
		  [](const auto &a, const auto &b) { return a.size() < b.size(); });
	for (const auto &word : words)
		lengths[word] = (int)word.size();
	sum += apply([](int x) { return x * 11; }, count);
	sum += apply(local::times, count);
	std::printf("%d %s %zu\n", sum.sum, largest(words).c_str(), lengths.size());
}
