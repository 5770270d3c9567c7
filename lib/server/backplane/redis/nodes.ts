import type { Clock, Timer } from '../../../clock.ts';
import type { RedisNode } from '../../redis/node.ts';
import { isNode } from './news.ts';
import { BEAT } from './scripts.ts';

/** When nobody gave a sign of life for so many times the pause between them, it was Redis that was away. */
const SILENT_BEATS = 1.5;

export interface NodesOptions {
  readonly node: RedisNode;
  readonly clock: Clock;
  /** Between signs of life, in milliseconds. */
  readonly beatMs: number;
  /** A node that gave none for so long is gone, in milliseconds. */
  readonly goneMs: number;
  readonly onGone: (node: string) => void;
  /** Others have taken this node for gone. */
  readonly onMissed: () => void;
  /** Asked for with each sign of life: what else is to be done now and then. */
  readonly onBeat: () => Promise<void>;
}

/** Which nodes there are, this one among them. */
export class Nodes {
  readonly #options: NodesOptions;
  #live: ReadonlySet<string> = new Set();
  #timer: Timer | undefined;
  #isStopped = false;
  #isFirst = true;

  constructor(options: NodesOptions) {
    this.#options = options;
  }

  /** All others. */
  get others(): readonly string[] {
    return [...this.#live].filter((node) => node !== this.#options.node.nodeId);
  }

  /** Resolves with the first sign of life; others follow. Rejects with UNAVAILABLE. */
  async start(): Promise<void> {
    await this.beat();
    this.#schedule();
  }

  /** Whether that node is there, as far as can be known. Rejects with UNAVAILABLE. */
  async isLive(node: string): Promise<boolean> {
    // It may have come after our last look.
    if (!this.#live.has(node)) await this.beat();
    return this.#live.has(node);
  }

  /** Gives a sign of life and looks who else does. Rejects with UNAVAILABLE. */
  async beat(): Promise<void> {
    const { node, onMissed, beatMs, goneMs } = this.#options;
    const { availability, connection, keys, nodeId } = node;
    const args = [nodeId, goneMs, SILENT_BEATS * beatMs];
    const answer = await availability.once(keys.nodes, () => connection.run(BEAT, [keys.nodes], args));
    if (!Array.isArray(answer) || this.#isStopped) return;
    const [known, ...nodes] = answer;
    this.#look(new Set(nodes.filter((each) => typeof each === 'string' && isNode(each))));
    if (known === 'NEW' && !this.#isFirst) onMissed();
    this.#isFirst = false;
  }

  /** A node has said that it ends. */
  leave(node: string): void {
    this.#look(new Set([...this.#live].filter((each) => each !== node)));
  }

  /** This node ends. Never rejects. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    const { connection, keys, nodeId } = this.#options.node;
    await connection.command('ZREM', keys.nodes, nodeId).catch(() => undefined);
  }

  #look(live: ReadonlySet<string>): void {
    const gone = this.others.filter((node) => !live.has(node));
    this.#live = live;
    for (const node of gone) this.#options.onGone(node);
  }

  #schedule(): void {
    if (this.#isStopped) return;
    this.#timer = this.#options.clock.after(this.#options.beatMs, () => {
      // The next is not waited for: a sign of life that comes late is none.
      this.#schedule();
      void this.beat()
        .then(() => this.#options.onBeat())
        .catch(() => undefined);
    });
  }
}
