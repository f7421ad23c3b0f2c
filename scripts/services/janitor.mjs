import { spawn } from 'node:child_process';
import { which } from '../which.mjs';

// `read` returns when this process ends, in any way. Then the janitor is the only process left that can remove the folder.
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
 * Removes `folder` if this process ends before it has done so, once the service that uses it has ended too.
 * @param {{ pid: number, folder: string }} service
 * @returns {() => void} ends the janitor
 */
export const watchOver = ({ pid, folder }) => {
  if (which('sh') === null) return () => undefined;
  const janitor = spawn('sh', ['-c', SCRIPT, 'sh', String(pid), folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  // A failure of the janitor must not affect the service.
  janitor.on('error', () => undefined);
  janitor.stdin.on('error', () => undefined);
  janitor.unref();
  janitor.stdin.unref();
  return () => void janitor.kill('SIGKILL');
};
