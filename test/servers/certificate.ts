/** A certificate for servers on this machine that is its own authority. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Certificate {
  /** Key and certificate in one PEM file. */
  readonly file: string;
  /** The authority to trust, in PEM. */
  readonly ca: string;
}

const KEY =
  'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=fileferry-test';
/** The second is where a faulty network stands before the server. */
const NAMES = 'subjectAltName=IP:127.0.0.1,IP:127.0.0.2,DNS:localhost';

/** @param folder where it is kept */
export function makeCertificate(folder: string): Certificate {
  const file = join(folder, 'both.pem');
  const certificate = join(folder, 'certificate.pem');
  execFileSync('openssl', [...KEY.split(' '), '-addext', NAMES, '-keyout', file, '-out', certificate], {
    stdio: 'ignore',
  });
  const ca = readFileSync(certificate, 'utf8');
  writeFileSync(file, readFileSync(file, 'utf8') + ca, { mode: 0o600 });
  return { file, ca };
}
