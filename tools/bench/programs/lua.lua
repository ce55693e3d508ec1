-- SPDX-License-Identifier: MIT
-- Binary trees that are built and dropped, strings made and joined, closures and tables of tables.

local function tree(depth)
	if depth == 0 then return {} end
	return {tree(depth - 1), tree(depth - 1)}
end

local function count(node)
	return node[1] and 1 + count(node[1]) + count(node[2]) or 1
end

local nodes = 0
for _ = 1, 24 do
	nodes = nodes + count(tree(14))
end

local words, random = {}, 1
for i = 1, 600000 do
	random = (random * 1103515245 + 12345) % 2147483648
	local word = "w" .. (random >> 16) % 30000
	words[word] = (words[word] or "") .. i % 10
end

local parts, makers = {}, {}
for i = 1, 300000 do
	parts[#parts + 1] = string.format("%d:%x", i, i * 7919)
	makers[i % 1000] = function() return {i, parts[i]} end
end
print(nodes, #table.concat(parts, ","), makers[7]()[2], #words.w7)
