/** The four sizes by which past transfers are compared. */

const SIZE_CATEGORIES = ['small', 'medium', 'large', 'very_large'] as const;
export type SizeCategory = (typeof SIZE_CATEGORIES)[number];

/** Category of a transfer by all its bytes: below 1 MB, 100 MB and 1 GB (decimal), and above. */
export function sizeCategory(bytes: number): SizeCategory {
  if (bytes < 1e6) return 'small';
  if (bytes < 1e8) return 'medium';
  return bytes < 1e9 ? 'large' : 'very_large';
}
