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
  readonly serverCpuUs: number;
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

/** Starts measuring; the result stops it. To be called in the load process. */
export function startUsage(serverPid: number, cores: Cores): () => Usage {
  const busy = () => coreBusyUs(cores.server) + coreBusyUs(cores.load);
  const [busy0, server0, load0] = [busy(), processCpuUs(serverPid), process.cpuUsage()];
  const [wait0, at0] = [mainThreadWaitUs(), performance.now()];
  return () => {
    const elapsedMs = performance.now() - at0;
    const serverCpuUs = processCpuUs(serverPid) - server0;
    const load = process.cpuUsage(load0);
    const loadCpuUs = load.user + load.system;
    const elapsedUs = elapsedMs * 1000;
    return {
      elapsedMs,
      serverCpuUs,
      serverShare: serverCpuUs / elapsedUs,
      loadShare: loadCpuUs / elapsedUs,
      foreignShare: Math.max(0, (busy() - busy0 - serverCpuUs - loadCpuUs) / elapsedUs),
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
