/** Tests that need a program of the machine: skipped where it is missing, unless everything is required. */
import { localSlackBinary } from '../../infra/local/local-slack.ts';
import { findProgram } from '../servers/program.ts';

/** Whether nothing may be skipped, as in CI. */
export const requireAll = () => process.env.FILEFERRY_REQUIRE_ALL === '1';

/**
 * The program's full path, or undefined when the tests that need it should be skipped.
 *
 * @throws Error when it is missing and `FILEFERRY_REQUIRE_ALL` is `1`, as in CI
 */
export function requireOrSkip(binary: string): string | undefined {
  const found = findProgram(binary);
  if (!found && requireAll()) {
    throw new Error(`${binary} is not installed, and FILEFERRY_REQUIRE_ALL=1 forbids skipping its tests`);
  }
  return found?.path;
}

/**
 * Whether tests with the local Slack can run here.
 *
 * @throws Error when they cannot and `FILEFERRY_REQUIRE_ALL` is `1`
 */
export function hasLocalSlack(): boolean {
  if (localSlackBinary()) return true;
  if (requireAll())
    throw new Error(
      'the local Slack has no binary here, and FILEFERRY_REQUIRE_ALL=1 forbids skipping its tests',
    );
  return false;
}
