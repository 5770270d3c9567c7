import { sanitiseLine } from '../sanitise.ts';
import { byRank, type Members } from './members.ts';
import { cutText, fitRow } from './rows.ts';
import type { Member } from './state.ts';
import { ACCENT, DIM, FAINT, nickStyle, type Row, span, TEXT } from './style.ts';

/** The members in `height` rows of `width` columns, a rule at their left; those with a say first and marked. */
export function memberList(members: Members, width: number, height: number): Row[] {
  const names = byRank(members);
  const room = height - 1;
  const shown = names.length > room ? names.slice(0, room - 1) : names;
  const rows: Row[] = [[span(` ${members.length} here`, DIM)], ...shown.map((member) => memberRow(member, width - 1))];
  if (shown.length < names.length) rows.push([span(`  +${names.length - shown.length} more`, DIM)]);
  while (rows.length < height) rows.push([]);
  return rows.slice(0, height).map((row) => [span('│', FAINT), ...fitRow(row, width - 1)]);
}

function memberRow({ name, role, away }: Member, width: number): Row {
  const mark = role === 'member' ? ' ' : role === 'moderator' ? '+' : '@';
  const text = cutText(sanitiseLine(name), width - 3);
  return [span(` ${mark}`, ACCENT), span(text, away === null ? nickStyle(name) : DIM), span(' ', TEXT)];
}
