import type { Usage } from '../machine.ts';
import type { Metrics } from './scenario.ts';

/** Where there are several servers, each has as many members of a room, or the first has all but one of each other. */
export type Placing = 'even' | 'at-first';

/** The place of a member's server. */
export function nodeOf(placing: Placing, nodes: number): (member: number) => number {
  if (placing === 'even') return (member) => member % nodes;
  return (member) => (member < nodes ? member : 0);
}

/** What each node does for rooms of so many members: the first stores and tells, the others only hear. */
export function nodeMetrics(
  { members, placing }: { readonly members: number; readonly placing: Placing },
  messages: number,
  { nodeCpuUs }: Usage,
): Metrics {
  const [firstUs = 0, ...others] = nodeCpuUs;
  const place = nodeOf(placing, nodeCpuUs.length);
  const atFirst = Array.from({ length: members }, (_, member) => place(member)).filter((node) => node === 0).length;
  const first = { firstCpuUsPerDelivery: firstUs / (messages * atFirst), firstCpuUsPerMessage: firstUs / messages };
  if (others.length === 0) return first;
  const othersUs = others.reduce((sum, us) => sum + us, 0);
  return {
    ...first,
    hearingCpuUsPerDelivery: othersUs / (messages * (members - atFirst)),
    hearingCpuUsPerMessage: othersUs / others.length / messages,
  };
}
