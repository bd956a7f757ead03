// npm test: sets up what is missing, then scripts/test.ts runs the suites.
import { installDependencies, installRedisServer, runOnNode24 } from './setup.mjs';

installDependencies();
installRedisServer();
runOnNode24('scripts/test.ts', process.argv.slice(2));
