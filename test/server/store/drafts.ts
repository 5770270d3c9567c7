import type { NameKey, UserName } from '../../../lib/protocol/names.ts';
import type { Appended, Draft, Store, StoredMessage } from '../../../lib/server/hub/ports.ts';

export const ROOM = 'builds' as NameKey;
const FP = `SHA256:${'A'.repeat(43)}`;

/** Message n, of alice, in ROOM, n seconds after 1970, not said to come again. */
export function draft(n: number, rest: Partial<Draft> = {}): Draft {
  const id = n.toString(16).padStart(32, '0');
  const from = 'alice' as UserName;
  return { room: ROOM, id, isAgain: false, from, fp: FP, kind: 'text', body: `body ${n}`, ts: n * 1_000, ...rest };
}

export function drafts(from: number, count: number, rest: Partial<Draft> = {}): Draft[] {
  return Array.from({ length: count }, (_, i) => draft(from + i, rest));
}

/** What a store that has answered so should have. */
export function storedOf(each: Draft, { seq, ts }: Appended): StoredMessage {
  const { room, id, from, fp, kind, body } = each;
  return { room, id, from, fp, kind, body, seq, ts };
}

/** Everything that the room has. */
export function readAll(store: Store, room: NameKey = ROOM): Promise<readonly StoredMessage[]> {
  return store.read(room, { after: 0, limit: Number.MAX_SAFE_INTEGER });
}

export function seqsOf(messages: readonly { readonly seq: number }[]): number[] {
  return messages.map(({ seq }) => seq);
}
