/** Posts to a Slack endpoint as Slack does: signed, form-encoded or JSON. */
import { createHmac } from 'node:crypto';

export interface SignedRequest {
  readonly url: string;
  readonly secret: string;
  /** Epoch seconds of the signature; now, unless a test wants an old one. */
  readonly timestamp?: number;
  /** Counts up when Slack delivers again. */
  readonly retryNum?: number;
}

/** @see https://docs.slack.dev/authentication/verifying-requests-from-slack */
export function slackSignature(secret: string, timestamp: number, body: string): string {
  return `v0=${createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest('hex')}`;
}

function post(request: SignedRequest, body: string, contentType: string): Promise<Response> {
  const timestamp = request.timestamp ?? Math.floor(Date.now() / 1_000);
  return fetch(request.url, {
    method: 'POST',
    body,
    headers: {
      'content-type': contentType,
      'x-slack-request-timestamp': String(timestamp),
      'x-slack-signature': slackSignature(request.secret, timestamp, body),
      ...(request.retryNum && {
        'x-slack-retry-num': String(request.retryNum),
        'x-slack-retry-reason': 'http_timeout',
      }),
    },
  });
}

/** An Events API callback, or any other JSON body. */
export const postSignedJson = (request: SignedRequest, body: unknown): Promise<Response> =>
  post(request, JSON.stringify(body), 'application/json');

const FORM = 'application/x-www-form-urlencoded';

/** A click. */
export const postSignedInteraction = (request: SignedRequest, payload: unknown): Promise<Response> =>
  post(request, new URLSearchParams({ payload: JSON.stringify(payload) }).toString(), FORM);

/** A slash command. */
export const postSignedCommand = (
  request: SignedRequest,
  command: Readonly<Record<string, string>>,
): Promise<Response> => post(request, new URLSearchParams(command).toString(), FORM);
