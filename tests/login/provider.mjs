// A certified OpenID provider on loopback: it rotates refresh tokens, and ends a sign-in whose token is used twice.
// It prints its address, obeys POST /test/…, and ends with its stdin.

import { createServer } from "node:http";
import { Provider } from "oidc-provider";

console.warn = console.info = () => {};

const settings = { accessTokenSeconds: 3600, down: false, holdTokenMs: 0 };
const seen = { refreshes: [], refused: [], revoked: 0, secrets: [], waiting: 0 };

const server = createServer();
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: ["codex-test", "another-test"].map((client_id) => ({
    client_id,
    application_type: "native",
    token_endpoint_auth_method: "none",
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    redirect_uris: ["http://localhost/auth/callback", "http://127.0.0.1/auth/callback"],
  })),
  claims: { openid: ["sub", "https://api.openai.com/auth"], email: ["email"], profile: ["name"] },
  conformIdTokenClaims: false,
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({
      sub: id,
      email: `${id}@example.org`,
      "https://api.openai.com/auth": { chatgpt_account_id: `account-of-${id}`, chatgpt_plan_type: "plus" },
    }),
  }),
  features: { devInteractions: { enabled: true }, revocation: { enabled: true } },
  issueRefreshToken: async () => true,
  rotateRefreshToken: true,
  pkce: { required: () => true },
  ttl: {
    AccessToken: () => settings.accessTokenSeconds,
    AuthorizationCode: 60,
    Grant: 3600,
    IdToken: 3600,
    Interaction: 600,
    RefreshToken: 3600,
    Session: 3600,
  },
});

for (const kind of ["access_token", "refresh_token", "authorization_code"]) {
  provider.on(`${kind}.saved`, (token) => seen.secrets.push(token.jti));
}
provider.on("refresh_token.consumed", (token) => seen.refreshes.push({ at: Date.now(), token: token.jti }));
provider.on("grant.error", (ctx, error) => seen.refused.push(`${ctx.oidc.params?.grant_type} ${error.error_detail}`));
provider.on("grant.revoked", () => (seen.revoked += 1));

const answer = provider.callback();
const told = async (request) => JSON.parse((await request.toArray()).join("") || "{}");

server.on("request", async (request, response) => {
  if (request.url.startsWith("/test/")) {
    Object.assign(settings, await told(request));
    return response.end(JSON.stringify(seen));
  }
  if (settings.down) return response.writeHead(503).end("Down for maintenance");
  if (request.url === "/token" && settings.holdTokenMs) {
    // Everything is done, and only the answer takes its time.
    const end = response.end.bind(response);
    response.end = (...parts) => {
      seen.waiting += 1;
      return setTimeout(() => end(...parts), settings.holdTokenMs);
    };
  }
  answer(request, response);
});

process.stdin.on("end", () => process.exit()).resume();
process.stdout.write(`${issuer}\n`);
