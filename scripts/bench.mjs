// npm run bench -- <name>: runs bench/<name>.ts, whose last line is one JSON object. `all` runs scripts/bench.ts.
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { installDependencies, installTool, root, runOnNode24 } from './setup.mjs';

const names = readdirSync(path.join(root, 'bench')).flatMap((file) =>
  file.endsWith('.ts') ? [file.slice(0, -3)] : [],
);
const [name = '', ...args] = process.argv.slice(2);
if (!['all', ...names].includes(name)) {
  console.error(`Name a benchmark: npm run bench -- ${['all', ...names].join(' | ')}`);
  process.exit(2);
}
installDependencies();
installTool('redis-server');
runOnNode24(name === 'all' ? 'scripts/bench.ts' : `bench/${name}.ts`, args);
