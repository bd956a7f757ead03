// npm run docs: writes docs/commands.md and docs/settings.md.
import { installDependencies, runOnNode24 } from './setup.mjs';

installDependencies();
runOnNode24('scripts/documents.ts', process.argv.slice(2));
