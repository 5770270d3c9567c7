/** How often to look, in milliseconds. No event says that a parent is gone. */
const LOOK_MS = 500;

/**
 * npx runs us under a shell of its own, which a signal ends without reaching us: we would be left behind, and a server would
 * keep its port. When that shell is gone, this process is asked to end as by SIGTERM.
 */
export function followNpx() {
  const { npm_lifecycle_event: event, npm_lifecycle_script: script } = process.env;
  // Nobody else's shell: what a tool run by npx starts may well outlive the tool.
  if (event !== 'npx' || script === undefined || !/^(['"]?)bcast\1$/.test(script)) return;
  // Under an old Node our launcher is the one to look; it has a channel to us, and we end when it does.
  if (process.channel !== undefined) return;
  const shell = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === shell) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, LOOK_MS);
  timer.unref();
}
