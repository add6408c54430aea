/** Which servers are Microsoft's: the bot's token goes to no other. */

const LOOPBACK = new Set(['127.0.0.1', '[::1]', 'localhost']);

export interface ServiceUrls {
  /** Whether FileFerry may speak to this address. */
  allows(serviceUrl: string): boolean;
}

/**
 * Allows https on exactly these hosts and on the default port, without a user name; or, where nothing is
 * authenticated, loopback addresses alone.
 */
export function knownServiceUrls(hosts: readonly string[], local: boolean): ServiceUrls {
  const known = new Set(hosts.map((host) => host.toLowerCase()));
  return {
    allows(serviceUrl) {
      const url = URL.parse(serviceUrl);
      if (!url || url.username || url.password) return false;
      if (local) return url.protocol === 'http:' && LOOPBACK.has(url.hostname);
      return url.protocol === 'https:' && url.port === '' && known.has(url.hostname);
    },
  };
}
