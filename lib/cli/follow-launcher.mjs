/**
 * Preloaded into a Node that runtime.mjs started as a child: when the launcher is gone, killed without a word or not,
 * this process is asked to end as by SIGTERM, and ended if it does not. stdin and stdout are never looked at.
 */

/** The server drains for up to five seconds on SIGTERM. */
const GRACE_MS = 10_000;

const { BCAST_LAUNCHER_PID } = process.env;
delete process.env['BCAST_LAUNCHER_PID'];

// A process that our own child forks has a channel too, but another parent.
if (process.channel && BCAST_LAUNCHER_PID === String(process.ppid)) {
  process.once('disconnect', () => {
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), GRACE_MS).unref();
    process.kill(process.pid, 'SIGTERM');
  });
  // The listener would keep the process alive after its work is done.
  process.channel.unref();
}
