#!/usr/bin/env bash
# Finds or builds the program, and adds its folder to the PATH of later steps.
set -euo pipefail

if [ -z "${PLUMB:-}" ]; then
	PLUMB=$(command -v plumb || true)
fi
if [ -z "$PLUMB" ]; then
	command -v go >/dev/null || { echo "::error::there is no program plumb: give the input plumb, or run actions/setup-go before"; exit 1; }
	PLUMB=${RUNNER_TEMP:?}/plumb/plumb
	(cd "${ACTION:?}/../../.." && CGO_ENABLED=0 go build -trimpath -o "$PLUMB" ./cmd/plumb)
fi
"$PLUMB" version
echo "plumb=$PLUMB" >>"$GITHUB_OUTPUT"
dirname "$PLUMB" >>"$GITHUB_PATH"
