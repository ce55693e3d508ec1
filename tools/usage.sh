# SPDX-License-Identifier: MIT
# For the scripts beside it, which source it: --help shows the comment at a script's head, and what a script does not
# take is refused, with exit code 2.

show_usage() {
	sed -n '3,/^[^#]\|^$/s/^# \{0,1\}//p' "$0"
}

# refuse MESSAGE
refuse() {
	echo "${0##*/}: $1" >&2
	show_usage >&2
	exit 2
}

# takes MOST "$@": no option, and at most so many words
takes() {
	most=$1
	shift
	for word; do
		case $word in
		-*) refuse "there is no option '$word'" ;;
		esac
	done
	[ $# -le "$most" ] || refuse "more words than it takes"
}

case $1 in
-h | --help) show_usage && exit 0 ;;
esac
