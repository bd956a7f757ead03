// npm run package: sets up what is missing, then scripts/package.ts makes the .vsix.
import { installDependencies, runOnNode24 } from './setup.mjs';

installDependencies();
runOnNode24('scripts/package.ts', process.argv.slice(2));
