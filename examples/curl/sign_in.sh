#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Sign in with a private key (private_key_jwt, RS512) and print a token that is good for ten minutes. Needs curl and openssl.
#
#   GATEWAY=https://gateway.example CLIENT_ID=… KID=… KEY=trust.pem ./sign_in.sh
set -euo pipefail
: "${GATEWAY:?address of the gateway}" "${CLIENT_ID:?the id that the service gave you}" "${KID:?name of your key}" "${KEY:?file of your RSA private key}"

base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
now=$(date +%s)
audience="$GATEWAY/oauth2/token"
header="{\"alg\":\"RS512\",\"typ\":\"JWT\",\"kid\":\"$KID\"}"
claims="{\"iss\":\"$CLIENT_ID\",\"sub\":\"$CLIENT_ID\",\"aud\":\"$audience\",\"jti\":\"$(openssl rand -hex 16)\",\"iat\":$now,\"exp\":$((now + 240))}"
signed="$(printf %s "$header" | base64url).$(printf %s "$claims" | base64url)"
signature=$(printf %s "$signed" | openssl dgst -sha512 -sign "$KEY" -binary | base64url)

answer=$(curl --fail-with-body --silent --show-error "$audience" \
  --data-urlencode grant_type=client_credentials \
  --data-urlencode client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer \
  --data-urlencode client_assertion="$signed.$signature")
sed -n 's/.*"access_token":"\([^"]*\)".*/\1/p' <<< "$answer"
