/** The load process: takes one job over IPC, runs the scenario against the server, answers, ends. */
import type { Cell, LoadJob, LoadReply } from './job.ts';
import { residentBytes, startUsage } from './machine.ts';
import { runAcks } from './scenarios/acks.ts';
import { runConnections } from './scenarios/connections.ts';
import { runFanout } from './scenarios/fanout.ts';
import { runIdle } from './scenarios/idle.ts';
import { runLookup } from './scenarios/lookup.ts';
import { runMemory } from './scenarios/memory.ts';
import { runResume } from './scenarios/resume.ts';
import type { Outcome, ScenarioContext } from './scenarios/scenario.ts';
import { runSteady } from './scenarios/steady.ts';
import { runStored } from './scenarios/stored.ts';
import { runWaiting } from './scenarios/waiting.ts';
import { readRedisCounters } from './targets/redis-wire.ts';
import { findTarget } from './targets/targets.ts';

function runCell(cell: Cell, context: ScenarioContext): Promise<Outcome> {
  switch (cell.scenario) {
    case 'fanout':
      return runFanout(cell, context);
    case 'waiting':
      return runWaiting(cell, context);
    case 'acks':
      return runAcks(cell, context);
    case 'steady':
      return runSteady(cell, context);
    case 'connections':
      return runConnections(cell, context);
    case 'memory':
      return runMemory(cell, context);
    case 'idle':
      return runIdle(cell, context);
    case 'resume':
      return runResume(cell, context);
    case 'lookup':
      return runLookup(cell, context);
    case 'stored':
      return runStored(cell, context);
  }
}

function answer(reply: LoadReply): void {
  process.send?.(reply, () => process.exit());
}

function fail(error: unknown): void {
  answer({ failure: error instanceof Error ? error.message : String(error) });
}

process.on('uncaughtException', fail);
process.on('disconnect', () => process.exit());
process.once('message', async (job: LoadJob) => {
  const { nodes, redis, startMs, cores } = job;
  const endpoints = nodes.map(({ endpoint }) => endpoint);
  const client = findTarget(job.target).createClient(endpoints, fail);
  const pids = { nodes: nodes.map(({ pid }) => pid), redis: redis?.pid };
  const outcome = await runCell(job.cell, {
    client,
    nodes: nodes.length,
    startMs,
    startUsage: () => startUsage(pids, cores),
    serverResidentBytes: () => residentBytes(pids.nodes[0] as number),
    readRedis: redis && (() => readRedisCounters(redis.port)),
  });
  answer({ outcome, wire: client.describeWire() });
});
