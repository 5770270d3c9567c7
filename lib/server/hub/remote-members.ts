import type { NameKey } from '../../protocol/names.ts';
import type { Holder, RemoteMember } from './ports.ts';

/** Who is in a room by way of other nodes. */
export class RemoteMembers {
  readonly #byNode = new Map<string, Map<NameKey, Holder>>();

  get isEmpty(): boolean {
    return this.#byNode.size === 0;
  }

  /** Takes the place of all that was known. */
  reset(members: readonly RemoteMember[]): void {
    this.#byNode.clear();
    for (const { node, holder } of members) this.set(node, holder);
  }

  set(node: string, holder: Holder): void {
    const members = this.#byNode.get(node) ?? new Map<NameKey, Holder>();
    members.set(holder.key, holder);
    this.#byNode.set(node, members);
  }

  /** False when it was not there. */
  delete(node: string, key: NameKey): boolean {
    const members = this.#byNode.get(node);
    const wasThere = members?.delete(key) ?? false;
    if (members?.size === 0) this.#byNode.delete(node);
    return wasThere;
  }

  /** Whom the node took with it. */
  dropNode(node: string): readonly Holder[] {
    const members = [...(this.#byNode.get(node)?.values() ?? [])];
    this.#byNode.delete(node);
    return members;
  }

  find(key: NameKey): Holder | undefined {
    for (const members of this.#byNode.values()) {
      const holder = members.get(key);
      if (holder !== undefined) return holder;
    }
    return undefined;
  }

  /** Each user once, however many nodes it is on. */
  all(): Iterable<Holder> {
    if (this.#byNode.size === 0) return [];
    return new Map([...this.#byNode.values()].flatMap((members) => [...members])).values();
  }
}
