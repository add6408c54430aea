/** Looks at how Teams and the bot reach each other: the bot's credentials with Microsoft, and the chats' way in. */
import { z } from 'zod';
import { type Finding, look, ok, unknown, wrong } from './finding.ts';

const LONGEST_MS = 15_000;
/** Whom the bot's token is for. */
const SCOPE = 'https://api.botframework.com/.default';

export interface TeamsRegistration {
  readonly TEAMS_APP_ID?: string | undefined;
  readonly TEAMS_APP_PASSWORD?: string | undefined;
  readonly TEAMS_TENANT_ID?: string | undefined;
  readonly TEAMS_APP_TYPE?: 'SingleTenant' | 'UserAssignedMSI' | undefined;
  readonly TEAMS_LOCAL_NO_AUTH: boolean;
}

/** @see https://learn.microsoft.com/entra/identity-platform/reference-error-codes */
const TODO: Readonly<Record<string, string>> = {
  AADSTS700016: 'No app of this TEAMS_APP_ID is registered in the tenant TEAMS_TENANT_ID.',
  AADSTS7000215: "Put the client secret's value, not its id, into TEAMS_APP_PASSWORD.",
  AADSTS7000222: 'The client secret has expired: docs/operations.md, "Rotate a secret".',
  AADSTS90002: 'There is no tenant TEAMS_TENANT_ID.',
};

const answerSchema = z.object({
  access_token: z.string().optional(),
  /** Seconds. */
  expires_in: z.number().optional(),
  error: z.string().optional(),
  error_description: z.string().optional(),
});

/**
 * Whether Microsoft gives the bot a token.
 *
 * @param loginUrl Microsoft's, such as `https://login.microsoftonline.com`
 * @see https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication
 */
export async function lookAtTeams(loginUrl: string, app: TeamsRegistration): Promise<Finding[]> {
  if (app.TEAMS_LOCAL_NO_AUTH)
    return [{ area: 'teams', what: 'credentials', ...unknown('a local Teams, which asks for none') }];
  const { TEAMS_APP_ID: id, TEAMS_APP_PASSWORD: secret, TEAMS_TENANT_ID: tenant, TEAMS_APP_TYPE: type } = app;
  if (!id || !tenant) return [];
  if (type === 'UserAssignedMSI' || !secret)
    return [
      { area: 'teams', what: 'credentials', ...unknown('a managed identity, which works in Azure only') },
    ];
  const finding = await look('teams', 'credentials', `Can ${loginUrl} be reached from here?`, async () => {
    const response = await fetch(new URL(`${tenant}/oauth2/v2.0/token`, loginUrl), {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: id,
        client_secret: secret,
        scope: SCOPE,
      }),
      signal: AbortSignal.timeout(LONGEST_MS),
    });
    const answer = answerSchema.parse(await response.json());
    if (answer.access_token)
      return ok(`a token for ${Math.round((answer.expires_in ?? 0) / 60)} minutes, for the app ${id}`);
    const code = /AADSTS\d+/.exec(answer.error_description ?? '')?.[0];
    return wrong(
      `refused: ${code ?? answer.error ?? response.status}`,
      TODO[code ?? ''] ??
        'Compare TEAMS_APP_ID, TEAMS_APP_PASSWORD and TEAMS_TENANT_ID with the app registration.',
    );
  });
  return [finding];
}

/**
 * Whether platforms can reach the bot, and whether it refuses what nobody signed.
 *
 * @param publicUrl the bot's, as the platforms have it; without it nothing can be said
 * @param paths that the chats of these settings post to
 */
export function lookAtTheWayIn(publicUrl: string | undefined, paths: readonly string[]): Promise<Finding[]> {
  const looks = paths.map((path) =>
    look('way in', path, `Is ${publicUrl} the bot's address, and does it run?`, async () => {
      if (!publicUrl) return unknown('say --public-url https://… to have it looked at');
      const { status } = await fetch(new URL(path, publicUrl), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{}',
        redirect: 'error',
        signal: AbortSignal.timeout(LONGEST_MS),
      });
      if (status === 401) return ok('reached, and refuses what nobody signed');
      return wrong(
        `answered ${status} instead of 401`,
        status < 300
          ? 'Whoever answers there takes requests that nobody signed: that is not FileFerry.'
          : `Is ${publicUrl} the output PublicUrl, and is the chat among the option chats?`,
      );
    }),
  );
  return Promise.all(looks);
}
