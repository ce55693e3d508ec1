# SPDX-License-Identifier: MIT
# Descriptors kept open by number, pipelines, here documents, subshells, co-processes and traps.
exec 3>a 4>b
echo to a >&3
for i in $(seq "$1"); do
	echo "line $i $((i * 7919 % $1))"
done | sort -k3n | tee all | tail -3
printf '%s\n' {1..50} | while read -r n; do echo "$((n * n))"; done | paste -sd+ >&4
exec 3>&- 4>&-
cat a b
ls -l /proc/self/fd 2>/dev/null | grep -c '^l'
declare -A seen
while read -r _ i rest; do seen[$rest]=${seen[$rest]}$i; done <all
echo "${#seen[@]}" "${seen[1]}"
coproc cat
echo through a co-process >&"${COPROC[1]}"
read -r answer <&"${COPROC[0]}"
echo "$answer"
eval "exec ${COPROC[1]}>&-"
wait
diff <(sort all | head -5) <(sort all | head -6) | sed 's/[0-9]*$//'
(
	trap 'echo trapped' EXIT
	kill -TERM "$(sh -c 'echo $PPID')"
) 2>/dev/null
echo "$?" "${PIPESTATUS[*]}" >&2
cat <<<"$(awk '{ n += $3 } END { print n }' all)"
exit 3
