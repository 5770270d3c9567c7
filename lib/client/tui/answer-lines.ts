import { formatDuration } from '../../duration.ts';
import type { BanRow, Events, MemberRow, Penalty, RoomRow } from '../../protocol/messages.ts';
import type { RoomName, UserName } from '../../protocol/names.ts';
import type { RoomMessage } from '../events.ts';
import { grouped, shortMoment, untilText } from './times.ts';

/** Lines of a list in the window; longer ones say how much is left out. */
const MAX_LISTED = 100;
const MAX_READERS = 20;
/** What is shown of a message that was found, in UTF-16 units. */
const MAX_FOUND_TEXT = 300;

/** What the server answered, in words. They may hold what others wrote: unsafe to print. */
export function membersText(room: RoomName, rows: readonly MemberRow[]): string {
  const names = rows.slice(0, MAX_LISTED).map(({ name, role, away }) => {
    const mark = role === 'member' ? '' : role === 'moderator' ? '+' : '@';
    return `${mark}${name}${away === null ? '' : ' (away)'}`;
  });
  const more = rows.length > MAX_LISTED ? ` and ${rows.length - MAX_LISTED} more` : '';
  return `${rows.length} in #${room}: ${names.join(', ')}${more}`;
}

export function roomsText(rows: readonly RoomRow[]): string {
  if (rows.length === 0) return 'There are no rooms.';
  const lines = rows
    .toSorted((a, b) => b.members - a.members)
    .slice(0, MAX_LISTED)
    .map(({ room, members, access, topic }) =>
      [
        `#${room}  ${members} here`,
        ...(access === 'locked' ? ['locked'] : []),
        ...(topic === null ? [] : [oneLine(topic)]),
      ].join('  '),
    );
  const more = rows.length > MAX_LISTED ? [`and ${rows.length - MAX_LISTED} more rooms`] : [];
  return [...lines, ...more].join('\n');
}

export function userText(user: Events['user'], nowMs: number): string {
  const rooms = user.rooms.length === 0 ? 'no room you share' : user.rooms.map((room) => `#${room}`).join(' ');
  const facts = [
    user.name,
    ...(user.registered ? ['registered'] : []),
    ...(user.role === 'member' ? [] : [`${user.role} of this server`]),
    ...(user.away === null ? [] : [`away: ${user.away}`]),
  ];
  const silent = user.idleMs === null ? '' : `, silent for ${formatDuration(user.idleMs)}`;
  const here = `  here for  ${formatDuration(Math.max(0, nowMs - user.sinceMs))}${silent}`;
  const places = user.sessions > 1 ? `, from ${user.sessions} places` : '';
  return [
    facts.join(', '),
    `  identity  ${user.fp}`,
    ...(user.sessions === 0
      ? [`  last here ${untilText(user.sinceMs, nowMs)}`]
      : [`  in        ${rooms}`, here + places]),
  ].join('\n');
}

export function bansText(penalty: Penalty, rows: readonly BanRow[], nowMs: number): string {
  if (rows.length === 0) return penalty === 'ban' ? 'Nobody is banned here.' : 'Nobody is muted here.';
  const lines = rows.slice(0, MAX_LISTED).map(({ target, by, untilMs, reason }) => {
    const until = untilMs === null ? 'for good' : `until ${untilText(untilMs, nowMs)}`;
    return `${target}  ${until}, by ${by}${reason === null ? '' : `: ${reason}`}`;
  });
  return lines.join('\n');
}

export function foundText(
  words: string,
  { messages, fromSeq }: { readonly messages: readonly RoomMessage[]; readonly fromSeq: number },
  nowMs: number,
): string {
  const reach = `Looked back to message ${fromSeq}.`;
  if (messages.length === 0) return `Nothing has "${words}". ${reach}`;
  const lines = messages.map(({ seq, ts, from, body }) => {
    const text = oneLine(body);
    const shown = text.length > MAX_FOUND_TEXT ? `${text.slice(0, MAX_FOUND_TEXT)}…` : text;
    return `  #${seq}  ${shortMoment(ts, nowMs)}  ${from}: ${shown}`;
  });
  const count = messages.length === 1 ? 'One message has' : `${messages.length} messages have`;
  return [`${count} "${words}". ${reach}`, ...lines].join('\n');
}

export function receiptsText({ seq, members, delivered, read, readers }: Events['receipts']): string {
  const names = readers.slice(0, MAX_READERS).join(', ');
  const more =
    read > Math.min(readers.length, MAX_READERS)
      ? ` and ${grouped(read - Math.min(readers.length, MAX_READERS))} more`
      : '';
  const who = names === '' ? '' : `: ${names}${more}`;
  return `Message ${seq}: ${grouped(delivered)} of ${grouped(members)} others have it, ${grouped(read)} have read it${who}.`;
}

export function followsText(names: readonly UserName[]): string {
  return names.length === 0 ? 'You follow nobody.' : `You follow ${names.join(', ')}.`;
}

function oneLine(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, ' ');
}
