import { printLine } from './output.mjs';

const EXIT_CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

const PARENT_CHECK_MS = 500;

/**
 * npm runs scripts through a shell that does not forward signals: when npm is terminated, this process sees only that it
 * has another parent.
 */
const endWithCallingNpm = () => {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, PARENT_CHECK_MS);
  timer.unref();
  return () => clearInterval(timer);
};

/**
 * Stops everything that one run of a task has started, however the run ends. While the task's program runs in the
 * foreground, that program handles the signals; before that, a signal ends the run. A second signal exits at once.
 */
export const openSession = () => {
  const stops = [];
  let foreground = false;
  let interruptions = 0;
  const stopWatchingParent = process.env.npm_lifecycle_event === undefined ? () => undefined : endWithCallingNpm();

  const close = async () => {
    for (const stop of stops.splice(0).toReversed()) {
      await stop().catch((error) => printLine(`a service could not be stopped: ${error.message}`));
    }
  };
  const handlers = Object.entries(EXIT_CODES).map(([signal, exitCode]) => {
    const handle = () => {
      interruptions += 1;
      const exit = () => process.exit(exitCode);
      if (interruptions > 1) exit();
      if (!foreground) close().then(exit, exit);
    };
    process.on(signal, handle);
    return [signal, handle];
  });

  return {
    /** Adds something to stop at the end; the last one started is stopped first. */
    defer: (stop) => void stops.push(stop),
    /** Runs the task's program; resolves to its exit code. */
    runInForeground: async (run) => {
      foreground = true;
      try {
        return await run();
      } finally {
        foreground = false;
        interruptions = 0;
      }
    },
    close: async () => {
      await close();
      stopWatchingParent();
      for (const [signal, handle] of handlers) process.off(signal, handle);
    },
  };
};
