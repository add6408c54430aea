/** Microsoft's side of signed requests, with a key of our own: the published keys, and tokens that they signed. */
import { createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const ISSUER = 'https://api.botframework.com';

export interface TokenClaims {
  readonly iss?: string;
  readonly aud?: string;
  readonly serviceurl?: string;
  /** Epoch seconds. */
  readonly exp?: number;
  readonly nbf?: number;
  /** What tokens of a tenant's directory have besides. */
  readonly tid?: string;
  readonly ver?: '1.0' | '2.0';
  readonly appid?: string;
  readonly azp?: string;
}

export interface MicrosoftKeys {
  /** For botbuilder's configuration. */
  readonly authority: Readonly<Record<string, string | boolean>>;
  /** A token as Teams sends it, but for what is given. */
  token(claims: TokenClaims, signedBy?: 'us' | 'a stranger' | 'nobody'): string;
  /** What the published key is endorsed for. */
  endorse(channels: readonly string[]): void;
  close(): Promise<void>;
}

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

export async function publishMicrosoftKeys(): Promise<MicrosoftKeys> {
  const ours = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const strangers = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  let endorsements: readonly string[] = ['msteams'];
  const server = createServer((req, res) => {
    const { port } = server.address() as AddressInfo;
    res.setHeader('content-type', 'application/json');
    if (req.url === '/openid') {
      res.end(JSON.stringify({ issuer: ISSUER, jwks_uri: `http://127.0.0.1:${port}/keys` }));
      return;
    }
    const key = ours.publicKey.export({ format: 'jwk' });
    res.end(JSON.stringify({ keys: [{ ...key, kid: 'k1', use: 'sig', endorsements }] }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/openid`;

  function sign(text: string, key: KeyObject): string {
    return createSign('RSA-SHA256').update(text).sign(key).toString('base64url');
  }

  return {
    authority: {
      ToChannelFromBotLoginUrl: 'http://127.0.0.1:1/login',
      ToChannelFromBotOAuthScope: ISSUER,
      ToBotFromChannelTokenIssuer: ISSUER,
      OAuthUrl: 'http://127.0.0.1:1/oauth',
      ToBotFromChannelOpenIdMetadataUrl: url,
      ToBotFromEmulatorOpenIdMetadataUrl: url,
      ValidateAuthority: true,
      CallerId: '',
    },
    token(claims, signedBy = 'us') {
      const now = Math.floor(Date.now() / 1_000);
      const header = { alg: signedBy === 'nobody' ? 'none' : 'RS256', typ: 'JWT', kid: 'k1' };
      const text = `${base64url(header)}.${base64url({ iss: ISSUER, nbf: now - 60, exp: now + 600, ...claims })}`;
      if (signedBy === 'nobody') return `${text}.`;
      return `${text}.${sign(text, signedBy === 'us' ? ours.privateKey : strangers.privateKey)}`;
    },
    endorse(channels) {
      endorsements = channels;
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}
