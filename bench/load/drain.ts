const POLL_MS = 1;

/** After this long without the last messages they count as lost. */
const LOST_AFTER_MS = 15_000;

/** Resolves when `missing` is down to 0; throws how many messages are lost when they do not come. */
export async function drain(missing: () => number): Promise<void> {
  const deadline = performance.now() + LOST_AFTER_MS;
  while (missing() > 0) {
    if (performance.now() > deadline) throw new Error(`LOST: at least ${missing()} deliveries never came`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
