/** The approval card: what is asked, for the person who decides; once decided, who decided. */
import { riskAdvice } from '../../core/risk-advice.ts';
import { shownText } from '../../core/shown-text.ts';
import type { ExistingPolicy, Transfer } from '../../core/transfer.ts';
import { bold, type Card, type CardElement, code, type Line, person } from '../card.ts';
import { formatBytes, formatDuration, percent } from '../format.ts';
import {
  cancelButton,
  formatInstant,
  objectLines,
  orList,
  targetLine,
  ticketsLine,
  transferButton,
  waitingLines,
  whatLine,
  whatSpan,
  whatWords,
} from './wording.ts';

export interface ProposalFacts {
  /** Who may decide, in words for people, such as group names. */
  readonly approvers: readonly string[];
  /** Epoch milliseconds; an approval whose time is over is shown as expired whatever the record says. */
  readonly now: number;
  /** Shown as an answer, beside the card that is kept in step: without buttons, as nobody would close them here. */
  readonly aside?: boolean;
}

const IF_EXISTS: Readonly<Record<ExistingPolicy, string>> = {
  refuse: 'the transfer stops and the file there stays as it is',
  overwrite: 'it is replaced',
  rename: 'the new file gets a number, such as “report (1).csv”',
};

type Outcome = 'open' | 'approved' | 'rejected' | 'withdrawn' | 'expired';

function outcomeOf({ status, decision, approvalExpiresAt }: Transfer, now: number): Outcome {
  if (decision) return decision.outcome;
  if (status === 'pending_approval') return now < approvalExpiresAt ? 'open' : 'expired';
  return status === 'expired' || status === 'rejected' ? status : 'approved';
}

function versionLine({ objectCount, preview }: Transfer['plan']): Line {
  const [first] = preview;
  if (objectCount > 1 || !first) return ['each file exactly as it is now, by its ETag'];
  const version: Line = first.versionId ? [', version ', code(shownText(first.versionId))] : [];
  return ['exactly this one: ETag ', code(shownText(first.etag)), ...version];
}

function forecastLine({ forecast }: Transfer): Line {
  if (!forecast || forecast.samples === 0) return ['no history yet'];
  const { seconds, lowSeconds, highSeconds, successRate, samples } = forecast;
  const { successLow, successHigh, elsewhere = 0 } = forecast;
  const [about, low, high] = [seconds, lowSeconds, highSeconds].map((it) => formatDuration(Math.max(1, it)));
  const duration = low === high ? `about ${about}` : `about ${about} (${low}–${high})`;
  const similar = `${samples} similar transfer${samples === 1 ? '' : 's'}`;
  if (successLow === undefined || successHigh === undefined) {
    return [`${duration}, ${percent(Math.round(successRate * samples), samples)} % of ${similar} succeeded`];
  }
  const wide = elsewhere > 0 && samples < 5 ? ` and ${elsewhere} to other places` : '';
  return [
    `${duration} in 9 of 10 cases; succeeds in ${Math.round(successRate * 100)} % ` +
      `(${Math.round(successLow * 100)}–${Math.round(successHigh * 100)} %), judged by ${similar}${wide}`,
  ];
}

/** What would lower the risk, while somebody can still decide. */
function adviceLines(transfer: Transfer): CardElement[] {
  const advice = riskAdvice(transfer);
  return advice.length === 0 ? [] : [{ type: 'context', lines: advice.map((one): Line => [`💡 ${one}`]) }];
}

function details(transfer: Transfer): CardElement[] {
  const { plan } = transfer;
  const objects = objectLines(plan);
  return [
    {
      type: 'fields',
      fields: [
        { label: 'What', value: whatLine(plan) },
        { label: 'To', value: targetLine(plan) },
        { label: 'Size', value: [formatBytes(plan.totalBytes)] },
        { label: 'Version', value: versionLine(plan) },
        { label: 'If the name is taken', value: [IF_EXISTS[plan.existing]] },
        { label: 'Forecast', value: forecastLine(transfer) },
        { label: 'Tickets', value: ticketsLine(transfer) },
        ...(plan.priority === 'high' ? [{ label: 'Priority', value: ['high'] }] : []),
      ],
    },
    ...(objects.length > 0 ? [{ type: 'text' as const, lines: objects }] : []),
  ];
}

/** How it was closed: the header, the line in the card, and the end of its one-sentence form. */
function closing(transfer: Transfer, outcome: Exclude<Outcome, 'open'>) {
  const { decision } = transfer;
  const by: Line = decision ? [' by ', person(decision.by), `, ${formatInstant(decision.at)}.`] : ['.'];
  const byWords = decision ? ` by ${shownText(decision.by.name)}` : '';
  switch (outcome) {
    case 'approved':
      return { header: '✅ Approved', line: ['✅ Approved', ...by], sentence: `was approved${byWords}` };
    case 'rejected':
      return {
        header: '❌ Rejected',
        line: ['❌ Rejected', ...by, ' Nothing was sent.'],
        sentence: `was rejected${byWords}; nothing was sent`,
      };
    case 'withdrawn':
      return {
        header: 'Withdrawn',
        line: ['Withdrawn', ...by, ' Nothing was sent.'],
        sentence: `was withdrawn${byWords}; nothing was sent`,
      };
    case 'expired':
      return {
        header: '⚠️ Expired',
        line: [
          `⚠️ Nobody decided by ${formatInstant(transfer.approvalExpiresAt)}. Nothing was sent; please ask again if it is still needed.`,
        ],
        sentence: 'expired before anybody decided; nothing was sent',
      };
  }
}

/** The buttons of the card that is kept in step, or where they are. */
function ways(transfer: Transfer, aside = false): CardElement {
  if (aside) return { type: 'context', lines: [['Its buttons are on the card in the channel.']] };
  return {
    type: 'actions',
    actions: [
      transferButton(transfer, 'approve'),
      transferButton(transfer, 'reject'),
      cancelButton(transfer, 'Withdraw'),
    ],
  };
}

/** The card of a proposal as its record stands: with buttons while it can be decided, closed after that. */
export function proposalCard(transfer: Transfer, facts: ProposalFacts): Card {
  const { plan, requester, transferId } = transfer;
  const outcome = outcomeOf(transfer, facts.now);
  const asks: Line = [
    person(requester),
    outcome === 'open' ? ' asks to send ' : ' asked to send ',
    whatSpan(plan),
    ' to ',
    bold(plan.destination),
    '.',
  ];
  const subject = `${whatWords(plan)} (${formatBytes(plan.totalBytes)}) to ${plan.destination}`;

  if (outcome !== 'open') {
    const { header, line, sentence } = closing(transfer, outcome);
    return {
      fallback: `The request of ${shownText(requester.name)} to send ${subject} ${sentence}.`,
      elements: [
        { type: 'header', text: `${header}: ${whatWords(plan)} to ${plan.destination}` },
        { type: 'text', lines: [asks] },
        ...details(transfer),
        { type: 'text', lines: [line, ...(transfer.status === 'approved' ? waitingLines(transfer) : [])] },
        { type: 'context', lines: [[transferId]] },
      ],
    };
  }

  const approvers = facts.approvers.length > 0 ? orList(facts.approvers) : undefined;
  return {
    fallback: `${shownText(requester.name)} asks to send ${subject}; somebody else has to approve it.`,
    elements: [
      { type: 'header', text: `Approval needed: ${whatWords(plan)} to ${plan.destination}` },
      { type: 'text', lines: [asks] },
      ...details(transfer),
      ...adviceLines(transfer),
      ways(transfer, facts.aside),
      {
        type: 'context',
        lines: [
          approvers
            ? ['May approve: ', approvers, ', but not ', person(requester), ' who asked.']
            : ['⚠️ The policy names nobody who may approve this.'],
          [`Approve by ${formatInstant(transfer.approvalExpiresAt)}. · ${transferId}`],
        ],
      },
    ],
  };
}
