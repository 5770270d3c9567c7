import { natsTarget } from './nats.ts';
import type { Target } from './target.ts';
import { wsTarget } from './ws.ts';

export const TARGETS: readonly Target[] = [natsTarget, wsTarget];

export function findTarget(name: string): Target {
  const target = TARGETS.find((candidate) => candidate.name === name);
  if (target === undefined) throw new Error(`no target ${name}; there are ${TARGETS.map((t) => t.name).join(', ')}`);
  return target;
}
