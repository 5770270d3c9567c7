import type { Cores } from './machine.ts';
import type { AcksCell } from './scenarios/acks.ts';
import type { ConnectionsCell } from './scenarios/connections.ts';
import type { FanoutCell } from './scenarios/fanout.ts';
import type { IdleCell } from './scenarios/idle.ts';
import type { LookupCell } from './scenarios/lookup.ts';
import type { MemoryCell } from './scenarios/memory.ts';
import type { ResumeCell } from './scenarios/resume.ts';
import type { Outcome } from './scenarios/scenario.ts';
import type { SteadyCell } from './scenarios/steady.ts';
import type { StoredCell } from './scenarios/stored.ts';
import type { WaitingCell } from './scenarios/waiting.ts';
import type { RedisProcess, ServerNode } from './targets/target.ts';

export type Cell =
  | FanoutCell
  | WaitingCell
  | AcksCell
  | SteadyCell
  | ConnectionsCell
  | MemoryCell
  | IdleCell
  | ResumeCell
  | LookupCell
  | StoredCell;

/** What the bench asks of a load process: one cell against one running server. */
export interface LoadJob {
  readonly target: string;
  readonly nodes: readonly ServerNode[];
  readonly redis: RedisProcess | undefined;
  readonly startMs: number | undefined;
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
