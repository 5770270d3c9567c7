import type { Event } from '../../lib/protocol/messages.ts';
import { roomName, type Session } from './bcast-session.ts';
import type { Reader } from './target.ts';

/** `hello` and `join` have had the first two. */
const FIRST_REQ = 3;

/** A member that asks, one thing at a time. What it is answered is decoded whole, as every client must. */
export async function createReader(
  room: string,
  enter: (onPart: (event: Event) => void) => Promise<Session>,
): Promise<Reader> {
  let seqs: number[] = [];
  const { ask, link } = await enter((event) => {
    if (event.type === 'history') for (const { seq } of event.messages) seqs.push(seq);
  });
  let req = FIRST_REQ;
  const common = { room: roomName(room), before: null };
  return {
    async page(after, limit) {
      seqs = [];
      await ask({ ...common, type: 'history', req: req++, after, sinceMs: null, limit });
      return seqs;
    },
    async search(words, limit) {
      seqs = [];
      await ask({ ...common, type: 'search', req: req++, words, limit });
      return seqs.length;
    },
    beat: () => ask({ type: 'ping', req: req++ }),
    close: link.close,
  };
}
