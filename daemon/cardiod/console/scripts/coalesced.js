/** A job that runs at once, and once more after that if it was wanted meanwhile: many events, few requests. */
export function coalesced(job) {
  let running = false;
  let again = false;
  return async function run() {
    if (running) {
      again = true;
      return;
    }
    running = true;
    try {
      do {
        again = false;
        await job();
      } while (again);
    } finally {
      running = false;
    }
  };
}
