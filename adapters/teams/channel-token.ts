/** Tells the tokens that Teams sends from those of a directory, before botbuilder sees them. */
import { z } from 'zod';

/** A signed token of three parts, as botbuilder would take it apart. */
const BEARER = /^Bearer [\w-]+\.([\w-]+)\.[\w-]+$/;
const payloadSchema = z.object({ iss: z.string(), tid: z.string().optional() });

/**
 * Whether a request's token says that it comes from the channel; that it does is for botbuilder to verify.
 *
 * botbuilder also takes a directory's token for our app, meant for its Emulator: the very one that the bot sends to
 * Teams with every call, which would let its holder speak for anybody. And it remembers each tenant that an
 * unverified token names, for as long as the process lives, so none may name another than ours; Teams' name none.
 *
 * @see https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication
 */
export function saysItIsFromChannel(
  authorization: string,
  { issuer, tenantId }: { readonly issuer: string; readonly tenantId: string },
): boolean {
  const payload = BEARER.exec(authorization)?.[1];
  if (payload === undefined) return false;
  let claims: unknown;
  try {
    claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
  } catch {
    return false;
  }
  const { data } = payloadSchema.safeParse(claims);
  return data?.iss === issuer && (data.tid === undefined || data.tid === tenantId);
}
