import type { NameKey } from '../../protocol/names.ts';
import type { RecordKind } from '../hub/ports.ts';

/** Records of a room stand in its slot and go with it. */
export type RoomRecordKind = Extract<RecordKind, 'room' | 'read'>;

/** In the order of their keys. */
export const ROOM_RECORDS: readonly RoomRecordKind[] = ['room', 'read'];

/** Where everything of one room is: what stands in braces decides the slot, so that one script reaches all of it. */
export interface RoomKeys {
  /** In the order in which every script of a room is given them. */
  readonly all: readonly string[];
  /** The messages; one of `all`. */
  readonly log: string;
  readonly channel: string;
  /** Who is in it by way of which node, and which nodes have it open. */
  readonly members: string;
}

/** The names of all keys; docs/REDIS.md is this file as a table. */
export interface Keys {
  room(room: NameKey): RoomKeys;
  record(kind: RecordKind, key: string): string;
  /** The keys of a kind's records, in order. */
  index(kind: RecordKind): string;
  /** Who holds a name. */
  name(name: NameKey): string;
  /** When each node was last seen. */
  readonly nodes: string;
  /** The channel that all nodes hear. */
  readonly network: string;
  /** The channel that one node hears. */
  node(node: string): string;
  /** When this Redis was first seen empty, in microseconds since 1970. */
  readonly epoch: string;
}

/** Names of rooms hold no braces, and what follows the last one is ours: no two things share a key. */
export function createKeys(prefix: string): Keys {
  const at = (tag: string, what: string) => `${prefix}:{${tag}}:${what}`;
  return {
    room: (room) => ({
      all: ['head', 'log', 'ids', 'ids-old', 'room', 'read', 'fence'].map((what) => at(room, what)),
      log: at(room, 'log'),
      channel: `${prefix}:{${room}}`,
      members: at(room, 'members'),
    }),
    record: (kind, key) => at(key, kind),
    index: (kind) => `${prefix}:index:${kind}`,
    name: (name) => at(name, 'name'),
    nodes: `${prefix}:nodes`,
    network: `${prefix}:network`,
    node: (node) => `${prefix}:node:${node}`,
    epoch: `${prefix}:epoch`,
  };
}

export function isRoomRecord(kind: RecordKind): kind is RoomRecordKind {
  return kind === 'room' || kind === 'read';
}
