import type { Client, Found, JoinOptions, SayOptions } from '../../../lib/client/client.ts';
import { EventQueue } from '../../../lib/client/event-queue.ts';
import type { ClientEvent, PrivateMessage, Receipt, RoomMessage } from '../../../lib/client/events.ts';
import { BcastError } from '../../../lib/errors.ts';
import type { Events } from '../../../lib/protocol/messages.ts';
import { requireRoomName, requireUserName } from '../../../lib/protocol/names.ts';

/** Something that was said, waiting for the test to decide what becomes of it. */
export interface Said {
  readonly where: string;
  readonly body: string;
  readonly id: string;
  readonly acknowledge: () => void;
  readonly refuse: (error: BcastError) => void;
}

const FINGERPRINT = `SHA256:${'A'.repeat(43)}`;

export function roomMessage(body: string, more: Partial<RoomMessage> = {}): RoomMessage {
  const [room, from] = [requireRoomName('lobby'), requireUserName('alice')];
  const id = 'a'.repeat(32);
  return {
    type: 'message',
    room,
    seq: 1,
    ts: 0,
    from,
    fp: FINGERPRINT,
    id,
    kind: 'text',
    body,
    isHistory: false,
    ...more,
  };
}

export function privateMessage(body: string): PrivateMessage {
  const [from, to] = [requireUserName('alice'), requireUserName('bob')];
  return { type: 'private', from, to, fp: FINGERPRINT, kind: 'text', ts: 0, id: 'b'.repeat(32), body };
}

/** A client without a server: what is said waits in `said`, and the test tells what happens. */
export class FakeClient {
  readonly maxBodyBytes = 100;
  readonly said: Said[] = [];
  readonly joined: { readonly room: string; readonly options: JoinOptions | undefined }[] = [];
  /** What the next joins are refused with. */
  readonly refusals: BcastError[] = [];
  /** What a room's banner says beside its name. */
  banner: Partial<Events['joined']> = {};
  readonly codes = new Map<string, string>();
  found: Found = { messages: [], fromSeq: 1 };
  readonly searches: unknown[] = [];
  /** Told when a room is joined, before the join resolves. */
  backlog: readonly ClientEvent[] = [];
  isClosed = false;
  acknowledgesAtOnce = false;
  readonly #events = new EventQueue({ onPressure: () => undefined, onOverflow: () => undefined });
  #seq = 0;
  #waiting: (() => void)[] = [];

  tell(to: string, body: string, options?: SayOptions): Promise<Receipt> {
    return this.#take(`@${to}`, body, options);
  }

  say(room: string, body: string, options?: SayOptions): Promise<Receipt> {
    return this.#take(room, body, options);
  }

  publish(body: string, options?: SayOptions): Promise<Receipt> {
    return this.#take('@followers', body, options);
  }

  codeOf(room: string): string | null {
    return this.codes.get(room) ?? null;
  }

  inviteUrl(room: string): string {
    return `bcast://h:7/${room}`;
  }

  async search(...asked: unknown[]): Promise<Found> {
    this.searches.push(asked);
    return this.found;
  }

  async join(room: string, options?: JoinOptions): Promise<Events['joined']> {
    this.joined.push({ room, options });
    const refusal = this.refusals.shift();
    if (refusal !== undefined) throw refusal;
    const banner = { room: requireRoomName(room), code: null, ...this.banner } as Events['joined'];
    this.emit({ type: 'joined', room: banner.room, banner, isRejoin: false });
    for (const event of this.backlog) this.emit(event);
    this.#wake();
    return banner;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    for (const { refuse } of this.said.splice(0)) refuse(new BcastError('CLOSED'));
    this.#events.end();
  }

  emit(event: ClientEvent): void {
    this.#events.push(event);
  }

  subscribe(listener: (event: ClientEvent) => void): () => void {
    return this.#events.subscribe(listener);
  }

  [Symbol.asyncIterator](): AsyncIterator<ClientEvent> {
    return this.#events.read();
  }

  /** Resolves when so many messages are waiting to be acknowledged. */
  async waiting(count: number): Promise<void> {
    await this.until(() => this.said.length >= count);
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  asClient(): Client {
    return this as unknown as Client;
  }

  #take(where: string, body: string, { id = '0'.repeat(32) }: SayOptions = {}): Promise<Receipt> {
    return new Promise((resolve, reject) => {
      const said: Said = {
        where,
        body,
        id,
        acknowledge: () => {
          this.said.splice(this.said.indexOf(said), 1);
          this.#seq += 1;
          const room = where.startsWith('@') ? null : requireRoomName(where);
          const receipt = { id, room, seq: room === null ? null : this.#seq, ts: 0 };
          this.emit({ type: 'sent', id, receipt });
          resolve(receipt);
          if (room !== null) this.emit(roomMessage(body, { id, room, seq: this.#seq, from: requireUserName('me') }));
        },
        refuse: (error) => {
          const at = this.said.indexOf(said);
          if (at >= 0) this.said.splice(at, 1);
          reject(error);
        },
      };
      this.said.push(said);
      if (this.acknowledgesAtOnce) said.acknowledge();
      this.#wake();
    });
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
