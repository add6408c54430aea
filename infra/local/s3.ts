/** S3 for the local stack: path-style, bodies on disk, every request signed and permitted by its key's policies. */
import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { isAllowed } from './access-policy.ts';
import { verifySignature } from './aws-signature.ts';
import type { AccessKey, KeyRing } from './key-ring.ts';
import { closeServer, type LocalServer, listenLocally } from './listen.ts';
import { S3Error, SIGNATURE_ERRORS } from './s3-error.ts';
import { listObjects, S3_NAMESPACE } from './s3-list.ts';
import { createObjectStore, type ObjectStore } from './s3-objects.ts';
import { type ReadFault, readObject } from './s3-read.ts';
import { createObjectWriter, type ObjectWriter } from './s3-write.ts';
import { xml, xmlDocument } from './xml.ts';

export interface LocalS3 extends LocalServer {
  /**
   * Makes the bodies of GET go wrong from now on; without an argument they are right again. Only assumed roles
   * suffer: a test's own look at an object, by a long-term key, is always whole and quick.
   */
  setReadFault(fault?: ReadFault): void;
}

interface Call {
  readonly method: string;
  readonly bucket: string;
  readonly key: string;
  readonly query: URLSearchParams;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly caller: AccessKey;
}

interface Rooms {
  readonly store: ObjectStore;
  readonly writer: ObjectWriter;
  readonly takeFault: () => ReadFault | undefined;
}

const permits = ({ caller, bucket, key, query }: Call, action: string, on: 'bucket' | 'object' | 'all') =>
  isAllowed(caller.policies, {
    action,
    resource:
      on === 'all' ? '*' : on === 'bucket' ? `arn:aws:s3:::${bucket}` : `arn:aws:s3:::${bucket}/${key}`,
    context:
      on === 'bucket'
        ? { 's3:prefix': query.get('prefix') ?? '', 's3:delimiter': query.get('delimiter') ?? '' }
        : {},
  });

function demand(call: Call, action: string, on: 'bucket' | 'object' | 'all'): void {
  if (!permits(call, action, on)) throw new S3Error('AccessDenied');
}

const sendXml = (response: ServerResponse, text: string) =>
  response.setHeader('content-type', 'application/xml').end(text);

function answerService(call: Call, { store }: Rooms): void {
  if (call.method !== 'GET') throw new S3Error('MethodNotAllowed');
  demand(call, 's3:ListAllMyBuckets', 'all');
  const buckets = store.bucketNames().map((name) => xml('Bucket', [xml('Name', name)]));
  sendXml(call.response, xmlDocument('ListAllMyBucketsResult', S3_NAMESPACE, [xml('Buckets', buckets)]));
}

function answerBucket(call: Call, { store }: Rooms): void {
  const { method, bucket, query, response } = call;
  if (method === 'PUT' && [...query.keys()].every((name) => name === 'x-id')) {
    demand(call, 's3:CreateBucket', 'bucket');
    store.createBucket(bucket);
    response.setHeader('location', `/${bucket}`).end();
    return;
  }
  const found = store.bucket(bucket);
  if (method === 'HEAD') {
    demand(call, 's3:ListBucket', 'bucket');
    response.setHeader('x-amz-bucket-region', 'us-east-1').end();
  } else if (method === 'GET' && query.has('location')) {
    demand(call, 's3:GetBucketLocation', 'bucket');
    sendXml(response, xmlDocument('LocationConstraint', S3_NAMESPACE, []));
  } else if (method === 'GET' && query.get('list-type') === '2') {
    demand(call, 's3:ListBucket', 'bucket');
    sendXml(response, listObjects(found, query));
  } else {
    throw new S3Error('NotImplemented');
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

async function answerObject(call: Call, { store, writer, takeFault }: Rooms): Promise<void> {
  const { method, key, query, request, response } = call;
  const bucket = store.bucket(call.bucket);
  const uploadId = query.get('uploadId');
  if (method === 'GET' || method === 'HEAD') {
    if (query.has('attributes') || query.has('tagging') || query.has('acl'))
      throw new S3Error('NotImplemented');
    demand(call, 's3:GetObject', 'object');
    const object = bucket.get(key);
    if (!object) {
      // Without the right to list, S3 does not tell an absent object from a forbidden one.
      throw new S3Error(permits(call, 's3:ListBucket', 'bucket') ? 'NoSuchKey' : 'AccessDenied', {
        Key: key,
      });
    }
    const faultOf = () => (call.caller.session ? takeFault() : undefined);
    await readObject(object, { method, headers: request.headers }, response, faultOf);
  } else if (method === 'PUT' && !request.headers['x-amz-copy-source']) {
    demand(call, 's3:PutObject', 'object');
    const partNumber = Number(query.get('partNumber'));
    if (uploadId === null) await writer.put(bucket, key, request, response);
    else await writer.uploadPart({ bucket, key, uploadId, partNumber }, request, response);
  } else if (method === 'POST' && query.has('uploads')) {
    demand(call, 's3:PutObject', 'object');
    if (request.headers['x-amz-checksum-algorithm']) {
      response.setHeader('x-amz-checksum-algorithm', String(request.headers['x-amz-checksum-algorithm']));
    }
    sendXml(response, writer.createUpload(bucket, key, request.headers));
  } else if (method === 'POST' && uploadId !== null) {
    demand(call, 's3:PutObject', 'object');
    sendXml(response, await writer.completeUpload(bucket, key, uploadId, await textOf(request)));
  } else if (method === 'DELETE') {
    demand(call, uploadId === null ? 's3:DeleteObject' : 's3:AbortMultipartUpload', 'object');
    if (uploadId === null) await bucket.delete(key);
    else await writer.abortUpload(bucket, key, uploadId);
    response.writeHead(204).end();
  } else {
    throw new S3Error('NotImplemented');
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  keys: KeyRing,
  rooms: Rooms,
): Promise<void> {
  const { method = '', url = '/', headers } = request;
  const caller = verifySignature({ method, url, headers }, keys);
  if (typeof caller === 'string') throw new S3Error(SIGNATURE_ERRORS[caller]);
  // Not `new URL`: it would resolve `..` and fold slashes, which are ordinary characters of a key.
  const [path = '/', search = ''] = url.split(/\?(.*)/s, 2);
  const [bucket = '', key = ''] = path
    .slice(1)
    .split(/\/(.*)/s, 2)
    .map(decodeURIComponent);
  const call = { method, bucket, key, query: new URLSearchParams(search), request, response, caller };
  if (bucket === '') answerService(call, rooms);
  else if (key === '') answerBucket(call, rooms);
  else await answerObject(call, rooms);
}

function refuse(request: IncomingMessage, response: ServerResponse, thrown: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const error = thrown instanceof S3Error ? thrown : new S3Error('InternalError');
  if (!(thrown instanceof S3Error)) console.error('local S3:', thrown);
  // What is left of the body has to be taken, or the client sees a reset instead of the answer.
  request.resume();
  for (const name of response.getHeaderNames()) if (!name.startsWith('x-amz-')) response.removeHeader(name);
  response.statusCode = error.status;
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  const details = Object.entries(error.details).map(([name, value]) => xml(name, value));
  const requestId = xml('RequestId', String(response.getHeader('x-amz-request-id')));
  const document = xmlDocument('Error', undefined, [
    xml('Code', error.code),
    xml('Message', error.message),
    ...details,
    requestId,
  ]);
  sendXml(response, document);
}

/**
 * Starts an empty S3.
 *
 * @param options.folder where bodies are kept; made if it is missing
 * @param options.keys whose keys may come in, each as far as its policies reach
 */
export async function startS3(options: {
  readonly folder: string;
  readonly keys: KeyRing;
}): Promise<LocalS3> {
  await mkdir(options.folder, { recursive: true });
  const store = createObjectStore(options.folder);
  let fault: ReadFault | undefined;
  const rooms: Rooms = {
    store,
    writer: createObjectWriter(store, options.keys.now),
    takeFault() {
      const taken = fault;
      if (fault?.times !== undefined) {
        fault = fault.times > 1 ? { ...fault, times: fault.times - 1 } : undefined;
      }
      return taken;
    },
  };
  const server = createServer((request, response) => {
    response.setHeader('x-amz-request-id', randomUUID().replaceAll('-', '').slice(0, 16).toUpperCase());
    answer(request, response, options.keys, rooms).catch((thrown: unknown) =>
      refuse(request, response, thrown),
    );
  });
  const endpoint = await listenLocally(server);
  return {
    endpoint,
    stop: () => closeServer(server),
    setReadFault: (next) => {
      fault = next;
    },
  };
}
