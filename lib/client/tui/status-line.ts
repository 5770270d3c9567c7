import { formatDuration } from '../../duration.ts';
import { commandOf, usageOf } from '../../protocol/commands.ts';
import { suiteOf } from '../../wire/suites.ts';
import { sanitiseLine } from '../sanitise.ts';
import { cutText, fitRow, rowWidth, spreadRow } from './rows.ts';
import type { Link, State, Window } from './state.ts';
import {
  BAR,
  BAR_ACCENT,
  BAR_DIM,
  BAR_ERROR,
  BAR_GOOD,
  BAR_STRONG,
  BAR_WARN,
  type Row,
  type Style,
  span,
} from './style.ts';

/** One row: what the keys would do now if there is something to say about it, else how we are connected. */
export function statusLine(state: State): Row {
  const hint = hintRow(state);
  if (hint !== null) return fitRow(hint, state.columns, BAR);
  const right = state.joining.length > 0 ? joiningRow(state) : typingRow(state);
  const width = state.columns - rowWidth(right);
  return spreadRow(linkRow(state, width), right, state.columns, BAR);
}

function hintRow(state: State): Row | null {
  if (state.quitArmedUntilMs > state.nowMs) return [span(' Ctrl-C again to quit', BAR_WARN)];
  if (state.completion !== null && state.completion.candidates.length > 1) return completionRow(state);
  if (state.mode.type === 'search') {
    const found =
      state.mode.serial === null && state.mode.query !== '' ? 'not found' : 'Ctrl-S or Up: older   Down: newer';
    return [span(` ${found}   Enter: stay here   Esc: back`, BAR_DIM)];
  }
  if (state.mode.type === 'recall') return [span(' Ctrl-R: older   Enter: take it   Esc: back', BAR_DIM)];
  if (state.mode.type === 'secret') return [span(` ${SECRET_HINT}   Enter: done   Esc: cancel`, BAR_DIM)];
  return usageRow(state);
}

const SECRET_HINT = 'What you type is not shown';

/** The candidates, the one taken in the accent; a long list moves with it. */
function completionRow({ completion, columns }: State): Row {
  const labels = completion?.labels ?? [];
  const index = completion?.index ?? 0;
  let from = 0;
  const widthTo = (start: number): number =>
    labels.slice(start, index + 1).reduce((sum, label) => sum + label.length + 2, 4);
  while (from < index && widthTo(from) > columns) from += 1;
  const head: Row = [span(from > 0 ? ' <' : ' ', BAR_DIM)];
  return [
    ...head,
    ...labels
      .slice(from)
      .map((label, position) => span(`${sanitiseLine(label)}  `, position + from === index ? BAR_ACCENT : BAR)),
  ];
}

/** How the command being written is used. */
function usageRow({ editor, mode }: State): Row | null {
  if (mode.type !== 'write') return null;
  const head = /^\/([^\s/]+)\s/.exec(editor.text);
  const command = head?.[1] === undefined ? undefined : commandOf(head[1]);
  if (command === undefined) return null;
  return [span(` ${usageOf(command)}`, BAR), span(`  ${command.help}`, BAR_DIM)];
}

/** A room that is slow to open must not look like a program that does nothing. */
function joiningRow({ joining, link, columns }: State): Row {
  const names = joining.map((key) => `#${sanitiseLine(key)}`).join(', ');
  return link.state === 'online' ? [span(cutText(`entering ${names}… `, Math.floor(columns / 2)), BAR_DIM)] : [];
}

function typingRow({ windows, active, nowMs, columns }: State): Row {
  const window = windows[active] as Window;
  const names = window.typing.filter(({ untilMs }) => untilMs > nowMs).map(({ name }) => sanitiseLine(name));
  if (names.length === 0) return [];
  const text =
    names.length > 2
      ? `${names.length} people are typing… `
      : `${names.join(' and ')} ${names.length > 1 ? 'are' : 'is'} typing… `;
  return [span(cutText(text, Math.floor(columns / 2)), BAR_DIM)];
}

/** A part of the line in its long and its short form. */
type Part = readonly [long: Row, short: Row];

/** The parts from the most to the least important. Where they do not fit, the last are shortened first, then left out. */
function linkRow(state: State, width: number): Row {
  const head = headPart(state);
  const details = detailParts(state);
  for (let shortened = 0; shortened <= details.length; shortened += 1) {
    const row = joinedParts(head, details, details.length - shortened);
    if (rowWidth(row) <= width) return row;
  }
  for (let kept = details.length - 1; kept > 0; kept -= 1) {
    const row = joinedParts(head, details.slice(0, kept), 0);
    if (rowWidth(row) <= width) return row;
  }
  return [span(' ', BAR), ...head];
}

/** The first `long` details in their long form, the others in their short one. */
function joinedParts(head: Row, details: readonly Part[], long: number): Row {
  const rest = details.flatMap(([whole, short], index): Row => [span('   ', BAR), ...(index < long ? whole : short)]);
  return [span(' ', BAR), ...head, ...rest];
}

function headPart({ link, me, away }: State): Row {
  const name: Row =
    me === null ? [] : [span(` ${me}`, BAR_STRONG), ...(away === null ? [] : [span(' (away)', BAR_WARN)])];
  switch (link.state) {
    case 'connecting':
      return [span('○ connecting…', BAR_WARN)];
    case 'online':
      return [span('●', BAR_GOOD), ...name];
    case 'offline':
      return [span('○', BAR_ERROR), ...name];
    default:
      return link satisfies never;
  }
}

function detailParts(state: State): Part[] {
  const { link, nowMs } = state;
  const parts: Part[] = [];
  const add = (style: Style, long: string, short: string = long): unknown =>
    parts.push([[span(long, style)], [span(short, style)]]);
  if (link.state === 'offline') add(BAR_WARN, retryText(link, nowMs, state.columns));
  if (state.slowUntilMs > nowMs) add(BAR_WARN, 'slowed down by the server', 'slowed down');
  if (state.storageOutUntilMs > nowMs) add(BAR_WARN, 'the server cannot store just now', 'not storing');
  const waiting = state.windows.reduce((sum, { pending }) => sum + pending.length, 0);
  if (waiting > 1) add(BAR_DIM, `${waiting} to send`);
  if (link.state === 'online' && state.latencyMs !== null) add(BAR_DIM, latencyText(state.latencyMs));
  if (link.state === 'connecting' || link.server === null) return parts;
  const { address, fingerprint, trust, suite } = link.server;
  add(BAR_DIM, sanitiseLine(address));
  add(BAR_DIM, `${TRUST[trust]} ${fingerprint.slice(0, 15)}…`, TRUST[trust]);
  add(BAR_DIM, suiteText(suite), `suite ${suite}`);
  return parts;
}

const TRUST = { pinned: 'pinned', known: 'known', local: 'own', accepted: 'new' } as const;

function retryText(
  { retryAtMs, attempt }: Extract<Link, { state: 'offline' }>,
  nowMs: number,
  columns: number,
): string {
  const inMs = Math.max(0, retryAtMs - nowMs);
  const when = inMs < 500 ? 'trying again…' : `trying again in ${formatDuration(Math.ceil(inMs / 1_000) * 1_000)}`;
  if (columns < 60) return when;
  return attempt > 1 ? `offline, ${when} (attempt ${attempt})` : `offline, ${when}`;
}

function latencyText(ms: number): string {
  return ms < 10 ? `${Math.max(0.1, ms).toFixed(1)} ms` : `${Math.round(ms)} ms`;
}

/** What matters of a suite to somebody who reads a status line. */
function suiteText(id: number): string {
  const suite = suiteOf(id);
  if (suite === undefined) return `suite ${id}`;
  const exchange = suite.isPostQuantum ? 'X25519+ML-KEM' : 'X25519';
  return `${exchange} ${suite.recordCipher === 'aesGcm' ? 'AES-GCM' : 'secretbox'}`;
}
