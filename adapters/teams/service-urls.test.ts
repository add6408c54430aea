import { describe, expect, it } from 'vitest';
import { knownServiceUrls } from './service-urls.ts';

describe('service URLs', () => {
  const known = knownServiceUrls(['smba.trafficmanager.net'], false);
  it.each([
    ['https://smba.trafficmanager.net/amer/x/', true],
    ['https://SMBA.trafficmanager.net/amer/x/', true],
    ['http://smba.trafficmanager.net/amer/x/', false],
    ['https://smba.trafficmanager.net:8443/', false],
    ['https://smba.trafficmanager.net.evil.example/', false],
    ['https://evil.smba.trafficmanager.net/', false],
    ['https://smba.trafficmanager.net@evil.example/', false],
    ['https://user@smba.trafficmanager.net/', false],
    ['http://127.0.0.1:3978/', false],
    ['not a url', false],
  ])('%s: %s', (url, allowed) => {
    expect(known.allows(url)).toBe(allowed);
  });

  const local = knownServiceUrls(['smba.trafficmanager.net'], true);
  it.each([
    ['http://127.0.0.1:56150/_connector', true],
    ['http://localhost:56150/', true],
    ['http://[::1]:56150/', true],
    ['https://smba.trafficmanager.net/', false],
    ['http://192.168.1.4/', false],
  ])('without authentication %s: %s', (url, allowed) => {
    expect(local.allows(url)).toBe(allowed);
  });
});
