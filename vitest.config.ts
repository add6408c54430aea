import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

// Read by the workers and by the services that they start: what Node has compiled once is not compiled again.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, 'node_modules', '.cache', 'fileferry-compile');

/** What takes longest, longest first; Vitest itself knows that only where it has run before. */
const LONG = [
  'test/flows/crash-bot',
  'test/flows/bad-input',
  'test/flows/outages',
  'test/flows/crash-worker',
  'test/servers/matrix',
  'test/flows/teams',
  'test/flows/teams-transfers',
  'infra/cloud/image',
  'test/flows/browser',
  'test/flows/http-events',
  'core/sessions',
].map((name) => join(import.meta.dirname, `${name}.test.ts`));

/** The long ones first, so that none of them is alone at the end. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const rank = ({ moduleId }: TestSpecification) => {
      const place = LONG.indexOf(moduleId);
      return place < 0 ? LONG.length : place;
    };
    return sorted.sort((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    include: ['{core,adapters,agent,bot,worker,infra,manifest,test,bench}/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 30_000,
    // Whole flows run ten real processes: on a busy CI machine one may run out of patience without a fault of ours.
    retry: process.env.CI ? 2 : 0,
    pool: 'forks',
    // One more than the cores of a small machine: the long ones mostly wait, for leases that lapse and for partners.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
  },
});
