import type { Usage } from '../machine.ts';
import type { LoadClient } from '../targets/target.ts';

/** What can be measured, with its unit in the name. */
export type Metric =
  | 'cpuUsPerDelivery'
  | 'deliveriesPerS'
  | 'p50Ms'
  | 'p99Ms'
  /** The median of the p99s of slices of 0.1 s. */
  | 'sliceP99Ms'
  | 'cpuUsPerAck'
  | 'acksPerS'
  | 'cpuUsPerConnection'
  | 'connectionsPerS'
  | 'residentKiBPerConnection';

export interface Outcome {
  readonly metrics: Partial<Record<Metric, number>>;
  readonly usage: Usage;
}

export interface ScenarioContext {
  readonly client: LoadClient;
  /** Starts measuring the server and this process; the result stops it. */
  readonly startUsage: () => () => Usage;
  readonly serverResidentBytes: () => number;
}

/** Connections being set up at a time, in every scenario. */
export const CONNECT_CONCURRENCY = 8;

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The figures that follow from deliveries alone. */
export function deliveryMetrics(deliveries: number, usage: Usage) {
  return {
    cpuUsPerDelivery: usage.serverCpuUs / deliveries,
    deliveriesPerS: (deliveries / usage.elapsedMs) * 1000,
  };
}
