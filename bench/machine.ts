import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';

/** Linux counts a process's time in ticks of USER_HZ, which is 100 on every platform Node runs on. */
const US_PER_TICK = 10_000;

/** User and system time of all threads of a process since it began, in microseconds, in steps of 10 ms. */
function processCpuUs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The second field is the command in parentheses and may hold anything; fields are counted from behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * US_PER_TICK;
}

/** Memory of a process that is in RAM, in bytes. */
export function residentBytes(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
  if (line === null) throw new Error(`process ${pid} has no VmRSS; is it gone?`);
  return Number(line[1]) * 1024;
}

/** Time a core has spent on anything since boot, in microseconds; time stolen by the hypervisor counts. */
function coreBusyUs(core: number): number {
  const line = new RegExp(`^cpu${core} (.*)$`, 'm').exec(readFileSync('/proc/stat', 'latin1'));
  if (line === null) throw new Error(`/proc/stat has no core ${core}`);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = (line[1] ?? '').split(' ').map(Number);
  return (user + nice + system + irq + softirq + steal) * US_PER_TICK;
}

/** How long the calling process's main thread was ready to run and had to wait for its core, in microseconds. */
function mainThreadWaitUs(): number {
  const [, waitNs] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ');
  return Number(waitNs) / 1000;
}

/** What one stretch of measuring cost. Shares are of one core's time. */
export interface Usage {
  readonly elapsedMs: number;
  /** Of all servers together, without Redis. */
  readonly serverCpuUs: number;
  /** Of each server, in the order of the nodes. */
  readonly nodeCpuUs: readonly number[];
  /** Of the Redis that the servers share; 0 where there is none. */
  readonly redisCpuUs: number;
  /** Servers and Redis. */
  readonly serverShare: number;
  readonly loadShare: number;
  /** What neither server nor load used of their cores: other programs, the kernel's own work and the hypervisor. */
  readonly foreignShare: number;
  /** How much of the time the load stood ready and had to wait for its core: the same for every target but for noise. */
  readonly loadWaitShare: number;
}

/** Where a process may run and how willingly it gives way, as nice(1) counts. */
export interface Placement {
  readonly core: number;
  readonly nice: number;
}

export interface Cores {
  readonly server: number;
  readonly load: number;
}

/** The processes on the server core. */
export interface ServerPids {
  readonly nodes: readonly number[];
  readonly redis: number | undefined;
}

/** Starts measuring; the result stops it. To be called in the load process. */
export function startUsage({ nodes, redis }: ServerPids, cores: Cores): () => Usage {
  const busy = () => coreBusyUs(cores.server) + coreBusyUs(cores.load);
  const redisUs = () => (redis === undefined ? 0 : processCpuUs(redis));
  const [busy0, nodes0, redis0, load0] = [busy(), nodes.map(processCpuUs), redisUs(), process.cpuUsage()];
  const [wait0, at0] = [mainThreadWaitUs(), performance.now()];
  return () => {
    const elapsedMs = performance.now() - at0;
    const nodeCpuUs = nodes.map((pid, i) => processCpuUs(pid) - (nodes0[i] ?? 0));
    const serverCpuUs = nodeCpuUs.reduce((sum, us) => sum + us, 0);
    const redisCpuUs = redisUs() - redis0;
    const onServerCoreUs = serverCpuUs + redisCpuUs;
    const load = process.cpuUsage(load0);
    const loadCpuUs = load.user + load.system;
    const elapsedUs = elapsedMs * 1000;
    return {
      elapsedMs,
      serverCpuUs,
      nodeCpuUs,
      redisCpuUs,
      serverShare: onServerCoreUs / elapsedUs,
      loadShare: loadCpuUs / elapsedUs,
      foreignShare: Math.max(0, (busy() - busy0 - onServerCoreUs - loadCpuUs) / elapsedUs),
      loadWaitShare: (mainThreadWaitUs() - wait0) / elapsedUs,
    };
  };
}

export function describeMachine(): Record<string, string | number> {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryMiB: Math.round(totalmem() / 2 ** 20),
    kernel: release(),
    node: process.version,
    openssl: process.versions.openssl,
  };
}
