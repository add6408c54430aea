/** The demo's policy, as the YAML of a `fileferry.config.yaml`: Ana and Dan ask, Bob and Cleo decide. */
import { stringify } from 'yaml';
import { PEOPLE, type PersonName, TRANSFERS_CHANNEL, WORKSPACE } from './slack-workspace.ts';

/** The variable that holds the demo's FTP password, for the worker alone. */
export const FTP_PASSWORD_VARIABLE = 'DEMO_FTP_PASSWORD';

/** TCP port 1 of this machine, where nothing listens: a destination that is down. */
const NOBODY_LISTENS = 1;

/**
 * @param ftp the server behind the destinations that are up
 * @param byEmail whether people are known by their email too, and so on every platform that vouches for it
 */
export function worldPolicy(
  ftp: { readonly host: string; readonly port: number; readonly user: string },
  byEmail = false,
): string {
  const members = (...names: PersonName[]) =>
    names.flatMap((name) => [
      `slack:${WORKSPACE.teamId}:${PEOPLE[name].id}`,
      ...(byEmail ? [`email:${PEOPLE[name].email}`] : []),
    ]);
  const onServer = {
    host: ftp.host,
    port: ftp.port,
    tls: 'none',
    user: ftp.user,
    password: `env:${FTP_PASSWORD_VARIABLE}`,
  };
  return stringify({
    groups: {
      requesters: members('ana', 'dan'),
      approvers: members('bob', 'cleo'),
      legal: members('cleo'),
    },
    buckets: {
      'finance-exports': { description: 'Reports of the finance department', aliases: ['finance'] },
      'finance-exports-archive': { description: 'Finance reports of earlier years' },
      'marketing-assets': { description: 'Logos and films', aliases: ['marketing'] },
      'data-lake-raw': { description: 'Events as they arrive', aliases: ['data lake'] },
      'legal-docs': { description: 'Contracts' },
    },
    destinations: {
      'acme-ftp': {
        description: 'Acme, our auditors',
        aliases: ['acme'],
        ...onServer,
        folder: '/acme',
        existing: 'refuse',
      },
      'partner-ftp': {
        description: 'Our distribution partners',
        aliases: ['partner', 'partners'],
        ...onServer,
        folder: '/partner',
        existing: 'rename',
        maxConnections: 2,
      },
      'offline-ftp': {
        description: 'A server that is down',
        ...onServer,
        port: NOBODY_LISTENS,
      },
    },
    rules: [
      {
        description: 'Finance reports go to the auditors and partners',
        request: ['requesters'],
        from: ['finance-exports', 'finance-exports-archive'],
        to: ['acme-ftp', 'partner-ftp', 'offline-ftp'],
        approve: ['approvers'],
        maxBytes: '50 GB',
      },
      {
        description: 'Films and events go to the partners',
        request: ['requesters'],
        from: ['marketing-assets', 'data-lake-raw/events/'],
        to: ['partner-ftp'],
        approve: ['approvers'],
      },
      {
        description: 'Contracts are for the legal department alone',
        request: ['legal'],
        from: ['legal-docs'],
        to: ['acme-ftp'],
        approve: ['approvers'],
      },
    ],
    approval: {
      expiresAfterHours: 24,
      channel: `slack:${WORKSPACE.teamId}:${TRANSFERS_CHANNEL.id}`,
    },
    servicenow: { userGroup: 'File Transfer', auditGroup: 'Compliance' },
  });
}
