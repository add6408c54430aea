/** What things cost, from `prices.json`. */
import file from './prices.json' with { type: 'json' };

type PriceName = keyof typeof file.prices;

/** Hours in a month, as AWS's own calculator has it. */
export const HOURS_A_MONTH = 730;

/** US dollars for so many. */
export const dollars = (name: PriceName, count: number): number => file.prices[name].usd * count;
export const REGION_OF_PRICES = file.region;
/** The oldest and the newest month that a price was looked up in. */
export const PRICED_IN = Object.values(file.prices)
  .map(({ asOf }) => asOf)
  .sort()
  .filter((_, index, all) => index === 0 || index === all.length - 1);
