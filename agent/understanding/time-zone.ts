/** Wall clocks: what a moment is called in a time zone, and which moment a wall clock's time is. */

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known) return known;
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
  formats.set(zone, made);
  return made;
}

/**
 * The wall clock in a zone, as if it were one in UTC.
 *
 * @param at epoch milliseconds
 * @param zone IANA name
 */
export function wallClock(at: number, zone: string): number {
  if (zone === 'UTC') return at;
  const parts = new Map(
    formatOf(zone)
      .formatToParts(at)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0;
  const seconds = Date.UTC(
    part('year'),
    part('month') - 1,
    part('day'),
    part('hour'),
    part('minute'),
    part('second'),
  );
  return seconds + (((at % 1000) + 1000) % 1000);
}

/** The moment at which the zone's wall clock shows this; where it shows it twice or never, one nearby. */
export function momentOf(wall: number, zone: string): number {
  let at = wall;
  // Twice, because the first guess may lie on the other side of a change of the clocks.
  for (let tries = 0; tries < 2; tries += 1) at += wall - wallClock(at, zone);
  return at;
}
