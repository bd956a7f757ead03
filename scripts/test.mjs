// npm test: sets up what is missing, then scripts/test.ts runs the suites.
import { installDependencies, installTool, runOnNode24 } from './setup.mjs';

installDependencies();
installTool('redis-server');
installTool('shellcheck');
installTool('rclone');
installTool('busybox');
runOnNode24('scripts/test.ts', process.argv.slice(2));
