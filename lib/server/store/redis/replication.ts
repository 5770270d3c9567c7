import type { RedisConnection } from '../../redis/connection.ts';
import { RedisFailure } from '../../redis/failure.ts';

/** What the operator wants to be sure of before something counts as stored. */
export class Replication {
  readonly #connection: RedisConnection;
  readonly #replicas: number;
  readonly #timeoutMs: number;

  /** `timeoutMs`: how long to wait each time. */
  constructor(connection: RedisConnection, replicas: number, timeoutMs: number) {
    this.#connection = connection;
    this.#replicas = replicas;
    this.#timeoutMs = timeoutMs;
  }

  /** Resolves when enough replicas have what was written where `key` is. Throws `unavailable` when there are too few. */
  async confirm(key: string): Promise<void> {
    if (this.#replicas === 0) return;
    const count = await this.#connection.wait(key, this.#replicas, this.#timeoutMs);
    if (count >= this.#replicas) return;
    throw new RedisFailure('unavailable', `${count} of ${this.#replicas} replicas have what was written`);
  }
}
