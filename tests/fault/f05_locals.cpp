// SPDX-License-Identifier: MIT
// F5: thread_local objects whose destructors allocate and free; some are made by another's destructor.
// usage: f05_locals THREADS
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

struct late {
	std::vector<int> numbers = std::vector<int>(100, 1);
	~late()
	{
		numbers.resize(5000, 2);
		std::string text(300, 'x');
	}
	void touch()
	{
		numbers.push_back(1);
	}
};

static thread_local late made_by_destructor;

struct early {
	std::unique_ptr<std::string> text = std::make_unique<std::string>(200, 'y');
	~early()
	{
		made_by_destructor.touch();
		text = std::make_unique<std::string>(70000, 'z');
	}
};

static thread_local early first;

int main(int, char **argv)
{
	int groups = std::atoi(argv[1]) / 8;
	for (int i = 0; i < groups; i++) {
		std::vector<std::thread> threads;
		for (int t = 0; t < 8; t++)
			threads.emplace_back([] { first.text->append("more"); });
		for (auto &thread : threads)
			thread.join();
	}
	std::puts("joined");
}
