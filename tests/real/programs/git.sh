# SPDX-License-Identifier: MIT
# A repository of $1 commits, packed; names of commits depend on content and dates alone.
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_PAGER=cat
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=c GIT_COMMITTER_EMAIL=c@example.org
git init -q -b main repository
cd repository || exit
git config pack.threads 1
git config gc.auto 0
git config core.fsync none
for i in $(seq "$1"); do
	mkdir -p "d$((i % 5))"
	seq "$i" $((i + 500)) >"d$((i % 5))/f$((i % 20))"
	git add .
	GIT_AUTHOR_DATE="$((1600000000 + i)) +0000" GIT_COMMITTER_DATE="$((1600000000 + i)) +0000" \
		git commit -q -m "commit $i"
done
git gc -q --prune=now
git fsck --full --no-progress
git log --oneline --stat | tail -20
git diff HEAD~5 | sha256sum
git count-objects -v | grep -v size
git grep -c 17 | sort | head -3
git checkout -q -b other HEAD~10
git merge-base main other
git status --short
exit 3
