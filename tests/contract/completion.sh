#!/usr/bin/env bash
# The shells complete each command and option that --help prints, and the example of a settings file names each setting.
set -euo pipefail
found=0

fault() {
	printf '%s\n' "$*"
	found=1
}

# options_of COMMAND: the options of its help, one a line.
options_of() {
	# shellcheck disable=SC2086 # A command is one word or two.
	"$BUILD/coffer" $1 --help | sed -n '/^Options:/,/^$/s/^  \(--[a-z-]*\).*/\1/p'
}
mapfile -t commands < <("$BUILD/coffer" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\( [a-z-]*\)\{0,1\}\)  .*/\1/p' | sed 's/ *$//')
[ ${#commands[@]} -ge 8 ] || fault "coffer --help names too few commands: ${commands[*]}"

# completes LINE... : what bash offers for the last of these words.
# shellcheck disable=SC1090
source <("$BUILD/coffer" --completion bash)
completes() {
	COMP_WORDS=(coffer "$@")
	COMP_CWORD=$#
	_coffer
	printf '%s\n' "${COMPREPLY[@]}"
}
# same WHAT EXPECTED FOUND: two lists of lines, in any order.
same() {
	local difference

	difference=$(diff <(sort <<<"$2") <(sort <<<"$3")) || fault "bash, $1: $difference"
}

same 'the options and first words' "$(options_of ''; printf '%s\n' "${commands[@]%% *}" help | sort -u)" "$(completes '')"
for command in "${commands[@]}"; do
	# shellcheck disable=SC2086
	same "$command" "$(options_of "$command"; echo --help)" "$(cd / && completes --config x $command --)"
	# shellcheck disable=SC2086
	[[ $(completes $command) == "${command##* }" ]] || fault "bash does not complete $command"
done
same 'a command of help' "$(printf '%s\n' "${commands[@]%% *}" | sort -u)" "$(completes help '')"
same 'an option with words' 'coffer.1
coffer.conf.5' "$(completes --man '')"
same 'an option with an argument of its own' '' "$(completes api-key create --project '')"
same 'a file' bin "$(cd / && completes --config bi | grep -x bin)"
same 'a file behind =' bin "$(cd / && completes --config = bin | grep -x bin)"
same 'a file of a command' bin "$(cd / && completes root-key generate bin | grep -x bin)"

zsh=$("$BUILD/coffer" --completion zsh)
for command in "${commands[@]}"; do
	[[ $zsh == *"'$command')"* ]] || fault "zsh does not complete $command"
	while IFS= read -r option; do
		[[ $(sed -n "/^	'$command')/,/;;/p" <<<"$zsh") == *"$option"[=[]* ]] || fault "zsh does not complete $command $option"
	done < <(options_of "$command"; echo --help)
done
while IFS= read -r option; do
	[[ $zsh == *"'$option"[=[]* ]] || fault "zsh does not complete $option"
done < <(options_of '')
! command -v zsh >/dev/null || zsh -n <<<"$zsh" || fault 'zsh cannot read its completion'
! "$BUILD/coffer" --completion fish 2>/dev/null || fault 'coffer --completion takes any shell'

# The settings of the example are those of --settings, and the daemon takes the file, also with each default set.
example=$(mktemp)
trap 'rm -f -- "$example"' EXIT
"$BUILD/coffer" --example >"$example"
difference=$(diff <("$BUILD/coffer" --settings | grep '^[a-z]' | sed 's/ *$//') \
    <(sed -n 's/^#\([a-z_]* =\)/\1/p' "$example")) || fault "--settings and --example: $difference"
# taken: the command that reads this file names no setting but the one that it lacks.
taken() {
	local said

	said=$(env -i "$BUILD/coffer" --config "$example" root-key list 2>&1) || true
	[[ $said == *dsn_operator* ]] || fault "the example of a settings file: $said"
}
taken
sed -i 's/^#\([a-z_]* = .\)/\1/' "$example"
taken
exit "$found"
