#!/usr/bin/env bash
# The manual pages say what --help and --settings print, and roff finds nothing wrong in them.
set -euo pipefail
found=0

# The words of standard input, with single spaces between them.
words() {
	tr -s ' \t\n' ' '
}

# text PAGE: what a reader of the page sees, as words.
text() {
	sed 's/\\f[BR]//g; s/\\-/-/g; s/\\&//g; s/\\e/\\/g; s/^\.S[HS] //; /^\.[A-Za-z]/d' "$BUILD/$1" | words
}

# has PAGE WORDS: the page has these words, which are not none.
has() {
	[[ -n ${2// /} && $(text "$1") == *"$2"* ]] || {
		echo "$1 lacks: $2"
		found=1
	}
}

for page in coffer.1 coffer.conf.5; do
	cmp -- "$BUILD/$page" <("$BUILD/coffer" --man "$page") || found=1
	! command -v man >/dev/null || {
		said=$(LC_ALL=C.UTF-8 man --warnings --local-file "$BUILD/$page" 2>&1 >/dev/null)
		[ -z "$said" ] || { echo "$said"; found=1; }
	}
	# It wants a date, which would differ from build to build.
	! command -v mandoc >/dev/null || {
		said=$(mandoc -T lint -W warning "$BUILD/$page" | grep -v 'missing date') || said=
		[ -z "$said" ] || { echo "$said"; found=1; }
	}
done

while read -r name equals standard && IFS= read -r line; do
	has coffer.conf.5 "$(echo "$name ${standard:+$equals $standard} $line" | words | sed 's/ *$//')"
done < <("$BUILD/coffer" --settings)

# Of the help of all and of each command: what follows the usage, a paragraph or an option at a time.
mapfile -t commands < <("$BUILD/coffer" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\( [a-z-]*\)\{0,1\}\)  .*/\1/p')
[ ${#commands[@]} -ge 8 ] || { echo "coffer --help names too few commands: ${commands[*]}"; found=1; }
for command in '' "${commands[@]}"; do
	# shellcheck disable=SC2086 # A command is one word or two.
	help=$("$BUILD/coffer" $command --help)
	has coffer.1 "coffer ${command:-[--config}"
	[ -z "$command" ] || has coffer.1 "$(sed '1,/^$/d; /^Options:/,$d' <<<"$help" | words | sed 's/ *$//')"
	while IFS= read -r option; do
		has coffer.1 "$(words <<<"$option" | sed 's/^ //; s/ *$//')"
	done < <(sed -n '/^Options:/,/^$/p' <<<"$help" | sed '1d; /^$/d' |
	    sed ':a; N; $!ba; s/\n   */ /g; s/\n  --/\n--/g')
done
exit "$found"
