import type { Cores } from './machine.ts';
import type { AcksCell } from './scenarios/acks.ts';
import type { ConnectionsCell } from './scenarios/connections.ts';
import type { FanoutCell } from './scenarios/fanout.ts';
import type { MemoryCell } from './scenarios/memory.ts';
import type { Outcome } from './scenarios/scenario.ts';
import type { SteadyCell } from './scenarios/steady.ts';
import type { WaitingCell } from './scenarios/waiting.ts';
import type { Endpoint } from './targets/target.ts';

export type Cell = FanoutCell | WaitingCell | AcksCell | SteadyCell | ConnectionsCell | MemoryCell;

/** What the bench asks of a load process: one cell against one running server. */
export interface LoadJob {
  readonly target: string;
  readonly endpoint: Endpoint;
  readonly serverPid: number;
  readonly cores: Cores;
  readonly cell: Cell;
}

/** What the load process answers, once. */
export type LoadReply =
  | { readonly outcome: Outcome; readonly wire: string }
  | {
      /** What went wrong, for people; a lost message says so. */
      readonly failure: string;
    };
