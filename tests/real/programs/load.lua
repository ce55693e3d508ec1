-- SPDX-License-Identifier: MIT
-- Tables, strings, closures, coroutines and a command, by size.
local size = tonumber(arg[1])
local t = {}
for i = 1, size do t[i] = { key = "k" .. (i * 7919 % size), value = string.rep("x", i % 50) } end
table.sort(t, function(a, b) return a.key < b.key end)
local parts = {}
for _, e in ipairs(t) do parts[#parts + 1] = e.key .. "=" .. e.value end
local text = table.concat(parts, ",")
print(#text, select(2, text:gsub("k(%d+)3=", "")))
local walk = coroutine.wrap(function() for i = 1, size do coroutine.yield(i) end end)
local sum = 0
for _ = 1, size do sum = sum + walk() end
print(sum)
t, parts = nil, nil
collectgarbage()
local p = io.popen("echo from a shell")
print(p:read("a"))
p:close()
io.stderr:write("to stderr\n")
os.exit(3)
