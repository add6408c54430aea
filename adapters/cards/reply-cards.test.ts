/** Replies that are not about one transfer. */
import { expect, test } from 'vitest';
import { buttonsOf, cardText } from '../../test/support/cards.ts';
import { ana } from '../../test/support/transfers.ts';
import { decodeChoiceValue } from './button-value.ts';
import { answerCard, helpCard, listCard, questionCard, refusalCard } from './reply-cards.ts';

test('help uses in its examples what the person may ask for', () => {
  const text = cardText(helpCard({ source: 'data-lake/events/', destination: 'print-shop' }));
  expect(text).toContain('send s3://data-lake/events/report.csv to print-shop – one file');
  expect(text).toContain('send events/report.csv in data-lake to print-shop as in/new.csv');
  expect(text).not.toMatch(/acme-ftp|finance-exports/);
  expect(cardText(helpCard({ source: 'logos', destination: 'print-shop' }))).toContain('ls s3://logos/ –');
});

test('a list shows names as code and counts what it leaves out', () => {
  const items = Array.from({ length: 35 }, (_, index) => ({ name: `file-${index}`, detail: '1 kB' }));
  const card = listCard({ title: 'Files in finance-exports', items, more: 'Narrow it with a prefix.' });
  expect(cardText(card)).toContain('file-29 1 kB\n… and 5 more\nNarrow it with a prefix.');
  expect(card.fallback).toBe('Files in finance-exports: 35 found.');
  expect(cardText(listCard({ title: 'Files', items: [] }))).toContain('Nothing here.');
});

test('a question offers its choices as buttons for the person who was asked', () => {
  const choices = ['q3.pdf', 'q3-final.pdf'].map((label) => ({ label, text: `send ${label} to acme-ftp` }));
  const card = questionCard({ question: 'Which one?', choices }, ana.userId);
  expect(
    buttonsOf(card).map(({ actionId, label, value }) => [actionId, label, decodeChoiceValue(value)]),
  ).toEqual([
    ['choose', 'q3.pdf', { userId: ana.userId, text: 'send q3.pdf to acme-ftp' }],
    ['choose', 'q3-final.pdf', { userId: ana.userId, text: 'send q3-final.pdf to acme-ftp' }],
  ]);
});

test('a choice too long for a button, and any after ten, is shown to be typed', () => {
  const long = `send ${'k'.repeat(1_600)} to acme-ftp`;
  const short = Array.from({ length: 11 }, (_, index) => ({ label: `${index}`, text: `info ${index}` }));
  const card = questionCard(
    { question: 'Which?', choices: [{ label: 'long', text: long }, ...short] },
    ana.userId,
  );
  expect(buttonsOf(card)).toHaveLength(10);
  expect(cardText(card)).toContain(`Or answer with one of these:\n${long}\ninfo 10`);
});

test('a refusal says why and what helps', () => {
  const card = refusalCard({ reason: 'There is no bucket “finance”.', advice: 'Say “list buckets”.' });
  expect(cardText(card)).toBe('⚠️ There is no bucket “finance”.\nSay “list buckets”.');
  expect(card.fallback).toBe('There is no bucket “finance”. Say “list buckets”.');
});

test('an answer keeps its lines, and its fallback is one', () => {
  const card = answerCard('one\ntwo');
  expect(cardText(card)).toBe('one\ntwo');
  expect(card.fallback).toBe('one two');
});
