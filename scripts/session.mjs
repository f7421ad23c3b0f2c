import { say } from './say.mjs';

const EXIT_CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

const PARENT_CHECK_MS = 500;

/**
 * npm runs scripts through a shell that does not pass signals on: when npm is told to end, this process only notices
 * that it has another parent.
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
 * What one run of a task has started and must stop, whatever way it ends. While the main program runs in the
 * foreground, a signal is that program's to answer; before that it ends the run. A second one does not wait.
 */
export const openSession = () => {
  const stops = [];
  let foreground = false;
  let interruptions = 0;
  const forgetParent = process.env.npm_lifecycle_event === undefined ? () => undefined : endWithCallingNpm();

  const close = async () => {
    for (const stop of stops.splice(0).toReversed()) {
      await stop().catch((error) => say(`could not be stopped: ${error.message}`));
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
    /** Remembers how to stop something; the last one started is the first one stopped. */
    defer: (stop) => void stops.push(stop),
    /** Runs the main program, resolving to its exit code. */
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
      forgetParent();
      for (const [signal, handle] of handlers) process.off(signal, handle);
    },
  };
};
