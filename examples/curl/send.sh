#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Send one notification, keep the answer, look at its Task and fetch the proof. Needs curl.
#
#   GATEWAY=https://gateway.example TOKEN=… ./send.sh message.json
#
# A 409 that names NG-6001 says that this very message was accepted before: that is a success as well.
set -euo pipefail
: "${GATEWAY:?address of the gateway}" "${TOKEN:?bearer token, see sign_in.sh}"
message=${1:?file of the message}
answers=$(mktemp -d)
trap 'rm -rf "$answers"' EXIT

uuid() { cat /proc/sys/kernel/random/uuid 2> /dev/null || uuidgen | tr '[:upper:]' '[:lower:]'; }
ask() { curl --silent --show-error --retry 5 --header @- "$@" <<< "Authorization: Bearer $TOKEN"; }

# The ids are made once: what is sent again after a lost answer or a 503 is the same request. curl waits as Retry-After says.
status=$(ask "$GATEWAY/fhir/R4/\$process-message" --data-binary "@$message" \
  --header "Content-Type: application/fhir+json" --header "X-Request-ID: $(uuid)" --header "X-Correlation-ID: $(uuid)" \
  --header "Prefer: wait=5" --dump-header "$answers/headers" --output "$answers/outcome.json" --write-out '%{http_code}')
cat "$answers/outcome.json"
echo
if [ "$status" != 202 ] && ! { [ "$status" = 409 ] && grep -q '"NG-6001"' "$answers/outcome.json"; }; then
  echo "Refused with status $status: the codes are told at $GATEWAY/errors" >&2
  exit 1
fi

task=$(tr -d '\r' < "$answers/headers" | sed -n 's/^[Ll]ocation: //p')
echo "Task: $task"
ask --fail-with-body "$task"
echo
ask --fail-with-body "$task/\$receipt" > receipt.json
echo "The proof that it stands in the audit log: receipt.json"
