import type { ServerOptions } from '../../../lib/config/options.ts';
import { requireUserName } from '../../../lib/protocol/names.ts';
import { startHeartbeat } from '../../../lib/server/session/heartbeat.ts';
import { FlushList } from '../../../lib/server/session/send-queue.ts';
import { Session } from '../../../lib/server/session/session.ts';
import { createBindingCache } from '../../../lib/wire/crypto/identity.ts';
import { createNativeCrypto } from '../../../lib/wire/crypto/native.ts';
import { createMemoryPair } from '../../../lib/wire/transport/memory.ts';
import type { Transport } from '../../../lib/wire/transport/transport.ts';
import { newIdentity, Peer, type PeerOptions } from '../../helpers/peer.ts';
import { HubHarness, quiet } from '../hub/harness.ts';

const crypto = createNativeCrypto();

export interface PlugOptions {
  /** What the session is told that its transport holds, instead of the truth. */
  readonly bufferedBytes?: () => number;
}

/** Sessions with everything above them and a pipe in memory below: no socket, and no clock but the test's. */
export class SessionHarness extends HubHarness {
  readonly sessions = new Set<Session>();
  readonly #limits: ConstructorParameters<typeof Session>[0]['limits'];
  readonly #identity = newIdentity();
  readonly #flushList = new FlushList(setImmediate);

  constructor(options: Partial<ServerOptions> = {}) {
    super(options);
    this.#limits = this.options;
    startHeartbeat(this.sessions, this.clock, this.#limits);
  }

  /** Here turns end by themselves. */
  protected override atEndOfTurn(callback: () => void): void {
    setImmediate(callback);
  }

  /** A pipe with a session at its other end; nothing was said on it yet. */
  plug({ bufferedBytes }: PlugOptions = {}): { readonly transport: Transport; readonly session: Session; cut(): void } {
    const pair = createMemoryPair();
    const { hub, clock } = this;
    const context = {
      hub,
      crypto,
      identity: this.#identity,
      bindings: createBindingCache(100),
      clock,
      log: hub.log,
      limits: this.#limits,
      flushList: this.#flushList,
      nextTurn: setImmediate,
    };
    const transport = bufferedBytes === undefined ? pair.b : pretending(pair.b, bufferedBytes);
    const session = new Session(context, transport, (gone) => this.sessions.delete(gone));
    this.sessions.add(session);
    return { transport: pair.a, session, cut: () => pair.cut() };
  }

  /** A peer whose channel is open but who has said nothing. */
  async open(options: Omit<PeerOptions, 'port'> & PlugOptions = {}) {
    const plugged = this.plug(options);
    const peer = new Peer(plugged.transport, options);
    await peer.opened;
    return { ...plugged, peer };
  }

  async enterPeer(name: string, options: Omit<PeerOptions, 'port'> & PlugOptions = {}) {
    const opened = await this.open(options);
    const answer = await opened.peer.ask({ type: 'hello', name: requireUserName(name), agent: 'test', password: null });
    if (answer.type === 'error') throw new Error(`hello refused: ${answer.code} ${answer.text}`);
    return opened;
  }

  /** Lets everything happen that needs no time to pass and nobody else to act. */
  async settle(turns = 20): Promise<void> {
    for (let i = 0; i < turns; i += 1) {
      await quiet();
    }
  }
}

function pretending(transport: Transport, bufferedBytes: () => number): Transport {
  return {
    remoteAddress: transport.remoteAddress,
    get bufferedBytes() {
      return bufferedBytes();
    },
    start: (handler) => transport.start(handler),
    write: (bytes) => transport.write(bytes),
    pause: () => transport.pause(),
    resume: () => transport.resume(),
    end: () => transport.end(),
    destroy: () => transport.destroy(),
  };
}
