import { createHash } from 'node:crypto';
import type { NameKey, UserName } from '../../lib/protocol/names.ts';
import type { Draft, Store } from '../../lib/server/hub/ports.ts';
import { createRandom, sentence } from './words.ts';

/** What a store holds before its server starts. */
export interface Stock {
  readonly rooms: number;
  readonly messagesPerRoom: number;
  /** How many messages of a room the server keeps. */
  readonly keepMessages: number;
}

/** The name of the room at that place. */
export const stockedRoom = (place: number): string => `stocked-${place}`;

const FINGERPRINT = `SHA256:${'A'.repeat(43)}`;
const AUTHOR = 'alice' as UserName;

/** One call of the store for a room with many messages, and rooms that are made at the same time. */
const BATCH_MESSAGES = 1_000;
const ROOMS_AT_ONCE = 500;
/** Between messages, so that the last is of just now. */
const STEP_MS = 1_000;

/** Fills an empty store by its own calls, without a network; tells how far it is, from 0 to 1. */
export async function fillStore(store: Store, stock: Stock, onProgress: (share: number) => void): Promise<void> {
  const random = createRandom(1);
  const nowMs = Date.now();
  let filled = 0;
  for (let from = 0; from < stock.rooms; from += ROOMS_AT_ONCE) {
    const places = Array.from({ length: Math.min(ROOMS_AT_ONCE, stock.rooms - from) }, (_, i) => from + i);
    await Promise.all(
      places.map(async (place) => {
        const room = stockedRoom(place) as NameKey;
        await makeRoom(store, room);
        for (let first = 0; first < stock.messagesPerRoom; first += BATCH_MESSAGES) {
          const count = Math.min(BATCH_MESSAGES, stock.messagesPerRoom - first);
          const fromMs = nowMs - (stock.messagesPerRoom - first) * STEP_MS;
          const drafts = Array.from({ length: count }, (_, i) =>
            draftOf(room, place, first + i, fromMs + i * STEP_MS, sentence(random)),
          );
          await store.append(drafts);
          filled += count;
          onProgress(filled / (stock.rooms * stock.messagesPerRoom));
        }
      }),
    );
  }
}

/** A room that outlives everybody, as the server writes it when somebody has made and kept it. */
async function makeRoom(store: Store, room: NameKey): Promise<void> {
  await store.open(room);
  await store.retain(room, true);
  const grants = [{ fp: FINGERPRINT, name: AUTHOR, role: 'owner' }];
  const open = { access: 'open', codeDigest: null, topic: null, bans: [], mutes: [], isRetained: true };
  await store.put('room', room, { name: room, grants, ...open }, { over: 0 });
}

function draftOf(room: NameKey, place: number, i: number, ts: number, body: string): Draft {
  const id = createHash('md5').update(`${place} ${i}`).digest('hex');
  return { room, id, isAgain: false, from: AUTHOR, fp: FINGERPRINT, kind: 'text', body, ts };
}
