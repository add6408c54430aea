/** Names and addresses in the fake Teams. */

export const TEAMS_TENANT = 'a1b2c3d4-e5f6-7890-abcd-ef1234567890';
export const TEAMS_APP = '11111111-2222-3333-4444-555555555555';

export interface TeamsUser {
  readonly aadObjectId: string;
  readonly name: string;
  readonly email?: string;
  readonly userRole?: 'user' | 'guest' | 'anonymous';
  readonly tenantId?: string;
}

export const rootOf = (conversationId: string): string => conversationId.split(';', 1)[0] ?? '';
export const personalIdOf = (aadObjectId: string): string => `a:1personal-${aadObjectId}`;
