#!/usr/bin/env bash
# Starts the server, waits until it answers, and names it to later steps. The runner ends it with the job.
set -euo pipefail

log=${RUNNER_TEMP:?}/plumb.log
# shellcheck disable=SC2086 # the arguments are words
nohup "$PLUMB" serve --listen "$LISTEN" --data "$RUNNER_TEMP/plumb-data" --account "$ACCOUNT" --region "$REGION" --log-format text $ARGUMENTS >"$log" 2>&1 &
server=$!

url=
for _ in $(seq 300); do
	url=$(sed -n 's/^ready //p' "$log" | head -n 1)
	[ -z "$url" ] || break
	kill -0 "$server" 2>/dev/null || break
	sleep 0.1
done
if [ -z "$url" ]; then
	cat "$log"
	echo "::error::plumb did not start"
	exit 1
fi

echo "url=$url" >>"$GITHUB_OUTPUT"
cat >>"$GITHUB_ENV" <<END
AWS_ENDPOINT_URL=$url
AWS_REGION=$REGION
AWS_DEFAULT_REGION=$REGION
AWS_ACCESS_KEY_ID=$ACCOUNT
AWS_SECRET_ACCESS_KEY=any
PLUMB_PROGRAM=$PLUMB
PLUMB_LOG=$log
END
echo "plumb answers at $url; its log is $log"
