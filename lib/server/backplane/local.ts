import type { Backplane } from '../hub/ports.ts';

/** No other node: whatever is asked about names and rooms, the hub knows it all itself. */
export function createLocalBackplane(): Backplane {
  return {
    isAlone: true,
    async start() {},
    async stop() {},
    async claim() {},
    async release() {},
    async describe() {},
    async find() {
      return null;
    },
    async enter() {
      return [];
    },
    async leave() {},
    async setMember() {},
    tellRoom() {},
    tellAll() {},
    async rooms() {
      return [];
    },
  };
}
