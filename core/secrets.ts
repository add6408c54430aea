/** Secrets by reference: `env:NAME`, `file:/path` or `secretsmanager:NAME`, resolved at the moment of use. */
import { readFile } from 'node:fs/promises';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { FerryError } from './errors.ts';

export interface SecretSources {
  /** What `env:` looks into. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Called for the first `secretsmanager:` reference only. */
  readonly secretsManager: () => SecretsManagerClient;
}

/** @throws FerryError that names the reference, never the value */
export type ResolveSecret = (reference: string) => Promise<string>;

function unresolved(reference: string, why: string, retryable = false): FerryError {
  return new FerryError(retryable ? 'unavailable' : 'internal', {
    retryable,
    userMessage: `A secret that is needed here cannot be read (${reference}: ${why}). Nothing was sent; ${
      retryable ? 'it can be tried again.' : 'please tell your FileFerry team.'
    }`,
  });
}

async function fromFile(path: string, reference: string): Promise<string> {
  try {
    // Editors and `echo` end files with a line break, and so do mounted secrets.
    return (await readFile(path, 'utf8')).replace(/\r?\n$/, '');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    throw unresolved(reference, code === 'ENOENT' ? 'there is no such file' : code);
  }
}

/** Errors that no second try will mend. https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html */
const LASTING: Readonly<Record<string, string>> = {
  AccessDeniedException: 'access denied',
  DecryptionFailure: 'it cannot be decrypted',
  InvalidParameterException: 'not a valid name',
  InvalidRequestException: 'it is marked for deletion',
  ResourceNotFoundException: 'there is no such secret',
};

async function fromSecretsManager(
  client: SecretsManagerClient,
  id: string,
  reference: string,
): Promise<string> {
  try {
    const { SecretString, SecretBinary } = await client.send(new GetSecretValueCommand({ SecretId: id }));
    return SecretString ?? Buffer.from(SecretBinary ?? []).toString('utf8');
  } catch (error) {
    const lasting = error instanceof Error ? LASTING[error.name] : undefined;
    throw unresolved(reference, lasting ?? 'Secrets Manager does not answer', lasting === undefined);
  }
}

/** The client of a process, made when a `secretsmanager:` reference is met for the first time. */
export const createSecretsClient = (region: string) => new SecretsManagerClient({ region, maxAttempts: 4 });

export function createSecretResolver(sources: SecretSources): ResolveSecret {
  let client: SecretsManagerClient | undefined;

  return async (reference) => {
    const colon = reference.indexOf(':');
    const name = reference.slice(colon + 1);
    let value: string;
    switch (reference.slice(0, colon)) {
      case 'env':
        value = (Object.hasOwn(sources.environment, name) && sources.environment[name]) || '';
        break;
      case 'file':
        value = await fromFile(name, reference);
        break;
      case 'secretsmanager':
        client ??= sources.secretsManager();
        value = await fromSecretsManager(client, name, reference);
        break;
      default:
        // Perhaps the secret itself was put where its reference belongs, so it is not shown.
        throw unresolved('a reference', 'it must begin with env:, file: or secretsmanager:');
    }
    if (value === '') throw unresolved(reference, 'it is empty or not set');
    return value;
  };
}
