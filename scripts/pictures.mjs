// npm run pictures [-- name… | -- --check]: makes docs/pictures, all or those named; with --check it says which are out of date.
import { installDependencies, installTool, must, runOnNode24 } from './setup.mjs';

const args = process.argv.slice(2);
installDependencies();
if (!args.includes('--check')) {
  installTool('redis-server');
  must('node', ['esbuild.mjs']);
}
runOnNode24('scripts/pictures.ts', args);
