import { join } from 'node:path';
import { type PinnedChild, spawnPinned, waitForOutput } from './children.ts';
import type { Cell, LoadJob, LoadReply } from './job.ts';
import type { Cores, Placement } from './machine.ts';
import type { StartOptions, Target } from './targets/target.ts';

const LOAD_WORKER = join(import.meta.dirname, 'load-worker.ts');
const CALIBRATE = join(import.meta.dirname, 'calibrate.ts');

/** No cell takes half of this; a longer one hangs. */
const CELL_TIMEOUT_MS = 60_000;

/** Starts the server, runs one cell against it from a load process, ends both. Failures are part of the reply. */
export async function runCell(
  target: Target,
  cell: Cell,
  cores: Cores,
  nice: number,
  options: Omit<StartOptions, 'placement'>,
): Promise<LoadReply> {
  try {
    const server = await target.start({ ...options, placement: { core: cores.server, nice } });
    try {
      const { nodes, redis, startMs } = server;
      const job = { target: target.name, nodes, redis, startMs, cores, cell };
      const reply = await runLoad({ core: cores.load, nice }, job);
      return 'failure' in reply ? { failure: `${reply.failure}\n${server.logTail()}` } : reply;
    } finally {
      await server.stop();
    }
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  }
}

async function runLoad(placement: Placement, job: LoadJob): Promise<LoadReply> {
  const worker = spawnPinned(placement, [process.execPath, LOAD_WORKER], {
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
  });
  const { promise, resolve } = Promise.withResolvers<LoadReply>();
  const hung = { failure: `no answer came within ${CELL_TIMEOUT_MS / 1000} s: an acknowledgement may be LOST` };
  const timer = setTimeout(() => resolve(hung), CELL_TIMEOUT_MS);
  worker.process.once('message', (reply) => resolve(reply as LoadReply));
  void worker.ended.then((how) => resolve({ failure: `the load process ${how}: ${worker.stderrTail()}` }));
  worker.process.send(job);
  const reply = await promise;
  clearTimeout(timer);
  await worker.end();
  return reply;
}

/** Times the fixed work on both cores at once; milliseconds. */
export async function calibrate(cores: Cores, nice: number): Promise<{ serverMs: number; loadMs: number }> {
  const start = (core: number) =>
    spawnPinned({ core, nice }, [process.execPath, CALIBRATE], { stdio: ['ignore', 'pipe', 'pipe'] });
  const readMs = async (child: PinnedChild) => Number((await waitForOutput(child, 'stdout', /^[\d.]+$/m))[0]);
  const [serverMs, loadMs] = await Promise.all([readMs(start(cores.server)), readMs(start(cores.load))]);
  return { serverMs, loadMs };
}
