-- SPDX-License-Identifier: MIT
-- work.lua ROUNDS: strings and tables, and blocks of C's malloc that the collector frees.
local ffi = require("ffi")
ffi.cdef[[
void *malloc(size_t); void *calloc(size_t, size_t); void *realloc(void *, size_t); void free(void *);
char *strdup(const char *);
typedef int compare(const void *, const void *);
void qsort(void *, size_t, size_t, compare *);
]]

local state = 1
local function below(limit)
  state = (state * 16807) % 2147483647
  return state % limit
end

local kept, sum = {}, 0
local by_value = ffi.cast("compare *", function(a, b)
  local x, y = ffi.cast("const int *", a)[0], ffi.cast("const int *", b)[0]
  return x < y and -1 or x > y and 1 or 0
end)

local function block(size)
  return ffi.gc(ffi.C.malloc(size), ffi.C.free)
end

for round = 1, tonumber(arg[1]) do
  local words = {}
  for i = 1, 200 do
    words[i] = string.rep(string.char(97 + below(26)), 1 + below(20)) .. i
  end
  table.sort(words)
  local text = ffi.C.strdup(table.concat(words, " "))
  sum = (sum + #ffi.string(text):gsub("a+", "b")) % 1000000007
  ffi.C.free(text)

  local size = 16 + below(2000)
  local p = ffi.C.realloc(ffi.C.calloc(1, size), size * 2)
  ffi.fill(p, size * 2, 7)
  kept[1 + below(500)] = ffi.gc(p, ffi.C.free)
  kept[501 + below(500)] = block(1 + below(300))

  if round % 100 == 0 then
    local numbers = ffi.cast("int *", ffi.C.malloc(4 * 1000))
    for i = 0, 999 do numbers[i] = below(100000) end
    ffi.C.qsort(numbers, 1000, 4, by_value)
    sum = (sum + numbers[500]) % 1000000007
    ffi.C.free(numbers)
  end
end
print(sum)
