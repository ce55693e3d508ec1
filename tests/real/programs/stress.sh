# SPDX-License-Identifier: MIT
# Stressors $2 ..., $1 operations each by two workers.
ops=$1
shift
for stressor; do
	stress-ng --quiet --temp-path . --seed 1 "--$stressor" 2 "--$stressor-ops" "$ops"
	echo "$stressor: $?"
done
exit 3
