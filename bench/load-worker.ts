/** The load process: takes one job over IPC, runs the scenario against the server, answers, ends. */
import type { Cell, LoadJob, LoadReply } from './job.ts';
import { residentBytes, startUsage } from './machine.ts';
import { runAcks } from './scenarios/acks.ts';
import { runConnections } from './scenarios/connections.ts';
import { runFanout } from './scenarios/fanout.ts';
import { runMemory } from './scenarios/memory.ts';
import type { Outcome, ScenarioContext } from './scenarios/scenario.ts';
import { runSteady } from './scenarios/steady.ts';
import { runWaiting } from './scenarios/waiting.ts';
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
  const client = findTarget(job.target).createClient(job.endpoint, fail);
  const outcome = await runCell(job.cell, {
    client,
    startUsage: () => startUsage(job.serverPid, job.cores),
    serverResidentBytes: () => residentBytes(job.serverPid),
  });
  answer({ outcome, wire: client.describeWire() });
});
