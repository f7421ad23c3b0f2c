import { spawn } from 'node:child_process';
import { which } from '../which.mjs';

// Reading ends when this process does, in whatever way: then nobody else is left to tidy up.
const SCRIPT = `
read -r _
for _ in $(seq 150); do
  kill -0 "$1" 2>/dev/null || break
  sleep 0.2
done
kill -KILL "$1" 2>/dev/null
rm -rf -- "$2" 2>/dev/null || { chattr -R -f -i "$2"; rm -rf -- "$2"; }
`;

/**
 * Removes `folder` when this process ends without having done so and the service that works there has ended too.
 * @param {{ pid: number, folder: string }} service
 * @returns {() => void} sends the janitor away
 */
export const watchOver = ({ pid, folder }) => {
  if (which('sh') === null) return () => undefined;
  const janitor = spawn('sh', ['-c', SCRIPT, 'sh', String(pid), folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  // Tidying is a courtesy: no failure of it may disturb the service.
  janitor.on('error', () => undefined);
  janitor.stdin.on('error', () => undefined);
  janitor.unref();
  janitor.stdin.unref();
  return () => void janitor.kill('SIGKILL');
};
