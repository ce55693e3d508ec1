// planted.bats makes variants of this: -DONE, -DLEAK, -DPEAK.  The line that is to be named holds PLANTED.
#include <map>
#include <memory>
#include <string>
#include <vector>

struct Record {
	std::string name;
	std::vector<int> values;
};

class Store {
public:
	void add(int i)
	{
		records_[i % 1000] = std::make_unique<Record>(
			Record{"a name that is too long for the string itself", {i, i + 1}});
#ifdef ONE
		if (i == 77777)
			spare_.push_back(std::string(100, 'x')); // PLANTED
#endif
	}
	void load()
	{
		table_.resize(500000);
#ifdef PEAK
		more_.resize(5120); // PLANTED
#endif
	}
	void leak()
	{
#ifdef LEAK
		kept = new char[1024]; // PLANTED
#endif
		kept = nullptr;
	}

private:
	std::map<int, std::unique_ptr<Record>> records_;
	std::vector<double> table_, more_;
	std::vector<std::string> spare_;
	static char *volatile kept;
};

char *volatile Store::kept;

int main()
{
	Store store;
	store.load();
	for (int i = 0; i < 200000; i++)
		store.add(i);
	store.leak();
}
