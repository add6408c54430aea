/** STS for the local stack: AssumeRole of the read-only role and GetCallerIdentity; its keys open the local S3. */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import { type AccessPolicy, isAllowed, parseAccessPolicy } from './access-policy.ts';
import { type SignatureFault, verifySignature } from './aws-signature.ts';
import { type AccessKey, type KeyRing, LOCAL_ACCOUNT } from './key-ring.ts';
import { closeServer, type LocalServer, listenLocally } from './listen.ts';
import { xml, xmlDocument } from './xml.ts';

const NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/';
/** A role's MaxSessionDuration unless somebody raised it. */
const LONGEST_SESSION = 3600;
const SHORTEST_SESSION = 900;
const LONGEST_POLICY = 2048;

export interface StsOptions {
  readonly keys: KeyRing;
  readonly role: {
    readonly arn: string;
    /** The trust policy's condition; without it any ExternalId, and none, will do. */
    readonly externalId?: string;
    readonly policy: AccessPolicy;
    /** Asked about the session's tags; without it any tags, and none, will do. */
    readonly trust?: AccessPolicy;
  };
}

class StsError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const SIGNATURE_ERRORS: Readonly<Record<SignatureFault, [status: number, code: string, message: string]>> = {
  missing: [403, 'MissingAuthenticationToken', 'Request is missing Authentication Token'],
  malformed: [400, 'IncompleteSignature', 'The request signature does not conform to AWS standards.'],
  unknown_key: [403, 'InvalidClientTokenId', 'The security token included in the request is invalid.'],
  wrong_token: [403, 'InvalidClientTokenId', 'The security token included in the request is invalid.'],
  expired_key: [403, 'ExpiredToken', 'The security token included in the request is expired'],
  mismatch: [
    403,
    'SignatureDoesNotMatch',
    'The request signature we calculated does not match the signature you provided.',
  ],
};

const invalid = (message: string) => new StsError(400, 'ValidationError', message);

/** Session tags, as the query protocol numbers them. */
function tagsOf(form: URLSearchParams): Map<string, string> {
  const tags = new Map<string, string>();
  for (let number = 1; form.has(`Tags.member.${number}.Key`); number += 1) {
    const member = `Tags.member.${number}`;
    tags.set(form.get(`${member}.Key`) ?? '', form.get(`${member}.Value`) ?? '');
  }
  return tags;
}

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
function assumeRole(form: URLSearchParams, caller: AccessKey, { keys, role }: StsOptions): string {
  const roleArn = form.get('RoleArn') ?? '';
  const name = form.get('RoleSessionName') ?? '';
  const seconds = Number(form.get('DurationSeconds') ?? LONGEST_SESSION);
  const policyText = form.get('Policy');
  if (!/^[\w+=,.@-]{2,64}$/.test(name)) {
    throw invalid(`Value '${name}' at 'roleSessionName' failed to satisfy constraint: [\\w+=,.@-]{2,64}`);
  }
  if (!Number.isInteger(seconds) || seconds < SHORTEST_SESSION) {
    throw invalid(
      `Value '${seconds}' at 'durationSeconds' failed to satisfy constraint: at least ${SHORTEST_SESSION}`,
    );
  }
  if (seconds > LONGEST_SESSION) {
    throw invalid('The requested DurationSeconds exceeds the MaxSessionDuration set for this role.');
  }
  if (policyText !== null && policyText.length > LONGEST_POLICY) {
    throw invalid(`Value at 'policy' failed to satisfy constraint: at most ${LONGEST_POLICY} characters`);
  }
  const session = policyText === null ? undefined : parseAccessPolicy(policyText);
  if (session && 'fault' in session) throw new StsError(400, 'MalformedPolicyDocument', session.fault);
  const tags = tagsOf(form);
  const actions = tags.size > 0 ? ['sts:AssumeRole', 'sts:TagSession'] : ['sts:AssumeRole'];
  const context = {
    ...Object.fromEntries([...tags].map(([key, value]) => [`aws:requesttag/${key.toLowerCase()}`, value])),
    'aws:tagkeys': [...tags.keys()],
  };
  const policies = [...caller.policies, ...(role.trust ? [role.trust] : [])];
  const mayAssume = actions.every((action) => isAllowed(policies, { action, resource: roleArn, context }));
  const trusted = role.externalId === undefined || form.get('ExternalId') === role.externalId;
  if (roleArn !== role.arn || !mayAssume || !trusted) {
    throw new StsError(
      403,
      'AccessDenied',
      `User: ${caller.arn} is not authorized to perform: sts:AssumeRole on resource: ${roleArn}`,
    );
  }
  const arn = `arn:aws:sts::${LOCAL_ACCOUNT}:assumed-role/${role.arn.slice(role.arn.lastIndexOf('/') + 1)}/${name}`;
  const issued = keys.issue(arn, session ? [role.policy, session.policy] : [role.policy], seconds);
  return xml('AssumeRoleResult', [
    xml('AssumedRoleUser', [xml('AssumedRoleId', `AROALOCAL:${name}`), xml('Arn', arn)]),
    xml('Credentials', [
      xml('AccessKeyId', issued.accessKeyId),
      xml('SecretAccessKey', issued.secretAccessKey),
      xml('SessionToken', issued.session.token),
      xml('Expiration', new Date(issued.session.expiresAt).toISOString()),
    ]),
  ]);
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

async function answer(request: IncomingMessage, options: StsOptions): Promise<string> {
  const body = await textOf(request);
  const { method = '', url = '/', headers } = request;
  const caller = verifySignature({ method, url, headers, body }, options.keys);
  if (typeof caller === 'string') throw new StsError(...SIGNATURE_ERRORS[caller]);
  const form = new URLSearchParams(body);
  const action = form.get('Action') ?? '';
  const metadata = xml('ResponseMetadata', [xml('RequestId', randomUUID())]);
  switch (action) {
    case 'AssumeRole':
      return xmlDocument('AssumeRoleResponse', NAMESPACE, [assumeRole(form, caller, options), metadata]);
    case 'GetCallerIdentity':
      return xmlDocument('GetCallerIdentityResponse', NAMESPACE, [
        xml('GetCallerIdentityResult', [
          xml('Arn', caller.arn),
          xml('UserId', caller.accessKeyId),
          xml('Account', LOCAL_ACCOUNT),
        ]),
        metadata,
      ]);
    default:
      throw new StsError(400, 'InvalidAction', `Could not find operation ${action} for version 2011-06-15`);
  }
}

/** Starts an STS whose callers are the ring's keys and which puts the keys that it issues into the ring. */
export async function startSts(options: StsOptions): Promise<LocalServer> {
  const server = createServer((request, response) => {
    answer(request, options)
      .catch((thrown: unknown) => {
        const error =
          thrown instanceof StsError ? thrown : new StsError(500, 'InternalFailure', String(thrown));
        response.statusCode = error.status;
        return xmlDocument('ErrorResponse', NAMESPACE, [
          xml('Error', [
            xml('Type', error.status < 500 ? 'Sender' : 'Receiver'),
            xml('Code', error.code),
            xml('Message', error.message),
          ]),
          xml('RequestId', randomUUID()),
        ]);
      })
      .then((text) => response.setHeader('content-type', 'text/xml').end(text));
  });
  const endpoint = await listenLocally(server);
  return { endpoint, stop: () => closeServer(server) };
}
