/** What a planner may ask of the rest: to look, to propose, to stop or retry in the asker's name. Never to decide. */
import type { Focus } from '../core/focus.ts';
import type { Person } from '../core/person.ts';
import type { PolicyConfig } from '../core/policy-config.ts';
import type { Proposals } from '../core/proposal.ts';
import type { RoleProof } from '../core/role-proof.ts';
import type { S3Browse } from '../core/s3-browse.ts';
import type { Transfer } from '../core/transfer.ts';
import type { Turn } from './planner.ts';
import type { Preferences } from './preferences.ts';

/** An action on a transfer that checks the person's rights itself; `text` tells the person what came of it. */
type TransferAction = (person: Person, transferId: string) => Promise<{ readonly text: string }>;

interface TransferQueries {
  /** Transfers that this person asked for, newest first. */
  transfersOf(person: Person, limit: number): Promise<readonly Transfer[]>;
  /** One transfer, if there is one and this person may see it. */
  transferFor(person: Person, transferId: string): Promise<Transfer | undefined>;
}

/** Whose turn it is, and where. */
type Speaker = Pick<Turn, 'person' | 'thread'>;

/** What a person's own earlier turns in a thread were about, and what they want to be taken for granted. */
interface FocusMemory {
  recall(speaker: Speaker): Promise<{ readonly focus: Focus; readonly preferences: Preferences }>;
  keep(speaker: Speaker, news: Focus): Promise<void>;
}

/** The tools of the planners. */
export interface PlannerDeps {
  readonly policy: PolicyConfig;
  readonly browse: S3Browse;
  readonly proposals: Proposals;
  readonly cancellation: { readonly cancel: TransferAction };
  readonly retries: { readonly retry: TransferAction };
  readonly transfers: TransferQueries;
  /** Without it nothing can be pointed back to. */
  readonly focus?: FocusMemory;
  readonly learning: {
    /** What to expect of so many bytes to a destination; undefined without any history. */
    forecast(destination: string, bytes: number): Promise<Transfer['forecast'] | undefined>;
  };
  /** Brings the tickets and cards of a transfer in step with its record; never throws. */
  readonly settle?: (transferId: string) => Promise<void>;
  /** Whether the role that reads this bucket can really not write to it. */
  readonly roleProof?: (bucket: string, signal: AbortSignal) => Promise<RoleProof>;
}
