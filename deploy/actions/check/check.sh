#!/usr/bin/env bash
# Runs "plumb rule test" and "plumb check" and fails if one of them does.
set -uo pipefail

mapfile -t rules < <(grep -v '^[[:space:]]*$' <<<"$RULES")
mapfile -t plans < <(grep -v '^[[:space:]]*$' <<<"$PLANS")
evaluate=()
while IFS= read -r rule; do
	[ -z "${rule// /}" ] || evaluate+=(--rule "$rule")
done <<<"$EVALUATE"

if [ ${#rules[@]} -eq 0 ] && [ ${#plans[@]} -eq 0 ]; then
	echo "::error::give rules to test, or plans to evaluate"
	exit 2
fi

mkdir -p "$REPORTS"
code=0
if [ ${#rules[@]} -gt 0 ]; then
	"$PLUMB" rule test --github --sarif="$REPORTS/rules.sarif" --junit="$REPORTS/rules.xml" -- "${rules[@]}" || code=$?
fi
if [ ${#plans[@]} -gt 0 ]; then
	"$PLUMB" check "${evaluate[@]}" --quiet --github --sarif="$REPORTS/plans.sarif" --junit="$REPORTS/plans.xml" -- "${plans[@]}" || code=$?
fi
exit "$code"
