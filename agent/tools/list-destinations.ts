/** The tool `list_destinations`: where the asker may send files, by name; never hosts or accounts. */
import { z } from 'zod';
import { destinationsFor } from '../../core/names.ts';
import { data, defineTool } from './tool.ts';

export const listDestinations = defineTool({
  name: 'list_destinations',
  description: 'Lists the registered destinations that the person may send files to, with their other names.',
  input: z.strictObject({}),
  run: (_input, { deps, turn }) =>
    data({
      destinations: destinationsFor(deps.policy, turn.person).map(({ name, aliases }) => ({
        name,
        aliases,
        description: deps.policy.destinations[name]?.description,
      })),
    }),
});
