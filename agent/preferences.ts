/** What a person told FileFerry to take for granted: read from their context, never guessed. */
import type { UserContext } from '../core/stores/user-context-store.ts';

export interface Preferences {
  /** A bucket's name, for files said without one. */
  readonly bucket?: string;
  /** A destination's name, for requests that say none. */
  readonly destination?: string;
  /** Where the person wants to hear how a transfer ended. */
  readonly notifications?: 'direct message' | 'thread';
  /** IANA name. */
  readonly timeZone?: string;
}

/** A preference may be older than today's rules, so what is not known any more counts as not set. */
export function preferencesOf({ preferences }: Pick<UserContext, 'preferences'>): Preferences {
  const { bucket, destination, notifications, timeZone } = preferences;
  return {
    ...(bucket === undefined ? {} : { bucket }),
    ...(destination === undefined ? {} : { destination }),
    ...(notifications === 'direct message' || notifications === 'thread' ? { notifications } : {}),
    ...(timeZone !== undefined && isTimeZone(timeZone) ? { timeZone } : {}),
  };
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
