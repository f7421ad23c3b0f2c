// The decisions of the set-up, without I/O. See rules.d.mts for the types.
// Old syntax only: this file must load on the old versions of Node that it refuses.

const numbersOf = (version) => version.split('.').map(Number);

const isAtLeast = (version, lowest) => {
  for (let i = 0; i < 3; i += 1) {
    const difference = (version[i] || 0) - (lowest[i] || 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
};

/** Whether a version is in a range like `^20.19.0 || >=24`. `engines` in package.json uses only carets and lower bounds. */
export const satisfies = (version, range) => {
  const actual = numbersOf(version);
  return range.split('||').some((part) => {
    const match = /^(\^|>=)(\d+(?:\.\d+){0,2})$/.exec(part.trim());
    if (match === null) throw new Error(`the version range "${part.trim()}" has an unknown form`);
    const lowest = numbersOf(match[2]);
    return isAtLeast(actual, lowest) && (match[1] === '>=' || actual[0] === lowest[0]);
  });
};

/** Whether the installed packages are those of the lock; packages for other platforms may be missing. */
export const matchesLock = (lock, installed) => {
  const same = (a, b) => a.version === b.version && a.integrity === b.integrity;
  const wanted = Object.entries(lock.packages).filter(([path]) => path !== '');
  const complete = wanted.every(([path, entry]) => {
    const found = installed.packages[path];
    return found === undefined ? entry.optional === true : same(entry, found);
  });
  return complete && Object.keys(installed.packages).every((path) => path in lock.packages);
};

/** The settings that say where the registry is and how to reach it. The calling npm's other settings are for its own command. */
const KEPT_SETTINGS = [
  /^npm_config_\/\//i,
  /^npm_config_(?:.*:)?registry$/i,
  /^npm_config_(?:userconfig|globalconfig|cache|nodedir|omit_lockfile_registry_resolved)$/i,
  /^npm_config_(?:ca|cafile|cert|key|strict_ssl|proxy|https_proxy|noproxy|_auth|_authtoken|fetch_.*)$/i,
];

/**
 * The environment without the settings of the npm that called this script: `npm test --omit=dev` or NODE_ENV=production
 * must not change what is installed.
 */
export const withoutCallingNpm = (environment) =>
  Object.fromEntries(
    Object.entries(environment).filter(([name]) => {
      if (name === 'NODE_ENV') return false;
      return !/^npm_/i.test(name) || KEPT_SETTINGS.some((pattern) => pattern.test(name));
    }),
  );

/** The address of DOCKER_HOST for an HTTP request; null for addresses that only Docker's own clients can use (SSH, TLS). */
export const addressOf = (dockerHost, { tls }) => {
  if (dockerHost.startsWith('unix://')) return { socketPath: dockerHost.slice('unix://'.length) };
  const match = /^(?:tcp|http):\/\/([^/:[\]]+|\[[^\]]+\])(?::(\d+))?\/?$/.exec(dockerHost);
  if (match === null || tls) return null;
  return { host: match[1].replace(/^\[|\]$/g, ''), port: Number(match[2] || 2375) };
};

/** The test projects that vitest's arguments select; an empty list means all of them. */
const projectsIn = (args) =>
  args.flatMap((word, i) => {
    if (word.startsWith('--project=')) return [word.slice('--project='.length)];
    return args[i - 1] === '--project' ? [word] : [];
  });

const mayRun = (args, wanted) => {
  const projects = projectsIn(args);
  return projects.length === 0 || projects.some(wanted);
};

/** Whether the selected test projects need the build, PostgreSQL, Redis and an engine; the unit tests do not. */
export const needsServices = (args) => mayRun(args, (project) => project !== 'unit');

/** Whether the selected test projects need a browser: only the e2e tests open pages. */
export const needsBrowser = (args) => mayRun(args, (project) => project === 'e2e');

/** The browsers that the tests can use; the first one is smaller and starts faster. */
export const BROWSERS = ['chromium-headless-shell', 'chromium'];

/** The kernel writes some characters of a path as octal codes, a blank as \040. */
const unescaped = (field) => field.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(parseInt(octal, 8)));

/** The mount points below a folder in the text of /proc/mounts, inner ones before outer ones. */
export const mountPointsBelow = (mountTable, folder) =>
  mountTable
    .split('\n')
    .map((line) => unescaped(line.split(' ')[1] || ''))
    .filter((path) => path.startsWith(`${folder}/`))
    .sort((a, b) => b.length - a.length);

/** 3 ms, 850 ms, 1.2 s, 2 min 5 s. */
export const duration = (durationMs) => {
  if (durationMs < 1000) return `${Math.round(durationMs)} ms`;
  if (durationMs < 60_000) return `${(durationMs / 1000).toFixed(1)} s`;
  const seconds = Math.round(durationMs / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
};
