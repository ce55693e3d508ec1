# SPDX-License-Identifier: MIT
# work.sh ROUNDS: descriptors of its own, functions, arrays, subshells, pipes, here-documents.
exec 3>three 4>four

declare -A words
count()
{
	local word
	for word in $1; do words[$word]=$((${words[$word]:-0} + 1)); done
}

line='the quick brown fox jumps over the lazy dog and the cat'
for ((round = 0; round < $1; round++)); do
	count "$line $round"
	echo "round $round" >&3
	text=$(printf '%s\n' {1..40} | while read -r n; do echo "$((n * round))"; done)
	(text=${text//1/one} && echo "${#text}" >&4)
	mapfile -t lines <<<"$text"
	list=("${list[@]: -50}" "${lines[@]}")
	IFS=, read -r first rest <<-END
		${list[*]:0:30},$round
	END
	[[ $first =~ ([0-9]+)\ ([0-9]+) ]] && sum=$((sum + BASH_REMATCH[2] + ${#rest}))
	unset "words[$((round - 20))]"
	((round % 50)) || sort -n <<<"$text" | tail -n 1
done
exec 3>&- 4>&-
echo "${#words[@]} words, ${words[the]} times the, sum $sum"
cksum three four
