/** Tests that need a program of the machine: skipped where it is missing, unless everything is required. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const SYSTEM_FOLDERS = ['/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/**
 * The program's full path, or undefined when the tests that need it should be skipped.
 *
 * @throws Error when it is missing and `FILEFERRY_REQUIRE_ALL` is `1`, as in CI
 */
export function requireOrSkip(binary: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...SYSTEM_FOLDERS];
  for (const folder of folders) {
    const path = join(folder, binary);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Look on.
    }
  }
  if (process.env.FILEFERRY_REQUIRE_ALL === '1') {
    throw new Error(`${binary} is not installed, and FILEFERRY_REQUIRE_ALL=1 forbids skipping its tests`);
  }
  return undefined;
}
