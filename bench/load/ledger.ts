/** Messages in a block: progress of the slowest member is known in steps of this many. */
export const BLOCK_MESSAGES = 32;

/** Who has received what in one room. */
export interface Ledger {
  /** Books a delivery; throws when it is not the next one due to this member, so a lost or doubled one is loud. */
  received(member: number, seq: number): void;
  /** Messages that every member has, rounded down to whole blocks. */
  slowest(): number;
  /** Deliveries booked so far, over all members. */
  deliveries(): number;
}

/**
 * Keeps a room's account. Each member books in order, so the slowest has passed a block's end exactly when all have; the
 * cost a delivery is one comparison.
 */
export function createLedger(members: number, onAdvance: () => void): Ledger {
  const nextSeq = new Uint32Array(members);
  const passed: number[] = [];
  let slowest = 0;
  let deliveries = 0;
  const passBlock = (block: number) => {
    passed[block] = (passed[block] ?? 0) + 1;
    if (passed[block] < members) return;
    slowest = block * BLOCK_MESSAGES;
    onAdvance();
  };
  return {
    received(member, seq) {
      const due = nextSeq[member] as number;
      if (seq !== due) {
        const fault = seq > due ? 'LOST' : 'DOUBLED';
        throw new Error(`${fault}: member ${member} received message ${seq} where ${due} was due`);
      }
      nextSeq[member] = due + 1;
      deliveries++;
      if ((due + 1) % BLOCK_MESSAGES === 0) passBlock((due + 1) / BLOCK_MESSAGES);
    },
    slowest: () => slowest,
    deliveries: () => deliveries,
  };
}
