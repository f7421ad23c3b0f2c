import { readProjectJson } from '../project.mjs';
import { satisfies } from '../rules.mjs';

/** Ends the process with one line when this Node is too old. */
export const checkNodeVersion = () => {
  const range = readProjectJson('package.json').engines.node;
  if (satisfies(process.versions.node, range)) return;
  console.error(
    `Node ${range} is needed, this is ${process.versions.node}. Install another one from https://nodejs.org`,
  );
  process.exit(1);
};
