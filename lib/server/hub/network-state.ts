import type { Clock } from '../../clock.ts';
import { MAX_MOTD_BYTES } from '../../limits.ts';
import type { Penalty } from '../../protocol/messages.ts';
import { utf8Length } from '../../protocol/text.ts';
import { type Ban, Bans, targetKey } from './bans.ts';
import type { Records } from './ports.ts';
import { isBan, MAX_BANS } from './room-state.ts';

const MOTD = 'motd';

/** What holds for the whole network, in memory as the store has it: its bans and mutes, and the line that greets. */
export class NetworkState {
  readonly #records: Records;
  readonly #clock: Clock;
  readonly #lists: Record<Penalty, Bans> = { ban: new Bans(), mute: new Bans() };
  #motd: string | null = null;

  constructor(records: Records, clock: Clock) {
    this.#records = records;
    this.#clock = clock;
  }

  get bans(): Bans {
    return this.#lists.ban;
  }

  get mutes(): Bans {
    return this.#lists.mute;
  }

  /** As an admin set it on the running network; null when none did. */
  get motd(): string | null {
    return this.#motd;
  }

  /** Reads everything anew. */
  async load(): Promise<void> {
    for (const penalty of ['ban', 'mute'] as const) {
      const records = await this.#records.list('ban', { prefix: `${penalty}/`, limit: MAX_BANS });
      this.#lists[penalty] = new Bans(records.map(({ value }) => value).filter(isBan));
    }
    const motd = (await this.#records.get('setting', MOTD))?.value;
    this.#motd = typeof motd === 'string' && utf8Length(motd) <= MAX_MOTD_BYTES ? motd : null;
  }

  list(penalty: Penalty): Bans {
    return this.#lists[penalty];
  }

  async add(penalty: Penalty, ban: Ban): Promise<void> {
    const expires = ban.untilMs === null ? {} : { expiresMs: ban.untilMs };
    await this.#records.put('ban', keyOf(penalty, ban.target), ban, expires);
    this.#lists[penalty] = new Bans(this.#lists[penalty].with(ban, this.#clock.nowMs()));
  }

  async lift(penalty: Penalty, target: string): Promise<void> {
    await this.#records.remove('ban', keyOf(penalty, target));
    this.#lists[penalty] = new Bans(this.#lists[penalty].without(target, this.#clock.nowMs()));
  }

  async setMotd(text: string | null): Promise<void> {
    if (text === null) await this.#records.remove('setting', MOTD);
    else await this.#records.put('setting', MOTD, text);
    this.#motd = text;
  }
}

function keyOf(penalty: Penalty, target: string): string {
  return `${penalty}/${targetKey(target)}`;
}
