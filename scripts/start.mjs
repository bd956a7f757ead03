// npm start: sets up what is missing, then scripts/start.ts runs the sandbox and VS Code.
import { installDependencies, installTool, runOnNode24 } from './setup.mjs';

installDependencies();
installTool('redis-server');
runOnNode24('scripts/start.ts', process.argv.slice(2));
