#!/usr/bin/env bash
# SQL and the daemon are of one release, and every kept release has what its upgrade needs.  What a release lacks is said.
set -euo pipefail
found=0

version=$("$BUILD/coffer" --version)
release=$(psql -XAtqc 'SELECT rule.release()')
[ "coffer $release" = "$version" ] || {
	echo "sql/rule/release.sql: $release, and configure.ac says $version"
	found=1
}
for kept in "$SOURCE"/tests/migrations/releases/[0-9]*/; do
	for file in commit dump.sql.gz kept.json log throwaway-root-key; do
		[ -s "$kept$file" ] || {
			echo "${kept#"$SOURCE/"}$file: is missing: make release-dump"
			found=1
		}
	done
done

# A checkout that has all, in small, and each fault planted in it.
small=$(mktemp -d)
trap 'rm -rf -- "$small"' EXIT
cd -- "$small"
git_() { git -c user.name=test -c user.email=test@localhost "$@" >/dev/null; }
mkdir -p debian sql/rule migrations tests/migrations/releases/1.2.3
echo 'AC_INIT([coffer], [1.2.3])' >configure.ac
printf '## 1.2.3\n\n- A change.\n\n## 1.2.2\n' >NEWS.md
echo 'coffer (1.2.3) unstable; urgency=medium' >debian/changelog
sed "s/SELECT '$release'/SELECT '1.2.3'/" "$SOURCE/sql/rule/release.sql" >sql/rule/release.sql
touch migrations/0001_first.sql
git_ init --quiet
git_ add .
git_ commit --quiet --message=first
git rev-parse HEAD >tests/migrations/releases/1.2.3/commit
echo dump >tests/migrations/releases/1.2.3/dump.sql.gz
git_ add .
git_ commit --quiet --message=dump

# lacks WORDS COMMAND...: after the command, that is what a release lacks.
lacks() {
	local status=0 said

	"${@:2}"
	[ "$1" = 'not committed' ] || { git_ add .; git_ commit --quiet --allow-empty --message=fault; }
	said=$("$SOURCE/tests/release" . 2>&1) || status=$?
	[[ $status -eq 1 && $said == *"$1"* ]] || {
		printf 'tests/release does not say "%s" (status %s):\n%s\n' "$1" "$status" "$said"
		found=1
	}
	git_ reset --quiet --hard begin
}
git_ tag begin
"$SOURCE/tests/release" . >/dev/null || found=1
lacks 'not MAJOR.MINOR.PATCH' sed -i 's/1.2.3/1.2/' configure.ac
lacks "NEWS.md: the version is '1.2.2'" sed -i 1d NEWS.md
lacks 'nothing is written below' sed -i '/change/d' NEWS.md
lacks "debian/changelog: the version is '1.2.4'" sed -i 's/1.2.3/1.2.4/' debian/changelog
lacks "sql/rule/release.sql: the version is '1.2.4'" sed -i 's/1.2.3/1.2.4/' sql/rule/release.sql
lacks 'no dump of this release' rm tests/migrations/releases/1.2.3/dump.sql.gz
lacks 'no such commit' sed -i 's/^......../01234567/' tests/migrations/releases/1.2.3/commit
lacks 'a dump of other migrations' touch migrations/0002_second.sql
lacks 'not committed' sed -i 's/A change/Another/' NEWS.md
lacks 'is on another commit' git_ tag v1.2.3 begin~1
exit "$found"
