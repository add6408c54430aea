/** The whole house with a model: Ana's sentence goes to it over the wire, what it proposes is decided by Bob and delivered. */
import { describe, expect, it } from 'vitest';
import { localScript } from '../../infra/local/bedrock-script.ts';
import { useHouse, waitFor } from '../support/house.ts';
import { hasLocalSlack } from '../support/require.ts';

const KEY = 'reports/2026/Q3/summary.xlsx';

describe.skipIf(!hasLocalSlack())('the walk with a model', () => {
  const house = useHouse({ model: localScript });

  it('goes from a sentence to a delivered file, and the turn is logged with its cost', async () => {
    const asked = await house.requestTransfer('ana', `send s3://finance-exports/${KEY} to acme-ftp`);
    await house.approve('bob', asked);
    await house.settled(asked.transferId, 'completed');
    expect(house.stack.model?.requests.length).toBeGreaterThan(0);
    expect(house.logged('model turn', { outcome: 'proposed' })).toMatchObject({
      tools: ['execute_transfer'],
      steps: 1,
      tokens: expect.any(Number),
      costUsd: expect.any(Number),
    });
  });

  it('answers by fixed rules, and says so, when the model is down', async () => {
    const model = house.stack.model;
    if (!model) throw new Error('no model');
    model.script = () => ({ error: 'ServiceUnavailableException', status: 503 });
    const root = await house.mention('ana', 'help');
    await house.reply(root, 'by fixed rules');
    await waitFor('the log', () => house.logged('turn worked out', { reply: 'help' }));
  });
});
