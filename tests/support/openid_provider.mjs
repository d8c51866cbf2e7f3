// SPDX-License-Identifier: MIT
// The oidc-provider package as a real OpenID provider for tests: whoever is named in login_hint is signed in without being asked.
// Arguments: where the package is, the port, a file with clients, accounts and the acr of each sign-in.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const [, , folder, port, file] = process.argv;
const { default: Provider } = await import(`${folder}/node_modules/oidc-provider/lib/index.js`);
const world = JSON.parse(readFileSync(file, 'utf-8'));
const issuer = `http://127.0.0.1:${port}`;
const of = (sub) => JSON.parse(readFileSync(file, 'utf-8')).accounts[sub];

const provider = new Provider(issuer, {
  clients: world.clients,
  acrValues: ['AAL1', 'AAL2', 'AAL3'],
  conformIdTokenClaims: false,
  claims: {
    openid: ['sub', 'tid', 'oid', 'roles', 'groups', 'acr', 'auth_time'],
    profile: ['name'],
    nationalrbacaccess: ['nhsid_nrbac_roles'],
    selectedrole: ['selected_roleid'],
  },
  scopes: ['openid', 'profile', 'nationalrbacaccess', 'selectedrole'],
  cookies: { keys: ['only for tests'] },
  jwks: { keys: world.keys },
  enabledJWA: {
    clientAuthSigningAlgValues: ['RS512', 'RS256', 'ES384'],
    idTokenSigningAlgValues: ['RS256', 'PS256', 'ES256'],
  },
  features: { devInteractions: { enabled: false } },
  pkce: { methods: ['S256'], required: () => true },
  findAccount: (_, sub) => (of(sub) ? { accountId: sub, claims: () => ({ sub, ...of(sub).claims }) } : undefined),
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  renderError: (ctx, out) => { ctx.type = 'json'; ctx.body = out; },
});

const answer = provider.callback();
createServer(async (request, response) => {
  if (!request.url.startsWith('/interaction/')) return answer(request, response);
  const { prompt, params, grantId, session } = await provider.interactionDetails(request, response);
  if (prompt.name === 'login') {
    const accountId = params.login_hint ?? JSON.parse(readFileSync(file, 'utf-8')).next;
    const result = accountId ? { login: { accountId, acr: of(accountId)?.acr } } : { error: 'access_denied' };
    return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
  }
  const grant = grantId ? await provider.Grant.find(grantId) : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  if (prompt.details.missingOIDCClaims) grant.addOIDCClaims(prompt.details.missingOIDCClaims);
  return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true });
}).listen(Number(port), '127.0.0.1');
